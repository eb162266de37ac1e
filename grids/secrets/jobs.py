"""The worker's part of changing keys: count, seal anew, forget."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from grids.errors import GridsError
from grids.jobs import tasks, work_of
from grids.secrets.rotation import Rotator, left, reseal, retire, usage
from grids.secrets.runs import KeyRun, keep_uses
from grids.secrets.vault import Vault


class NoRotator(GridsError):
    """The worker was started without the keys."""

    code = "secrets.no_rotator"


@tasks.periodic(cron="17 * * * *")
@tasks.task(name="count_keys_hourly", queueing_lock="count_keys_hourly", pass_context=True)
def count_keys_hourly(context: JobContext, timestamp: int) -> None:
    """Count what stands on which key, for the page of the security administrator."""
    _count(context, datetime.fromtimestamp(timestamp, UTC))


@tasks.task(name="count_keys", pass_context=True)
def count_keys(context: JobContext) -> None:
    """Count now, because somebody asked."""
    _count(context, datetime.now(UTC))


@tasks.task(name="change_keys", pass_context=True)
def change_keys(context: JobContext, run_id: int) -> None:
    """Do what a run asks for; after the death of a worker the next one goes on with what is left."""
    work = work_of(context)
    rotator = _rotator(context)
    with Session(work.engine) as session:
        run = session.get_one(KeyRun, run_id)
        if run.ended_at is not None:
            return
        act, kind, key_id = run.act, run.kind, run.key_id
    problem, broken = "", 0
    try:
        with rotator.open_owner() as owner:
            if act == "retire":
                retire(owner, rotator.ring, kind, key_id or 0, now=datetime.now(UTC))  # type: ignore[arg-type]
            else:
                broken = _reseal(work.engine, owner, rotator, run_id)
    except GridsError as refused:
        problem = refused.code
    with Session(work.engine) as session, session.begin():
        run = session.get_one(KeyRun, run_id)
        run.ended_at = run.seen_at = datetime.now(UTC)
        run.problem, run.broken = problem or ("broken" if broken else ""), broken
    _count(context, datetime.now(UTC))


def _reseal(engine: Engine, owner: Engine, rotator: Rotator, run_id: int) -> int:
    """Seal everything anew, telling after each batch; return how many rows do not open."""
    vault = Vault(rotator.ring)
    with owner.connect() as connection:
        waiting = left(connection, vault)

    def tell(_table: str, rows: int) -> None:
        with Session(engine) as session, session.begin():
            run = session.get_one(KeyRun, run_id)
            run.rows_done += rows
            run.seen_at = datetime.now(UTC)

    with Session(engine) as session, session.begin():
        run = session.get_one(KeyRun, run_id)
        run.rows_before, run.seen_at = run.rows_done + waiting, datetime.now(UTC)
    done = reseal(owner, vault, on_batch=tell)
    return sum(map(len, done.broken.values()))


def _count(context: JobContext, now: datetime) -> None:
    rotator = _rotator(context)
    with rotator.open_owner() as owner, owner.connect() as connection:
        counted = usage(connection)
    with Session(work_of(context).engine) as session, session.begin():
        keep_uses(session, counted, now)


def _rotator(context: JobContext) -> Rotator:
    found = work_of(context).rotator
    if found is None:
        raise NoRotator("the worker holds no keys")
    return found
