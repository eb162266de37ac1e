"""City components (部件) and public facilities."""

from __future__ import annotations

from geoalchemy2 import WKBElement
from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, Located, LocatedPoint, geometry, geometry_check, identity, web_geometry


class Component(Located, Base):
    """A city component: hydrant, street light, manhole cover, litter bin, street tree, ..."""

    __tablename__ = "component"
    __table_args__ = (
        geometry_check(),
        Index("component_geom_idx", "geom", postgresql_using="gist"),
        Index("component_area_code_idx", "area_code"),
        Index("component_grid_id_idx", "grid_id"),
        Index("component_code_idx", "code"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    identifier: Mapped[str] = mapped_column(
        unique=True
    )  #: 17 digits: county 6, class 2, sub-class 3, sequence 6 (GB/T 47678.5)
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    code_system: Mapped[str] = mapped_column(server_default="GBT47678.5-2026")
    code: Mapped[str]  #: five digits of the sub-class
    name: Mapped[str | None]
    state: Mapped[str] = mapped_column(
        server_default="intact"
    )  #: intact, damaged, missing, abandoned, removed
    department_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    geom: Mapped[WKBElement] = mapped_column(geometry("GEOMETRY"))
    geom_3857: Mapped[WKBElement | None] = web_geometry()


class Facility(LocatedPoint, Base):
    """A public facility: school, clinic, shelter, fire or police station, office, ..."""

    __tablename__ = "facility"
    __table_args__ = (
        geometry_check(),
        Index("facility_geom_idx", "geom", postgresql_using="gist"),
        Index("facility_area_code_idx", "area_code"),
        Index("facility_grid_id_idx", "grid_id"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str]
    name: Mapped[str | None]
    geom_3857: Mapped[WKBElement | None] = web_geometry()
