"""Cases of other systems: taken in once per number of theirs, and acknowledged in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.channels.alarms import raise_alarm
from grids.channels.models import System
from grids.errors import NotFound

#: Names the space in which a system's numbers become ids of ours.
SPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")

OVERDUE = text("""
    SELECT id, system, incident_id FROM channel_case
    WHERE state = 'waiting' AND ack_due_at <= :now ORDER BY ack_due_at LIMIT 500
""")


class NoSystem(NotFound):
    """There is no such system, or the token does not speak for it."""

    code = "channel.none"


@dataclass(frozen=True)
class Overdue:
    """A transfer that nobody acknowledged in time."""

    id: UUID
    system: str
    incident_id: UUID


def system_of(session: Session, code: str, actor: Actor) -> System:
    """Return the system that a token speaks for. Raises `NoSystem`, whether it exists or not."""
    found = session.scalar(
        select(System).where(
            System.code == code, System.is_active, System.account_id == actor.account_id
        )
    )
    if found is None:
        raise NoSystem("no such system for this token")
    return found


def case_id(system: str, sender_id: str) -> UUID:
    """Return the id of a system's case: the same number of theirs is the same case."""
    return uuid5(SPACE, f"wangge:{system}:{sender_id}")


def ack_due(system: System, now: datetime) -> datetime:
    """Return until when a transfer has to be acknowledged."""
    return now + timedelta(seconds=system.ack_s)


def alarm_overdue(session: Session, now: datetime) -> int:
    """Raise an alarm for every transfer that waits beyond its time; return how many are new."""
    rows = [Overdue(*row) for row in session.execute(OVERDUE, {"now": now})]
    return sum(
        raise_alarm(
            session,
            "ack",
            f"{row.system}:{row.id}",
            now=now,
            incident_id=row.incident_id,
            detail={"system": row.system},
        )
        for row in rows
    )
