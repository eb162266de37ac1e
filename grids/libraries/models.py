"""Table of the macro-economy: figures by indicator, area and period, with every revision."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, identity


class MacroFigure(Base):
    """What an indicator was in an area and a period, as somebody recorded it: append-only.

    The latest recorded up to a day is what was known on that day.
    """

    __tablename__ = "macro_figure"
    __table_args__ = (
        Index("macro_figure_known_idx", "indicator", "area_code", "period", "recorded_at"),
    )
    __level__ = "L2"

    id: Mapped[int] = identity()
    indicator: Mapped[str]
    area_code: Mapped[str] = mapped_column(code_column())  #: county or town
    period: Mapped[date]  #: its first day
    value: Mapped[Decimal] = mapped_column(Numeric)
    source: Mapped[str]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
