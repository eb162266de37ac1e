"""Many at once, and failures in the middle: one report, one owner, all or nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from app.config import as_role
from grids import feed, scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.db import engine as make_engine
from grids.errors import GridsError
from grids.incidents import projection, service
from grids.incidents.models import Attachment, Incident, IncidentClock, IncidentEvent
from grids.incidents.requests import Contact, MoveRequest, Report
from grids.requests import RequestKey
from tests.support.cases import (
    DEPARTMENT,
    VAULT,
    build_city,
    make_photo,
    make_staff,
    report,
)

CLIENTS = 20


@pytest.fixture
def shared(empty_database: str) -> Iterator[Engine]:
    """An engine on a database of its own, as the web's role: every client has a connection."""
    made = make_engine(as_role(empty_database, "wangge_app", "none"), pool_size=CLIENTS)
    yield made
    made.dispose()


@pytest.fixture
def staff(empty_database: str) -> dict[str, Actor]:
    made = make_engine(as_role(empty_database, "wangge_owner", "none"))
    with Session(made) as session, session.begin():
        build_city(session)
        make_photo(session)
        found = make_staff(session)
    made.dispose()
    return found


def looking(engine: Engine) -> Session:
    """Open a session of somebody whose area is the whole city."""
    session = Session(engine)
    scope.follow_caller(session, lambda: Actor(0, "", frozenset(), frozenset(), ("",)))
    return session


def submit(engine: Engine, wanted: Report, actor: Actor) -> tuple[bool, dict[str, Any]]:
    with Session(engine) as session, session.begin():
        scope.state(driver(session.connection()), actor)
        done = service.submit(session, wanted, actor, now=datetime.now(UTC), vault=VAULT)
        return done.is_new, done.answer


def step(engine: Engine, case: UUID, wanted: MoveRequest, actor: Actor) -> bool | str:
    """Try one move; return whether it was new, or the code of the refusal."""
    try:
        with Session(engine) as session, session.begin():
            scope.state(driver(session.connection()), actor)
            return service.move(session, case, wanted, actor, now=datetime.now(UTC)).is_new
    except GridsError as refused:
        return refused.code


def test_twenty_at_once_with_one_id_are_one_report(shared: Engine, staff: dict[str, Actor]) -> None:
    wanted, start = report(), Barrier(CLIENTS)

    def send(_: int) -> tuple[bool, dict[str, Any]]:
        start.wait()
        return submit(shared, wanted, staff["worker"])

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(send, range(CLIENTS)))

    assert sorted(is_new for is_new, _ in answers) == [False] * (CLIENTS - 1) + [True]
    assert len({answer["number"] for _, answer in answers}) == 1
    with looking(shared) as session:
        assert session.scalar(select(func.count()).select_from(Incident)) == 1
        assert session.scalar(select(func.count()).select_from(IncidentEvent)) == 1


def test_of_twenty_who_accept_at_once_one_does(shared: Engine, staff: dict[str, Actor]) -> None:
    wanted, start = report(), Barrier(CLIENTS)
    submit(shared, wanted, staff["worker"])

    def accept(_: int) -> bool | str:
        start.wait()
        return step(shared, wanted.id, MoveRequest(uuid4(), "accept"), staff["intake"])

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(accept, range(CLIENTS)))

    assert answers.count(True) == 1
    assert answers.count("incident.forbidden_move") == CLIENTS - 1


def test_eight_clients_at_random_leave_gapless_logs_in_one_order(
    shared: Engine, staff: dict[str, Actor], empty_database: str
) -> None:
    cases = [report() for _ in range(12)]
    for wanted in cases:
        submit(shared, wanted, staff["worker"])
    moves = (("accept", "intake", {}), ("file", "shift_leader", {}), ("sign", "handler", {}),
             ("send_back", "shift_leader", {"reason": "wrong_place"}),
             ("dispatch", "dispatcher", {"department": DEPARTMENT}),
             ("return", "handler", {"reason": "not_our_duty"}))  # fmt: skip

    def work(number: int) -> None:
        for turn in range(36):
            case = cases[(turn * 5 + number) % len(cases)].id
            action, role, more = moves[(turn + number) % len(moves)]
            step(shared, case, MoveRequest(uuid4(), action, **more), staff[role])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    with looking(shared) as session:
        for wanted in cases:
            log = session.scalars(
                select(IncidentEvent)
                .where(IncidentEvent.incident_id == wanted.id)
                .order_by(IncidentEvent.seq)
            ).all()
            assert [found.seq for found in log] == list(range(1, len(log) + 1))
            steps = [found.from_status for found in log[1:]]
            assert steps == [found.to_status for found in log[:-1]]
            row = session.get_one(Incident, wanted.id)
            assert projection.rebuild(log) == projection.of_row(row)
        total = session.scalar(select(func.count()).select_from(IncidentEvent))
    with psycopg.connect(as_role(empty_database, "wangge_worker", "none"), autocommit=True) as conn:
        while feed.newest(conn) < (total or 0):
            feed.seal_all(conn, now=datetime.now(UTC))
        seen: dict[str, int] = {}
        for entry in feed.since(conn, 0, limit=10_000):
            case, seq = entry.payload["incident"], entry.payload["seq"]
            assert seq == seen.get(case, 0) + 1
            seen[case] = seq


class Cut(Exception):
    """The connection broke."""


def failing_at(engine: Engine, number: int) -> Any:
    """Break before the n-th statement that the session sends."""
    count = iter(range(1, 1_000))

    def cut(*_: object) -> None:
        if next(count) == number:
            raise Cut

    event.listen(engine, "before_cursor_execute", cut)
    return cut


@pytest.mark.parametrize("kind", ["submit", "move"])
def test_a_break_before_any_statement_leaves_all_or_nothing(
    shared: Engine, staff: dict[str, Actor], kind: str
) -> None:
    photo = sha256(b"red").hexdigest()  # as `make_photo` names it
    case = report()
    submit(shared, case, staff["worker"])

    def attempt() -> bool:
        if kind == "submit":
            return submit(shared, wanted, staff["worker"])[0]
        found = step(shared, case.id, move, staff["shift_leader"])
        return found is True

    wanted = report(photos=(photo, photo), contact=Contact("王某", "13800000000"))
    move = MoveRequest(uuid4(), "ask_void", reason="duplicate", photos=(photo,))
    before = _counts(shared)
    for number in range(1, 60):
        cut = failing_at(shared, number)
        broke = True
        with suppress(Cut):
            assert attempt()
            broke = False
        event.remove(shared, "before_cursor_execute", cut)
        if not broke:
            break
        assert _counts(shared) == before, f"something stayed after a break at statement {number}"
    else:
        pytest.fail("it never went through")

    assert number > 4
    assert not attempt(), "a repeat must find the first answer"
    assert _counts(shared) != before


def _counts(engine: Engine) -> tuple[int | None, ...]:
    with looking(engine) as session:
        models = (Incident, IncidentEvent, IncidentClock, Attachment, RequestKey)
        return tuple(session.scalar(select(func.count()).select_from(model)) for model in models)
