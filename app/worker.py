"""The grid worker's application: tasks of today, a report in four taps, checks with a photo."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces, move_form, questions
from app.assets import asset_url
from app.auth import PUBLIC, requires
from app.errors import problem
from app.faces import FieldErrors
from app.incident_answers import held_json, named, photo_json, row_json
from app.render import ENCODER, json_answer, own_path
from app.worker_checks import open_questions
from app.worker_report import FIELDS, Form, is_own_area, submit
from gis.errors import GisError
from grids import codes, duty, following, places
from grids.accounts import on_duty
from grids.city import the_city
from grids.errors import Conflict, GridsError
from grids.incidents import detail, held, listing
from grids.incidents.listing import CaseRow, Filter
from grids.incidents.places import place_of
from grids.regrid.history import tag

bp = Blueprint("worker", __name__, url_prefix="/worker")
bp.url_value_preprocessor(lambda _endpoint, _values: faces.widen_form())

MOST_TASKS: Final = 100
MOST_WATCHED: Final = 20
MOST_MINE: Final = 50
LIKELY: Final = 6
USUAL_HOURS: Final = 8
#: State of a case -> what a worker does with it, and the sign for it.
JOBS: Final = {
    "pending_verify": ("verify", "map-search"),
    "pending_check": ("check", "circle-check"),
    "pending_sign": ("sign", "inbox"),
    "handling": ("handle", "tool"),
}
#: A case handled on the spot or on the fast track was drawn to be looked at again.
SAMPLE: Final = ("sample", "list-check")
RANKS: Final = {"late": 0, "soon": 1, "ok": 2}


@bp.get("/")
@requires("worker:view")
def today() -> ResponseReturnValue:
    """List what waits for the worker, the most pressing first."""
    now = datetime.now(UTC)
    with g.session.begin():
        mine = _mine(now)
        seen = {row.id for row in mine}
        asked = Filter(statuses=("open",), limit=MOST_WATCHED + len(mine))
        others = listing.list_cases(g.session, g.actor, asked, now=now).items
        page = _frame("tasks", now) | open_questions()
    watched = [row for row in others if row.id not in seen][:MOST_WATCHED]
    return render_template(
        "worker/today.html",
        tasks=[_task(row, now) for row in mine],
        watched=[_task(row, now, is_mine=False) for row in watched],
        as_of=faces.seconds_words(now),
        **page,
    )


@bp.get("/api/tasks")
@requires("worker:view")
def tasks() -> ResponseReturnValue:
    """Give what waits for the worker, the most pressing first."""
    now = datetime.now(UTC)
    with g.session.begin():
        rows = _mine(now)
    return json_answer({"items": [row_json(row) for row in rows], "as_of": now})


def _mine(now: datetime) -> list[CaseRow]:
    asked = Filter(is_mine=True, statuses=("open",), limit=MOST_TASKS)
    return list(listing.list_cases(g.session, g.actor, asked, now=now).items)


def _task(row: CaseRow, now: datetime, *, is_mine: bool = True) -> dict[str, Any]:
    job, sign = JOBS.get(row.status, ("", "clock"))
    if "sampled" in row.flags:
        job, sign = SAMPLE
    return {
        **row_json(row),
        "job": job if is_mine else "",
        "icon": sign if is_mine else "clock",
        "rank": RANKS.get(row.risk, 3),
        "left": faces.left_words(row.due_at, row.risk, now),
        "grid_name": row.grid_name or "",
    }


def _frame(tab: str, now: datetime, **more: Any) -> dict[str, Any]:
    """Return what every page of the application shows around its content."""
    names = places.names_of(g.session, g.actor.areas)
    shift = on_duty(g.session, g.actor.account_id, now)
    left_s = (shift.ends_at - now).total_seconds() if shift else 0
    return {
        "tab": tab,
        "place_name": " · ".join(faces.by_language(*name) for name in names),
        "duty_until": faces.instant_words(shift.ends_at) if shift else "",
        "duty_until_iso": shift.ends_at.isoformat() if shift else "",
        "duty_left": faces.span_words(left_s),
        "page_data": faces.page_data(the_city(g.session), grids=tag(g.session, g.actor), **more),
    }


@bp.post("/duty")
@requires("worker:view")
def post_duty() -> ResponseReturnValue:
    """Start or end the shift, and go back to the page it was pressed on."""
    now = datetime.now(UTC)
    with g.session.begin():
        if request.form.get("action") == "stop":
            duty.stop(g.session, g.actor.account_id, now=now)
        else:
            text = request.form.get("hours", "")
            hours = int(text) if text.isdecimal() else USUAL_HOURS
            duty.start(g.session, g.actor.account_id, hours=hours, now=now)
    return redirect(own_path(request.form.get("next", "/worker/")), 303)


def _moment(text: str) -> str:
    return faces.instant_words(datetime.fromisoformat(text))


@bp.get("/mine")
@requires("worker:view")
def mine() -> ResponseReturnValue:
    """List what the worker has reported, the newest first."""
    now = datetime.now(UTC)
    with g.session.begin():
        rows = following.reported_by(g.session, g.actor, most=MOST_MINE, now=now)
        waiting = [held_json(row) for row in held.held_by(g.session, g.actor, now=now)]
        page = _frame("mine", now)
    tasks = [_task(row, now, is_mine=False) for row in rows]
    return render_template("worker/mine.html", rows=tasks, waiting=waiting, moment=_moment, **page)


@bp.get("/me")
@requires("worker:view")
def me() -> ResponseReturnValue:
    """Show the shift, the display settings and the way out."""
    with g.session.begin():
        page = _frame("me", datetime.now(UTC))
    return render_template("worker/me.html", **page)


@bp.get("/map")
@requires("worker:view")
def own_map() -> ResponseReturnValue:
    """Show the own grid with tasks and components."""
    with g.session.begin():
        bounds = places.bounds_of(g.session, g.actor.areas)
        page = _frame("map", datetime.now(UTC), bounds=bounds, areas=g.actor.areas)
    return render_template("worker/map.html", **page)


@bp.get("/report")
@requires("incident:submit")
def report_page() -> ResponseReturnValue:
    """Show the report form with an id of its own: sent twice, it is one report."""
    with g.session.begin():
        return _report_page(Form(id=str(uuid4())), {})


def _report_page(form: Form, errors: dict[str, str]) -> str:
    now = datetime.now(UTC)
    return render_template(
        "worker/report.html",
        form=form,
        errors=errors,
        common=faces.likely(g.actor.areas, most=LIKELY, now=now),
        groups=faces.groups(now),
        asked=questions.page(form.chosen, answers=form.answers, errors=errors),
        **_frame("report", now, id=form.id, own=places.outline_of(g.session, g.actor.areas)),
    )


@bp.post("/report")
@requires("incident:submit")
def post_report() -> ResponseReturnValue:
    """Take in the report of a page without script, or show the form with what is wrong."""
    form = Form(id=str(uuid4()))
    try:
        form = Form(**faces.form_values(FIELDS), answers=questions.sent())
        if request.form.get("ask"):
            with g.session.begin():
                return _report_page(form, {})
        incident_id = submit(form)
    except FieldErrors as refused:
        errors, status = refused.errors, 422
    except Conflict as refused:
        errors, status = {"": faces.message_of(refused)}, 409
    except (GridsError, GisError) as refused:
        errors, status = faces.field_errors(refused), 422
    else:
        return redirect(url_for("worker.task", incident_id=incident_id, done="submit"), 303)
    with g.session.begin():
        return _report_page(form, errors), status


@bp.get("/api/place")
@requires("worker:view")
def name_place() -> ResponseReturnValue:
    """Name a point: nearest address, duty grid, and open cases that may be the same."""
    now = datetime.now(UTC)
    try:
        lon, lat = (float(request.args.get(name, "")) for name in ("lon", "lat"))
    except ValueError:
        return problem(422, "place.invalid", str(_("portal.error.place_number")))
    with g.session.begin():
        try:
            place_of(the_city(g.session), lon, lat, "gnss")
        except GisError:
            return json_answer({"inside": False, "near": [], "address": None, "area": ""})
        found = places.near(g.session, lon, lat)
        is_own = is_own_area(g.actor, found.area_code)
        near = _near(lon, lat, request.args.get("category", ""), now)
    return json_answer(
        {
            "inside": True,
            "own": is_own,
            "address": found.address,
            "distance_m": found.distance_m,
            "grid": found.grid_name,
            "area": faces.by_language(found.area_zh, found.area_en),
            "near": near,
        }
    )


def _near(lon: float, lat: float, category: str, now: datetime) -> list[dict[str, Any]]:
    """Return open cases of the same category around a point, with their first photo."""
    if not category:
        return []
    found = detail.nearby(g.session, g.actor, lon=lon, lat=lat, category=category, now=now)
    shown = []
    for row, away_m in found:
        photos = detail.photos_of(g.session, row.id)
        shown.append(
            {
                "id": str(row.id),
                "category": named(row.category_zh, row.category_en),
                "distance_m": round(away_m),
                "reported_at": row.received_at,
                "state": row_json(row)["status_name"],
                "thumb": photo_json(photos[0])["thumb"] if photos else None,
            }
        )
    return shown


@bp.get("/tasks/<uuid:incident_id>")
@requires("worker:view")
def task(incident_id: UUID) -> ResponseReturnValue:
    """Show one case: facts, photos, history, and what the worker may do now."""
    return _task_page(incident_id)


def _task_page(incident_id: UUID, errors: dict[str, str] | None = None) -> str:
    with g.session.begin():
        now = datetime.now(UTC)
        page = {**_frame("tasks", now), **move_form.case_page(incident_id, errors=errors)}
        category = page["case"]["category"]
        carried = codes.of_code(
            g.session, category["code"], category.get("kind", "matter"), now.date()
        )
    return render_template("worker/task.html", conditions=_conditions(carried), **page)


def _conditions(carried: codes.Carried | None) -> list[tuple[str, str]]:
    """Write what the category asks of a case, in the reader's language."""
    if carried is None:
        return []
    told = (
        (_("codes.filing"), carried.filing),
        (_("codes.closing"), carried.closing),
        (_("codes.self_handling"), carried.self_handling),
    )
    return [(str(head), faces.by_language(one.zh, one.en)) for head, one in told if one]


@bp.post("/tasks/<uuid:incident_id>/moves")
@requires("incident:move")
def post_move(incident_id: UUID) -> ResponseReturnValue:
    """Take a step with a case, or show its page again with what is wrong."""
    errors = move_form.post(incident_id)
    if errors:
        return _task_page(incident_id, errors), 422
    done = request.form.get("action", "")
    return redirect(url_for("worker.task", incident_id=incident_id, done=done), 303)


@bp.get("/manifest.webmanifest")
@requires(PUBLIC)
def manifest() -> ResponseReturnValue:
    """Describe the application to a phone that installs it."""
    body = {
        "name": str(_("worker.app_name")),
        "short_name": str(_("worker.app_name")),
        "start_url": "/worker/",
        "scope": "/worker/",
        "display": "standalone",
        "orientation": "portrait",
        "theme_color": "#0f5fa8",
        "background_color": "#f3f5f7",
        "icons": [
            {
                "src": asset_url(f"app-{size}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for size in (192, 512)
            for purpose in ("any", "maskable")
        ],
    }
    return Response(ENCODER.encode(body), mimetype="application/manifest+json")
