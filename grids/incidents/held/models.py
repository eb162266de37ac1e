"""The table of steps that wait for the one they were made after."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base

IS_WAITING = sql_text("state = 'waiting'")


class HeldMove(Base):
    """A step as it was sent, until what it follows is there or the limit is over.

    The case may not be there yet either, so `incident_id` refers to nothing.
    """

    __tablename__ = "held_move"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'taken', 'refused')", name="state"),
        Index("held_move_follows_idx", "follows", postgresql_where=IS_WAITING),
        Index("held_move_until_idx", "until", postgresql_where=IS_WAITING),
        Index("held_move_account_id_idx", "account_id", "held_at"),
    )
    __level__ = "L2"

    id: Mapped[UUID] = mapped_column(primary_key=True)  #: of the request, made by the client
    incident_id: Mapped[UUID]
    follows: Mapped[UUID]  #: the report or step that it was made after
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    action: Mapped[str]
    sent: Mapped[dict[str, Any]] = mapped_column(JSONB)  #: the request, field by field
    photos: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql_text("'{}'"))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    held_at: Mapped[datetime]
    until: Mapped[datetime]  #: from then on it is judged without what it follows
    state: Mapped[str] = mapped_column(server_default="waiting")
    settled_at: Mapped[datetime | None]
    code: Mapped[str | None]  #: why it was refused
