"""Whether the caller sees a case at all: what stands beside it is judged by that first."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.incidents.errors import NoIncident
from grids.incidents.models import Incident


def require_seen(session: Session, actor: Actor, incident_id: UUID) -> None:
    """Raise `NoIncident` where a case does not exist or lies outside the actor's scope."""
    seen = select(Incident.id).where(scope.condition(actor, Incident), Incident.id == incident_id)
    if session.scalar(seen) is None:
        raise NoIncident("no such case")
