"""How the clocks of a case follow its steps: pure, the same when writing and when rebuilding.

Of an open case exactly one clock runs, that of its state, or it stands still in the open
(`paused` has an entry without an end). Handling waits in the background while others judge
the reply, and goes on with what was left: nothing but an approved extension moves its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from grids.incidents.clocks import (
    DESK_STAGES,
    STAGE_LIMITS,
    Calendar,
    Limit,
    Unit,
    resumed_due,
    stage_due,
)
from grids.incidents.lifecycle import STATES, Clock, find_move
from grids.incidents.models import IncidentEvent
from grids.incidents.projection import Case, Fact

Pause = tuple[datetime, datetime | None]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a stage's clock; field names are those of `IncidentClock`."""

    stage: str
    started_at: datetime
    due_at: datetime
    ended_at: datetime | None = None
    paused: tuple[Pause, ...] = ()
    department_code: str | None = None  #: of handling: whose limit it is
    limit_value: float | None = None
    limit_unit: Unit | None = None

    @property
    def is_paused(self) -> bool:
        """Say whether it stands still until somebody lets it go on."""
        return bool(self.paused) and self.paused[-1][1] is None

    def limit(self, fallback: Limit) -> Limit:
        """Return the limit it was started with; rows of before that was kept have none."""
        if self.limit_value is None or self.limit_unit is None:
            return fallback
        return Limit(self.limit_value, self.limit_unit)


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything that decides what a step does to the clocks."""

    clock: Clock
    source: str
    target: str
    at: datetime
    urgency: str
    handling: Limit
    department: str | None = None  #: who handles
    until: datetime | None = None  #: what was promised or approved
    moratorium: datetime | None = None  #: handling stands still until then
    stage_limit: Limit | None = None  #: of the stage that it leads to; events of before have none


Runs = tuple[Run, ...]


def opened(event: IncidentEvent | Fact, case: Case, days: Calendar) -> Runs:
    """Return the clocks of a case that has just come in."""
    stage = STATES[event.to_status].stage
    if stage is None:
        return ()
    at, limit = event.recorded_at, _limit(event.data, "stage_limit")
    return (_run(stage, at, stage_due(stage, at, days, urgency=case.urgency, limit=limit), limit),)


def turn(runs: Runs, step: Turn, days: Calendar) -> Runs:
    """Return the clocks after a step."""
    stage = STATES[step.target].stage
    if step.clock == "keep" or (step.clock == "pause" and step.source == step.target):
        return runs
    if step.clock in ("hold", "release", "switch", "extend"):
        return tuple(_changed(run, step, runs, days) for run in runs)
    runs = tuple(_left(run, step) for run in runs)
    held = next((k for k, run in enumerate(runs) if run.ended_at is None), None)
    if stage is None:
        return runs
    if stage == "H" and held is not None:
        run = runs[held]
        if step.clock == "resume" or _is_theirs(run, step):
            return _with(runs, held, _resumed(run, step, days))
        runs = _with(runs, held, _ended(run, step.at))
    return (*runs, _started(stage, step, runs, days))


def due_of(runs: Runs) -> datetime | None:
    """Return when what runs now must be done; None where nothing runs or it stands still."""
    run = current(runs)
    return None if run is None or run.is_paused else run.due_at


def current(runs: Runs) -> Run | None:
    """Return the clock of the present state: the one begun last of those that have not ended."""
    live = [run for run in runs if run.ended_at is None]
    running = [run for run in live if not run.is_paused]
    return (running or live)[-1] if live else None


def handling_due(runs: Runs) -> datetime | None:
    """Return the end of the last handling clock, ended or not."""
    found = [run.due_at for run in runs if run.stage == "H"]
    return found[-1] if found else None


def turn_of(event: IncidentEvent | Fact, urgency: str, fallback: Limit) -> Turn:
    """Read from an event what decides what it did to the clocks."""
    move = find_move(event.action, event.from_status)
    data = event.data
    return Turn(
        clock=move.clock if move else "keep",
        source=event.from_status,
        target=event.to_status,
        at=event.recorded_at,
        urgency=data.get("urgency", urgency),
        handling=_limit(data, "limit") or fallback,
        department=data.get("handled_by", event.department_code),
        until=_at(data, "until"),
        moratorium=_at(data, "moratorium"),
        stage_limit=_limit(data, "stage_limit"),
    )


def _left(run: Run, step: Turn) -> Run:
    """Let a running clock follow the case into another state."""
    if run.ended_at is not None:
        return run
    if run.stage != "H" or STATES[step.target].is_terminal:
        return _ended(run, step.at)
    if step.clock in ("pause", "resume") or run.is_paused:
        return run if run.is_paused or step.clock == "resume" else _held(run, step.at)
    return _ended(run, step.at)


def _is_theirs(run: Run, step: Turn) -> bool:
    """Say whether a waiting handling clock belongs to the department that now takes the case."""
    return (
        run.is_paused
        and run.department_code is not None
        and (run.department_code == step.department)
    )


def _changed(run: Run, step: Turn, runs: Runs, days: Calendar) -> Run:
    """Stop, release, extend or re-measure a clock within a state."""
    if run.ended_at is not None:
        return run
    is_current = run is current(runs)
    if step.clock == "switch":
        return _measured(run, step, runs, days)
    if not is_current:
        return run
    if step.clock == "hold":
        return _held(run, step.at)
    if step.clock == "release":
        return _resumed(run, step, days)
    return replace(run, due_at=step.until or run.due_at)


def _held(run: Run, at: datetime) -> Run:
    """Open a pause; one that is planned and goes on at that time is waited for first."""
    ends = run.paused[-1][1] if run.paused else None
    return replace(run, paused=(*run.paused, (max(at, ends) if ends else at, None)))


def _resumed(run: Run, step: Turn, days: Calendar) -> Run:
    """Close the open pause and move the end by what was paused, never by more."""
    if not run.is_paused:
        return run
    since = run.paused[-1][0]
    if step.at <= since:
        return replace(run, paused=run.paused[:-1])
    due = resumed_due(run.due_at, since, step.at, _unit(run, step), days)
    return replace(run, paused=(*run.paused[:-1], (since, step.at)), due_at=due)


def _ended(run: Run, at: datetime) -> Run:
    """End a clock; one that stood still ended when it began to stand."""
    return replace(run, ended_at=min(at, run.paused[-1][0]) if run.is_paused else at)


def _started(stage: str, step: Turn, runs: Runs, days: Calendar) -> Run:
    """Start the clock of a state; in a moratorium handling begins to count at its end."""
    at = step.at
    if stage != "H":
        due = _stage_due(stage, at, step, runs, days)
        return _run(stage, at, due, None if stage == "O" and step.until else step.stage_limit)
    paused: tuple[Pause, ...] = ()
    begins = at
    if step.moratorium is not None and step.moratorium > at:
        begins, paused = step.moratorium, ((at, step.moratorium),)
    return Run(
        stage, at, stage_due("H", begins, days, urgency=step.urgency, handling=step.handling),
        paused=paused, department_code=step.department, limit_value=step.handling.value,
        limit_unit=step.handling.unit,
    )  # fmt: skip


def _stage_due(stage: str, at: datetime, step: Turn, runs: Runs, days: Calendar) -> datetime:
    if stage == "O" and step.until is not None:
        return step.until
    return stage_due(
        stage, at, days, urgency=step.urgency, used=_desk_time(runs), limit=step.stage_limit
    )


def _measured(run: Run, step: Turn, runs: Runs, days: Calendar) -> Run:
    """Measure a clock anew by another urgency, from when it began; its pauses stay pauses."""
    begins, pauses = run.started_at, list(run.paused)
    if pauses and pauses[0][0] == run.started_at and pauses[0][1] is not None:
        begins = pauses.pop(0)[1] or begins
    if run.stage == "H":
        due = stage_due("H", begins, days, urgency=step.urgency, handling=step.handling)
        run = replace(run, limit_value=step.handling.value, limit_unit=step.handling.unit)
    elif run.stage in STAGE_LIMITS:
        due = _stage_due(run.stage, begins, step, runs, days)
        if step.stage_limit is not None:
            limit = step.stage_limit
            run = replace(run, limit_value=limit.value, limit_unit=limit.unit)
    else:
        return run
    for since, until in pauses:
        if until is not None:
            due = resumed_due(due, since, until, _unit(run, step), days)
    return replace(run, due_at=due)


def _unit(run: Run, step: Turn) -> Unit:
    if run.stage == "H" or run.limit_unit is not None:
        return run.limit(step.handling).unit
    if step.urgency == "A" or run.stage not in STAGE_LIMITS:
        return "elapsed_hour"
    return STAGE_LIMITS[run.stage].unit


def _run(stage: str, at: datetime, due: datetime, limit: Limit | None) -> Run:
    """Start a run; one whose limit no event names has none of its own."""
    if limit is None:
        return Run(stage, at, due)
    return Run(stage, at, due, limit_value=limit.value, limit_unit=limit.unit)


def _limit(data: dict[str, Any], key: str) -> Limit | None:
    """Read a limit of an event's data."""
    value = data.get(key)
    return Limit(value[0], value[1]) if value else None


def _desk_time(runs: Runs) -> timedelta:
    """Return the time that intake, filing and dispatch have used so far, without pauses."""
    total = timedelta()
    for run in runs:
        if run.stage in DESK_STAGES and run.ended_at is not None:
            total += run.ended_at - run.started_at
            total -= sum((e - s for s, e in run.paused if e is not None), timedelta())
    return total


def _with(runs: Runs, place: int, run: Run) -> Runs:
    return (*runs[:place], run, *runs[place + 1 :])


def _at(data: dict[str, Any], key: str) -> datetime | None:
    value = data.get(key)
    return datetime.fromisoformat(value) if value else None
