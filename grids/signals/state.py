"""How the installation is: queue, sealers, feed, counts of people, seen from the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from grids import audit
from grids.db import queries

#: A worker that was silent this long is dead (`grids.jobs.SILENT_S`).
WORKER_SILENT_S: Final = 45
#: Work that waits longer than this will not be done by itself.
QUEUE_LATE_S: Final = 600
WATCH_LATE: Final = timedelta(minutes=5)
COUNTS_OLD: Final = timedelta(days=15)


@dataclass(frozen=True)
class SystemState:
    """What the database tells about the processes around it."""

    server: str
    size_bytes: int
    connections: int
    most_connections: int
    workers: int  #: that gave a sign of life a short time ago
    waiting: int
    doing: int
    failed: int
    oldest_waiting_s: int
    feed_no: int
    feed_at: datetime | None
    counts_at: datetime | None  #: when counts of people were last published
    watched_at: datetime | None
    is_sealer_alive: bool  #: it seals the feed and the audit log

    @property
    def is_worker_alive(self) -> bool:
        """Say whether jobs are done at all."""
        return self.workers > 0

    @property
    def is_queue_good(self) -> bool:
        """Say whether no job waits for long and none has failed for good."""
        return self.oldest_waiting_s < QUEUE_LATE_S and self.failed == 0

    def are_counts_fresh(self, now: datetime) -> bool:
        """Say whether people were counted as the schedule asks."""
        return self.counts_at is not None and now - self.counts_at < COUNTS_OLD

    def is_watch_fresh(self, now: datetime) -> bool:
        """Say whether the rules of the security console were held against the log lately."""
        return self.watched_at is not None and now - self.watched_at < WATCH_LATE


def system_state(session: Session, *, now: datetime) -> SystemState:
    """Read the state of the installation, in two statements."""
    row = session.execute(
        queries("signals")["system_state"], {"now": now, "silent": WORKER_SILENT_S}
    ).mappings()
    return SystemState(**row.one(), is_sealer_alive=audit.chain_state(session).is_alive)
