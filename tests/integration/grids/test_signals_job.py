"""The watch as the worker runs it: its own role, its own commits, the real queue."""

import asyncio

import psycopg
import pytest

from app.config import as_role
from grids import jobs
from grids.db import engine as make_engine


@pytest.fixture
def worker_url(empty_database):
    return as_role(empty_database, "wangge_worker", "none")


def run_watch(worker_url, tmp_path):
    async def run():
        queue = jobs.queue(worker_url)
        async with queue.open_async() as app:
            await app.configure_task("wangge:watch_signals").defer_async(timestamp=0)
        await jobs.work_until_stopped(jobs.queue(worker_url), work, wait=False)

    engine = make_engine(worker_url)
    work = jobs.Work(engine, tmp_path)
    try:
        asyncio.run(run())
    finally:
        engine.dispose()


def test_the_worker_raises_an_alarm_and_tells_when_it_looked(empty_database, worker_url, tmp_path):
    with psycopg.connect(empty_database, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO audit_event (at, action, is_success, source_ip)"
            " SELECT now() - make_interval(secs => n), 'sign_in_failed', false, '10.2.3.4'"
            " FROM generate_series(1, 25) AS n"
        )

    run_watch(worker_url, tmp_path)
    run_watch(worker_url, tmp_path)

    with psycopg.connect(empty_database) as conn:
        alarms = conn.execute("SELECT rule, subject, count FROM alarm").fetchall()
        counted = conn.execute(
            "SELECT sum(count) FROM signal_count WHERE kind = 'failed' AND subject LIKE 'source:%'"
        ).fetchone()
        looked = conn.execute(
            "SELECT looked_at > now() - interval '1 minute' FROM signal_state"
        ).fetchone()
    assert alarms == [("failures_source", "source:10.2.3.4", 25)]
    assert counted == (25,)
    assert looked == (True,)
