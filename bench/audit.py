"""The audit log's chain: verified, sealed, and what sealing costs the intake of reports.

The cost is taken by sending the same reports to the same server with the sealer's process
stopped and running, turn by turn, so that a machine that grows slower costs both the same.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg

from app.config import ROOT, as_role
from bench import Result
from bench.intake import CLIENTS, Office, office, send, server
from grids import audit, feed

#: Rows of a year of a county's people at work; 1.0 is what the acceptance list asks for.
ROWS = 1_000_000
GOAL_VERIFY_S = 60.0
GOAL_SEALED = 20_000.0
#: The intake's rate with the sealer over its rate without.
GOAL_COST = 0.97
ROUNDS = 6
REPORTS_A_ROUND = 600
FILL = """
    INSERT INTO audit_event (action, actor_id, subject, source_ip, detail)
    SELECT 'sign_in', n %% 500, 'incident ' || n, '10.0.0.' || n %% 250,
           jsonb_build_object('rows', n, 'layer', 'component', 'counted', n)
    FROM generate_series(%s::int, %s::int) AS n
"""


def run(scale: float) -> list[Result]:
    """Time sealing and verifying, then the intake with and without a sealer."""
    rows = max(20_000, round(ROWS * float(scale)))
    with office(4) as made:
        sealed_per_s, verified_s = chain(made, rows)
        events_per_s = events(made)
        with_sealer, without = intake(made)
    return [
        Result("audit log, verify", scale, verified_s * ROWS / rows, GOAL_VERIFY_S, "s/1M rows", 1,
               better="lower"),
        Result("audit log, seal", scale, sealed_per_s, GOAL_SEALED, "rows/s", 1),
        Result("feed of case events, seal", scale, events_per_s, GOAL_SEALED, "events/s", 1),
        Result("intake with the sealer beside without", scale, with_sealer, without, "reports/s",
               GOAL_COST),
    ]  # fmt: skip


def chain(made: Office, rows: int) -> tuple[float, float]:
    """Return rows sealed a second and the seconds of a verification."""
    with psycopg.connect(as_role(made.url, "wangge_owner", "none"), autocommit=True) as conn:
        for start in range(1, rows + 1, 1_000):
            conn.execute(FILL, (start, min(rows, start + 999)))
    with psycopg.connect(as_role(made.url, "wangge_worker", "none"), autocommit=True) as conn:
        started = time.perf_counter()
        sealed = audit.seal_all(conn, now=datetime.now(UTC))
        per_s = sealed / (time.perf_counter() - started)
    with psycopg.connect(as_role(made.url, "wangge_auditor", "none"), autocommit=True) as conn:
        started = time.perf_counter()
        found = audit.verify(conn)
        took = time.perf_counter() - started
    if found.finding is not None or found.events != sealed:
        raise RuntimeError(f"{found}, sealed {sealed}")
    return per_s, took


#: Events of one case each, as many cases as reports; enough to see the sealer's own speed.
BULK = """
    INSERT INTO incident_event (recorded_at, incident_id, seq, id, action, from_status, to_status,
                                role, area_code)
    SELECT now() + n * interval '1 second', i.id, 1000 + n, gen_random_uuid(), 'handle',
           'handling', 'handling', 'handler', i.area_code
    FROM incident AS i, generate_series(1, %s) AS n
"""
EVENTS_A_CASE = 1_000


def events(made: Office) -> float:
    """Return case events sealed a second, of a bulk that is there already."""
    with server(made, "app.wsgi:app") as port:
        send(made, port, CLIENTS * 8)
    with psycopg.connect(as_role(made.url, "wangge_owner", "none"), autocommit=True) as conn:
        conn.execute(BULK, (EVENTS_A_CASE,))
    with psycopg.connect(as_role(made.url, "wangge_worker", "none"), autocommit=True) as conn:
        started = time.perf_counter()
        sealed = feed.seal_all(conn, now=datetime.now(UTC))
        return sealed / (time.perf_counter() - started)


def intake(made: Office) -> tuple[float, float]:
    """Return the middle rate of the intake with a sealer and without, turn by turn."""
    on, off = [], []
    with server(made, "app.wsgi:app") as port, sealer(made) as process:
        send(made, port, CLIENTS * 10)
        for _ in range(ROUNDS):
            off.append(_while(process, signal.SIGSTOP, made, port))
            on.append(_while(process, signal.SIGCONT, made, port))
    return statistics.median(on), statistics.median(off)


def _while(
    process: subprocess.Popen[bytes], number: signal.Signals, made: Office, port: int
) -> float:
    process.send_signal(number)
    time.sleep(2)  # what waited is sealed before it counts
    return send(made, port, REPORTS_A_ROUND).rate


@contextlib.contextmanager
def sealer(made: Office) -> Iterator[subprocess.Popen[bytes]]:
    """Run the sealer's process of an installation."""
    process = subprocess.Popen(
        (sys.executable, "-m", "app.cli", "sealer"), cwd=ROOT, env={**os.environ, **made.env}
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(30)
