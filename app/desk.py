"""The desk of a department and of a town's seat: cases by risk of being late, replies with proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces, move_form
from app.auth import requires
from app.incident_answers import row_json
from grids import deskwork, places
from grids.city import the_city
from grids.codes import Department
from grids.deskwork import LISTS
from grids.incidents import listing
from grids.incidents.listing import CaseRow, Filter

bp = Blueprint("desk", __name__)
bp.url_value_preprocessor(lambda _endpoint, _values: faces.widen_form())

PAGE_ROWS = 50
LONGEST_SEARCH = 80
GRID_DIGITS = 15
LEVELS: Final = ("grid", "village", "town", "county")


@dataclass(frozen=True)
class Tray:
    """One of the desk's views of its cases. Without a filter it is a list of `deskwork`."""

    name: str
    filter: Filter | None = None
    tone: str = ""
    is_quiet: bool = False  #: shown only where it holds something


TRAYS = (
    Tray("turn", Filter(is_mine=True, statuses=("open",))),
    Tray("late", Filter(statuses=("open",), risks=("late",)), "late"),
    Tray("soon", Filter(statuses=("open",), risks=("soon",)), "soon"),
    Tray("assist", is_quiet=True),
    Tray("asked", is_quiet=True),
    Tray("disputed", tone="soon", is_quiet=True),
    Tray("open", Filter(statuses=("open",))),
    Tray("done", Filter(statuses=("done",))),
)
#: Groups of steps in the order in which a desk thinks of them; what is in none comes last.
GROUPS: Final = (
    ("forward", ("sign", "assist_sign", "reply", "assist_reply", "handle", "outside_replied",
                 "resume", "accept", "file", "dispatch", "take", "ask_check", "check_ok", "close",
                 "answer_supervision", "reporter_answered")),
    ("ask", ("ask_extend", "ask_defer", "ask_suspend", "ask_reporter", "appeal", "extend",
             "refuse_extend", "defer", "refuse_defer", "suspend", "refuse_suspend",
             "approve_return", "refuse_return")),
    ("pass", ("return", "assist_return", "ask_return", "dispute", "hand_over", "take_back",
              "escalate", "delegate", "reassign", "rework", "send_back")),
)  # fmt: skip


@bp.get("/desk")
@requires("desk:view")
def cases() -> ResponseReturnValue:
    """List the cases of the department or the town, what is due first comes first."""
    now = datetime.now(UTC)
    words = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    show, grid = request.args.get("show", ""), request.args.get("grid", "")[:GRID_DIGITS]
    tray = next((t for t in TRAYS if t.name == show), TRAYS[0])
    which = show if show in LISTS else ""
    with g.session.begin():
        zone = ZoneInfo(the_city(g.session).city_zone)
        special = deskwork.counts(g.session, g.actor, now=now, zone=zone)
        month = deskwork.month(g.session, g.actor, now=now, zone=zone)
        if which:
            rows = deskwork.listed(g.session, g.actor, which, now=now, zone=zone)
            total, place = len(rows), None
        else:
            page = _list(tray, words, now, grid=grid, after=request.args.get("after") or None)
            rows, total, place = list(page.items), page.total, page.next
        counts = {
            t.name: special[t.name] if t.filter is None
            else total if t is tray and not which else _list(t, words, now, grid=grid).total
            for t in TRAYS
        }  # fmt: skip
        assists = deskwork.assisting(g.session, g.actor, [row.id for row in rows])
        invited = deskwork.invitations(g.session, g.actor)
        narrowed = _grid(grid, without=_url(which or tray.name, words))
        around = frame()
    chips = [
        _chip(t, counts[t.name], _url(t.name, words, grid), is_on=t.name == (which or tray.name))
        for t in TRAYS
        if counts[t.name] or not t.is_quiet
    ]
    return render_template(
        "desk/cases.html",
        rows=[_row(row, now, is_assisting=row.id in assists) for row in rows],
        total=total,
        chips=chips,
        tiles=_tiles(month, which),
        invited=[(one, faces.instant_words(one.due_at)) for one in invited],
        kept={"show": which or tray.name, **({"grid": grid} if grid else {})},
        grid=narrowed,
        q=words,
        next_url=_url(tray.name, words, grid, after=place) if place else "",
        as_of=faces.seconds_words(now),
        **around,
    )


def _tiles(month: deskwork.Month, which: str) -> list[dict[str, Any]]:
    """Write the figures of the month, each with what it is counted from and its list."""
    share = f"{month.on_time / month.due:.0%}" if month.due else "—"
    found = [
        ("month_on_time", month.on_time, "ok", str(_("desk.tile_share", share=share, n=month.due))),
        ("month_late", month.late, "late" if month.late else "", str(_("desk.tile_of",
                                                                       n=month.due))),
        ("month_rework", month.rework, "soon" if month.rework else "", str(_("desk.tile_of",
                                                                             n=month.due))),
    ]  # fmt: skip
    return [
        {"name": str(_(f"desk.tile_{name}")), "value": value, "tone": tone, "more": more,
         "url": url_for("desk.cases", show=name), "is_on": name == which}
        for name, value, tone, more in found
    ]  # fmt: skip


def _grid(code: str, *, without: str) -> dict[str, str] | None:
    """Return the grid that the list is narrowed to, with the list that it was before."""
    name = deskwork.grid_name(g.session, g.actor, code) if code else None
    return {"name": name, "without": without} if name else None


def _list(
    tray: Tray, words: str, now: datetime, *, grid: str = "", after: str | None = None
) -> listing.Page:
    wanted = tray.filter or Filter()
    asked = Filter(
        statuses=wanted.statuses,
        risks=wanted.risks,
        is_mine=wanted.is_mine,
        text=words,
        grid=grid,
        after=after,
        limit=PAGE_ROWS,
    )
    return listing.list_cases(g.session, g.actor, asked, now=now)


def _chip(tray: Tray, count: int, url: str, *, is_on: bool) -> dict[str, Any]:
    is_town_turn = tray.name == "turn" and g.actor.department is None
    return {
        "name": str(_("desk.filter_mine" if is_town_turn else f"desk.filter_{tray.name}")),
        "count": count,
        "tone": tray.tone if count else "",
        "url": url,
        "is_on": is_on,
    }


def _url(name: str, words: str, grid: str = "", after: str | None = None) -> str:
    return url_for("desk.cases", show=name, q=words or None, grid=grid or None, after=after)


def _row(row: CaseRow, now: datetime, *, is_assisting: bool) -> dict[str, Any]:
    return {
        **row_json(row),
        "left": faces.left_words(row.due_at, row.risk, now),
        "reported_text": faces.instant_words(row.reported_at),
        "grid_name": row.grid_name or "",
        "rework": row.rework_count,
        "is_assisting": is_assisting,
        "asked": [str(_(f"desk.asked_{flag}")) for flag in deskwork.ASKED if row.flags.get(flag)],
    }


def frame() -> dict[str, Any]:
    """Return what every page of the desk shows around its content."""
    code = g.actor.department
    department = g.session.get(Department, code) if code else None
    if department:
        name = faces.by_language(department.name_zh, department.name_en)
    else:
        named = places.names_of(g.session, g.actor.areas)
        name = " · ".join(faces.by_language(*one) for one in named)
    return {
        "department_name": name or str(_("desk.no_department")),
        "is_town": code is None,
        "page_data": faces.page_data(the_city(g.session)),
    }


@bp.get("/desk/grids")
@requires("desk:view")
def grids() -> ResponseReturnValue:
    """List the grids of the caller's area with their open cases and who is on duty."""
    now = datetime.now(UTC)
    with g.session.begin():
        found = deskwork.grids_of(g.session, g.actor, now=now)
        around = frame()
    return render_template(
        "desk/grids.html",
        grids=found,
        open=sum(one.open for one in found),
        late=sum(one.late for one in found),
        on_duty=sum(bool(one.on_duty) for one in found),
        as_of=faces.seconds_words(now),
        **around,
    )


@bp.get("/desk/cases/<uuid:incident_id>")
@requires("desk:view")
def case(incident_id: UUID) -> ResponseReturnValue:
    """Show one case with its photos, its history and what the department may do now."""
    return _case(incident_id)


def _case(
    incident_id: UUID, errors: dict[str, str] | None = None, *, template: str = "desk/case.html"
) -> str:
    with g.session.begin():
        page = {**frame(), **move_form.case_page(incident_id, errors=errors)}
        level = deskwork.level_of(g.session, g.actor, incident_id)
        is_assisting = bool(deskwork.assisting(g.session, g.actor, [incident_id]))
    photos = page["case"]["photos"]
    last = max((e["seq"] for e in page["case"]["events"]
                if any(p["role"] == "after" for p in e["photos"])), default=0)  # fmt: skip
    return render_template(
        template,
        before=[photo for photo in photos if photo["role"] == "before"],
        after=[
            photo
            for event in page["case"]["events"]
            if event["seq"] == last
            for photo in event["photos"]
        ],
        groups=_groups(page["case"]["actions"]),
        is_assisting=is_assisting,
        path=[{"name": str(_(f"desk.level_{one}")), "is_now": one == level} for one in LEVELS]
        if level
        else [],
        printed_text=faces.moment_words(datetime.now(UTC)),
        **page,
    )


def _groups(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the steps into groups, in each the likely ones first."""
    order = {name: at for at, name in enumerate(n for _g, names in GROUPS for n in names)}
    sorted_ones = sorted(
        actions, key=lambda one: (not one["primary"], order.get(one["action"], len(order)))
    )
    known = {name: group for group, names in GROUPS for name in names}
    found: dict[str, list[dict[str, Any]]] = {}
    for one in sorted_ones:
        group = "forward" if one["primary"] else known.get(one["action"], "more")
        found.setdefault(group, []).append(one)
    names = [*(group for group, _names in GROUPS), "more"]
    return [
        {"name": str(_(f"desk.group_{group}")), "key": group, "actions": found[group]}
        for group in names
        if group in found
    ]


@bp.get("/desk/cases/<uuid:incident_id>/print")
@requires("desk:view")
def paper(incident_id: UUID) -> ResponseReturnValue:
    """Show a case as a paper file (案卷), to be printed and signed."""
    return _case(incident_id, template="desk/print.html")


@bp.post("/desk/cases/<uuid:incident_id>/moves")
@requires("incident:move")
def post_move(incident_id: UUID) -> ResponseReturnValue:
    """Take a step with a case, or show its page again with what is wrong."""
    errors = move_form.post(incident_id)
    if errors:
        return _case(incident_id, errors), 422
    done = request.form.get("action", "")
    return redirect(url_for("desk.case", incident_id=incident_id, done=done), 303)
