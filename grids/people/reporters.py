"""How to reach who reported a case: shown in full for a purpose, counted and audited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.errors import NotAllowed
from grids.incidents.errors import NoIncident
from grids.incidents.models import Incident, IncidentReporter
from grids.limits import count_use
from grids.people import purposes
from grids.secrets import Vault

MOST_REVEALS: Final = 40  #: of an account in an hour


#: Who still reaches a reporter that asked for confidentiality (domain 4.9).
CONFIDANTS: Final = frozenset({"intake", "shift_leader"})


class ReporterConfidential(NotAllowed):
    """The reporter asked that only the seat of intake knows who they are."""

    code = "reporter.confidential"


@dataclass(frozen=True)
class ReporterContact:
    """One reporter of a case; a case that took in others has several."""

    name: str
    phone: str


def reveal(
    session: Session,
    actor: Actor,
    vault: Vault,
    incident_id: UUID,
    purpose: str,
    *,
    now: datetime,
    source_ip: str = "",
) -> list[ReporterContact]:
    """Return the contacts of a case in full.

    Raises `PurposeNeeded`, `NoIncident`, `ReporterConfidential`, `TooMany`.
    """
    purposes.check_reporter(purpose)
    wanted = select(Incident.flags).where(Incident.id == incident_id)
    flags = session.scalar(scope.visible(wanted, actor, Incident))
    if flags is None:
        raise NoIncident("no such case, or outside what you may see")
    _require_confidant(actor, flags.get("confidential"))
    count_use(session, f"reporter_reveal:{actor.account_id}", most=MOST_REVEALS, now=now)
    kept = session.scalars(
        select(IncidentReporter)
        .where(IncidentReporter.incident_id == incident_id)
        .order_by(IncidentReporter.created_at, IncidentReporter.id)
    ).all()
    audit.record(
        session,
        "reporter_revealed",
        actor_id=actor.account_id,
        subject=f"incident:{incident_id}",
        source_ip=source_ip,
        detail={"count": len(kept), "purpose": purpose},
    )
    return [
        ReporterContact(_opened(vault, row, "name"), _opened(vault, row, "phone")) for row in kept
    ]


def _require_confidant(actor: Actor, asked: dict[str, Any] | None) -> None:
    """Keep who asked for confidentiality to intake, the shift leader and who took the call."""
    if asked is None or CONFIDANTS & actor.roles or asked.get("by") == actor.account_id:
        return
    raise ReporterConfidential("the reporter asked for confidentiality")


def has_contact(session: Session, incident_id: UUID) -> bool:
    """Say whether a reporter of the case left a way to be reached."""
    wanted = select(IncidentReporter.id).where(IncidentReporter.incident_id == incident_id)
    return session.scalar(wanted.limit(1)) is not None


def _opened(vault: Vault, row: IncidentReporter, field: str) -> str:
    column = f"{field}_sealed"
    sealed = getattr(row, column)
    return vault.open("incident_reporter", row.id, column, sealed) if sealed else ""
