"""The daily draw: which days are due, what can be drawn, the step of each drawn case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import case, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.audit.heads import SIGNATURE
from grids.audit.models import AuditHead
from grids.city import the_city
from grids.errors import GridsError
from grids.incidents import service
from grids.incidents.models import Incident, IncidentEvent
from grids.incidents.requests import MoveRequest
from grids.incidents.roles import SYSTEM
from grids.incidents.sampling.drawing import drawn, seed_of, size_of
from grids.incidents.sampling.models import SampleCase, SampleDraw

#: Days that a platform which stood still makes up for.
BACK: Final = 30
#: Whoever checks is at work then: the clock of the check does not run through the night.
FROM, UNTIL = time(8, 30), time(17, 0)
#: Ids of the steps: a job that runs twice sends the same step twice.
_NAMESPACE: Final = UUID("6f1d3a54-0c0e-4f0a-9c53-5d1b8f6a2e71")


@dataclass(frozen=True)
class Shown:
    """A draw with its cases, as far as the reader may see them."""

    draw: SampleDraw
    cases: tuple[SampleCase, ...]


def draw_due(session: Session, *, now: datetime) -> list[date]:
    """Draw every day that is over, has a head and no draw yet; return the days."""
    zone = ZoneInfo(the_city(session).city_zone)
    local = now.astimezone(zone)
    if not FROM <= local.time() <= UNTIL:
        return []
    days = [local.date() - timedelta(days=back) for back in range(BACK, 0, -1)]
    there = set(session.scalars(select(SampleDraw.on).where(SampleDraw.on >= days[0])))
    return [day for day in days if day not in there and draw_day(session, day, now=now)]


def draw_day(session: Session, on: date, *, now: datetime) -> SampleDraw | None:
    """Draw from the cases of one day and send the drawn ones to be checked.

    None where nothing can be drawn, the day has no head yet, or somebody else drew it just now.
    """
    head = _head_of(session, on)
    population = _population(session, on) if head else []
    if head is None or not population:
        return None
    seed = seed_of(head)
    numbers = [row.number for row in population]
    chosen = set(drawn(seed, numbers))
    values = {"on": on, "head": head, "seed": seed, "population": len(numbers),
              "size": size_of(len(numbers)), "drawn_at": now}  # fmt: skip
    made = insert(SampleDraw).values(values).on_conflict_do_nothing().returning(SampleDraw.on)
    if session.scalar(made) is None:
        return None
    for row in population:
        is_drawn = row.number in chosen
        why = _send(session, on, row.id, row.number, now) if is_drawn else None
        session.add(
            SampleCase(
                on=on, number=row.number, incident_id=row.id, way=row.way, is_drawn=is_drawn,
                skipped=why,
            )
        )  # fmt: skip
    session.flush()
    return session.get_one(SampleDraw, on)


def latest(session: Session, *, most: int = 31) -> list[SampleDraw]:
    """Return the last draws, the newest first: figures, no case."""
    return list(session.scalars(select(SampleDraw).order_by(SampleDraw.on.desc()).limit(most)))


def shown(session: Session, actor: Actor, on: date) -> Shown | None:
    """Return one draw with the cases in the actor's scope, the drawn ones first."""
    found = session.get(SampleDraw, on)
    if found is None:
        return None
    cases = session.scalars(
        select(SampleCase)
        .join(Incident, Incident.id == SampleCase.incident_id)
        .where(SampleCase.on == on, scope.condition(actor, Incident))
        .order_by(SampleCase.is_drawn.desc(), SampleCase.number)
    )
    return Shown(found, tuple(cases))


def redone(one: Shown) -> bool | None:
    """Draw again from the stored head; None for who does not see every case of the day."""
    if len(one.cases) != one.draw.population:
        return None
    again = set(drawn(seed_of(one.draw.head), [row.number for row in one.cases]))
    return again == {row.number for row in one.cases if row.is_drawn}


@dataclass(frozen=True)
class _Candidate:
    id: UUID
    number: str
    way: str


def _population(session: Session, on: date) -> list[_Candidate]:
    """Return what was closed on a day without the whole way of checks, and still is."""
    start, end = _bounds(session, on)
    way = case((Incident.status == "self_handled", "self_handled"), else_="fast_track")
    rows = session.execute(
        select(Incident.id, Incident.number, way.label("way"))
        .join(IncidentEvent, IncidentEvent.incident_id == Incident.id)
        .where(
            IncidentEvent.recorded_at >= start,
            IncidentEvent.recorded_at < end,
            IncidentEvent.action.in_(("self_close", "close")),
            IncidentEvent.recorded_at == Incident.closed_at,  # the closing that still holds
            or_(
                Incident.status == "self_handled",
                (Incident.status == "closed") & Incident.flags.has_key("fast_tracked"),
            ),
        )
        .order_by(Incident.number)
    )
    return [_Candidate(*row) for row in rows]


def _bounds(session: Session, on: date) -> tuple[datetime, datetime]:
    """Return the first instant of a day of the city and of the next."""
    zone = ZoneInfo(the_city(session).city_zone)
    ends = (datetime.combine(day, time(), zone) for day in (on, on + timedelta(days=1)))
    start, end = (at.astimezone(UTC) for at in ends)
    return start, end


def _head_of(session: Session, on: date) -> str | None:
    """Return the text of the first head that was made after a day; None while there is none."""
    _start, end = _bounds(session, on)
    found = session.scalar(
        select(AuditHead.body)
        .where(AuditHead.kind == "day", AuditHead.made_at >= end)
        .order_by(AuditHead.made_at, AuditHead.id)
        .limit(1)
    )
    return found.rpartition(SIGNATURE)[0] if found else None


def _send(session: Session, on: date, incident_id: UUID, number: str, now: datetime) -> str | None:
    """Send one drawn case to be checked; return the code of what stands against it."""
    wanted = MoveRequest(id=uuid5(_NAMESPACE, f"{on} {number}"), action="sample")
    try:
        with session.begin_nested():
            service.move(session, incident_id, wanted, SYSTEM, now=now)
    except GridsError as refused:
        return refused.code
    return None
