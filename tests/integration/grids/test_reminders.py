"""Reminders at half and at four fifths of a limit: once each, whatever the worker did (R32)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from grids import reminders
from grids.incidents import projection
from grids.incidents.models import IncidentClock, IncidentEvent
from grids.reminders import ClockReminder
from tests.support.cases import Desk, build_city, make_photo, make_staff


@pytest.fixture
def desk(session):
    build_city(session)
    return Desk(session, make_staff(session))


def look(desk):
    """Do what the job does each minute."""
    reminders.plan(desk.session, desk.now)
    return reminders.tell(desk.session, desk.now)


def told(desk, incident_id):
    events = desk.session.scalars(
        select(IncidentEvent)
        .where(IncidentEvent.incident_id == incident_id, IncidentEvent.action == "expedite")
        .order_by(IncidentEvent.seq)
    ).all()
    return [(event.data["stage"], event.data["reminder"], event) for event in events]


def shares(desk, incident_id):
    return [(stage, share) for stage, share, _ in told(desk, incident_id)]


def test_half_and_most_of_a_limit_are_told_once_each(desk):
    case = desk.submit()
    seen = []
    for _ in range(32):
        desk.later(minutes=1)
        look(desk)
        seen.append(len(told(desk, case)))

    assert shares(desk, case) == [("S1", 50), ("S1", 80)]
    assert (seen[13], seen[14], seen[22], seen[23], seen[31]) == (0, 1, 1, 2, 2)


def test_what_fell_due_while_the_worker_was_away_is_told_with_both_times(desk):
    case = desk.submit()
    began = desk.now
    look(desk)
    desk.later(minutes=29)  # no worker meanwhile

    assert look(desk) == 2
    assert look(desk) == 0
    half, most = (event for *_, event in told(desk, case))
    assert datetime.fromisoformat(half.data["reached_at"]) == began + timedelta(minutes=15)
    assert datetime.fromisoformat(most.data["reached_at"]) == began + timedelta(minutes=24)
    assert datetime.fromisoformat(half.data["told_at"]) == desk.now
    assert half.recorded_at == desk.now


def test_a_worker_that_never_looked_before_makes_up_for_it(desk):
    case = desk.submit()
    desk.later(minutes=40)

    look(desk)

    assert shares(desk, case) == [("S1", 50), ("S1", 80)]


def test_a_clock_that_ended_meanwhile_is_not_told_of(desk):
    case = desk.submit()
    desk.later(minutes=10)
    desk.move(case, "accept", "intake")
    desk.later(minutes=10)

    look(desk)

    assert shares(desk, case) == []


def test_each_stage_has_reminders_of_its_own_in_its_own_time(desk):
    case = desk.submit()
    desk.take_to(case, "handling")
    clock = desk.session.scalars(
        select(IncidentClock).where(IncidentClock.incident_id == case, IncidentClock.stage == "H")
    ).one()
    desk.now = clock.due_at - timedelta(seconds=1)

    look(desk)

    assert shares(desk, case) == [("H", 50), ("H", 80)]
    half = told(desk, case)[0][2]
    assert clock.started_at < datetime.fromisoformat(half.data["reached_at"]) < clock.due_at


def test_while_others_judge_the_reply_handling_is_not_reminded(desk):
    case = desk.submit()
    desk.take_to(case, "handling")
    photo = make_photo(desk.session, "blue")
    desk.move(case, "reply", "handler", note="已清运", photos=(photo,))
    desk.later(days=60)

    look(desk)

    assert {stage for stage, _ in shares(desk, case)} == {"S6"}


def test_a_moved_end_moves_what_was_not_yet_told(desk):
    case = desk.submit()
    clock = desk.session.scalars(
        select(IncidentClock).where(IncidentClock.incident_id == case)
    ).one()
    desk.later(minutes=16)
    look(desk)
    clock.due_at += timedelta(minutes=30)
    desk.session.flush()
    desk.later(minutes=10)  # 24 of 30 minutes would be over, 26 of 60 are not

    look(desk)
    before = shares(desk, case)
    desk.later(minutes=23)
    look(desk)

    assert before == [("S1", 50)]
    assert shares(desk, case) == [("S1", 50), ("S1", 80)]


def test_the_case_is_still_what_its_events_add_up_to(desk):
    case = desk.submit()
    desk.later(minutes=29)
    look(desk)
    row = desk.row(case)

    assert projection.rebuilt(desk.session, case) == projection.of_row(row)
    assert desk.session.scalar(select(ClockReminder.told_at).limit(1)) == desk.now
    desk.move(case, "accept", "intake")
    assert row.status == "pending_file"
