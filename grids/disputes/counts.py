"""How many disputes an area had: told from ten on, and so that no small count can be worked out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

_COUNTS: Final = text("SELECT key, n FROM dispute_counts(:since, :until, :by)")
LEAST: Final = 10
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Told:
    """Counts that may be said; None is "fewer than ten, or kept back to protect such a one"."""

    by_key: Mapping[str, int | None]
    total: int | None


def tell(counts: Mapping[Key, int]) -> tuple[dict[Key, int | None], int | None]:
    """Say which counts may be told, and whether their sum may.

    Counts under ten are kept back. Where those kept back sum to fewer than ten, the smallest
    told count is kept back as well, so that the sum less the rest tells of ten or more. What
    cannot be protected so takes the sum along.

    >>> tell({"a": 40, "b": 12, "c": 3})
    ({'a': 40, 'b': None, 'c': None}, 55)
    >>> tell({"a": 3})
    ({'a': None}, None)
    """
    hidden = {key for key, n in counts.items() if 0 < n < LEAST}
    shown = sorted((n, str(key), key) for key, n in counts.items() if n >= LEAST)
    if hidden and (len(hidden) == 1 or sum(counts[key] for key in hidden) < LEAST) and shown:
        hidden.add(shown[0][2])
    told: dict[Key, int | None] = {k: None if k in hidden else n for k, n in counts.items()}
    total = sum(counts.values())
    is_safe = not hidden or (
        len(hidden) > 1 and sum(counts[key] for key in hidden) >= LEAST and total >= LEAST
    )
    return told, total if is_safe else None


def by_area(session: Session, *, now: datetime, zone: ZoneInfo) -> Told:
    """Count the year's disputes of the caller's areas by town, up to the end of last month."""
    return Told(*tell(_counted(session, now, zone, "town")))


def by_kind(session: Session, *, now: datetime, zone: ZoneInfo) -> Told:
    """Count the year's disputes of the caller's areas by kind, up to the end of last month."""
    return Told(*tell(_counted(session, now, zone, "kind")))


def period(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the year that is told: whole months only, so that no day tells of one dispute."""
    local = now.astimezone(zone)
    until = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year = until.year if until.month > 1 else until.year - 1
    return until.replace(year=year, month=1), until


def _counted(session: Session, now: datetime, zone: ZoneInfo, by: str) -> dict[str, int]:
    """Ask the narrow door of the database: it counts in the areas that the caller may count."""
    since, until = period(now, zone)
    found = session.execute(_COUNTS, {"since": since, "until": until, "by": by})
    return {row.key: row.n for row in found}
