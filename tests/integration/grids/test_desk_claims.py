"""Twenty people reach for one case at the same moment: one has it, the others know who."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.config import as_role
from grids import scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.db import engine as make_engine
from grids.desk import claims
from grids.desk.claims import Claimed
from tests.support.cases import Desk, build_city, make_actor, make_staff

CALLERS = 20


def reach(engine: Engine, case: UUID, actor: Actor, now: datetime) -> str:
    """Claim as the web's role, in a transaction of one's own; return the holder's name."""
    try:
        with Session(engine) as session, session.begin():
            scope.state(driver(session.connection()), actor)
            return claims.claim(session, actor, case, now=now).name
    except Claimed as refused:
        return str(refused.params["name"])


def test_of_twenty_at_once_one_has_the_case_and_all_are_told_its_name(empty_database: str) -> None:
    owner = make_engine(as_role(empty_database, "wangge_owner", "none"))
    with Session(owner) as session, session.begin():
        build_city(session)
        case = Desk(session, make_staff(session), now=datetime.now(UTC)).submit()
        people = [
            replace(actor, name=f"{actor.account_id}")
            for actor in (make_actor(session, "dispatcher") for _ in range(CALLERS))
        ]
        session.execute(text("UPDATE account SET name = id::text"))
    shared = make_engine(as_role(empty_database, "wangge_app", "none"), pool_size=CALLERS)
    start, now = Barrier(CALLERS), datetime.now(UTC)

    def together(actor: Actor) -> str:
        start.wait()
        return reach(shared, case, actor, now)

    with ThreadPoolExecutor(CALLERS) as pool:
        told = list(pool.map(together, people))
    with owner.connect() as conn:
        held = conn.execute(text("SELECT account_id::text FROM desk_claim")).scalars().all()
    owner.dispose()
    shared.dispose()

    assert set(told) == set(held)
    assert len(held) == 1
    assert told.count(held[0]) == CALLERS
