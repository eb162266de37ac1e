"""The schedule of everything that is told of how many people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from grids.people.counts import PUBLISHED_EVERY, publish_areas
from grids.people.counts_groups import publish_groups


def publish_counts(connection: Connection, now: datetime) -> int:
    """Publish counts and groups together; return how many rows. Commits nothing."""
    return publish_areas(connection, now) + publish_groups(connection, now)


def publish_if_due(connection: Connection, now: datetime) -> int:
    """Publish when the last counts are a week old; the worker asks every night."""
    last = connection.scalar(text("SELECT max(published_at) FROM people_count"))
    return publish_counts(connection, now) if last is None or now - last >= PUBLISHED_EVERY else 0
