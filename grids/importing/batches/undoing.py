"""Take a batch back: what it wrote and nobody has changed since becomes what it was before."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from grids.bulk import driver
from grids.facts import bulk as facts
from grids.facts.bulk import Feed
from grids.importing.batches.committing import LOCK, columns_of
from grids.importing.batches.matching import shown
from grids.importing.batches.targets import Target

#: Tables that refer to an entry as what a trigger or a row of this very package keeps.
_REFERENCES = """
    SELECT c.conrelid::regclass::text, a.attname
    FROM pg_constraint AS c
    JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f' AND c.confrelid = %s::regclass AND cardinality(c.conkey) = 1
      AND c.conparentid = 0
"""
#: An entry that a merge has touched is what a person made of it.
_APART: Final = (
    " AND t.merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM entry_merge AS m"
    " WHERE m.register = 'enterprise' AND m.survivor = t.id AND m.undone_at IS NULL)"
)


def undo_rows(connection: Connection, *, source_id: int, target: Target, feed: Feed) -> None:
    """Take back every row of a batch that still stands as it wrote it; mark the others `kept`.

    An entry stays where something refers to it, where another source names it too, and where a
    later batch has spoken of it. What the source said comes back with the row, and what holds
    of all that is said then is shown. All in the caller's transaction.
    """
    batch_id = feed.batch_id
    with driver(connection).cursor() as run:
        run.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        run.execute(
            "UPDATE import_row SET state = 'kept' WHERE batch_id = %s AND state = 'done'"
            " AND verdict IN ('new', 'change')",
            (batch_id,),
        )
        _find_back(run, batch_id, source_id, target)
        _restore(run, batch_id, target)
        facts.take_back(run, feed)
        _remove(run, batch_id, source_id, target)
        facts.forget_entries(run, target.name, batch_id)
        # What said nothing new is taken back by forgetting that it was said.
        run.execute(
            "UPDATE import_row SET state = 'undone'"
            " WHERE batch_id = %s AND state = 'done' AND verdict = 'same'",
            (batch_id,),
        )
        _forget_keys(run, batch_id, source_id)


def _stands(target: Target) -> sql.Composed:
    """Say that an entry `t` holds what row `r` wrote and that no later batch spoke of it."""
    return sql.SQL(
        "r.batch_id = %s AND r.state = 'kept' AND t.id = r.entry_id"
        " AND {shown} @> coalesce(r.before -> 'wrote', r.data)"
        " AND (t.geom = r.geom OR NOT coalesce((r.before ->> 'moved')::boolean, true))"
        " AND EXISTS (SELECT 1 FROM import_key AS k WHERE k.source_id = %s"
        " AND k.own_id = r.own_id AND k.batch_id = r.batch_id) {apart}"
    ).format(shown=shown(target), apart=sql.SQL(_APART if target.is_merged else ""))


def _find_back(run: psycopg.Cursor[Any], batch_id: int, source_id: int, target: Target) -> None:
    """Gather in `fact_back` the rows whose source may say again what it said before."""
    run.execute("CREATE TEMP TABLE fact_back (number int) ON COMMIT DROP")
    run.execute(
        sql.SQL("""
            INSERT INTO fact_back SELECT r.number FROM import_row AS r JOIN {table} AS t ON {stands}
            WHERE r.verdict = 'change'
        """).format(table=sql.Identifier(target.name), stands=_stands(target)),
        (batch_id, source_id),
    )
    run.execute(
        "INSERT INTO fact_back SELECT r.number FROM import_row AS r WHERE r.batch_id = %s"
        " AND r.state = 'done' AND r.verdict = 'same' AND EXISTS (SELECT 1 FROM import_key AS k"
        " WHERE k.source_id = %s AND k.own_id = r.own_id AND k.batch_id = r.batch_id)",
        (batch_id, source_id),
    )
    run.execute("ANALYZE fact_back")


def _restore(run: psycopg.Cursor[Any], batch_id: int, target: Target) -> None:
    """Write again what the rows of `fact_back` replaced; the place links its row by itself."""
    pairs = [*columns_of(target), ("coord_source", "text"), ("geom", "geometry")]
    sets: list[sql.Composable] = [
        sql.SQL("{0} = CASE WHEN {2} THEN (r.before ->> {1})::{3} ELSE t.{0} END").format(
            sql.Identifier(name), sql.Literal(name),
            sql.SQL("coalesce((r.before ->> 'moved')::boolean, true)") if name in ("coord_source", "geom") else
            sql.SQL("coalesce(r.before -> 'wrote', r.before) ? {}").format(sql.Literal(name)),
            sql.SQL(kind),
        )
        for name, kind in pairs
    ]  # fmt: skip
    sets.append(sql.SQL("source = r.before ->> 'source'"))
    run.execute(
        sql.SQL("""
            WITH back AS (
                UPDATE {table} AS t SET {sets} FROM import_row AS r
                WHERE r.batch_id = %s AND r.verdict = 'change' AND t.id = r.entry_id
                  AND r.number IN (SELECT number FROM fact_back) RETURNING r.number)
            UPDATE import_row AS r SET state = 'undone' FROM back
            WHERE r.batch_id = %s AND r.number = back.number
        """).format(table=sql.Identifier(target.name), sets=sql.SQL(", ").join(sets)),
        (batch_id, batch_id),
    )


def _remove(run: psycopg.Cursor[Any], batch_id: int, source_id: int, target: Target) -> None:
    run.execute(_REFERENCES, (target.name,))
    free: list[sql.Composable] = [
        sql.SQL("NOT EXISTS (SELECT 1 FROM {} AS o WHERE o.{} = t.id)").format(
            sql.Identifier(*table.split(".")), sql.Identifier(column)
        )
        for table, column in run.fetchall()
    ]
    free.append(
        sql.SQL("NOT EXISTS (SELECT 1 FROM import_key AS k WHERE k.target = {}"
                " AND k.entry_id = t.id AND k.source_id <> %s)").format(sql.Literal(target.name))
    )  # fmt: skip
    run.execute(
        sql.SQL("""
            WITH gone AS (
                DELETE FROM {table} AS t USING import_row AS r
                WHERE {stands} AND r.verdict = 'new' AND {free} RETURNING r.number)
            UPDATE import_row AS r SET state = 'undone' FROM gone
            WHERE r.batch_id = %s AND r.number = gone.number
        """).format(
            table=sql.Identifier(target.name), stands=_stands(target),
            free=sql.SQL(" AND ").join(free),
        ),
        (batch_id, source_id, source_id, batch_id),
    )  # fmt: skip


def _forget_keys(run: psycopg.Cursor[Any], batch_id: int, source_id: int) -> None:
    run.execute(
        """
        UPDATE import_key AS k SET batch_id = (r.before ->> 'batch')::bigint
        FROM import_row AS r
        WHERE r.batch_id = %s AND r.state = 'undone' AND r.before ? 'batch'
          AND k.source_id = %s AND k.own_id = r.own_id AND k.batch_id = r.batch_id
          AND EXISTS (SELECT 1 FROM import_batch AS b WHERE b.id = (r.before ->> 'batch')::bigint)
        """,
        (batch_id, source_id),
    )
    run.execute(
        """
        DELETE FROM import_key AS k USING import_row AS r
        WHERE r.batch_id = %s AND r.state = 'undone' AND NOT coalesce(r.before, '{}') ? 'batch'
          AND k.source_id = %s AND k.own_id = r.own_id AND k.batch_id = r.batch_id
        """,
        (batch_id, source_id),
    )
