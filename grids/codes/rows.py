"""One line of a file of codes: it reads its columns and refuses what they may not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from typing import TypeVar

from grids.errors import Invalid

T = TypeVar("T")


class BadCodeList(Invalid):
    """A row of a code list is wrong; the message names file, line and column."""

    code = "codes.bad_row"


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
