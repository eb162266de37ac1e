"""The watch as periodic work of the worker."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy.orm import Session

from grids.jobs import tasks, work_of
from grids.signals.watch import watch


@tasks.periodic(cron="* * * * *")
@tasks.task(name="watch_signals", queueing_lock="watch_signals", pass_context=True)
def watch_signals(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Hold the rules against the audit log; a look that was missed is made up by the next."""
    with Session(work_of(context).engine) as session, session.begin():
        watch(session, datetime.now(UTC))
