"""Whom the dispatcher could send, and why: facts to weigh, the decision stays with a person.

The owner of the grid stands first, then who is on duty, then who has the shortest way by
road; open cases and like cases handled well are told beside. Nobody is followed: a way begins
at the point of the person's own grid, and only steps of a case say where somebody was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from sqlalchemy import exists, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from gis.measure import geodesic_m
from grids import scope
from grids.accounts import Account, Actor, Assignment, Shift
from grids.cells import TODAY, Grid, GridVersion
from grids.codes import Department
from grids.components import Component
from grids.desk.roads import Network
from grids.divisions import Area
from grids.incidents.errors import NoIncident
from grids.incidents.lifecycle import FIELD
from grids.incidents.listing import is_open
from grids.incidents.models import Incident
from grids.responsibility import owner_of
from grids.responsibility.errors import NobodyToOwn

MOST: Final = 12
#: Like cases count as experience for a year.
EXPERIENCE: Final = timedelta(days=365)
GRID_DIGITS: Final = 15
COMMUNITY_DIGITS: Final = 12


@dataclass(frozen=True)
class Why:
    """One stated fact: a word of the catalogue `why.<word>` and its value."""

    word: str
    value: float | str | None = None


@dataclass(frozen=True)
class Person:
    """Somebody who may be sent to the case."""

    account_id: int
    name: str
    role: str
    is_on_duty: bool
    is_grid_owner: bool
    open_cases: int
    handled_well: int
    minutes: float | None  #: by road from the own grid's point; None where no way is known
    distance_m: float | None  #: straight
    why: tuple[Why, ...]


@dataclass(frozen=True)
class Suggested:
    """The department that answers for the case, and people, best first."""

    department: Department | None
    department_why: str  #: what the rule itself says; else a word of the catalogue `why.<word>`
    has_rule_words: bool
    assisting: tuple[Department, ...]
    people: tuple[Person, ...]
    has_roads: bool


@dataclass(frozen=True)
class _Case:
    component_id: int | None
    area_code: str
    category_id: int
    category_code: str
    lon: float
    lat: float


def suggest(
    session: Session,
    actor: Actor,
    incident_id: UUID,
    *,
    now: datetime,
    network: Callable[[], Network | None],
) -> Suggested:
    """Return who could take a case of the actor's scope. Raises `NoIncident`."""
    row = session.execute(
        select(
            Incident.component_id, Incident.area_code, Incident.category_id,
            Incident.category_code,
            func.ST_X(Incident.geom).label("lon"), func.ST_Y(Incident.geom).label("lat"),
        ).where(scope.condition(actor, Incident), Incident.id == incident_id)
    ).first()  # fmt: skip
    if row is None:
        raise NoIncident("no such case")
    case = _Case(*row)
    roads = network()
    found = _candidates(session, case, now)
    ids = [one.id for one in found]
    load, skill = _open_cases(session, actor, ids), _handled(session, actor, case, ids, now)
    ways = _ways(session, case, [one.area_code for one in found], roads)
    people = [
        _person(one, case, load.get(one.id, 0), skill.get(one.id, 0), *way)
        for one, way in zip(found, ways, strict=True)
    ]
    people.sort(key=_rank)
    return Suggested(*_department(session, case, now), tuple(people[:MOST]), roads is not None)


def _department(
    session: Session, case: _Case, now: datetime
) -> tuple[Department | None, str, bool, tuple[Department, ...]]:
    """Return who is responsible by the matrix, and in whose words."""
    owner = (
        session.scalar(select(Component.department_code).where(Component.id == case.component_id))
        if case.component_id
        else None
    )
    try:
        ruling = owner_of(
            session,
            category_id=case.category_id,
            area_code=case.area_code,
            asset_owner=owner,
            at=now,
        )
    except NobodyToOwn:
        return None, "", False, ()
    codes = (ruling.department_code, *ruling.assisting)
    named = session.scalars(select(Department).where(Department.code.in_(codes)))
    known = {one.code: one for one in named}
    word = "limit" if ruling.rule_id is None else "default_rule" if ruling.is_default else "rule"
    return (
        known.get(ruling.department_code),
        ruling.why or word,
        bool(ruling.why),
        tuple(known[code] for code in ruling.assisting if code in known),
    )


def _candidates(session: Session, case: _Case, now: datetime) -> list[Any]:
    """Return workers and leaders who may be named for the place, each with one area."""
    on_duty = exists(
        select(Shift.id).where(
            Shift.account_id == Account.id, Shift.starts_at <= now, Shift.ends_at > now
        )
    ).label("is_on_duty")
    rows = session.execute(
        select(Account.id, Account.name, Assignment.role, Assignment.area_code, on_duty)
        .join(Assignment, Assignment.account_id == Account.id)
        .where(
            Account.is_active,
            Assignment.role.in_(FIELD),
            func.starts_with(case.area_code, Assignment.area_code),
            Assignment.valid_from <= now,
            or_(Assignment.valid_to.is_(None), Assignment.valid_to > now),
        )
        .order_by(Account.id, func.length(Assignment.area_code).desc())
        .ext(distinct_on(Account.id))
        .limit(200)
    )
    return list(rows)


def _open_cases(session: Session, actor: Actor, ids: list[int]) -> dict[int, int]:
    """Count what each has on hand, as far as the asker may see it."""
    rows = session.execute(
        select(Incident.holder_id, func.count())
        .where(scope.condition(actor, Incident), is_open(), Incident.holder_id.in_(ids))
        .group_by(Incident.holder_id)
    )
    return {account_id: count for account_id, count in rows if account_id is not None}


def _handled(
    session: Session, actor: Actor, case: _Case, ids: list[int], now: datetime
) -> dict[int, int]:
    """Count like cases around that each handled and that were closed without a rework."""
    rows = session.execute(
        select(Incident.handler_id, func.count())
        .where(
            scope.condition(actor, Incident),
            scope.in_areas(Incident.area_code, (case.area_code[:COMMUNITY_DIGITS],)),
            Incident.category_code == case.category_code,
            Incident.status == "closed",
            Incident.rework_count == 0,
            Incident.handler_id.in_(ids),
            Incident.received_at >= now - EXPERIENCE,
        )
        .group_by(Incident.handler_id)
    )
    return {account_id: count for account_id, count in rows if account_id is not None}


def _ways(
    session: Session, case: _Case, codes: list[str], roads: Network | None
) -> list[tuple[float | None, float | None]]:
    """Measure the way from the point of each area: minutes by road, metres straight."""
    points = _points(session, codes)
    known = [points.get(code) for code in codes]
    there = np.asarray([point for point in known if point is not None]).reshape(-1, 2)
    metres = geodesic_m(there, np.full_like(there, (case.lon, case.lat)))
    minutes = (
        roads.reach.minutes((case.lon, case.lat), there)
        if roads is not None
        else np.full(len(there), np.inf)
    )
    ways = iter(zip(minutes, metres, strict=True))
    found: list[tuple[float | None, float | None]] = []
    for point in known:
        took, away = next(ways) if point is not None else (np.inf, None)
        found.append(
            (float(took) if np.isfinite(took) else None, None if away is None else float(away))
        )
    return found


def _points(session: Session, codes: list[str]) -> dict[str, tuple[float, float]]:
    """Return a point inside each grid or area."""
    inside = func.ST_PointOnSurface(GridVersion.geom)
    rows = session.execute(
        select(Grid.code, func.ST_X(inside), func.ST_Y(inside))
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(Grid.code.in_(codes), GridVersion.valid.op("@>")(TODAY))
    )
    found = {code: (lon, lat) for code, lon, lat in rows}
    inside = func.ST_PointOnSurface(Area.geom)
    areas = session.execute(
        select(Area.code, func.ST_X(inside), func.ST_Y(inside)).where(
            Area.code.in_(codes), Area.valid_to.is_(None)
        )
    )
    return found | {code: (lon, lat) for code, lon, lat in areas}


def _person(
    one: Any, case: _Case, load: int, skill: int, minutes: float | None, away_m: float | None
) -> Person:
    is_owner = one.area_code == case.area_code and len(one.area_code) == GRID_DIGITS
    why = [
        Why(
            "grid_owner" if is_owner else "leads_area" if one.role == "grid_leader" else "same_area"
        )
    ]
    why.append(Why("on_duty" if one.is_on_duty else "off_duty"))
    if minutes is not None:
        why.append(Why("minutes", max(1, round(minutes))))
    elif away_m is not None:
        why.append(Why("straight", round(away_m)))
    why.append(Why("open_cases", load) if load else Why("no_open_cases"))
    if skill:
        why.append(Why("handled_well", skill))
    return Person(
        account_id=one.id, name=one.name, role=one.role, is_on_duty=one.is_on_duty,
        is_grid_owner=is_owner, open_cases=load, handled_well=skill, minutes=minutes,
        distance_m=away_m, why=tuple(why),
    )  # fmt: skip


def _rank(person: Person) -> tuple[Any, ...]:
    """Order: the grid's owner, who is on duty, the shortest way, the least load, experience."""
    way = person.minutes if person.minutes is not None else np.inf
    away = person.distance_m if person.distance_m is not None else np.inf
    return (
        not person.is_grid_owner,
        not person.is_on_duty,
        way,
        person.open_cases,
        -person.handled_well,
        away,
        person.name,
        person.account_id,
    )
