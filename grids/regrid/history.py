"""Grids as of any day: which there were, their shapes, what became of them, cases as filed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Text, func, literal, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.cells import TODAY, Grid, GridVersion
from grids.divisions import Area
from grids.incidents.models import Incident
from grids.regrid.errors import NoGrids
from grids.regrid.models import GridPlan

#: Digits after the point of a degree: 0.1 m, enough for a screen.
DIGITS: Final = 6
_DAYS: Final = text("""
    SELECT day, sum(opened)::int AS opened, sum(ended)::int AS ended, max(plan_id) AS plan_id
    FROM (
      SELECT lower(v.valid) AS day, 1 AS opened, 0 AS ended, v.plan_id
      FROM grid_version AS v JOIN grid AS g ON g.id = v.grid_id WHERE g.code >= :lo AND g.code < :hi
      UNION ALL
      SELECT upper(v.valid), 0,
             (NOT EXISTS (SELECT FROM grid_version AS w WHERE w.grid_id = v.grid_id
                          AND lower(w.valid) = upper(v.valid)))::int, NULL
      FROM grid_version AS v JOIN grid AS g ON g.id = v.grid_id
      WHERE g.code >= :lo AND g.code < :hi AND NOT upper_inf(v.valid)
    ) AS changes GROUP BY day ORDER BY day DESC LIMIT :most
""")
MOST_DAYS: Final = 100
MOST_GRIDS: Final = 2000


@dataclass(frozen=True)
class GridRow:
    """A grid on a day: its shape was valid from `since`, and until `until` where that is known."""

    id: int
    code: str
    name: str
    kind: str
    households: int
    area_m2: float
    since: date | None
    until: date | None
    plan_id: int | None


@dataclass(frozen=True)
class ChangeDay:
    """A day on which grids of a town changed."""

    day: date | None
    opened: int  #: grids with a new shape, new grids included
    ended: int  #: grids that are no more
    plan_id: int | None


def towns(session: Session, actor: Actor) -> list[Area]:
    """List the towns of the caller's area."""
    wanted = select(Area).where(
        Area.level == 9, Area.valid_to.is_(None), scope.in_areas(Area.code, actor.areas)
    )
    return list(session.scalars(wanted.order_by(Area.code)))


def grids_on(session: Session, actor: Actor, area: str, on: date) -> list[GridRow]:
    """List the grids of an area on a day, those of the caller's own area only."""
    rows = session.execute(
        select(Grid, GridVersion)
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(
            GridVersion.valid.op("@>")(on),
            scope.in_areas(Grid.code, (area,)),
            scope.in_areas(Grid.code, actor.areas),
        )
        .order_by(Grid.code)
        .limit(MOST_GRIDS)
    )
    return [_row(grid, version) for grid, version in rows]


def _row(grid: Grid, version: GridVersion) -> GridRow:
    return GridRow(
        grid.id, grid.code, grid.name, grid.kind, version.households, version.area_m2,
        version.valid.lower, version.valid.upper, version.plan_id,
    )  # fmt: skip


def shapes_on(session: Session, actor: Actor, area: str, on: date) -> dict[str, Any]:
    """Draw the grids of an area on a day as a GeoJSON FeatureCollection."""
    rows = session.execute(
        select(
            Grid.code, Grid.name, GridVersion.households, GridVersion.area_m2,
            func.ST_AsGeoJSON(GridVersion.geom, DIGITS).label("shape"),
        )
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(
            GridVersion.valid.op("@>")(on),
            scope.in_areas(Grid.code, (area,)),
            scope.in_areas(Grid.code, actor.areas),
        )
        .order_by(Grid.code)
        .limit(MOST_GRIDS)
    )  # fmt: skip
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": row.code,
                "properties": {"code": row.code, "name": row.name, "households": row.households,
                               "area_m2": round(row.area_m2)},
                "geometry": json.loads(row.shape),
            }
            for row in rows
        ],
    }  # fmt: skip


def days_of(session: Session, area: str) -> list[ChangeDay]:
    """List the days on which grids of an area changed, the latest first."""
    low, high = scope.code_range(area)
    rows = session.execute(_DAYS, {"lo": low, "hi": high, "most": MOST_DAYS})
    return [ChangeDay(row.day, row.opened, row.ended, row.plan_id) for row in rows]


def versions_of(session: Session, actor: Actor, code: str) -> list[GridRow]:
    """List the versions of one grid, the latest first. Raises `NoGrids`."""
    rows = session.execute(
        select(Grid, GridVersion)
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(Grid.code == code, scope.in_areas(Grid.code, actor.areas))
        .order_by(func.lower(GridVersion.valid).desc())
    ).all()
    if not rows:
        raise NoGrids(f"no grid {code}", field="code")
    return [_row(grid, version) for grid, version in rows]


def grid_at(session: Session, lon: float, lat: float, on: date) -> Grid | None:
    """Return the grid that covered a place on a day; on a common side the lower code."""
    point = func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4490)
    found: Grid | None = session.scalar(
        select(Grid)
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(GridVersion.valid.op("@>")(on), func.ST_Covers(GridVersion.geom, point))
        .order_by(Grid.code)
        .limit(1)
    )
    return found


def cases_filed(
    session: Session, actor: Actor, area: str, since: datetime, until: datetime
) -> dict[str, int]:
    """Count the cases that came in between two instants by the grid they were filed in.

    The version of its filing stays with a case, so the figures of a year that is over do not
    change when grids are redrawn.
    """
    rows = session.execute(
        select(Grid.code, func.count())
        .select_from(Incident)
        .join(GridVersion, GridVersion.id == Incident.grid_version_id)
        .join(Grid, Grid.id == GridVersion.grid_id)
        .where(
            scope.condition(actor, Incident),
            scope.in_areas(Grid.code, (area,)),
            Incident.received_at >= since,
            Incident.received_at < until,
        )
        .group_by(Grid.code)
    )
    return {code: n for code, n in rows}  # noqa: C416 - rows are no pairs


def tag(session: Session, actor: Actor) -> str:
    """Name the set of grids that the caller's area has now: another set has another name.

    What a phone has taken along under another name is stale.
    """
    found = session.scalar(
        select(func.md5(func.string_agg(GridVersion.id.cast(Text), aggregate_order_by(
            literal(","), GridVersion.id
        ))))
        .join(Grid, Grid.id == GridVersion.grid_id)
        .where(GridVersion.valid.op("@>")(TODAY), scope.in_areas(Grid.code, actor.areas))
    )  # fmt: skip
    return (found or "none")[:12]


def today(session: Session) -> date:
    """Return the day in the city."""
    found: date = session.execute(select(TODAY)).scalar_one()
    return found


def names_of_plans(session: Session, ids: Sequence[int | None]) -> dict[int, str]:
    """Name plans by their keys."""
    wanted = sorted({key for key in ids if key is not None})
    rows = session.execute(select(GridPlan.id, GridPlan.name).where(GridPlan.id.in_(wanted)))
    return {key: name for key, name in rows}  # noqa: C416 - rows are no pairs
