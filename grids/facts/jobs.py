"""Questions to the spot as periodic work of the worker: by night, after the rules of quality."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy.orm import Session

import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first
from grids.facts import asking
from grids.feed import write_no_event
from grids.jobs import tasks, work_of


@tasks.periodic(cron="40 19 * * *")
@tasks.task(name="ask_the_spot", queueing_lock="ask_the_spot", pass_context=True)
def ask_the_spot(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Make questions of what sources say otherwise, and open as many as workers can answer."""
    with Session(work_of(context).engine) as session, session.begin():
        write_no_event(session.connection())
        asking.ask_all(session, now=datetime.now(UTC))
