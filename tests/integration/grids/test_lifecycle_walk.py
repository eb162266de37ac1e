"""Random walks on real PostGIS through the service: the rows are what the events add up to."""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.city import the_city
from grids.errors import GridsError
from grids.incidents import clockwork, machine, projection, records, timing
from grids.incidents.detail import detail
from grids.incidents.lifecycle import REASONS, STATES, Move, find_move, moves_from
from grids.incidents.models import IncidentEvent
from grids.incidents.owners import owner_of_case
from tests.support.cases import (
    DEPARTMENT,
    OTHER_DEPARTMENT,
    Desk,
    build_city,
    make_actor,
    make_photo,
    make_staff,
)
from tests.support.depth import IS_FULL

#: 30,000 actions in a full run; the mass of the walk is in tests/unit, without a database.
PARTS = range(12 if IS_FULL else 1)
WALKS, STEPS = (50, 50) if IS_FULL else (8, 25)
STARTS = ("pending_accept", "pending_dispatch", "handling", "pending_check")
MINUTES = (0, 0, 1, 25, 300, 3000)


def filled(line: Move, desk: Desk, photo: str, other: UUID, rng: Random) -> dict[str, Any]:
    """Fill in everything a line asks for, one way or another."""
    names = {name for wanted in line.requires for name in wanted.split("|")}
    values: dict[str, Any] = {
        "note": "说明", "photos": (photo,), "main": other, "grade": "key", "outside": "物业公司",
        "department": rng.choice((DEPARTMENT, OTHER_DEPARTMENT)),
        "worker": desk.staff["worker"].account_id, "urgency": rng.choice("ABCD"),
        "until": desk.now + timedelta(days=rng.randrange(1, 60)),
        "reason": rng.choice(REASONS[line.reasons]) if line.reasons else None,
    }  # fmt: skip
    if {"department", "worker"} <= names:
        names -= {rng.choice(("department", "department", "worker"))}
    more = {name: values[name] for name in names if name in values}
    if "department" in more and "assisting" in line.optional and rng.random() < 0.4:
        more["assisting"] = tuple({DEPARTMENT, OTHER_DEPARTMENT} - {more["department"]})
    return more


def hold(session: Session, desk: Desk, case: UUID) -> None:
    """Hold what is always true of a stored case."""
    session.flush()
    session.expire_all()
    row = desk.row(case)
    log = session.scalars(
        select(IncidentEvent).where(IncidentEvent.incident_id == case).order_by(IncidentEvent.seq)
    ).all()
    stored = records.load(session, row, with_log=False)
    again = machine.fold(log, clockwork.calendar(session, the_city(session), desk.now))
    assert again is not None
    assert projection.rebuild(log) == projection.of_row(row) == again.case
    assert again.tasks == stored.tasks
    assert set(row.involved) == {task.department_code for task in stored.tasks}
    assert again.runs == stored.runs
    is_over = STATES[row.status].is_terminal
    assert (owner_of_case(row) is None) == is_over
    live = [run for run in stored.runs if run.ended_at is None]
    assert bool(live) is not is_over
    assert sum(not run.is_paused for run in live) <= 1
    assert timing.due_of(stored.runs) == row.due_at


def walk(
    session: Session, desk: Desk, people: list[Actor], photo: str, rng: Random,
    done: Counter[str],
) -> None:  # fmt: skip
    """Take one case as far as chance goes; what was done least goes first."""
    other = desk.submit()
    case = desk.submit(channel=rng.choice(("worker", "public")), urgency=rng.choice("ABCD"))
    start = rng.choice(STARTS)
    desk.take_to(case, start)
    for _ in range(STEPS):
        desk.later(minutes=rng.choice(MINUTES))
        who = rng.choice(people)
        try:
            shown = [move.action for move in detail(session, who, case, now=desk.now).moves]
        except GridsError:
            shown = []
        tried = shown if shown and rng.random() < 0.9 else [
            move.action for move in moves_from(desk.row(case).status)
        ]  # fmt: skip
        action = min(rng.choices(tried, k=3), key=done.__getitem__)
        status = desk.row(case).status
        line = find_move(action, status)
        assert line is not None
        attempt = session.begin_nested()
        try:
            desk.move(case, action, who, **filled(line, desk, photo, other, rng))
        except GridsError:
            attempt.rollback()
            session.expire_all()
            assert desk.row(case).status == status
        else:
            attempt.commit()
            done[action] += 1
            assert action in shown, f"{who.name} did {action} without being shown it"
        hold(session, desk, case)


@pytest.mark.parametrize("part", PARTS)
def test_walks_through_the_service_leave_rows_that_follow_from_the_events(
    session: Session, part: int
) -> None:
    build_city(session)
    staff = make_staff(session)
    desk = Desk(session, staff)
    photo = make_photo(session)
    people = [*staff.values(), make_actor(session, "dispatcher"), make_actor(session, "worker"),
              make_actor(session, "handler", department=OTHER_DEPARTMENT)]  # fmt: skip
    rng = Random(4 + part)
    done: Counter[str] = Counter()

    for _ in range(WALKS):
        walk(session, desk, people, photo, rng, done)

    # Walks that end at once would keep every rule.
    assert len(done) >= (40 if IS_FULL else 12), sorted(done)
