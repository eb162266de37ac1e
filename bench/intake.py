"""Reports over HTTP, from the request to the committed rows, on a durable cluster of its own.

Beside it in the same run: a bare Flask view on the same server that writes the same four
rows and checks nothing, and pgbench sending the same statements without any Python.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import uuid4

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
LEAST_REPORTS, MOST_REPORTS = 400, 4_000
GRIDS = 1_700
CLIENTS = 8
FIRST_PORT = 18_280
WEST, SOUTH, EAST, NORTH = 120.0, 29.2, 120.2, 29.4
CATEGORY = "03001"
#: Ours also looks up the sign-in and checks token, place, category, id and body: nine statements
#: in two transactions beside four in one.
GOAL_BARE, GOAL_PGBENCH = 0.1, 0.03


@dataclass(frozen=True)
class Office:
    """A city on a durable cluster and the sign-in of a worker."""

    url: str
    env: dict[str, str]
    token: str
    csrf: str


def run(scale: float) -> list[Result]:
    """Send reports to our server and to the bare one; then let pgbench write the same."""
    size = float(scale)
    count = max(LEAST_REPORTS, min(MOST_REPORTS, round(REPORTS * size)))
    with office(max(1, round(GRIDS * size))) as made:
        with server(made, "app.wsgi:app") as port:
            send(made, port, CLIENTS * 4)  # imports, pools and plans are warm
            ours = rate(made, port, count)
        with server(made, "bench.intake_bare:create_bare_app()") as port:
            send(made, port, CLIENTS * 4)
            bare = rate(made, port, count)
        raw = pgbench(made.url, count)
    return [
        Result("intake, beside a bare view", size, ours, bare, "reports/s", GOAL_BARE),
        Result("intake, beside pgbench", size, ours, raw, "reports/s", GOAL_PGBENCH),
    ]


def rate(made: Office, port: int, count: int) -> float:
    """Return how many reports a second were acknowledged."""
    started = time.perf_counter()
    send(made, port, count)
    return count / (time.perf_counter() - started)


def send(made: Office, port: int, count: int) -> None:
    """Send reports from several clients, each on one open connection."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda seed: _client(made, port, seed, count // CLIENTS), range(CLIENTS)))


def _client(made: Office, port: int, seed: int, count: int) -> None:
    draw = Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json", "Cookie": f"wangge={made.token}",
               "X-CSRF-Token": made.csrf}  # fmt: skip
    for _ in range(count):
        body = {
            "category": CATEGORY,
            "text": "垃圾满溢",
            "lon": draw.uniform(WEST + 0.001, EAST - 0.001),
            "lat": draw.uniform(SOUTH + 0.001, NORTH - 0.001),
        }
        connection.request("PUT", f"/api/incidents/{uuid4()}", json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"{answer.status}: {content[:300]!r}")
    connection.close()


def pgbench(url: str, count: int) -> float:
    """Return the transactions a second of pgbench with the same statements."""
    script = "\n".join((
        f"\\set lon random({WEST * 1000:.0f} + 1, {EAST * 1000:.0f} - 1)",
        f"\\set lat random({SOUTH * 1000:.0f} + 1, {NORTH * 1000:.0f} - 1)",
        "SELECT gen_random_uuid() AS id \\gset",
        "BEGIN;", *(_for_pgbench(statement) for statement in STATEMENTS), "COMMIT;",
    ))  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            [cluster.server_bin() / "pgbench", "-n", "-c", str(CLIENTS), "-j", "2",
             "-t", str(max(20, count // CLIENTS)), "-f", file.name, url],
            capture_output=True, text=True, check=True, env=cluster.server_environment() or None,
        )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise RuntimeError(done.stdout + done.stderr)
    return float(found[1])


def _for_pgbench(statement: str) -> str:
    """Write a statement with pgbench's variables: it knows integers, so degrees are divided."""
    values = {
        "id": "':id'", "text": "'垃圾满溢'", "category": f"'{CATEGORY}'", "answer": "'{}'",
        "data": "'{}'", "lon": ":lon / 1000.0", "lat": ":lat / 1000.0",
    }  # fmt: skip
    filled = re.sub(r"%\((\w+)\)s", lambda name: values[name[1]], statement)
    return " ".join(filled.split()) + ";"


@contextlib.contextmanager
def server(made: Office, app: str) -> Iterator[int]:
    """Run an application with the settings of our web server."""
    port = free_port(FIRST_PORT)
    command = (sys.executable, "-m", "gunicorn", "--config", str(ROOT / "deploy/gunicorn_web.py"),
               app)  # fmt: skip
    env = {**os.environ, **made.env, "WANGGE_WEB_PORT": str(port),
           "BARE_DATABASE_URL": as_role(made.url, "wangge_app", "none")}  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
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
            token, csrf = uuid4().hex, uuid4().hex
            pool = engine(owner)
            with Session(pool) as session, session.begin():
                codes.load(session, ROOT / "data/codes", on=date(2026, 7, 1))
                _build_city(session, math.ceil(math.sqrt(grids)))
                _sign_in(session, token, csrf)
            pool.dispose()
            yield Office(url, env, token, csrf)
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


def _sign_in(session: Session, token: str, csrf: str) -> None:
    account = accounts.Account(login="bench", name="bench", password_hash="-")  # noqa: S106
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
