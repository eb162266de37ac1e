"""The operator's seat: a call, a leader's note or news becomes a case while somebody waits."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces, intake_form, questions
from app.auth import requires
from app.errors import problem
from app.faces import FieldErrors
from app.incident_answers import instant, photo_json, row_json
from app.intake_form import FIELDS, Form
from app.render import json_answer, wants_html
from gis.errors import GisError
from grids import codes, limits, places
from grids.channels import callers, calls, choosing
from grids.channels.calls import Taken
from grids.channels.numbers import public_number
from grids.city import the_city
from grids.codes import Carried, Category
from grids.desk import duplicates
from grids.errors import Conflict, GridsError
from grids.incidents.lifecycle import GRADES, URGENCIES
from grids.incidents.places import place_of

bp = Blueprint("intake", __name__)
bp.url_value_preprocessor(lambda _endpoint, _values: faces.widen_form())

LIKELY: Final = 8
MOST_FOUND: Final = 12


@bp.after_request
def keep_nothing(answer: Response) -> Response:
    """Let no cache keep what somebody said on the phone."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/command/intake")
@requires("intake:take")
def page() -> ResponseReturnValue:
    """Show the form for the next call, and what to tell the last caller."""
    with g.session.begin():
        kind = request.args.get("kind", "")
        form = Form(id=str(uuid4()), kind=kind if kind in calls.KINDS else "call")
        return _page(form, {}, told=_told(request.args.get("done", "")))


@bp.post("/command/intake")
@requires("intake:take")
def post_call() -> ResponseReturnValue:
    """Take the form in, or show it again with what is wrong or what was looked up."""
    form = Form(id=str(uuid4()))
    try:
        form = intake_form.typed(form.id)
        if request.form.get("step") == "look":
            with g.session.begin():
                return _page(form, {}, looked=_looked(form))
        taken = intake_form.take(form)
    except FieldErrors as refused:
        return _refused(form, refused.errors)
    except Conflict as refused:
        return _refused(form, {"": faces.message_of(refused)}, 409, refused.code)
    except limits.TooMany as refused:
        return _refused(form, {"": faces.message_of(refused)}, 429, refused.code)
    except (GridsError, GisError) as refused:
        return _refused(form, faces.field_errors(refused))
    if wants_html():
        return redirect(url_for("intake.page", done=str(taken.id)), 303)
    told = _taken_json(taken)
    body = {**told, "html": render_template("intake/told.html", told=told)}
    return json_answer(body, 201 if taken.is_new else 200)


def _refused(
    form: Form, errors: dict[str, str], status: int = 422, code: str = "intake.refused"
) -> ResponseReturnValue:
    """Show the form again with what is wrong, or say it to the page's script."""
    if not wants_html():
        notes = [{"field": name, "message": text} for name, text in errors.items() if name]
        return problem(status, code, errors.get("") or str(_("intake.check")), errors=notes)
    g.session.rollback()
    with g.session.begin():
        return _page(form, errors, looked=_looked(form)), status


def _page(
    form: Form, errors: dict[str, str], *, told: dict[str, Any] | None = None,
    looked: dict[str, Any] | None = None,
) -> str:  # fmt: skip
    now = datetime.now(UTC)
    city = the_city(g.session)
    kind, code = form.chosen
    placed = {*FIELDS, "place", "photos"}
    return render_template(
        "intake/index.html",
        form=form,
        errors=errors,
        homeless=[
            text
            for name, text in errors.items()
            if name not in placed and not name.startswith(codes.FIELD_PREFIX)
        ],
        told=told,
        looked=looked or {},
        asked=questions.page(code, kind, answers=questions.sent(), errors=errors),
        common=faces.likely(("",), most=LIKELY, now=now),
        groups=_groups(now),
        kinds=tuple(calls.KINDS),
        grades=GRADES,
        urgencies=URGENCIES,
        hotline=faces.settings().hotline,
        today=now.astimezone(ZoneInfo(city.city_zone)).date().isoformat(),
        page_data=faces.page_data(city, id=form.id),
    )


def _groups(now: datetime) -> list[dict[str, Any]]:
    """Return every category that a case can have, by class, for a page without script."""
    return [
        {
            "name": f"{_('intake.kind_' + group[0].category.kind)} · "
            + faces.by_language(group[0].class_zh, group[0].class_en),
            "items": [{"value": _value(one.category), "name": _name(one.category)}
                      for one in group],
        }
        for group in choosing.by_class(g.session, now.date())
    ]  # fmt: skip


def _value(category: Category) -> str:
    return f"{category.kind}:{category.code}"


def _name(category: Category) -> str:
    return faces.by_language(category.name_zh, category.name_en)


@bp.post("/command/intake/caller")
@requires("intake:take")
def caller() -> ResponseReturnValue:
    """Give the earlier cases of a phone number; the number stands in no address and no log."""
    phone = faces.form_values(("phone",))["phone"]
    with g.session.begin():
        return render_template("intake/history.html", history=_history(phone))


def _history(phone: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    found = callers.history(
        g.session, g.actor, faces.vault(), phone, now=now, source_ip=request.remote_addr or ""
    )
    hotline = faces.settings().hotline
    return {
        "total": found.total,
        "open": found.open,
        "last_at": instant(found.last_at),
        "last_text": faces.instant_words(found.last_at),
        "items": [
            {**_short(row_json(row)), "public_number": public_number(row.number, hotline),
             "received_text": faces.instant_words(row.received_at)}
            for row in found.rows
        ],
    }  # fmt: skip


def _short(row: dict[str, Any]) -> dict[str, Any]:
    wanted = ("id", "number", "category", "address", "area_name", "status", "status_name",
              "holder", "received_at", "due_at", "risk")  # fmt: skip
    return {name: row[name] for name in wanted}


@bp.get("/command/intake/categories")
@requires("intake:take")
def categories() -> ResponseReturnValue:
    """Give the categories that words name: code, Chinese, English, pinyin or initials."""
    words = request.args.get("q", "").strip()[:100]
    with g.session.begin():
        found = choosing.by_words(g.session, words, on=faces.today(), most=MOST_FOUND)
    return json_answer(
        [
            {
                "value": _value(one.category),
                "code": one.category.code,
                "name": _name(one.category),
                "of": faces.by_language(one.class_zh, one.class_en),
                "kind": str(_(f"intake.kind_{one.category.kind}")),
            }
            for one in found
        ]
    )


@bp.get("/command/intake/category")
@requires("intake:take")
def category() -> ResponseReturnValue:
    """Give when a category is filed and how long its handling may take, as it holds today."""
    kind, _colon, code = request.args.get("value", "")[:60].rpartition(":")
    now = datetime.now(UTC)
    with g.session.begin():
        carried = codes.of_code(g.session, code, kind or "matter", now.date())
        found = _carried(carried) if carried else None
    return render_template("intake/limits.html", carried=found)


def _carried(carried: Carried) -> dict[str, Any]:
    return {
        "value": _value(carried.category),
        "name": _name(carried.category),
        "filing": faces.by_language(carried.filing.zh, carried.filing.en) if carried.filing else "",
        "limits": [
            {"urgency": str(_(f"urgency.{row.urgency}")), "text": _span(row.value, row.unit)}
            for row in carried.limits
        ],
    }


def _span(value: float, unit: str) -> str:
    return str(_(f"intake.unit_{unit}", n=f"{value:g}"))


@bp.get("/command/intake/place")
@requires("intake:take")
def place() -> ResponseReturnValue:
    """Name a point and give the open cases around it: it may have been reported already."""
    try:
        lon, lat = (float(request.args.get(name, "")) for name in ("lon", "lat"))
    except ValueError:
        return problem(422, "place.invalid", str(_("portal.error.place_number")))
    with g.session.begin():
        around = _around(lon, lat, request.args.get("category", "")[:60])
    return render_template("intake/around.html", around=around)


def _around(lon: float, lat: float, wanted: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    try:
        place_of(the_city(g.session), lon, lat, "map_click")
    except (GridsError, GisError):
        return {"inside": False, "near": [], "address": None, "area": "", "grid": None}
    found = places.near(g.session, lon, lat)
    code = wanted.rpartition(":")[2]
    near = duplicates.near(g.session, g.actor, lon=lon, lat=lat, category=code, now=now)
    return {
        "inside": True,
        "address": found.address,
        "grid": found.grid_name,
        "area": faces.by_language(found.area_zh, found.area_en),
        "near": [
            {
                **_short(row_json(one.row)),
                "distance_m": round(one.distance_m),
                "received_text": faces.instant_words(one.row.received_at),
                "proposed": one.is_proposed,
                "thumb": photo_json(one.photo)["thumb"] if one.photo else None,
            }
            for one in near
        ],
    }


def _looked(form: Form) -> dict[str, Any]:
    """Look up for a page without script what the script asks as the operator types."""
    found: dict[str, Any] = {}
    if sum(sign.isdigit() for sign in form.phone) >= callers.FEWEST_DIGITS:
        try:
            found["history"] = _history(form.phone)
        except (callers.NoPhone, limits.TooMany):
            found["history"] = None
    kind, code = form.chosen
    carried = codes.of_code(g.session, code, kind, faces.today()) if code else None
    found["category"] = _carried(carried) if carried else None
    point = _point(form)
    if point is not None:
        found["place"] = {**_around(*point, form.category), "lon": point[0], "lat": point[1]}
    return found


def _point(form: Form) -> tuple[float, float] | None:
    try:
        typed = faces.coordinates({"lon": form.lon, "lat": form.lat})
    except FieldErrors:
        return None
    if typed is not None:
        return typed
    named_place = places.find(g.session, form.address) if form.address else None
    return (named_place.lon, named_place.lat) if named_place else None


def _told(case: str) -> dict[str, Any] | None:
    """Return what the operator tells the caller of a case that they have just taken in."""
    case_id = faces.form_id(case)
    if case_id is None:
        return None
    taken = calls.told_of(
        g.session, g.actor, case_id, vault=faces.vault(), hotline=faces.settings().hotline
    )
    return _taken_json(taken) if taken else None


def _taken_json(taken: Taken) -> dict[str, Any]:
    code = " ".join(re.findall(".{1,4}", taken.code))
    key = "intake.tell_call" if taken.code else "intake.tell_other"
    return {
        "id": str(taken.id),
        "number": taken.number,
        "public_number": taken.public_number,
        "code": code,
        "tell": str(_(key, number=taken.public_number, code=code)),
        "url": url_for("command.page", case=str(taken.id)),
        "next_id": str(uuid4()),
    }
