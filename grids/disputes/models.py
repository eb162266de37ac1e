"""Tables of disputes: the record, its events, parties, papers, terms, photos. All confidential."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Index, LargeBinary, SmallInteger, or_
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from grids.accounts.roles import ROLES
from grids.db import Base, code_column, personal
from grids.flows.models import FlowEvent, FlowPhoto, FlowRow
from grids.scope import in_areas

PARTY = personal("L3")
PAPER = personal("L3")
#: Permission that shows every dispute of the own area; without it only own ones are shown.
SEES_ALL = "dispute:all"


class Dispute(FlowRow, Base):
    """A dispute (矛盾纠纷) as lists show it. It has an area and never a point on a map."""

    __tablename__ = "dispute"
    __table_args__ = (
        Index("dispute_area_code_idx", "area_code"),
        Index("dispute_holder_id_idx", "holder_id"),
        Index("dispute_registrar_id_idx", "registrar_id"),
        Index("dispute_queue_idx", "due_at", sql_text("opened_at DESC"), "id"),
    )
    __level__ = "L2"

    area_code: Mapped[str] = mapped_column(code_column())  #: grid or community
    kind: Mapped[str]  #: 01 .. 18
    severity: Mapped[str] = mapped_column(server_default="general")
    channel: Mapped[str] = mapped_column(server_default="worker")
    level: Mapped[str] = mapped_column(server_default="village")  #: grid, village, town, county
    people: Mapped[int] = mapped_column(server_default="2")  #: how many people it touches
    text: Mapped[str] = mapped_column(info=PAPER)
    party_count: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    meeting_count: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    extension_count: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    reopen_count: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    way: Mapped[str | None]  #: what was advised when mediation failed
    contacted_at: Mapped[datetime | None]
    agreed_at: Mapped[datetime | None]

    @staticmethod
    def seen_by(model: Any, actor: Any) -> ColumnElement[bool]:
        """Show all of the area to who works on them there, to others what they have part in."""
        wide = tuple(g.area_code for g in actor.grants if SEES_ALL in ROLES[g.role])
        if not actor.grants and actor.can(SEES_ALL):
            wide = actor.areas
        return or_(
            in_areas(model.area_code, wide),
            model.registrar_id == actor.account_id,
            model.holder_id == actor.account_id,
        )


class OfDispute:
    """What hangs on a dispute."""

    @declared_attr
    @classmethod
    def dispute_id(cls) -> Mapped[UUID]:
        """Name the dispute."""
        return mapped_column(ForeignKey("dispute.id"), index=False)


class DisputeEvent(FlowEvent, Base):
    """One thing that happened to a dispute; never changed."""

    __tablename__ = "dispute_event"
    __level__ = "L2"

    dispute_id: Mapped[UUID] = mapped_column(ForeignKey("dispute.id"), primary_key=True)


class DisputePhoto(OfDispute, FlowPhoto, Base):
    """A photo of a dispute: a signed copy or a proof."""

    __tablename__ = "dispute_photo"
    __table_args__ = (
        Index("dispute_photo_dispute_id_idx", "dispute_id"),
        Index("dispute_photo_sha256_idx", "sha256"),
    )
    __level__ = "L2"


class DisputeParty(OfDispute, Base):
    """Somebody who takes part; name and phone are sealed, lists say how many there are."""

    __tablename__ = "dispute_party"
    __table_args__ = (
        Index("dispute_party_dispute_id_idx", "dispute_id"),
        Index("dispute_party_phone_index_idx", "phone_index"),
    )
    __level__ = "L3"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column(SmallInteger)
    side: Mapped[str]  #: applicant, respondent
    is_organisation: Mapped[bool] = mapped_column(server_default="false")
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary, info=PARTY)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=PARTY)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary, info=PARTY)
    created_at: Mapped[datetime] = mapped_column(server_default=sql_text("now()"))


class DisputePaper(OfDispute, Base):
    """Minutes of a meeting, or an agreement: its text is sealed."""

    __tablename__ = "dispute_paper"
    __table_args__ = (Index("dispute_paper_dispute_id_idx", "dispute_id"),)
    __level__ = "L3"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_seq: Mapped[int]
    kind: Mapped[str]  #: minutes, agreement
    held_at: Mapped[datetime]
    place: Mapped[str] = mapped_column(server_default="")
    present_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=PAPER)
    body_sealed: Mapped[bytes] = mapped_column(LargeBinary, info=PAPER)


class DisputeTerm(OfDispute, Base):
    """One thing that a party does by a day, as agreed."""

    __tablename__ = "dispute_term"
    __table_args__ = (Index("dispute_term_dispute_id_idx", "dispute_id"),)
    __level__ = "L3"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_seq: Mapped[int]
    no: Mapped[int] = mapped_column(SmallInteger)
    due_on: Mapped[date]
    text_sealed: Mapped[bytes] = mapped_column(LargeBinary, info=PAPER)
    performed_on: Mapped[date | None]
