"""One line of a file of codes: it reads its columns and refuses what they may not hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from typing import Final, TypeVar

from grids.errors import Invalid

T = TypeVar("T")


class BadCodeList(Invalid):
    """A row of a code list is wrong; the message names file, line and column."""

    code = "codes.bad_row"


#: Why a row is refused: word of the texts -> how the refusal is written; groups are its values.
PROBLEMS: Final = {
    key: re.compile(pattern)
    for key, pattern in {
        "empty": r"is empty",
        "choice": r"is '(?P<value>.*)', not one of (?P<choices>.*)",
        "day": r"is no day like .*",
        "time": r"is no time like .*",
        "number": r"is no number",
        "whole": r"is no whole number",
        "above_zero": r"is not above zero",
        "flag": r"is neither 0 nor 1",
        "not_after": r"is not after (?P<other>\w+)",
        "encoding": r"is no UTF-8",
        "twice": r"names '?(?P<value>.*?)'? (?:a second time|twice)",
        "unknown_row": r"names '?(?P<value>.*?)'?, which no (?:row of (?P<file>\S+) has|list has)",
        "unknown": r"names (?P<value>.*)",
        "digits": r"holds something that is no digit",
        "length": r"has (?P<found>\d+) digits, not (?P<wanted>\d+)",
        "beginning": r"is not the beginning of (?P<value>.*)",
        "local_range": r"is outside 900 to 999, .*",
        "not_for": r"belongs to no (?P<value>.*)",
        "option": r"has '(?P<value>.*)', which is not code.*",
        "option_limit": r"has '(?P<value>.*)', which is no limit .*",
        "count": r"has (?P<found>\d+) sub-classes, the standard (?P<wanted>\d+)",
        "desk": r"is not A, though DESK .*",
    }.items()
}


def problem_of(why: str) -> tuple[str, dict[str, str]]:
    """Return the word and the values of a refusal, to say it in the reader's language."""
    for key, pattern in PROBLEMS.items():
        if found := pattern.fullmatch(why):
            return key, {name: value or "" for name, value in found.groupdict().items()}
    return "other", {}


@dataclass(frozen=True)
class Row:
    """One line of a file, which reads its columns and refuses what they may not hold."""

    file: str
    line: int
    values: dict[str, str]

    def bad(self, column: str, why: str) -> BadCodeList:
        """Make the refusal of a column."""
        return BadCodeList(
            f"{self.file}, line {self.line}: column {column} {why}",
            file=self.file,
            line=self.line,
            field=column,
            why=why,
        )

    def need(self, column: str) -> str:
        """Return what a column must hold."""
        if not (value := self.get(column)):
            raise self.bad(column, "is empty")
        return value

    def get(self, column: str) -> str:
        """Return a column without the spaces around it; empty where there is none."""
        return (self.values.get(column) or "").strip()

    def one_of(self, column: str, allowed: tuple[str, ...]) -> str:
        """Return a word of a closed list."""
        value = self.need(column)
        if value not in allowed:
            raise self.bad(column, f"is {value!r}, not one of {', '.join(allowed)}")
        return value

    def day(self, column: str) -> date:
        """Return a day, written 2026-07-01."""
        return self._read(column, date.fromisoformat, "is no day like 2026-07-01")

    def day_or_none(self, column: str) -> date | None:
        """Return a day or, from an empty column, None."""
        return self.day(column) if self.get(column) else None

    def until(self) -> date | None:
        """Return the end of validity, which comes after its beginning."""
        end = self.day_or_none("valid_to")
        if end is not None and end <= self.day("valid_from"):
            raise self.bad("valid_to", "is not after valid_from")
        return end

    def clock(self, column: str) -> time:
        """Return a time of day, written 08:30."""
        return self._read(column, time.fromisoformat, "is no time like 08:30")

    def amount(self, column: str) -> float:
        """Return a number above zero."""
        value = self._read(column, float, "is no number")
        if not 0 < value < 100_000:
            raise self.bad(column, "is not above zero")
        return value

    def flag(self, column: str) -> bool:
        """Return whether a column says 1."""
        value = self.get(column) or "0"
        if value not in ("0", "1"):
            raise self.bad(column, "is neither 0 nor 1")
        return value == "1"

    def whole(self, column: str) -> int:
        """Return a whole number; 0 from an empty column."""
        return self._read(column, int, "is no whole number") if self.get(column) else 0

    def _read(self, column: str, parse: Callable[[str], T], why: str) -> T:
        try:
            return parse(self.need(column))
        except ValueError as error:
            raise self.bad(column, why) from error
