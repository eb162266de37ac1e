"""Work of responsibility that no request waits for."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy.orm import Session

from grids.jobs import tasks, work_of
from grids.responsibility.trial import run_trial
from grids.responsibility.watch import default_overdue, detect


@tasks.task(name="try_rules", pass_context=True)
def try_rules(context: JobContext, trial_id: int) -> None:
    """Try a version of the matrix on the cases of last year."""
    run_trial(work_of(context).engine, trial_id)


@tasks.periodic(cron="* * * * *")
@tasks.task(name="watch_arbitration", queueing_lock="watch_arbitration", pass_context=True)
def watch_arbitration(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Open what is passed on, and decide by the rules what nobody decided in time."""
    now = datetime.now(UTC)
    for work in (detect, default_overdue):
        with Session(work_of(context).engine) as session, session.begin():
            work(session, now)
