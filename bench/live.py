"""Two thousand open streams on one process, and a report that reaches them while others submit.

Clients are bare sockets, so that their own cost stays small beside what is measured. Reports go
through the web server. Time is taken from the moment a worker sends one, and for a claim from its
commit, to the receipt, all on one machine and one clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app import cluster, roles
from app.config import ROOT, Settings, read_secrets
from app.processes import free_port
from bench import Result, live_import
from bench.city import wait_for
from grids import accounts, codes, feed
from grids.db import engine
from grids.desk import claims
from grids.migrate import upgrade
from tests.support.cases import MATTER, WEST, Desk, build_city, make_actor, make_staff

CLIENTS: Final = 2_000
FEW: Final = 300
EVENTS: Final = 30
#: One person has at most twenty streams.
PER_ACCOUNT: Final = 20
FIRST_PORT: Final = 21_500
CSRF: Final = "bench"
#: Reports that others send meanwhile: a county's busiest hour has a tenth of it.
RUSH_PER_S: Final = 20
#: What others do meanwhile.
SUBMITTED, CHECKED = "submits running", "a table being checked"
#: How soon an event must be on a screen: the issue's limit, of which this is all but the paint.
LIMIT_MS: Final = 2_000.0
CLAIM_LIMIT_MS: Final = 1_000.0


def run(scale: float) -> list[Result]:
    """Open the streams and time reports and claims; at scale 1 two thousand of them."""
    results = []
    few, many = round(FEW * scale) or 1, round(CLIENTS * scale) or 1
    for clients, beside in ((few, SUBMITTED), (few, CHECKED), (many, "")):
        with office() as (desk, port, pid, worker, settings), _beside(beside, worker, settings):
            kinds = ("incident", "claim")
            spent, memory = asyncio.run(_watch(desk, port, pid, worker, clients))
            label = ", ".join(filter(None, (f"{clients} streams", beside)))
            for kind, limit in zip(kinds, (LIMIT_MS, CLAIM_LIMIT_MS), strict=True):
                times = sorted(spent[kind])
                for name, value in (
                    ("median", statistics.median(times)),
                    ("p95", times[int(0.95 * (len(times) - 1))]),
                ):
                    results.append(
                        Result(
                            f"{kind} on {label}, {name}", scale, value, limit, "ms", 1.0, "lower"
                        )
                    )
            results.append(
                Result(f"live process, {label}", scale, memory, 500.0, "MB", 1.0, "lower")
            )
    return results


@dataclass(frozen=True)
class Worker:
    """Somebody in the street: a sign-in, and where the web server listens."""

    port: int
    token: str

    def report(self) -> UUID:
        """Send one report and wait until it is acknowledged."""
        key, line = uuid4(), http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = {"category": MATTER, "lon": WEST[0], "lat": WEST[1], "text": "垃圾满溢"}
        head = {"Content-Type": "application/json", "Cookie": f"wangge={self.token}",
                "X-CSRF-Token": CSRF}  # fmt: skip
        with contextlib.closing(line):
            line.request("PUT", f"/api/incidents/{key}", json.dumps(body), head)
            answer = line.getresponse()
            if answer.status != 201:
                raise RuntimeError(f"{answer.status}: {answer.read()[:300]!r}")
        return key


@contextmanager
def office() -> Iterator[tuple[Desk, int, int, Worker, Settings]]:
    """Run a durable cluster, the sealer, the web server and the live process."""
    with tempfile.TemporaryDirectory(prefix="wangge-live-") as folder:
        pg = cluster.Cluster(Path(folder) / "pg", "none", auth="trust")
        cluster.start(pg)
        url, port = pg.url("wangge"), free_port(FIRST_PORT)
        env = {
            "WANGGE_DATABASE_URL": url, "WANGGE_VAR_DIR": str(Path(folder) / "var"),
            "WANGGE_LIVE_PORT": str(port), "WANGGE_SECOND_FACTOR": "offered",
        }  # fmt: skip
        settings = Settings.load(env)
        roles.prepare(settings.admin_url, read_secrets(settings.var_dir))
        upgrade(settings.owner_url)
        pool, stop = engine(settings.owner_url, pool_size=10), threading.Event()
        sealer = threading.Thread(target=feed.run_sealer, args=(settings.worker_url, stop))
        env["WANGGE_WEB_PORT"] = str(free_port(port + 1))
        gunicorn = (sys.executable, "-m", "gunicorn", "--config")
        live = (*gunicorn, str(ROOT / "deploy/gunicorn_live.py"), "app.live:create_live_app()")
        site = (*gunicorn, str(ROOT / "deploy/gunicorn_web.py"), "app.wsgi:app")
        process, web = (subprocess.Popen(one, cwd=ROOT, env={**os.environ, **env})
                        for one in (live, site))  # fmt: skip
        try:
            with Session(pool, expire_on_commit=False) as session:
                _load_codes(session)
                build_city(session)
                desk = Desk(session, make_staff(session), now=datetime.now(UTC))
                token = _signed_in(session, desk.staff["worker"])
                session.commit()
                sealer.start()
                wait_for(int(env["WANGGE_WEB_PORT"]))
                reporter = Worker(int(env["WANGGE_WEB_PORT"]), token)
                yield desk, port, process.pid, reporter, settings
        finally:
            stop.set()
            for one in (web, process):
                one.terminate()
                one.wait(30)
            sealer.join(20)
            pool.dispose()
            cluster.stop(pg)


def _load_codes(session: Session) -> None:
    codes.load(session, ROOT / "data/codes", on=date(2020, 1, 1))


def _cookies(session: Session, count: int) -> list[str]:
    """Sign people in who may follow the queue, each with as many streams as one may have."""
    found: list[str] = []
    for _ in range(-(-count // PER_ACCOUNT)):
        found += [_signed_in(session, make_actor(session, "dispatcher"))] * PER_ACCOUNT
    session.commit()
    return found[:count]


def _signed_in(session: Session, actor: accounts.Actor) -> str:
    """Open a session for somebody; return its token."""
    now, token = datetime.now(UTC), uuid4().hex
    session.add(
        accounts.SignInSession(
            token_hash=accounts.token_hash(token), account_id=actor.account_id, csrf_token=CSRF,
            created_at=now, seen_at=now, ends_at=now + accounts.LONGEST,
        )
    )  # fmt: skip
    return token


@contextmanager
def _beside(what: str, worker: Worker, settings: Settings) -> Iterator[None]:
    """Let others work while events are timed."""
    if what == CHECKED:
        with live_import.checking(settings.owner_url, settings.worker_url):
            yield
        return
    stop = threading.Event()
    rush = threading.Thread(target=_report_on, args=(worker, stop))
    if what == SUBMITTED:
        rush.start()
    try:
        yield
    finally:
        stop.set()
        if rush.is_alive():
            rush.join(30)


async def _watch(
    desk: Desk, port: int, pid: int, worker: Worker, clients: int
) -> tuple[dict[str, list[float]], float]:
    """Open the streams, then report and claim, and take the time of every receipt."""
    heard: dict[str, dict[str, list[float]]] = {"incident": {}, "claim": {}}
    opened: list[asyncio.Event] = [asyncio.Event() for _ in range(clients)]
    tasks = [
        asyncio.create_task(_listen(port, token, heard, event))
        for token, event in zip(_cookies(desk.session, clients), opened, strict=True)
    ]
    await asyncio.wait_for(asyncio.gather(*(event.wait() for event in opened)), 180)
    spent: dict[str, list[float]] = {"incident": [], "claim": []}
    for _ in range(EVENTS):
        case = await asyncio.to_thread(_report, worker)
        spent["incident"] += await _times(heard["incident"], str(case), clients)
        await asyncio.to_thread(_claim, desk, case)
        spent["claim"] += await _times(heard["claim"], str(case), clients)
    memory = _memory_mb(pid)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return spent, memory


async def _listen(
    port: int, token: str, heard: dict[str, dict[str, list[float]]], opened: asyncio.Event
) -> None:
    """Hold one stream and note when each event came; only its kind and case are read."""
    while not opened.is_set():
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: wangge={token}\r\n\r\n"
            writer.write(head.encode())
            if b" 200 " in await reader.readline():
                opened.set()
        except OSError:
            await asyncio.sleep(0.5)
    kind = ""
    while line := await reader.readline():
        if line.startswith(b"event: "):
            kind = line[7:].decode().strip()
        elif line.startswith(b"data: ") and kind in heard:
            key = '"incident":"' if kind == "incident" else '"id":"'
            case = line.decode().partition(key)[2][:36]
            heard[kind].setdefault(case, []).append(time.perf_counter())


async def _times(heard: dict[str, list[float]], case: str, clients: int) -> list[float]:
    """Wait until every stream has an event; return the milliseconds since it was sent."""
    begun = _BEGUN[case]
    deadline = time.perf_counter() + 20
    while len(heard.get(case, ())) < clients and time.perf_counter() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    came = heard.get(case, [])
    if len(came) < clients:
        raise RuntimeError(f"{len(came)} of {clients} streams heard of {case}")
    return [(at - begun) * 1000 for at in came]


_BEGUN: Final[dict[str, float]] = {}


def _report(worker: Worker) -> UUID:
    started = time.perf_counter()
    case = worker.report()
    _BEGUN[str(case)] = started
    return case


def _claim(desk: Desk, case: UUID) -> None:
    claims.claim(desk.session, desk.staff["dispatcher"], case, now=datetime.now(UTC))
    desk.session.commit()
    _BEGUN[str(case)] = time.perf_counter()


def _report_on(worker: Worker, stop: threading.Event) -> None:
    """Report steadily until told to stop."""
    following = time.perf_counter()
    while not stop.is_set():
        worker.report()
        following += 1 / RUSH_PER_S
        time.sleep(max(0.0, following - time.perf_counter()))


def _memory_mb(pid: int) -> float:
    """Return what a process and its children hold of their own (proportional share)."""
    family = [pid, *(int(one) for one in _children(pid))]
    return sum(_pss_kb(one) for one in family) / 1024


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _pss_kb(pid: int) -> int:
    lines: list[Any] = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
