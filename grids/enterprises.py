"""Enterprises (法人) and the premises (场所) where they do business."""

from __future__ import annotations

from datetime import date

from geoalchemy2 import WKBElement
from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, LocatedPoint, geometry_check, identity, personal, web_geometry


class Enterprise(LocatedPoint, Base):
    """A legal entity with its unified social credit code (统一社会信用代码)."""

    __tablename__ = "enterprise"
    __table_args__ = (
        geometry_check(),
        Index("enterprise_geom_idx", "geom", postgresql_using="gist"),
        Index("enterprise_area_code_idx", "area_code"),
        Index("enterprise_grid_id_idx", "grid_id"),
        Index("enterprise_address_id_idx", "address_id"),
        Index(
            "enterprise_merged_into_idx", "merged_into",
            postgresql_where=sql_text("merged_into IS NOT NULL"),
        ),
        Index(
            "enterprise_name_idx", "name", postgresql_using="gin",
            postgresql_ops={"name": "gin_trgm_ops"},
        ),
        Index("enterprise_pairs_idx", sql_text("text_pairs(name)"), postgresql_using="gin"),
        Index(
            "enterprise_initials_idx", sql_text("text_pairs(pinyin_initials(name))"), postgresql_using="gin"
        ),
    )  # fmt: skip
    __level__ = "L2"

    id: Mapped[int] = identity()
    uscc: Mapped[str | None] = mapped_column(unique=True)  #: 18 characters, GB 32100
    name: Mapped[str]
    kind: Mapped[str]  #: company, individual (个体工商户), institution, organ, association
    industry: Mapped[str]  #: GB/T 4754 section letter
    status: Mapped[str] = mapped_column(server_default="open")  #: open, suspended, closed
    staff: Mapped[int | None]
    registered_on: Mapped[date | None]
    contact_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=personal("L3"))
    address_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("address.id"))
    #: The entry that it was given up for: it never is given up itself.
    merged_into: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("enterprise.id"))
    geom_3857: Mapped[WKBElement | None] = web_geometry()


class Premises(LocatedPoint, Base):
    """A place that is inspected: shop, restaurant, workshop, warehouse, rental house, ..."""

    __tablename__ = "premises"
    __table_args__ = (
        geometry_check(),
        Index("premises_geom_idx", "geom", postgresql_using="gist"),
        Index("premises_area_code_idx", "area_code"),
        Index("premises_grid_id_idx", "grid_id"),
        Index("premises_enterprise_id_idx", "enterprise_id"),
        Index("premises_building_id_idx", "building_id"),
    )
    __level__ = "L2"

    id: Mapped[int] = identity()
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    enterprise_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("enterprise.id"))
    building_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("building.id"))
    kind: Mapped[str]  #: shop, restaurant, hotel, workshop, warehouse, market, rental_house, ...
    name: Mapped[str | None]
    floor_area_m2: Mapped[float | None]
    geom_3857: Mapped[WKBElement | None] = web_geometry()
