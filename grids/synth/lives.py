"""What is kept of a simulated case: how it came in, its events, clocks and tasks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from grids.incidents.clocks import DESK_STAGES, Calendar, Limit, resumed_due, stage_due
from grids.incidents.lifecycle import STATES, Move
from grids.incidents.projection import Case

RiskWord = Literal["late", "soon", "ok"]


@dataclass(frozen=True)
class Kind:
    """What the code lists say about a category."""

    category_id: int
    code: str
    urgency: str
    limit: Limit
    department: str


@dataclass(frozen=True)
class Opening:
    """How a case came in."""

    id: uuid.UUID
    kind: Kind
    channel: str
    text: str
    address: str
    area_code: str
    grid_code: str
    reporter: int | None
    component_id: int | None
    outcome: str  #: close, reject, untrue, refuse, void, duplicate, or the state it is in now
    risk: RiskWord | None  #: of an open case
    number: str = ""


@dataclass(frozen=True)
class Crew:
    """Who may act: account ids by post."""

    desks: dict[str, list[int]]
    workers: dict[str, int]  #: grid code -> worker
    handlers: dict[str, list[int]]
    spare_worker: int


# A mapped object costs forty times as much to make as these, and a year has many thousand:
# they carry the names of the columns of `grids.incidents.models`.


@dataclass(slots=True)
class Event:
    """A row of `incident_event`."""

    id: uuid.UUID
    incident_id: uuid.UUID
    seq: int
    recorded_at: datetime
    action: str
    from_status: str
    to_status: str
    actor_id: int | None
    role: str
    department_code: str | None
    area_code: str
    device_at: datetime | None
    device: str
    reason: str | None
    note: str
    data: dict[str, Any]


@dataclass(slots=True)
class Clock:
    """A row of `incident_clock`."""

    incident_id: uuid.UUID
    stage: str
    started_at: datetime
    due_at: datetime
    ended_at: datetime | None = None
    paused: list[list[str | None]] = field(default_factory=list)


@dataclass(slots=True)
class Task:
    """A row of `incident_task`."""

    incident_id: uuid.UUID
    department_code: str | None
    part: str
    dispatched_at: datetime
    signed_at: datetime | None = None
    replied_at: datetime | None = None
    returned_at: datetime | None = None


@dataclass
class Life:
    """A case with everything that happened to it."""

    opening: Opening
    case: Case
    events: list[Event]
    clocks: list[Clock]
    tasks: list[Task]


@dataclass
class Thread:
    """A case while it is being told."""

    case: Case | None = None
    events: list[Event] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    handlers: dict[str, int] = field(default_factory=dict)


def turn(
    clocks: list[Clock], case: Case | None, move: Move, target: str, kind: Kind,
    now: datetime, days: Calendar, incident_id: uuid.UUID,
) -> dict[str, Any]:  # fmt: skip
    """Let the clocks of a case follow a move, as `grids.incidents.clockwork` does with rows.

    Returns what the event keeps: when the new stage, and the handling, must be done.
    """
    if move.clock == "keep":
        return {"due": case.due_at.isoformat() if case and case.due_at else None}
    stage = STATES[target].stage
    is_over = STATES[target].is_terminal
    held = next((c for c in clocks if c.stage == "H" and c.ended_at is None), None)
    for clock in clocks:
        if clock.ended_at is None and clock is not held:
            clock.ended_at = now
    is_paused = held is not None and bool(held.paused) and held.paused[-1][1] is None
    if held is not None and is_over:
        held.ended_at = datetime.fromisoformat(str(held.paused[-1][0])) if is_paused else now
        held = None
    if move.clock == "pause" and held is not None:
        held.paused = [*held.paused, [now.isoformat(), None]]
    elif move.clock == "resume" and held is not None:
        if is_paused:
            paused_at = datetime.fromisoformat(str(held.paused[-1][0]))
            held.paused = [*held.paused[:-1], [paused_at.isoformat(), now.isoformat()]]
            held.due_at = resumed_due(held.due_at, paused_at, now, kind.limit.unit, days)
        return {"due": held.due_at.isoformat(), "handling_due": held.due_at.isoformat()}
    elif held is not None and (stage == "H" or not is_paused):
        held.ended_at = now
    if stage is None:
        return {"due": None}
    used = sum(
        (c.ended_at - c.started_at for c in clocks if c.stage in DESK_STAGES and c.ended_at),
        timedelta(),
    )
    due = stage_due(stage, now, days, urgency=kind.urgency, handling=kind.limit, used=used)
    clocks.append(Clock(incident_id, stage, now, due))
    data = {"due": due.isoformat()}
    return data | ({"handling_due": due.isoformat()} if stage == "H" else {})


def follow_tasks(tasks: list[Task], event: Event) -> None:
    """Keep the department's task in step with the case."""
    if event.action == "dispatch":
        tasks.append(
            Task(
                incident_id=event.incident_id, department_code=event.department_code,
                part="lead", dispatched_at=event.recorded_at,
            )
        )  # fmt: skip
    column = {"sign": "signed_at", "reply": "replied_at", "return": "returned_at"}.get(event.action)
    if column and tasks:
        setattr(tasks[-1], column, event.recorded_at)
