"""One stretch of a pipe or cable in the ground: what it carries, how deep it lies, whose it is."""

from __future__ import annotations

from typing import Final

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, Located, geometry, geometry_check, identity, web_geometry

#: 给水、污水、燃气、热力、电力.
KINDS: Final = ("water", "sewage", "gas", "heat", "power")
#: 主干管、支干管、支管: what a break of it puts out of service.
RANKS: Final = ("trunk", "main", "branch")


class Pipe(Located, Base):
    """A stretch of a pipe or cable (管线) from one junction to the next.

    Where mains lie is not for everybody: whoever has no `pipe:view` meets no row of it, on the
    map, in a list, in a search or in a file.
    """

    __tablename__ = "pipe"
    __table_args__ = (
        geometry_check(),
        CheckConstraint("kind IN ('water', 'sewage', 'gas', 'heat', 'power')", name="pipe_kind"),
        CheckConstraint("rank IN ('trunk', 'main', 'branch')", name="pipe_rank"),
        CheckConstraint("depth_m >= 0 AND depth_m < 100", name="pipe_depth"),
        Index("pipe_geom_idx", "geom", postgresql_using="gist"),
        Index("pipe_area_code_idx", "area_code"),
        Index("pipe_grid_id_idx", "grid_id"),
    )
    __level__ = "L2"

    id: Mapped[int] = identity()
    identifier: Mapped[str] = mapped_column(unique=True)  #: two letters of the kind, then digits
    kind: Mapped[str]  #: water, sewage, gas, heat, power
    rank: Mapped[str]  #: trunk, main, branch
    depth_m: Mapped[float]  #: from the ground to the top of the pipe
    diameter_mm: Mapped[int | None] = mapped_column(SmallInteger)  #: none of a cable
    owner_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    road: Mapped[str | None]  #: name of the street that it lies under
    laid_year: Mapped[int | None] = mapped_column(SmallInteger)
    geom: Mapped[WKBElement] = mapped_column(geometry("LINESTRING"))
    geom_3857: Mapped[WKBElement | None] = web_geometry()
