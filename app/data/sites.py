"""The tree of the organisations on the data desk: who has a site, where, when it is open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.auth import requires
from app.data.frame import own_area, page, path_of
from grids import sites
from grids.area_tree import area_node
from grids.layers.access import checked_area
from grids.scope import may_see
from grids.sites.hours import DAYS, Opening, clock

bp = Blueprint("sites", __name__)


@bp.get("/data/sites")
@requires("grid:view")
def home() -> ResponseReturnValue:
    """Show the organisations right under an area with their sites, and how many there are."""
    with g.session.begin():
        area = own_area(checked_area(request.args.get("area", "")))
        here = area_node(g.session, area) if area and may_see(g.actor, area) else None
        return page(
            "sites", area=here, above=path_of(area) if area else [],
            nodes=sites.under(g.session, g.actor, area),
            counts=sites.counts(g.session, g.actor, area),
            hours_words=hours_words, is_open=_is_open(),
        )  # fmt: skip


def hours_words(text: str | None) -> str:
    """Write opening hours for a reader; empty where none are known."""
    if not text:
        return ""
    return str(_("site.rule_end")).join(_rule_words(rule) for rule in sites.parse(text))


def _rule_words(rule: Opening) -> str:
    comma = str(_("site.comma"))
    days = comma.join(_days(first, last) for first, last in rule.days)
    return f"{days} " + comma.join(f"{clock(low)}–{clock(high)}" for low, high in rule.minutes)


def _days(first: int, last: int) -> str:
    names = [str(_(f"site.day.{DAYS[one]}")) for one in (first, last)]
    return names[0] if first == last else str(_("site.days", first=names[0], last=names[1]))


def _is_open() -> Callable[[sites.Site], bool]:
    """Return a test of sites that are open now, in the city's zone."""
    now = datetime.now(UTC).astimezone(ZoneInfo(faces.settings().city_zone))
    return lambda site: site.hours is not None and sites.is_open(site.hours, now)
