"""Take the good rows of a batch over into the register, in chunks that each end with a note.

A chunk is one transaction in mode `good`: what a killed worker has not noted is not there
either, so going on does nothing twice. In mode `all` every chunk stands in one transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from grids.bulk import driver
from grids.errors import Conflict
from grids.facts import bulk as facts
from grids.facts.bulk import Feed
from grids.importing.batches import likely
from grids.importing.batches.matching import between, find_entries, shown
from grids.importing.batches.targets import Kind, Target

CHUNK: Final = 10_000
#: One batch at a time writes into registers: two that name the same new thing would double it.
LOCK: Final = 727051
_LAST_SEQUENCE: Final = 999_999
#: What a register holds where a table says nothing.
_DEFAULTS: Final = {("enterprise", "status"): "open", ("component", "state"): "intact"}
_PLACE: Final = ("geom", "cell_id", "grid_id", "area_code", "coord_source")


class ClassFull(Conflict):
    """A class of components has no number left."""

    code = "import.class_full"


def columns_of(target: Target) -> list[tuple[str, Kind]]:
    """Return the columns that rows bring, with their types."""
    found: list[tuple[str, Kind]] = [(one.name, one.kind) for one in target.columns]
    if target.has_address:
        found.append(("address_id", "bigint"))
    if target.name == "premises":
        found.append(("enterprise_id", "bigint"))
    if target.name == "building":
        found.append(("area_m2", "double precision"))
    return found


def feed_of(target: Target, *, source: str, batch_id: int, observed_at: datetime) -> Feed:
    """Say who speaks in a batch, and in which columns."""
    return Feed(target.name, columns_of(target), f"import:{source}", batch_id, observed_at)


def commit_chunk(
    connection: Connection, *, source_id: int, target: Target, feed: Feed, chunk: int = CHUNK
) -> int:
    """Take over the next rows that wait; return how many were taken, 0 where none is left."""
    batch_id = feed.batch_id
    with driver(connection).cursor() as run:
        run.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        # Staged rows and new keys have no statistics yet, and the worker may gather none: taking a
        # thousand rows for one, the planner would compare each with all of the chunk.
        run.execute("SET LOCAL enable_nestloop = off")
        run.execute(
            "SELECT min(number), max(number) FROM (SELECT number FROM import_row"
            " WHERE batch_id = %s AND state = 'staged' AND verdict IN ('new', 'change', 'same')"
            " ORDER BY number LIMIT %s) AS next",
            (batch_id, chunk),
        )
        found = run.fetchone()
        if found is None or found[0] is None:
            return 0
        first, last = int(found[0]), int(found[1])
        _meet_again(run, batch_id, source_id, target, (first, last))
        if target.name == "component":
            _number(run, batch_id, (first, last))
        run.execute(
            "UPDATE import_row SET entry_id = nextval(pg_get_serial_sequence(%s, 'id'))"
            " WHERE batch_id = %s AND number BETWEEN %s AND %s AND state = 'staged'"
            " AND verdict = 'new'",
            (target.name, batch_id, first, last),
        )
        where = (batch_id, first, last)
        _add(run, target, feed.source, where)
        facts.take(run, feed, first, last)
        held = _count_held(run, target, where)
        _note_keys(run, target, source_id, where)
        if target.name in likely.COMPARED:
            likely.open_pairs(run, batch_id, first, last)
        run.execute(
            "UPDATE import_row SET state = 'done' WHERE batch_id = %s AND number BETWEEN %s AND %s"
            " AND state = 'staged' AND verdict IN ('new', 'change', 'same')",
            where,
        )
        done = run.rowcount
        run.execute(
            "UPDATE import_batch SET rows_done = rows_done + %s, rows_stated = rows_stated + %s"
            " WHERE id = %s",
            (done, held, batch_id),
        )
    return done


def _meet_again(
    run: psycopg.Cursor[Any], batch_id: int, source_id: int, target: Target, span: tuple[int, int]
) -> None:
    """Look again what has come into the register, or gone from it, since the check."""
    run.execute(
        sql.SQL("""
            UPDATE import_row AS r SET verdict = 'new', entry_id = NULL
            WHERE r.batch_id = %s AND r.number BETWEEN %s AND %s AND r.state = 'staged'
              AND r.verdict IN ('change', 'same')
              AND NOT EXISTS (SELECT 1 FROM {table} AS t WHERE t.id = r.entry_id {stands})
        """).format(
            table=sql.Identifier(target.name),
            stands=sql.SQL("AND t.merged_into IS NULL" if target.is_merged else ""),
        ),
        (batch_id, *span),
    )
    find_entries(run, batch_id, source_id, target, between(*span))
    run.execute(
        "UPDATE import_row SET verdict = 'change' WHERE batch_id = %s AND number BETWEEN %s AND %s"
        " AND state = 'staged' AND verdict = 'new' AND entry_id IS NOT NULL",
        (batch_id, *span),
    )


def _number(run: psycopg.Cursor[Any], batch_id: int, span: tuple[int, int]) -> None:
    """Give new components without an identifier the next number of their class."""
    run.execute(
        """
        UPDATE import_row AS r
        SET data = r.data || jsonb_build_object('identifier',
                city_county() || n.code || lpad((n.last + n.place)::text, 6, '0'))
        FROM (
            SELECT w.number, w.code, row_number() OVER (PARTITION BY w.code ORDER BY w.number) AS place,
                   -- The index of identifiers knows the last of a class; a class has 70,000.
                   coalesce((SELECT right(c.identifier, 6)::int FROM component AS c
                             WHERE c.identifier >= city_county() || w.code || '000000'
                               AND c.identifier <= city_county() || w.code || '999999'
                               AND c.identifier ~ '^[0-9]{17}$'
                             ORDER BY c.identifier DESC LIMIT 1), 0) AS last
            FROM (SELECT number, data ->> 'code' AS code FROM import_row
                  WHERE batch_id = %s AND number BETWEEN %s AND %s AND state = 'staged'
                    AND verdict = 'new' AND NOT data ? 'identifier') AS w) AS n
        WHERE r.batch_id = %s AND r.number BETWEEN %s AND %s AND r.number = n.number
        RETURNING n.last + n.place
        """,
        (batch_id, *span, batch_id, *span),
    )
    if any(row[0] > _LAST_SEQUENCE for row in run.fetchall()):
        raise ClassFull("a class of components has no number left")


def _add(
    run: psycopg.Cursor[Any], target: Target, source: str, where: tuple[int, int, int]
) -> None:
    given = columns_of(target)
    values: list[sql.Composable] = []
    for name, kind in given:
        value: sql.Composable = sql.SQL("(r.data ->> {})::{}").format(
            sql.Literal(name), sql.SQL(kind)
        )  # fmt: skip
        if (default := _DEFAULTS.get((target.name, name))) is not None:
            value = sql.SQL("coalesce({}, {})").format(value, sql.Literal(default))
        values.append(value)
    names = [name for name, _ in given]
    if target.name == "premises":
        names.append("building_id")
        values.append(
            sql.SQL("(SELECT b.id FROM building AS b WHERE ST_Covers(b.geom, r.geom)"
                    " ORDER BY b.area_m2, b.id LIMIT 1)")
        )  # fmt: skip
    run.execute(
        sql.SQL("""
            INSERT INTO {table} (id, {names}, {place}, source)
            SELECT r.entry_id, {values}, {rplace}, %s FROM import_row AS r
            WHERE r.batch_id = %s AND r.number BETWEEN %s AND %s AND r.state = 'staged'
              AND r.verdict = 'new'
            ORDER BY r.number
        """).format(
            table=sql.Identifier(target.name),
            names=sql.SQL(", ").join(map(sql.Identifier, names)),
            values=sql.SQL(", ").join(values),
            place=sql.SQL(", ").join(map(sql.Identifier, _PLACE)),
            rplace=sql.SQL(", ").join(sql.Identifier("r", name) for name in _PLACE),
        ),
        (source, *where),
    )


def _count_held(run: psycopg.Cursor[Any], target: Target, where: tuple[int, int, int]) -> int:
    """Count rows that say something else than what is shown now: held as statements."""
    run.execute(
        sql.SQL("""
            SELECT count(*) FROM import_row AS r JOIN {table} AS t ON t.id = r.entry_id
            WHERE r.batch_id = %s AND r.number BETWEEN %s AND %s AND r.state = 'staged'
              AND r.verdict IN ('change', 'same') AND NOT ({shown} @> r.data AND t.geom = r.geom)
        """).format(table=sql.Identifier(target.name), shown=shown(target)),
        where,
    )
    found = run.fetchone()
    return int(found[0]) if found else 0


def _note_keys(
    run: psycopg.Cursor[Any], target: Target, source_id: int, where: tuple[int, int, int]
) -> None:
    """Remember what the source calls each entry, and which batch said so before this one."""
    run.execute(
        """
        UPDATE import_row AS r
        SET before = coalesce(r.before, '{}') || jsonb_build_object('batch', k.batch_id)
        FROM import_key AS k
        WHERE r.batch_id = %s AND r.number BETWEEN %s AND %s AND r.state = 'staged'
          AND r.verdict IN ('new', 'change', 'same') AND k.source_id = %s AND k.own_id = r.own_id
        """,
        (*where, source_id),
    )
    run.execute(
        """
        INSERT INTO import_key (source_id, own_id, target, entry_id, batch_id)
        SELECT %s, r.own_id, %s, r.entry_id, r.batch_id FROM import_row AS r
        WHERE r.batch_id = %s AND r.number BETWEEN %s AND %s AND r.state = 'staged'
          AND r.verdict IN ('new', 'change', 'same')
        ON CONFLICT (source_id, own_id)
        DO UPDATE SET entry_id = excluded.entry_id, batch_id = excluded.batch_id,
                      target = excluded.target
        """,
        (source_id, target.name, *where),
    )
