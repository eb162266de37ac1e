"""Administrative areas: county, town or street, community or village."""

from __future__ import annotations

from datetime import date
from typing import Final

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, geometry, geometry_check


class Area(Base):
    """A county (6 digits), town or street (镇街, 9), community or village (社区/村, 12)."""

    __tablename__ = "area"
    __table_args__ = (
        geometry_check(),
        CheckConstraint("length(code) = level", name="code_level"),
        Index("area_geom_idx", "geom", postgresql_using="gist"),
    )
    __level__ = "L1"

    code: Mapped[str] = mapped_column(code_column(), primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(code_column(), ForeignKey("area.code"))
    level: Mapped[int] = mapped_column(SmallInteger)  #: 6, 9 or 12, the length of the code
    kind: Mapped[str] = mapped_column(server_default="")  #: street, town, zone, community, village
    name_zh: Mapped[str]
    name_en: Mapped[str]
    valid_from: Mapped[date] = mapped_column(server_default=text("current_date"))
    valid_to: Mapped[date | None]
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))


#: Columns that divide `area_code`: county, town, community and grid, null where it is shorter.
AREAS_OF_CODE: Final = """
    left(area_code, 6) AS county,
    CASE WHEN length(area_code) >= 9 THEN left(area_code, 9) END AS town,
    CASE WHEN length(area_code) >= 12 THEN left(area_code, 12) END AS community,
    CASE WHEN length(area_code) = 15 THEN area_code END AS grid
"""
