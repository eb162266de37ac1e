"""Looking for pairs as work of the worker: by night, and when a steward asks."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy.orm import Session

import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first
from grids.feed import write_no_event
from grids.jobs import tasks, work_of
from grids.matching import finding


@tasks.periodic(cron="40 18 * * *")
@tasks.task(name="find_duplicates_nightly", queueing_lock="find_duplicates", pass_context=True)
def find_nightly(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Look through the registers after the day's imports, before the rules judge them."""
    _find(context)


@tasks.task(name="find_duplicates", queueing_lock="find_duplicates", pass_context=True)
def find_now(context: JobContext) -> None:
    """Look through the registers because somebody asked."""
    _find(context)


def _find(context: JobContext) -> None:
    with Session(work_of(context).engine) as session, session.begin():
        write_no_event(session.connection())
        finding.refresh(session, now=datetime.now(UTC))
