"""Reports over HTTP, from the request to the committed rows, on a durable cluster of its own.

Beside it in the same run, turn by turn: a bare Flask view on the same server that writes the same
four rows and checks nothing; and pgbench sending the same statements without any Python.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from app import cluster, roles
from app.config import ROOT, Settings, as_role, read_secrets
from app.processes import free_port
from bench import Result
from bench.city import wait_for
from bench.intake_bare import STATEMENTS
from grids import accounts, codes
from grids.city import City, set_city
from grids.db import engine
from grids.migrate import upgrade
from grids.secrets import token_hash

#: Reports a year of the customer's city; a bench of a few hundred already settles.
REPORTS = 40_000
LEAST_REPORTS, MOST_REPORTS = 800, 8_000
GRIDS = 1_700
CLIENTS = 8
#: Turns of each server: a machine that grows slower costs both the same.
TURNS = 8
FIRST_PORT = 18_280
WEST, SOUTH, EAST, NORTH = 120.0, 29.2, 120.2, 29.4
CATEGORY = "03001"
GUNICORN = ("gunicorn", "--config", str(ROOT / "deploy/gunicorn_web.py"))
GOAL_BARE, GOAL_P95, GOAL_PGBENCH = 0.6, 2.0, 0.25


@dataclass(frozen=True)
class Badge:
    """One worker who is signed in."""

    account_id: int
    token: str
    csrf: str


@dataclass(frozen=True)
class Office:
    """A city on a durable cluster and workers who are signed in, one for each client."""

    url: str
    env: dict[str, str]
    badges: tuple[Badge, ...]


@dataclass
class Sent:
    """What was sent so far: seconds it took, and the milliseconds of each report."""

    seconds: float
    times_ms: list[float]

    @property
    def rate(self) -> float:
        """Return the reports that were acknowledged in a second."""
        return len(self.times_ms) / self.seconds

    @property
    def p95_ms(self) -> float:
        """Return the time within which 95 of 100 were acknowledged."""
        return sorted(self.times_ms)[math.ceil(0.95 * len(self.times_ms)) - 1]

    def add(self, more: Sent) -> None:
        """Take another turn in."""
        self.seconds += more.seconds
        self.times_ms += more.times_ms


def run(scale: float) -> list[Result]:
    """Send reports to our server and to the bare one; then let pgbench write the same."""
    size = float(scale)
    count = max(LEAST_REPORTS, min(MOST_REPORTS, round(REPORTS * size)))
    with office(max(1, round(GRIDS * size))) as made:
        with (
            server(made, "app.wsgi:app") as ours_at,
            server(made, "bench.intake_bare:create_bare_app()") as bare_at,
        ):
            ours, bare = beside(made, ours_at, bare_at, count)
        raw = pgbench(made, count)
    return [
        Result("intake, beside a bare view", size, ours.rate, bare.rate, "reports/s", GOAL_BARE),
        Result("intake, p95 of 8 connections", size, ours.p95_ms, bare.p95_ms, "ms", GOAL_P95,
               "lower"),
        Result("intake, beside pgbench", size, ours.rate, raw, "reports/s", GOAL_PGBENCH),
    ]  # fmt: skip


def beside(made: Office, ours_at: int, bare_at: int, count: int) -> tuple[Sent, Sent]:
    """Send to the two servers by turns, after both are warm: imports, pools and plans."""
    ours, bare = Sent(0.0, []), Sent(0.0, [])
    for port in (ours_at, bare_at):
        send(made, port, CLIENTS * 16)
    for turn in range(TURNS):
        pair = ((ours_at, ours), (bare_at, bare))
        for port, sent in pair if turn % 2 == 0 else reversed(pair):
            sent.add(send(made, port, count // TURNS))
    return ours, bare


def send(made: Office, port: int, count: int) -> Sent:
    """Send reports from several clients, each on one open connection."""
    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        done = list(pool.map(lambda n: _client(made, port, n, count // CLIENTS), range(CLIENTS)))
    return Sent(time.perf_counter() - started, [ms for times in done for ms in times])


def _client(made: Office, port: int, number: int, count: int) -> list[float]:
    """Send one after the other on a bare socket: what a client costs slows both servers."""
    draw, badge, times = Random(), made.badges[number], []
    head = (
        f"HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: wangge={badge.token}\r\n"
        f"X-CSRF-Token: {badge.csrf}\r\nContent-Type: application/json\r\n"
    )
    line: socket.socket | None = None
    for _ in range(count):
        request = _request(head, draw)
        started = time.perf_counter()
        if line is None:
            line = _line(port)
        line.sendall(request)
        answer, is_open = _answer(line)
        times.append((time.perf_counter() - started) * 1000)
        if not answer.startswith(b"HTTP/1.1 201 "):
            raise RuntimeError(repr(answer[:600]))
        if not is_open:
            line.close()
            line = None
    if line is not None:
        line.close()
    return times


def _line(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=30)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def _request(head: str, draw: Random) -> bytes:
    """Write a report of a place of the city."""
    body = json.dumps({
        "category": CATEGORY,
        "text": "垃圾满溢",
        "lon": draw.uniform(WEST + 0.001, EAST - 0.001),
        "lat": draw.uniform(SOUTH + 0.001, NORTH - 0.001),
    })  # fmt: skip
    key = UUID(int=draw.getrandbits(128), version=4)
    return (f"PUT /api/incidents/{key} {head}Content-Length: {len(body)}\r\n\r\n{body}").encode()


def _answer(line: socket.socket) -> tuple[bytes, bool]:
    """Read one answer to its end, as its head gives the length; say whether the line stays open."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(line)
    head, _, _body = data.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    if found is None:
        raise RuntimeError(repr(data[:600]))
    while len(data) < len(head) + 4 + int(found[1]):
        data += _more(line)
    return data, re.search(rb"(?i)\r\nconnection: close", head) is None


def _more(line: socket.socket) -> bytes:
    if not (data := line.recv(65536)):
        raise RuntimeError("the server hung up")
    return data


def pgbench(made: Office, count: int) -> float:
    """Return the transactions a second of pgbench with the same statements."""
    script = "\n".join((
        f"\\set lon random({WEST * 1000:.0f} + 1, {EAST * 1000:.0f} - 1)",
        f"\\set lat random({SOUTH * 1000:.0f} + 1, {NORTH * 1000:.0f} - 1)",
        "SELECT gen_random_uuid() AS id \\gset",
        "BEGIN;", *(_for_pgbench(one, made.badges[0].account_id) for one in STATEMENTS), "COMMIT;",
    ))  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            [cluster.server_bin() / "pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2",
             "-t", str(max(20, count // CLIENTS)), "-f", file.name, made.url],
            capture_output=True, text=True, check=True, env=cluster.server_environment() or None,
        )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise RuntimeError(done.stdout + done.stderr)
    return float(found[1])


def _for_pgbench(statement: str, actor: int) -> str:
    """Write a statement with pgbench's variables: it knows integers, so degrees are divided."""
    values = {
        "id": ":id::uuid", "text": "'垃圾满溢'", "category": f"'{CATEGORY}'", "answer": "'{}'::jsonb",
        "data": "'{}'::jsonb", "actor": str(actor), "lon": ":lon::float8 / 1000", "lat": ":lat::float8 / 1000",
    }  # fmt: skip
    filled = re.sub(r"%\((\w+)\)s", lambda name: values[name[1]], statement)
    return " ".join(filled.split()) + ";"


@contextlib.contextmanager
def server(made: Office, app: str, command: Sequence[str] = GUNICORN) -> Iterator[int]:
    """Run an application on a server, by default ours with its settings; `{port}` is filled in."""
    port = free_port(FIRST_PORT)
    env = {**os.environ, **made.env, "WANGGE_WEB_PORT": str(port),
           "BARE_ACCOUNT": str(made.badges[0].account_id),
           "BARE_DATABASE_URL": as_role(made.url, "wangge_owner", "none")}  # fmt: skip
    words = [word.format(port=port) for word in command]
    process = subprocess.Popen(
        (sys.executable, "-m", *words, app), cwd=ROOT, env=env, start_new_session=True
    )
    try:
        wait_for(port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@contextlib.contextmanager
def office(grids: int) -> Iterator[Office]:
    """Make a durable cluster, a city of square duty grids and a worker who is signed in."""
    with tempfile.TemporaryDirectory(prefix="wangge-intake-") as folder:
        pg = cluster.Cluster(Path(folder) / "pg", "none", auth="trust")
        cluster.start(pg)
        try:
            url = pg.url("wangge")
            env = {"WANGGE_DATABASE_URL": url, "WANGGE_VAR_DIR": str(Path(folder) / "var"),
                   "WANGGE_SECOND_FACTOR": "offered"}  # fmt: skip
            settings = Settings.load(env)
            roles.prepare(settings.admin_url, read_secrets(settings.var_dir))
            owner = as_role(url, "wangge_owner", "none")
            upgrade(owner)
            pool = engine(owner)
            with Session(pool) as session, session.begin():
                codes.load(session, ROOT / "data/codes", on=date(2026, 7, 1))
                _build_city(session, math.ceil(math.sqrt(grids)))
                badges = tuple(_sign_in(session, number) for number in range(CLIENTS))
            pool.dispose()
            yield Office(url, env, badges)
        finally:
            cluster.stop(pg)


def _build_city(session: Session, side: int) -> None:
    """Lay side x side square grids in one community."""
    set_city(
        session,
        City(id=1, name_zh="样城", name_en="Sample City", county_code="339901", metric_srid=4549,
             city_zone="Asia/Shanghai", west=WEST, south=SOUTH, east=EAST, north=NORTH),
    )  # fmt: skip
    box = {"w": WEST, "s": SOUTH, "e": EAST, "n": NORTH}
    for code, parent in (("339901", None), ("339901001", "339901"), ("339901001001", "339901001")):
        session.execute(
            text(
                "INSERT INTO area (code, parent_code, level, name_zh, name_en, geom) VALUES"
                " (:code, :parent, length(:code), :code, :code,"
                " ST_Multi(ST_MakeEnvelope(:w, :s, :e, :n, 4490)))"
            ),
            {"code": code, "parent": parent, **box},
        )
    session.execute(
        text(
            "WITH made AS (INSERT INTO grid (code, name)"
            " SELECT '339901001001' || lpad(n::text, 3, '0'), n::text"
            " FROM generate_series(1, LEAST(:side * :side, 999)) AS n RETURNING id, name)"
            " INSERT INTO grid_version (grid_id, valid, households, area_m2, geom)"
            " SELECT id, daterange('2020-01-01', NULL), 100, 1, ST_Multi(ST_MakeEnvelope("
            "  :w + (name::int - 1) % :side * (:e - :w) / :side,"
            "  :s + (name::int - 1) / :side * (:n - :s) / :side,"
            "  :w + ((name::int - 1) % :side + 1) * (:e - :w) / :side,"
            "  :s + ((name::int - 1) / :side + 1) * (:n - :s) / :side, 4490)) FROM made"
        ),
        {"side": side, **box},
    )
    session.execute(text("ANALYZE"))


def _sign_in(session: Session, number: int) -> Badge:
    name, token, csrf = f"bench{number}", uuid4().hex, uuid4().hex
    account = accounts.Account(login=name, name=name, password_hash="-")  # noqa: S106
    session.add(account)
    session.flush()
    accounts.assign(session, account, "worker", area_code="339901")
    now = datetime.now(UTC)
    session.add(
        accounts.SignInSession(
            token_hash=token_hash(token), account_id=account.id, csrf_token=csrf,
            created_at=now, seen_at=now, ends_at=now + timedelta(days=1),
        )
    )  # fmt: skip
    return Badge(account.id, token, csrf)
