"""From events to the row that lists show: one pure step, used when writing and when rebuilding.

A case is its events. `apply` says what each of them does to the row; `move` and `submit`
write what `apply` returns, so that a rebuild from the log can only differ where somebody
changed a row or an event by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.incidents.lifecycle import FLAGS, MOVES, Move, find_move
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
    level: str = "county"  #: grid, village, town, county: whose seat decides
    report_count: int = 1  #: the case itself and those merged into it
    extension_count: int = 0
    suspension_count: int = 0
    reopen_count: int = 0
    first_due_at: datetime | None = None  #: the handling limit before it was extended
    main_id: UUID | None = None  #: the case this one was merged into
    involved: list[str] = field(default_factory=list)  #: departments that were given a part of it


@dataclass(slots=True)
class Fact:
    """One event as plain values; names and meanings are those of `IncidentEvent`."""

    id: UUID
    incident_id: UUID
    seq: int
    recorded_at: datetime
    action: str
    from_status: str
    to_status: str
    actor_id: int | None
    role: str
    department_code: str | None
    area_code: str
    device_at: datetime | None = None
    device: str = ""
    reason: str | None = None
    note: str = ""
    photos: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


FIELDS: Final = tuple(part.name for part in fields(Case))
#: Steps that give the case to departments; what they were doing before ends.
ASSIGNING: Final = ("dispatch", "reassign", "fast_track", "arbitrate")
#: The place stays, its grid is another one; a task of the old grid's worker goes to the new one's.
REGRID: Final = "regrid"
#: What an event keeps in its data of what a request said, and flags repeat.
TOLD: Final = ("until", "outside", "grade", "department")
#: Flags that keep the state in which they were set, to go back to.
WAYS_BACK: Final = frozenset(move.goes_back for move in MOVES if move.goes_back)


def apply(case: Case | None, event: IncidentEvent | Fact) -> Case:
    """Return the case after one more event. The first event of a case is its `submit`.

    `undo` is no step of its own: `rebuild` takes the step before it out.
    """
    if case is None:
        return _submitted(event)
    data = event.data
    changed: dict[str, Any] = {"event_count": event.seq, "due_at": _instant(data, "due")}
    if "category_id" in data:
        changed |= {"category_id": data["category_id"], "category_code": data["category"]}
    if "urgency" in data:
        changed["urgency"] = data["urgency"]
    if "handling_due" in data:
        changed["handling_due_at"] = _instant(data, "handling_due")
    if "level" in data:
        changed["level"] = data["level"]
    move = find_move(event.action, event.from_status)
    if move is not None and move.counts:
        changed[move.counts] = getattr(case, move.counts) + 1
    if move is not None and move.clock == "extend" and case.first_due_at is None:
        changed["first_due_at"] = case.handling_due_at
    if event.to_status != event.from_status or event.action == "delegate":
        changed |= _entered(case, event)
    changed["flags"] = _flags(case, event, move)
    changed |= _joined(case, event)
    if event.action == REGRID:
        changed |= {"area_code": event.area_code, "holder_id": data["holder"]}
    if event.action in ASSIGNING:
        given = [data.get("department"), *(data.get("assisting") or ())]
        changed["involved"] = list(dict.fromkeys([*case.involved, *filter(None, given)]))
    return replace(case, **changed)


def rebuild(events: Iterable[IncidentEvent | Fact]) -> Case | None:
    """Return the case that a whole log, in order of `seq`, adds up to."""
    case = before = None
    for event in events:
        if event.action == "undo" and before is not None:
            case, before = replace(before, event_count=event.seq), None
        else:
            before, case = case, apply(case, event)
    return case


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


def _submitted(event: IncidentEvent | Fact) -> Case:
    """Open a case from its first event."""
    data = event.data
    case = Case(
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
        level=data.get("level", "county"),
        flags=dict(data.get("flags", {})),
    )
    if event.action == "self_close":
        at = event.recorded_at
        return replace(case, handled_at=at, closed_at=at, handler_id=event.actor_id)
    return case


def _entered(case: Case, event: IncidentEvent | Fact) -> dict[str, Any]:
    """Return what a new state changes: whose turn it is and the times of the main path."""
    at = event.recorded_at
    return {
        "status": event.to_status,
        "stage_at": at,
        "holder_id": None,
        **_stamped(case, event),
        **_had_by(case, event),
    }


def _stamped(case: Case, event: IncidentEvent | Fact) -> dict[str, Any]:
    """Return the times and the level that a step sets or takes back."""
    at = event.recorded_at
    match event.action:
        case "file":
            return {"filed_at": at}
        case "fast_track":
            return {"filed_at": at, "dispatched_at": at}
        case "dispatch" | "reassign" | "arbitrate" | "take":
            return {"dispatched_at": at}
        case "reply" | "assist_reply" | "assist_return":
            return {"handled_at": at}
        case "outside_replied" if event.to_status == "pending_review":
            return {"handled_at": at}
        case "rework" | "reopen" | "sample_failed":
            return {"handled_at": None, "closed_at": None}
        case "close":
            return {"closed_at": at}
        case "sample_ok":
            return {"closed_at": case.closed_at}
        case "send_back":
            return {"filed_at": None, "level": "county"}
        case _:
            return {}


def _had_by(case: Case, event: IncidentEvent | Fact) -> dict[str, Any]:
    """Return who has the case after a step, and who handles it."""
    data, doer = event.data, event.actor_id
    match event.action:
        case "dispatch" | "reassign" | "arbitrate" | "fast_track":
            return {"department_code": data.get("department"), "holder_id": data.get("worker"),
                    "handler_id": None}  # fmt: skip
        case "take":
            return {"department_code": None, "holder_id": doer, "handler_id": doer}
        case "sign":
            return {"holder_id": doer, "handler_id": doer}
        case "return" | "approve_return" | "escalate" | "dispute":
            return {"department_code": None, "handler_id": None}
        case "reply":
            return {"handler_id": doer}
        case "ask_check":
            return {"holder_id": data.get("worker")}
        case "rework" | "reopen" | "resume" | "outside_replied" | "take_back" | "hand_over":
            return {"holder_id": case.handler_id}
        case "sample_failed":
            return {"department_code": None, "handler_id": None}
        case _:
            return {}


def _flags(case: Case, event: IncidentEvent | Fact, move: Move | None) -> dict[str, Any]:
    """Return the flags: those of the state end with it, then the line clears and sets its own."""
    flags = case.flags
    if event.to_status != event.from_status:
        flags = {name: value for name, value in flags.items() if FLAGS.get(name) == "case"}
    if move is not None:
        gone = {*move.clears, *(("lead_replied",) if event.action in ("rework", "reopen") else ())}
        flags = {name: value for name, value in flags.items() if name not in gone}
        if move.sets_flag:
            told: dict[str, Any] = {n: event.data[n] for n in TOLD if n in event.data}
            reason: dict[str, Any] = {"reason": event.reason} if event.reason else {}
            said: dict[str, Any] = {"by": event.actor_id, "seq": event.seq, **reason, **told}
            if move.sets_flag in WAYS_BACK:
                said["status"] = event.from_status
            flags = {**flags, move.sets_flag: said}
    return {**flags, **event.data.get("flags", {})}


def _joined(case: Case, event: IncidentEvent | Fact) -> dict[str, Any]:
    """Return what merging changes, in the case that goes and in the one that stays."""
    match event.action:
        case "merge":
            return {"main_id": UUID(event.data["main"])}
        case "unmerge":
            return {"main_id": None}
        case "joined":
            return {"report_count": case.report_count + event.data["reports"]}
        case "parted":
            return {"report_count": case.report_count - event.data["reports"]}
        case _:
            return {}


def _instant(data: dict[str, Any], key: str) -> datetime | None:
    """Read an instant of an event's data."""
    value = data.get(key)
    return datetime.fromisoformat(value) if value else None
