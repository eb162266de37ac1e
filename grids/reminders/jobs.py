"""Work on running clocks that no request waits for: reminders, and limits measured again."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from procrastinate import JobContext
from sqlalchemy.orm import Session

from grids.jobs import tasks, work_of
from grids.reminders.recomputing import look_ahead, recompute
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


@tasks.task(name="look_ahead", pass_context=True)
def look_at_draft(context: JobContext, draft_id: int) -> None:
    """Work out what a draft of the calendar would do to open limits."""
    with Session(work_of(context).engine) as session, session.begin():
        look_ahead(session, draft_id, datetime.now(UTC))


@tasks.task(name="recompute_limits", pass_context=True)
def recompute_limits(context: JobContext, version_no: int) -> None:
    """Measure open limits again by a changed calendar; short transactions, in order of the ids.

    Killed half way and started again it looks at all of them once more, and writes the rest.
    """
    last: UUID | None = None
    while True:
        with Session(work_of(context).engine) as session, session.begin():
            last = recompute(session, version_no, datetime.now(UTC), after=last)
        if last is None:
            return
