"""Ending an entry by hand, and taking that back: the thing is no more, or never was.

An entry that ended leaves lists, maps, search and base numbers, and stays in the history: its
page says since when and why. A source that goes on naming it reaches the same entry and revives
nothing; who entered it wrongly ends it, who finds it standing takes the end back.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.enterprises import Premises
from grids.errors import Conflict
from grids.facts import statements
from grids.facts.models import FactCheck
from grids.hazards.models import Hazard
from grids.incidents.lifecycle import TERMINAL
from grids.incidents.models import Incident
from grids.registers.changes import BadValue
from grids.registers.entering import KINDS, NotEntered
from grids.registers.kinds import Kind


class Ended(Conflict):
    """The entry has ended, or has been given up for another."""

    code = "register.ended"


class Standing(Conflict):
    """Premises, an open hazard or an open case still stand on the entry."""

    code = "register.standing"


def end(
    session: Session, actor: Actor, kind: Kind, entry: Any, reason: str, *, today: date,
    source_ip: str,
) -> None:  # fmt: skip
    """End an entry that was read in scope, from `today` in the city, with the reason.

    Questions on the spot about it close. Raises `NotEntered` for a register whose entries come
    by import, `BadValue` without a reason, `Ended`, and `Standing` where something stands on it.
    """
    reason = _reasoned(kind, reason)
    _lock(session, entry)
    if entry.valid_to is not None:
        raise Ended(f"{kind.name} {entry.id} has ended")
    if left := _standing(session, actor, kind, entry.id):
        raise Standing(f"{left} still stand on {kind.name} {entry.id}", n=left)
    statements.say_why(session, reason)
    entry.valid_to = today
    session.execute(
        update(FactCheck)
        .where(
            scope.condition(actor, FactCheck), FactCheck.register == kind.table,
            FactCheck.entry_id == entry.id, FactCheck.state.in_(("waiting", "open")),
        )
        .values(state="dropped", answered_at=func.now())
    )  # fmt: skip
    _note(session, actor, "register_ended", kind, entry, source_ip)


def revive(
    session: Session, actor: Actor, kind: Kind, entry: Any, reason: str, *, source_ip: str
) -> None:
    """Take the end of an entry back, with the reason.

    Raises as `end` does, and `Ended` where it stands or was given up for another entry.
    """
    reason = _reasoned(kind, reason)
    _lock(session, entry)
    if entry.valid_to is None or getattr(entry, "merged_into", None) is not None:
        raise Ended(f"{kind.name} {entry.id} has no end to take back")
    statements.say_why(session, reason)
    entry.valid_to = None
    _note(session, actor, "register_revived", kind, entry, source_ip)


def _reasoned(kind: Kind, reason: str) -> str:
    if kind.name not in KINDS:
        raise NotEntered(f"{kind.name} is not ended by hand")
    if len(reason.strip()) < 2:
        raise BadValue("who ends an entry says why", field="reason")
    return reason.strip()[:500]


def _lock(session: Session, entry: Any) -> None:
    """Read the entry anew and hold it: two who decide at once see each other."""
    session.refresh(entry, with_for_update=True)


def _standing(session: Session, actor: Actor, kind: Kind, entry_id: int) -> int:
    """Count what still stands on an entry: premises, open hazards, open cases."""
    found: dict[str, tuple[Any, ...]] = {
        "enterprise": (Premises, Premises.enterprise_id == entry_id, Premises.valid_to.is_(None)),
        "premises": (Hazard, Hazard.premises_id == entry_id, Hazard.ended_at.is_(None)),
        "component": (
            Incident,
            Incident.component_id == entry_id,
            Incident.status.not_in(TERMINAL),
        ),
    }
    if kind.name not in found:
        return 0
    model, *which = found[kind.name]
    asked = select(func.count()).select_from(model).where(scope.condition(actor, model), *which)
    return session.scalar(asked) or 0


def _note(
    session: Session, actor: Actor, action: str, kind: Kind, entry: Any, source_ip: str
) -> None:
    session.flush()
    audit.record(
        session, action, actor_id=actor.account_id, source_ip=source_ip,
        subject=f"{kind.table}:{entry.id}",
    )  # fmt: skip
