"""Tables of data quality: what the rules found by day, and the alarms."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, identity


class QualityResult(Base):
    """How many entries of an area and a source a rule was asked of on a day, and how many failed.

    An area of 6, 9 or 12 digits holds the sum of all under it.
    """

    __tablename__ = "quality_result"
    __table_args__ = (Index("quality_result_area_idx", "area_code", "day"),)
    __level__ = "L2"

    day: Mapped[date] = mapped_column(primary_key=True)
    area_code: Mapped[str] = mapped_column(code_column(), primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    checked: Mapped[int]
    failed: Mapped[int]


class QualityAlarm(Base):
    """Too many entries of a town from one source fail a rule, or many more than a week before."""

    __tablename__ = "quality_alarm"
    __table_args__ = (
        Index(
            "quality_alarm_open_idx", "rule", "area_code", "source", unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
    )  # fmt: skip
    __level__ = "L2"

    id: Mapped[int] = identity()
    rule: Mapped[str]
    area_code: Mapped[str] = mapped_column(code_column())
    source: Mapped[str]
    why: Mapped[str]  #: limit, jump
    opened_at: Mapped[datetime]
    checked: Mapped[int]
    failed: Mapped[int]
    before: Mapped[float | None]  #: share a week before
    noted_at: Mapped[datetime | None]
    noted_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    note: Mapped[str] = mapped_column(server_default="")
    closed_at: Mapped[datetime | None]  #: the share fell again
