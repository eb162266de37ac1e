"""Limits of stages and of handling out of the tables: for whom, since when, and by which answer."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select, text, update

from grids.city import the_city
from grids.codes import Category, CategoryLimit, CategoryRule, StageLimit
from grids.incidents import clockwork, machine, records
from grids.incidents.guards import YEAR
from grids.incidents.models import IncidentClock
from tests.support.cases import EAST, MATTER, Desk, build_city, make_staff

EVERY = {"code_system": "", "kind": "", "code": "", "urgency": "", "area_kind": ""}
SYSTEM = "GBT47678.5-2026"


@pytest.fixture
def desk(session):
    build_city(session)
    return Desk(session, make_staff(session))


def limit(desk, stage, hours, *, since=date(2020, 1, 1), until=None, unit="elapsed_hour", **of):
    desk.session.execute(
        insert(StageLimit).values(stage=stage, value=hours, unit=unit, valid_from=since,
                                  valid_to=until, source="test", **{**EVERY, **of})
    )  # fmt: skip


def clock(desk, case, stage):
    return desk.session.scalars(
        select(IncidentClock).where(IncidentClock.incident_id == case, IncidentClock.stage == stage)
    ).one()


def length(desk, case, stage):
    found = clock(desk, case, stage)
    return (found.due_at - found.started_at) / timedelta(hours=1)


def hold(desk, case):
    desk.session.expire_all()
    row = desk.row(case)
    days = clockwork.calendar_between(
        desk.session, the_city(desk.session).city_zone, row.received_at, desk.now + YEAR
    )
    again = machine.fold(records.log_of(desk.session, row), days)
    assert again.runs == records.load(desk.session, row, with_log=False).runs


def test_the_rows_that_are_shipped_are_the_limits_of_always(desk):
    case = desk.submit(channel="public")
    desk.take_to(case, "pending_sign")

    assert [length(desk, case, stage) for stage in ("S1", "S2", "S3", "S4")] == [0.5, 2, 0.5, 0.5]
    assert (clock(desk, case, "S5").limit_value, clock(desk, case, "S5").limit_unit) == (
        1, "work_hour",
    )  # fmt: skip
    hold(desk, case)


def test_a_category_an_urgency_and_a_kind_of_area_have_limits_of_their_own(desk):
    desk.session.execute(text("UPDATE area SET kind = 'village' WHERE code = '339901002001'"))
    limit(desk, "S1", 1, code_system=SYSTEM, kind="matter", code=MATTER[:2])
    limit(desk, "S3", 2, urgency="B")
    limit(desk, "S3", 3, area_kind="village")

    west, east = desk.submit(), desk.submit(lon=EAST[0], lat=EAST[1])
    urgent = desk.submit(urgency="B")
    for case in (west, east, urgent):
        desk.move(case, "accept", "intake")

    assert length(desk, west, "S1") == 1
    assert [length(desk, case, "S3") for case in (west, east, urgent)] == [0.5, 3, 2]
    for case in (west, east, urgent):
        hold(desk, case)


def test_an_emergency_has_one_limit_for_the_whole_desk(desk):
    desk.session.execute(update(StageLimit).where(StageLimit.stage == "DESK").values(value=20 / 60))
    case = desk.submit(urgency="A")
    began = desk.now
    desk.later(minutes=5)
    desk.move(case, "accept", "intake")

    assert clock(desk, case, "S1").due_at == began + timedelta(minutes=20)
    assert clock(desk, case, "S3").due_at == began + timedelta(minutes=20)
    hold(desk, case)


def test_a_new_limit_holds_for_the_cases_that_come_in_from_its_day_on(desk):
    old = desk.submit()
    tomorrow = desk.now.date() + timedelta(days=1)
    row = desk.session.scalars(
        select(StageLimit).where(StageLimit.stage == "S3", StageLimit.valid_to.is_(None))
    ).one()
    row.valid_to = tomorrow
    desk.session.flush()
    limit(desk, "S3", 4, since=tomorrow)
    desk.later(days=2)
    new = desk.submit()

    for case in (old, new):
        desk.move(case, "accept", "intake")

    assert [length(desk, case, "S3") for case in (old, new)] == [0.5, 4]
    hold(desk, old)
    hold(desk, new)


def test_handling_too_goes_by_the_day_on_which_the_case_came_in(desk):
    category = desk.session.scalar(
        select(Category.id).where(Category.code == MATTER, Category.kind == "matter")
    )
    tomorrow = desk.now.date() + timedelta(days=1)
    desk.session.execute(
        text("DELETE FROM category_limit WHERE category_id = :id"), {"id": category}
    )
    values = {"category_id": category, "urgency": "C", "unit": "elapsed_hour", "source": "test",
              "department_code": "D03"}  # fmt: skip
    desk.session.execute(
        insert(CategoryLimit),
        [{**values, "value": 5, "area_kind": "", "valid_from": date(2020, 1, 1),
          "valid_to": tomorrow},
         {**values, "value": 9, "area_kind": "", "valid_from": tomorrow, "valid_to": None}],
    )  # fmt: skip
    old = desk.submit()
    desk.later(days=2)
    new = desk.submit()

    for case in (old, new):
        desk.take_to(case, "handling")

    assert [length(desk, case, "H") for case in (old, new)] == [5, 9]
    hold(desk, old)


def test_an_answer_brings_its_own_limit_until_the_urgency_changes(desk):
    category = desk.session.scalar(
        select(Category.id).where(Category.code == MATTER, Category.kind == "matter")
    )
    options = [
        {"code": "few", "zh": "几袋", "en": "a few"},
        {"code": "many", "zh": "成堆", "en": "a heap", "value": 6, "unit": "elapsed_hour"},
    ]
    desk.session.execute(
        insert(CategoryRule).values(
            category_id=category, part="question", name="heap", text_zh="多少？", text_en="?",
            options=options, source="test", valid_from=date(2020, 1, 1),
        )
    )  # fmt: skip
    few = desk.submit(answers={"heap": "few"})
    many = desk.submit(answers={"heap": "many"})
    for case in (few, many):
        desk.take_to(case, "handling")

    assert length(desk, many, "H") == 6
    assert clock(desk, few, "H").limit_unit == "work_day"
    desk.move(many, "regrade", "shift_leader", urgency="A", note="有人受伤")
    assert length(desk, many, "H") == 24
    hold(desk, many)
