"""Tables as CSV, written by PostgreSQL itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from psycopg import Connection, sql
from psycopg.rows import tuple_row

from gis.crs import CRS84, Crs
from gis.postgis.source import (
    EVERYTHING,
    TableSource,
    Where,
    Within,
    filtered,
    leaving,
    table_of,
    transformed,
)

#: A cell that begins so is run as a formula by spreadsheets, the full-width twins included.
_FORMULA_SIGNS: Final = "=+-@＝＋－＠"

# What begins like a formula and is no plain number gets an apostrophe in front (S47).
_SAFE: Final = sql.SQL("""
    CASE WHEN {v} <> '' AND (strpos({signs}, left(ltrim({v}, E' \\t\\r\\n'), 1)) > 0
                             OR {v} ~ '^[\\t\\r\\n]')
              AND {v} !~ '^[+-]?\\d+(\\.\\d+)?$'
         THEN '''' || {v} ELSE {v} END AS {name}""")

_PLACE: Final = sql.SQL("""
    CROSS JOIN LATERAL (SELECT {shape} AS place OFFSET 0) AS gis_at""")


def csv_rows(
    conn: Connection[Any],
    source: TableSource,
    *,
    within: Within | None = None,
    where: Where = EVERYTHING,
    crs: Crs = CRS84,
    names: tuple[str, str] = ("lon", "lat"),
) -> Iterator[bytes]:
    """Stream every row as CSV by COPY: the key, the columns, then x and y of a point on it.

    The first piece is the head line; each further one is one row. Ten times as fast as
    rows that pass through Python. Texts that a spreadsheet would run get an apostrophe.

    Parameters
    ----------
    names : tuple of str
        Names of the two columns of the point.
    """
    condition = filtered(source, within, where)
    columns = [_safe(column, name) for name, column in
               {source.key: source.key, **source.columns}.items()]  # fmt: skip
    digits = sql.Literal(7 if crs.is_geographic else 3)
    for axis, name in zip(("X", "Y"), names, strict=True):
        columns.append(
            sql.SQL("round(ST_{}(gis_at.place)::numeric, {})::float8 AS {}").format(
                sql.SQL(axis), digits, sql.Identifier(name)
            )
        )
    point = sql.SQL("ST_PointOnSurface({})").format(leaving(source))
    statement = sql.SQL("COPY (SELECT {} FROM {} AS t {} WHERE {}) TO STDOUT (FORMAT csv)").format(
        sql.SQL(", ").join(columns),
        table_of(source),
        _PLACE.format(shape=transformed(point, source.srid, crs.srid)),
        condition.text,
    )
    head = ",".join((source.key, *(n for n in source.columns if n != source.key), *names))
    yield f"{head}\n".encode()
    with (
        conn.cursor(row_factory=tuple_row) as cursor,
        cursor.copy(statement, condition.values) as copy,
    ):
        for row in copy:
            yield bytes(row)


def _safe(column: str | sql.Composable, name: str) -> sql.Composed:
    taken = sql.SQL("t.{}").format(sql.Identifier(column)) if isinstance(column, str) else column
    value = sql.SQL("({})::text").format(taken)
    return _SAFE.format(v=value, signs=sql.Literal(_FORMULA_SIGNS), name=sql.Identifier(name))
