"""Rows of plain numbers between the database and numpy, without a Python value in between.

A field of 8 bytes stands behind its length in every row of a binary COPY, so that rows without
NULL are one structured array: three million rows of six columns are read in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

#: What PostgreSQL writes before the rows of a binary COPY (no flags, no extension), and after.
_BEFORE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_AFTER: Final = b"\xff\xff"
#: Of each kind of column: how 8 bytes of it lie in a row.
BIGINT: Final = ">i8"
DOUBLE: Final = ">f8"


def read_numbers(
    conn: psycopg.Connection[Any],
    query: sql.Composable,
    params: Mapping[str, Any],
    columns: Mapping[str, str],
) -> dict[str, NDArray[Any]]:
    """Run a query and return its columns as arrays, in native byte order.

    `columns` names what the query selects, in order, as `BIGINT` or `DOUBLE`.
    Raises `ValueError` where a value is NULL or has another type.
    """
    row = _row(columns)
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT BINARY)").format(query)
    with conn.cursor() as cursor, cursor.copy(statement, params) as copy:
        data = b"".join(bytes(part) for part in copy)
    body = len(data) - len(_BEFORE) - len(_AFTER)
    if body % row.itemsize:
        raise ValueError("a value is NULL, or no number of 8 bytes")
    rows = np.frombuffer(data, dtype=row, count=body // row.itemsize, offset=len(_BEFORE))
    for name, expected in _frame(columns).items():
        if not (rows[name] == expected).all():
            raise ValueError("a value is NULL, or no number of 8 bytes")
    return {name: rows[name].astype(kind[1:]) for name, kind in columns.items()}


def write_numbers(
    conn: psycopg.Connection[Any], table: str, columns: Mapping[str, NDArray[Any]]
) -> int:
    """Append arrays of equal length to columns of type bigint or float8; return how many rows."""
    kinds = {
        name: DOUBLE if np.issubdtype(values.dtype, np.floating) else BIGINT
        for name, values in columns.items()
    }
    count = len(next(iter(columns.values())))
    rows = np.empty(count, dtype=_row(kinds))
    for name, expected in _frame(kinds).items():
        rows[name] = expected
    for name, values in columns.items():
        rows[name] = values
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_BEFORE)
        copy.write(rows.tobytes())
        copy.write(_AFTER)
    return count


def _row(columns: Mapping[str, str]) -> np.dtype[Any]:
    """Lay out a row: how many fields, then each behind its length."""
    fields: Sequence[tuple[str, str]] = [
        ("fields", ">i2"),
        *(
            pair
            for name, kind in columns.items()
            for pair in ((f"{name} size", ">i4"), (name, kind))
        ),
    ]
    return np.dtype(list(fields))


def _frame(columns: Mapping[str, str]) -> dict[str, int]:
    """Say what stands in a row beside its values."""
    return {"fields": len(columns)} | {f"{name} size": 8 for name in columns}
