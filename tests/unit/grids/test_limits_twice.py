"""Five hundred limits by two calculators that share neither code nor list of days."""

import csv
import random
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
from hypothesis import given
from hypothesis import strategies as st

from grids.incidents.clocks import (
    Calendar,
    Limit,
    Span,
    add_limit,
    late_by,
    resumed_due,
    share_at,
    stage_due,
    work_time_between,
)
from grids.incidents.colours import SHOWN, colour_at
from tests.support import naive_clock

ZONE = ZoneInfo("Asia/Shanghai")
FILE = Path(__file__).parents[3] / "data/codes/workdays.csv"
with FILE.open(encoding="utf-8") as stream:
    TABLE = {date.fromisoformat(r["day"]): r["is_workday"] == "1" for r in csv.DictReader(stream)}
DAYS = Calendar(ZONE, TABLE)
LIMITS = (
    [(n, "work_hour") for n in (0.5, 1, 2, 4, 7, 12, 20)]
    + [(n, "work_day") for n in (1, 2, 3, 5, 7, 15, 20)]
    + [(n, "elapsed_hour") for n in (0.5, 2, 6, 24, 36)]
)
#: Where calendars are hard: before, in and after Spring Festival and National Day, around
#: make-up weekends, at noon, at closing time, by night, at the turn of the year.
HARD_DAYS = [
    date(2024, 2, 3), date(2024, 2, 9), date(2024, 2, 17), date(2024, 2, 18), date(2024, 9, 14),
    date(2024, 9, 30), date(2024, 10, 12), date(2025, 1, 26), date(2025, 1, 27), date(2025, 2, 4),
    date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 9, 30), date(2025, 12, 31),
    date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 15), date(2026, 2, 23), date(2026, 2, 28),
    date(2026, 5, 9), date(2026, 9, 20), date(2026, 9, 30), date(2026, 10, 10),
]  # fmt: skip
HARD_TIMES = [(0, 0), (8, 29), (8, 30), (11, 59), (12, 0), (13, 59), (14, 0), (17, 29), (17, 30), (23, 59)]  # fmt: skip


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def test_five_hundred_limits_agree_with_a_calculator_that_counts_minutes():
    draw = random.Random(20260217)
    starts = [datetime(d.year, d.month, d.day, h, m, tzinfo=ZONE) for d in HARD_DAYS for h, m in HARD_TIMES]  # fmt: skip
    starts += [
        datetime(2024, 1, 1, tzinfo=ZONE) + timedelta(minutes=draw.randrange(1000 * 24 * 60))
        for _ in range(260)
    ]
    assert len(starts) == 500

    wrong = []
    for number, start in enumerate(starts):
        value, unit = LIMITS[number % len(LIMITS)]
        ours = add_limit(start, Limit(value, unit), DAYS)
        theirs = naive_clock.due(start, value, unit)
        if ours != theirs:
            wrong.append((start.isoformat(), value, unit, ours.isoformat(), theirs.isoformat()))

    assert wrong == []


def test_the_table_of_days_says_what_a_second_source_says():
    day, wrong = date(2024, 1, 1), []
    while day <= date(2026, 12, 31):
        answers = {DAYS.is_workday(day), naive_clock.is_workday(day), chinese_calendar.is_workday(day)}  # fmt: skip
        wrong += [day] if len(answers) > 1 else []
        day += timedelta(days=1)

    assert wrong == []


def test_hours_of_another_season_hold_from_their_day_on():
    summer = (
        Span(time(8, 30), time(12)),
        Span(time(14), time(17, 30), valid_to=date(2026, 6, 1)),
        Span(time(14, 30), time(18), date(2026, 6, 1)),
    )
    days = Calendar(ZONE, {}, summer)

    assert add_limit(at("2026-05-29 17:00"), Limit(4.5, "work_hour"), days) == at("2026-06-01 15:00")  # fmt: skip
    assert add_limit(at("2026-06-01 10:00"), Limit(1, "work_day"), days) == at("2026-06-02 18:00")


def test_a_check_waits_for_the_daylight_of_its_season():
    winter = Calendar(ZONE, daylight=(Span(time(7, 30), time(16, 30)),), morning=(Span(time(9, 30), time(9, 30)),))  # fmt: skip

    assert stage_due("S7", at("2026-12-01 15:00"), winter, urgency="C") == at("2026-12-02 09:30")


def test_half_of_a_limit_is_half_of_its_working_time():
    start, due = at("2026-02-14 14:00"), at("2026-02-24 12:00")  # Spring Festival between

    assert share_at(start, due, 0.5, unit="work_hour", calendar=DAYS) == at("2026-02-14 17:30")
    assert share_at(start, due, 0.8, unit="work_hour", calendar=DAYS) == at("2026-02-24 10:36")


def test_lateness_is_told_in_the_unit_of_the_limit():
    due, now = at("2026-02-14 17:30"), at("2026-02-24 12:00")

    assert late_by(due, now, "work_day", DAYS) == 0.5
    assert late_by(due, now, "work_hour", DAYS) == 3.5
    assert late_by(now, due, "work_hour", DAYS) == 0


def test_colours_turn_where_reminders_are_sent():
    start, due = at("2026-03-04 08:30"), at("2026-03-04 17:30")
    half, most = (share_at(start, due, s, unit="work_hour", calendar=DAYS) for s in (0.5, 0.8))

    def colour(text, *, paused=False):
        return colour_at(at(text), half_at=half, most_at=most, due_at=due, is_paused=paused)

    told = [colour(f"2026-03-04 {clock}") for clock in ("11:59", "12:00", "16:06", "17:30")]
    assert told == ["green", "yellow", "orange", "red"]
    assert colour("2026-03-04 17:30", paused=True) == "grey"
    assert [SHOWN[one] for one in told] == ["ok", "soon", "soon", "late"]


instants = st.datetimes(datetime(2024, 1, 1), datetime(2026, 9, 30)).map(  # noqa: DTZ001
    lambda naive: naive.replace(second=0, microsecond=0, tzinfo=UTC)
)
units = st.sampled_from(("elapsed_hour", "work_hour", "work_day"))
values = st.integers(1, 20)
gaps = st.integers(1, 20 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(start=instants, later=gaps, value=values, more=values, unit=units)
def test_later_or_longer_never_ends_earlier(start, later, value, more, unit):
    due = add_limit(start, Limit(value, unit), DAYS)

    assert add_limit(start + later, Limit(value, unit), DAYS) >= due
    assert add_limit(start, Limit(value + more, unit), DAYS) >= due


@given(start=instants, value=values, until_pause=gaps, pause=gaps)
def test_a_pause_shifts_the_end_by_its_working_time_and_by_nothing_else(
    start, value, until_pause, pause
):
    due = add_limit(start, Limit(value, "work_hour"), DAYS)
    paused, resumed = start + until_pause, start + until_pause + pause

    moved = resumed_due(due, paused, resumed, "work_hour", DAYS)

    if due <= paused:
        assert moved == due
    else:
        used = work_time_between(start, paused, DAYS) + work_time_between(resumed, moved, DAYS)
        assert used == timedelta(hours=value)


@given(start=instants, value=values, share=st.floats(0.01, 0.99), unit=units)
def test_a_share_of_a_limit_lies_inside_it(start, value, share, unit):
    due = add_limit(start, Limit(value, unit), DAYS)

    assert start <= share_at(start, due, share, unit=unit, calendar=DAYS) <= due
