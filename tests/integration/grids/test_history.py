"""Cases worked by many clients at once: one order explains everything they were told (R42)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.config import as_role
from grids import scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.city import the_city
from grids.db import engine as make_engine
from grids.errors import GridsError
from grids.incidents import clockwork, projection, records, service
from grids.incidents.detail import detail
from grids.incidents.lifecycle import Move, find_move, moves_from
from grids.incidents.models import Incident, IncidentEvent
from grids.incidents.requests import MoveRequest
from tests.integration.grids.test_lifecycle_walk import filled
from tests.support.cases import (
    OTHER_DEPARTMENT,
    VAULT,
    Desk,
    build_city,
    make_actor,
    make_photo,
    make_staff,
    report,
)
from tests.support.depth import IS_FULL
from tests.support.history import History, Op, check

CLIENTS = 8
#: 500 cases in a full run, in parts that each take a few minutes.
PARTS = range(10 if IS_FULL else 1)
CASES, OPS = (50, 1600) if IS_FULL else (8, 160)
#: Cases that are worked on at the same time: few, so that clients meet.
OPEN_AT_ONCE = 5
#: How often the connection breaks before the commit, the answer is lost after it, and the
#: step is sent twice at the same moment.
BROKEN, LOST, DOUBLED = 0.05, 0.08, 0.05
TRIES = 12


class Broken(Exception):
    """The connection went before anything was kept."""


@pytest.fixture
def engines(empty_database: str) -> Iterator[dict[str, Engine]]:
    made = {
        role: make_engine(as_role(empty_database, f"wangge_{role}", "none"), pool_size=20)
        for role in ("owner", "app")
    }
    yield made
    for one in made.values():
        one.dispose()


class Client:
    """One person at a screen with a bad line; takes whatever role the next step needs."""

    def __init__(self, engine: Engine, desk: Desk, people: list[Actor], photo: str,
                 cases: list[UUID], history: History, seed: int) -> None:  # fmt: skip
        self.engine, self.desk, self.people, self.photo = engine, desk, people, photo
        self.cases, self.history, self.rng = cases, history, Random(seed)

    def work(self, steps: range) -> None:
        for step in steps:
            window = (step * len(self.cases)) // OPS
            near = self.cases[window : window + OPEN_AT_ONCE] or self.cases[-OPEN_AT_ONCE:]
            self.step(self.rng.choice(near))

    def step(self, case: UUID) -> None:
        """Look at a case, choose a step, and send it until there is an answer."""
        who = self.rng.choice(self.people)
        line = self.chosen(case, who)
        if line is None:
            return
        self.desk.now = datetime.now(UTC)
        other = self.rng.choice(self.cases)
        more = filled(line, self.desk, self.photo, other, self.rng)
        if "until" in more:
            more["until"] = datetime.now(UTC) + timedelta(days=90)
        wanted = MoveRequest(id=uuid4(), action=line.action, **more)
        op = Op(case, wanted, who, datetime.now(UTC), self.history.tick())
        if self.rng.random() < DOUBLED:
            with ThreadPoolExecutor(2) as both:
                list(both.map(lambda _: suppressed(self, op), range(2)))
        self.until_answered(op)
        self.history.keep(op)

    def chosen(self, case: UUID, who: Actor) -> Move | None:
        with Session(self.engine) as session, session.begin():
            scope.state(driver(session.connection()), who)
            try:
                found = detail(session, who, case, now=datetime.now(UTC))
            except GridsError:  # a department sees only what it was given
                status = "pending_accept"
            else:
                if found.moves and self.rng.random() < 0.9:
                    forward = [move for move in found.moves if move.is_primary]
                    is_on = bool(forward) and self.rng.random() < 0.6
                    return self.rng.choice(forward if is_on else found.moves)
                status = found.row.status
        lines = moves_from(status)
        return self.rng.choice(lines) if lines else None

    def until_answered(self, op: Op) -> None:
        for _ in range(TRIES):
            op.last_invoked = self.history.tick()
            try:
                answer = self.send(op)
            except (Broken, OperationalError):  # deadlocks are broken up by the server
                continue
            except GridsError as refused:
                op.code = refused.code
            else:
                if self.rng.random() < LOST:
                    continue
                op.seq = answer["seq"]
            op.returned = self.history.tick()
            return
        raise AssertionError("never answered")

    def send(self, op: Op) -> dict[str, Any]:
        with Session(self.engine) as session, session.begin():
            scope.state(driver(session.connection()), op.actor)
            done = service.move(session, op.case, op.wanted, op.actor, now=datetime.now(UTC))
            if self.rng.random() < BROKEN:
                raise Broken
            return done.answer


def suppressed(client: Client, op: Op) -> None:
    with suppress(Broken, OperationalError, GridsError):
        client.send(op)


@pytest.mark.parametrize("part", PARTS)
def test_one_order_explains_what_eight_clients_were_told(
    engines: dict[str, Engine], part: int
) -> None:
    with Session(engines["owner"]) as session, session.begin():
        build_city(session)
        staff = make_staff(session)
        photo = make_photo(session)
        people = [*staff.values(), make_actor(session, "dispatcher"),
                  make_actor(session, "shift_leader"), make_actor(session, "worker"),
                  make_actor(session, "handler", department=OTHER_DEPARTMENT)]  # fmt: skip
        now = datetime.now(UTC)
        wanted = [report(urgency="ABCD"[k % 4], channel="worker") for k in range(CASES)]
        for one in wanted:
            service.submit(session, one, staff["worker"], now=now, vault=VAULT)
        desk = Desk(session, staff, now=now)
    cases, history = [one.id for one in wanted], History()

    clients = [
        Client(engines["app"], Desk(session, staff, now=now), people, photo, cases, history,
               seed=1000 * part + number)
        for number in range(CLIENTS)
    ]  # fmt: skip
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda c: c.work(range(0, OPS, CLIENTS)), clients))

    taken = hold(engines["owner"], history, cases)
    told(part, history, taken)
    assert desk.staff
    # Clients that never meet would keep every rule.
    assert sum(bool(op.code) for op in history.ops) >= OPS // 50
    assert len(taken) >= (20 if IS_FULL else 10), sorted(taken)


def hold(engine: Engine, history: History, cases: list[UUID]) -> Counter[str]:
    """Check every case; return how often each step was taken."""
    taken: Counter[str] = Counter()
    with Session(engine) as session:
        now = datetime.now(UTC)
        days = clockwork.calendar(session, the_city(session), now)
        for case in cases:
            log = session.scalars(
                select(IncidentEvent)
                .where(IncidentEvent.incident_id == case)
                .order_by(IncidentEvent.seq)
            ).all()
            row = session.get_one(Incident, case)
            end = check(case, log, history.ops, days)
            stored = records.load(session, row, with_log=False)
            assert projection.of_row(row) == end.case
            assert (stored.runs, stored.tasks) == (end.runs, end.tasks)
            taken.update(event.action for event in log)
            assert all(find_move(event.action, event.from_status) for event in log)
    return taken


def told(part: int, history: History, taken: Counter[str]) -> None:
    """Leave the figures of a full run where they were asked for."""
    path = os.environ.get("WANGGE_HISTORY_FIGURES")
    if path:
        codes = Counter(op.code for op in history.ops if op.code)
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"part {part}: {CASES} cases, {len(history.ops)} steps wanted,"
                       f" {sum(taken.values())} events, {len(taken)} kinds,"
                       f" {sum(codes.values())} refused {dict(codes)}\n")  # fmt: skip
