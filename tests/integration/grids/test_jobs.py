"""The worker's own rules on the real queue: dead workers' jobs, coming months, old photos."""

import asyncio
from datetime import date

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.config import as_role
from grids import housekeeping, jobs


@pytest.fixture
def worker_url(empty_database: str) -> str:
    return as_role(empty_database, "wangge_worker", "none")


def defer(worker_url: str) -> None:
    async def run() -> None:
        async with jobs.queue(worker_url).open_async() as app:
            await app.configure_task("wangge:end_stale_sessions").defer_async(timestamp=0)

    asyncio.run(run())


def take(worker_url: str, *, heartbeat_ago_s: int) -> None:
    """Let a worker take the job and then be silent."""
    with psycopg.connect(worker_url) as conn:
        row = conn.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - make_interval(secs => %s)) RETURNING id",
            (heartbeat_ago_s,),
        ).fetchone()
        assert row is not None
        conn.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", row)


def status(worker_url: str) -> tuple[str, int]:
    with psycopg.connect(worker_url) as conn:
        row = conn.execute("SELECT status::text, attempts FROM procrastinate_jobs").fetchone()
    assert row is not None
    return row


def test_a_job_of_a_silent_worker_waits_again(worker_url: str) -> None:
    defer(worker_url)
    take(worker_url, heartbeat_ago_s=60)

    revived = jobs.reap(worker_url)

    assert (revived, *status(worker_url)) == (1, "todo", 1)


def test_a_job_whose_worker_was_removed_waits_again(worker_url: str) -> None:
    defer(worker_url)
    take(worker_url, heartbeat_ago_s=0)
    with psycopg.connect(worker_url) as conn:
        conn.execute("DELETE FROM procrastinate_workers")

    assert jobs.reap(worker_url) == 1


def test_a_job_of_a_living_worker_is_left_alone(worker_url: str) -> None:
    defer(worker_url)
    take(worker_url, heartbeat_ago_s=5)

    assert (jobs.reap(worker_url), *status(worker_url)) == (0, "doing", 0)


def test_the_worker_role_makes_the_partitions_of_coming_months(session: Session) -> None:
    session.execute(text("SET LOCAL ROLE wangge_worker"))

    housekeeping.make_partitions(session, date(2031, 5, 17))

    names = session.scalars(
        text(
            "SELECT relname FROM pg_class WHERE relname LIKE 'incident_event_y2031m%' AND relkind = 'r'"
        )
    )
    assert sorted(names) == [f"incident_event_y2031m{month:02d}" for month in range(5, 11)]
