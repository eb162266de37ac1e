"""Addresses on the data desk: try one, check a list, answer what is uncertain, how good all are."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Response, g, redirect, request
from flask.typing import ResponseReturnValue

from app.auth import requires
from app.data.address_answers import candidate_json, match_json, pieces
from app.data.frame import page
from app.render import json_answer
from gis.formats import safe_cell
from grids.addressing import questions, service, standing
from grids.addressing.levels import LEVELS
from grids.addressing.match import Match
from grids.errors import Invalid

bp = Blueprint("addresses", __name__)

LONGEST: Final = 300
MOST_LINES: Final = 1000
COLUMNS: Final = (
    "line", "text", "verdict", "score", "address", "code", "area", "lon", "lat", "kind",
    *(level.value for level in LEVELS),
)  # fmt: skip


@bp.get("/data/addresses")
@requires("data:view")
def home() -> ResponseReturnValue:
    """Take one text apart and show what it may mean; how good the library is by town."""
    words = request.args.get("q", "").strip()[:LONGEST]
    with g.session.begin():
        found = service.geocode(g.session, words) if words else None
        candidates = [] if found is None else found.candidates
        return page(
            "addresses",
            words=words,
            found=found,
            pieces=[] if found is None else pieces(found.parsed),
            levels=LEVELS,
            towns=standing.by_town(g.session, g.actor),
            open_count=questions.count_open(g.session, g.actor),
            page_data={"candidates": [candidate_json(one) for one in candidates]},
        )


@bp.post("/data/addresses/list")
@requires("data:view")
def check_list() -> ResponseReturnValue:
    """Check a pasted list: show the results, send them as a file, or ask about the uncertain."""
    lines = _lines(request.form.get("lines", ""))
    act = request.form.get("act", "show")
    with g.session.begin():
        found = service.geocode_list(g.session, lines)
        if act == "file":
            return _file(found)
        asked = None
        if act == "ask":
            asked = questions.ask(
                g.session, found, "desk", now=datetime.now(UTC), actor=g.actor
            )  # fmt: skip
        verdicts = [one.verdict for one in found]
        return page(
            "address_list",
            lines="\n".join(lines),
            rows=[(one, pieces(one.parsed)) for one in found],
            counts={
                name: verdicts.count(name) for name in ("sure", "uncertain", "none", "outside")
            },
            asked=asked,
        )


def _lines(text: str) -> list[str]:
    lines = [line.strip()[:LONGEST] for line in text.splitlines() if line.strip()]
    if not lines:
        raise Invalid("no lines", field="lines")
    return lines[:MOST_LINES]


def _file(found: list[Match]) -> Response:
    """Write the results as a table; cells that a spreadsheet would run are made harmless."""
    out = io.StringIO()
    out.write("\ufeff")  # the mark lets spreadsheets read the Chinese texts as UTF-8
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for number, one in enumerate(found, 1):
        writer.writerow([safe_cell(cell) for cell in _cells(number, one)])
    return Response(
        out.getvalue(), mimetype="text/csv; charset=utf-8",
        headers={"Content-Disposition": "attachment; filename=addresses.csv"},
    )  # fmt: skip


def _cells(number: int, match: Match) -> list[str]:
    best, values = match.best, match.parsed.values
    answer = (
        [f"{best.score:.3f}", best.text, best.code, best.area_code, f"{best.lon:.6f}",
         f"{best.lat:.6f}", best.kind]
        if best is not None else [""] * 7
    )  # fmt: skip
    said = [values.get(level, "") for level in LEVELS]
    return [str(number), match.parsed.text, match.verdict, *answer, *said]


@bp.get("/data/address-questions")
@requires("address:answer")
def open_list() -> ResponseReturnValue:
    """List the open questions of the own area."""
    with g.session.begin():
        return page(
            "address_questions",
            rows=questions.open_questions(g.session, g.actor),
            done=request.args.get("done", ""),
        )


@bp.post("/data/address-questions/<int:question_id>")
@requires("address:answer")
def answer(question_id: int) -> ResponseReturnValue:
    """Take the answer of a steward and go back to the list."""
    with g.session.begin():
        questions.answer(g.session, g.actor, question_id, chosen(), now=datetime.now(UTC))
    return redirect("/data/address-questions?done=1", 303)


def chosen() -> int | None:
    """Read the answer of a form: the key of a candidate, or `none`."""
    said = request.form.get("answer", "")
    if said == "none":
        return None
    if not said.isdecimal() or len(said) > 18:
        raise questions.NotOffered("no such candidate", field="answer")
    return int(said)


@bp.get("/api/addresses")
@requires("map:view")
def find() -> ResponseReturnValue:
    """Give the addresses that a text may mean, with scores and reasons, and how it was read."""
    words = request.args.get("q", "").strip()[:LONGEST]
    if not words:
        raise Invalid("no words", field="q")
    near = _point() if "lon" in request.args else None
    with g.session.begin():
        found = service.geocode(g.session, words, near=near)
        return json_answer(match_json(found))


@bp.get("/api/addresses/at")
@requires("map:view")
def at() -> ResponseReturnValue:
    """Give the standard address at a point: of the building there, then the nearest."""
    lon, lat = _point()
    with g.session.begin():
        here = service.addresses_at(g.session, lon, lat)
        area = service.filled(g.session, here[0].area_code) if here else {}
    return json_answer({
        "items": [
            {"id": str(one.address_id), "code": one.code, "text": one.text,
             "distance_m": round(one.distance_m, 1), "inside": one.is_inside,
             "lon": one.lon, "lat": one.lat, "area_code": one.area_code}
            for one in here
        ],
        "levels": {level.value: name for level, name in area.items()},
    })  # fmt: skip


def _point() -> tuple[float, float]:
    try:
        lon, lat = (float(request.args.get(name, "")) for name in ("lon", "lat"))
    except ValueError:
        raise Invalid("no point", field="lon") from None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise Invalid("no point", field="lon")
    return lon, lat
