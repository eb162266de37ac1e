"""The public's view of a case: a secret code, and a state that says little."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
    """What the public page shows of a case: no person, no address beyond the own report.

    A report that was merged says what became of the case it went into, and so do `due_at` and
    `department_code`; of that case nothing else is told, not even its number.
    """

    number: str
    status: str
    category: Category
    reported_at: datetime
    changed_at: datetime
    due_at: datetime | None
    department_code: str | None
    reason: str | None
    steps: tuple[PublicStep, ...]
    is_joined: bool = False  #: merged into the report of somebody else
    version: int = 0  #: changes when anything happened


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
    steps = _steps(log_of(session, row))
    with leading(session, row) as main:
        if main is not row:
            steps = (*steps[:-1], *_joined(_steps(log_of(session, main)), row.stage_at))
        status = steps[-1].status
        return PublicStatus(
            number=row.number,
            status=status,
            category=session.get_one(Category, row.category_id),
            reported_at=row.received_at,
            changed_at=steps[-1].at,
            due_at=main.handling_due_at if status == "in_progress" else None,
            department_code=main.department_code,
            reason=steps[-1].reason if status == "declined" else None,
            steps=steps,
            is_joined=main is not row,
            version=row.event_count + (main.event_count if main is not row else 0),
        )


def _joined(of_main: tuple[PublicStep, ...], merged_at: datetime) -> tuple[PublicStep, ...]:
    """Return the joined life: what the main case was at the merge, and what came after."""
    before = [replace(step, at=merged_at) for step in of_main if step.at <= merged_at][-1:]
    return (*before, *(step for step in of_main if step.at > merged_at))


@contextmanager
def leading(session: Session, row: Incident) -> Iterator[Incident]:
    """Open the case that a merged one went into, for as long as the block runs; else itself.

    The transaction of a stranger has one case open: the own one is opened again at the end.
    """
    main, seen = row, {row.id}
    while main.status == "merged" and main.main_id is not None and main.main_id not in seen:
        seen.add(main.main_id)
        scope.open_case(session, main.main_id)
        main = session.get_one(Incident, main.main_id)
    try:
        yield main
    finally:
        if main is not row:
            scope.open_case(session, row.id)


def log_of(session: Session, row: Incident) -> Sequence[IncidentEvent]:
    """Return the events of a case that is open to this transaction."""
    return session.scalars(
        select(IncidentEvent)
        .where(IncidentEvent.incident_id == row.id, IncidentEvent.recorded_at >= row.received_at)
        .order_by(IncidentEvent.seq)
    ).all()


def public_of(event: IncidentEvent) -> str:
    """Return what the public sees after an event: a sample check takes nothing back."""
    is_check = event.action == "sample"
    return STATES[event.from_status if is_check else event.to_status].public


def _steps(log: Sequence[IncidentEvent]) -> tuple[PublicStep, ...]:
    """Keep only the events that change what the public sees."""
    steps: list[PublicStep] = []
    for event in log:
        status = public_of(event)
        if not steps or steps[-1].status != status:
            reason = event.reason if status == "declined" else None
            steps.append(PublicStep(status, event.recorded_at, reason))
    return tuple(steps)
