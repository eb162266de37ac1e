"""Hand open cases and work over to the grids of a new day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

import numpy as np
import shapely
from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.orm import Session

from grids.accounts import Account, Assignment
from grids.hazards.models import Hazard, HazardEvent
from grids.incidents import projection
from grids.incidents.lifecycle import OPEN
from grids.incidents.models import Incident, IncidentEvent
from grids.linking import link_points, place_index

#: The roles that work in one grid and go with it.
IN_A_GRID: Final = ("worker", "grid_leader")
_VERSIONS = text("SELECT grid_id, id FROM grid_version WHERE valid @> CAST(:day AS date)")
_HAND_OVER = text("SELECT hand_over_grid(:plan, :old, :new, :at)")


def hand_over_work(
    connection: Connection, plan_id: int, heirs: Iterable[tuple[str, str]], now: datetime
) -> int:
    """Give who works in an old grid the same role in the new one; return how many roles."""
    return sum(
        connection.execute(
            _HAND_OVER, {"plan": plan_id, "old": old, "new": new, "at": now}
        ).scalar_one()
        for old, new in heirs
    )


def refile(
    session: Session, grids: Sequence[int], *, on: date, since: datetime, until: datetime,
    within: Any,
) -> int:  # fmt: skip
    """Give cases that came in between two instants of a day the version of that day.

    Between midnight and the switch a case was filed in a version that had ended.
    """
    rows = session.execute(
        select(Incident.id, func.ST_AsBinary(Incident.geom).label("shape")).where(
            Incident.grid_id.in_(grids),
            Incident.received_at >= since,
            Incident.received_at < until,
        )
    ).all()
    if not rows:
        return 0
    found = _linked(session, rows, on, within)
    versions = {row.grid_id: row.id for row in session.execute(_VERSIONS, {"day": on})}
    for row, (grid_id, _) in zip(rows, found, strict=True):
        session.execute(
            update(Incident)
            .where(Incident.id == row.id)
            .values(grid_version_id=versions.get(grid_id) if grid_id else None)
        )
    return len(rows)


def hand_over_cases(
    session: Session, plan_id: int, grids: Sequence[int], *, on: date, now: datetime, within: Any
) -> int:
    """Let open cases follow: each that lies in another grid now gets one event that says so.

    The version of its filing stays; a task that the old grid's worker held goes to the
    worker of the new one. Returns how many cases were handed over.
    """
    rows = session.execute(
        select(Incident.id, func.ST_AsBinary(Incident.geom).label("shape"))
        .where(Incident.grid_id.in_(grids), Incident.status.in_(OPEN))
        .order_by(Incident.id)
    ).all()
    if not rows:
        return 0
    found = _linked(session, rows, on, within)
    return sum(
        _follow(session, row.id, plan_id, grid_id, code, now)
        for row, (grid_id, code) in zip(rows, found, strict=True)
    )


def hand_over_hazards(
    session: Session, plan_id: int, grids: Sequence[int], *, on: date, now: datetime, within: Any
) -> int:
    """Let open hazards follow in the same way; returns how many were handed over."""
    rows = session.execute(
        select(Hazard.id, func.ST_AsBinary(Hazard.geom).label("shape"))
        .where(Hazard.grid_id.in_(grids), Hazard.ended_at.is_(None))
        .order_by(Hazard.id)
    ).all()
    if not rows:
        return 0
    found = _linked(session, rows, on, within)
    return sum(
        _follow_hazard(session, row.id, plan_id, grid_id, code, now)
        for row, (grid_id, code) in zip(rows, found, strict=True)
    )


def _follow_hazard(
    session: Session, hazard_id: UUID, plan_id: int, grid_id: int | None, code: str,
    now: datetime,
) -> bool:  # fmt: skip
    """Write the event into one hazard, under its lock, where its grid is another one."""
    row = session.get(Hazard, hazard_id, with_for_update=True, populate_existing=True)
    if row is None or row.area_code == code:
        return False
    holder = _holder(session, row.holder_id, row.area_code, code, now)
    event = HazardEvent(
        id=uuid5(NAMESPACE_OID, f"wangge:regrid:{plan_id}:{row.id}"),
        hazard_id=row.id,
        seq=row.event_count + 1,
        recorded_at=max(now, row.stage_at),
        action=projection.REGRID,
        from_status=row.status,
        to_status=row.status,
        role="system",
        data={
            "values": {},
            "set": {"area_code": code, "holder_id": holder},
            "limits": {},
            "due": row.due_at.isoformat() if row.due_at else None,
            "flags": row.flags,
        },
    )
    row.area_code, row.holder_id, row.grid_id = code, holder, grid_id
    row.event_count = event.seq
    session.add(event)
    session.flush()
    return True


def _linked(
    session: Session, rows: Sequence[Any], on: date, within: Any
) -> list[tuple[int | None, str]]:
    shapes = shapely.from_wkb(np.array([bytes(row.shape) for row in rows], dtype=object))
    linked = place_index(session.connection(), on, within=within).link(link_points(shapes))
    keys = [None if missing else int(key) for key, missing in
            zip(linked.grid_id.data, np.ma.getmaskarray(linked.grid_id), strict=True)]  # fmt: skip
    return list(zip(keys, linked.area_code.tolist(), strict=True))


def _follow(
    session: Session, incident_id: UUID, plan_id: int, grid_id: int | None, code: str,
    now: datetime,
) -> bool:  # fmt: skip
    """Write the event into one case, under its lock, where its grid is another one."""
    row = session.get(Incident, incident_id, with_for_update=True, populate_existing=True)
    if row is None or row.area_code == code:
        return False
    holder = _holder(session, row.holder_id, row.area_code, code, now)
    event = IncidentEvent(
        id=uuid5(NAMESPACE_OID, f"wangge:regrid:{plan_id}:{row.id}"),
        incident_id=row.id,
        seq=row.event_count + 1,
        recorded_at=max(now, row.stage_at),
        action=projection.REGRID,
        from_status=row.status,
        to_status=row.status,
        actor_id=None,
        role="system",
        department_code=row.department_code,
        area_code=code,
        note="",
        data={
            "due": row.due_at.isoformat() if row.due_at else None,
            "from": row.area_code,
            "plan": plan_id,
            "holder": holder,
        },
    )
    projection.store(row, projection.apply(projection.of_row(row), event))
    row.grid_id = grid_id
    session.add(event)
    session.flush()
    return True


def _holder(
    session: Session, holder_id: int | None, old: str, new: str, now: datetime
) -> int | None:
    """Return who has the case: whoever had it, unless that was the old grid's own worker."""
    if holder_id is None:
        return None
    areas = session.scalars(_held(now).where(Assignment.account_id == holder_id)).all()
    if not any(area == old for area in areas) or any(new.startswith(area) for area in areas):
        return holder_id
    workers = _held(now).with_only_columns(Assignment.account_id).where(Assignment.area_code == new)
    found: int | None = session.scalar(workers.order_by(Assignment.account_id).limit(1))
    return found


def _held(now: datetime) -> Any:
    """Select the areas of those who work in one grid now."""
    return (
        select(Assignment.area_code)
        .join(Account, Account.id == Assignment.account_id)
        .where(
            Account.is_active,
            Assignment.role.in_(IN_A_GRID),
            Assignment.valid_from <= now,
            (Assignment.valid_to.is_(None)) | (Assignment.valid_to > now),
        )
    )
