"""Reading the feed: what live clients missed, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import psycopg

#: Name of the wake-up. It carries only a number; whoever hears nothing polls.
CHANNEL: Final = "wangge_feed"


@dataclass(frozen=True)
class Entry:
    """One sealed event: where it belongs and what clients get."""

    no: int
    area_code: str
    department_code: str | None
    payload: dict[str, Any]


def newest(conn: psycopg.Connection[Any]) -> int:
    """Return the number of the last sealed event."""
    row = conn.execute("SELECT no FROM feed_state").fetchone()
    return int(row[0]) if row else 0


def since(conn: psycopg.Connection[Any], no: int, *, limit: int) -> list[Entry]:
    """Return the events after a number, in order."""
    found = conn.execute(
        "SELECT no, area_code, department_code, payload FROM feed WHERE no > %s"
        " ORDER BY no LIMIT %s",
        (no, limit),
    )
    return [Entry(*row) for row in found]
