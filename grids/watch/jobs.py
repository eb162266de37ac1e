"""The care as periodic work of the worker: late transfers, stuck cases, the comparison by night."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy.orm import Session

import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first
from grids.channels import transfers
from grids.jobs import tasks, work_of
from grids.watch import reconcile, stuck


@tasks.periodic(cron="* * * * *")
@tasks.task(name="watch_transfers", queueing_lock="watch_transfers", pass_context=True)
def watch_transfers(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Tell the shift of transfers that nobody acknowledged in time."""
    with Session(work_of(context).engine) as session, session.begin():
        transfers.watch(session, datetime.now(UTC))


@tasks.periodic(cron="*/10 * * * *")
@tasks.task(name="watch_stuck", queueing_lock="watch_stuck", pass_context=True)
def watch_stuck(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Tell the shift of cases that have got stuck."""
    with Session(work_of(context).engine) as session, session.begin():
        stuck.watch(session, datetime.now(UTC))


@tasks.periodic(cron="40 18 * * *")
@tasks.task(name="reconcile", queueing_lock="reconcile", pass_context=True)
def reconcile_nightly(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Hold the tables against each other, by night in the city, and keep what was found."""
    work = work_of(context)
    report = reconcile.reconcile(work.engine, work.blob_dir, now=datetime.now(UTC))
    with Session(work.engine) as session, session.begin():
        reconcile.keep(session, report)
