"""Nothing that was acknowledged is lost, and nothing is stored twice, whatever is killed when.

A durable cluster and real processes, killed with -9 in the middle of thousands of reports;
clients repeat each report until it is acknowledged, as phones do (R01, R02).
"""

import http.client
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.orm import Session

from app import cluster, roles
from app.config import ROOT, Settings, as_role, read_secrets
from app.processes import free_port
from grids import accounts, feed
from grids.db import engine
from tests.support.cases import MATTER, build_city, make_actor
from tests.support.database import build_schema, environment_for
from tests.support.depth import IS_FULL

REPORTS = 12_000 if IS_FULL else 1_600
CLIENTS = 8
FIRST_PORT = 18_240
#: What is killed, at even shares of the reports that are through: the web server with all its
#: processes or one of them, the database, the worker of jobs, the sealer of the feed.
KILLS = ("web", "worker", "database", "one of web", "sealer", "database") * (3 if IS_FULL else 1)
COMMANDS = {
    "web": ("gunicorn", "--config", str(ROOT / "deploy/gunicorn_web.py"), "app.wsgi:app"),
    "worker": ("app.cli", "worker"),
    "sealer": ("app.cli", "sealer"),
}
#: A phone repeats for hours; here, long enough for web to start again on a busy machine.
PATIENCE_S = 120.0
#: First answer after the database is back, without a restart of web (R02).
DATABASE_BACK_S = 15.0


@dataclass
class Office:
    """The processes of an installation on a durable database, and the sign-in of a worker."""

    pg: cluster.Cluster
    env: dict[str, str]
    port: int
    log: Path
    token: str = ""
    csrf: str = ""
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    database_back_s: list[float] = field(default_factory=list)

    def start(self, name: str) -> None:
        with self.log.open("ab") as stream:
            self.running[name] = subprocess.Popen(
                (sys.executable, "-m", *COMMANDS[name]), cwd=ROOT,
                env={**os.environ, **self.env}, stdout=stream, stderr=stream,
                start_new_session=True,
            )  # fmt: skip

    def end(self, name: str) -> None:
        """Kill a process at once, with all its children."""
        os.killpg(self.running[name].pid, signal.SIGKILL)
        self.running[name].wait()

    def kill(self, what: str) -> None:
        """Kill at once and start again; of one of web its own master starts another."""
        if what == "one of web":
            web = self.running["web"].pid
            first = Path(f"/proc/{web}/task/{web}/children").read_text().split()[0]
            os.kill(int(first), signal.SIGKILL)
        elif what == "database":
            cluster.kill(self.pg)
            cluster.start(self.pg)
        else:
            self.end(what)
            self.start(what)
        started = time.monotonic()
        while self.send(str(uuid4()), "probe") is None and time.monotonic() - started < PATIENCE_S:
            time.sleep(0.1)
        if what == "database":
            self.database_back_s.append(time.monotonic() - started)

    def send(self, report_id: str, text: str) -> int | None:
        """Send one report; None where no clear answer came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        body = {"category": MATTER, "lon": 120.05, "lat": 29.3, "text": text}
        headers = {"Content-Type": "application/json", "Cookie": f"wangge={self.token}",
                   "X-CSRF-Token": self.csrf}  # fmt: skip
        try:
            connection.request("PUT", f"/api/incidents/{report_id}", json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return answer.status if answer.status < 500 else None


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    pg = cluster.Cluster(tmp_path / "pg", "none", auth="trust")
    cluster.start(pg)
    made: Office | None = None
    try:
        url = pg.url("wangge")
        port = free_port(FIRST_PORT + os.getpid() % 40)
        env = environment_for(url, tmp_path / "var", WANGGE_WEB_PORT=str(port))
        env["WANGGE_ALLOW_UNSAFE_SERVER"] = "0"  # this server is safe, and web must find it so
        settings = Settings.load(env)
        roles.prepare(settings.admin_url, read_secrets(settings.var_dir))
        build_schema(url)
        made = Office(pg, env, port, tmp_path / "web.log")
        _open_session(made, url)
        for name in COMMANDS:
            made.start(name)
        _wait(made)
        yield made
    finally:
        for name in made.running if made is not None else ():
            made.end(name)
        cluster.stop(pg)


def _open_session(office: Office, url: str) -> None:
    """Make the city, a worker and a signed-in session."""
    made = engine(as_role(url, "wangge_owner", "none"))
    office.token, office.csrf = uuid4().hex, uuid4().hex
    now = datetime.now(UTC)
    with Session(made) as session, session.begin():
        build_city(session)
        worker = make_actor(session, "worker")
        session.add(
            accounts.SignInSession(
                token_hash=accounts.token_hash(office.token), account_id=worker.account_id,
                csrf_token=office.csrf, created_at=now, seen_at=now, ends_at=now + timedelta(1),
            )
        )  # fmt: skip
    made.dispose()


def _wait(office: Office) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if office.send(str(uuid4()), "probe") == 201:
            return
        time.sleep(0.2)
    pytest.fail(f"web does not answer: {office.log.read_text()[-2000:]}")


def test_no_acknowledged_report_is_lost_and_none_is_stored_twice(office: Office) -> None:
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for _ in range(REPORTS):
        waiting.put(str(uuid4()))
    acknowledged: dict[str, int] = {}
    repeats = itertools.count()

    def client() -> None:
        while True:
            try:
                report_id = waiting.get_nowait()
            except queue.Empty:
                return
            deadline = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline:
                status = office.send(report_id, "满溢")
                if status in (200, 201):
                    acknowledged[report_id] = status
                    break
                next(repeats)
                time.sleep(0.05)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for turn, what in enumerate(KILLS, 1):
        share = turn / (len(KILLS) + 1)
        while len(acknowledged) < share * REPORTS and any(t.is_alive() for t in threads):
            time.sleep(0.02)
        office.kill(what)
    for thread in threads:
        thread.join(2 * PATIENCE_S)

    with psycopg.connect(office.pg.url("wangge")) as conn:
        stored = {
            str(row[0]): row[1]
            for row in conn.execute(
                "SELECT i.id, (SELECT count(*) FROM incident_event AS e"
                " WHERE e.incident_id = i.id AND e.action = 'submit')"
                " FROM incident AS i WHERE i.text = '满溢'"
            )
        }
        numbers = conn.execute("SELECT count(*), count(DISTINCT number) FROM incident").fetchone()
    assert len(acknowledged) == REPORTS
    assert next(repeats) > 0, "the kills met no request: nothing was tried"
    assert set(acknowledged) == set(stored)
    assert set(stored.values()) == {1}
    assert numbers is not None
    assert numbers[0] == numbers[1]
    assert max(office.database_back_s) < DATABASE_BACK_S, office.database_back_s
    assert _is_sealed_once(office)


def _is_sealed_once(office: Office) -> bool:
    """Wait for the sealer; say whether each event stands in the feed once, in a whole chain."""
    deadline = time.monotonic() + PATIENCE_S
    with psycopg.connect(office.pg.url("wangge"), autocommit=True) as conn:
        while time.monotonic() < deadline:
            row = conn.execute(
                "SELECT (SELECT count(*) FROM incident_event), count(*),"
                " count(DISTINCT (incident_id, seq)) FROM feed"
            ).fetchone()
            if row is not None and len(set(row)) == 1:
                return feed.verify_chain(conn) is None
            time.sleep(0.2)
    return False
