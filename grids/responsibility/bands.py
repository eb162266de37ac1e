"""Time bands (时段) of the matrix: working time, off hours, days off, night.

A band is read on the city's clock. Which days are worked is said by the table of workdays,
so a make-up Saturday is no day off and Spring Festival is one.
"""

from __future__ import annotations

from datetime import time
from typing import Final

#: From the opening to the closing of offices. The break at noon belongs to it: who is
#: responsible does not change over lunch.
OFFICE: Final = (time(8, 30), time(17, 30))
NIGHT: Final = (time(22), time(6))

#: Every band with its place in the order: the later wins where two hold at once. A night of
#: a day off is a night: the crew that is awake is decided before the day of the week.
BANDS: Final = ("", "off_hours", "working", "weekend", "night")


def bands_at(clock: time, *, is_workday: bool) -> frozenset[str]:
    """Return the bands that hold at a time of the city's clock.

    >>> sorted(bands_at(time(12, 30), is_workday=True))
    ['', 'working']
    >>> sorted(bands_at(time(23), is_workday=False))
    ['', 'night', 'off_hours', 'weekend']
    """
    is_working = is_workday and OFFICE[0] <= clock < OFFICE[1]
    found = {"", "working" if is_working else "off_hours"}
    if not is_workday:
        found.add("weekend")
    if clock >= NIGHT[0] or clock < NIGHT[1]:
        found.add("night")
    return frozenset(found)
