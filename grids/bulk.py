"""Load many rows at once: COPY of whole columns, and keys reserved ahead.

Rows travel in binary form: 200,000 rows with polygons took 1.1 s, as text 3.4 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray
from psycopg import sql
from psycopg.types.json import Jsonb
from psycopg.types.range import Range as DriverRange
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import Range

from grids.db import STORAGE_SRID

Column = Sequence[Any] | NDArray[Any]

#: Rows that are turned into Python values at once.
BLOCK = 8192
_TYPES = """
    SELECT a.attname,
      CASE t.typcategory WHEN 'A' THEN t.typelem::regtype || '[]' ELSE t.typname END
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
"""


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """Return the psycopg connection under a SQLAlchemy connection, in the same transaction."""
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def joined_by_hash(run: psycopg.Cursor[Any]) -> AbstractContextManager[None]:
    """Let statements inside join whole tables by hashes, whatever the planner knows of them.

    Of rows that this transaction wrote, or that were written while statistics were gathered, it
    knows none: it takes thousands for one and compares each with all of the others, for hours.
    """
    return _planned(run, "off")


def joined_by_index(run: psycopg.Cursor[Any]) -> AbstractContextManager[None]:
    """Let statements inside ask an index once for each row, within `joined_by_hash` too."""
    return _planned(run, "on")


@contextmanager
def _planned(run: psycopg.Cursor[Any], nestloop: str) -> Iterator[None]:
    before = run.execute("SELECT current_setting('enable_nestloop')").fetchone()
    run.execute("SELECT set_config('enable_nestloop', %s, true)", (nestloop,))
    yield
    run.execute("SELECT set_config('enable_nestloop', %s, true)", before)


def copy_frame(connection: Connection, table: str, columns: Mapping[str, Column]) -> int:
    """Append rows, given as columns of equal length, to a table; return how many.

    None, NaN and masked values become NULL. Geometries are shapely objects in the storage
    system; ranges are SQLAlchemy's, dicts and lists become jsonb. Raises `ValueError` where
    columns differ in length or the table has no such column.
    """
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns of {table} differ in length: {sorted(lengths)}")
    total = lengths.pop()
    if not total:
        return 0
    types = _types(connection, table, columns)
    query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with driver(connection).cursor() as cursor, cursor.copy(query) as copy:
        copy.set_types(["bytea" if kind == "geometry" else kind for kind in types])
        for start in range(0, total, BLOCK):
            block = [
                _values(values[start : start + BLOCK], kind)
                for values, kind in zip(columns.values(), types, strict=True)
            ]
            for row in zip(*block, strict=True):
                copy.write_row(row)
    return total


def reserve_ids(connection: Connection, table: str, n: int) -> NDArray[np.int64]:
    """Take `n` keys from the identity sequence of a table, in growing order; owner role only.

    The keys need not be without a gap. Others who add rows to the table wait until the
    transaction ends: the sequence itself takes one great step, which is why a million keys
    cost a millisecond and not the six seconds of a million small steps.
    """
    if n <= 0:
        return np.empty(0, dtype=np.int64)
    name = _sequence(connection, table)
    first = _next(connection, name)
    if n == 1:
        return np.array([first], dtype=np.int64)
    step = sql.SQL("ALTER SEQUENCE {} INCREMENT BY {}")
    with driver(connection).cursor() as cursor:
        cursor.execute(step.format(name, sql.Literal(n - 1)))
        last = _next(connection, name)
        cursor.execute(step.format(name, sql.Literal(1)))
    # Another session may have taken a key before our lock: then `first` stands apart.
    return np.concatenate([[first], np.arange(last - n + 2, last + 1)]).astype(np.int64)


def _sequence(connection: Connection, table: str) -> sql.Identifier:
    row = driver(connection).execute(
        "SELECT nspname, relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace"
        " WHERE c.oid = pg_get_serial_sequence(%s, 'id')::regclass",
        (table,),
    )
    found = row.fetchone()
    if found is None:
        raise ValueError(f"{table} has no identity column named id")
    return sql.Identifier(*found)


def _next(connection: Connection, name: sql.Identifier) -> int:
    quoted = name.as_string(driver(connection))
    row = driver(connection).execute("SELECT nextval(%s::regclass)", (quoted,)).fetchone()
    return int(row[0]) if row else 0


def _types(connection: Connection, table: str, columns: Mapping[str, Column]) -> list[str]:
    known = dict(driver(connection).execute(_TYPES, (table,)).fetchall())
    missing = [name for name in columns if name not in known]
    if missing:
        raise ValueError(f"{table} has no column {', '.join(missing)}")
    return [known[name] for name in columns]


def _values(values: Column, kind: str) -> list[Any]:
    if isinstance(values, np.ma.MaskedArray):
        hidden = np.ma.getmaskarray(values)
        plain = _values(values.data, kind)
        return [None if hide else value for hide, value in zip(hidden, plain, strict=True)]
    if kind == "geometry":
        return _ewkb(values)
    if isinstance(values, np.ndarray):
        values = cast("list[Any]", values.tolist())
    elif values and isinstance(values[0], np.generic):
        values = cast("list[Any]", np.asarray(values).tolist())
    convert = _CONVERT.get(kind)
    if convert is None:
        return list(values)
    return [None if value is None else convert(value) for value in values]


def _ewkb(values: Column) -> list[bytes | None]:
    shapes = np.empty(len(values), dtype=object)
    shapes[:] = cast("Sequence[BaseGeometry | None]", values)
    coded = shapely.to_wkb(
        shapely.set_srid(shapes, STORAGE_SRID), include_srid=True, output_dimension=2
    )
    return cast("list[bytes | None]", coded.tolist())


def _number(value: float) -> float | None:
    return None if value != value else float(value)


def _range(value: Range[Any]) -> DriverRange[Any]:
    if value.is_empty:
        return DriverRange(empty=True)
    return DriverRange(value.lower, value.upper, value.bounds)


#: What the driver's binary writers ask for, where it is not the plain Python value.
_CONVERT: dict[str, Callable[[Any], Any]] = {
    "float8": _number,
    "float4": _number,
    "text": str,
    "jsonb": Jsonb,
    "daterange": _range,
    "tstzrange": _range,
}
