"""A simulated city on a throw-away cluster, a web server on it, and a caller who is signed in."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
from sqlalchemy.orm import Session

from app import cluster, installation, roles
from app.config import ROOT, Settings, as_role, read_secrets
from app.processes import free_port
from grids import accounts
from grids.db import engine
from grids.migrate import upgrade
from grids.secrets import token_hash

FIRST_PORT = 18_330
CLIENTS = 4
SEED = 1
#: Half of the customer's: what a small city has would measure the way to it only.
LEAST_COMPONENTS = 300_000
#: Who may see and take everything in the city.
WIDE_ROLES = ("commander", "planner")


@dataclass(frozen=True)
class BenchCity:
    """Where the city's database is, with which settings, and a cookie that opens it."""

    url: str
    settings: Settings
    env: dict[str, str]
    token: str

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """Connect as the map's role, set as the product's own pool sets it."""
        conn = psycopg.connect(as_role(self.url, "wangge_tiles", "none"), autocommit=True)
        conn.execute("SET max_parallel_workers_per_gather = 0")
        conn.execute("SET jit = off")
        return conn

    @property
    def headers(self) -> dict[str, str]:
        """What a signed-in caller sends."""
        return {"Cookie": f"wangge={self.token}"}


@contextlib.contextmanager
def bench_city(scale: float) -> Iterator[BenchCity]:
    """Simulate a city; it is gone afterwards. At scale 1 it is the customer's."""
    with tempfile.TemporaryDirectory(prefix="wangge-bench-") as folder:
        pg = cluster.Cluster(Path(folder) / "pg", "none", auth="trust")
        cluster.start(pg)
        try:
            url = pg.url("wangge")
            env = {"WANGGE_DATABASE_URL": url, "WANGGE_VAR_DIR": str(Path(folder) / "var"),
                   "WANGGE_SECOND_FACTOR": "offered"}  # fmt: skip
            settings = Settings.load(env)
            roles.prepare(settings.admin_url, read_secrets(settings.var_dir))
            upgrade(settings.owner_url)
            installation.load_codes(settings)
            installation.build_city(settings, scale=scale, seed=SEED, progress=lambda _text: None)
            with psycopg.connect(url, autocommit=True) as conn:
                thicken(conn, LEAST_COMPONENTS)
                conn.execute("VACUUM ANALYZE")
            yield BenchCity(url, settings, env, sign_in(as_role(url, "wangge_owner", "none")))
        finally:
            cluster.stop(pg)


def thicken(conn: psycopg.Connection[tuple[object, ...]], least: int) -> None:
    """Repeat components some metres away until there are enough to be felt."""
    row = conn.execute("SELECT count(*) FROM component").fetchone()
    there = int(str(row[0])) if row else 0
    copies = -(-least // max(1, there)) - 1
    if copies <= 0:
        return
    conn.execute(
        "INSERT INTO component (identifier, code, state, source, geom, cell_id, grid_id, area_code)"
        " SELECT c.identifier || '-' || n, c.code, c.state, c.source,"
        "        ST_Translate(c.geom, 1e-5 * (n %% 7 - 3), 1e-5 * (n / 7 - 3)),"
        "        c.cell_id, c.grid_id, c.area_code"
        " FROM component AS c, generate_series(1, %(copies)s) AS n"
        " WHERE geom_ok(ST_Translate(c.geom, 1e-5 * (n %% 7 - 3), 1e-5 * (n / 7 - 3)))",
        {"copies": copies},
    )


def sign_in(owner_url: str) -> str:
    """Make an account of wide roles that is signed in; return its cookie."""
    token = uuid4().hex
    pool = engine(owner_url)
    with Session(pool) as session, session.begin():
        account = accounts.Account(login=f"bench-{token[:8]}", name="bench", password_hash="-")  # noqa: S106
        session.add(account)
        session.flush()
        county = session.connection().exec_driver_sql("SELECT city_county()").scalar_one()
        for role in WIDE_ROLES:
            accounts.assign(session, account, role, area_code=str(county))
        now = datetime.now(UTC)
        session.add(
            accounts.SignInSession(
                token_hash=token_hash(token), account_id=account.id, csrf_token=uuid4().hex,
                created_at=now, seen_at=now, ends_at=now + timedelta(days=1),
            )
        )  # fmt: skip
    pool.dispose()
    return token


@contextlib.contextmanager
def server(made: BenchCity, app: str = "app.wsgi:app") -> Iterator[int]:
    """Run an application as an installation does; yield its port."""
    port = free_port(FIRST_PORT)
    command = (sys.executable, "-m", "gunicorn", "--config", str(ROOT / "deploy/gunicorn_web.py"),
               app)  # fmt: skip
    env = {**os.environ, **made.env, "WANGGE_WEB_PORT": str(port),
           "BARE_DATABASE_URL": as_role(made.url, "wangge_tiles", "none")}  # fmt: skip
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, start_new_session=True, stdout=sys.stderr
    )
    try:
        wait_for(port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wait_for(port: int) -> None:
    """Wait until a server answers; raise `RuntimeError` after two minutes."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError("the server does not answer")


def rate(port: int, paths: Sequence[str], headers: dict[str, str]) -> tuple[float, int]:
    """Fetch every path once from several clients; return requests a second, and bytes."""
    shares = [paths[client::CLIENTS] for client in range(CLIENTS)]
    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        sizes = pool.map(lambda share: _fetch(port, share, headers), shares)
        total = sum(sizes)
    return len(paths) / (time.perf_counter() - started), total


def _fetch(port: int, paths: Sequence[str], headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    size = 0
    for path in paths:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status not in (200, 304):
            raise RuntimeError(f"{path}: {answer.status}: {body[:200]!r}")
        size += len(body)
    connection.close()
    return size


def best(measure: Callable[[], float], rounds: int = 3) -> float:
    """Repeat and keep the best rate: what disturbed the machine is not ours."""
    return max(measure() for _ in range(rounds))
