"""Tables of the sample check: each day's draw, and every case that could have been drawn."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base


class SampleDraw(Base):
    """The draw of one day of the city: what it followed from, and of how many."""

    __tablename__ = "sample_draw"
    __level__ = "L1"

    on: Mapped[date] = mapped_column(primary_key=True)  #: the day whose cases were drawn from
    head: Mapped[str]  #: text of the signed head of the chains that the seed is the hash of
    seed: Mapped[str]
    population: Mapped[int]
    size: Mapped[int]
    drawn_at: Mapped[datetime]


class SampleCase(Base):
    """One case of a day's population; kept whether it was drawn or not, so that all can redraw."""

    __tablename__ = "sample_case"
    __table_args__ = (
        CheckConstraint("way IN ('self_handled', 'fast_track')", name="way"),
        Index("sample_case_incident_id_idx", "incident_id"),
    )
    __level__ = "L2"

    on: Mapped[date] = mapped_column(ForeignKey("sample_draw.on"), primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    way: Mapped[str]
    is_drawn: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    #: why a drawn case could not be checked: it had gone on meanwhile
    skipped: Mapped[str | None]
