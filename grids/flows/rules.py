"""Pure rules of taking a step: who may, what it changes, how the record follows from events."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from grids.accounts import Actor
from grids.flows.errors import ForbiddenStep, NotYourStep, SamePerson, UsedUp
from grids.flows.table import Flow, State, Step


@dataclass(frozen=True)
class Change:
    """What a step changes, as its event keeps it: columns, clocks, the clock that runs now."""

    target: str
    columns: dict[str, Any]
    limits: dict[str, str]
    due: str | None


def role_for(step: Step, row: Any, actor: Actor) -> str | None:
    """Return the first role of a line that the actor holds where the record is; None without."""
    for role in step.roles:
        if not actor.holds(role, row.area_code):
            continue
        if role == "handler" and (actor.department is None
                                  or row.department_code != actor.department):  # fmt: skip
            continue
        if role in step.named and row.holder_id != actor.account_id:
            continue
        return role
    return None


def is_open_to(step: Step, row: Any) -> bool:
    """Say whether the record itself lets the step happen: its flags, counters and columns."""
    if step.needs_flag is not None and not row.flags.get(step.needs_flag):
        return False
    if step.sets_flag is not None and row.flags.get(step.sets_flag):
        return False
    if step.needs is not None and str(getattr(row, step.needs[0])) != step.needs[1]:
        return False
    return step.most is None or getattr(row, step.most[0]) < step.most[1]


def possible(
    flow: Flow, row: Any, actor: Actor, did: Collection[str], *, levels: bool = True
) -> list[Step]:
    """Return the steps an actor may take now; `did` are the actor's own actions on the record."""
    return [
        step
        for step in flow.steps_from(row.status)
        if is_open_to(step, row)
        and role_for(step, row, actor) is not None
        and not set(step.not_by) & set(did)
        and (not levels or _has_level(flow, step, row))
    ]


def require(step: Step, row: Any, actor: Actor, did: Collection[str]) -> str:
    """Return the role in which the actor takes the step.

    Raises `ForbiddenStep`, `UsedUp`, `NotYourStep` and `SamePerson`.
    """
    if step.most is not None and getattr(row, step.most[0]) >= step.most[1]:
        raise UsedUp(f"{step.action} was done {step.most[1]} times", n=step.most[1])
    if not is_open_to(step, row):
        raise ForbiddenStep(f"{step.action} is not possible now", action=step.action)
    role = role_for(step, row, actor)
    if role is None:
        raise NotYourStep(f"{step.action} is for {', '.join(step.roles)}", action=step.action)
    if set(step.not_by) & set(did):
        raise SamePerson(f"{step.action} is for somebody else", action=step.action)
    return role


def columns_of(
    flow: Flow, step: Step, row: Any, values: Mapping[str, Any], *, actor_id: int | None,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Return the columns that a step writes, as JSON holds them. Raises `ForbiddenStep`."""
    found: dict[str, Any] = {}
    for column, source in step.sets:
        match source.split(":"):
            case ["actor"]:
                found[column] = actor_id
            case ["now"]:
                found[column] = now.isoformat()
            case ["none"]:
                found[column] = None
            case ["zero"]:
                found[column] = 0
            case ["up"]:
                found[column] = _moved(flow, row, column, 1)
            case ["down"]:
                found[column] = _moved(flow, row, column, -1)
            case ["field", name]:
                if name in values:
                    found[column] = values[name]
            case _:
                found[column] = source.removeprefix("=")
    if step.counts is not None:
        found[step.counts] = (getattr(row, step.counts) if row is not None else 0) + 1
    return found


def flags_after(step: Step, row: Any, *, is_moved: bool) -> dict[str, Any]:
    """Return the flags of the record: a new state forgets them all."""
    flags = {} if is_moved or row is None else dict(row.flags)
    if step.clears_flag is not None:
        flags.pop(step.clears_flag, None)
    if step.sets_flag is not None:
        flags[step.sets_flag] = True
    return flags


def apply(before: Mapping[str, Any], event: Any, state: State) -> dict[str, Any]:
    """Return the columns of a record after one more event: the fold that rebuilds it."""
    data = event.data
    changed = {
        **before,
        **{name: decoded(name, value) for name, value in data.get("set", {}).items()},
        "status": event.to_status,
        "flags": data.get("flags", {}),
        "limits": {**before.get("limits", {}), **data.get("limits", {})},
        "due_at": decoded("due_at", data.get("due")),
        "event_count": event.seq,
    }
    if event.from_status != event.to_status:
        changed["stage_at"] = event.recorded_at
        changed["ended_at"] = event.recorded_at if state.is_terminal else None
    if event.seq == 1:
        changed |= {"id": UUID(data["record"]), "opened_at": event.recorded_at,
                    "stage_at": event.recorded_at, "registrar_id": event.actor_id}  # fmt: skip
    return changed


def decoded(name: str, value: Any) -> Any:
    """Bring a value of an event's JSON to the type of its column, known by the column's name."""
    if not isinstance(value, str):
        return value
    if name.endswith("_at"):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if name.endswith("_on") else value


def _has_level(flow: Flow, step: Step, row: Any) -> bool:
    for column, source in step.sets:
        if source in ("up", "down"):
            at = flow.levels.index(getattr(row, column)) + (1 if source == "up" else -1)
            return 0 <= at < len(flow.levels)
    return True


def _moved(flow: Flow, row: Any, column: str, by: int) -> str:
    at = flow.levels.index(getattr(row, column)) + by
    if not 0 <= at < len(flow.levels):
        raise ForbiddenStep("there is no level beyond", action="level")
    return flow.levels[at]
