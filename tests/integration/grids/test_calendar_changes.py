"""A changed calendar measures open limits again: as a second calculator does, once, and from events."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from grids import reminders
from grids.city import the_city
from grids.codes import CalendarDraft, CalendarVersion, drafting
from grids.codes.calendar import BadCalendar, DayEdit, HoursEdit, change_days, change_hours, history
from grids.incidents import clockwork, machine, projection, records, timing
from grids.incidents.guards import YEAR
from grids.incidents.models import IncidentClock, IncidentEvent
from grids.reminders import recomputing
from tests.support import naive_clock
from tests.support.cases import Desk, build_city, make_actor, make_photo, make_staff

ZONE = ZoneInfo("Asia/Shanghai")
STORM = ("2026-03-05", "2026-03-06")  # Thursday and Friday after the Wednesday of the tests
STATES = ("pending_accept", "pending_dispatch", "pending_sign", "handling", "pending_review",
          "pending_check")  # fmt: skip


@pytest.fixture
def desk(session):
    build_city(session)
    return Desk(session, make_staff(session))


@pytest.fixture
def by(session):
    return make_actor(session, "commander").account_id


def off(*days, name="台风停工"):
    return [DayEdit(date.fromisoformat(day), is_workday=False, name_zh=name, name_en="Storm")
            for day in days]  # fmt: skip


def close_offices(session, by, *days):
    return change_days(session, off(*days), by=by, reason="台风", source="市政府通知")


def run(desk, number):
    """Do what the job does."""
    last = recomputing.recompute(desk.session, number, desk.now)
    while last is not None:
        last = recomputing.recompute(desk.session, number, desk.now, after=last)


def clocks(desk, case):
    return desk.session.scalars(
        select(IncidentClock)
        .where(IncidentClock.incident_id == case)
        .order_by(IncidentClock.started_at, IncidentClock.id)
    ).all()


def looks(desk, case=None):
    asked = select(func.count()).where(IncidentEvent.action == "recompute")
    return desk.session.scalar(asked.where(IncidentEvent.incident_id == case) if case else asked)


def hold(desk, case):
    """What is stored is what the events add up to, each step by the calendar of its day."""
    desk.session.flush()
    desk.session.expire_all()
    row = desk.row(case)
    log = records.log_of(desk.session, row)
    days = clockwork.calendar_between(
        desk.session, the_city(desk.session).city_zone, row.received_at, desk.now + YEAR
    )
    again = machine.fold(log, days)
    assert again.runs == records.load(desk.session, row, with_log=False).runs
    assert projection.rebuild(log) == projection.of_row(row) == again.case
    assert timing.due_of(again.runs) == row.due_at


def test_open_limits_follow_as_a_second_calculator_has_them(desk, by, monkeypatch):
    cases = {state: desk.submit() for state in STATES}
    for state, case in cases.items():
        desk.take_to(case, state)
    elapsed_before = {state: desk.row(cases[state]).due_at for state in STATES[:2]}

    run(desk, close_offices(desk.session, by, *STORM))

    monkeypatch.setattr(naive_clock, "OFF", (*naive_clock.OFF, " ".join(STORM)))
    counted = 0
    for case in cases.values():
        for clock in clocks(desk, case):
            if clock.ended_at is None and not clock.paused and clock.stage != "S7":
                theirs = naive_clock.due(clock.started_at, clock.limit_value, clock.limit_unit)
                assert clock.due_at == theirs, clock.stage
                counted += 1
        hold(desk, case)
    assert counted >= 5
    assert {state: desk.row(cases[state]).due_at for state in STATES[:2]} == elapsed_before


def test_handling_that_waits_while_others_judge_gets_its_days_back(desk, by):
    case = desk.submit()
    desk.take_to(case, "pending_review")
    run(desk, close_offices(desk.session, by, *STORM))
    desk.later(hours=3)

    desk.move(case, "rework", "dispatcher", reason="poor_quality")

    (handling,) = [clock for clock in clocks(desk, case) if clock.stage == "H"]
    due = handling.due_at.astimezone(ZONE)
    assert due.date() >= date(2026, 3, 11)  # three working days that are no storm
    hold(desk, case)


def test_what_has_ended_stays_as_it_was_measured(desk, by):
    case = desk.submit()
    desk.take_to(case, "handling")
    desk.later(days=20)
    photo = make_photo(desk.session, "blue")
    desk.move(case, "reply", "handler", note="已修", photos=(photo,))
    desk.move(case, "ask_check", "dispatcher")
    ended = {c.id: c.due_at for c in clocks(desk, case) if c.ended_at is not None}

    run(desk, close_offices(desk.session, by, *STORM))

    assert ended
    assert {c.id: c.due_at for c in clocks(desk, case) if c.id in ended} == ended
    hold(desk, case)


def test_an_approved_extension_is_a_promise_and_stays(desk, by):
    case = desk.submit()
    desk.take_to(case, "handling")
    until = desk.now + timedelta(days=9)
    desk.move(case, "ask_extend", "handler", reason="weather", until=until, note="等料")
    desk.move(case, "extend", "shift_leader", note="同意", until=until)

    run(desk, close_offices(desk.session, by, *STORM))

    assert desk.row(case).due_at == until
    assert looks(desk, case) == 0
    hold(desk, case)


def test_killed_half_way_and_run_again_it_writes_what_was_left_and_nothing_twice(
    desk, by, monkeypatch
):
    cases = [desk.submit() for _ in range(7)]
    for case in cases:
        desk.take_to(case, "handling")
    number = close_offices(desk.session, by, *STORM)
    monkeypatch.setattr(recomputing, "BATCH", 3)

    recomputing.recompute(desk.session, number, desk.now)  # and no further: killed here
    first = looks(desk)
    version = desk.session.get_one(CalendarVersion, number)
    is_open = version.recomputed_at is None
    run(desk, number)
    run(desk, number)

    assert (first, looks(desk)) == (3, 7)
    assert is_open
    assert (version.moved, version.recomputed_at) == (7, desk.now)
    assert {looks(desk, case) for case in cases} == {1}
    for case in cases:
        hold(desk, case)


def test_a_change_that_is_taken_back_gives_the_limits_back(desk, by):
    case = desk.submit()
    desk.take_to(case, "handling")
    before = desk.row(case).due_at
    run(desk, close_offices(desk.session, by, *STORM))
    moved = desk.row(case).due_at

    back = [DayEdit(date.fromisoformat(day), is_workday=True) for day in STORM]
    run(desk, change_days(desk.session, back, by=by, reason="照常上班", source="通知"))

    assert moved > before
    assert desk.row(case).due_at == before
    assert looks(desk, case) == 2
    hold(desk, case)


def test_steps_go_on_by_the_calendar_that_they_were_taken_under(desk, by):
    """The walk of a case over three calendars, rebuilt from its events after every step."""
    case = desk.submit(channel="public")
    photo = make_photo(desk.session)
    steps = [("accept", "intake", {}), ("verify", "worker", {"photos": (photo,)}),
             ("file", "shift_leader", {}), ("dispatch", "dispatcher", {"department": "D03"}),
             ("sign", "handler", {}), ("reply", "handler", {"note": "完成", "photos": (photo,)}),
             ("ask_check", "dispatcher", {})]  # fmt: skip
    changes = {2: STORM, 4: ("2026-03-09",), 6: ("2026-03-10", "2026-03-11")}

    for number, (action, who, more) in enumerate(steps):
        if number in changes:
            run(desk, close_offices(desk.session, by, *changes[number]))
            hold(desk, case)
        desk.later(minutes=40)
        desk.move(case, action, who, **more)
        hold(desk, case)

    log = records.log_of(desk.session, desk.row(case))
    assert len({event.data.get("calendar", 0) for event in log}) == 4


def test_the_look_ahead_says_what_then_happens(desk, by):
    for state in ("handling", "handling", "pending_sign", "pending_accept"):
        desk.take_to(desk.submit(), state)
    draft = drafting.draft(desk.session, by=by, reason="台风", days=off(*STORM))

    ahead = reminders.look_ahead(desk.session, draft.id, desk.now)
    before = looks(desk)
    number = drafting.make(desk.session, draft.id, by=by, source="通知")
    run(desk, number)

    assert before == 0
    assert (ahead.earlier, ahead.is_whole) == (0, True)
    assert ahead.moved == looks(desk) == desk.session.get_one(CalendarVersion, number).moved
    assert ahead.moved >= 2
    assert draft.outlook["later"] == ahead.later


def test_hours_of_another_season_move_what_reaches_into_them(desk, by):
    case = desk.submit()
    desk.take_to(case, "handling")
    before = desk.row(case).due_at.astimezone(ZONE)
    summer = HoursEdit("office", ((time(9), time(12)), (time(14), time(18))), date(2026, 3, 6))

    number = change_hours(desk.session, summer, by=by, reason="夏令", source="通知")
    run(desk, number)

    after = desk.row(case).due_at.astimezone(ZONE)
    assert (before.time(), after.time()) == (time(17, 30), time(18))
    assert after.date() == before.date()
    hold(desk, case)


def test_reminders_follow_the_moved_end(desk, by):
    case = desk.submit()
    desk.take_to(case, "handling")
    reminders.plan(desk.session, desk.now)
    run(desk, close_offices(desk.session, by, *STORM))

    reminders.plan(desk.session, desk.now)

    (clock,) = [clock for clock in clocks(desk, case) if clock.stage == "H"]
    told = desk.session.scalars(
        select(reminders.ClockReminder).where(reminders.ClockReminder.clock_id == clock.id)
    ).all()
    assert {one.due_at for one in told} == {clock.due_at}
    assert all(one.reached_at.astimezone(ZONE).date().isoformat() not in STORM for one in told)


def test_a_draft_of_yesterdays_calendar_is_refused_and_made_twice_is_one(desk, by):
    session = desk.session
    old = drafting.draft(session, by=by, reason="旧", days=off("2026-03-09"))
    new = drafting.draft(session, by=by, reason="新", days=off(*STORM))

    number = drafting.make(session, new.id, by=by, source="通知")

    assert drafting.make(session, new.id, by=by, source="通知") == number
    with pytest.raises(drafting.CalendarMoved):
        drafting.make(session, old.id, by=by, source="通知")
    with pytest.raises(BadCalendar):
        drafting.draft(session, by=by, reason="又", days=off(*STORM))
    assert session.scalar(select(func.count()).select_from(CalendarDraft)) == 2


@pytest.mark.parametrize(
    "spans",
    [
        (),
        ((time(12), time(9)),),
        ((time(9), time(12)), (time(11), time(15))),
        ((time(9), time(9)),),
    ],
)
def test_hours_that_cannot_be_are_refused(desk, by, spans):
    with pytest.raises(BadCalendar):
        change_hours(desk.session, HoursEdit("office", spans, date(2026, 5, 1)), by=by,
                     reason="x", source="x")  # fmt: skip


def test_the_history_says_who_changed_what_and_why(desk, by):
    close_offices(desk.session, by, *STORM)

    (last,) = history(desk.session)

    assert (last.account_id, last.reason, last.is_done) == (by, "台风", False)
    assert [(one.key, one.before, one.after["is_workday"]) for one in last.changes] == [
        (day, None, False) for day in STORM
    ]


def test_days_that_the_rows_hold_are_joined_for_the_search():
    days = [date(2026, 3, day) for day in (9, 5, 6, 12)]

    assert recomputing.joined(days) == [
        (date(2026, 3, 5), date(2026, 3, 6)), (date(2026, 3, 9), date(2026, 3, 9)),
        (date(2026, 3, 12), date(2026, 3, 12)),
    ]  # fmt: skip
    assert datetime.combine(days[0], time(), ZONE).utcoffset() == timedelta(hours=8)
