"""How long a clock of a kind runs: the city's calendar, and days as the Civil Code counts them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from grids.incidents.clocks import LONGEST_IDLE_DAYS, BrokenCalendar, Calendar, Limit, add_limit


@dataclass(frozen=True)
class Term:
    """A length of time. `day` counts every day, `hour` every hour, the others working time."""

    value: int
    unit: Literal["hour", "day", "work_hour", "work_day"]


def deadline(start: datetime, term: Term, calendar: Calendar) -> datetime:
    """Return when a clock that begins now must be done.

    Days follow the Civil Code: the day of the beginning is not counted (art. 201), a last day
    that is no workday gives way to the next workday, and the end is closing time (art. 203).
    """
    match term.unit:
        case "hour":
            return start + timedelta(hours=term.value)
        case "day":
            return _workday_end(start, term.value, calendar)
        case "work_hour" | "work_day":
            return add_limit(start, Limit(term.value, term.unit), calendar)


def _workday_end(start: datetime, days: int, calendar: Calendar) -> datetime:
    last = calendar.local(start).date() + timedelta(days=days)
    for _ in range(LONGEST_IDLE_DAYS):
        if calendar.is_workday(last):
            return calendar.closing(last)
        last += timedelta(days=1)
    raise BrokenCalendar(f"no working day for {LONGEST_IDLE_DAYS} days before {last}")
