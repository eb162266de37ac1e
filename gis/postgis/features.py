"""Features of a table: pages, streams, batches, extent, count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection, sql
from psycopg.rows import tuple_row

from gis.bbox import Bbox
from gis.crs import CRS84, CRS84_SRID, Crs
from gis.postgis.source import (
    EVERYTHING,
    Key,
    TableSource,
    Where,
    Within,
    column_list,
    filtered,
    leaving,
    one,
    table_of,
    transformed,
)

#: 1 cm in degrees, 1 mm in metres: what a reader can use without false precision.
_DIGITS_DEGREES: Final = 7
_DIGITS_METRES: Final = 3


@dataclass(frozen=True)
class Page:
    """Some features of a table, in order of their key.

    Attributes
    ----------
    text : str
        The features as GeoJSON, joined by commas, as they stand in a `features` array.
    count : int
        How many there are.
    after : str or None
        Key of the last one where more follow, else None.
    """

    text: str
    count: int
    after: str | None

    @property
    def collection(self) -> str:
        """The page as a whole GeoJSON document."""
        return f'{{"type":"FeatureCollection","features":[{self.text}]}}'


_FEATURE: Final = sql.SQL(
    """'{{"type":"Feature","id":' || to_json(t.{key})::text"""
    """ || ',"geometry":' || coalesce(ST_AsGeoJSON({shape}, {digits}, 0), 'null')"""
    """ || ',"properties":' || {properties} || '}}'"""
)

# The rows come out of the inner select in order and are joined as they come: a second sort,
# of whole features, took a third of the time of a page of 10,000.
_PAGE: Final = sql.SQL("""
    SELECT coalesce(string_agg(feature, ',') FILTER (WHERE nth <= %(gis_limit)s), ''),
           least(count(*), %(gis_limit)s),
           CASE WHEN count(*) > %(gis_limit)s
                THEN max(key) FILTER (WHERE nth = %(gis_limit)s) END
    FROM (
      SELECT t.{key}::text AS key, {feature} AS feature, row_number() OVER (ORDER BY t.{key}) AS nth
      FROM {table} AS t
      WHERE {where}
      ORDER BY t.{key} LIMIT %(gis_limit)s + 1
    ) AS page""")


def items(
    conn: Connection[Any],
    source: TableSource,
    *,
    limit: int,
    within: Within | None = None,
    after: Key | None = None,
    where: Where = EVERYTHING,
    crs: Crs = CRS84,
) -> Page:
    """Read one page of features as GeoJSON that PostGIS made.

    Parameters
    ----------
    limit : int
        Most features of a page, at least 1.
    within : Within or None
        Only features that meet the box.
    after : key or None
        Only features behind this key: `Page.after` of the page before.
    crs : Crs
        System of the coordinates that leave. Polygons follow the right-hand rule,
        coordinates carry 7 decimals of a degree or 3 of a metre and stay x, y.
    """
    condition = filtered(source, within, where)
    values = {**condition.values, "gis_limit": max(1, limit)}
    text = condition.text
    if after is not None:
        text = sql.SQL("({}) AND t.{} > %(gis_after)s").format(text, sql.Identifier(source.key))
        values["gis_after"] = after
    statement = _PAGE.format(
        key=sql.Identifier(source.key),
        feature=_feature(source, crs),
        table=table_of(source),
        where=text,
    )
    found, count, last = one(conn, statement, values)
    return Page(found, count, last)


def feature_texts(
    conn: Connection[Any],
    source: TableSource,
    *,
    within: Within | None = None,
    where: Where = EVERYTHING,
    crs: Crs = CRS84,
) -> Iterator[bytes]:
    """Stream every feature as GeoJSON text, one at a time, by COPY.

    Memory stays flat whatever the table's size: 300,000 features take about 2 s. The
    order is the table's own. The connection is busy until the last one.
    """
    condition = filtered(source, within, where)
    statement = sql.SQL("COPY (SELECT {} FROM {} AS t WHERE {}) TO STDOUT").format(
        _feature(source, crs), table_of(source), condition.text
    )
    with (
        conn.cursor(row_factory=tuple_row) as cursor,
        cursor.copy(statement, condition.values) as copy,
    ):
        for row in copy:
            # JSON carries no raw control character, so the only thing that COPY escapes
            # in it is the backslash; the last byte is the row's end.
            yield bytes(row)[:-1].replace(b"\\\\", b"\\")


@dataclass(frozen=True)
class Batch:
    """Some rows of a table as columns.

    Attributes
    ----------
    keys : list
        Values of the source's key.
    wkb : list of bytes or None
        Geometries in well-known binary, None where a row has none.
    columns : dict of str to list
        One list for each property.
    """

    keys: list[Any]
    wkb: list[bytes | None]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.keys)


def batches(
    conn: Connection[Any],
    source: TableSource,
    *,
    size: int = 5_000,
    within: Within | None = None,
    where: Where = EVERYTHING,
    crs: Crs = CRS84,
) -> Iterator[Batch]:
    """Read a table in batches through a cursor that stays on the server.

    For formats that are written from columns. Needs an open transaction; memory holds
    one batch. Rows come in order of the key.
    """
    condition = filtered(source, within, where)
    selected = [
        sql.SQL("t.") + sql.Identifier(source.key),
        sql.SQL("ST_AsBinary({})").format(_outgoing(source, crs)),
        *column_list(source),
    ]
    statement = sql.SQL("SELECT {} FROM {} AS t WHERE {} ORDER BY t.{}").format(
        sql.SQL(", ").join(selected),
        table_of(source),
        condition.text,
        sql.Identifier(source.key),
    )
    with conn.cursor(name="gis_batches", row_factory=tuple_row) as cursor:
        cursor.execute(statement, condition.values)
        while rows := cursor.fetchmany(size):
            keys, shapes, *columns = (list(column) for column in zip(*rows, strict=True))
            wkb = [None if shape is None else bytes(shape) for shape in shapes]
            yield Batch(keys, wkb, dict(zip(source.columns, columns, strict=True)))


def count(
    conn: Connection[Any],
    source: TableSource,
    *,
    within: Within | None = None,
    where: Where = EVERYTHING,
) -> int:
    """Count rows exactly."""
    condition = filtered(source, within, where)
    statement = sql.SQL("SELECT count(*) FROM {} AS t WHERE {}").format(
        table_of(source), condition.text
    )
    return int(one(conn, statement, condition.values)[0])


def estimated_count(conn: Connection[Any], table: str) -> int | None:
    """Read how many rows the planner believes a table has; None before its first analysis."""
    statement = sql.SQL("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%(t)s)")
    rows = conn.cursor(row_factory=tuple_row).execute(statement, {"t": table}).fetchone()
    return int(rows[0]) if rows and rows[0] >= 0 else None


def extent(
    conn: Connection[Any],
    source: TableSource,
    *,
    where: Where = EVERYTHING,
) -> Bbox | None:
    """Measure the box around all rows in longitude and latitude; None where there are none."""
    statement = sql.SQL("""
        SELECT ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b)
        FROM (SELECT {box} AS b
              FROM (SELECT ST_Extent(t.{geom})::geometry AS box FROM {table} AS t
                    WHERE {where}) AS e) AS x""").format(
        box=transformed(
            sql.SQL("ST_SetSRID(box, {})").format(sql.Literal(source.srid)), source.srid, CRS84_SRID
        ),
        geom=sql.Identifier(source.geom),
        table=table_of(source),
        where=where.text,
    )
    row = one(conn, statement, where.values)
    return None if row[0] is None else Bbox(*row)


def _feature(source: TableSource, crs: Crs) -> sql.Composed:
    digits = _DIGITS_DEGREES if crs.is_geographic else _DIGITS_METRES
    properties: sql.Composable = sql.SQL("'{{}}'").format()
    if source.columns:
        properties = sql.SQL("(SELECT row_to_json(p)::text FROM (SELECT {}) AS p)").format(
            sql.SQL(", ").join(column_list(source))
        )
    return _FEATURE.format(
        key=sql.Identifier(source.key),
        shape=_outgoing(source, crs),
        digits=sql.Literal(digits),
        properties=properties,
    )


def _outgoing(source: TableSource, crs: Crs) -> sql.Composable:
    """Compose the geometry as it leaves: in the system asked for, by the right-hand rule."""
    shape = transformed(leaving(source), source.srid, crs.srid)
    return sql.SQL("ST_ForcePolygonCCW({})").format(shape)
