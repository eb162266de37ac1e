"""Rows that would become new entries, but probably mean one that stands: by the chance of agreement.

After codes and keys have led rows to their entries, what is left is compared with the whole
register at once, by the model that finds what was entered twice. What is certain, and the only
pair of both, is taken for the entry. What is likely is entered, and the pair waits for a person:
nothing is held up, and a merge has a way back.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from grids.bulk import driver
from grids.matching import finding
from grids.matching.linkage import AGREEMENT, CERTAIN, FEWEST, SURE, find_matches, reason_of
from grids.matching.pairs import KEEP_OF_ROWS

#: A row opens no more pairs than these, the likeliest.
MOST_PAIRS: Final = 3
#: Registers whose entries are compared so.
COMPARED: Final = ("enterprise",)
_FREE: Final = sql.SQL("""
    SELECT r.number, r.data ->> 'name', r.data ->> 'uscc', r.data ->> 'industry',
           (r.data ->> 'address_id')::bigint, ST_X(p.place), ST_Y(p.place)
    FROM import_row AS r, city AS c, ST_Transform(r.geom, c.metric_srid) AS p (place)
    WHERE r.batch_id = %s AND r.verdict = 'new' AND r.entry_id IS NULL AND {which}
    ORDER BY r.number
""")
_COLUMNS: Final = ["unique_id", "name", "uscc", "industry", "address_id", "x", "y"]


def find(connection: Connection, batch_id: int, which: sql.Composable) -> None:
    """Note with each row of a batch without an entry which it means, or which pairs it opens."""
    run = driver(connection).cursor()
    run.execute(_FREE.format(which=which), (batch_id,))
    rows = pd.DataFrame(run.fetchall(), columns=_COLUMNS)
    if rows.empty:
        return
    entries = finding.enterprises_of(connection)
    if len(entries) < FEWEST:
        return
    found = find_matches(rows, entries, common=finding.common_words_of(connection))
    found = found[found["score"] >= SURE]
    if not found.empty:
        _note(run, batch_id, found, _taken(run, batch_id, found))


def _taken(run: psycopg.Cursor[Any], batch_id: int, found: pd.DataFrame) -> pd.Series:
    """Say of each pair whether its row is taken for its entry.

    It is certain, no other pair names the row or the entry, no row means the entry by its code or
    key, and the entry lies in the areas of who sent the file.
    """
    alone = (found.groupby("a")["b"].transform("size") == 1) & (
        found.groupby("b")["a"].transform("size") == 1
    )
    run.execute(
        "SELECT e.id FROM enterprise AS e, import_batch AS b WHERE b.id = %s AND e.id = ANY (%s)"
        " AND e.area_code ^@ ANY (b.areas) AND NOT EXISTS (SELECT FROM import_row AS r"
        " WHERE r.batch_id = b.id AND r.entry_id = e.id)",
        (batch_id, found["b"].tolist()),
    )
    free = {row[0] for row in run.fetchall()}
    return (found["score"] >= CERTAIN) & alone & found["b"].isin(free)


def _note(run: psycopg.Cursor[Any], batch_id: int, found: pd.DataFrame, taken: pd.Series) -> None:
    """Write what was found. A code that an entry has is not replaced by another on a likeness."""
    run.execute(
        "CREATE TEMP TABLE IF NOT EXISTS import_match (number int, entry_id bigint, told jsonb)"
        " ON COMMIT DROP"
    )
    run.execute("TRUNCATE import_match")
    names = list(AGREEMENT)
    told: dict[int, list[dict[str, Any]]] = {}
    with run.copy("COPY import_match FROM STDIN") as copy:
        for pair, is_taken in zip(found.to_dict("records"), taken, strict=True):
            evidence = {name: pair[name] for name in names}
            one = {"entry": int(pair["b"]), "score": round(float(pair["score"]), 4),
                   "reason": reason_of(evidence), "evidence": evidence}  # fmt: skip
            if is_taken:
                copy.write_row((int(pair["a"]), one["entry"], Jsonb(one)))
            else:
                told.setdefault(int(pair["a"]), []).append(one)
        for number, pairs in told.items():
            copy.write_row((number, None, Jsonb({"pairs": pairs[:MOST_PAIRS]})))
    run.execute("CREATE INDEX ON import_match (number)")
    run.execute("ANALYZE import_match")
    run.execute(
        """
        UPDATE import_row AS r
        SET match = m.told, entry_id = m.entry_id,
            data = CASE WHEN e.uscc IS NULL THEN r.data ELSE r.data - 'uscc' END
        FROM import_match AS m LEFT JOIN enterprise AS e ON e.id = m.entry_id
        WHERE r.batch_id = %s AND r.number = m.number
        """,
        (batch_id,),
    )
    run.execute("DROP TABLE import_match")


def open_pairs(run: psycopg.Cursor[Any], batch_id: int, first: int, last: int) -> None:
    """Let people look at the rows of a chunk that were entered although they may mean an entry."""
    values = {"batch": batch_id, "first": first, "last": last}
    run.execute(
        "SELECT EXISTS (SELECT FROM import_row WHERE batch_id = %(batch)s AND match IS NOT NULL"
        " AND match ? 'pairs' AND number BETWEEN %(first)s AND %(last)s)", values,
    )  # fmt: skip
    found = run.fetchone()
    if found is not None and found[0]:
        run.execute(KEEP_OF_ROWS, values)
