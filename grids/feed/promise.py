"""The promise of a long transaction to write no event, so that nobody at a screen waits for it."""

from __future__ import annotations

from sqlalchemy import Connection, text


def write_no_event(connection: Connection) -> None:
    """Promise that this transaction writes no event of a case, from here to its end.

    Called first in a transaction, not inside a savepoint: what is rolled back is not promised.
    The feed is sealed below the oldest transaction that may still write one: without the promise
    an import of minutes keeps every report from the dispatchers' screens until it commits. The
    database holds to it: raises `sqlalchemy.exc.ProgrammingError` where an event was written in this
    transaction, and later where one is.
    """
    connection.execute(text("SELECT writes_no_event()"))
