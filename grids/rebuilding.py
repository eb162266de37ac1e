"""Change most rows of a large table: its indexes are made anew after, not kept up meanwhile.

Every changed row costs an entry in each index and a look at each key it refers to; making an index
of three million rows costs seconds. Others wait for the table until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

#: Below this many changed rows the indexes are kept up row by row.
WORTH_FROM: Final = 100_000

_INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
    FROM pg_index AS i
    WHERE i.indrelid = %s::regclass AND NOT i.indisunique
      AND NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = i.indexrelid)
    ORDER BY 1
"""
_REFERENCES = """
    SELECT c.conname, pg_get_constraintdef(c.oid)
    FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.conrelid = %s::regclass AND c.contype = 'f' AND cardinality(c.conkey) = 1
      AND a.attname = ANY(%s)
    ORDER BY 1
"""
_OWNS = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass"


def may_rebuild(conn: psycopg.Connection[Any], table: str) -> bool:
    """Say whether the role of this connection owns the table: only then it may drop an index."""
    row = conn.execute(_OWNS, (table,)).fetchone()
    return bool(row and row[0])


@contextmanager
def rebuilt(conn: psycopg.Connection[Any], table: str, columns: list[str]) -> Iterator[None]:
    """Do without the table's plain indexes, and the references of these columns, then make them.

    References are checked as a whole when they come back. All of it is part of the caller's
    transaction: where it ends badly, nothing was dropped.
    """
    name = sql.Identifier(table)
    conn.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(name))
    indexes = conn.execute(_INDEXES, (table,)).fetchall()
    references = conn.execute(_REFERENCES, (table, columns)).fetchall()
    for index, _ in indexes:
        conn.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(index)))
    for reference, _ in references:
        conn.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(name, sql.Identifier(reference))
        )
    yield
    conn.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for _, definition in indexes:
        conn.execute(definition)
    for reference, definition in references:
        conn.execute(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                name, sql.Identifier(reference), sql.SQL(definition)
            )
        )
