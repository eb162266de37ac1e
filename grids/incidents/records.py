"""From the rows of a case to the machine's values and back: reading under a lock, writing a fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from geoalchemy2 import WKTElement
from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.incidents import projection, roles, subtasks, timing
from grids.incidents.errors import NoIncident
from grids.incidents.lifecycle import Move
from grids.incidents.machine import Dossier
from grids.incidents.models import (
    Attachment,
    Incident,
    IncidentClock,
    IncidentEvent,
    IncidentTask,
)
from grids.incidents.projection import Fact

_FACT: Final = tuple(part.name for part in fields(Fact))
_RUN: Final = tuple(part.name for part in fields(timing.Run) if part.name != "paused")
_TASK: Final = tuple(part.name for part in fields(subtasks.Task))


def locked(session: Session, incident_id: UUID, actor: Actor) -> Incident:
    """Lock a case that the actor may see. Raises `NoIncident`."""
    found: Incident | None = session.scalar(
        scope.visible(select(Incident), actor, Incident)
        .where(Incident.id == incident_id)
        .with_for_update(of=Incident)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NoIncident("no such case")
    return found


def load(session: Session, row: Incident, *, with_log: bool) -> Dossier:
    """Read everything of a locked case; the log only where a step asks who did what."""
    events = log_of(session, row) if with_log else ()
    return Dossier(
        case=projection.of_row(row),
        runs=tuple(map(_run_of, _clocks(session, row.id))),
        tasks=tuple(map(_task_of, _tasks(session, row.id))),
        deeds=roles.deeds_of(events),
        last=roles.last_of(events),
    )


def log_of(session: Session, row: Incident) -> Sequence[IncidentEvent]:
    """Return the events of a locked case in their order."""
    return session.scalars(
        select(IncidentEvent)
        .where(
            IncidentEvent.incident_id == row.id,
            IncidentEvent.recorded_at >= row.received_at,  # prunes the months before
        )
        .order_by(IncidentEvent.seq)
    ).all()


def write(
    session: Session, row: Incident, after: Dossier, fact: Fact, line: Move,
    point: WKTElement | None = None,
) -> None:  # fmt: skip
    """Write a fact and everything that follows from it."""
    projection.store(row, after.case)
    session.add(IncidentEvent(geom=point, **{name: getattr(fact, name) for name in _FACT}))
    _keep_runs(session, row.id, after.runs)
    _keep_tasks(session, row.id, after.tasks)
    attach(session, row.id, fact.seq, fact.photos, line.photos)
    session.flush()


def attach(session: Session, incident_id: UUID, seq: int, hashes: Sequence[str], part: str) -> None:
    """Tie photos to the case; the same photo twice is two attachments of one blob."""
    session.add_all(
        Attachment(incident_id=incident_id, event_seq=seq, sha256=sha256, part=part)
        for sha256 in hashes
    )


def _clocks(session: Session, incident_id: UUID) -> Sequence[IncidentClock]:
    return session.scalars(
        select(IncidentClock)
        .where(IncidentClock.incident_id == incident_id)
        .order_by(IncidentClock.started_at, IncidentClock.id)
    ).all()


def _tasks(session: Session, incident_id: UUID) -> Sequence[IncidentTask]:
    return session.scalars(
        select(IncidentTask)
        .where(IncidentTask.incident_id == incident_id)
        .order_by(IncidentTask.id)
    ).all()


def _run_of(row: IncidentClock) -> timing.Run:
    pauses = tuple((datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None)
                   for since, until in row.paused)  # fmt: skip
    values: dict[str, Any] = {name: getattr(row, name) for name in _RUN}
    return timing.Run(paused=pauses, **values)


def _task_of(row: IncidentTask) -> subtasks.Task:
    return subtasks.Task(**{name: getattr(row, name) for name in _TASK})


def _keep_runs(session: Session, incident_id: UUID, runs: timing.Runs) -> None:
    """Bring the rows in step: the n-th row is the n-th run."""
    rows = _clocks(session, incident_id)
    for row, run in zip(rows, runs, strict=False):
        _set(row, _run_values(run))
    for run in runs[len(rows) :]:
        session.add(IncidentClock(incident_id=incident_id, **_run_values(run)))
    for row in rows[len(runs) :]:
        session.delete(row)


def _keep_tasks(session: Session, incident_id: UUID, tasks: subtasks.Tasks) -> None:
    rows = _tasks(session, incident_id)
    for row, task in zip(rows, tasks, strict=False):
        _set(row, {name: getattr(task, name) for name in _TASK})
    for task in tasks[len(rows) :]:
        session.add(IncidentTask(incident_id=incident_id, **{n: getattr(task, n) for n in _TASK}))
    for row in rows[len(tasks) :]:
        session.delete(row)


def _run_values(run: timing.Run) -> dict[str, Any]:
    pauses = [[since.isoformat(), until.isoformat() if until else None]
              for since, until in run.paused]  # fmt: skip
    return {**{name: getattr(run, name) for name in _RUN}, "paused": pauses}


def _set(row: Any, values: dict[str, Any]) -> None:
    """Change what differs: what stays as it is is not written."""
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
