"""What every file says of itself, and the marks that tell one recipient's rows from another's.

The visible mark names who took the file, when and under which number. The hidden one moves
points within a block of 8 millionths of a degree (1.2 m at most, below the accuracy of any
source of those layers) and draws the microseconds below a millisecond anew; both are functions
of the value itself and of a key of this one export, so a leaked row is enough to read them:
no order, no other column, no number is needed. Codes, counts, names, areas and times to the
millisecond are never touched.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import sql

#: A block of 8 x 8 places of a millionth of a degree; one of 64 by chance.
BLOCK: Final = 8
PLACES: Final = BLOCK * BLOCK
MICROSECONDS: Final = 1_000
FARTHEST_M: Final = 1.2
#: Name under which statements bind the key.
KEY_NAME: Final = "export_key"


@dataclass(frozen=True)
class Mark:
    """The mark of one export; `key` empty leaves the rows as they are."""

    number: str
    who: str
    at: datetime
    key: str = ""

    @property
    def text(self) -> str:
        """The visible mark, one line."""
        return f"{self.number} · {self.who} · {self.at:%Y-%m-%d %H:%M %z}"

    @property
    def altered(self) -> str:
        """Say what of the rows is not as it is stored; empty where everything is."""
        if not self.key:
            return ""
        return (
            f"Points are moved by up to {FARTHEST_M} m and times by less than 1 ms, differently"
            " for each recipient, so that a copy names its source."
            f" 点位随接收人不同偏移不超过 {FARTHEST_M} 米，时间偏移小于 1 毫秒，用于追溯。"
        )

    def facts(self) -> dict[str, Any]:
        """Write the mark for a file's metadata."""
        facts = {"number": self.number, "recipient": self.who, "taken_at": self.at.isoformat()}
        return {**facts, "altered": self.altered} if self.key else facts


def new_key() -> str:
    """Draw the key of one export's marks."""
    return secrets.token_hex(16)


def marked_point(column: str) -> sql.Composable:
    """Compose the marked twin of a point column."""
    return sql.SQL("mark_point(t.{}, {}::text)").format(
        sql.Identifier(column), sql.Placeholder(KEY_NAME)
    )


def marked_instant(column: str | sql.Composable) -> sql.Composable:
    """Compose the marked twin of an instant."""
    taken = sql.SQL("t.{}").format(sql.Identifier(column)) if isinstance(column, str) else column
    return sql.SQL("mark_instant({}, {}::text)").format(taken, sql.Placeholder(KEY_NAME))


def mark_instant(key: str, at: datetime) -> datetime:
    """Return the marked twin of an instant, as `mark_instant` of the database does."""
    at_us = int(at.timestamp() * 1_000_000)
    drawn = hashlib.sha256(f"{key}:{at_us // MICROSECONDS}".encode()).digest()
    millis = at.microsecond // MICROSECONDS * MICROSECONDS
    return at.replace(microsecond=millis + int.from_bytes(drawn[:2]) % MICROSECONDS)


def point_fits(key: str, x: int, y: int) -> bool:
    """Say whether a place, in millionths of a degree, carries the mark of a key."""
    drawn = hashlib.sha256(f"{key}:{x // BLOCK}:{y // BLOCK}".encode()).digest()
    return x % BLOCK == drawn[0] & 7 and y % BLOCK == drawn[1] & 7


def instant_fits(key: str, at_us: int) -> bool:
    """Say whether an instant, in microseconds since 1970, carries the mark of a key."""
    drawn = hashlib.sha256(f"{key}:{at_us // MICROSECONDS}".encode()).digest()
    return at_us % MICROSECONDS == int.from_bytes(drawn[:2]) % MICROSECONDS


def fitting(
    key: str, places: Sequence[tuple[int, int]], instants: Sequence[int]
) -> tuple[int, int]:
    """Count the places and the instants of a sample that carry the mark of a key."""
    return (
        sum(point_fits(key, x, y) for x, y in places),
        sum(instant_fits(key, at) for at in instants),
    )
