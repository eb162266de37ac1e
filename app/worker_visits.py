"""Visits on the worker's phone: the round of the day, one sheet for all lines, and one's own visits.

Every page works without script; script keeps what was answered, sealed, until it has arrived.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.assets import DIST
from app.auth import PUBLIC, requires
from app.faces import FieldErrors
from app.visit_answers import Words, due_json, now, sheet_json
from app.visits_api import near, own_json
from grids.city import the_city
from grids.errors import GridsError
from grids.ledgers import rounds, visits
from grids.ledgers.errors import BadForm
from grids.ledgers.rounds import Sheet
from grids.ledgers.visits import Sent
from grids.regrid import history

bp = Blueprint("worker_visits", __name__, url_prefix="/worker")

#: An answer and a photo for each question of the longest sheets, of which each is a part.
MOST_PARTS: Final = 400
#: Beginnings of the names of fields: the answer to a question, its photo.
ANSWER: Final = "a."
PHOTO: Final = "p."
MOST_VERSIONS: Final = 40


@bp.url_value_preprocessor
def widen(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let the form of this request carry a sheet with its photos."""
    faces.widen_form()
    request.max_form_parts = MOST_PARTS


@bp.get("/visits")
@requires("visit:make")
def due() -> ResponseReturnValue:
    """List what is due in the own area, and what was found by words."""
    at, words_asked = now(), request.args.get("q", "").strip()[:40]
    with g.session.begin():
        found = rounds.today(g.session, g.actor, now=at, near=near())
        searched = rounds.find(g.session, g.actor, words_asked) if words_asked else []
        words = Words([*(one.subject for one in found), *searched])
        return render_template(
            "worker/visits.html",
            rows=[due_json(one, words, at) for one in found],
            q=words_asked,
            searched=[(one, words.name(one), words.kind(one), words.grid(one)) for one in searched],
            **_frame(),
        )


@bp.get("/visits/mine")
@requires("visit:make")
def mine() -> ResponseReturnValue:
    """List one's own visits, and what later visits found otherwise: for oneself alone."""
    with g.session.begin():
        return render_template(
            "worker/visits_mine.html", own=own_json(now()), moment=faces.instant_words, **_frame()
        )


@bp.get("/visits/<name>/<int:key>")
@requires("visit:make")
def sheet(name: str, key: int) -> ResponseReturnValue:
    """Show one sheet with the questions of all lines that are due there."""
    with g.session.begin():
        return _sheet_page(_open(name, key), {})


@bp.post("/visits/<name>/<int:key>")
@requires("visit:make")
def post_sheet(name: str, key: int) -> ResponseReturnValue:
    """Keep the visit of a page without script, or show the sheet with what is wrong."""
    with g.session.begin():
        found = _open(name, key)
    try:
        with g.session.begin():
            answer = visits.record(g.session, _sent(found), g.actor, now=now())
    except FieldErrors as refused:
        errors, status = refused.errors, 422
    except GridsError as refused:
        errors, status = faces.field_errors(refused), 422
    else:
        return redirect(url_for("worker_visits.mine", done=answer.body["id"]), 303)
    with g.session.begin():
        return _sheet_page(found, errors), status


@bp.get("/offline")
@requires(PUBLIC)
def offline() -> ResponseReturnValue:
    """Give the page that a phone keeps for the time without a network: it holds nobody's data."""
    with g.session.begin():
        return render_template(
            "worker/offline.html", tab="", page_data=faces.page_data(the_city(g.session))
        )


@bp.get("/sw.js")
@requires(PUBLIC)
def service_worker() -> ResponseReturnValue:
    """Give the service worker: served from here, so that it answers for /worker/ alone."""
    answer = Response((DIST / "sw.js").read_bytes(), mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def _frame(**more: Any) -> dict[str, Any]:
    known = history.tag(g.session, g.actor)
    return {"tab": "tasks", "page_data": faces.page_data(the_city(g.session), grids=known, **more)}


def _open(name: str, key: int) -> Sheet:
    is_all = request.values.get("all") == "1"
    return rounds.open_sheet(g.session, g.actor, name, key, now=now(), is_all=is_all)


def _sheet_page(found: Sheet, errors: dict[str, str]) -> str:
    shown = sheet_json(found, Words([found.one]))
    return render_template(
        "worker/visit.html",
        sheet=shown,
        errors=errors,
        typed=request.form,
        visit_id=faces.form_values(("id",))["id"] if request.method == "POST" else str(uuid4()),
        is_all=request.values.get("all") == "1",
        **_frame(sheet=shown),
    )


def _sent(found: Sheet) -> Sent:
    """Read what a page without script has sent. Raises `FieldErrors` and `BadForm`."""
    form = request.form
    versions = tuple(int(text) for text in form.getlist("version") if text.isdecimal())
    key = faces.form_id(form.get("id", ""))
    if key is None or not versions or len(versions) > MOST_VERSIONS:
        raise BadForm("the sheet is not whole: load it again", field="forms")
    types = {item.question.key: item.question.type for item in found.items}
    answers: dict[str, Any] = {}
    for name in form:
        given = [text.strip() for text in form.getlist(name) if text.strip()]
        if name.startswith(ANSWER) and given:
            question = name.removeprefix(ANSWER)
            answers[question] = given if types.get(question) == "many" else given[0]
    photos = _photos()
    answers |= {name: photos.pop(name) for name in tuple(photos) if types.get(name) == "photo"}
    same = frozenset(form.getlist("same")) - answers.keys()
    return Sent(
        key, found.one.subject, found.one.id, versions, answers, same, photos,
    )  # fmt: skip


def _photos() -> dict[str, str]:
    """Store the photos of the form by the question that each belongs to."""
    city, stored = the_city(g.session), {}
    for name, file in request.files.items():
        if name.startswith(PHOTO) and file.filename:
            question = name.removeprefix(PHOTO)
            try:
                stored[question] = faces.sent_photo(file, city, g.actor, now=now())
            except FieldErrors as refused:
                raise FieldErrors(
                    {question: refused.errors.get("photos", str(_("visit.bad_photo")))}
                ) from refused
    return stored
