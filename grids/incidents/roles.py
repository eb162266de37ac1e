"""Who may take a step: role, department, named person, and never the handler's own judge."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.incidents.errors import HandlerMayNotJudge, NotYourMove
from grids.incidents.lifecycle import Move, moves_from
from grids.incidents.models import Incident, IncidentEvent

#: Channels that a role may report through; the first is its own.
REPORTS = {
    "worker": ("worker",),
    "grid_leader": ("worker",),
    "intake": ("phone", "document", "media", "worker"),
    "town_seat": ("phone", "document", "media", "worker"),
    "public": ("public",),
    "system": ("system",),
}


@dataclass(frozen=True)
class Placed:
    """What of a case decides who may act on it; `Incident` has the same names."""

    status: str
    area_code: str
    department_code: str | None
    holder_id: int | None
    handler_id: int | None


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


def acting_role(session: Session, line: Move, row: Incident, actor: Actor) -> str:
    """Return the role in which an actor may take a step.

    Raises `NotYourMove`, and `HandlerMayNotJudge` where the actor did on this case what
    excludes from this step.
    """
    role = role_for(line, row, actor)
    if role is None:
        raise NotYourMove(f"{line.action} is for {', '.join(line.roles)}", action=line.action)
    if line.not_by and actor.account_id in doers(session, row, line.not_by):
        raise HandlerMayNotJudge(
            f"{line.action} is for somebody who has not done {', '.join(line.not_by)}",
            action=line.action,
        )
    return role


def role_for(line: Move, row: Incident | Placed, actor: Actor) -> str | None:
    """Return the first role of a line that the actor holds where the case is; None without one."""
    for role in line.roles:
        if actor.holds(role, row.area_code) and _fits(role, line, row, actor):
            return role
    return None


def possible(
    row: Incident | Placed, actor: Actor, did: Collection[str], flags: Collection[str]
) -> list[Move]:
    """Return the moves an actor may make now; `did` are the actor's own actions on the case."""
    return [
        line
        for line in moves_from(row.status)
        if role_for(line, row, actor) is not None
        and not set(line.not_by) & set(did)
        and (line.needs_flag is None or line.needs_flag in flags)
    ]


def doers(session: Session, row: Incident, actions: tuple[str, ...]) -> set[int]:
    """Return who did one of the actions on a case."""
    found = session.scalars(
        select(IncidentEvent.actor_id).where(
            IncidentEvent.incident_id == row.id,
            IncidentEvent.recorded_at >= row.received_at,  # prunes the months before
            IncidentEvent.action.in_(actions),
        )
    )
    return {actor_id for actor_id in found if actor_id is not None}


def _fits(role: str, line: Move, row: Incident | Placed, actor: Actor) -> bool:
    """Say whether a role's holder is the right one: own department, or the person named."""
    if role == "handler":
        return actor.department is not None and row.department_code == actor.department
    if role == "worker":
        is_named = actor.account_id in (row.holder_id, row.handler_id)
        return is_named if role in line.named else row.holder_id is None or is_named
    return True
