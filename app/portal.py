"""The public portal: report a problem with a photo and a place, and follow it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces, questions
from app.auth import PUBLIC, requires
from app.errors import problem
from app.faces import FieldErrors
from app.i18n import translated
from app.incidents_api import photo_answer
from app.render import json_answer, own_path, wants_html
from app.report_form import FIELDS, Form, submit
from gis.errors import GisError
from grids import following, limits, places
from grids.channels.numbers import public_number
from grids.city import the_city
from grids.codes import Department
from grids.errors import Conflict, GridsError, NotFound
from grids.incidents import detail, tracking
from grids.incidents.lifecycle import STATES
from grids.incidents.places import place_of

bp = Blueprint("portal", __name__)
bp.url_value_preprocessor(lambda _endpoint, _values: faces.widen_form())
bp.context_processor(lambda: {"hotline": faces.settings().hotline})

LIKELY = 8
#: Photos that one source may store in an hour: those of its reports, and some second tries.
MOST_PHOTOS_PER_HOUR: Final = 200
YEAR_S = 365 * 24 * 3600
HOUR_S = 3600


@bp.get("/")
@requires(PUBLIC)
def report_page() -> ResponseReturnValue:
    """Show the report form with an id of its own: sent twice, it is one report."""
    with g.session.begin():
        return _form_page(Form(id=str(uuid4())), {})


@bp.post("/")
@requires(PUBLIC)
def post_report() -> ResponseReturnValue:
    """Take a report in and go to its page, or show the form again with what is wrong."""
    return _take_in(None)


@bp.put("/api/public/reports/<uuid:report_id>")
@requires(PUBLIC)
def put_report(report_id: UUID) -> ResponseReturnValue:
    """Take in a report of another programme, by the rules of the form."""
    return _take_in(str(report_id))


def _take_in(report_id: str | None) -> ResponseReturnValue:
    form = Form(id=report_id or str(uuid4()))
    try:
        form = Form(**faces.form_values(FIELDS), answers=questions.sent())
        form = replace(form, id=report_id or form.id)
        if request.form.get("ask"):
            return _shown_again(form)
        code = submit(form)
    except FieldErrors as refused:
        return _refused(form, refused.errors)
    except Conflict:
        return _refused(form, {"": str(_("portal.error.conflict"))}, status=409)
    except limits.TooMany:
        return _refused(form, {"": str(_("portal.error.rate"))}, status=429)
    except (GridsError, GisError) as refused:
        return _refused(form, faces.field_errors(refused))
    target = url_for("portal.track", code=code, new=1)
    if wants_html():
        return redirect(target, 303)
    return json_answer({"code": code, "url": target}, 201)


def _shown_again(form: Form) -> str:
    """Show the form with the questions of its category, to who has no script."""
    with g.session.begin():
        return _form_page(form, {})


def _form_page(form: Form, errors: dict[str, str]) -> str:
    now = datetime.now(UTC)
    city = the_city(g.session)
    return render_template(
        "portal/report.html",
        form=form,
        errors=errors,
        common=faces.likely(("",), most=LIKELY, now=now),
        groups=faces.groups(now),
        asked=questions.page(form.chosen, answers=form.answers, errors=errors),
        page_data=faces.page_data(city, id=form.id),
    )


def _refused(form: Form, errors: dict[str, str], status: int = 422) -> ResponseReturnValue:
    """Show the form again with what is wrong, or say it to the page's script."""
    if not wants_html():
        notes = [{"field": name, "message": text} for name, text in errors.items() if name]
        detail_text = errors.get("") or str(_("portal.check_fields"))
        return problem(status, "report.refused", detail_text, errors=notes)
    g.session.rollback()
    with g.session.begin():
        return _form_page(form, errors), status


@bp.put("/api/public/blobs/<sha256>")
@requires(PUBLIC)
def put_photo(sha256: str) -> ResponseReturnValue:
    """Store a photo under the hash of its bytes; the report names it afterwards."""
    now = datetime.now(UTC)
    source = f"photo:{request.remote_addr or ''}"
    with g.session.begin():
        limits.count_use(g.session, source, most=MOST_PHOTOS_PER_HOUR, now=now)
    return photo_answer(sha256, None)


@bp.get("/api/public/reports/<code>")
@requires(PUBLIC)
def get_report(code: str) -> ResponseReturnValue:
    """Say where a report is, for programmes."""
    now = datetime.now(UTC)
    with g.session.begin():
        followed = following.follow(g.session, code, now=now)
    return json_answer(_shown(followed, tracking.normal(code), now))


@bp.get("/api/public/place")
@requires(PUBLIC)
def name_place() -> ResponseReturnValue:
    """Name a point: nearest address, town and community, and open reports of the same kind."""
    now = datetime.now(UTC)
    try:
        lon, lat = (float(request.args.get(name, "")) for name in ("lon", "lat"))
    except ValueError:
        return problem(422, "place.invalid", str(_("portal.error.place_number")))
    with g.session.begin():
        city = the_city(g.session)
        try:
            place_of(city, lon, lat, "gnss")
        except GisError:
            return json_answer({"inside": False, "near": []})
        found = places.near(g.session, lon, lat)
        code = request.args.get("category", "")
        same = (
            detail.reported_near(g.session, lon=lon, lat=lat, category=code, now=now)
            if code
            else []
        )
    return json_answer(
        {
            "inside": True,
            "address": found.address,
            "area": faces.by_language(found.area_zh, found.area_en),
            "near": [
                {
                    "category": faces.by_language(near.category.name_zh, near.category.name_en),
                    "distance_m": round(near.away_m),
                    "reported_at": near.received_at,
                    "state": str(_(f"portal.state_{STATES[near.status].public}")),
                }
                for near in same
            ],
        }
    )


@bp.get("/track")
@requires(PUBLIC)
def follow() -> ResponseReturnValue:
    """Ask for a tracking code, or go to the report that it opens."""
    code = tracking.normal(request.args.get("code", "")[:80])
    if not code:
        return render_template("portal/follow.html", code="", problem="", page_data={})
    return redirect(url_for("portal.track", code=code))


@bp.get("/track/<code>")
@requires(PUBLIC)
def track(code: str) -> ResponseReturnValue:
    """Show where a report is, like a parcel."""
    now = datetime.now(UTC)
    with g.session.begin():
        try:
            followed = following.follow(g.session, code, now=now)
        except NotFound:
            text = str(_("portal.follow_unknown"))
            page = render_template("portal/follow.html", code=code[:80], problem=text, page_data={})
            return page, 404
        city = the_city(g.session)
    return render_template(
        "portal/track.html",
        report=_shown(followed, tracking.normal(code), now),
        is_new=request.args.get("new") == "1",
        page_data=faces.page_data(city),
    )


def _shown(followed: following.Followed, code: str, now: datetime) -> dict[str, Any]:
    """Put a followed report into words."""
    row = followed.row
    due = followed.due_at
    return {
        "number": row.number,
        "public_number": public_number(row.number, faces.settings().hotline),
        "code": " ".join(re.findall(".{1,4}", code)),
        "state": followed.state,
        "version": followed.version,
        "category": faces.by_language(row.category_zh, row.category_en),
        "place": row.address
        or faces.by_language(
            f"{row.town_zh or ''}{row.community_zh or ''}", row.community_en or row.town_en
        ),
        "joined": followed.is_joined,
        "rests": _rests(followed),
        "department": _name_of(followed.department),
        "due": faces.instant_words(due),
        "is_late": due is not None and due < now,
        "reason": translated(f"reason.{followed.reason}", followed.reason or "")
        if followed.reason
        else "",
        "steps": [_step(step) for step in followed.steps],
        "photos": [_photo(code, photo.id) for photo in followed.photos],
        "result_photos": [_photo(code, photo.id) for photo in followed.results],
    }


def _rests(followed: following.Followed) -> dict[str, str] | None:
    """Say until when cases like this one rest, and what everybody is told of it."""
    found = followed.rests
    if found is None:
        return None
    until = faces.instant_words(found.valid.upper) if found.valid.upper else ""
    return {"until": until, "note": found.public_note}


def _name_of(department: Department | None) -> str:
    return faces.by_language(department.name_zh, department.name_en) if department else ""


def _step(step: following.FollowedStep) -> dict[str, str]:
    department = step.department
    name = _name_of(department) or str(_("portal.worker"))
    return {
        "text": str(_(f"portal.step_{step.word}", department=name)),
        "at": faces.instant_words(step.at),
        "at_iso": step.at.isoformat(),
    }


def _photo(code: str, photo_id: int) -> dict[str, str]:
    return {
        "url": url_for("portal.photo", code=code, photo_id=photo_id),
        "thumb": url_for("portal.photo", code=code, photo_id=photo_id, size="thumb"),
    }


@bp.get("/track/<code>/photos/<int:photo_id>")
@requires(PUBLIC)
def photo(code: str, photo_id: int) -> ResponseReturnValue:
    """Give the public copy of a photo to who knows the report's code."""
    with g.session.begin():
        found = following.photo_of(g.session, code, photo_id)
    if found is None:
        abort(404)
    is_thumb = request.args.get("size") == "thumb"
    data = faces.blob_store().read(
        "public", found.thumb_sha256 if is_thumb else found.public_sha256
    )
    answer = Response(data, mimetype="image/jpeg")
    answer.headers["Cache-Control"] = f"private, max-age={HOUR_S}"
    return answer


@bp.get("/elder/<any(on, off):state>")
@requires(PUBLIC)
def elder(state: str) -> ResponseReturnValue:
    """Keep large text (长辈版) in a cookie and go back to the page it was chosen on."""
    answer = redirect(own_path(request.args.get("next", "/")))
    answer.set_cookie(
        "wangge_elder", state, max_age=YEAR_S, samesite="Lax", secure=request.is_secure
    )
    return answer
