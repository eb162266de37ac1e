"""The first page of the data desk: how many of each register stand where."""

from __future__ import annotations

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue

from app.auth import requires
from app.data.frame import own_area, page, path_of
from grids.area_tree import area_node, areas_under
from grids.layers.access import checked_area
from grids.registers import overview

bp = Blueprint("data", __name__)


@bp.get("/data")
@requires("data:view")
def home() -> ResponseReturnValue:
    """Show the registers of an area and of the areas right under it."""
    asked = checked_area(request.args.get("area", ""))
    with g.session.begin():
        area = own_area(asked)
        return page(
            "home",
            area=area_node(g.session, area) if area else None,
            above=path_of(area),
            rows=overview.by_area(g.session, g.actor, areas_under(g.session, g.actor, area)),
            registers=overview.REGISTERS,
        )
