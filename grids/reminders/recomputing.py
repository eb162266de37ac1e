"""Measuring open limits again when the working calendar has changed: from the events alone.

A clock can only move where a changed day lies between its beginning and its end. Such cases
are looked at one by one, each under its lock: where an end differs, one event says so and the
case's rows follow it. Where nothing differs nothing is written, so a second run after a first
one that was killed does what was left, and a third one nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from grids.city import the_city
from grids.codes import CalendarChange, CalendarVersion
from grids.codes.calendar import DAY, hours_after, state
from grids.codes.drafting import draft_of, edits_of
from grids.incidents import machine, records, timing
from grids.incidents.clocks import Calendar
from grids.incidents.clockwork import calendar_between, spans_of
from grids.incidents.guards import YEAR
from grids.incidents.lifecycle import OPEN, find_move
from grids.incidents.models import Incident, IncidentClock, IncidentEvent
from grids.incidents.projection import Fact

#: How many cases one transaction of the job looks at.
BATCH: Final = 100
#: How many cases a look ahead works out; beyond, it says that there are more.
MOST_LOOKED: Final = 3000
DAY_LENGTH: Final = timedelta(days=1)

Range = tuple[date, date | None]  #: first and last day; None: without an end


@dataclass(frozen=True)
class Outlook:
    """What a change of the calendar would do to open limits."""

    earlier: int = 0
    later: int = 0
    looked: int = 0  #: cases whose limits reach over a changed day
    is_whole: bool = True  #: False: there are more cases than were worked out

    @property
    def moved(self) -> int:
        """Return how many cases would get another end."""
        return self.earlier + self.later


def outlook(
    session: Session, days: Calendar, anew: Calendar, ranges: Sequence[Range], *,
    most: int = MOST_LOOKED,
) -> Outlook:  # fmt: skip
    """Work out what open limits would become by a calendar that is not written yet."""
    ids = session.scalars(_touched(days.zone, ranges).limit(most + 1)).all()
    earlier = later = 0
    for log in _logs(session, ids[:most]):
        case = machine.fold(log, days)
        if case is None:
            continue
        before = timing.due_of(case.runs)
        after = timing.due_of(machine.recomputed(case.runs, log, anew))
        if before and after and before != after:
            earlier, later = earlier + (after < before), later + (after > before)
    return Outlook(earlier, later, min(len(ids), most), len(ids) <= most)


def look_ahead(session: Session, draft_id: int, now: datetime) -> Outlook:
    """Work out what a draft of the calendar would do, and keep it with the draft."""
    found = draft_of(session, draft_id)
    edits, hours = edits_of(found)
    zone = the_city(session).city_zone
    days = calendar_between(session, zone, now - YEAR, now + YEAR)
    changed = {one.day: one.is_workday for one in edits}
    ranges: list[Range] = joined(changed)
    spans = {}
    if hours is not None:
        rows = hours_after(state(session), hours)
        spans = {hours.kind: spans_of(hours.kind, rows)}
        ranges.append((hours.valid_from, None))
    result = outlook(session, days, days.changed(changed, spans), ranges)
    found.outlook = asdict(result)
    return result


def recompute(
    session: Session, version_no: int, now: datetime, *, after: UUID | None = None
) -> UUID | None:
    """Measure the next cases that a change touches; return the last of them, None at the end."""
    zone = ZoneInfo(the_city(session).city_zone)
    wanted = _touched(zone, ranges_of(session, version_no))
    if after is not None:
        wanted = wanted.where(Incident.id > after)
    ids = session.scalars(wanted.limit(BATCH)).all()
    moved = sum(_again(session, incident_id, zone, version_no, now) for incident_id in ids)
    values: dict[str, Any] = {"moved": CalendarVersion.moved + moved}
    if len(ids) < BATCH:
        values["recomputed_at"] = now
    session.execute(update(CalendarVersion).where(CalendarVersion.no == version_no).values(values))
    return ids[-1] if len(ids) == BATCH else None


def ranges_of(session: Session, version_no: int) -> list[Range]:
    """Return the days that a change of the calendar is about."""
    changes = session.scalars(
        select(CalendarChange).where(CalendarChange.version_no == version_no)
    ).all()
    days = [date.fromisoformat(one.key) for one in changes if one.what == DAY]
    hours = [_since(one.before, one.after) for one in changes if one.what != DAY]
    return joined(days) + [(since, None) for since in hours if since is not None]


def joined(days: Iterable[date]) -> list[Range]:
    """Put days that follow one another together."""
    found: list[Range] = []
    for day in sorted(set(days)):
        last = found[-1][1] if found else None
        if last is not None and day - last == DAY_LENGTH:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _since(before: list[dict[str, Any]] | None, after: list[dict[str, Any]] | None) -> date | None:
    """Return the day from which hours differ: the earliest edge of a row that is not in both."""
    old, new = before or [], after or []
    changed = [row for row in (*old, *new) if (row in old) != (row in new)]
    starts = [row["valid_from"] for row in new if row not in old]
    ends = [row["valid_to"] for row in changed if row["valid_to"]]
    edges = starts + ends if starts else [row["valid_from"] for row in changed]
    return min((date.fromisoformat(edge) for edge in edges), default=None)


def _touched(zone: ZoneInfo, ranges: Sequence[Range]) -> Any:
    """Select open cases with a clock that reaches over one of the days."""
    return (
        select(Incident.id)
        .join(IncidentClock, IncidentClock.incident_id == Incident.id)
        .where(
            Incident.status.in_(OPEN),
            IncidentClock.ended_at.is_(None),
            or_(*(_over(zone, one) for one in ranges)) if ranges else IncidentClock.id.is_(None),
        )
        .group_by(Incident.id)
        .order_by(Incident.id)
    )


def _over(zone: ZoneInfo, days: Range) -> ColumnElement[bool]:
    first, last = days
    reaches = IncidentClock.due_at >= _midnight(zone, first)
    if last is None:
        return reaches
    return and_(reaches, IncidentClock.started_at < _midnight(zone, last + DAY_LENGTH))


def _midnight(zone: ZoneInfo, day: date) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _logs(session: Session, ids: Sequence[UUID]) -> Iterable[list[IncidentEvent]]:
    events = session.scalars(
        select(IncidentEvent)
        .where(IncidentEvent.incident_id.in_(ids))
        .order_by(IncidentEvent.incident_id, IncidentEvent.seq)
    )
    for _, log in groupby(events, key=lambda event: event.incident_id):
        yield list(log)


def _again(
    session: Session, incident_id: UUID, zone: ZoneInfo, version_no: int, now: datetime
) -> bool:
    """Measure one case again under its lock; say whether an end has moved."""
    row = session.get(Incident, incident_id, with_for_update=True, populate_existing=True)
    if row is None or row.status not in OPEN:
        return False
    days = calendar_between(session, zone.key, row.received_at, now + YEAR)
    log = list(records.log_of(session, row))
    before = records.load(session, row, with_log=False)
    runs = machine.recomputed(before.runs, log, days)
    line = find_move(machine.RECOMPUTE, row.status)
    if runs == before.runs or line is None:
        return False
    fact = _fact(row, before, runs, days, version_no, max(now, row.stage_at))
    records.write(session, row, machine.after(before, fact, days, log=log), fact, line)
    return True


def _fact(
    row: Incident, before: machine.Dossier, runs: timing.Runs, days: Calendar, version_no: int,
    at: datetime,
) -> Fact:  # fmt: skip
    """Write down which ends have moved and by which calendar."""
    due, handling = timing.due_of(runs), timing.handling_due(runs)
    data: dict[str, Any] = {
        "due": due.isoformat() if due else None,
        "calendar": days.no,
        "change": version_no,
        "due_before": row.due_at.isoformat() if row.due_at else None,
    }
    if handling is not None and handling != before.case.handling_due_at:
        data["handling_due"] = handling.isoformat()
    return Fact(
        id=uuid4(), incident_id=row.id, seq=row.event_count + 1, recorded_at=at,
        action=machine.RECOMPUTE, from_status=row.status, to_status=row.status, actor_id=None,
        role="system", department_code=row.department_code, area_code=row.area_code, data=data,
    )  # fmt: skip
