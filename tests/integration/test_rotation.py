"""Keys and the suite change under a running city: nothing fails, nothing is lost, kill -9 or not.

Real web processes take reports while a real `wangge keys rotate` is killed half-way and
started again (S33).
"""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.config import ROOT, Settings, as_role
from app.keys import ring_of
from app.processes import free_port
from grids.db import engine
from grids.incidents.models import IncidentReporter
from grids.people import Person
from grids.secrets import SEALED, KeyRing, RingFile, Vault, mark_of
from grids.secrets.rotation import KeyInUse, reseal, retire, usage
from tests.support.cases import MATTER, build_city, make_photo
from tests.support.database import environment_for
from tests.support.people import add_household, add_person, id_number

PERSONS = 1_500
FIRST_PORT = 24_100
PATIENCE_S = 120.0


@dataclass
class Office:
    """A web server, its database, its ring, and everything that was answered."""

    env: dict[str, str]
    port: int
    owner: Engine
    settings: Settings
    photo: str
    statuses: list[int] = field(default_factory=list)
    phones: dict[str, str] = field(default_factory=dict)

    @property
    def ring(self) -> RingFile:
        return ring_of(self.settings)

    def report(self, number: int) -> None:
        """Send one report with a contact; remember the phone under the case."""
        case, phone = str(uuid4()), f"139{number:08d}"
        body = {
            "category": MATTER, "lon": "120.05", "lat": "29.3", "text": "满溢",
            "name": "样本", "phone": phone, "photos": [self.photo],
        }  # fmt: skip
        # One proxy is trusted: each report comes from another address, as in life.
        source = f"203.0.{number // 250 % 250}.{number % 250}"
        headers = {"Content-Type": "application/json", "X-Forwarded-For": source,
                   "X-Forwarded-Proto": "http", "Accept": "application/json"}  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("PUT", f"/api/public/reports/{case}", json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
            self.statuses.append(answer.status)
            self.phones[case] = phone
        finally:
            connection.close()

    def rotate(self, *options: str) -> "subprocess.Popen[bytes]":
        command = (sys.executable, "-m", "app.cli", "keys", "rotate", *options)
        return subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **self.env}, stdout=subprocess.DEVNULL
        )

    def marks(self) -> dict[str, set[tuple[int, int]]]:
        """Return the suites and keys that stand in each kind of column."""
        found: dict[str, set[tuple[int, int]]] = {"data": set(), "index": set()}
        with self.owner.connect() as connection:
            for name in dict.fromkeys(column.table for column in SEALED):
                for column in (c for c in SEALED if c.table == name):
                    for part, kind in ((column.column, "data"), (column.index, "index")):
                        if part:
                            rows = connection.execute(
                                text(f"SELECT DISTINCT substring({part} FROM 1 FOR 2) FROM {name}"
                                     f" WHERE {part} IS NOT NULL")
                            )  # fmt: skip
                            found[kind] |= {tuple(mark_of(bytes(row[0]))) for row in rows}
        return found


@pytest.fixture
def office(empty_database: str, tmp_path: Path) -> Iterator[Office]:
    port = free_port(FIRST_PORT + os.getpid() % 40)
    env = environment_for(empty_database, tmp_path / "var", WANGGE_WEB_PORT=str(port),
                          WANGGE_TRUSTED_PROXIES="1")  # fmt: skip
    del env["WANGGE_DATA_KEY"], env["WANGGE_INDEX_KEY"]  # the ring is the file's
    settings = Settings.load(env)
    owner = engine(as_role(empty_database, "wangge_owner", "none"))
    made = Office(env, port, owner, settings, "")
    vault = Vault(made.ring)
    with Session(owner) as session, session.begin():
        build_city(session)
        household = add_household(session, "339901001001001")
        for number in range(PERSONS):
            add_person(session, vault, household, phone=f"138{number:08d}",
                       number=id_number(date(1990, 1, 1) + timedelta(number), 1))  # fmt: skip
        made.photo = make_photo(session)
    command = (sys.executable, "-m", "gunicorn", "--config",
               str(ROOT / "deploy/gunicorn_web.py"), "app.wsgi:app")  # fmt: skip
    with (tmp_path / "web.log").open("ab") as log:
        web = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **env}, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait(port, tmp_path / "web.log")
        yield made
    finally:
        os.killpg(web.pid, signal.SIGKILL)
        web.wait()
        owner.dispose()


def _wait(port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            with contextlib.closing(connection):
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"web does not answer: {log.read_text()[-2000:]}")


def test_all_keys_and_the_suite_change_online_and_survive_kill_9(office: Office) -> None:
    stop = threading.Event()

    def intake() -> None:
        number = 0
        while not stop.is_set():
            office.report(number)
            number += 1

    reporter = threading.Thread(target=intake)
    reporter.start()
    try:
        _until(lambda: len(office.phones) >= 3)
        ring, at = office.ring, datetime.now(UTC) - timedelta(minutes=2)
        ring.add("data", at=at)
        ring.add("index", at=at)
        killed = office.rotate("--provider", "gm", "--batch", "20")
        _until(lambda: 0 < _on_new_keys(office) < PERSONS or killed.poll() is not None)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        half = _on_new_keys(office)
        found_half_way = _every_person_is_found(office)
        finished = office.rotate("--batch", "200").wait(PATIENCE_S)
        before_end = len(office.phones)
        _until(lambda: len(office.phones) >= before_end + 3)
    finally:
        stop.set()
        reporter.join()

    assert 0 < half < PERSONS, "the kill met no rotation: nothing was tried"
    assert found_half_way
    assert finished == 0
    assert set(office.statuses) == {201}
    assert office.marks() == {"data": {(2, 2)}, "index": {(2, 2)}}
    _everything_opens(office)
    _old_keys_go(office)


def _until(is_true: object) -> None:
    assert callable(is_true)
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.01)


def _on_new_keys(office: Office) -> int:
    with office.owner.connect() as connection:
        return int(
            connection.scalar(
                text("SELECT count(*) FROM person WHERE substring(name_sealed FROM 1 FOR 2) = :m"),
                {"m": bytes((2, 2))},
            )
            or 0
        )


def _every_person_is_found(office: Office) -> bool:
    """Say whether each number finds exactly its person, among rows of two suites and keys."""
    vault = Vault(office.ring)
    with Session(office.owner) as session:
        for number in range(0, PERSONS, 50):
            wanted = id_number(date(1990, 1, 1) + timedelta(number), 1)
            found = session.query(Person).filter(
                Person.id_number_index.in_(vault.blind_indexes("person", "id_number", wanted))
            )
            (person,) = found.all()
            opened = vault.open("person", person.id, "id_number_sealed", person.id_number_sealed)
            if opened != wanted:
                return False
    return True


def _everything_opens(office: Office) -> None:
    vault = Vault(office.ring)
    with Session(office.owner) as session:
        persons = session.query(Person).all()
        phones = {
            vault.open("person", p.id, "phone_sealed", p.phone_sealed or b"") for p in persons
        }
        kept = {
            str(r.incident_id): vault.open(
                "incident_reporter", r.id, "phone_sealed", r.phone_sealed or b""
            )
            for r in session.query(IncidentReporter)
        }
    assert phones == {f"138{number:08d}" for number in range(PERSONS)}
    assert kept == office.phones


def _old_keys_go(office: Office) -> None:
    """Retire the first keys; then nothing of them is in the ring, and everything still opens."""
    now = datetime.now(UTC) + timedelta(minutes=2)
    retire(office.owner, office.ring, "data", 1, now=now)
    retire(office.owner, office.ring, "index", 1, now=now)
    ring: KeyRing = office.ring.ring()
    assert (set(ring.data.keys), set(ring.index.keys), ring.provider) == ({2}, {2}, "gm")
    assert _every_person_is_found(office)
    office.report(99_999_999)
    assert office.statuses[-1] == 201


def test_a_key_that_rows_need_or_that_was_current_a_moment_ago_does_not_go(
    empty_database: str, tmp_path: Path
) -> None:
    env = environment_for(empty_database, tmp_path / "var")
    del env["WANGGE_DATA_KEY"], env["WANGGE_INDEX_KEY"]
    ring = ring_of(Settings.load(env))
    owner = engine(as_role(empty_database, "wangge_owner", "none"))
    now = datetime.now(UTC)
    with Session(owner) as session, session.begin():
        build_city(session)
        household = add_household(session, "339901001001001")
        add_person(session, Vault(ring), household, number=id_number(date(1990, 1, 1), 1))
    ring.add("data", at=now)

    with pytest.raises(KeyInUse, match="wait"):
        retire(owner, ring, "data", 1, now=now)
    with pytest.raises(KeyInUse, match="3 values"):
        retire(owner, ring, "data", 1, now=now + timedelta(minutes=2))
    assert reseal(owner, Vault(ring)).rows == 1
    retire(owner, ring, "data", 1, now=now + timedelta(minutes=2))

    with owner.connect() as connection:
        assert {part.key_id for part in usage(connection) if part.kind == "data"} == {2}
    assert (tmp_path / "var/secrets.json").stat().st_mode & 0o777 == 0o600
    owner.dispose()
