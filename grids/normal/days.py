"""Days as people write them. What could be two days is refused, never guessed."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from grids.normal.texts import Unfit

_ORDERED: Final = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T ]\s*\d{1,2}:\d{2}.*)?"
)
_PACKED: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{6})?")
_MONTH: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?")
_SERIAL: Final = re.compile(r"(\d{5})(?:\.\d+)?")
_OTHER_ORDER: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{2,4})(?:\s.*)?")
#: Day 0 of spreadsheets, which believe in a 29th of February 1900.
_ZERO: Final = date(1899, 12, 30)
_FIRST: Final = date(1900, 1, 1)
_LAST: Final = date(2199, 12, 31)


def day(text: str) -> date:
    """Read a day. Raises `Unfit`.

    >>> day("2026年1月5日"), day("20260105"), day("46027")
    (datetime.date(2026, 1, 5), datetime.date(2026, 1, 5), datetime.date(2026, 1, 5))
    >>> day("25/12/2026")
    datetime.date(2026, 12, 25)
    >>> day("05/01/2026")
    Traceback (most recent call last):
    grids.normal.texts.Unfit: day_ambiguous
    """
    if found := _ORDERED.fullmatch(text) or _PACKED.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _SERIAL.fullmatch(text):
        return _checked(_ZERO + timedelta(days=int(found[1])))
    if found := _OTHER_ORDER.fullmatch(text):
        first, second, year = (int(part) for part in found.groups())
        if year < 100:
            raise Unfit("day_year")
        if first <= 12 and second <= 12 and first != second:
            raise Unfit("day_ambiguous")
        return _day(year, second, first) if second <= 12 else _day(year, first, second)
    if _MONTH.fullmatch(text):
        raise Unfit("day_month_only")
    raise Unfit("not_a_day")


def _day(year: int, month: int, number: int) -> date:
    try:
        return _checked(date(year, month, number))
    except ValueError as error:
        if isinstance(error, Unfit):
            raise
        raise Unfit("no_such_day") from None


def _checked(value: date) -> date:
    if not _FIRST <= value <= _LAST:
        raise Unfit("no_such_day")
    return value
