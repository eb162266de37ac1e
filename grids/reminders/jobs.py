"""Reminders as periodic work of the worker: a look that was missed is made up by the next."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy.orm import Session

from grids.jobs import tasks, work_of
from grids.reminders.telling import MOST_PLANNED, MOST_TOLD, plan, tell


@tasks.periodic(cron="* * * * *")
@tasks.task(name="remind", queueing_lock="remind", pass_context=True)
def remind(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Tell those whose limits are half or nearly used; short transactions, as many as needed."""
    now = datetime.now(UTC)
    for step, most in ((plan, MOST_PLANNED), (tell, MOST_TOLD)):
        while True:
            with Session(work_of(context).engine) as session, session.begin():
                done = step(session, now)
            if done < most:
                break
