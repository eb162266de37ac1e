"""Keys are changed from the page of the security administrator, by the worker, while people work."""

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.config import as_role
from grids import jobs
from grids.accounts import create_account
from grids.audit import AuditEvent
from grids.db import engine
from grids.secrets import RingFile, Vault, runs
from grids.secrets.rotation import Rotator, left
from grids.secrets.runs import KeyRun, RunUnderWay
from tests.support.cases import build_city
from tests.support.people import add_household, add_person, id_number

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def ring(tmp_path):
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"data_key": KEY}))
    first = {"data": bytes(range(32)), "index": bytes(range(1, 33))}
    return RingFile(path, first=first, code_key=bytes(32))


@pytest.fixture
def page(app, ring):
    app.extensions["ring"] = ring
    yield "/admin/keys"
    app.extensions.pop("ring")


def numbers(answer):
    return re.findall(r'class="num">(\d+)</td>', answer.text)


def test_the_page_names_the_keys_and_never_shows_one(page, sign_in, ring):
    answer = sign_in("security_admin").get(page)

    assert answer.status_code == 200
    assert numbers(answer)[:1] == ["1"]
    shown = [base64.b64encode(key).decode() for key in ring.ring().data.keys.values()]
    assert not any(key in answer.text or key[:12] in answer.text for key in shown)


def test_a_change_draws_keys_once_and_stands_in_the_log(page, sign_in, session, ring):
    client = sign_in("security_admin")

    begun = client.post(f"{page}/rotate", data={"draw": "yes", "provider": "intl"})
    again = client.post(f"{page}/rotate", data={"draw": "yes", "provider": "intl"})

    assert (begun.status_code, again.status_code) == (303, 409)
    assert (ring.ring().data.current, ring.ring().index.current) == (2, 2)
    run = session.scalars(select(KeyRun)).one()
    assert (run.act, run.asked_by, run.ended_at) == ("rotate", client.account_id, None)
    act = session.scalars(select(AuditEvent).where(AuditEvent.action == "keys_rotated")).one()
    assert (act.actor_id, act.subject) == (client.account_id, f"key_run:{run.id}")
    waiting = text("SELECT args ->> 'run_id' FROM procrastinate_jobs WHERE task_name LIKE :name")
    assert session.scalars(waiting, {"name": "%change_keys"}).all() == [str(run.id)]


def test_a_change_needs_a_fresh_proof(page, sign_in, session, ring):
    client = sign_in("security_admin")
    session.execute(text("UPDATE sign_in_session SET confirmed_at = confirmed_at - interval '1 h'"))

    answer = client.post(
        f"{page}/rotate", data={"draw": "yes"}, headers={"Accept": "application/json"}
    )

    assert (answer.status_code, answer.json["code"]) == (401, "sign_in.step_up")
    assert ring.ring().data.current == 1


@pytest.mark.parametrize(("kind", "key_id"), [("data", 1), ("signing", 1), ("data", 9), ("", "x")])
def test_a_key_that_is_needed_cannot_be_retired(page, sign_in, session, kind, key_id):
    answer = sign_in("security_admin").post(f"{page}/retire", data={"kind": kind, "key_id": key_id})

    assert answer.status_code == 409
    assert session.scalars(select(KeyRun)).all() == []


def test_a_run_that_fell_silent_holds_up_nobody(session):
    now = datetime.now(UTC)
    who = create_account(session, login="kai", name="开", password="correct horse battery staple")
    session.flush()
    lost = runs.ask(
        session, "rotate", actor_id=who.id, now=now - runs.SILENT - timedelta(1), source_ip=""
    )

    assert runs.ask(session, "rotate", actor_id=who.id, now=now, source_ip="").id > lost.id
    with pytest.raises(RunUnderWay):
        runs.ask(session, "rotate", actor_id=who.id, now=now, source_ip="")


class Office:
    """A database with residents, and the worker that changes their keys."""

    def __init__(self, url, ring, tmp_path):
        self.worker_url = as_role(url, "wangge_worker", "none")
        self.owner = engine(as_role(url, "wangge_owner", "none"))
        self.ring, self.folder = ring, tmp_path
        with Session(self.owner) as session, session.begin():
            build_city(session)
            household = add_household(session, "339901001001001")
            for n in range(30):
                add_person(session, Vault(ring), household, phone=f"138{n:08d}",
                           number=id_number(date(1990, 1, 1) + timedelta(n), 1))  # fmt: skip
            who = create_account(session, login="kai", name="开", password="correct horse battery")
            session.flush()
            self.who = who.id

    @contextmanager
    def open_owner(self) -> Iterator[object]:
        yield self.owner

    def ask(self, act, **more):
        with Session(self.owner) as session, session.begin():
            now = datetime.now(UTC)
            return runs.ask(session, act, actor_id=self.who, now=now, source_ip="", **more).id

    def work(self):
        worker = engine(self.worker_url)
        work = jobs.Work(worker, self.folder, rotator=Rotator(self.ring, self.open_owner))
        try:
            asyncio.run(jobs.work_until_stopped(jobs.queue(self.worker_url), work, wait=False))
        finally:
            worker.dispose()

    def run(self, number):
        with Session(self.owner) as session:
            return session.get_one(KeyRun, number)

    def uses(self):
        with Session(self.owner) as session:
            return runs.uses(session)


@pytest.fixture
def office(empty_database, ring, tmp_path):
    made = Office(empty_database, ring, tmp_path)
    yield made
    made.owner.dispose()


def test_the_worker_seals_everything_anew_and_says_what_is_left(office, ring):
    for kind in ("data", "index"):
        ring.add(kind, at=datetime.now(UTC) - timedelta(minutes=5))
    number = office.ask("rotate")
    office.work()
    done = office.run(number)
    uses = office.uses()
    with office.owner.connect() as connection:
        still = left(connection, Vault(ring))
    gone = office.ask("retire", kind="data", key_id=1)
    office.work()

    assert (done.rows_before, done.rows_done, done.problem, done.broken) == (30, 30, "", 0)
    assert done.ended_at is not None
    assert still == 0
    assert {one.key_id for one in uses} == {2}
    assert runs.rows_on(uses, "data", 2) >= 60
    assert office.run(gone).problem == ""
    assert set(ring.ring().data.keys) == {2}


def test_a_key_that_rows_stand_on_stays_and_the_run_says_so(office, ring):
    ring.add("data", at=datetime.now(UTC) - timedelta(minutes=5))

    number = office.ask("retire", kind="data", key_id=1)
    office.work()

    assert office.run(number).problem == "secrets.key_in_use"
    assert set(ring.ring().data.keys) == {1, 2}
