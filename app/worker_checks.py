"""Questions to the spot on the worker's phone: one card, one question, one tap."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import msgspec
from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.auth import requires
from app.channel_pages import source_ip
from app.data.entries import choices_of, said_words, title_of
from app.data.fact_words import place_words
from app.data.frame import source_words
from app.i18n import translated
from app.incidents_api import body_as
from app.render import json_answer
from grids.addressing.questions import count_open
from grids.city import the_city
from grids.errors import Invalid
from grids.facts import checks, statements
from grids.facts.checks import BadAnswer, Open, Told
from grids.facts.models import Fact
from grids.facts.survivorship import PLACE

bp = Blueprint("worker_checks", __name__)

Text = Annotated[str, msgspec.Meta(max_length=2000)]
#: Beginning of the word for one of the candidates in a form without script.
CANDIDATE = "c"


class CheckBody(msgspec.Struct, forbid_unknown_fields=True):
    """An answer as a phone sends it."""

    check: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    answer: Literal["value", "other", "unknown", "gone"]
    value: Text = ""
    lon: float | None = None
    lat: float | None = None


@bp.get("/worker/checks")
@requires("visit:make")
def home() -> ResponseReturnValue:
    """List the open questions of the own area, one card each."""
    with g.session.begin():
        return _page()


@bp.post("/worker/checks/<int:check_id>")
@requires("visit:make")
def post(check_id: int) -> ResponseReturnValue:
    """Take the answer of a page without script and go back to what is still open."""
    try:
        with g.session.begin():
            checks.answer(
                g.session, g.actor, check_id, _told(check_id), now=datetime.now(UTC),
                source_ip=source_ip(),
            )  # fmt: skip
    except Invalid:
        with g.session.begin():
            return _page(wrong=check_id), 422
    return redirect("/worker/checks?done=1", 303)


@bp.put("/api/checks/<uuid:answer_id>")
@requires("visit:make")
def put(answer_id: UUID) -> ResponseReturnValue:
    """Take an answer under an id that the phone made; sent again it is the same answer."""
    body = body_as(CheckBody)
    told = Told(answer_id, body.answer, body.value, body.lon, body.lat)
    with g.session.begin():
        taken = checks.answer(
            g.session, g.actor, body.check, told, now=datetime.now(UTC), source_ip=source_ip()
        )
    return json_answer(taken.body, 201 if taken.is_new else 200)


def cards() -> list[dict[str, Any]]:
    """Write the open questions for a phone. Inside a transaction."""
    found = checks.open_checks(g.session, g.actor)
    sources = statements.sources_of(
        g.session, [Fact(source=name) for one in found for name in _sources(one)]
    )
    names = {code: source.name for code, source in sources.items()}
    return [_card(one, names) for one in found]


def open_questions() -> dict[str, int]:
    """Count what waits for an answer from the spot: addresses and facts. Inside a transaction."""
    return {
        "open_addresses": count_open(g.session, g.actor),
        "open_checks": checks.count_open(g.session, g.actor),
    }


def _sources(one: Open) -> list[str]:
    return [name for candidate in one.check.candidates for name in candidate["sources"]]


def _card(one: Open, names: dict[str, str]) -> dict[str, Any]:
    fact = checks.field_of(one.check.register, one.check.field)
    field = one.check.field
    return {
        "id": one.check.id,
        "name": title_of(one.kind, one.entry),
        "register": str(_(f"data.register.{one.kind.name}")),
        "icon": one.kind.icon,
        "ask": str(_(f"check.ask.{field}")) if field == PLACE
        else str(_("check.ask", field_name=_(f"register.field.{field}"))),
        "why": str(_(f"check.why.{one.check.why}")),
        "lon": one.lon, "lat": one.lat,
        "candidates": [_candidate(one, candidate, names) for candidate in one.check.candidates],
        "other": "place" if fact is None else fact.form if fact.form in ("text", "number", "day")
        else "choices" if fact.choices else "",
        "choices": [{"code": code, "text": words} for code, words in (choices_of(fact) if fact else [])
                    if code not in {c["value"] for c in one.check.candidates}],
        "unit": str(_(f"data.unit.{fact.unit}")) if fact and fact.unit else "",
    }  # fmt: skip


def _candidate(one: Open, candidate: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    fact = checks.field_of(one.check.register, one.check.field)
    value = candidate["value"]
    told = [names.get(name) or translated(f"fact.source.{name}", "") or source_words(name)
            for name in candidate["sources"]]  # fmt: skip
    lon, lat = statements.point_of(value) if fact is None else (None, None)
    return {
        "value": value, "words": place_words(value) if fact is None else said_words(fact, value),
        "sources": str(_("visit.comma")).join(told), "lon": lon, "lat": lat,
    }  # fmt: skip


def _page(wrong: int = 0) -> str:
    return render_template(
        "worker/checks.html",
        cards=cards(), wrong=wrong, new_id=lambda: str(uuid4()), done=request.args.get("done", ""),
        tab="tasks", page_data=faces.page_data(the_city(g.session)),
    )  # fmt: skip


def _told(check_id: int) -> Told:
    """Read the form of a card. Raises `BadAnswer`."""
    form = request.form
    key, given = faces.form_id(form.get("id", "")), form.get("answer", "")
    if key is None:
        raise BadAnswer("the card is not whole: load it again", field="answer")
    if given.startswith(CANDIDATE) and given[1:].isdecimal():
        with_it = next((one for one in checks.open_checks(g.session, g.actor)
                        if one.check.id == check_id), None)  # fmt: skip
        offered = with_it.check.candidates if with_it else []
        place = int(given[1:])
        if place >= len(offered):
            # Answered since, or never offered: the service says which.
            return Told(key, "value")
        return Told(key, "value", str(offered[place]["value"]))
    try:
        lon, lat = (float(form[name]) if form.get(name) else None for name in ("lon", "lat"))
    except ValueError:
        raise BadAnswer("no place", field="value") from None
    return Told(key, given, form.get("value", "")[:2000], lon, lat)
