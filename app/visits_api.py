"""The API of visits: the round of the day, sheets, a package for a phone, and what was made.

The id of a visit is made by the phone: sent twice it is one visit, and another body is refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from app import faces
from app.auth import requires
from app.i18n import language
from app.incidents_api import body_as
from app.render import json_answer
from app.visit_answers import Words, due_json, kind_word, now, package_json, sheet_json, value_words
from app.worker_checks import cards
from grids.errors import Invalid
from grids.ledgers import feedback, forms, rounds, visits
from grids.ledgers.visits import Sent
from grids.regrid import history

bp = Blueprint("visits_api", __name__)

MOST_ITEMS: Final = 400

Key = Annotated[str, msgspec.Meta(max_length=120)]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86400)]


class SheetBody(msgspec.Struct, forbid_unknown_fields=True):
    """A visit as a phone sends it: the forms it served, answers, what is still so, photos."""

    subject: str
    subject_id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    versions: Annotated[list[Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]],
                        msgspec.Meta(max_length=40)]  # fmt: skip
    answers: Annotated[dict[Key, Any], msgspec.Meta(max_length=MOST_ITEMS)] = {}
    confirmed: Annotated[list[Key], msgspec.Meta(max_length=MOST_ITEMS)] = []
    photos: Annotated[dict[Key, Hash], msgspec.Meta(max_length=MOST_ITEMS)] = {}
    done_at: datetime | None = None
    seconds: Annotated[int, msgspec.Meta(ge=0, le=86400)] | None = None
    taps: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None
    timings: Annotated[dict[Key, Seconds], msgspec.Meta(max_length=MOST_ITEMS)] = {}


@bp.after_request
def keep_nothing(answer: Response) -> Response:
    """Let no cache keep what was seen on visits."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/api/visits/due")
@requires("visit:make")
def due() -> ResponseReturnValue:
    """List what is due in the own area: nearest first from `lon` and `lat`, else the oldest."""
    at = now()
    with g.session.begin():
        found = rounds.today(g.session, g.actor, now=at, near=near())
        words = Words(one.subject for one in found)
        items = [due_json(one, words, at) for one in found]
    return json_answer({"items": items, "as_of": at})


@bp.get("/api/visits/package")
@requires("visit:make")
def package() -> ResponseReturnValue:
    """Give the sheets of what is due, for a phone that goes where there is no network.

    What is the same for every sheet of a question stands once, under `questions`.
    """
    at = now()
    with g.session.begin():
        found = rounds.package(g.session, g.actor, now=at, near=near())
        words = Words(one.one for one in found)
        sheets = package_json(found, words)
        asked = cards()
        known = history.tag(g.session, g.actor)
    return json_answer({
        "account": g.actor.account_id, "lang": language(), "as_of": at, "grids": known,
        "checks": asked, **sheets
    })  # fmt: skip


@bp.get("/api/visits/subjects/<name>/<int:key>")
@requires("visit:make")
def sheet(name: str, key: int) -> ResponseReturnValue:
    """Give the sheet of one subject; `all=1` asks what could wait too."""
    with g.session.begin():
        found = rounds.open_sheet(
            g.session, g.actor, name, key, now=now(), is_all=request.args.get("all") == "1"
        )
        return json_answer(sheet_json(found, Words([found.one])))


@bp.get("/api/visits/find")
@requires("visit:make")
def find() -> ResponseReturnValue:
    """Find shops, homes, buildings and components of the own area by two letters of their name."""
    with g.session.begin():
        found = rounds.find(g.session, g.actor, request.args.get("q", "")[:40])
        words = Words(found)
        items = [{"subject": one.subject, "id": one.id, "name": words.name(one),
                  "kind": words.kind(one), "grid": words.grid(one)} for one in found]  # fmt: skip
    return json_answer({"items": items})


@bp.put("/api/visits/<uuid:visit_id>")
@requires("visit:make")
def put_visit(visit_id: UUID) -> ResponseReturnValue:
    """Keep a visit with its answers; sending it again is harmless and gets the same answer."""
    body = body_as(SheetBody)
    sent = Sent(
        visit_id, body.subject, body.subject_id, tuple(body.versions), body.answers,
        frozenset(body.confirmed), body.photos, body.done_at, body.seconds, body.taps,
        body.timings,
    )  # fmt: skip
    if body.done_at is not None and body.done_at.tzinfo is None:
        raise Invalid("done_at has no zone", field="done_at")
    with g.session.begin():
        answer = visits.record(g.session, sent, g.actor, now=now())
    return json_answer(answer.body, 201 if answer.is_new else 200)


@bp.get("/api/visits/own")
@requires("visit:make")
def own() -> ResponseReturnValue:
    """List the caller's own visits, and which of the own answers a later visit found otherwise."""
    with g.session.begin():
        return json_answer(own_json(now()))


def own_json(at: datetime) -> dict[str, Any]:
    """Write the caller's own visits and their quality. Inside a transaction."""
    made = rounds.made(g.session, g.actor, now=at)
    quality = feedback.own(g.session, g.actor, now=at)
    names = rounds.names_of(
        g.session, g.actor, ((one.subject, one.subject_id) for one in quality.corrections)
    )
    classes = rounds.component_names(g.session, (one.kind for one in made))
    worded = {one.key: one for one in forms.questions(g.session)}
    return {
        "items": [
            {"id": str(one.visit.id), "subject": one.visit.subject, "key": one.visit.subject_id,
             "name": one.name or f"{kind_word(one.visit.subject, one.kind, classes)}"
                                 f" {one.visit.subject_id}",
             "kind": kind_word(one.visit.subject, one.kind, classes),
             "done_at": one.visit.done_at, "received_at": one.visit.received_at,
             "forms": [faces.by_language(*name) for name in one.forms],
             "asked": one.visit.asked, "reused": one.visit.reused}
            for one in made
        ],
        "looked_at": quality.looked_at,
        "stood": quality.stood,
        "corrections": [
            {"name": names.get((one.subject, one.subject_id), ("", ""))[0],
             "question": faces.by_language(worded[one.question].zh, worded[one.question].en),
             "given": value_words(worded[one.question], one.given), "given_at": one.given_at,
             "found": value_words(worded[one.question], one.found), "found_at": one.found_at}
            for one in quality.corrections if one.question in worded
        ],
    }  # fmt: skip


@bp.get("/worker/api/session")
@requires("visit:make")
def session() -> ResponseReturnValue:
    """Say who is signed in on this phone, and with which word the pages send.

    A page that was kept for the time without a network has the word of an earlier sign-in.
    """
    return json_answer({"account": g.actor.account_id, "csrf_token": g.csrf_token})


def near() -> tuple[float, float] | None:
    """Read the place of the phone. Raises `Invalid` where it is none."""
    if "lon" not in request.args and "lat" not in request.args:
        return None
    try:
        lon, lat = float(request.args.get("lon", "")), float(request.args.get("lat", ""))
    except ValueError:
        raise Invalid("no point", field="lon") from None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise Invalid("no point", field="lon")
    return lon, lat
