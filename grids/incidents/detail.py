"""One case with its history, its photos and what the caller may do with it; hints and counts."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Account, Actor, Assignment, Shift
from grids.codes import Category
from grids.incidents import moratorium
from grids.incidents.errors import NoIncident, NoMain
from grids.incidents.lifecycle import FIELD, OPEN, Move
from grids.incidents.listing import CaseRow, rows_at
from grids.incidents.models import Attachment, Blob, Incident, IncidentEvent
from grids.incidents.projection import of_row
from grids.incidents.roles import deeds_of, last_of, possible

#: Same class, this near, this recent, open: probably the same problem (domain 4.7).
NEAR_M = 30.0
NEAR_HOURS = 24
MOST_NEAR = 5


@dataclass(frozen=True)
class Photo:
    """A photo of a case, named by the copies that may be shown."""

    id: int
    part: str  #: before, after, evidence
    event_seq: int
    public_sha256: str
    thumb_sha256: str
    width: int
    height: int


@dataclass(frozen=True)
class Step:
    """One event of the history with the name of who did it."""

    event: IncidentEvent
    actor_name: str | None


@dataclass(frozen=True)
class CaseDetail:
    """Everything a face shows of one case."""

    row: CaseRow
    photos: tuple[Photo, ...]
    steps: tuple[Step, ...]
    moves: tuple[Move, ...]
    moratorium: Any | None = None  #: that the open case falls under now


@dataclass(frozen=True)
class Summary:
    """The figures at the top of the command page."""

    open: int
    late: int
    reported_today: int
    on_time_month: float | None
    on_duty: int


def detail(session: Session, actor: Actor, incident_id: UUID, *, now: datetime) -> CaseDetail:
    """Return one case in the actor's scope. Raises `NoIncident`."""
    statement = rows_at(now).where(scope.condition(actor, Incident), Incident.id == incident_id)
    found = session.execute(statement).mappings().first()
    if found is None:
        raise NoIncident("no such case")
    row = CaseRow(**found)
    log = session.execute(
        select(IncidentEvent, Account.name)
        .outerjoin(Account, Account.id == IncidentEvent.actor_id)
        .where(
            IncidentEvent.incident_id == incident_id,
            IncidentEvent.recorded_at >= row.received_at,  # prunes the months before
        )
        .order_by(IncidentEvent.seq)
    ).all()
    events = [event for event, _ in log]
    did = deeds_of(events).get(actor.account_id, frozenset())
    case = of_row(session.get_one(Incident, incident_id, populate_existing=True))
    return CaseDetail(
        row=row,
        photos=photos_of(session, incident_id),
        steps=tuple(Step(event, name) for event, name in log),
        moves=tuple(possible(case, actor, did, now=now, last=last_of(events))),
        moratorium=moratorium.told(session, case.category_id, case.area_code, now)
        if case.status in OPEN
        else None,
    )


def case_named(session: Session, actor: Actor, name: str | None) -> UUID | None:
    """Return the case that a person names by its number, or a programme by its id.

    Raises `NoMain` where no case in the actor's scope has the number.
    """
    if not name:
        return None
    with contextlib.suppress(ValueError):
        return UUID(name)
    wanted = scope.visible(select(Incident.id), actor, Incident)
    found: UUID | None = session.scalar(wanted.where(Incident.number == name.strip()))
    if found is None:
        raise NoMain("no case with this number", field="main")
    return found


def photos_of(session: Session, incident_id: UUID) -> tuple[Photo, ...]:
    """Return the photos of a case in the order they came."""
    found = session.execute(
        select(
            Attachment.id,
            Attachment.part,
            Attachment.event_seq,
            Blob.public_sha256,
            Blob.thumb_sha256,
            Blob.width,
            Blob.height,
        )
        .join(Blob, Blob.sha256 == Attachment.sha256)
        .where(Attachment.incident_id == incident_id)
        .order_by(Attachment.event_seq, Attachment.id)
    )
    return tuple(Photo(**row) for row in found.mappings())


def nearby(
    session: Session,
    actor: Actor,
    *,
    lon: float,
    lat: float,
    category: str,
    now: datetime,
) -> list[tuple[CaseRow, float]]:
    """Return open cases that may be the same problem, nearest first, with the distance in m.

    A hint only: nothing is merged by itself.
    """
    point = func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4490)
    distance = func.ST_Distance(func.geography(Incident.geom), func.geography(point))
    reach = NEAR_M / 100_000  # degrees: a box that surely holds the circle up to 70 degrees north
    statement = (
        rows_at(now)
        .add_columns(distance.label("distance"))
        .where(
            scope.condition(actor, Incident),
            Incident.geom.op("&&")(func.ST_Expand(point, reach)),
            distance <= NEAR_M,
            Incident.category_code == category,
            Incident.status.in_(OPEN),
            Incident.received_at >= now - timedelta(hours=NEAR_HOURS),
        )
        .order_by(distance)
        .limit(MOST_NEAR)
    )
    found = []
    for row in session.execute(statement).mappings():
        values = dict(row)
        away_m = values.pop("distance")
        found.append((CaseRow(**values), away_m))
    return found


@dataclass(frozen=True)
class NearReport:
    """What a stranger learns of an open case close by: no number, no place, no person."""

    category: Category
    status: str
    received_at: datetime
    away_m: float


def reported_near(
    session: Session, *, lon: float, lat: float, category: str, now: datetime
) -> list[NearReport]:
    """Tell anybody whether the same problem was reported close by lately, nearest first.

    A door of its own in the second wall: it opens no case (migration `row_walls`).
    """
    near = func.cases_nearby(
        func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4490),
        NEAR_M,
        category,
        list(OPEN),
        now - timedelta(hours=NEAR_HOURS),
        MOST_NEAR,
    ).table_valued("category_id", "status", "received_at", "distance_m")
    rows = session.execute(
        select(Category, near.c.status, near.c.received_at, near.c.distance_m)
        .join(near, near.c.category_id == Category.id)
        .order_by(near.c.distance_m)
    )
    return [NearReport(*row) for row in rows]


def daily_counts(
    session: Session, actor: Actor, *, area: str, days: int, now: datetime, zone: ZoneInfo
) -> list[tuple[date, int]]:
    """Count reports by day of the city, days without any included, the last one today."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    start = datetime.combine(first, datetime.min.time(), zone).astimezone(UTC)
    day = func.date(func.timezone(zone.key, Incident.received_at))
    statement = (
        select(day.label("day"), func.count().label("n"))
        .where(
            scope.condition(actor, Incident),
            scope.in_areas(Incident.area_code, (area,)),
            Incident.received_at >= start,
        )
        .group_by(day)
    )
    counts = {row.day: row.n for row in session.execute(statement)}
    return [(first + timedelta(days=i), counts.get(first + timedelta(days=i), 0))
            for i in range(days)]  # fmt: skip


def summary(session: Session, actor: Actor, *, area: str, now: datetime, zone: ZoneInfo) -> Summary:
    """Return the figures of an area: open, late, today's reports, this month's punctuality.

    `on_time_month` is the share of the cases closed this month whose last reply came within
    the handling limit; None where none was closed.
    """
    local = now.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    is_open, is_closed = Incident.status.in_(OPEN), Incident.closed_at >= midnight.replace(day=1)
    is_timely = Incident.handled_at <= Incident.handling_due_at
    statement = select(
        func.count().filter(is_open).label("open"),
        func.count().filter(is_open, Incident.due_at <= now).label("late"),
        func.count().filter(Incident.received_at >= midnight).label("today"),
        func.count().filter(is_closed).label("closed"),
        func.count().filter(is_closed, is_timely).label("timely"),
    ).where(scope.condition(actor, Incident), scope.in_areas(Incident.area_code, (area,)))
    row = session.execute(statement).one()
    return Summary(
        open=row.open,
        late=row.late,
        reported_today=row.today,
        on_time_month=row.timely / row.closed if row.closed else None,
        on_duty=_on_duty(session, actor, area, now),
    )


def category_named(session: Session, code: str) -> Category | None:
    """Return a category by its code, matters before components."""
    return session.scalar(
        select(Category).where(Category.code == code).order_by(Category.kind.desc()).limit(1)
    )


def _on_duty(session: Session, actor: Actor, area: str, now: datetime) -> int:
    """Count workers and leaders of an area whose shift runs now."""
    statement = (
        select(func.count(Shift.account_id.distinct()))
        .select_from(Shift)
        .join(Assignment, Assignment.account_id == Shift.account_id)
        .where(
            scope.condition(actor, Assignment),
            Shift.starts_at <= now,
            Shift.ends_at > now,
            Assignment.role.in_(FIELD),
            scope.in_areas(Assignment.area_code, (area,)),
        )
    )
    return session.scalar(statement) or 0
