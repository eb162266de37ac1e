"""Change most rows of a large table: its indexes are made anew after, not kept up meanwhile.

Every changed row costs an entry in each index, a look at each key it refers to and a lock for the
triggers before it; making an index of three million rows costs seconds. Others wait for the table until the transaction ends.
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
    WHERE i.indrelid = %s::regclass
      AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
      AND NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = i.indexrelid)
    ORDER BY 1
"""
_CONSTRAINTS = """
    SELECT c.conname, pg_get_constraintdef(c.oid)
    FROM pg_constraint AS c
    WHERE c.conrelid = %s::regclass AND (
      (c.contype = 'f' AND cardinality(c.conkey) = 1 AND c.conkey[1] IN (
        SELECT attnum FROM pg_attribute WHERE attrelid = c.conrelid AND attname = ANY(%s)))
      OR (c.contype = 'u' AND NOT EXISTS (
        SELECT FROM pg_constraint AS r WHERE r.contype = 'f' AND r.conindid = c.conindid)))
    ORDER BY c.contype DESC, c.conname
"""
#: Row triggers that speak before changes of other columns: they stay silent here, but for their
#: sake every row is locked first and its generated columns are computed again.
_TRIGGERS = """
    SELECT t.tgname, pg_get_triggerdef(t.oid)
    FROM pg_trigger AS t
    WHERE t.tgrelid = %s::regclass AND NOT t.tgisinternal AND t.tgenabled = 'O'
      AND t.tgtype & 19 = 19 AND cardinality(t.tgattr::smallint[]) > 0
      AND NOT EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = t.tgrelid AND a.attnum = ANY(t.tgattr) AND a.attname = ANY(%s))
    ORDER BY 1
"""
_OWNS = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass"


def may_rebuild(conn: psycopg.Connection[Any], table: str) -> bool:
    """Say whether the role of this connection owns the table: only then it may drop an index."""
    row = conn.execute(_OWNS, (table,)).fetchone()
    return bool(row and row[0])


@contextmanager
def rebuilt(conn: psycopg.Connection[Any], table: str, columns: list[str]) -> Iterator[None]:
    """Do without what a change of these columns costs in each row, then make it anew.

    That is the table's indexes, the references of these columns and the triggers of others.
    Its primary key stays, and what others refer to. References and what must be unique are
    checked as a whole when they come back. All of it is part of the caller's transaction: where
    it ends badly, nothing was dropped.
    """
    name = sql.Identifier(table)
    conn.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(name))
    indexes = conn.execute(_INDEXES, (table,)).fetchall()
    constraints = conn.execute(_CONSTRAINTS, (table, columns)).fetchall()
    triggers = conn.execute(_TRIGGERS, (table, columns)).fetchall()
    for trigger, _ in triggers:
        conn.execute(sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(trigger), name))
    for index, _ in indexes:
        conn.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(index)))
    for constraint, _ in constraints:
        conn.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(name, sql.Identifier(constraint))
        )
    yield
    # References are checked by a join, which is planned well only where the new values are known.
    conn.execute(
        sql.SQL("ANALYZE {} ({})").format(name, sql.SQL(", ").join(map(sql.Identifier, columns)))
    )
    conn.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for _, definition in indexes:
        conn.execute(definition)
    for constraint, definition in constraints:
        conn.execute(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                name, sql.Identifier(constraint), sql.SQL(definition)
            )
        )
    for _, definition in triggers:
        conn.execute(definition)
