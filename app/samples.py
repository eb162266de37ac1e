"""The daily sample check: what was drawn, of how many, and all it takes to draw again."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, abort, g
from flask.typing import ResponseReturnValue

from app.auth import requires
from app.render import json_answer
from app.responsibility import page
from grids.incidents import sampling

bp = Blueprint("samples", __name__)


@bp.get("/api/samples")
@requires("incident:view")
def draws() -> ResponseReturnValue:
    """Give the last draws: day, population, size, seed and the head it follows from."""
    found = sampling.latest(g.session)
    return json_answer({"items": [_draw_json(one) for one in found]})


@bp.get("/api/samples/<day>")
@requires("incident:view")
def draw(day: str) -> ResponseReturnValue:
    """Give one draw with the cases the caller may see, and whether drawing again gives the same."""
    one = _one(day)
    return json_answer(
        {
            **_draw_json(one.draw),
            "head": one.draw.head,
            "redone": sampling.redone(one),
            "cases": [_case_json(one, case) for case in one.cases],
        }
    )


@bp.get("/command/samples")
@requires("rules:view")
def home() -> ResponseReturnValue:
    """List the last draws."""
    return page("samples", draws=sampling.latest(g.session))


@bp.get("/command/samples/<day>")
@requires("rules:view")
def one_page(day: str) -> ResponseReturnValue:
    """Show one draw: the drawn cases, and how to draw again."""
    one = _one(day)
    return page("sample", one=one, redone=sampling.redone(one), rank=sampling.rank)


def _one(day: str) -> sampling.Shown:
    try:
        found = sampling.shown(g.session, g.actor, date.fromisoformat(day))
    except ValueError:
        found = None
    if found is None:
        abort(404)
    return found


def _draw_json(one: sampling.SampleDraw) -> dict[str, Any]:
    return {
        "on": one.on.isoformat(),
        "population": one.population,
        "size": one.size,
        "seed": one.seed,
        "drawn_at": one.drawn_at,
    }


def _case_json(one: sampling.Shown, case: sampling.SampleCase) -> dict[str, Any]:
    return {
        "id": str(case.incident_id),
        "number": case.number,
        "way": case.way,
        "rank": sampling.rank(one.draw.seed, case.number),
        "drawn": case.is_drawn,
        "skipped": case.skipped,
    }
