"""Pages of the queue with who works on what, and counts by facet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.auth import requires
from app.desk_api.asking import bp, filter_asked, now
from app.incident_answers import instant, named, row_json
from app.render import json_answer
from grids.desk import claims, facets
from grids.desk.claims import Claim
from grids.incidents import listing
from grids.incidents.lifecycle import STATES
from grids.incidents.listing import RISKS


@bp.get("/api/desk/queue")
@requires("incident:view")
def queue() -> ResponseReturnValue:
    """Give a page of the queue; `next` is the place to ask from for the following one."""
    at = now()
    rows, place = listing.page_of(g.session, g.actor, filter_asked(), now=at)
    held = claims.claims_of(g.session, g.actor, [row.id for row in rows], now=at)
    items = [{**row_json(row), "claim": claim_json(held.get(row.id))} for row in rows]
    return json_answer({"items": items, "next": place, "now": instant(at)})


@bp.get("/api/desk/facets")
@requires("incident:view")
def facet_counts() -> ResponseReturnValue:
    """Give the counts of each facet without its own choice; `exact=1` estimates nothing."""
    found = facets.counted(
        g.session, g.actor, filter_asked(), now=now(), exact=request.args.get("exact") == "1"
    )
    names = found.names
    write: dict[str, Callable[[str], str]] = {
        "status": lambda code: str(_(f"status.{code}")),
        "risk": lambda code: str(_(f"risk.{code}")),
        "channel": lambda code: str(_(f"channel.{code}")),
        "urgency": lambda code: str(_(f"urgency.{code}")),
        **dict.fromkeys(("town", "category", "department"), lambda code: _named(names, code)),
    }
    return json_answer(
        {
            "facets": {
                facet: [
                    {"value": value, "name": write[facet](value), "count": count}
                    for value, count in _sorted(facet, counts)
                ]
                for facet, counts in found.counts.facets.items()
            },
            "total": found.counts.total,
            "is_exact": found.counts.is_exact,
        }
    )


def claim_json(claim: Claim | None) -> dict[str, Any] | None:
    """Write who works on a case."""
    if claim is None:
        return None
    return {
        "name": claim.name,
        "account": claim.account_id,
        "mine": claim.account_id == g.actor.account_id,
        "since": instant(claim.since_at),
        "until": instant(claim.ends_at),
    }


def _named(names: Mapping[str, tuple[str, str]], code: str) -> str:
    return named(*names[code]) or code if code in names else code


#: Facets whose values have an order of their own; the others stand by count.
ORDERS = {"status": list(STATES), "risk": list(RISKS), "urgency": ["A", "B", "C", "D"]}


def _sorted(facet: str, counts: Mapping[str, int]) -> list[tuple[str, int]]:
    order = ORDERS.get(facet)
    if order is not None:
        return sorted(counts.items(), key=lambda item: order.index(item[0]))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
