"""The burden meter: what visits cost, for at least five workers together and for nobody alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue

from app import faces
from app.auth import requires
from app.data.frame import page
from grids.area_tree import area_names
from grids.ledgers import burden
from grids.ledgers.burden import LEAST_WORKERS

bp = Blueprint("data_burden", __name__)

SPANS: Final = (7, 30, 90)
COUNTY, TOWN, VILLAGE = 6, 9, 12


@bp.get("/data/burden")
@requires("ledger:view")
def home() -> ResponseReturnValue:
    """Show taps, seconds and questions of visits by town, or by community within one town."""
    days = request.args.get("days", 30, type=int)
    days = days if days in SPANS else SPANS[1]
    now = datetime.now(UTC)
    is_town = all(len(code) >= TOWN for code in g.actor.areas)
    with g.session.begin():
        span = {"since": now - timedelta(days=days), "until": now}
        whole = burden.meter(g.session, g.actor, digits=TOWN if is_town else COUNTY, **span)
        parts = burden.meter(g.session, g.actor, digits=VILLAGE if is_town else TOWN, **span)
        names = {one.area: faces.by_language(*area_names(g.session, one.area)) or one.area
                 for one in (*whole, *parts)}  # fmt: skip
        return page(
            "burden", whole=whole, parts=parts, names=names, days=days, spans=SPANS,
            least=LEAST_WORKERS, as_of=faces.seconds_words(now),
        )  # fmt: skip
