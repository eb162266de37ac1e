"""Who works on which case now (正在处理): seen by others, ended by silence, never a lock.

A claim is made by the hand of a person, renewed by the open page, and ends by itself. It bars
nobody from a step: two people who act at once are judged by the lifecycle. Opening a case
claims nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy import case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Account, Actor
from grids.desk.models import DeskClaim
from grids.desk.seen import require_seen
from grids.errors import Conflict
from grids.incidents.errors import NoIncident
from grids.incidents.models import Incident

LASTS: Final = timedelta(seconds=90)
#: Name of the wake-up of the live process. It carries nothing; whoever hears nothing polls.
CHANNEL: Final = "wangge_desk"
MOST: Final = 200


class Claimed(Conflict):
    """Somebody else works on the case now; their name and since when are told."""

    code = "desk.claimed"


@dataclass(frozen=True)
class Claim:
    """Somebody works on a case until a moment, unless they say so again before."""

    incident_id: UUID
    account_id: int
    name: str
    since_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class LiveClaim:
    """What the live process hands to those whose scope holds the place."""

    incident_id: UUID
    account_id: int
    name: str
    ends_at: datetime
    area_code: str
    department_code: str | None


def claim(session: Session, actor: Actor, incident_id: UUID, *, now: datetime) -> Claim:
    """Say that the actor works on a case; the own claim begins anew or goes on.

    Of many at once one gets it. Raises `NoIncident` outside the scope and `Claimed` where
    somebody else was first.
    """
    place = session.execute(
        select(Incident.area_code, Incident.department_code).where(
            scope.condition(actor, Incident), Incident.id == incident_id
        )
    ).first()
    if place is None:
        raise NoIncident("no such case")
    fresh = insert(DeskClaim).values(
        incident_id=incident_id,
        account_id=actor.account_id,
        since_at=now,
        ends_at=now + LASTS,
        area_code=place.area_code,
        department_code=place.department_code,
    )
    taken = fresh.on_conflict_do_update(
        index_elements=[DeskClaim.incident_id],
        set_={
            "account_id": fresh.excluded.account_id,
            "since_at": _since(fresh.excluded, now),
            "ends_at": fresh.excluded.ends_at,
            "area_code": fresh.excluded.area_code,
            "department_code": fresh.excluded.department_code,
        },
        where=or_(DeskClaim.account_id == actor.account_id, DeskClaim.ends_at <= now),
    ).returning(DeskClaim.since_at)
    since_at = session.scalar(taken)
    if since_at is None:
        held = claims_of(session, actor, [incident_id], now=now).get(incident_id)
        raise Claimed(
            "somebody else works on this case",
            name=held.name if held else "",
            server={"name": held.name, "since": held.since_at.isoformat()} if held else {},
        )
    _wake(session)
    return Claim(incident_id, actor.account_id, actor.name, since_at, now + LASTS)


def renew(session: Session, actor: Actor, ids: Sequence[UUID], *, now: datetime) -> list[UUID]:
    """Keep the actor's claims for another 90 seconds; return those that are still theirs."""
    kept = session.scalars(
        update(DeskClaim)
        .where(DeskClaim.incident_id.in_(ids[:MOST]), DeskClaim.account_id == actor.account_id)
        .values(ends_at=now + LASTS)
        .returning(DeskClaim.incident_id)
    ).all()
    if kept:
        _wake(session)
    return list(kept)


def release(session: Session, actor: Actor, incident_id: UUID) -> None:
    """Let go of a case; where it is not the actor's nothing happens.

    Raises `NoIncident` outside the scope.
    """
    require_seen(session, actor, incident_id)
    gone = session.scalar(
        delete(DeskClaim)
        .where(DeskClaim.incident_id == incident_id, DeskClaim.account_id == actor.account_id)
        .returning(DeskClaim.incident_id)
    )
    if gone is not None:
        _wake(session)


def claims_of(
    session: Session, actor: Actor, ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, Claim]:
    """Return the claims on some cases of the actor's scope, by case."""
    rows = session.execute(
        select(
            DeskClaim.incident_id,
            DeskClaim.account_id,
            Account.name,
            DeskClaim.since_at,
            DeskClaim.ends_at,
        )
        .join(Account, Account.id == DeskClaim.account_id)
        .join(Incident, Incident.id == DeskClaim.incident_id)
        .where(
            scope.condition(actor, Incident),
            DeskClaim.incident_id.in_(ids),
            DeskClaim.ends_at > now,
        )
    )
    return {row.incident_id: Claim(*row) for row in rows}


def claims_now(conn: psycopg.Connection[Any], at: datetime) -> dict[UUID, LiveClaim]:
    """Return every claim that holds at a moment: for the live process, which serves everybody."""
    rows = conn.execute(
        "SELECT incident_id, account_id, name, ends_at, area_code, department_code"
        " FROM desk_claims_now(%s)",
        (at,),
    )
    return {row[0]: LiveClaim(*row) for row in rows}


def forget_ended(session: Session, now: datetime) -> int:
    """Remove claims that are over; nobody sees them, so this only saves room."""
    ended = delete(DeskClaim).where(DeskClaim.ends_at <= now).returning(DeskClaim.incident_id)
    return len(session.scalars(ended).all())


def _since(fresh: Any, now: datetime) -> Any:
    """Go on counting from the first moment where the own claim never ended."""
    goes_on = (DeskClaim.account_id == fresh.account_id) & (DeskClaim.ends_at > now)
    return case((goes_on, DeskClaim.since_at), else_=fresh.since_at)


def _wake(session: Session) -> None:
    session.execute(select(func.pg_notify(CHANNEL, "")))
