"""Limits on the city's clock: elapsed, working time, working days, daylight."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grids.incidents.clocks import (
    BrokenCalendar,
    Calendar,
    Limit,
    add_limit,
    add_work_days,
    add_work_time,
    resumed_due,
    stage_due,
    work_time_between,
)

ZONE = ZoneInfo("Asia/Shanghai")
#: National Day 2026: 1 to 7 October off; Saturday 10 October is a make-up workday.
DAYS = Calendar(
    ZONE, {**{date(2026, 10, day): False for day in range(1, 8)}, date(2026, 10, 10): True}
)
WEEK = Calendar(ZONE)


def at(text: str) -> datetime:
    """Read an instant on the city's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-04 09:00", 2, "2026-03-04 11:00"),
        ("2026-03-04 11:00", 2, "2026-03-04 15:00"),  # over noon
        ("2026-03-04 17:00", 2, "2026-03-05 10:00"),  # over night
        ("2026-03-06 17:00", 2, "2026-03-09 10:00"),  # over the weekend
        ("2026-03-04 12:30", 1, "2026-03-04 15:00"),  # begins at the next working minute
        ("2026-03-07 10:00", 1, "2026-03-09 09:30"),  # begins on a Saturday
        ("2026-09-30 17:00", 1, "2026-10-08 09:00"),  # over the holiday
        ("2026-10-09 17:00", 1, "2026-10-10 09:00"),  # a Saturday that is worked
        ("2026-03-04 08:30", 7, "2026-03-04 17:30"),  # a whole day ends at closing time
        ("2026-03-04 08:30", 3.5, "2026-03-04 12:00"),
    ],
)
def test_working_hours_skip_noon_nights_weekends_and_holidays(
    start: str, hours: float, end: str
) -> None:
    found = add_work_time(at(start), timedelta(hours=hours), DAYS)

    assert found == at(end)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-03-04 10:00", 1, "2026-03-05 17:30"),
        ("2026-03-06 10:00", 1, "2026-03-09 17:30"),
        ("2026-03-04 23:00", 3, "2026-03-09 17:30"),
        ("2026-09-30 10:00", 1, "2026-10-08 17:30"),
        ("2026-10-09 10:00", 1, "2026-10-10 17:30"),
    ],
)
def test_working_days_end_at_closing_time(start: str, days: int, end: str) -> None:
    assert add_work_days(at(start), days, DAYS) == at(end)


@pytest.mark.parametrize(
    ("stage", "urgency", "start", "end"),
    [
        ("S1", "C", "2026-03-07 23:50", "2026-03-08 00:20"),
        ("S2", "C", "2026-03-04 10:00", "2026-03-04 12:00"),
        ("S5", "C", "2026-03-04 17:00", "2026-03-05 09:00"),
        ("S6", "C", "2026-03-06 17:00", "2026-03-09 10:00"),
        ("S7", "C", "2026-03-04 10:00", "2026-03-04 12:00"),
        ("S7", "C", "2026-03-04 15:59", "2026-03-04 17:59"),
        ("S7", "C", "2026-03-04 16:30", "2026-03-05 09:00"),  # it would end in the dark
        ("S7", "C", "2026-03-04 22:00", "2026-03-05 09:00"),
        ("S7", "C", "2026-03-05 02:00", "2026-03-05 09:00"),
        ("S7", "A", "2026-03-04 22:00", "2026-03-05 00:00"),  # an emergency never waits
        ("S5", "A", "2026-03-07 22:00", "2026-03-07 23:00"),
        ("S1", "A", "2026-03-04 22:00", "2026-03-04 22:10"),
        ("H", "A", "2026-03-04 22:00", "2026-03-05 22:00"),
        ("H", "C", "2026-03-04 10:00", "2026-03-09 17:30"),
    ],
)
def test_each_stage_has_its_limit(stage: str, urgency: str, start: str, end: str) -> None:
    assert stage_due(stage, at(start), WEEK, urgency=urgency) == at(end)


def test_the_three_desk_stages_of_an_emergency_share_ten_minutes() -> None:
    start = at("2026-03-04 10:00")

    rest = stage_due("S3", start, WEEK, urgency="A", used=timedelta(minutes=7))
    none_left = stage_due("S4", start, WEEK, urgency="A", used=timedelta(minutes=70))

    assert (rest - start, none_left - start) == (timedelta(minutes=3), timedelta())


def test_a_clock_that_goes_on_gets_the_rest_of_its_working_time() -> None:
    due = resumed_due(
        at("2026-03-04 17:00"), at("2026-03-04 15:00"), at("2026-03-06 17:00"), "work_hour", WEEK
    )

    assert due == at("2026-03-09 10:00")


def test_a_clock_that_was_over_stays_over() -> None:
    due = at("2026-03-04 10:00")

    assert (
        resumed_due(due, due + timedelta(hours=1), due + timedelta(days=9), "work_day", WEEK) == due
    )


def test_a_calendar_without_any_workday_is_an_error_and_no_endless_loop() -> None:
    closed = Calendar(ZONE, {date(2026, 1, 1) + timedelta(days=n): False for n in range(400)})

    with pytest.raises(BrokenCalendar):
        add_work_time(at("2026-01-05 10:00"), timedelta(hours=1), closed)
    with pytest.raises(BrokenCalendar):
        add_work_days(at("2026-01-05 10:00"), 1, closed)


instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=UTC)
)
spans = st.integers(1, 40 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(start=instants, length=spans)
def test_what_was_added_in_working_time_lies_between(start: datetime, length: timedelta) -> None:
    end = add_work_time(start, length, DAYS)

    assert work_time_between(start, end, DAYS) == length


@given(start=instants, first=spans, second=spans)
def test_working_time_adds_up(start: datetime, first: timedelta, second: timedelta) -> None:
    at_once = add_work_time(start, first + second, DAYS)

    assert add_work_time(add_work_time(start, first, DAYS), second, DAYS) == at_once


@given(start=instants, value=st.integers(1, 30), unit=st.sampled_from(("elapsed_hour", "work_hour", "work_day")))  # fmt: skip
def test_a_limit_never_ends_before_it_begins(start: datetime, value: int, unit: str) -> None:
    assert add_limit(start, Limit(value, unit), DAYS) > start  # type: ignore[arg-type]
