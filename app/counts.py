"""How many people, by area: key population beside the forces there, groups, and its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.auth import requires
from app.command import area_json, page_data
from app.i18n import translated
from app.incident_answers import named
from app.render import json_answer, wants_html
from gis.errors import GisError
from grids.area_tree import AreaNode, area_node
from grids.city import the_city
from grids.errors import GridsError, Invalid, NotAllowed
from grids.key_population import loading, overview
from grids.key_population.overview import AreaRow
from grids.key_population.tables import MOST_BYTES, Refused
from grids.layers.access import checked_area
from grids.people.counts_blur import SMALLEST
from grids.people.counts_groups import AGES, ALL, HOUSEHOLD_KINDS, RESIDENCIES
from grids.profiles import quantile_breaks

bp = Blueprint("counts", __name__)

KINDS, GROUPS, TABLES = "kinds", "groups", "tables"
#: Words that would make an area of somebody's own. People are counted in fixed areas only.
SHAPES = frozenset({"bbox", "geom", "geometry", "polygon", "wkt", "within", "lon", "lat", "radius",
                    "circle", "filter"})  # fmt: skip


class AreasOnly(Invalid):
    """People are counted in fixed areas, named by their code; a drawn shape is refused."""

    code = "counts.areas_only"


class NoGroup(Invalid):
    """There is no such kind, month or group."""

    code = "counts.no_group"


@dataclass(frozen=True)
class Choice:
    """What is looked at: key population of a kind and month, or a group of people."""

    view: str
    area: str
    category: str
    period: date | None
    age: str
    residency: str
    household: str


def chosen() -> Choice:
    """Read the choice from the address. Raises `AreasOnly` and `NoGroup`."""
    if shapes := sorted(SHAPES.intersection(request.args)):
        raise AreasOnly(f"people are counted by area, not by {shapes[0]}", field=shapes[0])
    args = request.args
    kinds = [one.code for one in overview.categories(g.session)]
    months = overview.periods(g.session, g.actor)
    period = _month(args.get("period", "")) or (months[0] if months else None)
    found = Choice(
        view=args.get("view", KINDS),
        area=checked_area(args.get("area", "")),
        category=args.get("category", kinds[0] if kinds else ""),
        period=period,
        age=args.get("age", "60+"),
        residency=args.get("residency", ALL),
        household=args.get("household", ALL),
    )
    if found.view not in (KINDS, GROUPS, TABLES) or (kinds and found.category not in kinds):
        raise NoGroup("no such view or kind", field="category")
    if not overview.is_choice(found.age, found.residency, found.household):
        raise NoGroup("no such group", field="age")
    return found


def _month(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(f"{text[:7]}-01")
    except ValueError:
        raise NoGroup("no such month", field="period") from None


def rows_of(choice: Choice, nodes: Sequence[AreaNode], now: datetime) -> tuple[AreaRow, ...]:
    """Return the areas right under the chosen one with their numbers."""
    if choice.view == GROUPS:
        return overview.group(
            g.session, g.actor, nodes,
            age=choice.age, residency=choice.residency, household=choice.household, now=now,
        )  # fmt: skip
    return overview.key_population(
        g.session, g.actor, nodes, category=choice.category, period=choice.period, now=now
    )


@bp.get("/counts")
@requires("key_population:view")
def page() -> ResponseReturnValue:
    """Show the page: choices, a table that works by itself, a map by script."""
    return show(chosen())


def show(choice: Choice, *, status: int = 200, **more: Any) -> ResponseReturnValue:
    """Render the page for a choice, with what came of a table that was sent."""
    now = datetime.now(UTC)
    if choice.view == TABLES and not g.actor.can("key_population:load"):
        raise NotAllowed("needs the permission key_population:load", permission="load")
    area = choice.area or _own_area()
    nodes = overview.children_of(g.session, g.actor, area)
    rows = rows_of(choice, nodes, now)
    here = area_node(g.session, area) if area else None
    total = rows_of(choice, [here], now)[0] if here and _may_see(here.code) else None
    numbers = [row.count for row in rows if isinstance(row.count, int)]
    page = render_template(
        "counts/index.html",
        choice=choice, area=area, here=here, above=_path(area), rows=rows, total=total,
        most=max(numbers, default=0),
        kinds=[(one.code, named(one.name_zh, one.name_en))
               for one in overview.categories(g.session)],
        months=overview.periods(g.session, g.actor),
        ages=list(AGES), residencies=[ALL, *RESIDENCIES], households=[ALL, *HOUSEHOLD_KINDS],
        history=_bars(overview.history(g.session, g.actor, area, choice.category)),
        published=overview.published_on(g.session), smallest=SMALLEST,
        most_bytes=MOST_BYTES // 1024,
        page_data={**page_data(), "counts": map_json(choice, area, rows, here)},
        **more,
    )  # fmt: skip
    return page, status


def _own_area() -> str:
    """Return where the caller looks first: the one area they answer for, else the city."""
    areas = [code for code in g.actor.areas if code]
    return areas[0] if len(areas) == 1 else the_city(g.session).county_code


def _may_see(code: str) -> bool:
    return any(code.startswith(area) for area in g.actor.areas)


def _path(area: str) -> list[AreaNode]:
    """Return the areas above one that the caller may look at, the largest first."""
    nodes = [area_node(g.session, area[:n]) for n in (6, 9, 12) if n < len(area)]
    return [node for node in nodes if node and _may_see(node.code)]


def map_json(
    choice: Choice, area: str, rows: Sequence[AreaRow], here: AreaNode | None
) -> dict[str, Any]:
    """Write what the map draws: each duty grid has the number of the area it lies in."""
    by_code = {row.area.code: row.count for row in rows}
    length = len(rows[0].area.code) if rows else 0
    values = {
        code: by_code[code[:length]]
        for code in overview.grid_codes(g.session, g.actor, area)
        if code[:length] in by_code
    }
    numbers = [value for value in by_code.values() if isinstance(value, int)]
    return {
        "values": values,
        # One number alone is a class of its own, with a colour that shows.
        "breaks": quantile_breaks(numbers)
        if len(set(numbers)) > 1
        else [0, 0, 0, 0, 0, *numbers[:1]],
        "area": area_json(here) if here else None,
        "areas": {row.area.code: area_json(row.area) for row in rows},
        "length": length,
        "view": choice.view,
    }


def _bars(history: Sequence[tuple[date, int | None]]) -> list[dict[str, Any]]:
    """Write the history as bars of a small chart: place and height in parts of a hundred."""
    most = max((value for _month, value in history if value), default=0)
    return [
        {"month": month, "value": value, "height": round(64 * (value or 0) / most) if most else 0}
        for month, value in history
    ]


@bp.get("/api/counts")
@requires("key_population:view")
def counts() -> ResponseReturnValue:
    """Give the same table to a program; areas by code only."""
    choice = chosen()
    area = choice.area or _own_area()
    nodes = overview.children_of(g.session, g.actor, area)
    rows = rows_of(choice, nodes, datetime.now(UTC))
    return json_answer(
        {
            "view": choice.view,
            "area": area,
            "period": f"{choice.period:%Y-%m}" if choice.period else None,
            "areas": [row_json(row) for row in rows],
        }
    )


def row_json(row: AreaRow) -> dict[str, Any]:
    """Write one area of the table."""
    return {
        "code": row.area.code,
        "name": named(row.area.name_zh, row.area.name_en),
        "count": row.count,
        "before": row.before,
        "people": row.people,
        "workers": row.workers,
        "on_duty": row.on_duty,
        "services": row.services,
    }


@bp.post("/counts/tables")
@requires("key_population:load")
def post_table() -> ResponseReturnValue:
    """Check a table of counts or take it over; a refusal says row, column and reason."""
    is_check = request.form.get("act") == "check"
    now = datetime.now(UTC)
    try:
        with g.session.begin():
            today = now.astimezone(ZoneInfo(the_city(g.session).city_zone)).date()
            if is_check:
                rows = loading.check(g.session, g.actor, _sent(), today=today)
                found = loading.summary_of(rows)
            else:
                source_ip = request.remote_addr or ""
                found = loading.load(
                    g.session, g.actor, _sent(), now=now, today=today, source_ip=source_ip
                )
    except (GridsError, GisError) as error:
        return _refuse(error)
    return _answer("checked" if is_check else "loaded", found=summary_json(found))


def _sent() -> bytes:
    file = request.files.get("table")
    return file.stream.read(MOST_BYTES + 1) if file else b""


def _refuse(error: GridsError | GisError) -> ResponseReturnValue:
    with g.session.begin():
        loading.note_refusal(g.session, g.actor, error, source_ip=request.remote_addr or "")
    refusals = error.refusals if isinstance(error, Refused) else ()
    listed = [
        {"row": one.row, "column": one.column, "reason": str(_(f"counts.refused.{one.reason}"))}
        for one in refusals
    ]
    if not listed:
        detail = translated(f"error.{error.code}", str(error), **error.params)
        listed = [{"row": 0, "column": "", "reason": detail}]
    total = error.total if isinstance(error, Refused) else 1
    return _answer("refused", status=422, refusals=listed, total_refusals=total)


def summary_json(found: loading.Summary) -> dict[str, Any]:
    """Write what a table holds; the counts of single areas are not shown again."""
    names = {one.code: named(one.name_zh, one.name_en) for one in overview.categories(g.session)}
    return {
        "rows": found.rows,
        "areas": found.areas,
        "few": found.few,
        "kinds": [names[code] for code in found.categories],
        "periods": [f"{period:%Y-%m}" for period in found.periods],
    }


def _answer(outcome: str, *, status: int = 200, **more: Any) -> ResponseReturnValue:
    if not wants_html():
        return json_answer({"outcome": outcome, **more}, status)
    choice = Choice(TABLES, "", _first_kind(), None, "60+", ALL, ALL)
    return show(choice, status=status, outcome=outcome, **more)


def _first_kind() -> str:
    kinds = overview.categories(g.session)
    return kinds[0].code if kinds else ""
