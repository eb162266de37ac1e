"""The job queue in PostgreSQL: work that no request waits for, and work that comes round.

A room that has tasks names its module in `TASK_MODULES` and adds them to `tasks`. Every task
may run twice (a worker may die after the work and before the note of it), so each does what
is left to do and nothing else. The queue does not take back what a killed worker left
`doing` (measured: 60 s watched, never taken); the reaper does, and it is no job itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from procrastinate import App, Blueprint, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from grids.db import engine as make_engine
from grids.secrets import Signer
from grids.secrets.rotation import Rotator

log = logging.getLogger("wangge.jobs")

#: Tasks of all rooms are collected here.
tasks = Blueprint()
TASK_MODULES: Final = ("grids.audit.jobs", "grids.base_numbers.jobs", "grids.desk.jobs", "grids.exports.jobs", "grids.facts.jobs", "grids.hazards.jobs", "grids.housekeeping", "grids.importing.batches.jobs", "grids.key_population.jobs",
                       "grids.incidents.held.jobs", "grids.incidents.sampling.jobs",
                       "grids.matching.jobs", "grids.quality.jobs", "grids.regrid.jobs", "grids.reminders.jobs", "grids.responsibility.jobs", "grids.signals.jobs", "grids.retention", "grids.secrets.jobs", "grids.watch.jobs")  # fmt: skip
#: Few at a time: the database serves people first.
CONCURRENCY: Final = 2
#: A job that is over is kept this long, for those who look what happened.
KEPT_H: Final = 72
HEARTBEAT_S: Final = 10.0
#: A worker that was silent this long is dead; its jobs start again within 90 s (R25).
SILENT_S: Final = 45.0
REAP_EVERY_S: Final = 15.0
RETRY_S: Final = 2.0

STALE = """
    SELECT j.id FROM procrastinate_jobs AS j
    LEFT JOIN procrastinate_workers AS w ON w.id = j.worker_id
    WHERE j.status = 'doing'
      AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %s))
    FOR UPDATE OF j SKIP LOCKED
"""
#: What the queue's own retry does, from outside the queue.
REVIVE = """
    UPDATE procrastinate_jobs
    SET status = 'todo', attempts = attempts + 1, scheduled_at = now(), worker_id = NULL
    WHERE id = ANY(%s) AND status = 'doing'
"""
_DEFER: Final = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', :task, 0, NULL, NULL,"
    " CAST(:arguments AS jsonb), NULL)::procrastinate_job_to_defer_v1])"
)
_WAITING: Final = text(
    "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE task_name = :task AND status = 'todo')"
)


@dataclass(frozen=True)
class Work:
    """What a task may use."""

    engine: Engine
    blob_dir: Path
    export_dir: Path | None = None
    heads_dir: Path | None = None
    signer: Signer | None = None
    certificates_dir: Path | None = None
    rotator: Rotator | None = None


#: Runs beside the jobs until told to stop: the outbox has lanes of its own.
Beside = Callable[[Engine, threading.Event], None]


def work_of(context: JobContext) -> Work:
    """Return what the worker gave to its tasks."""
    given: Work = context.additional_context["work"]
    return given


def queue(url: str) -> App:
    """Open the queue with the tasks of all rooms."""
    for name in TASK_MODULES:
        importlib.import_module(name)
    app = App(connector=PsycopgConnector(conninfo=_plain(url), min_size=1, max_size=4))
    # Taking tasks over renames them, so what a process has taken once must not be taken again.
    rooms = Blueprint()
    rooms.tasks = {name.removeprefix("wangge:"): task for name, task in tasks.tasks.items()}
    rooms.periodic_registry = tasks.periodic_registry
    for task in rooms.tasks.values():
        task.name = task.name.removeprefix("wangge:")
    app.add_tasks_from(rooms, namespace="wangge")
    return app


def defer(session: Session, task: str, **arguments: Any) -> None:
    """Ask for a task in the caller's transaction: after its commit, or not at all."""
    session.execute(_DEFER, {"task": f"wangge:{task}", "arguments": json.dumps(arguments)})


def is_waiting(session: Session, task: str) -> bool:
    """Say whether a task waits to be begun, without arguments that would tell two apart."""
    found = session.scalar(_WAITING, {"task": f"wangge:{task}"})
    return bool(found)


def run_worker(
    worker_url: str,
    blob_dir: Path,
    *,
    export_dir: Path | None = None,
    heads_dir: Path | None = None,
    signer: Signer | None = None,
    certificates_dir: Path | None = None,
    beside: Beside | None = None,
    rotator: Rotator | None = None,
) -> None:
    """Run jobs and the reaper until told to stop by SIGTERM or SIGINT.

    Jobs that run then may end first. Survives restarts of the database.
    """
    engine = make_engine(worker_url, pool_size=CONCURRENCY, pool_pre_ping=True)
    stop = threading.Event()
    if beside is not None:
        threading.Thread(target=beside, args=(engine, stop), name="beside", daemon=True).start()
    try:
        asyncio.run(
            _run(
                worker_url,
                Work(engine, blob_dir, export_dir, heads_dir, signer, certificates_dir, rotator),
            )
        )
    finally:
        stop.set()
        engine.dispose()


async def _run(worker_url: str, work: Work) -> None:
    """Run the worker, and again after it lost the database; the reaper beside it."""
    reaper = asyncio.create_task(_reap_for_ever(worker_url))
    try:
        while True:
            try:
                return await work_until_stopped(queue(worker_url), work)
            except (ConnectorException, psycopg.Error) as error:
                log.warning("the queue cannot be reached (%s); again", type(error).__name__)
                await asyncio.sleep(RETRY_S)
    finally:
        reaper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reaper


async def work_until_stopped(app: App, work: Work, **more: Any) -> None:
    """Take jobs until a signal comes, or until none is left with `wait=False`."""
    async with app.open_async():
        await app.configure_task("wangge:ensure_partitions").defer_async(timestamp=0)
        await app.run_worker_async(
            concurrency=CONCURRENCY,
            additional_context={"work": work},
            delete_jobs="successful",
            shutdown_graceful_timeout=20,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=SILENT_S,
            **more,
        )


async def _reap_for_ever(worker_url: str) -> None:
    while True:
        try:
            if revived := await asyncio.to_thread(reap, worker_url):
                log.warning("started %d jobs again that a dead worker had left", revived)
        except psycopg.Error as error:
            log.warning("the reaper cannot work (%s)", type(error).__name__)
        await asyncio.sleep(REAP_EVERY_S)


def reap(worker_url: str, *, silent_s: float = SILENT_S) -> int:
    """Put back what workers left `doing` that no longer live; return how many jobs."""
    with psycopg.connect(_plain(worker_url), application_name="wangge-reaper") as conn:
        ids = [row[0] for row in conn.execute(STALE, (silent_s,))]
        if ids:
            conn.execute(REVIVE, (ids,))
    return len(ids)


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")
