"""Which entry a staged row means, and what it would change: set-based, in the register's table.

Rows that were staged a moment ago have no statistics, and the worker may not gather any: every
join here goes into an index, whichever side the planner begins with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from grids.bulk import driver
from grids.facts.bulk import Feed, drop_repeated
from grids.importing.batches import likely
from grids.importing.batches.staying import stay
from grids.importing.batches.targets import Target

Conn = psycopg.Connection[Any]
#: Every row of a batch.
EVERY: Final = sql.SQL("true")


def among(numbers: Sequence[int]) -> sql.Composed:
    """Say that row `r` is one of some."""
    return sql.SQL("r.number = ANY ({})").format(sql.Literal(list(numbers)))


def between(first: int, last: int) -> sql.Composed:
    """Say that row `r` lies in a span."""
    return sql.SQL("r.number BETWEEN {} AND {}").format(sql.Literal(first), sql.Literal(last))


def shown(target: Target) -> sql.Composed:
    """Write the facts of an entry `t` as the staged rows have them."""
    names = [one.name for one in target.columns]
    names += ["address_id"] if target.has_address else []
    names += ["enterprise_id"] if target.name == "premises" else []
    names += ["area_m2"] if target.name == "building" else []
    pairs = [sql.SQL("{}, t.{}").format(sql.Literal(name), sql.Identifier(name)) for name in names]
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))


def resolve(
    connection: Connection, source_id: int, target: Target, feed: Feed,
    only: Sequence[int] | None = None, *, by_likeness: bool = False,
) -> None:  # fmt: skip
    """Judge every good row of a batch, or some that came later: new, a change, the same, out of reach."""
    batch_id = feed.batch_id
    conn = driver(connection)
    which: sql.Composable = EVERY if only is None else among(only)
    with conn.cursor() as run:
        if only is not None:
            _reject_twice(run, batch_id, only)
        if target.name == "premises":
            _find_enterprises(run, batch_id, which)
        find_entries(run, batch_id, source_id, target, which)
        _reject_entries(run, batch_id, target, which)
        if only is None:
            _reject_same_entry(run, batch_id)
        else:
            _reject_entry_of_others(run, batch_id, only)
        if by_likeness and target.name in likely.COMPARED:
            likely.find(connection, batch_id, which)
        stay(run, batch_id, target, which)
        run.execute(
            sql.SQL("""
                UPDATE import_row AS r
                SET verdict = CASE WHEN {shown} @> r.data AND t.geom = r.geom
                              THEN 'same' ELSE 'change' END
                FROM {table} AS t
                WHERE r.batch_id = %s AND r.verdict = 'new' AND t.id = r.entry_id AND {which}
            """).format(shown=shown(target), table=sql.Identifier(target.name), which=which),
            (batch_id,),
        )
        drop_repeated(run, feed, only)


def find_entries(
    run: psycopg.Cursor[Any], batch_id: int, source_id: int, target: Target,
    which: sql.Composable = EVERY,
) -> None:  # fmt: skip
    """Find the entry of each row `r` without one: by the code that everybody knows, then by own id.

    A code or an id of an entry that was given up means the one it was given up for. The code
    itself stays with the entry given up, where it goes on leading here.
    """
    table = sql.Identifier(target.name)
    stands = sql.SQL("coalesce(t.merged_into, t.id)" if target.is_merged else "t.id")
    if target.code:
        run.execute(
            sql.SQL("""
                UPDATE import_row AS r SET entry_id = {stands}{rest} FROM {table} AS t
                WHERE r.batch_id = %s AND r.verdict = 'new' AND r.entry_id IS NULL
                  AND {which} AND t.{code} = r.code
            """).format(
                table=table, code=sql.Identifier(target.code), which=which, stands=stands,
                rest=_without_code(target),
            ),
            (batch_id,),
        )  # fmt: skip
    run.execute(
        sql.SQL("""
            UPDATE import_row AS r SET entry_id = {stands}
            FROM import_key AS k JOIN {table} AS t ON t.id = k.entry_id
            WHERE r.batch_id = %s AND r.verdict = 'new' AND r.entry_id IS NULL
              AND {which} AND k.source_id = %s AND k.own_id = r.own_id AND k.target = %s
        """).format(table=table, which=which, stands=stands),
        (batch_id, source_id, target.name),
    )


def _without_code(target: Target) -> sql.SQL | sql.Composed:
    """Take the code out of what a row says where it belongs to an entry that was given up."""
    if not target.is_merged:
        return sql.SQL("")
    return sql.SQL(
        ", data = CASE WHEN t.merged_into IS NULL THEN r.data ELSE r.data - {} END"
    ).format(sql.Literal(target.code))


def _find_enterprises(run: psycopg.Cursor[Any], batch_id: int, which: sql.Composable) -> None:
    """Put the key of the enterprise where a row names its credit code."""
    run.execute(
        sql.SQL("""
        UPDATE import_row AS r
        SET data = r.data - 'enterprise_uscc' || jsonb_build_object('enterprise_id', e.id)
        FROM enterprise AS e
        WHERE r.batch_id = %s AND r.verdict = 'new' AND e.uscc = r.data ->> 'enterprise_uscc'
          AND {which}
        """).format(which=which),
        (batch_id,),
    )
    _reject(
        run, batch_id, "no_enterprise", sql.SQL("r.data ? 'enterprise_uscc' AND {}").format(which)
    )


def _reject_entries(
    run: psycopg.Cursor[Any], batch_id: int, target: Target, which: sql.Composable
) -> None:
    """Refuse rows that would change what others answer for."""
    _reject(
        run, batch_id, "entry_outside",
        sql.SQL("""EXISTS (
            SELECT 1 FROM {table} AS t, import_batch AS b
            WHERE t.id = r.entry_id AND b.id = r.batch_id
              AND NOT (t.area_code ^@ ANY (b.areas))) AND {which}""").format(
            table=sql.Identifier(target.name), which=which),
    )  # fmt: skip


def _reject_twice(run: psycopg.Cursor[Any], batch_id: int, only: Sequence[int]) -> None:
    """Refuse late rows that name what another good row of the file names."""
    for rule, column in (("twice", "own_id"), ("code_twice", "code")):
        run.execute(
            sql.SQL("""
                UPDATE import_row AS r SET verdict = 'rejected',
                    errors = coalesce(r.errors, '[]') || jsonb_build_array(jsonb_build_object(
                        'rule', %s::text, 'column', '', 'field', '', 'other', o.number))
                FROM import_row AS o
                WHERE r.batch_id = %s AND r.verdict = 'new' AND {which}
                  AND o.batch_id = r.batch_id AND o.{column} = r.{column}
                  AND o.verdict IN ('new', 'change', 'same') AND NOT o.number = ANY (%s)
            """).format(which=among(only), column=sql.Identifier(column)),
            (rule, batch_id, list(only)),
        )


def _reject_entry_of_others(run: psycopg.Cursor[Any], batch_id: int, only: Sequence[int]) -> None:
    """Refuse late rows for an entry of which another row speaks; of two late ones the second."""
    run.execute(
        sql.SQL("""
            UPDATE import_row AS r SET verdict = 'rejected',
                errors = coalesce(r.errors, '[]') || jsonb_build_array(jsonb_build_object(
                    'rule', 'same_entry', 'column', '', 'field', '', 'other', o.first))
            FROM (SELECT r.number, min(o.number) AS first FROM import_row AS r
                  JOIN import_row AS o ON o.batch_id = r.batch_id AND o.entry_id = r.entry_id
                   AND o.number <> r.number AND o.verdict IN ('new', 'change', 'same')
                   AND (o.number < r.number OR NOT o.number = ANY (%s))
                  WHERE r.batch_id = %s AND r.verdict = 'new' AND {which}
                  GROUP BY r.number) AS o
            WHERE r.batch_id = %s AND r.number = o.number
        """).format(which=among(only)),
        (list(only), batch_id, batch_id),
    )


def _reject_same_entry(run: psycopg.Cursor[Any], batch_id: int) -> None:
    """Refuse a second row for one entry. Few are: they are found first, then written by number."""
    run.execute(
        """
        SELECT number, first FROM (
            SELECT number, min(number) OVER (PARTITION BY entry_id) AS first FROM import_row
            WHERE batch_id = %s AND verdict = 'new' AND entry_id IS NOT NULL) AS f
        WHERE number <> first
        """,
        (batch_id,),
    )
    run.executemany(
        """
        UPDATE import_row SET verdict = 'rejected',
            errors = coalesce(errors, '[]') || jsonb_build_array(jsonb_build_object(
                'rule', 'same_entry', 'column', '', 'field', '', 'other', %s::int))
        WHERE batch_id = %s AND number = %s
        """,
        [(first, batch_id, number) for number, first in run.fetchall()],
    )


def _reject(run: psycopg.Cursor[Any], batch_id: int, rule: str, where: sql.Composable) -> None:
    run.execute(
        sql.SQL("""
            UPDATE import_row AS r SET verdict = 'rejected',
                errors = coalesce(r.errors, '[]') || jsonb_build_array(jsonb_build_object(
                    'rule', %s::text, 'column', '', 'field', ''))
            WHERE r.batch_id = %s AND r.verdict = 'new' AND ({where})
        """).format(where=where),
        (rule, batch_id),
    )
