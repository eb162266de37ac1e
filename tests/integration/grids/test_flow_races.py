"""Twenty at once with one id: one record, one step, one answer (R04)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.config import as_role
from grids import scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.db import engine as make_engine
from grids.disputes import service as disputes
from grids.flows.once import Answer
from grids.flows.taking import StepRequest
from grids.hazards import service as hazards
from tests.support.cases import VAULT, WEST, WEST_GRID, build_city, make_photo
from tests.support.flows import PARTIES, make_actor

CLIENTS = 20


@pytest.fixture
def shared(empty_database: str) -> Iterator[Engine]:
    """An engine as the web's role: every client has a connection of its own."""
    made = make_engine(as_role(empty_database, "wangge_app", "none"), pool_size=CLIENTS)
    yield made
    made.dispose()


@pytest.fixture
def staff(empty_database: str) -> dict[str, Actor]:
    made = make_engine(as_role(empty_database, "wangge_owner", "none"))
    with Session(made) as session, session.begin():
        build_city(session)
        make_photo(session)
        found = {role: make_actor(session, role) for role in ("worker", "mediator", "town_seat")}
    made.dispose()
    return found


def at_once(engine: Engine, actor: Actor, work: Callable[[Session], Answer]) -> list[Answer]:
    gate = Barrier(CLIENTS)

    def client(_: int) -> Answer:
        gate.wait(30)
        with Session(engine) as session, session.begin():
            scope.state(driver(session.connection()), actor)
            return work(session)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(client, range(CLIENTS)))


def counted(engine: Engine, actor: Actor, table: str, key: UUID) -> int:
    with Session(engine) as session, session.begin():
        scope.state(driver(session.connection()), actor)
        found = session.scalar(
            text(f"SELECT count(*) FROM {table}_event WHERE {table}_id = :id"),
            {"id": key},
        )
    return int(found or 0)


def test_twenty_resends_are_one_dispute_and_one_step(
    shared: Engine, staff: dict[str, Actor]
) -> None:
    key, now = uuid4(), datetime.now(UTC)
    values = {"area": WEST_GRID, "kind": "02", "text": "楼道堆物", "parties": PARTIES}
    wanted = StepRequest(key, "register", values)
    worker, mediator = staff["worker"], staff["mediator"]

    made = at_once(shared, worker, lambda session: disputes.register(
        session, wanted, worker, now=now, vault=VAULT))  # fmt: skip
    step = StepRequest(uuid4(), "take")
    taken = at_once(shared, mediator, lambda session: disputes.take(
        session, key, step, mediator, now=now, vault=VAULT))  # fmt: skip

    for answers in (made, taken):
        assert sum(answer.is_new for answer in answers) == 1
        assert len({str(answer.body) for answer in answers}) == 1
    assert counted(shared, mediator, "dispute", key) == 2


def test_twenty_resends_are_one_hazard_and_one_order(
    shared: Engine, staff: dict[str, Actor], empty_database: str
) -> None:
    owner = make_engine(as_role(empty_database, "wangge_owner", "none"))
    with Session(owner) as session, session.begin():
        photo = make_photo(session)
    owner.dispose()
    key, now = uuid4(), datetime.now(UTC)
    values = {"severity": "general", "text": "通道堵塞", "point": list(WEST)}
    wanted = StepRequest(key, "report", values, (photo,))
    worker, seat = staff["worker"], staff["town_seat"]

    made = at_once(shared, worker, lambda session: hazards.report(session, wanted, worker, now=now))
    step = StepRequest(uuid4(), "order", {"term": "7", "measures": "清理"})
    ordered = at_once(shared, seat, lambda session: hazards.take(session, key, step, seat, now=now))

    for answers in (made, ordered):
        assert sum(answer.is_new for answer in answers) == 1
        assert len({str(answer.body) for answer in answers}) == 1
    assert counted(shared, seat, "hazard", key) == 2
