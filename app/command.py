"""The command center: its page, and the figures, layers and places that its map shows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app import reading
from app.auth import PUBLIC, SIGNED_IN, requires
from app.config import Settings
from app.i18n import language, translated
from app.incident_answers import named, row_json
from app.layer_answers import layer_json, tiles_url
from app.render import json_answer
from app.security import live_origin
from app.tiles import as_asked, layer_for_caller, wanted_classes
from app.workplaces import places_of
from grids import layers, profiles, search
from grids.area_tree import AreaNode, area_node, areas_under
from grids.city import City, the_city
from grids.codes import Department
from grids.errors import Invalid
from grids.incidents import detail
from grids.layers.access import checked_area

bp = Blueprint("command", __name__)

GEOJSON = "application/geo+json"
DEFAULT_ITEMS = 1000


class BadParameter(Invalid):
    """A parameter is no number or no day."""

    code = "request.bad_parameter"


@bp.get("/command")
@requires("command:view")
def page() -> ResponseReturnValue:
    """Show the command center."""
    return render_template("command/index.html", page_data=page_data())


def page_data() -> dict[str, Any]:
    """Return what the scripts of a staff page need to know: city, caller, where things are."""
    settings: Settings = current_app.extensions["settings"]
    city = the_city(g.session)
    roots = [area_json(node) for node in areas_under(g.session, g.actor, "")]
    with reading.reader() as conn:
        versions = {
            layer.id: layers.version_of(conn, layer)[0]
            for layer in layers.layers_for(g.actor)
            if layer.id in ("base", "grid")
        }
    return {
        "live": live_origin(settings),
        "lang": language(),
        "csrf": g.csrf_token,
        "area": _root_of(city, roots),
        "areas": roots,
        "me": {
            "id": g.actor.account_id,
            "name": g.actor.name,
            "roles": sorted(g.actor.roles),
            "permissions": sorted(g.actor.permissions),
            "areas": list(g.actor.areas),
            "department": g.actor.department,
        },
        "city": city_json(city),
        "tiles": {name: tiles_url(layers.layer_of(name), no) for name, no in versions.items()},
        "places": places_of(g.actor),
        "now": datetime.now(UTC).isoformat(),
    }


def city_json(city: City) -> dict[str, Any]:
    """Write the city for a page."""
    return {
        "name": named(city.name_zh, city.name_en),
        "code": city.county_code,
        "zone": city.city_zone,
        "metric_srid": city.metric_srid,
        "bounds": [city.west, city.south, city.east, city.north],
        "center": [(city.west + city.east) / 2, (city.south + city.north) / 2],
        "attribution": city.attribution,
    }


def _root_of(city: City, roots: list[dict[str, Any]]) -> dict[str, Any]:
    """Choose where the page looks first: the caller's one area, else the city."""
    if len(roots) == 1:
        return roots[0]
    bounds = [city.west, city.south, city.east, city.north]
    return {"code": "", "name": named(city.name_zh, city.name_en), "bounds": bounds}


def area_json(node: AreaNode) -> dict[str, Any]:
    """Write one area of the tree."""
    return {
        "code": node.code,
        "name": named(node.name_zh, node.name_en),
        "level": node.level,
        "kind": node.kind,
        "bounds": list(node.bounds),
        "has_children": node.has_children,
    }


@bp.get("/api/layers")
@requires(SIGNED_IN)
def layer_list() -> ResponseReturnValue:
    """Give the layers that the caller may see, with how many rows and how old."""
    wanted = request.args.get("all") == "1"
    with reading.reader() as conn:
        found = [
            layer_json(layer, layers.facts_of(conn, layer, g.actor))
            for layer in layers.layers_for(g.actor)
            if wanted or not layer.parts
        ]
    return json_answer(found)


# The layer's own permission is checked inside: some layers are for everybody.
@bp.get("/api/layers/<layer_id>/items")
@requires(PUBLIC)
def layer_items(layer_id: str) -> ResponseReturnValue:
    """Give a page of a layer's rows as GeoJSON; `next` leads to the following one."""
    layer = as_asked(layer_for_caller(layer_id))
    within = layers.within_of(request.args.get("bbox", ""), request.args.get("bbox-crs", ""))
    limit = whole("limit", DEFAULT_ITEMS, most=layers.MOST_ITEMS)
    with reading.reader() as conn:
        found = layers.page_of(
            conn,
            layer,
            g.actor,
            within=within,
            area=request.args.get("area", ""),
            classes=wanted_classes(),
            after=request.args.get("after") or None,
            limit=limit,
        )
    head = f'{{"type":"FeatureCollection","numberReturned":{found.count},"links":['
    body = f'{head}{_next_link(found.after)}],"features":[{found.text}]}}'
    answer = Response(body, mimetype=GEOJSON)
    answer.headers["Content-Crs"] = "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    answer.headers["Cache-Control"] = "private, no-cache" if layer.permission else "no-cache"
    return answer


def _next_link(after: str | None) -> str:
    if after is None:
        return ""
    from_here = request.args.to_dict() | {"after": after}
    address = f"{request.path}?{urlencode(from_here)}"
    return json_answer({"rel": "next", "type": GEOJSON, "href": address}).get_data(as_text=True)


@bp.get("/api/grids/choropleth")
@requires("grid:view")
def choropleth() -> ResponseReturnValue:
    """Give one theme's figure for every duty grid of an area, with the edges of its classes."""
    now = datetime.now(UTC)
    zone = ZoneInfo(the_city(g.session).city_zone)
    period = profiles.period_of(
        now, zone, days=whole("days", 30, most=profiles.MOST_DAYS), first=day("from"),
        last=day("to"),
    )  # fmt: skip
    theme = request.args.get("theme", "incidents")
    area = checked_area(request.args.get("area", ""))
    found = profiles.figures_of(g.session, g.actor, theme=theme, area=area, period=period, now=now)
    return json_answer(
        {
            "theme": theme,
            "unit": _(f"unit.{theme}"),
            "period": _period_words(found.period),
            "breaks": found.breaks,
            "method": "quantiles",
            "values": found.values,
            "shown": found.shown,
            "total": found.total,
            "as_of": found.as_of.isoformat(),
        }
    )


def _period_words(period: profiles.Period | None) -> str | None:
    if period is None:
        return None
    days = (period.last - period.first).days + 1
    if request.args.get("from"):
        return f"{period.first.isoformat()} – {period.last.isoformat()}"
    return str(_("period.days", days=days))


@bp.get("/api/grids/at")
@requires("grid:view")
def grid_at() -> ResponseReturnValue:
    """Give the duty grid at a place."""
    found = profiles.grid_at(g.session, g.actor, degrees("lon"), degrees("lat"))
    return json_answer({"code": found.code, "name": found.name})


@bp.get("/api/grids/<code>")
@requires("grid:view")
def grid_profile(code: str) -> ResponseReturnValue:
    """Give everything about one duty grid that the caller may see."""
    zone = ZoneInfo(the_city(g.session).city_zone)
    found = profiles.grid_profile(g.session, g.actor, code, now=datetime.now(UTC), zone=zone)
    return json_answer(
        {
            "code": found.code,
            "name": found.name,
            "town": named(*found.town),
            "community": named(*found.community),
            **found.figures,
            "incidents_30d": found.incidents_30d,
            "incidents_prev_30d": found.incidents_prev_30d,
            "trend": [{"on": on.isoformat(), "count": n} for on, n in found.trend],
            "worker": {"name": found.worker[0], "on_duty": found.worker[1]}
            if found.worker
            else None,
            "open_incidents": [row_json(row) for row in found.open_cases],
            "lists": {name: [_listed(row) for row in rows] for name, rows in found.lists.items()},
        }
    )


#: Columns of a grid's lists whose values are words of a code list.
CODED = {"kind": "kind", "industry": "industry", "status": "enterprise_status"}


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    """Write a row of a list: names in the reader's language, codes as words."""
    shown = {}
    if "name_zh" in row:
        shown["name"] = named(row["name_zh"], row["name_en"]) or row["code"]
    for name, value in row.items():
        if name in ("name_zh", "name_en"):
            continue
        word = CODED.get(name)
        label = "count" if name == "n" else name
        shown[label] = translated(f"{word}.{value}", str(value)) if word and value else value
    return shown


@bp.get("/api/areas")
@requires(SIGNED_IN)
def areas() -> ResponseReturnValue:
    """Give the areas right under a code; without one, those of the caller."""
    parent = checked_area(request.args.get("parent", ""))
    return json_answer([area_json(node) for node in areas_under(g.session, g.actor, parent)])


@bp.get("/api/areas/<code>")
@requires(SIGNED_IN)
def area(code: str) -> ResponseReturnValue:
    """Give one area with the box around it."""
    node = area_node(g.session, checked_area(code))
    if node is None:
        raise profiles.NoGrid(f"no area {code[:20]!r}", grid=code[:20])
    return json_answer(area_json(node))


@bp.get("/api/categories")
@requires(PUBLIC)
def categories() -> ResponseReturnValue:
    """Give categories, found by code, name, pinyin or initials."""
    found = search.categories(
        g.session, kind=request.args.get("kind", ""), words=request.args.get("q", "")[:100]
    )
    return json_answer(
        [
            {
                "code": item.code,
                "name": named(item.name_zh, item.name_en),
                "kind": item.kind,
                "common": item.is_common,
            }
            for item in found
        ]
    )


@bp.get("/api/departments")
@requires(SIGNED_IN)
def departments() -> ResponseReturnValue:
    """Give the departments that handle cases."""
    found = g.session.scalars(select(Department).order_by(Department.sort, Department.code))
    return json_answer(
        [{"code": item.code, "name": named(item.name_zh, item.name_en)} for item in found]
    )


@bp.get("/api/summary")
@requires("incident:view")
def summary() -> ResponseReturnValue:
    """Give the figures at the top of the command page."""
    now = datetime.now(UTC)
    zone = ZoneInfo(the_city(g.session).city_zone)
    area_code = checked_area(request.args.get("area", ""))
    found = detail.summary(g.session, g.actor, area=area_code, now=now, zone=zone)
    return json_answer(
        {
            "open": found.open,
            "late": found.late,
            "reported_today": found.reported_today,
            "on_time_month": found.on_time_month,
            "on_duty": found.on_duty,
            "as_of": now.isoformat(),
        }
    )


@bp.get("/api/search")
@requires(SIGNED_IN)
def find() -> ResponseReturnValue:
    """Find what a few words name: cases, places, enterprises, grids, components, categories."""
    hits = search.search(g.session, g.actor, request.args.get("q", ""))
    return json_answer(
        {
            "items": [
                {
                    "kind": hit.kind,
                    "kind_name": _(f"hit.{hit.kind}"),
                    "id": hit.id,
                    "name": named(hit.name_zh, hit.name_en),
                    "detail": hit.detail,
                    "lon": hit.lon,
                    "lat": hit.lat,
                }
                for hit in hits
            ]
        }
    )


def whole(name: str, usual: int, *, most: int) -> int:
    """Read a whole number from 1 to `most`. Raises `BadParameter`."""
    text = request.args.get(name, "")
    if not text:
        return usual
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and int(text) > 0):
        raise BadParameter(f"{name} is no whole number above 0", field=name)
    return min(int(text), most)


def day(name: str) -> date | None:
    """Read a day, YYYY-MM-DD. Raises `BadParameter`."""
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise BadParameter(f"{name} is no day", field=name) from None


def degrees(name: str) -> float:
    """Read a coordinate in degrees. Raises `BadParameter`."""
    try:
        value = float(request.args.get(name, ""))
    except ValueError:
        raise BadParameter(f"{name} is no number", field=name) from None
    if not -180 <= value <= 180:
        raise BadParameter(f"{name} is beyond 180 degrees", field=name)
    return value
