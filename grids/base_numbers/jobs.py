"""Keeping the counts as a month begins: asked every hour, done once a month."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from procrastinate import JobContext
from sqlalchemy import select
from sqlalchemy.orm import Session

import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first
from grids.base_numbers.models import BaseNumber
from grids.base_numbers.sheet import keep
from grids.city import the_city
from grids.feed import write_no_event
from grids.jobs import tasks, work_of


@tasks.periodic(cron="12 * * * *")
@tasks.task(name="keep_base_numbers", queueing_lock="keep_base_numbers", pass_context=True)
def keep_base_numbers(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Keep the figures of the month in the city, unless they are kept."""
    with Session(work_of(context).engine) as session, session.begin():
        write_no_event(session.connection())
        zone = ZoneInfo(the_city(session).city_zone)
        month = datetime.now(UTC).astimezone(zone).date().replace(day=1)
        if not session.scalar(select(BaseNumber.month).where(BaseNumber.month == month).limit(1)):
            keep(session.connection(), month)
