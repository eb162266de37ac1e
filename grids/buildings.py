"""Buildings, their dwellings and the addresses that name them."""

from __future__ import annotations

from typing import Final

from geoalchemy2 import WKBElement
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    FetchedValue,
    ForeignKey,
    Index,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import (
    Base,
    Located,
    LocatedPoint,
    code_column,
    geometry,
    geometry_check,
    identity,
    web_geometry,
)

#: 在用, 注销, 预编
PLATE_STATES: Final = ("in_use", "cancelled", "reserved")
#: 门牌, 楼牌, 单元牌, 户牌
PLATE_TYPES: Final = ("door", "building", "unit", "home")


def in_list(column: str, values: tuple[str, ...]) -> str:
    """Return the condition that a column holds one of the words."""
    return f"{column} IN (" + ", ".join(f"'{value}'" for value in values) + ")"


class Address(LocatedPoint, Base):
    """A standard address (标准地址): a door plate or a building plate with its point."""

    __tablename__ = "address"
    __table_args__ = (
        geometry_check(),
        Index("address_geom_idx", "geom", postgresql_using="gist"),
        Index("address_area_code_idx", "area_code"),
        Index("address_grid_id_idx", "grid_id"),
        Index("address_street_idx", "street", "number"),
        Index("address_estate_idx", "estate", "building"),
        Index("address_parent_id_idx", "parent_id"),
        UniqueConstraint("code"),
        CheckConstraint(in_list("plate_state", PLATE_STATES), name="plate_state"),
        CheckConstraint(in_list("plate_type", PLATE_TYPES), name="plate_type"),
        CheckConstraint("quality BETWEEN 0 AND 100", name="quality"),
        Index(
            "address_text_idx", "text", postgresql_using="gin",
            postgresql_ops={"text": "gin_trgm_ops"},
        ),
        Index("address_pairs_idx", sql_text("text_pairs(text)"), postgresql_using="gin"),
        Index(
            "address_initials_idx", sql_text("text_pairs(pinyin_initials(text))"), postgresql_using="gin"
        ),
    )  # fmt: skip
    __level__ = "L1"

    id: Mapped[int] = identity()
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    text: Mapped[str]  #: as people write it, without county
    street: Mapped[str | None]
    number: Mapped[str | None]
    estate: Mapped[str | None]  #: 小区 or courtyard
    building: Mapped[str | None]  #: 楼幢
    unit: Mapped[str | None]  #: 单元
    floor: Mapped[str | None]  #: 楼层
    room: Mapped[str | None]  #: 户室
    #: Area (12 digits), sequence (8), check digit: the database gives it once, it never changes.
    code: Mapped[str] = mapped_column(code_column(), server_default=FetchedValue())
    plate_state: Mapped[str] = mapped_column(server_default="in_use")
    plate_type: Mapped[str] = mapped_column(server_default="door")
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("address.id"))
    quality: Mapped[int | None] = mapped_column(SmallInteger)  #: 0 to 100, `addressing.quality`
    geom_3857: Mapped[WKBElement | None] = web_geometry()


class Building(Located, Base):
    """A building; linked to its grid by the point on its surface."""

    __tablename__ = "building"
    __table_args__ = (
        geometry_check(),
        Index("building_geom_idx", "geom", postgresql_using="gist"),
        Index("building_area_code_idx", "area_code"),
        Index("building_grid_id_idx", "grid_id"),
        Index("building_address_id_idx", "address_id"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    name: Mapped[str | None]
    kind: Mapped[str]  #: residential, apartments, house, industrial, commercial, school, ...
    levels: Mapped[int | None] = mapped_column(SmallInteger)
    height_m: Mapped[float | None]
    built_year: Mapped[int | None] = mapped_column(SmallInteger)
    dwellings: Mapped[int] = mapped_column(server_default="0")
    area_m2: Mapped[float]  #: footprint
    address_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("address.id"))
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    geom_3857: Mapped[WKBElement | None] = web_geometry()


class Dwelling(Base):
    """A home (户室) in a building; what is let is counted as a rental."""

    __tablename__ = "dwelling"
    __table_args__ = (Index("dwelling_building_id_idx", "building_id"),)
    __level__ = "L2"

    id: Mapped[int] = identity()
    building_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("building.id"))
    unit: Mapped[str | None]  #: 单元
    floor: Mapped[int | None] = mapped_column(SmallInteger)
    room: Mapped[str | None]
    use: Mapped[str]  #: owner, rental, vacant
    area_m2: Mapped[float | None]
