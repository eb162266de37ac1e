"""Merging (并案) and back: two cases, one problem; the main case counts once, nothing is lost.

The case that goes keeps its number, reporters and photos; both keep an event. Rows are
locked in the order of their ids, so that two people who merge crosswise wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.incidents import machine, records
from grids.incidents.clocks import Calendar
from grids.incidents.errors import NoIncident, NoMain
from grids.incidents.lifecycle import OPEN, find_move
from grids.incidents.models import Incident, IncidentLink
from grids.incidents.projection import Fact
from grids.incidents.requests import MoveRequest


@dataclass(frozen=True)
class Pair:
    """The case of a step, and the main case where the step is about one."""

    row: Incident
    main: Incident | None = None


def locked(session: Session, incident_id: UUID, wanted: MoveRequest, actor: Actor) -> Pair:
    """Lock the case, and the one it goes into or comes out of. Raises `NoIncident`, `NoMain`."""
    main_id: UUID | None = None
    if wanted.action == "merge":
        main_id = wanted.main
    elif wanted.action == "unmerge":
        found = scope.visible(select(Incident.main_id), actor, Incident)
        main_id = session.scalar(found.where(Incident.id == incident_id))
    if main_id is None:
        return Pair(records.locked(session, incident_id, actor))
    if main_id == incident_id:
        raise NoMain("a case is not merged into itself", field="main")
    rows: dict[UUID, Incident] = {}
    for one in sorted((incident_id, main_id)):
        try:
            rows[one] = records.locked(session, one, actor)
        except NoIncident:
            if one == incident_id:
                raise
            raise NoMain("no such case to merge into", field="main") from None
    return Pair(rows[incident_id], rows[main_id])


def resolved(pair: Pair, wanted: MoveRequest) -> dict[str, Any]:
    """Return what the event keeps of the main case. Raises `NoMain`."""
    if wanted.action == "unmerge":
        return {"main": str(pair.row.main_id)}
    if wanted.action != "merge" or pair.main is None:
        return {}
    if pair.main.status not in OPEN:
        raise NoMain("the case to merge into is over", field="main", number=pair.main.number)
    return {"main": str(pair.main.id), "main_number": pair.main.number}


def follow(session: Session, pair: Pair, fact: Fact, days: Calendar, *, now: datetime) -> None:
    """Tell the main case: an event of its own, the count of reports, the link."""
    if pair.main is None or fact.action not in ("merge", "unmerge"):
        return
    main, row = pair.main, pair.row
    if fact.action == "merge":
        session.add(IncidentLink(incident_id=row.id, other_id=main.id, kind="duplicate"))
    else:
        session.execute(
            delete(IncidentLink).where(
                IncidentLink.incident_id == row.id,
                IncidentLink.other_id == main.id,
                IncidentLink.kind == "duplicate",
            )
        )
    action = "joined" if fact.action == "merge" else "parted"
    line = find_move(action, main.status)
    if line is None:
        raise NoMain("the case to merge into is over", field="main", number=main.number)
    told = Fact(
        id=uuid5(fact.id, action), incident_id=main.id, seq=main.event_count + 1,
        recorded_at=max(now, main.stage_at), action=action, from_status=main.status,
        to_status=main.status, actor_id=fact.actor_id, role=fact.role,
        department_code=main.department_code, area_code=main.area_code,
        data={"case": str(row.id), "number": row.number, "reports": row.report_count,
              "due": main.due_at.isoformat() if main.due_at else None},
    )  # fmt: skip
    after = machine.after(records.load(session, main, with_log=False), told, days)
    records.write(session, main, after, told, line)
