"""Working out when a share of a limit is used, and writing the reminder into the case."""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import Any, Final, get_args
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import String, and_, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids.city import the_city
from grids.incidents import projection
from grids.incidents.clocks import STAGE_LIMITS, Calendar, Unit, share_at
from grids.incidents.clockwork import calendar
from grids.incidents.colours import HALF, MOST
from grids.incidents.lifecycle import OPEN
from grids.incidents.models import Incident, IncidentClock, IncidentEvent
from grids.reminders.models import ClockReminder

#: Shares in hundredths: those at which the colour of a list turns.
SHARES: Final = (round(HALF * 100), round(MOST * 100))
#: How many clocks one look works out and how many reminders one transaction writes.
MOST_PLANNED: Final = 2000
MOST_TOLD: Final = 200

#: A clock runs: it has not ended, and its last pause is over.
_RUNS: Final = and_(
    IncidentClock.ended_at.is_(None),
    or_(
        func.jsonb_array_length(IncidentClock.paused) == 0,
        cast(IncidentClock.paused[-1][1].astext, String).is_not(None),
    ),
)


def plan(session: Session, now: datetime) -> int:
    """Work out the reminders of clocks that are new, or whose end has moved; return how many.

    A reminder that was told is never told again, whatever happens to the end of the clock.
    """
    known = exists(
        select(ClockReminder.clock_id).where(
            ClockReminder.clock_id == IncidentClock.id,
            or_(ClockReminder.due_at == IncidentClock.due_at, ClockReminder.told_at.is_not(None)),
            ClockReminder.share == SHARES[-1],
        )
    )
    found = session.execute(
        select(IncidentClock, Incident.urgency)
        .join(Incident, Incident.id == IncidentClock.incident_id)
        .where(Incident.status.in_(OPEN), _RUNS, ~known)
        .order_by(IncidentClock.due_at)
        .limit(MOST_PLANNED)
    ).all()
    if not found:
        return 0
    days = calendar(session, the_city(session), now)
    rows = [row for clock, urgency in found for row in _rows_of(clock, urgency, days)]
    statement = insert(ClockReminder).values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=("clock_id", "share"),
            set_={"due_at": statement.excluded.due_at, "reached_at": statement.excluded.reached_at},
            where=ClockReminder.told_at.is_(None),
        )
    )
    return len(found)


def _rows_of(clock: IncidentClock, urgency: str, days: Calendar) -> list[dict[str, Any]]:
    pauses = [
        (datetime.fromisoformat(pause[0]), datetime.fromisoformat(pause[1]))
        for pause in clock.paused
        if pause[1]
    ]
    return [
        {
            "clock_id": clock.id,
            "share": share,
            "due_at": clock.due_at,
            "reached_at": share_at(
                clock.started_at,
                clock.due_at,
                share / 100,
                unit=unit_of(clock, urgency),
                calendar=days,
                pauses=pauses,
            ),
        }
        for share in SHARES
    ]


def unit_of(clock: IncidentClock, urgency: str) -> Unit:
    """Return the unit that a clock counts in: an emergency always counts elapsed time."""
    units: dict[str | None, Unit] = {unit: unit for unit in get_args(Unit)}
    if clock.limit_unit in units:
        return units[clock.limit_unit]
    if urgency == "A" or clock.stage not in STAGE_LIMITS:
        return "elapsed_hour"
    return STAGE_LIMITS[clock.stage].unit


def tell(session: Session, now: datetime) -> int:
    """Write the reminders that have come, each once; return how many this look wrote.

    Those of clocks that ended or stand still meanwhile are left: there is nothing to remind of.
    """
    waiting = session.execute(
        select(ClockReminder.clock_id, ClockReminder.share, IncidentClock.incident_id)
        .join(IncidentClock, IncidentClock.id == ClockReminder.clock_id)
        .join(Incident, Incident.id == IncidentClock.incident_id)
        .where(
            ClockReminder.told_at.is_(None),
            ClockReminder.reached_at <= now,
            ClockReminder.due_at == IncidentClock.due_at,
            Incident.status.in_(OPEN),
            _RUNS,
        )
        .order_by(ClockReminder.reached_at, ClockReminder.clock_id, ClockReminder.share)
        .limit(MOST_TOLD)
    ).all()
    # Whoever locks several cases takes them in one order: two who do never wait for each other.
    waiting = sorted(waiting, key=attrgetter("incident_id"))
    return sum(_told(session, row.incident_id, row.clock_id, row.share, now) for row in waiting)


def _told(session: Session, incident_id: Any, clock_id: int, share: int, now: datetime) -> bool:
    """Write one reminder under the lock of its case, unless that became needless."""
    row = session.get(Incident, incident_id, with_for_update=True, populate_existing=True)
    reminder = session.get(
        ClockReminder, (clock_id, share), with_for_update=True, populate_existing=True
    )
    clock = session.scalar(
        select(IncidentClock)
        .where(IncidentClock.id == clock_id, _RUNS)
        .execution_options(populate_existing=True)
    )
    if row is None or clock is None or reminder is None or reminder.told_at is not None:
        return False
    at = max(now, row.stage_at)
    event = IncidentEvent(
        id=uuid5(NAMESPACE_OID, f"wangge:reminder:{clock_id}:{share}"),
        incident_id=row.id,
        seq=row.event_count + 1,
        recorded_at=at,
        action="expedite",
        from_status=row.status,
        to_status=row.status,
        actor_id=None,
        role="system",
        department_code=row.department_code,
        area_code=row.area_code,
        note="",
        data={
            "due": row.due_at.isoformat() if row.due_at else None,
            "reminder": share,
            "stage": clock.stage,
            "reached_at": reminder.reached_at.isoformat(),
            "told_at": now.isoformat(),
            "limit_due": clock.due_at.isoformat(),
        },
    )
    projection.store(row, projection.apply(projection.of_row(row), event))
    session.add(event)
    reminder.told_at = now
    session.flush()
    return True
