"""The calendar of the city, and the end of the first clock; `timing` lets clocks follow steps."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.city import City
from grids.codes import Workday, WorkSpan
from grids.incidents.clocks import (
    STAGE_LIMITS,
    Calendar,
    Span,
    stage_due,
)
from grids.incidents.lifecycle import STATES

#: How far a limit may reach: 20 working days and the longest holiday.
CALENDAR_DAYS = 120


def calendar(session: Session, city: City, now: datetime) -> Calendar:
    """Load the city's zone, its hours, and the days around `now` that differ from the week."""
    zone = ZoneInfo(city.city_zone)
    today = now.astimezone(zone).date()
    days = session.execute(
        select(Workday.day, Workday.is_workday).where(
            Workday.day.between(
                today - timedelta(days=CALENDAR_DAYS), today + timedelta(days=CALENDAR_DAYS)
            )
        )
    )
    return Calendar(zone, {row.day: row.is_workday for row in days}, **hours(session))


def hours(session: Session) -> dict[str, tuple[Span, ...]]:
    """Load office hours, daylight and morning; a kind that the table lacks is left out."""
    found: dict[str, list[Span]] = {}
    for row in session.scalars(select(WorkSpan).order_by(WorkSpan.kind, WorkSpan.opens)):
        span = Span(row.opens, row.closes, row.valid_from, row.valid_to)
        found.setdefault(row.kind, []).append(span)
    return {kind: tuple(spans) for kind, spans in found.items()}


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
