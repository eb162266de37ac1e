"""What somebody has done since midnight, and what waits for their role: the figures of a shift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.codes import Category
from grids.incidents.lifecycle import MOVES
from grids.incidents.models import Incident, IncidentEvent

MOST_ROWS: Final = 100


@dataclass(frozen=True)
class Handled:
    """A case that somebody took a step further today, with the last of these steps."""

    incident_id: UUID
    number: str
    category_zh: str
    category_en: str
    address: str
    status: str
    action: str
    recorded_at: datetime


def turn_of(actor: Actor) -> tuple[str, ...]:
    """Return the states in which the step forward is one of the actor's roles to take."""
    mine = (
        status
        for move in MOVES
        if move.is_primary and actor.roles & set(move.roles)
        for status in move.sources
    )
    return tuple(dict.fromkeys(status for status in mine if status != "draft"))


def count_handled(session: Session, actor: Actor, *, since: datetime) -> int:
    """Count the cases that the actor took a step further since then."""
    return (
        session.scalar(
            select(func.count(IncidentEvent.incident_id.distinct()))
            .join(Incident, Incident.id == IncidentEvent.incident_id)
            .where(
                scope.condition(actor, Incident),
                IncidentEvent.recorded_at >= since,
                IncidentEvent.actor_id == actor.account_id,
            )
        )
        or 0
    )


def handled(session: Session, actor: Actor, *, since: datetime) -> list[Handled]:
    """Return these cases, the last one first, at most `MOST_ROWS`."""
    last = (
        select(
            IncidentEvent.incident_id,
            Incident.number,
            Category.name_zh.label("category_zh"),
            Category.name_en.label("category_en"),
            Incident.address,
            Incident.status,
            IncidentEvent.action,
            IncidentEvent.recorded_at,
        )
        .join(Incident, Incident.id == IncidentEvent.incident_id)
        .join(Category, Category.id == Incident.category_id)
        .where(
            scope.condition(actor, Incident),
            IncidentEvent.recorded_at >= since,
            IncidentEvent.actor_id == actor.account_id,
        )
        .ext(distinct_on(IncidentEvent.incident_id))
        .order_by(IncidentEvent.incident_id, IncidentEvent.seq.desc())
        .subquery()
    )
    rows = session.execute(
        select(last).order_by(last.c.recorded_at.desc(), last.c.incident_id).limit(MOST_ROWS)
    )
    return [Handled(**row) for row in rows.mappings()]
