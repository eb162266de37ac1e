"""The worker's look at steps that wait."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy.orm import Session

from grids.incidents import service
from grids.incidents.held.settling import BATCH, forget, settle_due
from grids.jobs import tasks, work_of


@tasks.periodic(cron="* * * * *")
@tasks.task(name="settle_held", queueing_lock="settle_held", pass_context=True)
def settle_held(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Take or refuse what has waited long enough; short transactions, as many as needed."""
    now = datetime.now(UTC)
    while True:
        with Session(work_of(context).engine) as session, session.begin():
            done = settle_due(session, service.take, now=now)
            forget(session, now=now)
        if done < BATCH:
            break
