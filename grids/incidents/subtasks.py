"""The sub-tasks of a case: one lead (主办), any number assisting (协办), numbered `NUMBER-01`.

Pure, as the clocks are: what the rows of `incident_task` hold follows from the events alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from grids.incidents.models import IncidentEvent
from grids.incidents.projection import ASSIGNING as ASSIGNING
from grids.incidents.projection import Case, Fact

#: Steps that take it from them.
TAKING = ("return", "approve_return", "escalate", "take", "close", "void", "merge")


@dataclass(frozen=True, slots=True)
class Task:
    """What one department has to do; field names are those of `IncidentTask`."""

    department_code: str
    part: str
    dispatched_at: datetime
    number: str | None = None
    due_at: datetime | None = None
    signed_at: datetime | None = None
    replied_at: datetime | None = None
    returned_at: datetime | None = None
    ended_at: datetime | None = None


Tasks = tuple[Task, ...]


def follow(tasks: Tasks, case: Case, event: IncidentEvent | Fact) -> Tasks:
    """Return the sub-tasks after an event; `case` is the case after it."""
    at, data = event.recorded_at, event.data
    if event.action in ASSIGNING:
        return (*_ended(tasks, at), *_given(tasks, case, event))
    if event.action in ("return", "approve_return"):
        tasks = _lead(tasks, returned_at=at)
    if event.action in TAKING or event.action == "dispute":
        return _ended(tasks, at)
    match event.action:
        case "sign":
            tasks = _lead(tasks, signed_at=at)
        case "reply":
            tasks = _lead(tasks, replied_at=at)
        case "assist_sign":
            tasks = _assist(tasks, event, signed_at=at)
        case "assist_reply":
            tasks = _assist(tasks, event, replied_at=at)
        case "assist_return":
            tasks = _assist(tasks, event, returned_at=at, ended_at=at)
        case "rework":
            tasks = _lead(tasks, replied_at=None)
        case "reopen":
            tasks = _reopened(tasks)
    due = data.get("handling_due")
    return _due(tasks, datetime.fromisoformat(due)) if due else tasks


def waiting(tasks: Tasks) -> list[str]:
    """Return the assisting departments that have not replied, in the order of dispatch."""
    return [
        task.department_code
        for task in tasks
        if task.part == "assist" and task.ended_at is None and task.replied_at is None
    ]


def _given(tasks: Tasks, case: Case, event: IncidentEvent | Fact) -> Tasks:
    """Number what is given out now after what was given out before."""
    parts = dict.fromkeys(event.data.get("assisting") or (), "assist")
    if event.data.get("department"):
        parts = {event.data["department"]: "lead", **parts}
        parts[event.data["department"]] = "lead"
    return tuple(
        Task(code, part, event.recorded_at, f"{case.number}-{len(tasks) + k:02d}")
        for k, (code, part) in enumerate(parts.items(), start=1)
    )


def _ended(tasks: Tasks, at: datetime) -> Tasks:
    return tuple(task if task.ended_at else replace(task, ended_at=at) for task in tasks)


def _lead(tasks: Tasks, **changed: Any) -> Tasks:
    """Change the open task of the lead department."""
    return tuple(
        replace(task, **changed) if task.part == "lead" and task.ended_at is None else task
        for task in tasks
    )


def _assist(tasks: Tasks, event: IncidentEvent | Fact, **changed: datetime) -> Tasks:
    """Change the open sub-task of an assisting department; a reply signs it too."""

    def after(task: Task) -> Task:
        values: dict[str, Any] = {"signed_at": task.signed_at or changed.get("replied_at")}
        return replace(task, **(values | changed))

    return tuple(
        after(task)
        if task.part == "assist" and task.ended_at is None
        and task.department_code == event.department_code
        else task
        for task in tasks
    )  # fmt: skip


def _reopened(tasks: Tasks) -> Tasks:
    """Give the last lead its task back; who assisted has replied."""
    last = max((k for k, task in enumerate(tasks) if task.part == "lead"), default=-1)
    return tuple(
        replace(task, ended_at=None, replied_at=None) if k == last and not task.returned_at
        else task
        for k, task in enumerate(tasks)
    )  # fmt: skip


def _due(tasks: Tasks, due: datetime) -> Tasks:
    return tuple(
        replace(task, due_at=due) if task.ended_at is None and task.replied_at is None else task
        for task in tasks
    )
