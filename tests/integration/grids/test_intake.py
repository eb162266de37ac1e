"""A report is judged by lists in memory and written by one statement, never by lists of before."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from app.config import as_role
from grids import scope
from grids.accounts import Actor
from grids.db import engine as make_engine
from grids.incidents import projection, service
from grids.incidents.errors import UnknownCategory
from grids.incidents.models import Attachment, Incident, IncidentClock, IncidentEvent
from grids.incidents.requests import LATER, Done, Report, body_hash
from grids.requests import RequestKey
from tests.support.cases import OUTSIDE, VAULT, build_city, make_photo, make_staff, report

NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
WRITTEN = (RequestKey, Incident, IncidentEvent, IncidentClock, Attachment)
RETIRE = "UPDATE category SET valid_to = '2026-01-01' WHERE code = '03001' AND kind = 'matter'"


@pytest.fixture
def owner(empty_database: str) -> Iterator[Engine]:
    made = make_engine(as_role(empty_database, "wangge_owner", "none"))
    yield made
    made.dispose()


@pytest.fixture
def worker(owner: Engine) -> Actor:
    with Session(owner) as session, session.begin():
        build_city(session)
        make_photo(session)
        return make_staff(session)["worker"]


@pytest.fixture
def web(empty_database: str) -> Iterator[Engine]:
    made = make_engine(as_role(empty_database, "wangge_app", "none"))
    yield made
    made.dispose()


@pytest.fixture
def alone(empty_database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(as_role(empty_database, "wangge_app", "none"), autocommit=True) as conn:
        yield conn


def submit(web: Engine, wanted: Report, actor: Actor) -> Done:
    with Session(web) as session:
        scope.follow_caller(session, lambda: actor)
        with session.begin():
            return service.submit(session, wanted, actor, now=NOW, vault=VAULT)


def at_once(
    web: Engine, alone: psycopg.Connection[Any], wanted: Report, actor: Actor
) -> Done | None:
    with Session(web) as session:
        done = service.submit_at_once(session, alone, wanted, actor, now=NOW, vault=VAULT)
        assert not session.in_transaction()
    return done


def counts(owner: Engine) -> list[int]:
    with Session(owner) as session:
        return [session.scalar(select(func.count()).select_from(one)) or 0 for one in WRITTEN]


def rows(owner: Engine, wanted: Report) -> list[dict[str, Any]]:
    """Return everything that a report wrote, without what differs from one to the next."""
    with Session(owner) as session:
        keys = {RequestKey: RequestKey.id, Incident: Incident.id}
        found = []
        for model in WRITTEN:
            key = keys.get(model, getattr(model, "incident_id", None))
            for row in session.execute(select(model.__table__).where(key == wanted.id)).mappings():
                values = {name: str(value) for name, value in row.items()}
                number = str(row.get("number") or row.get("answer", {}).get("number"))
                found.append({
                    name: value.replace(str(wanted.id), "ID").replace(number, "NUMBER")
                    for name, value in values.items() if name not in ("xid", "body_hash")
                    and not (name == "id" and model in (IncidentClock, Attachment))
                })  # fmt: skip
                if model is IncidentEvent:
                    found[-1]["data"] = found[-1]["data"].replace(row["data"]["number"], "NUMBER")
        return found


def test_at_once_writes_what_the_long_way_writes(
    owner: Engine, web: Engine, alone: psycopg.Connection[Any], worker: Actor
) -> None:
    photo = sha256(b"red").hexdigest()
    first, second = (report(photos=(photo,), address="东街1号") for _ in range(2))

    submit(web, first, worker)
    done = at_once(web, alone, second, worker)

    assert done is not None
    assert done.is_new
    assert rows(owner, second) == rows(owner, first)
    with Session(owner) as session:
        row = session.get_one(Incident, second.id)
        assert row.number == done.answer["number"]
        assert projection.rebuilt(session, second.id) == projection.of_row(row)


@pytest.mark.parametrize(
    "changed",
    [
        {"category": "99999"},
        {"photos": ("0" * 64,)},
        {"lon": OUTSIDE[0], "lat": OUTSIDE[1]},
        {"lon": 0.0, "lat": 0.0},
        {"text": "", "photos": ()},
        {"channel": "phone"},
        {"after": (sha256(b"red").hexdigest(),)},
        {"answers": {"nobody": "asks"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_stands_in_the_way_of_at_once_writes_nothing(
    owner: Engine,
    web: Engine,
    alone: psycopg.Connection[Any],
    worker: Actor,
    changed: dict[str, Any],
) -> None:
    submit(web, report(), worker)
    before = counts(owner)

    assert at_once(web, alone, report(**changed), worker) is None
    assert counts(owner) == before


def test_the_first_of_a_process_and_the_second_of_an_id_go_the_long_way(
    owner: Engine, web: Engine, alone: psycopg.Connection[Any], worker: Actor
) -> None:
    wanted = report()

    assert at_once(web, alone, wanted, worker) is None
    told = submit(web, wanted, worker)
    assert at_once(web, alone, wanted, worker) is None
    again = submit(web, wanted, worker)

    assert (again.answer, again.is_new) == (told.answer, False)
    assert counts(owner)[:2] == [1, 1]


def test_a_list_that_another_process_changed_holds_from_the_next_report_on(
    owner: Engine, web: Engine, alone: psycopg.Connection[Any], worker: Actor
) -> None:
    accepted = report()
    told = submit(web, accepted, worker)

    with owner.begin() as connection:
        connection.execute(text(RETIRE))

    assert at_once(web, alone, report(), worker) is None
    with pytest.raises(UnknownCategory):
        submit(web, report(), worker)
    assert submit(web, accepted, worker).answer == told.answer
    with owner.begin() as connection:
        connection.execute(text("UPDATE category SET valid_to = NULL WHERE code = '03001'"))
    assert submit(web, report(), worker).is_new


@pytest.mark.parametrize("table", ["category_limit", "category_rule", "city"])
def test_every_list_that_reports_are_judged_by_has_a_version(
    owner: Engine, web: Engine, alone: psycopg.Connection[Any], worker: Actor, table: str
) -> None:
    submit(web, report(), worker)

    with owner.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET {OWN[table]}")

    assert at_once(web, alone, report(), worker) is None
    submit(web, report(), worker)
    assert at_once(web, alone, report(), worker) is not None


OWN = {"category_limit": "value = value", "category_rule": "sort = sort", "city": "name_en = 'B'"}


def test_a_change_that_was_taken_back_is_never_believed(owner: Engine, worker: Actor) -> None:
    with Session(owner) as session:
        session.execute(text(RETIRE))
        with pytest.raises(UnknownCategory):
            service.submit(session, report(), worker, now=NOW, vault=VAULT)
        session.rollback()
        # The same count of changes, but others.
        session.execute(text("UPDATE category SET sort = sort WHERE code = '03001'"))
        assert service.submit(session, report(), worker, now=NOW, vault=VAULT).is_new
        session.rollback()


def test_the_digest_of_a_report_is_that_of_before() -> None:
    wanted = report(photos=("a", "b"), device_at=NOW, answers={"q": "a"})
    body = {n: v for n, v in asdict(wanted).items() if v or n not in LATER} | {"actor": 7}
    before = json.dumps(body, sort_keys=True, ensure_ascii=False, default=str)

    assert body_hash(wanted, 7) == sha256(before.encode()).digest()
