"""The public portal: report a problem with a photo and a place, and follow it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.auth import PUBLIC, requires
from app.errors import problem
from app.faces import FieldErrors
from app.i18n import translated
from app.render import json_answer, own_path, wants_html
from gis.errors import GisError
from grids import following, limits, places
from grids.accounts import Actor
from grids.city import City, the_city
from grids.errors import Conflict, GridsError, NotFound
from grids.incidents import detail, service, tracking
from grids.incidents.lifecycle import STATES
from grids.incidents.places import place_of
from grids.incidents.requests import Contact, Report

bp = Blueprint("portal", __name__)
bp.url_value_preprocessor(lambda _endpoint, _values: faces.widen_form())

LIKELY = 8
#: New reports that one source may send in an hour; a carrier hides many people behind one.
MOST_PER_HOUR: Final = 30
PHONE: Final = re.compile(r"\+?[\d\s()-]{5,20}")
MINIMUM_DIGITS = 5
YEAR_S = 365 * 24 * 3600
HOUR_S = 3600
#: Asks "was this reported already?" for somebody who is nobody in particular.
PASSER_BY: Final = Actor(0, "", frozenset(), frozenset(), ("",))


@dataclass(frozen=True)
class Form:
    """What somebody has typed, as it stands in the fields."""

    id: str
    category: str = ""
    category_other: str = ""
    text: str = ""
    address: str = ""
    lon: str = ""
    lat: str = ""
    accuracy_m: str = ""
    coord_source: str = ""
    name: str = ""
    phone: str = ""
    website: str = ""  #: nobody sees this field; what fills it in is a robot

    @property
    def chosen(self) -> str:
        """The category: of the chips or of the list."""
        return self.category_other or self.category


FIELDS = tuple(Form.__dataclass_fields__)


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
    form = Form(id=str(uuid4()))
    try:
        form = Form(**faces.form_values(FIELDS))
        code = _submit(form)
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


def _submit(form: Form) -> str:
    """Check and store the report of a form; return its tracking code."""
    now = datetime.now(UTC)
    report_id = faces.form_id(form.id)
    with g.session.begin():
        city = the_city(g.session)
        errors = _typed_errors(form)
        if report_id is None:
            errors[""] = str(_("portal.error.conflict"))
        photos: tuple[str, ...] = ()
        try:
            photos = faces.sent_photos(city, None, now=now, least=1)
        except FieldErrors as refused:
            errors |= refused.errors
        placed: dict[str, Any] = {}
        try:
            placed = _place(city, form)
        except FieldErrors as refused:
            errors |= refused.errors
        if errors or report_id is None:
            raise FieldErrors(errors)
        report = Report(
            id=report_id,
            category=form.chosen,
            text=form.text,
            channel="public",
            photos=photos,
            contact=Contact(form.name, form.phone) if form.name or form.phone else None,
            **placed,
        )
        done = service.submit(g.session, report, None, now=now, vault=faces.vault())
        if done.is_new:
            source = f"report:{request.remote_addr or ''}"
            limits.count_use(g.session, source, most=MOST_PER_HOUR, now=now)
    return tracking.code_for(faces.vault(), report_id)


def _typed_errors(form: Form) -> dict[str, str]:
    """Say what is wrong with the typed fields."""
    errors: dict[str, str] = {}
    if form.website:
        errors[""] = str(_("portal.error.robot"))
    if not form.chosen:
        errors["category"] = str(_("portal.error.category_none"))
    if len(form.text) > 1000:
        errors["text"] = str(_("portal.error.text_long"))
    digits = sum(character.isdigit() for character in form.phone)
    if form.phone and (not PHONE.fullmatch(form.phone) or digits < MINIMUM_DIGITS):
        errors["phone"] = str(_("portal.error.phone"))
    return errors


def _place(city: City, form: Form) -> dict[str, Any]:
    """Return the place of a report: the point that was shown, else the one its address names.

    Raises `FieldErrors`.
    """
    point = faces.coordinates(asdict(form))
    if point is None:
        return _place_by_words(form.address)
    source = form.coord_source if form.coord_source in ("gnss", "map_click") else "map_click"
    try:
        place_of(city, *point, source)
    except (GridsError, GisError) as refused:
        raise FieldErrors({"place": _place_message(refused, city)}) from refused
    accuracy = float(form.accuracy_m) if _is_number(form.accuracy_m) else None
    return {
        "lon": point[0],
        "lat": point[1],
        "address": form.address,
        "coord_source": source,
        "accuracy_m": accuracy,
    }


def _place_by_words(address: str) -> dict[str, Any]:
    if not address:
        raise FieldErrors({"place": str(_("portal.error.place_none"))})
    found = places.find(g.session, address)
    if found is None:
        raise FieldErrors({"place": str(_("portal.error.place_unknown"))})
    return {
        "lon": found.lon,
        "lat": found.lat,
        "address": address,
        "coord_source": "derived",
        "accuracy_m": found.accuracy_m,
    }


def _place_message(error: GridsError | GisError, city: City) -> str:
    """Say what is wrong with a point in words for people who are no surveyors."""
    if error.code == "gis.swapped":
        return str(_("portal.error.place_swapped"))
    if error.code in ("gis.out_of_range", "incident.outside_city", "gis.null_island"):
        return str(
            _("portal.error.place_outside", city=faces.by_language(city.name_zh, city.name_en))
        )
    return faces.message_of(error)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\d+(\.\d+)?", text))


def _form_page(form: Form, errors: dict[str, str]) -> str:
    now = datetime.now(UTC)
    city = the_city(g.session)
    return render_template(
        "portal/report.html",
        form=form,
        errors=errors,
        common=faces.likely(("",), most=LIKELY, now=now),
        groups=faces.groups(now),
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
            detail.nearby(g.session, PASSER_BY, lon=lon, lat=lat, category=code, now=now)
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
                    "category": faces.by_language(row.category_zh, row.category_en),
                    "distance_m": round(away_m),
                    "reported_at": row.received_at,
                    "state": str(_(f"portal.state_{STATES[row.status].public}")),
                }
                for row, away_m in same
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
    due = row.handling_due_at if followed.state == "in_progress" else None
    return {
        "number": row.number,
        "code": code,
        "state": followed.state,
        "version": followed.version,
        "category": faces.by_language(row.category_zh, row.category_en),
        "place": row.address
        or faces.by_language(
            f"{row.town_zh or ''}{row.community_zh or ''}", row.community_en or row.town_en
        ),
        "department": _department(followed),
        "due": faces.instant_words(due),
        "is_late": due is not None and due < now,
        "reason": translated(f"reason.{followed.reason}", followed.reason or "")
        if followed.reason
        else "",
        "steps": [_step(step) for step in followed.steps],
        "photos": [_photo(code, photo.id) for photo in followed.photos],
        "result_photos": [_photo(code, photo.id) for photo in followed.results],
    }


def _department(followed: following.Followed) -> str:
    row = followed.row
    return faces.by_language(row.department_zh, row.department_en)


def _step(step: following.FollowedStep) -> dict[str, str]:
    department = step.department
    name = (
        faces.by_language(department.name_zh, department.name_en)
        if department
        else str(_("portal.worker"))
    )
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
