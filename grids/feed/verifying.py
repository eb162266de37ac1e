"""The verifier: tells whether the feed is whole and the events still say what was sealed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql

from grids.feed.chain import EVENT_DIGEST, GENESIS, link_hash

ENTRIES: Final = sql.SQL("""
    SELECT f.no, f.incident_id, f.seq, f.area_code, f.department_code, f.payload::text,
           f.payload ->> 'digest', f.hash, {digest}
    FROM feed AS f
    LEFT JOIN incident_event AS e ON e.incident_id = f.incident_id AND e.seq = f.seq
    ORDER BY f.no
""").format(digest=EVENT_DIGEST)
ROWS_AT_ONCE: Final = 5_000


@dataclass(frozen=True)
class BrokenLink:
    """The first entry that is not as it was sealed."""

    no: int
    problem: str  #: gap, hash, event or end


def verify_chain(conn: psycopg.Connection[Any]) -> BrokenLink | None:
    """Walk the whole feed; return the first bad entry, or None where all is as it was sealed.

    `gap`: an entry is missing before this one. `hash`: the entry or one before it was
    changed. `event`: the event in the log was changed or removed. `end`: the last entries
    are missing.
    """
    before, last = GENESIS, 0
    with conn.transaction():
        conn.execute("SET LOCAL TimeZone = 'UTC'")
        with conn.cursor(name="verify_chain") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            for no, incident, seq, area, department, payload, digest, kept, now in cursor.execute(
                ENTRIES
            ):
                if no != last + 1:
                    return BrokenLink(no, "gap")
                before = link_hash(
                    before,
                    no=no,
                    incident_id=incident,
                    seq=seq,
                    area_code=area,
                    department_code=department,
                    payload=payload,
                )
                if before != bytes(kept):
                    return BrokenLink(no, "hash")
                if digest != now:
                    return BrokenLink(no, "event")
                last = no
        row = conn.execute("SELECT no FROM feed_state").fetchone()
    return BrokenLink(last + 1, "end") if row and row[0] != last else None
