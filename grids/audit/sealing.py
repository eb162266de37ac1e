"""Seal the audit log: committed rows in their order, in links that each carry the last one's hash.

As the feed (`grids.feed.sealing`): rows are ordered by transaction id and only those below the
oldest transaction of this database that still runs are taken, so nothing can appear among sealed
rows later.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import sql

from grids.audit.chain import EVENT_TEXT, LINK_ROWS, digest, form_of, link_hash, packed

#: Rows per transaction while a backlog is sealed: several links, one commit.
BULK_ROWS: Final = 20_000
#: The state says so often that the sealer lives, also where nothing happens.
BEAT_S: Final = 5.0

EVENTS: Final = sql.SQL("""
    SELECT e.xid::text::bigint, e.id, (extract(epoch FROM e.at) * 1000000)::bigint, {text}
    FROM audit_event AS e
    WHERE e.xid < %(below)s::xid8
      AND (e.xid, e.id) > (%(xid)s::xid8, %(id)s)
    ORDER BY e.xid, e.id
    LIMIT %(limit)s
""").format(text=EVENT_TEXT)

# Asked in a statement of its own: what is below has ended before the next one looks for rows.
BELOW: Final = "SELECT decided_below(false)::text"
STATE: Final = "SELECT no, events, xid::text, event_id, hash FROM audit_state FOR UPDATE"
BACK: Final = "SELECT %s::xid8 > pg_snapshot_xmax(pg_current_snapshot())"
ADD: Final = (
    "INSERT INTO audit_link (no, sealed_at, events, form, entries, hash)"
    " VALUES (%s, %s, %s, %s, %s, %s)"
)


class ClockWentBack(RuntimeError):
    """The server counts transactions from below what was sealed: it was restored from a dump."""


def algorithm_of(provider: str) -> str:
    """Name the hash of a suite of algorithms: SM3 for `gm`, SHA-256 otherwise.

    Raises `ValueError` where this Python cannot compute it.
    """
    wanted = "sm3" if provider == "gm" else "sha256"
    hashlib.new(wanted)
    return wanted


def seal(
    conn: psycopg.Connection[Any], *, now: datetime, algorithm: str = "sha256",
    limit: int = LINK_ROWS,
) -> int:  # fmt: skip
    """Seal the next rows in one transaction; return how many there were.

    The state row is locked, so two sealers can never make the same link. Raises
    `ClockWentBack` on a server that was restored from a dump: rows written since would never
    be sealed, so nothing is, and sensitive acts stop until `wangge audit resume`.
    """
    form = form_of(algorithm)
    with conn.transaction():
        conn.execute("SET LOCAL TimeZone = 'UTC'")
        row = conn.execute(STATE).fetchone()
        if row is None:
            raise RuntimeError("audit_state has no row: run the migrations")
        no, events, xid, event_id, before = row
        [below] = conn.execute(BELOW).fetchone() or ("0",)
        rows = conn.execute(
            EVENTS, {"below": below, "xid": xid, "id": event_id, "limit": limit}
        ).fetchall()
        if not rows:
            if (back := conn.execute(BACK, (xid,)).fetchone()) and back[0]:
                raise ClockWentBack("the server's transaction ids lie below those that were sealed")
            return 0
        before = bytes(before)
        links = []
        for start in range(0, len(rows), LINK_ROWS):
            part = rows[start : start + LINK_ROWS]
            no, events = no + 1, events + len(part)
            entries = packed((x, i, at, digest(form, text)) for x, i, at, text in part)
            before = link_hash(form, before, no=no, sealed_at=now, events=events, entries=entries)
            links.append((no, now, events, form, entries, before))
        with conn.cursor() as cursor:
            cursor.executemany(ADD, links)
        conn.execute(
            "UPDATE audit_state SET no = %s, events = %s, xid = %s::text::xid8, event_id = %s,"
            " hash = %s, seen_at = clock_timestamp()",
            (no, events, str(rows[-1][0]), rows[-1][1], before),
        )
    return len(rows)


def seal_all(conn: psycopg.Connection[Any], *, now: datetime, algorithm: str = "sha256") -> int:
    """Seal everything that is committed; return how many rows."""
    total = 0
    while count := seal(conn, now=now, algorithm=algorithm, limit=BULK_ROWS):
        total += count
    return total


def beat(conn: psycopg.Connection[Any], limit_s: int) -> None:
    """Say that the sealer lives, and how long it may be silent before sensitive acts stop."""
    conn.execute("UPDATE audit_state SET seen_at = clock_timestamp(), limit_s = %s", (limit_s,))
