"""The rules as periodic work of the worker: by night in the city, after the day's changes."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from procrastinate import JobContext
from sqlalchemy.orm import Session

import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first
from grids.city import the_city
from grids.feed import write_no_event
from grids.jobs import tasks, work_of
from grids.quality import alarms, running


@tasks.periodic(cron="10 19 * * *")
@tasks.task(name="check_quality", queueing_lock="check_quality", pass_context=True)
def check_quality(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Judge all registers and tell what has got worse."""
    now = datetime.now(UTC)
    with Session(work_of(context).engine) as session, session.begin():
        write_no_event(session.connection())
        today = now.astimezone(ZoneInfo(the_city(session).city_zone)).date()
        running.run(session.connection(), today)
        alarms.watch(session.connection(), today, now)
