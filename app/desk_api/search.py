"""One box: what the words name, in groups by kind."""

from __future__ import annotations

from typing import Any

from flask import g, request
from flask.typing import ResponseReturnValue

from app.auth import requires
from app.desk_api.asking import LONGEST_WORDS, bp
from app.incident_answers import named
from app.render import json_answer
from grids import search
from grids.search import Hit

#: Order of the groups; the names of kinds are those of the page.
KINDS = ("case", "coordinate", "address", "enterprise", "component", "area", "category")


@bp.get("/api/desk/search")
@requires("incident:view")
def find() -> ResponseReturnValue:
    """Give what the words name: a case, a place in any notation, an address, ... never a person."""
    words = request.args.get("q", "").strip()[:LONGEST_WORDS]
    found = search.grouped(g.session, g.actor, words)
    return json_answer(
        [
            {"type": kind, "items": [_hit_json(hit) for hit in found[kind]]}
            for kind in KINDS
            if found.get(kind)
        ]
    )


def _hit_json(hit: Hit) -> dict[str, Any]:
    return {
        "id": hit.id,
        "kind": hit.kind,
        "name": named(hit.name_zh, hit.name_en),
        "detail": hit.detail,
        "lon": hit.lon,
        "lat": hit.lat,
    }
