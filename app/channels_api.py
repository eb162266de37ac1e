"""The door for other systems: cases in, photos in, how far a case is. By API token only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from babel.support import Translations
from flask import Blueprint, Response, current_app, g, request
from flask.typing import ResponseReturnValue

from app import faces
from app.auth import requires
from app.errors import problem
from app.i18n import FOLDER, LANGUAGES, language
from app.incidents_api import photo_answer
from app.render import json_answer
from gis.jsontext import load_json
from grids import limits
from grids.channels import inbound, systems
from grids.channels.reading import BadCase, Problem

bp = Blueprint("channels_api", __name__)

LARGEST_BODY: Final = 64 * 1024
#: Cases and questions of one system in an hour.
MOST_CASES: Final = 6_000
MOST_QUESTIONS: Final = 20_000


@bp.post("/api/channels/<system>/cases")
@requires("channel:send")
def post_case(system: str) -> ResponseReturnValue:
    """Take a case of another system in; its number again with the same body is the same case."""
    now = datetime.now(UTC)
    try:
        document = load_json(request.get_data(cache=False), max_bytes=LARGEST_BODY)
        with g.session.begin():
            _count("case", MOST_CASES, now)
        with g.session.begin():
            taken = inbound.take(
                g.session, system, document, g.actor, now=now,
                vault=current_app.extensions["vault"], hotline=faces.settings().hotline,
            )  # fmt: skip
    except BadCase as bad:
        return _bad_case(bad)
    answer = json_answer(taken.answer, 201 if taken.is_new else 200)
    if taken.is_new:
        answer.headers["Location"] = f"/api/channels/{system}/cases/{taken.answer['sender_id']}"
    return answer


@bp.get("/api/channels/<system>/cases/<path:sender_id>")
@requires("channel:send")
def get_case(system: str, sender_id: str) -> ResponseReturnValue:
    """Tell a system how far its case is, by its own number."""
    now = datetime.now(UTC)
    with g.session.begin():
        _count("ask", MOST_QUESTIONS, now)
        told = inbound.status(
            g.session, system, sender_id, g.actor, hotline=faces.settings().hotline
        )
    return json_answer(told)


@bp.put("/api/channels/<system>/blobs/<sha256>")
@requires("channel:send")
def put_photo(system: str, sha256: str) -> ResponseReturnValue:
    """Store a photo under the hash of its bytes; a case names it afterwards."""
    with g.session.begin():
        systems.of_caller(g.session, system, g.actor)
    return photo_answer(sha256, g.actor.account_id)


def _count(what: str, most: int, now: datetime) -> None:
    limits.count_use(g.session, f"channel_{what}:{g.actor.account_id}", most=most, now=now)


def _bad_case(bad: BadCase) -> Response:
    """Answer with every fault: its field, its code, and the words in both languages."""
    errors = [_told(one) for one in bad.problems]
    count = len(errors)
    detail = _words("error.channel.bad_case", language(), {"n": count})
    return problem(422, bad.code, detail, errors=errors)


def _told(one: Problem) -> dict[str, Any]:
    both = {name: _words(f"error.{one.code}", name, one.params) for name in LANGUAGES}
    return {"field": one.field, "code": one.code, "message": both[language()], "messages": both}


def _words(key: str, name: str, params: Mapping[str, Any]) -> str:
    """Write a text of the errors in one language, whatever the request asks for."""
    text = str(_catalogue(name).gettext(key))
    try:
        return text % {"field_name": params.get("field", ""), **params}
    except (KeyError, TypeError, ValueError):
        return text


@cache
def _catalogue(name: str) -> Any:
    return Translations.load(str(FOLDER / "errors"), [name])
