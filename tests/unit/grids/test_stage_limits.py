"""Which limit a stage has, and the calendar as it was known when a step was measured."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from grids.incidents import machine
from grids.incidents.clocks import (
    DEFAULT_HANDLING,
    Calendar,
    Former,
    Limit,
    Span,
    elapsed,
    stage_due,
    usual_limit,
)
from grids.incidents.clockwork import Placed, StageRule, stage_limit
from grids.incidents.machine import Setting, fold
from grids.incidents.requests import MoveRequest
from tests.support.walks import PHOTO, STAFF, PaperCase

BY_ID = {actor.account_id: actor for actor in STAFF}
SUB, CLASS = ("GB", "matter", "06012"), ("GB", "matter", "06")
HERE = Placed("C", (SUB, CLASS), ("village", "town"))


def rule(hours, unit="elapsed_hour", *, stage="S2", code=("", "", ""), urgency="", area=""):
    return StageRule(stage, Limit(hours, unit), *code, urgency, area)


@pytest.mark.parametrize(
    ("rules", "hours"),
    [
        ([], None),
        ([rule(2)], 2),
        ([rule(2), rule(3, urgency="C")], 3),
        ([rule(2), rule(3, urgency="B")], 2),
        ([rule(2), rule(3, urgency="C"), rule(4, code=CLASS)], 4),
        ([rule(4, code=CLASS), rule(5, code=SUB)], 5),
        ([rule(5, code=SUB), rule(6, code=SUB, urgency="C")], 6),
        ([rule(2), rule(7, area="town")], 7),
        ([rule(7, area="town"), rule(8, area="village")], 8),
        ([rule(2), rule(9, area="street")], 2),
        ([rule(7, area="village"), rule(3, urgency="C")], 3),
        ([rule(2), rule(9, code=("GB", "component", "06012"))], 2),
        ([rule(2, stage="S6")], None),
    ],
)
def test_the_closest_row_counts_by_category_then_urgency_then_area(rules, hours):
    for order in (rules, rules[::-1]):
        found = stage_limit(order, "S2", HERE)

        assert (found.value if found else None) == hours


def test_an_emergency_runs_on_elapsed_time_and_its_desk_has_one_limit():
    urgent = Placed("A", (SUB, CLASS))
    rules = [rule(1, "work_hour", stage="S5"), rule(0.5, stage="S3"),
             rule(0.25, stage="DESK", urgency="A"), rule(1, "work_day", stage="S6")]  # fmt: skip

    assert stage_limit(rules, "S5", urgent) == Limit(1, "elapsed_hour")
    assert stage_limit(rules, "S3", urgent) == Limit(0.25, "elapsed_hour")
    assert stage_limit(rules, "S6", urgent) == Limit(24, "elapsed_hour")
    assert stage_limit(rules, "S3", HERE) == Limit(0.5, "elapsed_hour")


@pytest.mark.parametrize("urgency", "ABCD")
@pytest.mark.parametrize("stage", ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8"])
def test_the_limit_that_no_row_says_is_the_one_of_always(stage, urgency):
    start = datetime(2026, 3, 4, 2, 7, tzinfo=UTC)
    days = Calendar(ZoneInfo("Asia/Shanghai"))

    usual = stage_due(stage, start, days, urgency=urgency)

    assert (
        stage_due(stage, start, days, urgency=urgency, limit=usual_limit(stage, urgency)) == usual
    )
    assert urgency != "A" or usual_limit(stage, "A") == elapsed(usual_limit(stage, "A"))


def test_a_calendar_knows_what_it_was_before_each_of_its_changes():
    first, second = date(2026, 12, 7), date(2026, 12, 12)  # a Monday, a Saturday
    summer = (Span(time(9), time(12)),)
    days = Calendar(
        ZoneInfo("Asia/Shanghai"), {first: False, second: True}, no=3,
        formers=(Former(3, {second: None}), Former(2, {}, {"office": summer}),
                 Former(1, {first: True})),
    )  # fmt: skip

    assert (days.is_workday(first), days.is_workday(second)) == (False, True)
    assert (days.known(2).is_workday(second), days.known(2).office) == (False, days.office)
    assert days.known(1).office == summer
    assert days.known(1).is_workday(first) is False
    assert days.known(0).is_workday(first) is True
    assert days.known(3) is days
    assert days.alone().known(0).is_workday(second) is True


def test_what_a_change_would_be_is_seen_without_making_it():
    days = Calendar(ZoneInfo("Asia/Shanghai"), {date(2026, 12, 7): False})

    anew = days.changed({date(2026, 12, 7): None, date(2026, 12, 8): False}, {})

    assert (anew.is_workday(date(2026, 12, 7)), anew.is_workday(date(2026, 12, 8))) == (True, False)
    assert days.is_workday(date(2026, 12, 8)) is True


def walk(case, stage_limits):
    """Take a case to handling by the table of the test, as the service does by that of rows."""
    path = (("accept", 1, {}), ("file", 2, {}), ("dispatch", 4, {"department": "D03"}),
            ("sign", 7, {}), ("reply", 7, {"note": "完成", "photos": (PHOTO,)}))  # fmt: skip
    days = Calendar(ZoneInfo("Asia/Shanghai"))
    for action, who, more in path:
        case.later(minutes=3)
        wanted = MoveRequest(id=case.log[0].id, action=action, **more)
        setting = Setting(
            days,
            lambda _category, urgency: DEFAULT_HANDLING[urgency],
            partial(case._resolved, wanted),
            stage_limit_of=lambda stage, _c, urgency: stage_limit(
                stage_limits, stage, Placed(urgency)
            ),
        )
        fact = machine.decide(case.dossier, wanted, BY_ID[who], setting, now=case.now)
        case.dossier = machine.after(case.dossier, fact, days)
        case.log.append(fact)


def test_every_stage_runs_on_its_own_row_and_comes_out_of_the_events_again():
    case = PaperCase()
    walk(case, [rule(1, stage="S3"), rule(2, stage="S4"), rule(3, "work_hour", stage="S5"),
                rule(4, stage="S6")])  # fmt: skip

    runs = {run.stage: run for run in case.dossier.runs}
    assert runs["S3"].due_at - runs["S3"].started_at == timedelta(hours=1)
    assert runs["S4"].due_at - runs["S4"].started_at == timedelta(hours=2)
    assert (runs["S5"].limit_value, runs["S5"].limit_unit) == (3, "work_hour")
    assert runs["S6"].due_at - runs["S6"].started_at == timedelta(hours=4)
    again = fold(case.log, Calendar(ZoneInfo("Asia/Shanghai")))
    assert again is not None
    assert again.runs == case.dossier.runs
