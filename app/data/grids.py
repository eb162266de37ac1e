"""Duty grids as of any day: which there were in a town, when they changed, cases as filed."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue

from app import faces
from app.auth import requires
from app.data.frame import page
from app.render import json_answer
from grids.area_tree import area_names, area_node
from grids.divisions import Area
from grids.layers.access import checked_area
from grids.regrid import history

bp = Blueprint("data_grids", __name__)


@bp.get("/data/grids")
@requires("grid:view")
def home() -> ResponseReturnValue:
    """Show the grids of a town on a day, when they changed, and their cases of that year."""
    with g.session.begin():
        now = history.today(g.session)
        on = day_of(request.args.get("on", "")) or now
        towns = history.towns(g.session, g.actor)
        town = _town(towns)
        rows = history.grids_on(g.session, g.actor, town.code, on) if town else []
        days = history.days_of(g.session, town.code) if town else []
        node = area_node(g.session, town.code) if town else None
        return page(
            "grids", towns=towns, town=town, on=on, today=now, rows=rows, days=days,
            plans=history.names_of_plans(g.session, [day.plan_id for day in days]),
            cases=_cases(town.code, on) if town else {},
            communities={row.code[:12]: faces.by_language(*area_names(g.session, row.code[:12]))
                         for row in rows},
            page_data={"grids": {"town": town.code, "on": on.isoformat(),
                                 "bounds": node.bounds if node else None}} if town else {},
        )  # fmt: skip


@bp.get("/data/grids/shapes")
@requires("grid:view")
def shapes() -> ResponseReturnValue:
    """Draw the grids of an area on a day (`area`, `asof`), as GeoJSON."""
    area = checked_area(request.args.get("area", ""))
    with g.session.begin():
        on = day_of(request.args.get("asof", "")) or history.today(g.session)
        return json_answer(history.shapes_on(g.session, g.actor, area, on))


@bp.get("/data/grids/<code>")
@requires("grid:view")
def one(code: str) -> ResponseReturnValue:
    """Show the versions of one grid, and the cases of this and the last years as filed."""
    with g.session.begin():
        rows = history.versions_of(g.session, g.actor, code)
        now = history.today(g.session)
        first = min((row.since.year for row in rows if row.since), default=now.year)
        years = range(now.year, max(first, now.year - 4) - 1, -1)
        return page(
            "grid", rows=rows, code=code,
            cases=[(year, _cases(code, date(year, 1, 1)).get(code, 0)) for year in years],
            plans=history.names_of_plans(g.session, [row.plan_id for row in rows]),
            places=[faces.by_language(*area_names(g.session, code[:n])) for n in (9, 12)],
        )  # fmt: skip


def _town(towns: list[Area]) -> Area | None:
    asked = checked_area(request.args.get("town", ""))
    return next((town for town in towns if town.code == asked), towns[0] if towns else None)


def _cases(area: str, on: date) -> dict[str, int]:
    """Count the cases of the year of a day by the grid they were filed in."""
    zone = ZoneInfo(faces.settings().city_zone)
    since, until = (datetime.combine(date(year, 1, 1), time(0), zone)
                    for year in (on.year, on.year + 1))  # fmt: skip
    return history.cases_filed(g.session, g.actor, area, since, until)


def day_of(written: str) -> date | None:
    """Read a day; None where none is written."""
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        return None
