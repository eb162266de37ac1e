"""Base of the models, column types shared by all areas, and named SQL."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Date,
    DateTime,
    Engine,
    ForeignKey,
    Identity,
    MetaData,
    Text,
    create_engine,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.sql.elements import TextClause

STORAGE_SRID = 4490
SQL_FOLDER = Path(__file__).parent / "sql"

#: Every constraint has a name, so that a migration can speak of it.
NAMES = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


class Base(DeclarativeBase):
    """Root of all models. `__level__` is the data level of a table: L1 public to L4 very sensitive.

    A column above the level of its table says so with `personal(...)`.
    """

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar = {str: Text, datetime: DateTime(timezone=True), date: Date}
    __level__: ClassVar[str]


def personal(level: str) -> dict[str, Any]:
    """Label a column that holds personal data.

    What for, on which ground and how long (PIPL art. 6, 19) stands once, in `grids.inventory`.
    """
    return {"level": level}


def code_column() -> Text:
    """Type of area codes: bytewise order, so that a scope is a range on the code."""
    return Text(collation="C")


def identity() -> Mapped[int]:
    """Key made by the database; `grids.migrate` starts it at node * 2^44."""
    return mapped_column(BigInteger, Identity(always=False), primary_key=True)


def geometry(kind: str) -> Geometry:
    """Geometry in the storage CRS (CGCS2000, longitude first). Indexes are named in the models."""
    return Geometry(kind, srid=STORAGE_SRID, spatial_index=False)


def geometry_check(column: str = "geom") -> CheckConstraint:
    """Refuse what PostGIS stores without a word: NaN, infinity, outside the city, invalid."""
    return CheckConstraint(f"geom_ok({column})", name=f"{column}_ok")


def web_geometry() -> Mapped[WKBElement | None]:
    """Hold the shape once more in web mercator, kept by the database, for vector tiles.

    Tiles from a stored column came out 1.5 to 1.9 times as fast as with a transform per row.
    """
    return mapped_column(
        Geometry("GEOMETRY", srid=3857, spatial_index=False),
        Computed("web_geom(geom)", persisted=True),
        deferred=True,
    )


class Located:
    """Everything that has a place: it knows its unit cell, its duty grid and its area.

    `link_place()` fills the three keys on single writes by trigger; bulk loads bring them
    from `gis.link`, by the same rule. `area_code` is the deepest known code of the place:
    15 digits inside a duty grid, else 12 of the community, 9 of the town, 6 of the county.
    """

    cell_id: Mapped[int] = mapped_column(BigInteger)
    area_code: Mapped[str] = mapped_column(code_column())
    coord_source: Mapped[str] = mapped_column(
        server_default="survey"
    )  #: gnss, gcj02, bd09, map_click, survey, derived
    accuracy_m: Mapped[float | None]
    source: Mapped[str] = mapped_column(server_default="local")
    valid_from: Mapped[date] = mapped_column(server_default=text("current_date"))
    valid_to: Mapped[date | None]

    @declared_attr
    @classmethod
    def grid_id(cls) -> Mapped[int | None]:
        """Name the duty grid on the day the row was linked; none outside every grid."""
        return mapped_column(BigInteger, ForeignKey("grid.id"))


class LocatedPoint(Located):
    """A located row whose place is one point."""

    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))


def engine(url: str, **options: Any) -> Engine:
    """Make an engine on psycopg 3 for an address written either way."""
    _, _, rest = url.partition("://")
    # Values stay out of the texts of errors, which reach logs.
    return create_engine(f"postgresql+psycopg://{rest}", hide_parameters=True, **options)


@cache
def queries(area: str) -> dict[str, TextClause]:
    """Load the named statements of `sql/<area>.sql`; each stands under `-- name: word`."""
    body = (SQL_FOLDER / f"{area}.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- name: (\w+)\s*$", body, flags=re.MULTILINE)[1:]
    return {name: text(sql.strip()) for name, sql in zip(parts[::2], parts[1::2], strict=True)}
