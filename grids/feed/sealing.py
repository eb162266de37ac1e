"""The sealer: one process that orders committed events, chains them and wakes live clients.

Keys made by sequences become visible out of order, so the sealer orders by transaction id
and stops below the oldest transaction that may still write an event: below that watermark
nothing can appear any more. Transactions of other databases and those that promised to write
none (`grids.feed.promise`) are not waited for; any other that stays open holds the feed back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from grids.feed.chain import EVENT_DIGEST
from grids.feed.reading import CHANNEL

BATCH: Final = 1_000
#: Rows per transaction while a bulk load is sealed: fewer round trips, the same chain.
BULK_BATCH: Final = 10_000

# Asked in a statement of its own: what is below has ended before the next one looks for events.
BELOW: Final = "SELECT decided_below(true)::text"
# The position is (xid, incident_id, seq): the events of one transaction may fill many batches.
# All of it happens where the rows are; `link_hash` says the same of one entry, and verifies it.
KEEP = sql.SQL("""
    WITH kept AS (
      INSERT INTO feed (sealed_at, no, incident_id, seq, area_code, department_code, payload, hash)
      SELECT %(now)s, no, incident_id, seq, area_code, department_code, payload,
        feed_chain(%(hash)s, concat(no, chr(10), incident_id, chr(10), seq, chr(10), area_code,
          chr(10), department_code, chr(10), payload)) OVER (ORDER BY no)
      FROM (
        SELECT e.incident_id, e.seq, e.area_code, e.department_code,
          %(no)s + row_number() OVER (ORDER BY e.xid, e.incident_id, e.seq) AS no,
          jsonb_build_object(
            'incident', e.incident_id, 'seq', e.seq, 'number', i.number,
            'action', e.action, 'status', e.to_status,
            'area', left(e.area_code, 12),
            'grid', CASE WHEN length(e.area_code) = 15 THEN e.area_code END,
            'lon', round(ST_X(i.geom)::numeric, 6), 'lat', round(ST_Y(i.geom)::numeric, 6),
            'category', jsonb_build_object('code', c.code, 'zh', c.name_zh, 'en', c.name_en),
            'urgency', i.urgency, 'at', e.recorded_at, 'digest', {digest}) AS payload
        FROM incident_event AS e
        JOIN incident AS i ON i.id = e.incident_id
        JOIN category AS c ON c.id = i.category_id
        WHERE e.xid < %(below)s::xid8
          AND (e.xid, e.incident_id, e.seq) > (%(xid)s::xid8, %(incident)s, %(seq)s)
        ORDER BY e.xid, e.incident_id, e.seq
        LIMIT %(limit)s
      ) AS next
      RETURNING no, hash, incident_id, seq
    )
    SELECT no, hash, incident_id, seq FROM kept ORDER BY no DESC LIMIT 1
""").format(digest=EVENT_DIGEST)

STATE = """
    SELECT s.no, s.xid::text, s.hash, f.incident_id, f.seq
    FROM feed_state AS s LEFT JOIN feed AS f ON f.no = s.no
    FOR UPDATE OF s
"""
ADVANCE = """
    UPDATE feed_state SET no = %(no)s, hash = %(hash)s, xid =
      (SELECT e.xid FROM incident_event AS e WHERE e.incident_id = %(incident)s AND e.seq = %(seq)s)
"""


def seal(conn: psycopg.Connection[Any], *, now: datetime, limit: int = BATCH) -> int:
    """Seal the next events in one transaction; return how many there were.

    The state row is locked, so two sealers can never give the same number, whatever the
    advisory lock says.
    """
    with conn.transaction():
        conn.execute("SET LOCAL TimeZone = 'UTC'")
        conn.execute("SET LOCAL work_mem = '64MB'")  # a batch is sorted without a file
        row = conn.execute(STATE).fetchone()
        if row is None:
            raise RuntimeError("feed_state has no row: run the migrations")
        no, xid, before, incident, seq = row
        [below] = conn.execute(BELOW).fetchone() or ("0",)
        found = conn.execute(KEEP, {
            "below": below, "now": now, "limit": limit, "no": no, "hash": before, "xid": xid,
            "incident": incident or UUID(int=0), "seq": seq or 0,
        }).fetchone()  # fmt: skip
        if found is None:
            return 0
        last, hashed, incident, seq = found
        conn.execute(ADVANCE, {"no": last, "hash": hashed, "incident": incident, "seq": seq})
        conn.execute("SELECT pg_notify(%s, %s)", (CHANNEL, str(last)))
    return int(last - no)


def seal_all(conn: psycopg.Connection[Any], *, now: datetime) -> int:
    """Seal everything that is committed, as after a bulk load; return how many events."""
    total = 0
    while count := seal(conn, now=now, limit=BULK_BATCH):
        total += count
    return total
