"""Overdue hazards as periodic work of the worker."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy.orm import Session

from grids.hazards.service import escalate_overdue
from grids.jobs import tasks, work_of


@tasks.periodic(cron="*/5 * * * *")
@tasks.task(name="escalate_hazards", queueing_lock="escalate_hazards", pass_context=True)
def escalate_hazards(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Give what was not put right in time to the department; a missed run is made up."""
    with Session(work_of(context).engine) as session, session.begin():
        escalate_overdue(session, datetime.now(UTC))
