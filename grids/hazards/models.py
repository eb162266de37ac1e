"""Tables of hazards and of the inspections that find them. Premises are places; no person is."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Index, SmallInteger, true
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, LocatedPoint, code_column, geometry_check
from grids.flows.models import FlowEvent, FlowPhoto, FlowRow


class Hazard(FlowRow, LocatedPoint, Base):
    """A hidden danger (隐患) of premises or of a public place, as lists show it."""

    __tablename__ = "hazard"
    __table_args__ = (
        geometry_check(),
        Index("hazard_geom_idx", "geom", postgresql_using="gist"),
        Index("hazard_area_code_idx", "area_code"),
        Index("hazard_department_code_idx", "department_code"),
        Index("hazard_premises_id_idx", "premises_id"),
        Index("hazard_inspection_id_idx", "inspection_id"),
        Index("hazard_queue_idx", "due_at", sql_text("opened_at DESC"), "id"),
    )
    __level__ = "L2"

    origin: Mapped[str]  #: inspection, report
    premises_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("premises.id"))
    inspection_id: Mapped[UUID | None] = mapped_column(ForeignKey("inspection.id"))
    checklist: Mapped[str | None]
    item: Mapped[str | None]  #: code of the item of the check-list
    competent_code: Mapped[str] = mapped_column(ForeignKey("department.code"))
    severity: Mapped[str]  #: general, major
    text: Mapped[str]
    place: Mapped[str] = mapped_column(server_default="")
    term: Mapped[str | None]  #: spot, 7, 15, 30
    measures: Mapped[str] = mapped_column(server_default="")
    notice_no: Mapped[str | None]
    document: Mapped[str | None]  #: of the enforcement
    ordered_at: Mapped[datetime | None]
    rework_count: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    escalation_count: Mapped[int] = mapped_column(SmallInteger, server_default="0")

    @staticmethod
    def seen_by(model: Any, actor: Any) -> ColumnElement[bool]:
        """Show a department what was escalated to it, everybody else their area."""
        if actor.department is None:
            return true()
        found: ColumnElement[bool] = model.department_code == actor.department
        return found


class HazardEvent(FlowEvent, Base):
    """One thing that happened to a hazard; never changed."""

    __tablename__ = "hazard_event"
    __level__ = "L2"

    hazard_id: Mapped[UUID] = mapped_column(ForeignKey("hazard.id"), primary_key=True)


class HazardPhoto(FlowPhoto, Base):
    """A photo of a hazard: before, after, or a notice that was signed."""

    __tablename__ = "hazard_photo"
    __table_args__ = (
        Index("hazard_photo_hazard_id_idx", "hazard_id"),
        Index("hazard_photo_sha256_idx", "sha256"),
    )
    __level__ = "L2"

    hazard_id: Mapped[UUID] = mapped_column(ForeignKey("hazard.id"))


class Inspection(Base):
    """One visit to premises with a check-list: score and colour as they were that day."""

    __tablename__ = "inspection"
    __table_args__ = (
        Index("inspection_premises_id_idx", "premises_id", "done_at"),
        Index("inspection_area_code_idx", "area_code"),
    )
    __level__ = "L2"

    id: Mapped[UUID] = mapped_column(primary_key=True)  #: made by the client
    premises_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("premises.id"))
    premises_kind: Mapped[str]
    area_code: Mapped[str] = mapped_column(code_column())
    checklist: Mapped[str]
    inspector_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    done_at: Mapped[datetime]
    score: Mapped[int | None] = mapped_column(SmallInteger)  #: None: nothing applied
    level: Mapped[str]  #: red, yellow, green, none
    failed: Mapped[int] = mapped_column(SmallInteger)
    major_failed: Mapped[int] = mapped_column(SmallInteger)


class InspectionAnswer(Base):
    """What was found for one item; weight and mark are those of the day."""

    __tablename__ = "inspection_answer"
    __level__ = "L2"

    inspection_id: Mapped[UUID] = mapped_column(ForeignKey("inspection.id"), primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[str]  #: ok, failed, na
    weight: Mapped[int] = mapped_column(SmallInteger)
    is_major: Mapped[bool]
