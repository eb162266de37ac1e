"""The worker publishes what registrars have loaded."""

from __future__ import annotations

from datetime import UTC, datetime

from procrastinate import JobContext
from sqlalchemy.orm import Session

import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first
from grids.jobs import tasks, work_of
from grids.key_population.publishing import publish_waiting


@tasks.periodic(cron="*/5 * * * *")
@tasks.task(
    name="publish_key_population", queueing_lock="publish_key_population", pass_context=True
)
def publish_key_population(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - its form
    """Publish tables that are newer than what is told of them."""
    with Session(work_of(context).engine) as session, session.begin():
        publish_waiting(session.connection(), datetime.now(UTC))
