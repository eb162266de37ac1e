"""The API of cases: the queue, one case, reports, moves and photos."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from flask import Blueprint, Response, current_app, g, request
from flask.typing import ResponseReturnValue

from app.auth import requires
from app.config import Settings
from app.db import alone
from app.errors import problem
from app.i18n import translated
from app.incident_answers import detail_json, held_json, page_json, row_json
from app.render import json_answer
from app.uploads import count_upload
from gis.jsontext import load_json
from grids import blobs
from grids.city import the_city
from grids.errors import Invalid
from grids.incidents import detail as details
from grids.incidents import held, listing, service
from grids.incidents.requests import Done, MoveRequest, Report
from grids.people import reporters

bp = Blueprint("incidents", __name__)

MOST_DAYS = 400
LARGEST_BODY = 256 * 1024
YEAR_S = 365 * 24 * 3600

Body = TypeVar("Body")


class BadNumber(Invalid):
    """A parameter is no number, day or instant."""

    code = "incident.bad_number"


#: What the phone says of a place becomes a flag of the case: it is looked at, never refused.
SAID = ("mock_place", "outside_own")


class ReportBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a member of staff sends with a report; the id stands in the address."""

    category: str
    lon: float
    lat: float
    kind: Literal["matter", "component"] = "matter"
    text: str = ""
    address: str = ""
    urgency: Literal["A", "B", "C", "D"] | None = None
    channel: Literal["worker", "phone", "document", "media"] = "worker"
    photos: list[str] = []
    device_at: datetime | None = None
    device: str = ""
    accuracy_m: float | None = None
    coord_source: str = "gnss"
    after: list[str] = []
    answers: dict[str, str] = {}
    mock_place: bool = False  #: the device says that its position was made up
    outside_own: bool = False  #: the place lies outside of the own grid, and the worker means it


class MoveBody(msgspec.Struct, forbid_unknown_fields=True):
    """One step: the id is made by the client, so that it may be sent again."""

    id: UUID
    action: str
    device_at: datetime | None = None
    device: str = ""
    note: str = ""
    reason: str | None = None
    category: str | None = None
    kind: Literal["matter", "component"] = "matter"
    urgency: Literal["A", "B", "C", "D"] | None = None
    department: str | None = None
    assisting: list[str] = []
    worker: int | str | None = None
    photos: list[str] = []
    lon: float | None = None
    lat: float | None = None
    main: str | None = None  #: the number of the case, or its id
    until: datetime | None = None
    level: str | None = None
    grade: str | None = None
    outside: str = ""
    follows: UUID | None = None


def body_as(kind: type[Body]) -> Body:
    """Read the body as a structure: measured before it is parsed, checked field by field."""
    document = load_json(request.get_data(cache=False), max_bytes=LARGEST_BODY)
    return msgspec.convert(document, kind, strict=True)


def answered(done: Done, **more: Any) -> Response:
    """Answer 201 for a new write, 200 for one that was answered before, 202 for one that waits."""
    if done.answer.get("held"):
        return json_answer({**done.answer, **more}, 202)
    return json_answer({**done.answer, **more}, 201 if done.is_new else 200)


@bp.get("/api/incidents")
@requires("incident:view")
def list_incidents() -> ResponseReturnValue:
    """Give a page of the queue, what is due first comes first, with counts."""
    args = request.args
    wanted = listing.Filter(
        statuses=_words("status"),
        stages=_words("stage"),
        risks=_words("risk"),
        area=args.get("area", ""),
        grid=args.get("grid", ""),
        category=args.get("category", ""),
        text=args.get("q", "").strip()[:100],
        since=_instant("from"),
        until=_instant("to"),
        is_mine=args.get("mine") in ("1", "true"),
        after=args.get("after") or None,
        limit=_whole("limit", 50, most=listing.MOST_ROWS),
    )
    return json_answer(page_json(listing.list_cases(g.session, g.actor, wanted, now=_now())))


@bp.get("/api/incidents/nearby")
@requires("incident:view")
def nearby() -> ResponseReturnValue:
    """Give open cases of a class around a place: a hint that it was reported already."""
    found = details.nearby(
        g.session,
        g.actor,
        lon=_degrees("lon"),
        lat=_degrees("lat"),
        category=request.args.get("category", ""),
        now=_now(),
    )
    items = [{**row_json(row), "distance_m": round(away_m, 1)} for row, away_m in found]
    return json_answer({"items": items})


@bp.get("/api/incidents/daily")
@requires("incident:view")
def daily() -> ResponseReturnValue:
    """Give the number of reports of each day, the last one today."""
    days = _whole("days", 60, most=MOST_DAYS)
    zone = ZoneInfo(the_city(g.session).city_zone)
    counts = details.daily_counts(
        g.session, g.actor, area=request.args.get("area", ""), days=days, now=_now(), zone=zone
    )
    return json_answer([{"on": on.isoformat(), "count": count} for on, count in counts])


@bp.get("/api/incidents/held")
@requires("incident:move")
def held_moves() -> ResponseReturnValue:
    """Give the caller's steps that wait for an earlier one, and those refused in the end."""
    rows = held.held_by(g.session, g.actor, now=_now())
    return json_answer({"items": [held_json(row) for row in rows]})


@bp.get("/api/incidents/<uuid:incident_id>")
@requires("incident:view")
def get_incident(incident_id: UUID) -> ResponseReturnValue:
    """Give one case with its history, photos and the moves the caller may make now."""
    found = details.detail(g.session, g.actor, incident_id, now=_now())
    may_reach = g.actor.can("reporter:reveal")
    has_contact = may_reach and reporters.has_contact(g.session, incident_id)
    return json_answer({**detail_json(found), "has_contact": has_contact})


@bp.put("/api/incidents/<uuid:incident_id>")
@requires("incident:submit")
def put_incident(incident_id: UUID) -> ResponseReturnValue:
    """Take a report in; sending it again is harmless and gets the same answer."""
    body = body_as(ReportBody)
    fields = {name: getattr(body, name) for name in body.__struct_fields__ if name not in SAID}
    report = Report(
        id=incident_id,
        flags={name: True for name in SAID if getattr(body, name)},
        **{**fields, "photos": tuple(body.photos), "after": tuple(body.after)},
    )
    vault = current_app.extensions["vault"]
    with alone() as conn:
        done = service.submit_at_once(g.session, conn, report, g.actor, now=_now(), vault=vault)
    if done is None:
        with g.session.begin():
            done = service.submit(g.session, report, g.actor, now=_now(), vault=vault)
    return answered(done)


@bp.post("/api/incidents/<uuid:incident_id>/moves")
@requires("incident:move")
def post_move(incident_id: UUID) -> ResponseReturnValue:
    """Take a case one step further; sending the step again is harmless."""
    body = body_as(MoveBody)
    fields = {name: getattr(body, name) for name in body.__struct_fields__}
    changed = {
        "photos": tuple(body.photos),
        "assisting": tuple(body.assisting),
        "worker": _account(body.worker),
    }
    with g.session.begin():
        main = details.case_named(g.session, g.actor, body.main)
        wanted = MoveRequest(**{**fields, **changed, "main": main})
        done = service.move(g.session, incident_id, wanted, g.actor, now=_now())
    return answered(done)


@bp.put("/api/blobs/<sha256>")
@requires("incident:move")
def put_blob(sha256: str) -> ResponseReturnValue:
    """Store a photo under the hash of its bytes; a report or move names it afterwards."""
    return photo_answer(sha256, g.actor.account_id)


@bp.get("/blobs/<sha256>")
@requires("incident:view")
def blob(sha256: str) -> ResponseReturnValue:
    """Give a copy of a photo without EXIF, to those who may see its case."""
    data = blobs.photo_copy(g.session, blob_store(), g.actor, sha256)
    answer = Response(data, mimetype="image/jpeg")
    answer.headers["Content-Disposition"] = f'inline; filename="{sha256[:16]}.jpg"'
    answer.headers["Cache-Control"] = f"private, max-age={YEAR_S}, immutable"
    return answer


def photo_answer(sha256: str, account_id: int | None) -> Response:
    """Store the body of the request as a photo, and answer with its size.

    The length is judged before a byte is read; the public page uses this too.
    """
    settings: Settings = current_app.extensions["settings"]
    most = min(settings.max_photo_bytes, blobs.MOST_BYTES)
    if (request.content_length or 0) > most:
        megabytes = f"{most / 1024 / 1024:.1f}"
        detail = translated("error.blob.too_large", "too large", most_mb=megabytes)
        return problem(413, "blob.too_large", detail)
    data = request.get_data(cache=False)
    with g.session.begin():
        count_upload(len(data), _now())
    with g.session.begin():
        stored = blobs.store_photo(
            g.session,
            blob_store(),
            data,
            sha256=sha256.lower(),
            account_id=account_id,
            now=_now(),
            city=the_city(g.session),
        )
    return json_answer(
        {"sha256": stored.sha256, "width": stored.width, "height": stored.height}, 201
    )


def blob_store() -> blobs.Store:
    """Return the store of this installation."""
    settings: Settings = current_app.extensions["settings"]
    return blobs.Store(settings.blob_dir)


def _now() -> datetime:
    return datetime.now(UTC)


def _words(name: str) -> tuple[str, ...]:
    """Read a parameter that lists words with commas, or stands several times."""
    parts = (part.strip() for value in request.args.getlist(name) for part in value.split(","))
    return tuple(filter(None, parts))


def _whole(name: str, default: int, *, most: int) -> int:
    text = request.args.get(name)
    if text is None or text == "":
        return default
    try:
        return max(1, min(int(text), most))
    except ValueError:
        raise BadNumber(f"{name} is {text[:20]!r}, needs a number", field=name) from None


def _degrees(name: str) -> float:
    text = request.args.get(name, "")
    try:
        value = float(text)
    except ValueError:
        value = 500.0
    if not -180.0 <= value <= 180.0:  # NaN fails too
        raise BadNumber(f"{name} is {text[:20]!r}, needs degrees", field=name)
    return value


def _instant(name: str) -> datetime | None:
    """Read a day of the city (from its midnight on) or an instant with an offset."""
    text = request.args.get(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadNumber(f"{name} is {text[:30]!r}, needs a day", field=name) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(the_city(g.session).city_zone))
    return at.astimezone(UTC)


def _account(value: int | str | None) -> int | None:
    """Read an account id; forms send it as text."""
    if value is None or value == "":
        return None
    try:
        return int(value)
    except ValueError:
        raise BadNumber("worker is no account id", field="worker") from None
