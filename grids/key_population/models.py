"""Tables of counts of key population (特殊人群): areas, kinds and months, never a person."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, identity


class PopulationBatch(Base):
    """One table of counts as a registrar took it over. The file itself is kept nowhere."""

    __tablename__ = "population_batch"
    __table_args__ = (Index("population_batch_uploaded_at_idx", "uploaded_at"),)
    __level__ = "L2"

    id: Mapped[int] = identity()
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    uploaded_at: Mapped[datetime]
    rows: Mapped[int]


class PopulationCount(Base):
    """A count as the department gave it: ten or more, or null for fewer than ten.

    The web role adds rows and cannot read them; the worker publishes what may be told.
    """

    __tablename__ = "population_count"
    __table_args__ = (
        CheckConstraint("count >= 10", name="count"),
        CheckConstraint("length(area_code) IN (6, 9, 12, 15)", name="area_code"),
        Index("population_count_category_idx", "category", "period", "area_code"),
    )
    __level__ = "L3"

    batch_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("population_batch.id"), primary_key=True, autoincrement=False
    )
    category: Mapped[str] = mapped_column(ForeignKey("population_category.code"), primary_key=True)
    period: Mapped[date] = mapped_column(primary_key=True)  #: the first day of the month
    area_code: Mapped[str] = mapped_column(code_column(), primary_key=True)
    count: Mapped[int | None]


class PopulationTold(Base):
    """What is told of a kind of key population in an area and a month; null where withheld."""

    __tablename__ = "population_told"
    __table_args__ = (Index("population_told_area_code_idx", "area_code"),)
    __level__ = "L2"

    category: Mapped[str] = mapped_column(ForeignKey("population_category.code"), primary_key=True)
    period: Mapped[date] = mapped_column(primary_key=True)
    area_code: Mapped[str] = mapped_column(code_column(), primary_key=True)
    value: Mapped[int | None]
    published_at: Mapped[datetime]
