"""The site of an organisation: where a town, zone, community or village is met by its people."""

from __future__ import annotations

from geoalchemy2 import WKBElement
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, LocatedPoint, code_column, geometry_check, identity, web_geometry

KINDS = ("street", "town", "zone", "community", "village")


class Site(LocatedPoint, Base):
    """The site (站点) of one organisation of the tree: one per town, zone, community, village.

    `org_code` says whose it is, `area_code` where it stands; who may see it follows from the
    latter, as with everything that has a place.
    """

    __tablename__ = "site"
    __table_args__ = (
        geometry_check(),
        CheckConstraint(
            "kind IN ('street', 'town', 'zone', 'community', 'village')", name="site_kind"
        ),
        Index("site_geom_idx", "geom", postgresql_using="gist"),
        Index("site_area_code_idx", "area_code"),
        Index("site_grid_id_idx", "grid_id"),
        Index("site_address_id_idx", "address_id"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    org_code: Mapped[str] = mapped_column(code_column(), ForeignKey("area.code"), unique=True)
    name: Mapped[str]
    kind: Mapped[str]  #: street, town, zone, community, village
    hours: Mapped[str | None]  #: as OpenStreetMap writes them: Mo-Fr 08:30-11:30,14:00-17:30
    phone: Mapped[str | None]  #: of the counter, of no person
    address_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("address.id"))
    geom_3857: Mapped[WKBElement | None] = web_geometry()
