"""What comes round at the desk: drafts that nobody sent and claims that are over."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy.orm import Session

from grids.desk.claims import forget_ended
from grids.desk.kept import forget_drafts
from grids.jobs import tasks, work_of


@tasks.periodic(cron="23 * * * *")
@tasks.task(name="tidy_desk", queueing_lock="tidy_desk", pass_context=True)
def tidy_desk(context: JobContext, timestamp: int) -> None:
    """Forget drafts after a week and claims that ended."""
    now = datetime.fromtimestamp(timestamp, UTC)
    with Session(work_of(context).engine) as session, session.begin():
        forget_drafts(session, now)
        forget_ended(session, now)
