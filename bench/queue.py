"""The dispatcher's queue over three years of cases: pages, counts by facet, words, one box.

At scale 1 there are 3,000,000 cases of which 45,000 are open, 300,000 addresses and 60,000
enterprises. Every figure is an answer of the application itself, signed in and in scope, with
both walls; beside it stands what a plain page would do: skip rows, count each facet for
itself, look for words with LIKE.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

import bench.queue_fill as fill
from app import cluster, create_app, roles
from app.auth import cookie_name
from app.config import ROOT, Settings, as_role, read_secrets
from bench import Result
from grids import accounts, codes
from grids.city import City, set_city
from grids.db import engine
from grids.migrate import upgrade

ROWS: Final = 3_000_000
OPEN: Final = 45_000
#: What a person waits without noticing (quality.md U17; the issue's limit for the queue).
LIMIT_MS: Final = 300.0
TURNS: Final = 25
NAIVE_TURNS: Final = 3
TOWN: Final = "339901001"


@dataclass(frozen=True)
class Callers:
    """Signed-in browsers, by what they are."""

    dispatcher: FlaskClient
    town: FlaskClient
    handler: FlaskClient
    seldom: FlaskClient  #: of a department that one case in ten thousand is given to


def run(scale: float) -> list[Result]:
    """Time the desk's reads; at scale 1 on three million cases."""
    with tempfile.TemporaryDirectory(prefix="wangge-queue-") as folder:
        pg = cluster.Cluster(Path(folder) / "pg", "none", auth="trust")
        cluster.start(pg)
        try:
            settings = prepare(pg.url("wangge"), Path(folder), scale)
            return measure(settings, scale)
        finally:
            cluster.stop(pg)


def prepare(url: str, folder: Path, scale: float) -> Settings:
    """Make a database with three years of cases."""
    settings = Settings.load(
        {
            "WANGGE_DATABASE_URL": url,
            "WANGGE_VAR_DIR": str(folder / "var"),
            "WANGGE_SECOND_FACTOR": "offered",
        }
    )
    roles.prepare(settings.admin_url, read_secrets(settings.var_dir))
    upgrade(settings.owner_url)
    pool = engine(settings.owner_url)
    with Session(pool) as session, session.begin():
        codes.load(session, ROOT / "data/codes", on=date(2020, 1, 1))
        set_city(
            session,
            City(id=1, name_zh="样城", name_en="Sample City", county_code="339901",
                 metric_srid=4549, city_zone="Asia/Shanghai", west=120.0, south=29.0, east=120.5,
                 north=29.4),
        )  # fmt: skip
    pool.dispose()
    with psycopg.connect(url, autocommit=True) as conn:
        roles.mark_leakproof(conn)
        fill.everything(conn, round(ROWS * scale), round(OPEN * scale))
    return settings


def measure(settings: Settings, scale: float) -> list[Result]:
    """Ask the application again and again, with other values each time."""
    results = []
    with signed_in(settings) as who:
        for name, client, addresses in questions(who):
            spent = _timed(partial(get, client), addresses)
            results.append(Result(f"{name}, p95", scale, _p95(spent), LIMIT_MS, "ms", 1.0, "lower"))
            results.append(
                Result(f"{name}, median", scale, statistics.median(spent), LIMIT_MS, "ms", 1.0,
                       "lower")
            )  # fmt: skip
    with psycopg.connect(as_role(settings.database_url, "wangge_owner", "none")) as conn:
        conn.execute("SET max_parallel_workers_per_gather = 0")
        for name, statement in fill.NAIVE.items():
            spent = _timed(lambda asked: conn.execute(asked.encode()), [statement] * NAIVE_TURNS)
            results.append(
                Result(f"plain: {name}", scale, statistics.median(spent), LIMIT_MS, "ms",
                       float("inf"), "lower")
            )  # fmt: skip
    return results


def questions(who: Callers) -> Iterator[tuple[str, FlaskClient, list[str]]]:
    """Yield what is asked: a name, who asks, and addresses, one a turn."""
    towns = [f"3399010{n:02d}" for n in range(1, 21)]
    words = ["路灯", "井盖", "垃圾", "占道", "江滨路", "油烟", "违停", "共享单车", "公园门口"]
    picked = [one["id"] for one in get(who.dispatcher, "/api/desk/queue?limit=100")["items"]]
    numbers = [one["number"] for one in get(who.dispatcher, "/api/desk/queue?limit=100")["items"]]
    desk, town = "/api/desk/queue?", who.town
    yield "first page by risk", who.dispatcher, [desk] * TURNS
    yield "first page by risk, a town", town, [desk] * TURNS
    yield "first page by risk, a department", who.handler, [desk] * TURNS
    yield "first page by risk, a department of few cases", who.seldom, [desk] * TURNS
    yield "newest of all, a department", who.handler, [f"{desk}status=all&sort=new"] * TURNS
    yield (
        "newest of all, a department of few cases",
        who.seldom,
        [f"{desk}status=all&sort=new"] * TURNS,
    )
    yield "pages further on", who.dispatcher, _pages(who.dispatcher, desk, TURNS)
    yield "newest of all", who.dispatcher, [f"{desk}status=all&sort=new"] * TURNS
    yield (
        "closed ones of a town, by category",
        who.dispatcher,
        [f"{desk}status=closed&area={area}&category=03001" for area in towns],
    )
    yield "words in open cases", who.dispatcher, [f"{desk}q={one}" for one in words] * 3
    yield (
        "words in all cases",
        who.dispatcher,
        [f"{desk}status=all&sort=new&q={one}" for one in words] * 3,
    )
    yield (
        "words that stand nowhere, in all cases",
        who.dispatcher,
        [f"{desk}status=all&sort=new&q={one}" for one in ("龙卷风", "火星人", "极光", "xyzzy")] * 3,
    )
    facets = "/api/desk/facets?"
    yield "facets of open cases", who.dispatcher, [facets] * TURNS
    yield "facets of open cases, a town", town, [facets] * TURNS
    yield "facets of open cases, a department", who.handler, [facets] * TURNS
    yield (
        "facets of all cases, a department (estimates)",
        who.handler,
        [f"{facets}status=all"] * TURNS,
    )
    yield "figures of a shift", who.dispatcher, ["/command/desk/shift"] * TURNS
    yield "what was done today", who.dispatcher, ["/command/desk/done"] * TURNS
    yield (
        "facets with three choices",
        who.dispatcher,
        [f"{facets}area={area}&risk=late,soon&channel=worker" for area in towns],
    )
    yield "facets of all cases (estimates)", who.dispatcher, [f"{facets}status=all"] * TURNS
    yield (
        "facets of closed ones of a town (estimates)",
        who.dispatcher,
        [f"{facets}status=closed&area={area}" for area in towns],
    )
    yield (
        "facets of a month",
        who.dispatcher,
        [
            f"{facets}status=all&from=2025-{month:02d}-01&to=2025-{month:02d}-28"
            for month in range(1, 13)
        ],
    )
    yield (
        "one box",
        who.dispatcher,
        [
            f"/api/desk/search?q={one}"
            for one in (
                *numbers[:6],
                *words,
                "zsl",
                "123",
                "120.2,29.2",
                "公司",
                "中山路88号",
                "33990101",
            )
        ],
    )
    yield "duplicates", who.dispatcher, [f"/api/desk/cases/{one}/duplicates" for one in picked[:25]]
    yield "the command center's queue", who.dispatcher, ["/api/incidents?status=open"] * TURNS


def _pages(client: FlaskClient, address: str, count: int) -> list[str]:
    """Walk through the queue once, to be timed the second time."""
    found, place = [], ""
    for _ in range(count):
        found.append(f"{address}after={place}&limit=200")
        place = get(client, found[-1])["next"] or ""
    return found


def get(client: FlaskClient, address: str) -> Any:
    """Ask and read the answer. Raises `RuntimeError` for any but a good one."""
    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status_code} {answer.text[:300]}")
    return answer.get_json()


def _timed(ask: Callable[[str], Any], addresses: list[str]) -> list[float]:
    ask(addresses[0])
    spent = []
    for address in addresses:
        started = time.perf_counter()
        ask(address)
        spent.append((time.perf_counter() - started) * 1000)
    return spent


def _p95(spent: list[float]) -> float:
    return sorted(spent)[math.ceil(0.95 * len(spent)) - 1]


@contextmanager
def signed_in(settings: Settings) -> Iterator[Callers]:
    """Open the application with a dispatcher, a town's seat and a handler signed in."""
    app = create_app(settings)
    pool = engine(settings.owner_url)
    try:
        with Session(pool) as session, session.begin():
            made = [
                _client(app, session, settings, role, area, department)
                for role, area, department in (
                    ("dispatcher", "339901", None),
                    ("town_seat", TOWN, None),
                    ("handler", "339901", "D03"),
                    ("handler", "339901", "D14"),
                )
            ]
        yield Callers(*made)
    finally:
        pool.dispose()
        app.extensions["engine"].dispose()


def _client(
    app: Any, session: Session, settings: Settings, role: str, area: str, department: str | None
) -> FlaskClient:
    token, now = uuid4().hex, datetime.now(UTC)
    account = accounts.Account(login=uuid4().hex, name=role, password_hash="-")  # noqa: S106
    session.add(account)
    session.flush()
    accounts.assign(session, account, role, area_code=area, department=department)
    session.add(
        accounts.SignInSession(
            token_hash=accounts.token_hash(token), account_id=account.id, csrf_token="-",  # noqa: S106
            created_at=now, seen_at=now, ends_at=now + accounts.LONGEST,
        )
    )  # fmt: skip
    client: FlaskClient = app.test_client()
    client.set_cookie(cookie_name(settings), token)
    return client
