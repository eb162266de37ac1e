"""Duty grids as figures: one theme over all of them, or everything about one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.area_tree import area_names
from grids.buildings import Building, Dwelling
from grids.cells import TODAY, Grid, GridVersion
from grids.components import Component
from grids.db import queries
from grids.enterprises import Enterprise, Premises
from grids.errors import Invalid, NotFound
from grids.incidents.detail import daily_counts
from grids.incidents.listing import CaseRow, Filter, list_cases
from grids.incidents.models import Incident
from grids.people import PeopleCount

Theme = Literal["incidents", "people", "enterprises", "components"]

THEMES: Final = ("incidents", "people", "enterprises", "components")
#: What stands for a count that is withheld (`grids.people`): small, or a small one's neighbour.
WITHHELD: Final = "withheld"
CLASSES: Final = 5
MOST_DAYS: Final = 366
LISTED: Final = 50
TREND_DAYS: Final = 30


class NoGrid(NotFound):
    """There is no such duty grid today, or it is outside the caller's areas."""

    code = "grid.unknown"


class BadTheme(Invalid):
    """There is no such theme of figures."""

    code = "grid.bad_theme"


@dataclass(frozen=True)
class Period:
    """A stretch of whole days of the city, both ends included, as instants `start <= t < end`."""

    first: date
    last: date
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Figures:
    """One theme over the duty grids of an area. `breaks` are the edges of the classes."""

    theme: str
    period: Period | None
    breaks: tuple[float, ...]
    values: dict[str, int | str]
    shown: int
    total: int
    as_of: datetime


@dataclass(frozen=True)
class Profile:
    """Everything about one duty grid that its caller may see."""

    code: str
    name: str
    town: tuple[str, str]
    community: tuple[str, str]
    figures: dict[str, int | str | None]
    incidents_30d: int
    incidents_prev_30d: int
    trend: tuple[tuple[date, int], ...]
    worker: tuple[str, bool] | None
    open_cases: tuple[CaseRow, ...]
    lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def period_of(
    now: datetime,
    zone: ZoneInfo,
    *,
    days: int = 30,
    first: date | None = None,
    last: date | None = None,
) -> Period:
    """Return the days between two of the city, or the last `days` up to today."""
    today = now.astimezone(zone).date()
    last = last or today
    first = first or last - timedelta(days=max(1, min(days, MOST_DAYS)) - 1)
    first, last = min(first, last), max(first, last)
    start = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    return Period(first, last, start, end)


def figures_of(
    session: Session, actor: Actor, *, theme: str, area: str, period: Period, now: datetime
) -> Figures:
    """Return a theme's figure for every duty grid of an area in the caller's scope.

    A grid without any has 0. Counts of people are those published; what is withheld is
    `WITHHELD` and belongs to no class. Raises `BadTheme`.
    """
    if theme not in THEMES:
        raise BadTheme(f"no theme {theme[:20]!r}", field="theme", theme=theme[:20])
    codes = session.scalars(_grid_codes(actor, area)).all()
    found = {
        "incidents": _incident_counts,
        "people": _people_counts,
        "enterprises": _enterprise_counts,
        "components": _component_counts,
    }[theme](session, actor, area, period)
    absent: int | str = WITHHELD if theme == "people" else 0
    values = {code: found.get(code, absent) for code in codes}
    numbers = [value for value in values.values() if isinstance(value, int)]
    as_of = _published_at(session) if theme == "people" else now
    return Figures(
        theme=theme,
        period=period if theme == "incidents" else None,
        breaks=quantile_breaks(numbers),
        values=values,
        shown=len(numbers),
        total=len(codes),
        as_of=as_of or now,
    )


def quantile_breaks(values: list[int], classes: int = CLASSES) -> tuple[float, ...]:
    """Return the edges of classes that hold equally many: the least value, then upper edges.

    The same edges as `mapclassify.Quantiles`, which needs seconds to load. Edges repeat
    where many values are equal; no values give zeros.

    >>> quantile_breaks([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    (1.0, 2.8, 4.6, 6.4, 8.2, 10.0)
    >>> quantile_breaks([])
    (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    """
    if not values:
        return (0.0,) * (classes + 1)
    shares = np.arange(classes + 1) / classes * 100
    return tuple(float(edge) for edge in np.percentile(values, shares).round(6))


def _grid_codes(actor: Actor, area: str) -> Select[str]:
    return (
        select(Grid.code)
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(
            GridVersion.valid.op("@>")(TODAY),
            scope.in_areas(Grid.code, actor.areas),
            scope.in_areas(Grid.code, (area,)),
        )
        .order_by(Grid.code)
    )


def _by_grid(
    session: Session, model: Any, actor: Actor, area: str, *more: ColumnElement[bool]
) -> dict[str, int | str]:
    """Count rows of a located table by the code of their duty grid."""
    statement = (
        select(model.area_code, func.count())
        .where(
            scope.condition(actor, model),
            scope.in_areas(model.area_code, (area,)),
            model.grid_id.is_not(None),
            *more,
        )
        .group_by(model.area_code)
    )
    return {code: n for code, n in session.execute(statement)}  # noqa: C416 - rows are no pairs


def _incident_counts(
    session: Session, actor: Actor, area: str, period: Period
) -> dict[str, int | str]:
    is_in = (Incident.received_at >= period.start) & (Incident.received_at < period.end)
    return _by_grid(session, Incident, actor, area, is_in)


def _enterprise_counts(
    session: Session, actor: Actor, area: str, _period: Period
) -> dict[str, int | str]:
    is_open = Enterprise.valid_to.is_(None) & (Enterprise.status != "closed")
    return _by_grid(session, Enterprise, actor, area, is_open)


def _component_counts(
    session: Session, actor: Actor, area: str, _period: Period
) -> dict[str, int | str]:
    stands = Component.valid_to.is_(None) & (Component.state != "removed")
    return _by_grid(session, Component, actor, area, stands)


def _people_counts(
    session: Session, actor: Actor, area: str, _period: Period
) -> dict[str, int | str]:
    rows = session.execute(
        select(PeopleCount.area_code, PeopleCount.value).where(
            PeopleCount.measure == "people",
            func.length(PeopleCount.area_code) == 15,
            scope.condition(actor, PeopleCount),
            scope.in_areas(PeopleCount.area_code, (area,)),
        )
    )
    return {code: WITHHELD if value is None else value for code, value in rows}


def _published_at(session: Session) -> datetime | None:
    return session.scalar(select(func.max(PeopleCount.published_at)))


def grid_profile(
    session: Session, actor: Actor, code: str, *, now: datetime, zone: ZoneInfo
) -> Profile:
    """Gather what is known of a duty grid. Raises `NoGrid`."""
    grid = session.scalar(_one_grid(actor, code))
    if grid is None:
        raise NoGrid(f"no duty grid {code[:20]!r}", grid=code[:20])
    daily = daily_counts(session, actor, area=code, days=2 * TREND_DAYS, now=now, zone=zone)
    today = now.astimezone(zone).date()
    worker = session.execute(
        queries("profiles")["worker_of_grid"], {"code": code, "now": now, "today": today}
    ).first()
    wanted = Filter(statuses=("open",), grid=code, limit=LISTED)
    return Profile(
        code=grid.code,
        name=grid.name,
        town=area_names(session, code[:9]),
        community=area_names(session, code[:12]),
        figures={**_people_of(session, code), **_counts_of(session, actor, grid.id)},
        incidents_30d=sum(n for _, n in daily[TREND_DAYS:]),
        incidents_prev_30d=sum(n for _, n in daily[:TREND_DAYS]),
        trend=tuple(daily[TREND_DAYS:]),
        worker=(worker.name, worker.on_duty) if worker else None,
        open_cases=list_cases(session, actor, wanted, now=now).items
        if actor.can("incident:view")
        else (),
        lists=_lists_of(session, actor, grid.id),
    )


def _one_grid(actor: Actor, code: str) -> Select[Grid]:
    return (
        select(Grid)
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(
            Grid.code == code,
            GridVersion.valid.op("@>")(TODAY),
            scope.in_areas(Grid.code, actor.areas),
        )
    )


def _people_of(session: Session, code: str) -> dict[str, int | str | None]:
    """Read the published counts of an area; `WITHHELD` where one must not be told."""
    rows = session.execute(
        select(PeopleCount.measure, PeopleCount.value).where(PeopleCount.area_code == code)
    )
    found: dict[str, int | str | None] = {
        measure: WITHHELD if value is None else value for measure, value in rows
    }
    return {name: found.get(name) for name in ("households", "people", "rentals", "migrants")}


def _counts_of(session: Session, actor: Actor, grid_id: int) -> dict[str, int | str | None]:
    """Count what stands in a grid; enterprises only for those who may see them."""
    counts: dict[str, int | str | None] = {"components": _count(session, Component, grid_id)}
    counts["buildings"] = _count(session, Building, grid_id)
    is_allowed = actor.can("enterprise:view")
    counts["enterprises"] = _count(session, Enterprise, grid_id) if is_allowed else None
    counts["premises"] = _count(session, Premises, grid_id) if is_allowed else None
    counts["dwellings"] = session.scalar(
        select(func.count(Dwelling.id))
        .join(Building, Building.id == Dwelling.building_id)
        .where(Building.grid_id == grid_id)
    )
    return counts


def _count(session: Session, model: Any, grid_id: int) -> int:
    conditions = [model.grid_id == grid_id, model.valid_to.is_(None)]
    if model is Enterprise:
        conditions.append(Enterprise.status != "closed")
    if model is Component:
        conditions.append(Component.state != "removed")
    return session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def _lists_of(session: Session, actor: Actor, grid_id: int) -> dict[str, list[dict[str, Any]]]:
    named = {"components": "components_by_class", "buildings": "buildings_of_grid"}
    if actor.can("enterprise:view"):
        named |= {"enterprises": "enterprises_of_grid", "premises": "premises_of_grid"}
    values = {"grid_id": grid_id, "most": LISTED}
    return {
        name: [dict(row) for row in session.execute(queries("profiles")[query], values).mappings()]
        for name, query in named.items()
    }


def grid_at(session: Session, actor: Actor, lon: float, lat: float) -> Grid:
    """Return the duty grid at a place, the lower code on a shared edge. Raises `NoGrid`."""
    point = func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4490)
    found = session.scalar(
        select(Grid)
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(
            GridVersion.valid.op("@>")(TODAY),
            func.ST_Covers(GridVersion.geom, point),
            scope.in_areas(Grid.code, actor.areas),
        )
        .order_by(Grid.code)
        .limit(1)
    )
    if found is None:
        raise NoGrid(f"no duty grid at {lon:.5f}, {lat:.5f}", grid=f"{lon:.5f}, {lat:.5f}")
    return found
