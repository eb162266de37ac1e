"""Data quality on the data desk: by dimension, rule, area and source; what fails; alarms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import faces
from app.auth import requires
from app.channel_pages import source_ip
from app.command import area_json, page_data
from app.data.entries import title_of
from app.data.frame import own_area, page, path_of
from grids.area_tree import area_node, areas_under
from grids.layers.access import checked_area
from grids.places import names_by_code
from grids.profiles import quantile_breaks
from grids.quality import alarms, findings, standing
from grids.quality.rules import DIMENSIONS, RULES, rule_of
from grids.quality.standing import Share
from grids.registers.kinds import KINDS

bp = Blueprint("quality", __name__)
#: Size of the drawn trend: the page gives it its width.
WIDE, HIGH = 240, 48


@bp.get("/data/quality")
@requires("data:view")
def home() -> ResponseReturnValue:
    """Show how good the registers of an area are: six dimensions, all rules, areas, sources."""
    return _home()


def _home(*, refused: bool = False) -> str:
    dimension = request.args.get("dimension", "")
    dimension = dimension if dimension in DIMENSIONS else ""
    with g.session.begin():
        area = _area()
        day = standing.last_day(g.session)
        rows = standing.by_rule(g.session, g.actor, area, day) if day else ()
        shown = [row for row in rows if dimension in ("", row.rule.dimension)]
        names = [row.rule.name for row in shown]
        told = standing.dimensions(rows)
        return page(
            "quality", dimension=dimension, rows=shown, dimensions=told, day=day,
            withheld=[rule for rule in standing.withheld(rows, area)
                      if dimension in ("", rule.dimension)],
            trends={name: _line(_trend(area, day, name)) for name in told} if day else {},
            open_count=alarms.count_open(g.session, g.actor, area),
            alarms=[(one, _area_name(one.area_code)) for one in _alarms(area)],
            refused=refused,
            done=request.args.get("done") == "seen",
            **_around(area, day, names),
        )  # fmt: skip


@bp.get("/data/quality/<rule>")
@requires("data:view")
def one(rule: str) -> ResponseReturnValue:
    """Show one rule in an area: its trend, where it fails, and the entries that fail now."""
    asked = rule_of(rule)
    after = max(0, request.args.get("after", 0, type=int))
    with g.session.begin():
        area = _area()
        day = standing.last_day(g.session)
        found = None
        if not asked.is_counted and g.actor.can(KINDS[asked.register].permission):
            found = findings.failing(
                g.session, g.actor, asked, today=faces.today(), area=area, after=after
            )
        shares = standing.trend(g.session, g.actor, area, day, [rule]) if day else ()
        return page(
            "quality_rule", rule=asked, kind=KINDS.get(asked.register), found=found, day=day,
            areas=names_by_code(g.session, {row.area_code for row in found.rows}) if found else {},
            title=lambda row: title_of(KINDS[asked.register], row),
            trend=_line([(on, share) for on, share in shares]), shares=shares,
            now=shares[-1][1] if shares else Share(),
            **_around(area, day, [rule]),
        )  # fmt: skip


@bp.post("/data/quality/alarms/<int:alarm_id>")
@requires("data:decide")
def see(alarm_id: int) -> ResponseReturnValue:
    """Note what is done about an alarm."""
    area = checked_area(request.form.get("area", ""))
    try:
        with g.session.begin():
            alarms.see(
                g.session, g.actor, alarm_id, request.form.get("note", ""), now=datetime.now(UTC),
                source_ip=source_ip(),
            )  # fmt: skip
    except alarms.NoteNeeded:
        return _home(refused=True), 422
    return redirect(url_for("quality.home", area=area or None, done="seen"), 303)


def _area() -> str:
    return own_area(checked_area(request.args.get("area", "")))


def _alarms(area: str) -> Sequence[Any]:
    return alarms.open_alarms(g.session, g.actor, area)


def _trend(area: str, day: date, dimension: str) -> Sequence[tuple[date, Share]]:
    names = [rule.name for rule in RULES.values() if rule.dimension == dimension]
    return standing.trend(g.session, g.actor, area, day, names)


def _line(shares: Sequence[tuple[date, Share]]) -> str:
    """Write the points of a drawn line: the share that is good, from the worst of it to all."""
    told = [(on, share.good) for on, share in shares if share.good is not None]
    if len(told) < 2:
        return ""
    first, last = told[0][0], told[-1][0]
    low = min(min(good for _, good in told), 0.98)
    return " ".join(
        f"{(on - first).days / (last - first).days * WIDE:.1f},"
        f"{(1 - (good - low) / (1 - low)) * (HIGH - 4) + 2:.1f}"
        for on, good in told
    )


def _around(area: str, day: date | None, names: Sequence[str]) -> dict[str, Any]:
    """Return what both pages show beside their rules: areas, sources, the map."""
    here = area_node(g.session, area) if area else None
    under = areas_under(g.session, g.actor, area)
    values: dict[str, float] = {}
    shares: dict[str, Share] = {}
    sources: dict[str, Share] = {}
    if day and names:
        shares = standing.by_area(g.session, g.actor, [one.code for one in under], day, names)
        sources = standing.by_source(g.session, g.actor, area, day, names)
        grids = standing.grids_of(g.session, g.actor, area, day, names)
        values = {code: _percent(share) for code, share in grids.items()}
    breaks = quantile_breaks([round(value * 1000) for value in values.values()])
    return {
        "area": here,
        "above": path_of(area),
        # The worst first; where nothing was asked there is nothing to tell.
        "under": sorted(
            ((one, shares[one.code]) for one in under if one.code in shares),
            key=lambda item: item[1].good or 0,
        ),
        "sources": sorted(sources.items(), key=lambda item: -item[1].checked),
        "page_data": {
            **page_data(),
            "quality": {
                "values": values,
                "breaks": [edge / 1000 for edge in breaks],
                "area": area_json(here) if here else None,
                "areas": {one.code: area_json(one) for one in under},
                "length": len(under[0].code) if under else 15,
            },
        },
    }


def _percent(share: Share) -> float:
    return 0.0 if share.good is None else round((1 - share.good) * 100, 3)


def _area_name(code: str) -> str:
    node = area_node(g.session, code)
    return faces.by_language(node.name_zh, node.name_en) if node else code
