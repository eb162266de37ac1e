"""Tables of the desk: who works on which case now, kept filters, drafts of replies."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column


class DeskClaim(Base):
    """Somebody has a case open and works on it (正在处理): a hint for the others, no lock.

    Unlogged: a claim lasts 90 seconds and its page renews it three times in that time, so what
    a crash of the server forgets is back before a log of it could be replayed.
    """

    __tablename__ = "desk_claim"
    __table_args__ = (
        Index("desk_claim_account_id_idx", "account_id"),
        {"prefixes": ["UNLOGGED"]},
    )
    __level__ = "L2"

    incident_id: Mapped[UUID] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    since_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    #: Of the case when it was claimed: the live process tells those whose scope holds it.
    area_code: Mapped[str] = mapped_column(code_column())
    department_code: Mapped[str | None]


class SavedFilter(Base):
    """A filter of the queue under a name; shared ones serve a role inside one area."""

    __tablename__ = "saved_filter"
    __table_args__ = (
        Index("saved_filter_account_id_idx", "account_id"),
        Index("saved_filter_role_idx", "role"),
        CheckConstraint("length(name) BETWEEN 1 AND 60", name="has_name"),
    )
    __level__ = "L2"

    id: Mapped[UUID] = mapped_column(primary_key=True)  #: made by the client
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    name: Mapped[str]
    query: Mapped[dict[str, Any]] = mapped_column(JSONB)  #: parameters of the queue
    role: Mapped[str | None]  #: shared with those who hold it
    area_code: Mapped[str] = mapped_column(code_column())  #: and whose area lies in this one
    updated_at: Mapped[datetime]


class DeskDraft(Base):
    """What somebody has typed for a case and not sent: theirs alone, gone after the step."""

    __tablename__ = "desk_draft"
    __table_args__ = (Index("desk_draft_updated_at_idx", "updated_at"),)
    __level__ = "L2"

    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"), primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"), primary_key=True
    )
    action: Mapped[str]  #: the step that is being written
    fields: Mapped[dict[str, Any]] = mapped_column(JSONB)
    updated_at: Mapped[datetime]
