"""Base numbers on the data desk: the sheet of an area, signed by who leads it."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import faces
from app.auth import requires
from app.channel_pages import source_ip
from app.data.frame import own_area, page, path_of
from grids.area_tree import AreaNode, area_node, areas_under
from grids.base_numbers import signing
from grids.base_numbers.sheet import sheet
from grids.layers.access import checked_area
from grids.registers.kinds import NoEntry
from grids.scope import may_see

bp = Blueprint("base_numbers", __name__)


@bp.get("/data/base")
@requires("grid:view")
def home() -> ResponseReturnValue:
    """Show the base numbers of an area, and when the areas under it were signed."""
    return _page()


@bp.post("/data/base")
@requires("base:sign")
def sign() -> ResponseReturnValue:
    """Sign the figures that the page has shown."""
    area = checked_area(request.form.get("area", ""))
    try:
        with g.session.begin():
            signing.sign(
                g.session, g.actor, _node(area), request.form.get("digest", ""),
                request.form.get("note", ""), today=faces.today(), now=datetime.now(UTC),
                source_ip=source_ip(),
            )  # fmt: skip
    except signing.FiguresMoved:
        return _page(area, has_moved=True), 409
    return redirect(url_for("base_numbers.home", area=area, done="signed"), 303)


def _page(asked: str = "", *, has_moved: bool = False) -> str:
    with g.session.begin():
        area = own_area(asked or checked_area(request.args.get("area", "")))
        under = areas_under(g.session, g.actor, area)
        signed = signing.last_signed(g.session, g.actor, [one.code for one in under])
        here = area_node(g.session, area) if area and may_see(g.actor, area) else None
        found = sheet(g.session, g.actor, here, today=faces.today()) if here else None
        return page(
            "base", area=area_node(g.session, area) if area else None, above=path_of(area),
            sheet=found, under=[(one, signed.get(one.code)) for one in under],
            signatures=signing.signatures(g.session, g.actor, found) if found else (),
            may_sign=bool(found) and g.actor.can("base:sign"), has_moved=has_moved,
            done=request.args.get("done") == "signed",
            printed_at=datetime.now(UTC),
        )  # fmt: skip


def _node(area: str) -> AreaNode:
    """Return an area that the caller answers for. Raises `NoEntry`."""
    node = area_node(g.session, area) if area and may_see(g.actor, area) else None
    if node is None:
        raise NoEntry(f"no area {area}")
    return node
