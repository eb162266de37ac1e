"""The public's view of a case: a secret code, and a state that says little."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import scope
from grids.codes import Category
from grids.incidents.errors import NoIncident
from grids.incidents.lifecycle import STATES
from grids.incidents.models import Incident, IncidentEvent
from grids.secrets import Vault, token_hash

CODE_BYTES = 16
#: Channels whose reporters may follow their report: who wrote a form, who rang.
TRACKED = ("public", "phone")


@dataclass(frozen=True)
class PublicStep:
    """One step as the public sees it."""

    status: str  #: received, in_progress, done, declined
    at: datetime
    reason: str | None = None


@dataclass(frozen=True)
class PublicStatus:
    """What the public page shows of a case: no person, no address beyond the own report."""

    number: str
    status: str
    category: Category
    reported_at: datetime
    changed_at: datetime
    due_at: datetime | None
    department_code: str | None
    reason: str | None
    steps: tuple[PublicStep, ...]


def code_for(vault: Vault, incident_id: UUID) -> str:
    """Return the tracking code of a case: 128 bits, 26 letters and digits.

    It is derived with a key of the server, so that a report whose answer was lost gets the
    same code again, while only its hash is stored.
    """
    digest = vault.code("incident\0tracking code", str(incident_id))
    return base64.b32encode(digest[:CODE_BYTES]).decode().rstrip("=")


def stored(vault: Vault, incident_id: UUID) -> bytes:
    """Return what the table keeps of the code."""
    return token_hash(code_for(vault, incident_id))


def normal(code: str) -> str:
    """Bring a typed code to its form: people add spaces and dashes, and write 0 for O."""
    return "".join(
        code.upper().replace("0", "O").replace("1", "I").replace("8", "B").split()
    ).replace("-", "")


def tracked(session: Session, code: str) -> Incident:
    """Return the case that a code opens, to this transaction only. Raises `NoIncident`."""
    found = scope.open_tracked(session, token_hash(normal(code)))
    if found is None:
        raise NoIncident("no report with this code")
    return session.get_one(Incident, found)


def public_status(session: Session, code: str) -> PublicStatus:
    """Return the public state of a case by its tracking code. Raises `NoIncident`."""
    row = tracked(session, code)
    log = session.scalars(
        select(IncidentEvent)
        .where(IncidentEvent.incident_id == row.id, IncidentEvent.recorded_at >= row.received_at)
        .order_by(IncidentEvent.seq)
    )
    steps = _steps(log.all())
    status = STATES[row.status].public
    return PublicStatus(
        number=row.number,
        status=status,
        category=session.get_one(Category, row.category_id),
        reported_at=row.received_at,
        changed_at=steps[-1].at,
        due_at=row.handling_due_at if status == "in_progress" else None,
        department_code=row.department_code,
        reason=steps[-1].reason if status == "declined" else None,
        steps=steps,
    )


def _steps(log: Sequence[IncidentEvent]) -> tuple[PublicStep, ...]:
    """Keep only the events that change what the public sees."""
    steps: list[PublicStep] = []
    for event in log:
        status = STATES[event.to_status].public
        if not steps or steps[-1].status != status:
            reason = event.reason if status == "declined" else None
            steps.append(PublicStep(status, event.recorded_at, reason))
    return tuple(steps)
