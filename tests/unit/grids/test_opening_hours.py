"""Opening hours of counters: what is read, what is refused, when a counter is open."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from grids.sites import BadHours, is_open, parse

ZONE = ZoneInfo("Asia/Shanghai")
OFFICE = "Mo-Fr 08:30-11:30,14:00-17:30; Sa 09:00-11:30"


@pytest.mark.parametrize(
    ("text", "days", "minutes"),
    [
        ("Mo-Fr 08:30-11:30,14:00-17:30", ((0, 4),), ((510, 690), (840, 1050))),
        ("Mo,We,Fr 08:30-11:30", ((0, 0), (2, 2), (4, 4)), ((510, 690),)),
        ("Mo-Su 00:00-24:00", ((0, 6),), ((0, 1440),)),
    ],
)
def test_days_and_times_are_read(text, days, minutes):
    (rule,) = parse(text)

    assert (rule.days, rule.minutes) == (days, minutes)


@pytest.mark.parametrize(
    "text",
    ["8:30-11:30", "Mo-Fr", "Mo-Fr 8:30-11:30", "Mo-Fr 11:30-08:30", "Fr-Mo 08:30-11:30",
     "Mo 08:30-11:30,11:00-12:00", "PH off", "Mo 08:30-25:00", "周一 08:30-11:30",
     "Mo 08:30-11:30;"],
)  # fmt: skip
def test_what_is_not_understood_is_refused_whole(text):
    with pytest.raises(BadHours):
        parse(text)


@pytest.mark.parametrize(
    ("day", "hour", "minute", "expected"),
    [(2, 8, 29, False), (2, 8, 30, True), (2, 11, 30, False), (2, 14, 0, True), (6, 17, 29, True),
     (7, 9, 0, True), (7, 14, 0, False), (8, 9, 0, False)],
)  # fmt: skip
def test_a_counter_is_open_from_the_first_minute_to_before_the_last(day, hour, minute, expected):
    at = datetime(2026, 3, day, hour, minute, tzinfo=ZONE)  # the 2nd is a Monday

    assert is_open(OFFICE, at) is expected


def test_the_later_rule_of_a_day_holds():
    at = datetime(2026, 3, 2, 15, tzinfo=ZONE)

    assert not is_open("Mo-Su 08:00-18:00; Mo 08:00-12:00", at)
