"""Months of the log whose time of keeping is over leave as whole partitions, never by DELETE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from grids.errors import Invalid

#: Article 21 of the Cybersecurity Law and MLPS level 3 ask for six months.
KEEP_DAYS: Final = 180

PARTITIONS: Final = """
    SELECT c.relname, to_date(right(c.relname, 7), 'YYYY"m"MM')
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'audit_event'::regclass AND c.relname ~ '_y[0-9]{4}m[0-9]{2}$'
    ORDER BY 2
"""


class TooYoung(Invalid):
    """The log is kept for at least 180 days, whatever somebody asks for."""

    code = "audit.too_young"


@dataclass(frozen=True)
class Retired:
    """A month that was detached: its table stands by itself, to be archived and dropped."""

    table: str
    rows: int


def retire(conn: psycopg.Connection[Any], *, before: date, now: datetime) -> list[Retired]:
    """Detach the months that ended before a day, as the owner; return what was detached.

    Rows are not deleted: each month stays as a table of its own until somebody has archived
    it. The chain keeps the digests, so the rest of the log verifies as before. Raises
    `TooYoung` for a day within the time of keeping.
    """
    if before > (now - timedelta(days=KEEP_DAYS)).date():
        raise TooYoung(f"rows are kept for {KEEP_DAYS} days", days=KEEP_DAYS, field="before")
    done = []
    for table, month in conn.execute(PARTITIONS).fetchall():
        after = (month.replace(day=1) + timedelta(days=32)).replace(day=1)
        if after <= before:
            done.append(_detach(conn, table, month, after))
    return done


def _detach(conn: psycopg.Connection[Any], table: str, month: date, after: date) -> Retired:
    name = sql.Identifier(table)
    with conn.transaction():
        found = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
        rows = int(found[0]) if found else 0
        conn.execute(sql.SQL("ALTER TABLE audit_event DETACH PARTITION {}").format(name))
        span = {
            "from": datetime(month.year, month.month, 1, tzinfo=UTC).isoformat(),
            "to": datetime(after.year, after.month, 1, tzinfo=UTC).isoformat(),
            "rows": rows,
        }
        conn.execute(
            "INSERT INTO audit_event (action, subject, detail) VALUES ('audit_retired', %s, %s)",
            (f"table {table}", Jsonb(span)),
        )
    return Retired(table, rows)
