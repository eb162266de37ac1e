"""From events to the row that lists show: one pure step, used when writing and when rebuilding.

A case is its events. `apply` says what each of them does to the row; `move` and `submit`
write what `apply` returns, so that a rebuild from the log can only differ where somebody
changed a row or an event by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import reduce
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.incidents.lifecycle import find_move
from grids.incidents.models import Incident, IncidentEvent


@dataclass(frozen=True)
class Case:
    """What the events of a case add up to. Field names are those of `Incident`."""

    id: UUID
    number: str
    category_id: int
    category_code: str
    component_id: int | None
    text: str
    address: str
    channel: str
    urgency: str
    status: str
    reporter_id: int | None
    reported_at: datetime
    received_at: datetime
    stage_at: datetime
    due_at: datetime | None
    area_code: str
    department_code: str | None = None
    holder_id: int | None = None
    handler_id: int | None = None
    filed_at: datetime | None = None
    dispatched_at: datetime | None = None
    handled_at: datetime | None = None
    closed_at: datetime | None = None
    handling_due_at: datetime | None = None
    rework_count: int = 0
    return_count: int = 0
    event_count: int = 1
    flags: dict[str, Any] = field(default_factory=dict)


FIELDS: Final = tuple(part.name for part in fields(Case))


def apply(case: Case | None, event: IncidentEvent) -> Case:
    """Return the case after one more event. The first event of a case is its `submit`."""
    if case is None:
        return _submitted(event)
    data = event.data
    after = replace(case, event_count=event.seq, due_at=_instant(data, "due"))
    if "category_id" in data:
        after = replace(after, category_id=data["category_id"], category_code=data["category"])
    if "urgency" in data:
        after = replace(after, urgency=data["urgency"])
    if "handling_due" in data:
        after = replace(after, handling_due_at=_instant(data, "handling_due"))
    move = find_move(event.action, event.from_status)
    if move is not None and move.counts:
        after = replace(after, **{move.counts: getattr(after, move.counts) + 1})
    if move is not None and move.sets_flag:
        after = replace(after, flags={**after.flags, move.sets_flag: True})
    if event.to_status == event.from_status:
        return after
    return _entered(after, event)


def rebuild(events: Iterable[IncidentEvent]) -> Case | None:
    """Return the case that a whole log, in order of `seq`, adds up to."""
    return reduce(apply, events, None)


def rebuilt(session: Session, incident_id: UUID) -> Case | None:
    """Rebuild one case from its stored events."""
    log = select(IncidentEvent).where(IncidentEvent.incident_id == incident_id)
    return rebuild(session.scalars(log.order_by(IncidentEvent.seq)))


def of_row(row: Incident) -> Case:
    """Return the stored row as a case, to compare it or to take it further."""
    return Case(**{name: getattr(row, name) for name in FIELDS})


def store(row: Incident, case: Case) -> None:
    """Write what changed into the row."""
    for name in FIELDS:
        value = getattr(case, name)
        if getattr(row, name) != value:
            setattr(row, name, value)


def _submitted(event: IncidentEvent) -> Case:
    """Open a case from its first event."""
    data = event.data
    return Case(
        id=event.incident_id,
        number=data["number"],
        category_id=data["category_id"],
        category_code=data["category"],
        component_id=data.get("component_id"),
        text=data["text"],
        address=data["address"],
        channel=data["channel"],
        urgency=data["urgency"],
        status=event.to_status,
        reporter_id=event.actor_id,
        reported_at=event.device_at or event.recorded_at,
        received_at=event.recorded_at,
        stage_at=event.recorded_at,
        due_at=_instant(data, "due"),
        area_code=event.area_code,
    )


def _entered(case: Case, event: IncidentEvent) -> Case:
    """Change what a new state changes: whose turn it is and the times of the main path."""
    at, data = event.recorded_at, event.data
    case = replace(case, status=event.to_status, stage_at=at, holder_id=None, flags={})
    match event.action:
        case "file":
            return replace(case, filed_at=at)
        case "dispatch":
            return replace(
                case,
                dispatched_at=at,
                department_code=data.get("department"),
                holder_id=data.get("worker"),
                handler_id=None,
            )
        case "sign":
            return replace(case, holder_id=event.actor_id, handler_id=event.actor_id)
        case "return":
            return replace(case, department_code=None, handler_id=None)
        case "reply":
            return replace(case, handled_at=at, handler_id=event.actor_id)
        case "ask_check":
            return replace(case, holder_id=data.get("worker"))
        case "rework":
            return replace(case, handled_at=None, holder_id=case.handler_id)
        case "close":
            return replace(case, closed_at=at)
        case "send_back":
            return replace(case, filed_at=None)
        case _:
            return case


def _instant(data: dict[str, Any], key: str) -> datetime | None:
    """Read an instant of an event's data."""
    value = data.get(key)
    return datetime.fromisoformat(value) if value else None
