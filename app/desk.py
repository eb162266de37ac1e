"""The department's desk: its cases by risk of being late, and replies with proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces, move_form
from app.auth import requires
from app.incident_answers import row_json
from grids.city import the_city
from grids.codes import Department
from grids.incidents import listing
from grids.incidents.listing import CaseRow, Filter

bp = Blueprint("desk", __name__)
bp.url_value_preprocessor(lambda _endpoint, _values: faces.widen_form())

PAGE_ROWS = 50
LONGEST_SEARCH = 80


@dataclass(frozen=True)
class Tray:
    """One of the desk's views of its cases."""

    name: str
    filter: Filter
    tone: str = ""


TRAYS = (
    Tray("turn", Filter(is_mine=True, statuses=("open",))),
    Tray("late", Filter(statuses=("open",), risks=("late",)), "late"),
    Tray("soon", Filter(statuses=("open",), risks=("soon",)), "soon"),
    Tray("open", Filter(statuses=("open",))),
    Tray("done", Filter(statuses=("done",))),
)


@bp.get("/desk")
@requires("desk:view")
def cases() -> ResponseReturnValue:
    """List the department's cases, what is due first comes first."""
    now = datetime.now(UTC)
    words = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    tray = next((t for t in TRAYS if t.name == request.args.get("show")), TRAYS[0])
    with g.session.begin():
        page = _list(tray, words, now, after=request.args.get("after") or None)
        counts = {t.name: page.total if t is tray else _count(t, words, now) for t in TRAYS}
        frame = _frame()
    return render_template(
        "desk/cases.html",
        rows=[_row(row, now) for row in page.items],
        total=page.total,
        chips=[_chip(t, counts[t.name], is_on=t is tray, words=words) for t in TRAYS],
        kept={"show": tray.name},
        q=words,
        next_url=_url(tray, words, after=page.next) if page.next else "",
        as_of=faces.seconds_words(now),
        **frame,
    )


def _list(tray: Tray, words: str, now: datetime, after: str | None = None) -> listing.Page:
    wanted = tray.filter
    asked = Filter(
        statuses=wanted.statuses,
        risks=wanted.risks,
        is_mine=wanted.is_mine,
        text=words,
        after=after,
        limit=PAGE_ROWS,
    )
    return listing.list_cases(g.session, g.actor, asked, now=now)


def _count(tray: Tray, words: str, now: datetime) -> int:
    return _list(tray, words, now).total


def _chip(tray: Tray, count: int, *, is_on: bool, words: str) -> dict[str, Any]:
    return {
        "name": str(_(f"desk.filter_{tray.name}")),
        "count": count,
        "tone": tray.tone if count else "",
        "url": _url(tray, words),
        "is_on": is_on,
    }


def _url(tray: Tray, words: str, after: str | None = None) -> str:
    return url_for("desk.cases", show=tray.name, q=words or None, after=after)


def _row(row: CaseRow, now: datetime) -> dict[str, Any]:
    return {
        **row_json(row),
        "left": faces.left_words(row.due_at, row.risk, now),
        "reported_text": faces.instant_words(row.reported_at),
        "grid_name": row.grid_name or "",
        "rework": row.rework_count,
    }


def _frame() -> dict[str, Any]:
    """Return what every page of the desk shows around its content."""
    code = g.actor.department
    department = g.session.get(Department, code) if code else None
    name = (
        faces.by_language(department.name_zh, department.name_en)
        if department
        else str(_("desk.no_department"))
    )
    return {"department_name": name, "page_data": faces.page_data(the_city(g.session))}


@bp.get("/desk/cases/<uuid:incident_id>")
@requires("desk:view")
def case(incident_id: UUID) -> ResponseReturnValue:
    """Show one case with its photos, its history and what the department may do now."""
    return _case(incident_id)


def _case(incident_id: UUID, errors: dict[str, str] | None = None) -> str:
    with g.session.begin():
        page = {**_frame(), **move_form.case_page(incident_id, errors=errors)}
    return render_template("desk/case.html", **page)


@bp.post("/desk/cases/<uuid:incident_id>/moves")
@requires("incident:move")
def post_move(incident_id: UUID) -> ResponseReturnValue:
    """Take a step with a case, or show its page again with what is wrong."""
    errors = move_form.post(incident_id)
    if errors:
        return _case(incident_id, errors), 422
    done = request.form.get("action", "")
    return redirect(url_for("desk.case", incident_id=incident_id, done=done), 303)
