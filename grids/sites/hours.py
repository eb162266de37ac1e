"""Opening hours as OpenStreetMap writes them, the part of the grammar that counters need.

`Mo-Fr 08:30-11:30,14:00-17:30; Sa,Su 09:00-11:00`: days or spans of days, then times of the
same day. Holidays, weeks and months are refused instead of half understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from grids.errors import Invalid

DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY: Final = "(?:" + "|".join(DAYS) + ")"
_TIME: Final = r"(?:[01]\d|2[0-3]):[0-5]\d|24:00"
_RULE: Final = re.compile(
    rf"({_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*) "
    rf"((?:{_TIME})-(?:{_TIME})(?:,(?:{_TIME})-(?:{_TIME}))*)"
)
MINUTES: Final = 24 * 60


class BadHours(Invalid):
    """Opening hours are written so: Mo-Fr 08:30-11:30,14:00-17:30; Sa 09:00-11:00."""

    code = "site.bad_hours"


@dataclass(frozen=True)
class Opening:
    """One rule: spans of days (first, last, counted from Monday 0) and of minutes of the day."""

    days: tuple[tuple[int, int], ...]
    minutes: tuple[tuple[int, int], ...]

    def holds_on(self, weekday: int) -> bool:
        """Say whether the rule speaks of a day of the week, Monday 0."""
        return any(first <= weekday <= last for first, last in self.days)


def parse(text: str) -> tuple[Opening, ...]:
    """Read opening hours; the empty text gives none. Raises `BadHours`, which names the part.

    >>> parse("Mo-Fr 08:30-11:30")
    (Opening(days=((0, 4),), minutes=((510, 690),)),)
    >>> parse("")
    ()
    """
    return tuple(_rule(part.strip()) for part in text.split(";")) if text.strip() else ()


def is_open(text: str, at: datetime) -> bool:
    """Say whether a counter is open at an instant, given in the city's zone.

    Where two rules speak of a day the later one holds.
    """
    day, minute = at.weekday(), at.hour * 60 + at.minute
    spoken = [rule for rule in parse(text) if rule.holds_on(day)]
    return bool(spoken) and any(low <= minute < high for low, high in spoken[-1].minutes)


def clock(minute: int) -> str:
    """Write a minute of the day.

    >>> clock(510), clock(1440)
    ('08:30', '24:00')
    """
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _rule(part: str) -> Opening:
    found = _RULE.fullmatch(part)
    if found is None:
        raise BadHours(f"no opening hours: {part[:40]!r}", part=part[:40])
    days = tuple(_span(one) for one in found[1].split(","))
    minutes = tuple(_times(one) for one in found[2].split(","))
    # The times of a day stand in their order and do not overlap.
    edges = [edge for span in minutes for edge in span]
    if edges != sorted(set(edges)) or any(last < first for first, last in days):
        raise BadHours(f"no opening hours: {part[:40]!r}", part=part[:40])
    return Opening(days, minutes)


def _span(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return DAYS.index(first), DAYS.index(last or first)


def _times(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return _minute(low), _minute(high)


def _minute(text: str) -> int:
    if text == "24:00":
        return MINUTES
    at = time.fromisoformat(text)
    return at.hour * 60 + at.minute
