"""A failure before any statement of any branch leaves nothing behind, and a repeat succeeds (R11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import sql
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from app.config import as_role
from grids import scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.db import engine as make_engine
from grids.incidents import sampling, service
from grids.incidents.requests import MoveRequest
from grids.responsibility import arbitration, watch
from grids.responsibility.arbitration import Decision
from grids.responsibility.arbitration_models import Arbitration
from grids.responsibility.seed import seed_matrix
from tests.integration.grids.test_sample_checks import on_the_spot, sign_head
from tests.support.cases import (
    DEPARTMENT,
    OTHER_DEPARTMENT,
    Desk,
    build_city,
    make_actor,
    make_photo,
    make_staff,
)
from tests.support.depth import IS_FULL, share

#: Everything that a step of a case writes.
TABLES = (
    "incident", "incident_event", "incident_task", "incident_clock", "incident_link",
    "attachment", "request_key", "held_move", "arbitration", "precedent", "audit_event",
    "outbox_message", "sample_draw", "sample_case",
)  # fmt: skip
MOST_STATEMENTS = 400
NOON = datetime.fromisoformat("2026-03-04T12:00:00+08:00").astimezone(UTC)


class Cut(Exception):
    """The connection broke."""


@dataclass
class House:
    """A committed case of each branch's beginning, and everybody who works on it."""

    engines: dict[str, Engine]
    staff: dict[str, Actor]
    assistant: Actor
    photo: str
    now: datetime

    def prepared(self, make: Callable[[Desk], Any]) -> Any:
        """Bring a case to where a branch begins, committed."""
        with Session(self.engines["owner"], expire_on_commit=False) as session, session.begin():
            return make(Desk(session, self.staff, now=self.now))

    def state(self) -> list[tuple[Any, ...]]:
        """Digest every row of every table."""
        parts = [
            sql.SQL("SELECT {name}, count(*), md5(string_agg(t::text, '|' ORDER BY t::text))"
                    " FROM {table} AS t").format(name=sql.Literal(n), table=sql.Identifier(n))
            for n in TABLES
        ]  # fmt: skip
        with self.engines["owner"].connect() as conn:
            return driver(conn).execute(sql.SQL(" UNION ALL ").join(parts)).fetchall()


@pytest.fixture
def house(empty_database: str) -> Iterator[House]:
    engines = {
        role: make_engine(as_role(empty_database, f"wangge_{role}", "none"))
        for role in ("owner", "app", "worker")
    }
    with Session(engines["owner"], expire_on_commit=False) as session, session.begin():
        build_city(session)
        seed_matrix(session, now=NOON)
        photo = make_photo(session)
        staff = make_staff(session)
        assistant = make_actor(session, "handler", department=OTHER_DEPARTMENT)
        sign_head(session)
    yield House(engines, staff, assistant, photo, NOON)
    for one in engines.values():
        one.dispose()


Act = Callable[[Session], Any]
Branch = Callable[[House], tuple[str, Actor, Act]]


def step(
    house: House, case: UUID, action: str, who: str | Actor, **more: Any
) -> tuple[str, Actor, Act]:
    """Return one step as an act of the web's role; it is the same however often it is sent."""
    actor = house.staff[who] if isinstance(who, str) else who
    wanted = MoveRequest(**{"id": uuid4(), "action": action, **more})
    return "app", actor, lambda s: service.move(s, case, wanted, actor, now=house.now)


def handling(desk: Desk, **more: Any) -> UUID:
    case = desk.submit()
    desk.take_to(case, "pending_dispatch")
    desk.move(case, "dispatch", "dispatcher", department=DEPARTMENT, **more)
    desk.move(case, "sign", "handler")
    return case


def _merge(house: House) -> tuple[str, Actor, Act]:
    case, main = house.prepared(lambda d: (d.submit(), d.submit()))
    return step(house, case, "merge", "intake", main=main)


def _unmerge(house: House) -> tuple[str, Actor, Act]:
    def make(desk: Desk) -> UUID:
        case, main = desk.submit(), desk.submit()
        desk.move(case, "merge", "intake", main=main)
        return case

    return step(house, house.prepared(make), "unmerge", "intake", note="不同")


def _undo(house: House) -> tuple[str, Actor, Act]:
    def make(desk: Desk) -> UUID:
        case = desk.submit()
        desk.take_to(case, "pending_dispatch")
        desk.move(case, "dispatch", "dispatcher", department=DEPARTMENT,
                  assisting=(OTHER_DEPARTMENT,))  # fmt: skip
        return case

    return step(house, house.prepared(make), "undo", "dispatcher")


def _dispatch(house: House) -> tuple[str, Actor, Act]:
    def make(desk: Desk) -> UUID:
        case = desk.submit()
        desk.take_to(case, "pending_dispatch")
        return case

    return step(house, house.prepared(make), "dispatch", "dispatcher", department=DEPARTMENT,
                assisting=(OTHER_DEPARTMENT,))  # fmt: skip


def _hand_over(house: House) -> tuple[str, Actor, Act]:
    return step(house, house.prepared(handling), "hand_over", "handler", outside="物业公司",
                until=house.now + timedelta(days=3))  # fmt: skip


def _dispute(house: House) -> tuple[str, Actor, Act]:
    return step(house, house.prepared(handling), "dispute", "handler", note="不归我管",
                department=OTHER_DEPARTMENT)  # fmt: skip


def _ruling(house: House) -> tuple[str, Actor, Act]:
    def make(desk: Desk) -> int:
        case = handling(desk)
        desk.move(case, "dispute", "handler", note="不归我管")
        found = select(Arbitration.id).where(Arbitration.incident_id == case)
        return desk.session.scalars(found).one()

    one, decision = house.prepared(make), Decision(OTHER_DEPARTMENT, "归园林", "树池内")
    boss = house.staff["commander"]
    return "app", boss, lambda s: arbitration.decide(s, one, boss, decision, now=house.now)


def _default(house: House) -> tuple[str, Actor, Act]:
    def make(desk: Desk) -> None:
        desk.move(handling(desk), "dispute", "handler", note="不归我管")

    house.prepared(make)
    late = house.now + timedelta(days=9)
    return "worker", house.staff["commander"], lambda s: watch.default_overdue(s, late)


def _with_assistant(desk: Desk) -> UUID:
    return handling(desk, assisting=(OTHER_DEPARTMENT,))


def _assist_sign(house: House) -> tuple[str, Actor, Act]:
    return step(house, house.prepared(_with_assistant), "assist_sign", house.assistant)


def _assist_return(house: House) -> tuple[str, Actor, Act]:
    def make(desk: Desk) -> UUID:
        case = _with_assistant(desk)
        desk.move(case, "reply", "handler", note="完成", photos=(house.photo,))
        return case

    return step(house, house.prepared(make), "assist_return", house.assistant,
                reason="not_our_duty")  # fmt: skip


def _late_evidence(house: House) -> tuple[str, Actor, Act]:
    def make(desk: Desk) -> UUID:
        case = desk.submit()
        desk.take_to(case, "pending_close")
        return case

    return step(house, house.prepared(make), "check_ok", "worker", note="现场",
                photos=(house.photo,), device_at=house.now - timedelta(hours=1))  # fmt: skip


def _sample_failed(house: House) -> tuple[str, Actor, Act]:
    def make(desk: Desk) -> UUID:
        case = on_the_spot(desk)
        desk.move(case, "sample", "shift_leader")
        return case

    return step(house, house.prepared(make), "sample_failed", "grid_leader", reason="not_solved",
                photos=(house.photo,))  # fmt: skip


def _draw(house: House) -> tuple[str, Actor, Act]:
    house.prepared(on_the_spot)
    morning = house.now + timedelta(hours=20)  # 08:00 the next day
    act = lambda s: sampling.draw_day(s, date(2026, 3, 4), now=morning)  # noqa: E731
    return "worker", house.staff["commander"], act


def _released(house: House) -> tuple[str, Actor, Act]:
    """Two steps wait for a third: its arrival takes all of them or none."""
    first = uuid4()

    def make(desk: Desk) -> UUID:
        case = desk.submit()
        before = first
        for k in range(2):
            wanted = MoveRequest(id=uuid4(), action="comment", note=str(k), follows=before)
            service.move(desk.session, case, wanted, desk.staff["worker"], now=desk.now)
            before = wanted.id
        return case

    case = house.prepared(make)
    return step(house, case, "comment", "worker", note="先", id=first)


BRANCHES: tuple[Branch, ...] = (
    _merge, _unmerge, _undo, _dispatch, _hand_over, _dispute, _ruling, _default, _assist_sign,
    _assist_return, _late_evidence, _sample_failed, _draw, _released,
)  # fmt: skip


def perform(house: House, role: str, actor: Actor, act: Act) -> None:
    with Session(house.engines[role]) as session, session.begin():
        scope.state(driver(session.connection()), actor)
        act(session)


def cut_at(engine: Engine, number: int) -> Any:
    """Break before the n-th statement that goes to the database."""
    count = iter(range(1, MOST_STATEMENTS * 2))

    def cut(*_: object) -> None:
        if next(count) == number:
            raise Cut

    event.listen(engine, "before_cursor_execute", cut)
    return cut


def test_a_break_before_any_statement_of_a_branch_leaves_nothing_behind(house: House) -> None:
    swept = 0
    for number, branch in enumerate(BRANCHES):
        swept += sweep(house, branch, first=number)

    assert swept > len(BRANCHES) * (15 if IS_FULL else 2)


def sweep(house: House, branch: Branch, first: int) -> int:
    """Break a branch again and again until it goes through; return how often it broke."""
    role, actor, act = branch(house)
    engine = house.engines[role]
    before, broken = house.state(), 0
    for number in share(range(1, MOST_STATEMENTS), 7, first):
        cut = cut_at(engine, number)
        is_done = False
        with suppress(Cut):
            perform(house, role, actor, act)
            is_done = True
        event.remove(engine, "before_cursor_execute", cut)
        if is_done:
            break
        broken += 1
        assert house.state() == before, f"{branch.__name__} left something at statement {number}"
    after = house.state()
    assert after != before, f"{branch.__name__} did nothing"
    if role == "app" and branch is not _ruling:
        perform(house, role, actor, act)
        assert house.state() == after, f"{branch.__name__} was taken twice"
    return broken
