"""The forms of a change of the calendar: a day or a range, hours, a year of the shipped list."""

from __future__ import annotations

import csv
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Final

from flask import request

from app.i18n import translated
from app.installation import CODES
from grids.codes.calendar import BadCalendar, DayEdit, HoursEdit
from grids.codes.drafting import LONGEST_NAME, LONGEST_RANGE, LONGEST_REASON
from grids.errors import GridsError

FIELDS: Final = (
    "part", "first", "last", "what", "name_zh", "name_en", "reason", "kind", "since",
    "opens_1", "closes_1", "opens_2", "closes_2", "seed",
)  # fmt: skip
PARTS: Final = ("days", "hours", "seed")


def read() -> dict[str, str]:
    """Read what was typed."""
    return {name: request.form.get(name, "").strip()[:LONGEST_REASON] for name in FIELDS}


def edits(form: dict[str, str]) -> tuple[list[DayEdit], HoursEdit | None]:
    """Return the change that a form asks for. Raises `BadCalendar`."""
    if form["part"] not in PARTS:
        raise BadCalendar("no such form", field="part", problem="unknown")
    if form["part"] == "hours":
        return [], _hours(form)
    return (_seed(form) if form["part"] == "seed" else _days(form)), None


def message(error: GridsError) -> str:
    """Say in the reader's language what is wrong."""
    problem = error.params.get("problem")
    if problem:
        return translated(f"calendar.problem_{problem}", str(error), **error.params)
    return translated(f"error.{error.code}", str(error), **error.params)


@lru_cache(maxsize=1)
def seed_years() -> tuple[int, ...]:
    """Return the years that the shipped list knows, the latest first."""
    return tuple(sorted({row.day.year for row in _seeds()}, reverse=True))


def _days(form: dict[str, str]) -> list[DayEdit]:
    first = _date(form["first"], "first")
    last = _date(form["last"], "last") if form["last"] else first
    if last < first:
        raise BadCalendar("the range ends before it begins", field="last", problem="range")
    if (last - first).days >= LONGEST_RANGE:
        raise BadCalendar("a range that long", field="last", problem="long")
    if form["what"] not in ("off", "work", "week"):
        raise BadCalendar("no such state of a day", field="what", problem="unknown")
    for name in ("name_zh", "name_en"):
        if len(form[name]) > LONGEST_NAME:
            raise BadCalendar("the name is long", field=name, problem="name")
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [
        DayEdit(day, _is_work(form["what"], day), form["name_zh"], form["name_en"])
        for day in days
    ]  # fmt: skip


def _is_work(what: str, day: date) -> bool:
    return day.weekday() < 5 if what == "week" else what == "work"


def _hours(form: dict[str, str]) -> HoursEdit:
    spans = [(_time(form["opens_1"], "opens_1"),
              _time(form["closes_1"] or form["opens_1"], "closes_1"))]  # fmt: skip
    if form["opens_2"] or form["closes_2"]:
        spans.append((_time(form["opens_2"], "opens_2"), _time(form["closes_2"], "closes_2")))
    return HoursEdit(form["kind"], tuple(spans), _date(form["since"], "since"))


def _seed(form: dict[str, str]) -> list[DayEdit]:
    year = form["seed"]
    found = [row for row in _seeds() if str(row.day.year) == year]
    if not found:
        raise BadCalendar("the list has no such year", field="seed", problem="no_year")
    return found


@lru_cache(maxsize=1)
def _seeds() -> tuple[DayEdit, ...]:
    with (CODES / "workdays.csv").open(encoding="utf-8-sig", newline="") as file:
        return tuple(
            DayEdit(date.fromisoformat(row["day"]), row["is_workday"] == "1", row["name_zh"],
                    row["name_en"])
            for row in csv.DictReader(file)
        )  # fmt: skip


def _date(text: str, field: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadCalendar("not a day", field=field, problem="day") from None
    if not date(2004, 1, 1) <= day < date(2100, 1, 1):
        raise BadCalendar("not a day of this calendar", field=field, problem="day")
    return day


def _time(text: str, field: str) -> time:
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise BadCalendar("not a time", field=field, problem="time") from None
