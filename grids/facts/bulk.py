"""The statements of a batch: kept, weighed against others, shown where they hold, taken back.

All set-based over one chunk of staged rows. What rows say stands in a temporary table, whose
statistics are gathered: the planner knows nothing of rows that were staged a moment ago. So what
reads the staged rows joins by hashes (`joined_by_hash`), the other way takes hours. What goes from the
temporary table to the millions of facts asks their index once for each value (a subquery that stays
one, by OFFSET 0): on the first days the planner takes the facts of a register for one row, and
compared 47,000 values with each of 55,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from grids.bulk import joined_by_hash, joined_by_index
from grids.facts import survivorship
from grids.facts.survivorship import PLACE

#: How sure what a department sends is; a place that was worked out from an address is less so.
OF_A_FEED: Final = 0.8
DERIVED: Final = 0.6
#: What a register held before statements were kept.
OF_BEFORE: Final = 0.5

Columns = Sequence[tuple[str, str]]

_SAID: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS fact_said (number int, entry_id bigint, field text, value text,"
    " how text, stood text) ON COMMIT DROP"
)
_WON: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS fact_won (number int, entry_id bigint, field text, value text,"
    " how text, stood text, is_own boolean) ON COMMIT DROP"
)
_BEFORE: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS fact_before (number int, said jsonb) ON COMMIT DROP"
)
_TABLES: Final = (_SAID, _WON, _BEFORE, "TRUNCATE fact_said, fact_won, fact_before")
_SURE: Final = sql.SQL("CASE WHEN {how} = 'derived' THEN {derived} ELSE {sure} END")


@dataclass(frozen=True)
class Feed:
    """Who speaks: a source of tables with its batch, about which register, in which columns."""

    register: str
    columns: Columns  #: name and type of each column that rows may bring
    source: str  #: `import:<code>`
    batch_id: int
    observed_at: datetime

    @property
    def fields(self) -> list[str]:
        """Return everything that a row may say something of."""
        return [*(name for name, _ in self.columns), PLACE]


def take(run: psycopg.Cursor[Any], feed: Feed, first: int, last: int) -> None:
    """Keep what rows say, and write into the register what holds.

    Rows that are new entries have just been written: nobody else has spoken of them. Of the
    others the verdict becomes `change` where the row has changed something that is shown, else
    `same`; a value that does not hold is kept as a statement.
    """
    _keep_of_new(run, feed, first, last)
    collect(run, feed, ("change", "same"), first, last)
    _remember_said(run, feed)
    with joined_by_index(run):
        _keep(run, feed)
        _weigh(run, feed)
    _write(run, feed)
    run.execute(
        # IN, for that one is answered by a hash; EXISTS would read all for each row.
        "UPDATE import_row AS r SET verdict = CASE WHEN r.number IN (SELECT w.number"
        " FROM fact_won AS w WHERE w.is_own) THEN 'change' ELSE 'same' END"
        " WHERE r.batch_id = %s AND r.number BETWEEN %s AND %s AND r.state = 'staged'"
        " AND r.verdict IN ('change', 'same')",
        (feed.batch_id, first, last),
    )


def collect(
    run: psycopg.Cursor[Any], feed: Feed, verdicts: Sequence[str], first: int, last: int
) -> None:
    """Gather in `fact_said` what rows say and their source has not said yet."""
    for statement in _TABLES:
        run.execute(statement)
    run.execute(
        sql.SQL("""
            INSERT INTO fact_said
            SELECT r.number, r.entry_id, d.field, d.value, d.how, d.stood
            FROM import_row AS r JOIN {table} AS t ON t.id = r.entry_id
            CROSS JOIN LATERAL (VALUES {values}) AS d (field, value, how, stood)
            WHERE r.batch_id = %s AND r.number BETWEEN %s AND %s AND r.state = 'staged'
              AND r.verdict = ANY (%s) AND d.value IS NOT NULL
        """).format(table=sql.Identifier(feed.register), values=_values(feed)),
        (feed.batch_id, first, last, list(verdicts)),
    )
    run.execute("ANALYZE fact_said")
    run.execute(
        "DELETE FROM fact_said AS s WHERE (SELECT f.value = s.value OR f.observed_at > %s"
        " FROM fact AS f WHERE f.register = %s AND f.entry_id = s.entry_id"
        " AND f.field = s.field AND f.source = %s)",
        (feed.observed_at, feed.register, feed.source),
    )
    run.execute("ANALYZE fact_said")


def _said(name: str, kind: str) -> sql.Composed:
    return sql.SQL("((r.data ->> {})::{})::text").format(sql.Literal(name), sql.SQL(kind))


def _values(feed: Feed) -> sql.Composed:
    rows = [
        sql.SQL("({}, {}, NULL::text, t.{}::text)").format(
            sql.Literal(name), _said(name, kind), sql.Identifier(name)
        )
        for name, kind in feed.columns
    ]
    rows.append(
        sql.SQL("({}, r.geom::text, r.coord_source, t.geom::text)").format(sql.Literal(PLACE))
    )
    return sql.SQL(", ").join(rows)


def _keep_of_new(run: psycopg.Cursor[Any], feed: Feed, first: int, last: int) -> None:
    rows = [
        sql.SQL("({}, {}, NULL::text)").format(sql.Literal(name), _said(name, kind))
        for name, kind in feed.columns
    ]
    rows.append(sql.SQL("({}, r.geom::text, r.coord_source)").format(sql.Literal(PLACE)))
    run.execute(
        sql.SQL("""
            INSERT INTO fact (register, entry_id, field, source, value, how, observed_at, confidence,
                              batch_id)
            SELECT %s, r.entry_id, d.field, %s, d.value, d.how, %s, {sure}, %s
            FROM import_row AS r CROSS JOIN LATERAL (VALUES {values}) AS d (field, value, how)
            WHERE r.batch_id = %s AND r.number BETWEEN %s AND %s AND r.state = 'staged'
              AND r.verdict = 'new' AND d.value IS NOT NULL
            ORDER BY r.entry_id
        """).format(values=sql.SQL(", ").join(rows), sure=_sure("d")),
        (feed.register, feed.source, feed.observed_at, feed.batch_id, feed.batch_id, first, last),
    )


def _sure(table: str) -> sql.Composed:
    return _SURE.format(how=sql.Identifier(table, "how"), derived=DERIVED, sure=OF_A_FEED)


def _remember_said(run: psycopg.Cursor[Any], feed: Feed) -> None:
    """Note with each row what its source said before, so that the batch can be taken back."""
    run.execute(
        """
        INSERT INTO fact_before
        SELECT s.number, jsonb_object_agg(s.field, CASE WHEN f.value IS NULL THEN NULL
          ELSE jsonb_build_array(f.value, f.how, f.observed_at, f.confidence, f.batch_id) END)
        FROM fact_said AS s
        LEFT JOIN LATERAL (
          SELECT * FROM fact WHERE register = %s AND entry_id = s.entry_id
            AND field = s.field AND source = %s OFFSET 0) AS f ON true
        GROUP BY s.number
        """,
        (feed.register, feed.source),
    )
    run.execute(
        "UPDATE import_row AS r SET before = coalesce(r.before, '{}')"
        " || jsonb_build_object('facts', b.said)"
        " FROM fact_before AS b WHERE r.batch_id = %s AND r.number = b.number",
        (feed.batch_id,),
    )


def _keep(run: psycopg.Cursor[Any], feed: Feed) -> None:
    """Write the statements; of a field that nobody has spoken of, what stood there comes first.

    Where the source that the register names has its statements here, what it has not said was
    said by nobody: the table's own default.
    """
    run.execute(
        sql.SQL("""
            INSERT INTO fact (register, entry_id, field, source, value, how, observed_at, confidence)
            SELECT %s, s.entry_id, s.field, t.source, s.stood,
                   CASE WHEN s.field = {place} THEN t.coord_source END, t.valid_from, {sure}
            FROM fact_said AS s JOIN {table} AS t ON t.id = s.entry_id
            WHERE s.stood IS NOT NULL AND s.stood <> s.value AND t.source <> %s
              AND NOT EXISTS (SELECT 1 FROM fact AS f WHERE f.register = %s
                              AND f.entry_id = s.entry_id AND (f.field = s.field
                              OR f.source = t.source AND f.batch_id IS NOT NULL) OFFSET 0)
            ON CONFLICT DO NOTHING
        """).format(
            table=sql.Identifier(feed.register), place=sql.Literal(PLACE), sure=OF_BEFORE
        ),
        (feed.register, feed.source, feed.register),
    )  # fmt: skip
    run.execute(
        sql.SQL("""
            INSERT INTO fact AS f (register, entry_id, field, source, value, how, observed_at,
                                   confidence, batch_id)
            SELECT %s, s.entry_id, s.field, %s, s.value, s.how, %s, {sure}, %s
            FROM fact_said AS s ORDER BY s.entry_id, s.field
            ON CONFLICT (register, entry_id, field, source) DO UPDATE
            SET value = excluded.value, how = excluded.how, observed_at = excluded.observed_at,
                confidence = excluded.confidence, batch_id = excluded.batch_id
        """).format(sure=_sure("s")),
        (feed.register, feed.source, feed.observed_at, feed.batch_id),
    )


def _weigh(run: psycopg.Cursor[Any], feed: Feed) -> None:
    """Find what holds now on each field of `fact_said`, and keep where something else is shown."""
    run.execute(
        # Both constants are written in this package.
        "INSERT INTO fact_won"  # noqa: S608
        " SELECT DISTINCT ON (s.entry_id, s.field) s.number, s.entry_id, s.field, f.value, f.how,"
        " s.stood, f.source = %s"
        " FROM fact_said AS s CROSS JOIN LATERAL (SELECT * FROM fact WHERE register = %s"
        "   AND entry_id = s.entry_id AND field = s.field OFFSET 0) AS f"
        " LEFT JOIN import_source AS i ON f.source = 'import:' || i.code"
        " LEFT JOIN jsonb_to_recordset(%s) AS k (field text, who text, place int)"
        f"   ON k.field = s.field AND k.who = {survivorship.WHO}"
        f" ORDER BY s.entry_id, s.field, {survivorship.WEIGHT}",
        (feed.source, feed.register, Jsonb(survivorship.named(feed.register, feed.fields))),
    )
    run.execute("DELETE FROM fact_won WHERE value IS NOT DISTINCT FROM stood")
    run.execute("ANALYZE fact_won")


def _write(run: psycopg.Cursor[Any], feed: Feed) -> None:
    """Write what holds into the register; note what it replaced with the row that brought it."""
    table = sql.Identifier(feed.register)
    kept = [*(name for name, _ in feed.columns), "source", "coord_source"]
    pairs = [sql.SQL("{}, t.{}").format(sql.Literal(name), sql.Identifier(name)) for name in kept]
    run.execute(
        sql.SQL("""
            UPDATE import_row AS r
            SET before = coalesce(r.before, '{{}}') || jsonb_build_object({pairs}, 'geom', t.geom::text,
                'wrote', (SELECT coalesce(jsonb_object_agg(key, value), '{{}}') FROM jsonb_each(r.data)
                          WHERE key = ANY (w.fields)),
                'moved', {place} = ANY (w.fields))
            FROM (SELECT number, entry_id, array_agg(field) AS fields FROM fact_won WHERE is_own
                  GROUP BY number, entry_id) AS w
            JOIN {table} AS t ON t.id = w.entry_id
            WHERE r.batch_id = %s AND r.number = w.number
        """).format(pairs=sql.SQL(", ").join(pairs), place=sql.Literal(PLACE), table=table),
        (feed.batch_id,),
    )
    write_won(run, feed.register, feed.columns, source=feed.source)


def write_won(
    run: psycopg.Cursor[Any], register: str, columns: Columns, *, source: str | None = None
) -> None:
    """Write `fact_won` into a register; the place links its row by itself."""
    sets = [
        sql.SQL(
            "{0} = CASE WHEN w.said ? {1} THEN nullif(w.said ->> {1}, '')::{2} ELSE t.{0} END"
        ).format(sql.Identifier(name), sql.Literal(name), sql.SQL(kind))
        for name, kind in columns
    ]
    run.execute(
        sql.SQL("""
            UPDATE {table} AS t SET {sets},
                geom = CASE WHEN w.said ? {place} THEN (w.said ->> {place})::geometry ELSE t.geom END,
                coord_source = coalesce(w.how, t.coord_source),
                source = CASE WHEN w.is_own THEN coalesce(%s, t.source) ELSE t.source END
            FROM (SELECT entry_id, jsonb_object_agg(field, value) AS said,
                         max(how) FILTER (WHERE field = {place}) AS how, bool_or(is_own) AS is_own
                  FROM fact_won GROUP BY entry_id) AS w
            WHERE t.id = w.entry_id
        """).format(
            table=sql.Identifier(register), sets=sql.SQL(", ").join(sets), place=sql.Literal(PLACE)
        ),
        (source,),
    )


def drop_repeated(run: psycopg.Cursor[Any], feed: Feed, only: Sequence[int] | None = None) -> None:
    """Judge rows `same` that differ from the register only in what their source has said before."""
    first, last = (min(only), max(only)) if only else (0, 2**31 - 1)
    with joined_by_hash(run):
        collect(run, feed, ("change",), first, last)
        run.execute(
            "UPDATE import_row AS r SET verdict = 'same' WHERE r.batch_id = %s"
            " AND r.number BETWEEN %s AND %s AND r.verdict = 'change' AND NOT EXISTS (SELECT 1 FROM fact_said AS s WHERE s.number = r.number"
            "                 AND s.value IS DISTINCT FROM s.stood)",
            (feed.batch_id, first, last),
        )


def take_back(run: psycopg.Cursor[Any], feed: Feed) -> None:
    """Let the source of a batch say what it said before, for all rows that still stand.

    Those are rows in state `kept` that changed nothing that others have changed since
    (`fact_back`, made by the caller). What holds of the remaining statements is written; where
    none remains, what the row had replaced.
    """
    for statement in _TABLES:
        run.execute(statement)
    run.execute(
        """
        INSERT INTO fact_said (number, entry_id, field, value)
        SELECT r.number, r.entry_id, d.key, NULL FROM fact_back AS b
        JOIN import_row AS r ON r.batch_id = %s AND r.number = b.number
        CROSS JOIN LATERAL jsonb_each(r.before -> 'facts') AS d
        WHERE r.before ? 'facts'
        """,
        (feed.batch_id,),
    )
    run.execute("ANALYZE fact_said")
    run.execute(
        """
        UPDATE fact AS f SET value = p.said ->> 0, how = p.said ->> 1,
            observed_at = (p.said ->> 2)::timestamptz, confidence = (p.said ->> 3)::real,
            batch_id = (p.said ->> 4)::bigint
        FROM (SELECT s.entry_id, s.field, r.before -> 'facts' -> s.field AS said FROM fact_said AS s
              JOIN import_row AS r ON r.batch_id = %s AND r.number = s.number) AS p
        WHERE f.register = %s AND f.entry_id = p.entry_id AND f.field = p.field AND f.source = %s
          AND f.batch_id = %s AND jsonb_typeof(p.said) = 'array'
        """,
        (feed.batch_id, feed.register, feed.source, feed.batch_id),
    )
    run.execute(
        "DELETE FROM fact AS f USING fact_said AS s WHERE f.register = %s"
        " AND f.entry_id = s.entry_id AND f.field = s.field AND f.source = %s AND f.batch_id = %s",
        (feed.register, feed.source, feed.batch_id),
    )
    run.execute(
        sql.SQL("""
            UPDATE fact_said AS s SET stood = d.stood FROM {table} AS t
            CROSS JOIN LATERAL (VALUES {values}) AS d (field, stood)
            WHERE t.id = s.entry_id AND d.field = s.field
        """).format(table=sql.Identifier(feed.register), values=_standing(feed)),
    )
    _weigh(run, feed)
    write_won(run, feed.register, feed.columns)


def forget_entries(run: psycopg.Cursor[Any], register: str, batch_id: int) -> None:
    """Remove the statements on entries that went with their batch."""
    run.execute(
        "DELETE FROM fact AS f USING import_row AS r WHERE r.batch_id = %s AND r.state = 'undone'"
        " AND r.verdict = 'new' AND f.register = %s AND f.entry_id = r.entry_id",
        (batch_id, register),
    )


def _standing(feed: Feed) -> sql.Composed:
    rows = [
        sql.SQL("({}, t.{}::text)").format(sql.Literal(name), sql.Identifier(name))
        for name, _ in feed.columns
    ]
    rows.append(sql.SQL("({}, t.geom::text)").format(sql.Literal(PLACE)))
    return sql.SQL(", ").join(rows)
