"""The pages of hazards: list, report, inspection by check-list, one hazard, its printed notice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _

from app import faces, flow_pages
from app.auth import requires
from app.faces import FieldErrors
from app.flow_pages import Choice, Face
from grids import areas_below
from grids.city import the_city
from grids.enterprises import Premises
from grids.flows import reading
from grids.flows.taking import StepRequest
from grids.hazards import inspecting, service
from grids.hazards.checklists import ANSWERS, Item, item_of, list_for, lists
from grids.hazards.inspecting import Visit
from grids.hazards.lifecycle import FLOW, TERMS_OF
from grids.hazards.models import Hazard

bp = Blueprint("hazards", __name__)

#: A check-list has one photo and one answer an item, empty places included.
MOST_PARTS: Final = 200
LONGEST_SEARCH: Final = 60
PLAIN: Final = tuple(name for name in FLOW.fields if name not in ("photos", "point"))


@bp.url_value_preprocessor
def _widen(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let forms carry photos, and that of an inspection one an item."""
    faces.widen_form()
    if request.path == "/hazards/inspections":
        request.max_form_parts = MOST_PARTS


def _choices(name: str, row: Any) -> list[Choice] | None:
    """Return the options that follow from the hazard."""
    if name == "department":
        options = [
            {"value": one.code, "label": faces.by_language(one.name_zh, one.name_en)}
            for one in service.departments(g.session)
        ]
        # The competent department comes first: it is the likely one.
        return sorted(options, key=lambda o: row is None or o["value"] != row.competent_code)
    if name == "term" and row is not None:
        return [{"value": t, "label": FACE.text("term", t)} for t in TERMS_OF[row.severity]]
    return None


FACE: Final = Face(service.KIND, "hazard", "hazards", _choices)


@bp.get("/hazards")
@requires("hazard:view")
def listed() -> ResponseReturnValue:
    """List hazards of the caller's area or department, what is due first comes first."""
    now = datetime.now(UTC)
    with g.session.begin():
        page = flow_pages.list_context(FACE, now)
        names = areas_below.names(g.session, {one.row.area_code for one in page["items"]})
        frame = flow_pages.frame(now)
    rows = [{**flow_pages.line(FACE, one, now), **_facts(one.row, names)} for one in page["items"]]
    return render_template("hazards/list.html", rows=rows, **page, **frame)


def _facts(row: Hazard, names: dict[str, tuple[str, str]]) -> dict[str, Any]:
    item = item_of(row.checklist, row.item)
    return {
        "severity": row.severity,
        "severity_name": FACE.text("severity", row.severity),
        "title": faces.by_language(item.zh, item.en) if item else row.text,
        "item": row.item or "",
        "place": row.place,
        "area_name": faces.by_language(*names.get(row.area_code, (row.area_code,) * 2)),
        "term_name": FACE.text("term", row.term) if row.term else "",
    }


@bp.get("/hazards/new")
@requires("hazard:report")
def new() -> ResponseReturnValue:
    """Show the form of a report with an id of its own."""
    return _new_page({})


def _new_page(errors: dict[str, str]) -> str:
    step = FLOW.opening
    words = (request.values.get("q") or "").strip()[:LONGEST_SEARCH]
    with g.session.begin():
        specs = {
            name: flow_pages.field_spec(
                FACE, FLOW.fields[name], step, None, is_needed=name in step.requires
            )
            for name in ("severity", "text", "photos", "place")
        }
        chosen = request.values.get("premises", "")
        premises = _premises_options(words)
        if chosen and chosen not in {one["value"] for one in premises}:
            premises.insert(0, _option(service.premises_of(g.session, g.actor, chosen)))
        frame = flow_pages.frame()
    return render_template(
        "hazards/new.html", specs=specs, errors=errors, form=request.form, q=words,
        premises=premises, chosen_premises=chosen, form_id=flow_pages.form_id(), **frame,
    )  # fmt: skip


def _premises_options(words: str) -> list[Choice]:
    return [_option(one) for one in inspecting.find_premises(g.session, g.actor, words)]


def _option(one: Premises) -> Choice:
    kind = str(_(f"kind.{one.kind}"))
    name = one.name or str(_("hazard.premises"))
    return {"value": str(one.id), "label": name if kind.startswith("kind.") else f"{name} · {kind}"}


@bp.post("/hazards")
@requires("hazard:report")
def post_new() -> ResponseReturnValue:
    """Take a report in, or show the form again with what is wrong."""
    made: list[str] = []

    def work() -> None:
        now = datetime.now(UTC)
        point = faces.coordinates(faces.form_values(("lon", "lat")))
        with g.session.begin():
            sent = flow_pages.sent_step(PLAIN, now=now)
            values = {**sent.values, **({"point": list(point)} if point else {})}
            wanted = StepRequest(sent.id, "report", values, sent.photos)
            made.append(service.report(g.session, wanted, g.actor, now=now).body["id"])

    errors = flow_pages.refused(work)
    if errors:
        return _new_page(errors), 422
    return redirect(url_for("hazards.record", hazard_id=made[0], done="report"), 303)


@bp.get("/hazards/inspect")
@requires("hazard:report")
def inspect_page() -> ResponseReturnValue:
    """Choose premises, or show the check-list of the chosen ones."""
    return _inspect_page({})


def _inspect_page(errors: dict[str, str]) -> str:
    key = request.values.get("premises", "")
    words = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    with g.session.begin():
        frame = flow_pages.frame()
        if not key:
            return render_template(
                "hazards/choose.html", premises=_premises_options(words), q=words, **frame
            )
        premises = service.premises_of(g.session, g.actor, key)
        checklist = list_for(premises.kind)
        advice = inspecting.advice(g.session, g.actor, premises.kind)
        visits = [
            {"at": faces.instant_words(one.done_at), "score": one.score, "level": one.level,
             "level_name": FACE.text("level", one.level), "failed": one.failed}
            for one in inspecting.last_visits(g.session, g.actor, premises.id)
        ]  # fmt: skip
    return render_template(
        "hazards/inspect.html",
        premises=_option(premises),
        list_name=FACE.text("list", checklist),
        items=[_item(item) for item in lists()[checklist]],
        advice=[_item(item) for item in lists()[checklist] if item.code in advice],
        visits=visits, answers=ANSWERS, errors=errors, form=request.form,
        form_id=flow_pages.form_id(), **frame,
    )  # fmt: skip


def _item(item: Item) -> dict[str, Any]:
    return {"code": item.code, "name": faces.by_language(item.zh, item.en),
            "weight": item.weight, "is_major": item.is_major}  # fmt: skip


@bp.post("/hazards/inspections")
@requires("hazard:report")
def post_inspection() -> ResponseReturnValue:
    """Keep a visit: each failed item becomes a hazard. Shows the list again with what is wrong."""
    done: list[dict[str, Any]] = []

    def work() -> None:
        now = datetime.now(UTC)
        with g.session.begin():
            visit = _sent_visit(now)
            done.append(inspecting.inspect(g.session, visit, g.actor, now=now).body)

    errors = flow_pages.refused(work)
    if errors:
        return _inspect_page(errors), 422
    body = done[0]
    return redirect(
        url_for("hazards.listed", show="open", inspected=len(body["hazards"]),
                score=body["score"], level=body["level"]), 303,
    )  # fmt: skip


def _sent_visit(now: datetime) -> Visit:
    """Read a check-list's form. Raises `FieldErrors`."""
    premises = service.premises_of(g.session, g.actor, request.form.get("premises", ""))
    codes = [item.code for item in lists()[list_for(premises.kind)]]
    key = faces.form_id(request.form.get("id", ""))
    if key is None:
        raise FieldErrors({"": str(_("error.flow.bad_value"))})
    city = the_city(g.session)
    photos: dict[str, str] = {}
    for code in codes:
        file = request.files.get(f"photo_{code}")
        if file is not None and file.filename:
            photos[code] = faces.sent_photo(file, city, g.actor, now=now)
    return Visit(
        key, str(premises.id),
        {code: request.form[f"answer_{code}"] for code in codes if f"answer_{code}" in request.form},
        photos,
        {code: request.form.get(f"note_{code}", "")[:500] for code in codes},
    )  # fmt: skip


@bp.get("/hazards/<uuid:hazard_id>")
@requires("hazard:view")
def record(hazard_id: UUID) -> ResponseReturnValue:
    """Show one hazard with its photos before and after, timeline and forms."""
    return _record(hazard_id)


def _record(
    hazard_id: UUID, *, template: str = "hazards/record.html", errors: dict[str, str] | None = None
) -> str:
    now = datetime.now(UTC)
    with g.session.begin():
        found = reading.record(g.session, FACE.kind, g.actor, hazard_id, now=now)
        row = found.row
        page = flow_pages.record_context(FACE, found, now, errors)
        names = areas_below.names(g.session, {row.area_code})
        lon, lat = service.lonlat(g.session, row)
        city = the_city(g.session)
        frame = flow_pages.frame(now)
    frame["page_data"]["place"] = {"lon": lon, "lat": lat}
    last_rectify = next(
        (e["seq"] for e in reversed(page["events"]) if e["seq"] and _is_after(page, e["seq"])), 0
    )
    return render_template(
        template,
        row=row,
        facts=_facts(row, names),
        before=[p for p in page["photos"] if p["role"] == "before"],
        after=[p for p in page["photos"] if p["role"] == "after" and p["seq"] == last_rectify],
        rectify_by=faces.moment_words(_limit(row, "rectify")),
        ordered_on=format_date(row.ordered_at, "long") if row.ordered_at else "",
        city_name=faces.by_language(city.name_zh, city.name_en),
        printed_text=faces.moment_words(now),
        **page,
        **frame,
    )


def _is_after(page: dict[str, Any], seq: int) -> bool:
    return any(p["seq"] == seq and p["role"] == "after" for p in page["photos"])


def _limit(row: Hazard, name: str) -> datetime | None:
    end = row.limits.get(name)
    return datetime.fromisoformat(end) if end else None


@bp.post("/hazards/<uuid:hazard_id>/moves")
@requires("hazard:move")
def post_move(hazard_id: UUID) -> ResponseReturnValue:
    """Take a step with a hazard, or show its page again with what is wrong."""
    done: list[str] = []

    def work() -> None:
        now = datetime.now(UTC)
        with g.session.begin():
            wanted = flow_pages.sent_step(PLAIN, now=now)
            done.append(wanted.action)
            service.take(g.session, hazard_id, wanted, g.actor, now=now)

    errors = flow_pages.refused(work)
    if errors:
        return _record(hazard_id, errors=errors), 422
    return redirect(url_for("hazards.record", hazard_id=hazard_id, done=done[0]), 303)


@bp.get("/hazards/<uuid:hazard_id>/notice")
@requires("hazard:view")
def notice(hazard_id: UUID) -> ResponseReturnValue:
    """Show the rectification notice (整改通知书), to be printed and signed."""
    return _record(hazard_id, template="hazards/notice.html")


@bp.get("/hazards/photos/<sha256>")
@requires("hazard:view")
def photo(sha256: str) -> ResponseReturnValue:
    """Give a copy of a photo of a hazard that the caller may see."""
    return flow_pages.photo_answer(FACE, sha256)
