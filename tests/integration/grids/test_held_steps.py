"""Steps that come out of order: held, taken in their turn, judged when the limit is over (R18)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from app.config import as_role
from grids import blobs, scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.db import engine as make_engine
from grids.incidents import held, projection, service
from grids.incidents.errors import FollowsMissing, OtherBody, TooManyHeld
from grids.incidents.held import HeldMove
from grids.incidents.models import Incident, IncidentEvent
from grids.incidents.requests import MoveRequest
from tests.support.cases import (
    VAULT,
    Desk,
    build_city,
    make_actor,
    make_photo,
    make_staff,
    report,
)
from tests.support.depth import share

Chain = list[MoveRequest]


@pytest.fixture
def desk(session: Session) -> Desk:
    build_city(session)
    return Desk(session, make_staff(session))


def chained(first: UUID, *steps: dict[str, Any]) -> Chain:
    """Make steps each of which names the one before, as a phone's queue does."""
    found: Chain = []
    before = first
    for more in steps:
        found.append(MoveRequest(id=uuid4(), follows=before, **more))
        before = found[-1].id
    return found


def of_a_worker(first: UUID, photo: str) -> Chain:
    return chained(
        first,
        {"action": "sign"},
        {"action": "handle", "note": "到场"},
        {"action": "handle", "note": "清理中"},
        {"action": "comment", "note": "需要铲车"},
        {"action": "reply", "note": "已清理", "photos": (photo,)},
    )


def given_to_the_worker(desk: Desk) -> tuple[UUID, UUID]:
    """Take a case to where its worker signs; return it and the step that gave it."""
    case, giving = desk.submit(), uuid4()
    desk.take_to(case, "pending_dispatch")
    worker = desk.staff["worker"].account_id
    desk.move(case, "dispatch", "dispatcher", worker=worker, id=giving)
    return case, giving


def life_of(desk: Desk, case: UUID) -> tuple[Any, ...]:
    """Return what a case has come to, without what differs from case to case."""
    desk.session.flush()
    desk.session.expire_all()
    log = desk.session.scalars(
        select(IncidentEvent).where(IncidentEvent.incident_id == case).order_by(IncidentEvent.seq)
    ).all()
    row = desk.row(case)
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    assert projection.rebuild(log) == projection.of_row(row)
    told = [(e.action, e.from_status, e.to_status, e.note, tuple(e.photos)) for e in log]
    return row.status, row.handling_due_at, row.handled_at, row.holder_id, told


def waiting(desk: Desk) -> list[HeldMove]:
    found = select(HeldMove).where(HeldMove.state == "waiting").order_by(HeldMove.held_at)
    return list(desk.session.scalars(found))


def test_a_chain_of_five_ends_the_same_in_every_order(desk: Desk) -> None:
    worker, photo = desk.staff["worker"], make_photo(desk.session)
    orders = list(permutations(range(5)))
    lives = []

    for order in [orders[0], *share(orders[1:], 12, first=5)]:
        case, giving = given_to_the_worker(desk)
        chain = of_a_worker(giving, photo)
        for place in order:
            service.move(desk.session, case, chain[place], worker, now=desk.now)
        assert waiting(desk) == [], order
        lives.append(life_of(desk, case))
        again = [service.move(desk.session, case, one, worker, now=desk.now) for one in chain]
        assert [done.is_new for done in again] == [False] * 5
        assert [done.answer["seq"] for done in again] == [5, 6, 7, 8, 9]

    assert lives[0][0] == "pending_review"
    assert all(life == lives[0] for life in lives)


def test_a_report_and_three_updates_end_the_same_in_all_24_orders(desk: Desk) -> None:
    worker = desk.staff["worker"]
    lives = []

    for order in permutations(range(4)):
        wanted = report()
        chain = chained(wanted.id, *({"action": "comment", "note": f"更新 {k}"} for k in range(3)))
        for place in order:
            if place == 0:
                service.submit(desk.session, wanted, worker, now=desk.now, vault=VAULT)
            else:
                service.move(desk.session, wanted.id, chain[place - 1], worker, now=desk.now)
        assert waiting(desk) == [], order
        lives.append(life_of(desk, wanted.id))

    assert len(lives) == 24
    assert [note for *_, note, _photos in lives[0][-1]] == ["", "更新 0", "更新 1", "更新 2"]
    assert all(life == lives[0] for life in lives)


def test_who_sent_it_is_told_that_it_waits_and_may_ask_again(desk: Desk) -> None:
    case, giving = given_to_the_worker(desk)
    worker = desk.staff["worker"]
    sign, handle, *_ = of_a_worker(giving, make_photo(desk.session))

    first = service.move(desk.session, case, handle, worker, now=desk.now)
    second = service.move(desk.session, case, handle, worker, now=desk.later(minutes=1))

    assert (first.is_new, second.is_new) == (True, False)
    assert first.answer == second.answer
    assert (first.answer["held"], first.answer["follows"]) == (True, str(sign.id))
    assert [row.id for row in held.held_by(desk.session, worker, now=desk.now)] == [handle.id]
    assert held.held_by(desk.session, make_actor(desk.session, "worker"), now=desk.now) == []
    assert desk.row(case).status == "pending_sign"
    other = MoveRequest(id=handle.id, action="handle", note="别的", follows=sign.id)
    with pytest.raises(OtherBody):
        service.move(desk.session, case, other, worker, now=desk.now)


def test_after_the_limit_a_step_is_judged_as_it_stands(desk: Desk) -> None:
    case, giving = given_to_the_worker(desk)
    worker = desk.staff["worker"]
    lost, *rest = of_a_worker(giving, make_photo(desk.session))
    comment = MoveRequest(id=uuid4(), action="comment", note="门锁着", follows=lost.id)
    for one in (rest[0], comment):
        service.move(desk.session, case, one, worker, now=desk.now)

    before = desk.later(hours=23, minutes=59)
    assert held.settle_due(desk.session, service.take, now=before) == 0
    assert held.settle_due(desk.session, service.take, now=desk.later(minutes=1)) == 2

    # Nothing handles a case that was not signed; a remark is possible everywhere.
    assert [told[0] for told in life_of(desk, case)[-1]][-1] == "comment"
    with pytest.raises(FollowsMissing) as refused:
        service.move(desk.session, case, rest[0], worker, now=desk.now)
    assert refused.value.params["refused"] == "incident.forbidden_move"
    assert [r.id for r in held.held_by(desk.session, worker, now=desk.now)] == [rest[0].id]
    assert service.move(desk.session, case, comment, worker, now=desk.now).is_new is False
    assert held.forget(desk.session, now=desk.later(days=31)) == 2


def test_what_follows_a_refused_step_is_judged_with_it(desk: Desk) -> None:
    case, giving = given_to_the_worker(desk)
    worker = desk.staff["worker"]
    sign, *_ = of_a_worker(giving, make_photo(desk.session))
    wrong, after = chained(
        sign.id, {"action": "close"}, {"action": "comment", "note": "之后"}
    )  # fmt: skip
    for one in (after, wrong, sign):
        service.move(desk.session, case, one, worker, now=desk.now)

    states = {row.id: row.state for row in desk.session.scalars(select(HeldMove))}
    assert states == {wrong.id: "refused", after.id: "taken"}
    assert [told[0] for told in life_of(desk, case)[-1]][-2:] == ["sign", "comment"]


def test_nobody_fills_the_table_with_steps_that_wait(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grids.incidents.held.settling.MOST", 2)
    worker, nowhere = desk.staff["worker"], uuid4()
    for _ in range(2):
        wanted = MoveRequest(id=uuid4(), action="comment", note="x", follows=uuid4())
        service.move(desk.session, nowhere, wanted, worker, now=desk.now)

    one_more = MoveRequest(id=uuid4(), action="comment", note="x", follows=uuid4())
    with pytest.raises(TooManyHeld):
        service.move(desk.session, nowhere, one_more, worker, now=desk.now)


def test_a_step_for_a_case_that_never_came_is_refused_in_the_end(desk: Desk) -> None:
    worker, nowhere = desk.staff["worker"], uuid4()
    wanted = MoveRequest(id=uuid4(), action="comment", note="x", follows=nowhere)
    service.move(desk.session, nowhere, wanted, worker, now=desk.now)

    held.settle_due(desk.session, service.take, now=desk.later(days=1))

    row = desk.session.get_one(HeldMove, wanted.id)
    assert (row.state, row.code) == ("refused", "incident.none")


@pytest.fixture
def shared(empty_database: str) -> Iterator[dict[str, Engine]]:
    """Engines of the web's role and of the worker's, on a database of their own."""
    made = {
        role: make_engine(as_role(empty_database, f"wangge_{role}", "none"))
        for role in ("owner", "app", "worker")
    }
    yield made
    for one in made.values():
        one.dispose()


def send(engine: Engine, case: UUID, wanted: MoveRequest, actor: Actor) -> dict[str, Any]:
    """Send a step as a request does: one transaction with the caller's rights."""
    with Session(engine) as session, session.begin():
        scope.state(driver(session.connection()), actor)
        return service.move(session, case, wanted, actor, now=datetime.now(UTC)).answer


def test_what_is_held_outlives_every_connection_and_keeps_its_photos(
    shared: dict[str, Engine], tmp_path: Any
) -> None:
    with Session(shared["owner"]) as session, session.begin():
        build_city(session)
        photo = make_photo(session)
        session.execute(text("UPDATE blob SET created_at = now() - interval '3 days'"))
        desk = Desk(session, make_staff(session), now=datetime.now(UTC))
        case, giving = given_to_the_worker(desk)
    worker = desk.staff["worker"]
    sign, *rest = of_a_worker(giving, photo)
    for one in reversed(rest):
        assert send(shared["app"], case, one, worker)["held"]
    with shared["owner"].connect() as conn:  # what a kill -9 leaves: nothing but what was committed
        conn.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND usename = 'wangge_app'"
            )
        )
    shared["app"].dispose()
    with Session(shared["worker"]) as session:
        blobs.sweep(session, blobs.Store(tmp_path), now=datetime.now(UTC))

    send(shared["app"], case, sign, worker)

    with Session(shared["owner"]) as session:
        assert session.get_one(Incident, case).status == "pending_review"
        assert set(session.scalars(select(HeldMove.state))) == {"taken"}


def test_the_worker_finds_what_crossed_with_the_step_it_follows(
    shared: dict[str, Engine],
) -> None:
    with Session(shared["owner"]) as session, session.begin():
        build_city(session)
        desk = Desk(session, make_staff(session), now=datetime.now(UTC))
        case, giving = given_to_the_worker(desk)
    worker = desk.staff["worker"]
    sign, handle, *_ = of_a_worker(giving, "0" * 64)
    with Session(shared["app"]) as arriving, arriving.begin():
        scope.state(driver(arriving.connection()), worker)
        service.move(arriving, case, sign, worker, now=datetime.now(UTC))
        assert send(shared["app"], case, handle, worker)["held"]

    with Session(shared["worker"]) as session, session.begin():
        assert held.settle_due(session, service.take, now=datetime.now(UTC)) == 1

    with Session(shared["owner"]) as session:
        log = select(IncidentEvent.action).where(IncidentEvent.incident_id == case)
        assert session.scalars(log.order_by(IncidentEvent.seq)).all()[-2:] == ["sign", "handle"]


def test_nobody_reads_what_waits_of_somebody_else(shared: dict[str, Engine]) -> None:
    with Session(shared["owner"]) as session, session.begin():
        build_city(session)
        staff = make_staff(session)
    wanted = MoveRequest(id=uuid4(), action="comment", note="x", follows=uuid4())
    send(shared["app"], uuid4(), wanted, staff["worker"])

    with Session(shared["app"]) as session:
        scope.follow_caller(session, lambda: staff["commander"])
        assert session.scalars(select(HeldMove.id)).all() == []
    with pytest.raises(OtherBody):
        send(shared["app"], uuid4(), wanted, staff["commander"])
