"""Unit cells (单元网格) and duty grids (责任网格) with their history."""

from __future__ import annotations

from datetime import date

from geoalchemy2 import WKBElement
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, select
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column, relationship

from grids.db import Base, code_column, geometry, geometry_check, identity

#: The day of the city, asked once in a statement. Grids are valid from midnight in the city on.
TODAY = select(func.city_today()).scalar_subquery()


class Grid(Base):
    """A duty grid: the area that one worker answers for. Its code is never used again.

    15 digits: the community's 12 and a sequence, basic 001-799, exclusive 801-999.
    """

    __tablename__ = "grid"
    __table_args__ = (CheckConstraint("length(code) = 15", name="code_length"),)
    __level__ = "L1"

    id: Mapped[int] = identity()
    code: Mapped[str] = mapped_column(code_column(), unique=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="basic")  #: basic 基础网格, exclusive 专属网格

    versions: Mapped[list[GridVersion]] = relationship(back_populates="grid")


class GridVersion(Base):
    """The shape of a duty grid while it was valid.

    Grids of one day share edges and never overlap; `gis.topology` checks that.
    """

    __tablename__ = "grid_version"
    __table_args__ = (
        geometry_check(),
        ExcludeConstraint(("grid_id", "="), ("valid", "&&"), name="grid_version_one_at_a_time"),
        Index("grid_version_geom_idx", "geom", postgresql_using="gist"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    grid_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("grid.id"), index=True)
    valid: Mapped[Range[date]] = mapped_column(DATERANGE)
    households: Mapped[int]  #: dwellings counted on the first day of validity
    area_m2: Mapped[float]
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    #: The plan that made it; None: by the import of a map or by the simulator.
    plan_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("grid_plan.id"))

    grid: Mapped[Grid] = relationship(back_populates="versions")


class Cell(Base):
    """A 100 m unit cell (万米单元网格) inside the city; its id is arithmetic (`gis.lattice`)."""

    __tablename__ = "cell"
    __table_args__ = (
        geometry_check(),
        Index("cell_geom_idx", "geom", postgresql_using="gist"),
        Index("cell_area_code_idx", "area_code"),
        Index("cell_grid_id_idx", "grid_id"),
    )
    __level__ = "L1"

    cell_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    area_code: Mapped[str] = mapped_column(code_column())  #: of the cell's centre
    grid_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("grid.id")
    )  #: of the cell's centre
    is_whole: Mapped[bool]  #: the cell lies wholly inside that grid
    geom: Mapped[WKBElement] = mapped_column(geometry("POLYGON"))
