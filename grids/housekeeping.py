"""What comes round by itself: coming months, sessions that ended, photos nobody named, counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from procrastinate import JobContext
from sqlalchemy import text
from sqlalchemy.orm import Session

import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first
from grids import accounts, blobs, counts, limits, people
from grids.feed import write_no_event
from grids.jobs import KEPT_H, tasks, work_of

#: Tables that grow without end, and how many months are made ahead.
MONTHLY: Final = ("audit_event", "incident_event", "feed", "observation")
MONTHS_AHEAD: Final = 6


@tasks.periodic(cron="5 1 * * *")
@tasks.task(name="ensure_partitions", pass_context=True)
def ensure_partitions(context: JobContext, timestamp: int) -> None:
    """Make the next months' partitions; every start asks too, for machines that were off."""
    on = max(_instant(timestamp), datetime.now(UTC)).date()
    with Session(work_of(context).engine) as session, session.begin():
        make_partitions(session, on)


@tasks.periodic(cron="*/10 * * * *")
@tasks.task(name="end_stale_sessions", queueing_lock="end_stale_sessions", pass_context=True)
def end_stale_sessions(context: JobContext, timestamp: int) -> None:
    """Forget sign-ins that are over and counts of past hours."""
    now = _instant(timestamp)
    with Session(work_of(context).engine) as session, session.begin():
        accounts.end_stale_sessions(session, now)
        limits.forget_before(session, now - timedelta(hours=2))


@tasks.periodic(cron="37 * * * *")
@tasks.task(name="sweep_photos", queueing_lock="sweep_photos", pass_context=True)
def sweep_photos(context: JobContext, timestamp: int) -> None:
    """Remove photos that were sent but that no report has named for a day."""
    work = work_of(context)
    with Session(work.engine) as session:
        blobs.sweep(session, blobs.Store(work.blob_dir), now=_instant(timestamp))


@tasks.periodic(cron="50 18 * * *")
@tasks.task(name="refresh_layer_counts", queueing_lock="refresh_counts", pass_context=True)
def refresh_layer_counts(context: JobContext, timestamp: int) -> None:
    """Count the squares of the layers anew, by night in the city."""
    with Session(work_of(context).engine) as session, session.begin():
        write_no_event(session.connection())
        counts.refresh(session.connection(), _instant(timestamp))


@tasks.periodic(cron="20 19 * * *")
@tasks.task(name="publish_people_counts", queueing_lock="publish_counts", pass_context=True)
def publish_people_counts(context: JobContext, timestamp: int) -> None:
    """Publish counts of people when the last ones are a week old."""
    with Session(work_of(context).engine) as session, session.begin():
        write_no_event(session.connection())
        people.publish_if_due(session.connection(), _instant(timestamp))


@tasks.periodic(cron="15 2 * * *")
@tasks.task(name="tidy_queue", queueing_lock="tidy_queue", pass_context=True)
async def tidy_queue(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Forget jobs that are long over."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=KEPT_H, include_failed=True, include_cancelled=True, include_aborted=True
    )


def make_partitions(session: Session, on: date) -> None:
    """Make the partitions from a month on; those that exist stay."""
    for table in MONTHLY:
        session.execute(
            text("SELECT ensure_months(:table, :day, :months)"),
            {"table": table, "day": on.replace(day=1), "months": MONTHS_AHEAD},
        )
    session.execute(text("SELECT guard_audit_partitions()"))


def _instant(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
