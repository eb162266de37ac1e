"""What statements speak of: tables, conditions, boxes; and how they are put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import tuple_row

from gis.bbox import Bbox
from gis.crs import CRS84_SRID, STORAGE_SRID, epsg

Column = str | sql.Composable
Key = int | str | UUID


@dataclass(frozen=True)
class TableSource:
    """A table, a view or a subselect that has a geometry.

    Attributes
    ----------
    table : str or Composable
        Name, `schema.name`, or a subselect in brackets written in code.
    geom : str
        The geometry column, indexed by GiST.
    columns : mapping of str to str or Composable
        Name of the property in what leaves, and the column or expression (over `t`) it
        is taken from.
    srid : int
        System of `geom`.
    key : str
        Unique column that pages are ordered by.
    geom_3857 : str or None
        A stored twin of `geom` in web mercator; tiles of tables with many rows come out 1.5 to
        1.9 times as fast with it. The box of a tile is one in degrees too, so that it needs no
        index.
    tile_id : str or None
        Integer column to be the feature's id in tiles.
    shown : Composable or None
        An expression over `t` in the system of `geom` that leaves in its place; questions are
        still asked of the indexed column.
    """

    table: Column
    geom: str = "geom"
    columns: Mapping[str, Column] = field(default_factory=dict)
    srid: int = STORAGE_SRID
    key: str = "id"
    geom_3857: str | None = None
    tile_id: str | None = None
    shown: sql.Composable | None = None


def leaving(source: TableSource) -> sql.Composable:
    """Compose the geometry that leaves, in the stored system."""
    if source.shown is not None:
        return source.shown
    return sql.SQL("t.") + sql.Identifier(source.geom)


@dataclass(frozen=True)
class Where:
    """A condition over `t` with the values that it binds by name.

    Names that begin with `gis_` are kept for the statements here.
    """

    text: sql.Composable
    values: Mapping[str, object] = field(default_factory=dict)


EVERYTHING: Final = Where(sql.SQL("true"))


@dataclass(frozen=True)
class Within:
    """A bounding box and the system its four numbers are in, x before y."""

    bbox: Bbox
    srid: int = CRS84_SRID


def one(
    conn: Connection[Any], statement: sql.SQL | sql.Composed, values: Mapping[str, object]
) -> tuple[Any, ...]:
    """Run a statement that answers with one row."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement, values or None).fetchone()
    return row if row is not None else ()


def filtered(source: TableSource, within: Within | None, where: Where) -> Where:
    """Join a box, asked in the stored system, to a condition."""
    if within is None:
        return where
    values: dict[str, object] = dict(where.values)
    tests = []
    for nth, part in enumerate(within.bbox.parts()):
        names = [f"gis_{edge}{nth}" for edge in ("west", "south", "east", "north")]
        values.update(zip(names, map(float, part.bounds), strict=True))
        box: sql.Composable = sql.SQL("ST_MakeEnvelope({}, {})").format(
            sql.SQL(", ").join(map(sql.Placeholder, names)), sql.Literal(within.srid)
        )
        if epsg(within.srid).is_geographic is not epsg(source.srid).is_geographic:
            # A side that is straight in one system is bent in the other.
            step = max(part.width, part.height) / 16 or 1.0
            box = sql.SQL("ST_Segmentize({}, {})").format(box, sql.Literal(step))
        tests.append(
            sql.SQL("ST_Intersects(t.{}, {})").format(
                sql.Identifier(source.geom), transformed(box, within.srid, source.srid)
            )
        )
    text = sql.SQL("({}) AND ({})").format(sql.SQL(" OR ").join(tests), where.text)
    return Where(text, values)


def transformed(shape: sql.Composable, source_srid: int, target_srid: int) -> sql.Composable:
    """Compose a geometry in another system, by number."""
    if source_srid == target_srid:
        return shape
    if {source_srid, target_srid} == {STORAGE_SRID, CRS84_SRID}:
        # PROJ takes CGCS2000 and WGS 84 as the same; saying so costs nothing a row.
        return sql.SQL("ST_SetSRID({}, {})").format(shape, sql.Literal(target_srid))
    return sql.SQL("ST_Transform({}, {})").format(shape, sql.Literal(int(target_srid)))


def column_list(source: TableSource) -> list[sql.Composable]:
    """Compose the columns of a source under the names that leave."""
    return [aliased(column, name) for name, column in source.columns.items()]


def aliased(column: Column, name: str) -> sql.Composed:
    """Compose a column or an expression under a name."""
    if isinstance(column, str):
        column = sql.SQL("t.") + sql.Identifier(column)
    return sql.SQL("{} AS {}").format(column, sql.Identifier(name))


def table_of(source: TableSource) -> sql.Composable:
    """Compose the table, its schema or the subselect that a source names."""
    if isinstance(source.table, sql.Composable):
        return source.table
    return sql.Identifier(*source.table.split("."))


def raw(text: LiteralString) -> sql.SQL:
    """Wrap a fragment that is written out in code, such as an expression over `t`."""
    return sql.SQL(text)


def warm(conn: Connection[Any], srids: Sequence[int] = (3857, CRS84_SRID)) -> None:
    """Run one transformation from the stored system to each other one.

    A connection's first transformation costs 80 to 180 ms; a pool calls this when it
    opens one, so that no visitor waits for it.
    """
    with conn.cursor() as cursor:
        for srid in srids:
            place = sql.SQL("ST_SetSRID(ST_MakePoint(120, 30), {})").format(
                sql.Literal(STORAGE_SRID)
            )
            there = sql.SQL("ST_Transform({}, {})").format(place, sql.Literal(srid))
            back = sql.SQL("ST_Transform({}, {})").format(there, sql.Literal(STORAGE_SRID))
            cursor.execute(sql.SQL("SELECT {}").format(back))
