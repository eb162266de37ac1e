"""Who may take a step: role, level, department, named person, and never the handler's own judge."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from grids.accounts import Actor
from grids.errors import GridsError
from grids.incidents import guards
from grids.incidents.errors import ForbiddenMove, HandlerMayNotJudge, NotYourMove, Waiting
from grids.incidents.lifecycle import (
    FIELD,
    LEVELS,
    SEAT_STATES,
    Move,
    find_move,
    moves_from,
)
from grids.incidents.models import Incident, IncidentEvent
from grids.incidents.owners import owner_of_case
from grids.incidents.projection import Case, Fact
from grids.incidents.requests import MoveRequest

#: Channels that a role may report through; the first is its own.
REPORTS = {
    "worker": ("worker",),
    "grid_leader": ("worker",),
    "intake": ("phone", "document", "media", "letter", "worker"),
    "shift_leader": ("letter",),
    "town_seat": ("phone", "document", "media", "worker"),
    "public": ("public",),
    "system": ("system",),
}
#: The platform itself: reminders, answers by link, rulings by default.
SYSTEM: Final = Actor(0, "system", frozenset({"system"}), frozenset({"incident:move"}), ("",))
#: How long the last step may be taken back.
UNDO: Final = timedelta(seconds=30)
_LEVEL_OF: Final = {role: level for level, role in LEVELS.items()}


@dataclass(frozen=True)
class Placed:
    """What of a case decides who may act on it; `Incident` has the same names."""

    status: str
    area_code: str
    department_code: str | None
    holder_id: int | None
    handler_id: int | None
    level: str = "county"
    flags: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Last:
    """The last event of a case, as far as undoing it goes."""

    action: str
    status: str  #: that it came from
    actor_id: int | None
    at: datetime


Deeds = Mapping[int, frozenset[str]]


def reporting_role(actor: Actor | None, channel: str, line: Move) -> str:
    """Return the role somebody reports in. Raises `NotYourMove`."""
    if actor is None:
        if channel in ("public", "system"):
            return channel
        raise NotYourMove("only staff report through this channel", action="submit")
    for role in line.roles:
        if role in actor.roles and channel in REPORTS[role]:
            return role
    raise NotYourMove(f"no role of the caller reports through {channel}", action="submit")


def require_possible(
    line: Move | None, case: Case, wanted: MoveRequest, actor: Actor, did: Collection[str],
    now: datetime,
) -> tuple[Move, str]:  # fmt: skip
    """Return the line and the role in which an actor takes a step.

    Raises `ForbiddenMove` and what a guard says where the case does not allow it, `NotYourMove`
    and `HandlerMayNotJudge` where somebody else has to take it.
    """
    if line is None or not _flags_fit(line, case.flags):
        raise forbidden(wanted.action, case)
    if "waiting_reporter" in case.flags and not line.in_wait:
        raise Waiting("the reporter is being asked", action=line.action)
    role = role_for(line, case, actor)
    if role is None:
        raise NotYourMove(f"{line.action} is for {', '.join(line.roles)}", action=line.action)
    if set(line.not_by) & set(did):
        raise HandlerMayNotJudge(
            f"{line.action} is for somebody who has not done {', '.join(line.not_by)}",
            action=line.action,
        )
    against = guards.problem(line.guard, case, wanted, now)
    if against is not None:
        raise against
    return line, role


def forbidden(action: str, case: Case) -> GridsError:
    """Return the refusal of a step that the table does not have, with the server's copy."""
    return ForbiddenMove(
        f"{action} is not possible from {case.status}",
        action=action,
        server={"id": str(case.id), "number": case.number, "status": case.status},
    )


def role_for(line: Move, row: Case | Incident | Placed, actor: Actor) -> str | None:
    """Return the first role of a line that the actor holds where the case is; None without one."""
    for role in line.roles:
        if actor.holds(role, row.area_code) and _fits(role, line, row, actor):
            return role
    return None


def possible(
    case: Case, actor: Actor, did: Collection[str], *, now: datetime, last: Last | None = None
) -> list[Move]:
    """Return the moves an actor may make now; `did` are the actor's own actions on the case."""
    found = [
        line
        for line in moves_from(case.status)
        if _flags_fit(line, case.flags)
        and (line.in_wait or "waiting_reporter" not in case.flags)
        and role_for(line, case, actor) is not None
        and not set(line.not_by) & set(did)
        and guards.problem(line.guard, case, None, now) is None
    ]
    undo = find_move("undo", case.status)
    if undo is not None and last is not None and may_undo(last, actor, now):
        found.append(undo)
    return found


def may_undo(last: Last, actor: Actor, now: datetime) -> bool:
    """Say whether the last step is the actor's own, fresh, and one that can be taken back."""
    line = find_move(last.action, last.status)
    is_own = last.actor_id is not None and last.actor_id == actor.account_id
    return bool(line and line.may_undo and is_own and now - last.at <= UNDO)


def last_of(log: Iterable[IncidentEvent | Fact]) -> Last | None:
    """Return what was done last."""
    last = None
    for event in log:
        last = Last(event.action, event.from_status, event.actor_id, event.recorded_at)
    return last


def deeds_of(log: Iterable[IncidentEvent | Fact]) -> dict[int, frozenset[str]]:
    """Return who did what on a case; what was undone was not done."""
    done: list[tuple[int | None, str]] = []
    for event in log:
        if event.action == "undo" and done:
            done.pop()
        done.append((event.actor_id, event.action))
    found: dict[int, set[str]] = {}
    for actor_id, action in done:
        if actor_id is not None:
            found.setdefault(actor_id, set()).add(action)
    return {actor_id: frozenset(actions) for actor_id, actions in found.items()}


def _flags_fit(line: Move, flags: Mapping[str, Any]) -> bool:
    return (line.needs_flag is None or line.needs_flag in flags) and (
        line.bars_flag is None or line.bars_flag not in flags
    )


def _fits(role: str, line: Move, row: Case | Incident | Placed, actor: Actor) -> bool:
    """Say whether a role's holder is the right one: level, own department, the person named."""
    if line.anyone:
        return True
    if line.leads and isinstance(row, Case) and guards.LEADS[line.leads](row):
        return role == "commander"
    if line.of_assisting:
        has_done = actor.department in (row.flags.get(line.unless_listed) or ())
        return not has_done and actor.department in (row.flags.get("assisting") or ())
    if line.of_owner:
        return _is_owner(role, row, actor)
    if line.seat and row.status in SEAT_STATES and role in _LEVEL_OF:
        return _is_seat(role, line, row)
    if role == "handler":
        return actor.department is not None and row.department_code == actor.department
    if role == "worker" or role in line.named:
        is_named = actor.account_id in (row.holder_id, row.handler_id)
        return is_named if role in line.named else row.holder_id is None or is_named
    return True


def _is_seat(role: str, line: Move, row: Case | Incident | Placed) -> bool:
    """Say whether a role is the seat of the case's level; the county's town seats help it."""
    level = row.level
    if row.status == "pending_review" and level in ("grid", "village"):
        level = "town"
    mine, here = guards.rank(_LEVEL_OF[role]), guards.rank(level)
    if line.seat == "above":
        return mine >= here
    return mine == here or (level == "county" and role == "town_seat")


def _is_owner(role: str, row: Case | Incident | Placed, actor: Actor) -> bool:
    owner = owner_of_case(row)
    return (
        owner is not None
        and (role == owner.role or (owner.role in FIELD and role in FIELD))
        and owner.department in (None, actor.department)
        and owner.account_id in (None, actor.account_id)
    )
