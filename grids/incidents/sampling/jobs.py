"""The daily draw as work of the worker."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy.orm import Session

from grids.incidents.sampling.rounds import draw_due
from grids.jobs import tasks, work_of


@tasks.periodic(cron="37 * * * *")
@tasks.task(name="draw_samples", queueing_lock="draw_samples", pass_context=True)
def draw_samples(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Draw the days that are over; an hour without a head or outside working time draws none."""
    with Session(work_of(context).engine) as session, session.begin():
        draw_due(session, now=datetime.now(UTC))
