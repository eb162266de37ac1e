"""The running clocks of a case: which one ends, which one starts, which one goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.city import City, the_city
from grids.codes import Workday
from grids.incidents.clocks import (
    DESK_STAGES,
    STAGE_LIMITS,
    Calendar,
    Limit,
    resumed_due,
    stage_due,
)
from grids.incidents.lifecycle import STATES, Move
from grids.incidents.models import IncidentClock
from grids.incidents.projection import Case

#: How far a limit may reach: 20 working days and the longest holiday.
CALENDAR_DAYS = 120


@dataclass(frozen=True)
class Turned:
    """What a move did to the clocks, as the event keeps it."""

    due: datetime | None
    handling_due: datetime | None = None

    def as_data(self) -> dict[str, Any]:
        """Return the instants as an event's data."""
        data: dict[str, Any] = {"due": self.due.isoformat() if self.due else None}
        if self.handling_due is not None:
            data["handling_due"] = self.handling_due.isoformat()
        return data


def calendar(session: Session, city: City, now: datetime) -> Calendar:
    """Load the city's zone and the days around `now` that differ from the weekly rule."""
    zone = ZoneInfo(city.city_zone)
    today = now.astimezone(zone).date()
    days = session.execute(
        select(Workday.day, Workday.is_workday).where(
            Workday.day.between(
                today - timedelta(days=CALENDAR_DAYS), today + timedelta(days=CALENDAR_DAYS)
            )
        )
    )
    return Calendar(zone, {row.day: row.is_workday for row in days})


def first_due(session: Session, city: City, status: str, urgency: str, now: datetime) -> datetime:
    """Return when the first stage of a case must be done.

    The days are loaded only for a stage that counts working time; intake does not.
    """
    stage = STATES[status].stage
    if stage is None:
        raise ValueError(f"{status} has no clock")
    is_elapsed = urgency == "A" or STAGE_LIMITS[stage].unit == "elapsed_hour"
    days = Calendar(ZoneInfo(city.city_zone)) if is_elapsed else calendar(session, city, now)
    return stage_due(stage, now, days, urgency=urgency)


def turn(
    session: Session,
    case: Case,
    move: Move,
    target: str,
    *,
    urgency: str,
    handling: Limit,
    now: datetime,
) -> Turned:
    """Let the clocks of a case follow a move; return when the new stage must be done.

    `keep` changes nothing. `pause` holds the handling clock while others judge the reply,
    `resume` lets it go on with what was left: a rework never gets a new limit.
    """
    if move.clock == "keep":
        return Turned(case.due_at)
    rows = session.scalars(
        select(IncidentClock)
        .where(IncidentClock.incident_id == case.id)
        .order_by(IncidentClock.started_at, IncidentClock.id)
    ).all()
    days = calendar(session, the_city(session), now)
    stage = STATES[target].stage
    held = _end_stages(rows, now, keeps_handling=not STATES[target].is_terminal)
    if move.clock == "pause" and held is not None:
        held.paused = [*held.paused, [now.isoformat(), None]]
    elif move.clock == "resume" and held is not None:
        due = _resume(held, handling, days, now)
        return Turned(due, due)
    elif held is not None and (stage == "H" or not _is_paused(held)):
        held.ended_at = now
    if stage is None:
        return Turned(None)
    used = _desk_time(rows)
    due = stage_due(stage, now, days, urgency=urgency, handling=handling, used=used)
    session.add(IncidentClock(incident_id=case.id, stage=stage, started_at=now, due_at=due))
    return Turned(due, due if stage == "H" else None)


def _end_stages(
    rows: Sequence[IncidentClock], now: datetime, *, keeps_handling: bool
) -> IncidentClock | None:
    """End every running clock but that of handling; return the latter."""
    held = None
    for row in rows:
        if row.ended_at is not None:
            continue
        if row.stage == "H" and keeps_handling:
            held = row
        elif row.stage == "H" and _is_paused(row):
            row.ended_at = datetime.fromisoformat(row.paused[-1][0])
        else:
            row.ended_at = now
    return held


def _resume(held: IncidentClock, handling: Limit, days: Calendar, now: datetime) -> datetime:
    """Close the open pause of the handling clock and move its end by what was paused."""
    if not _is_paused(held):
        return held.due_at
    paused_at = datetime.fromisoformat(held.paused[-1][0])
    held.paused = [*held.paused[:-1], [paused_at.isoformat(), now.isoformat()]]
    held.due_at = resumed_due(held.due_at, paused_at, now, handling.unit, days)
    return held.due_at


def _is_paused(row: IncidentClock) -> bool:
    return bool(row.paused) and row.paused[-1][1] is None


def _desk_time(rows: Sequence[IncidentClock]) -> timedelta:
    """Return the time that intake, filing and dispatch have used so far."""
    spans = (row.ended_at - row.started_at for row in rows
             if row.stage in DESK_STAGES and row.ended_at is not None)  # fmt: skip
    return sum(spans, timedelta())
