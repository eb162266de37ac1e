"""The working calendar: a year as months, days and hours changed with a look ahead, who did what."""

from __future__ import annotations

import calendar as weeks
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from typing import Any, Final

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy import func, select

from app import faces
from app.admin import calendar_forms as forms
from app.admin import frame
from app.auth import requires
from app.errors import status_of
from app.incident_answers import named
from grids import audit, jobs
from grids.codes import CalendarDraft, Workday, WorkSpan, calendar, drafting
from grids.errors import GridsError, NotFound
from grids.signals import console

bp = Blueprint("calendar", __name__)

FIRST_YEAR: Final = 2004
LAST_YEAR: Final = 2099
MOST_HISTORY: Final = 12
KINDS: Final = ("office", "daylight", "morning")


@bp.get("/admin/calendar")
@requires("admin:system")
def page() -> ResponseReturnValue:
    """Show a year as months, the hours, the history, and the forms of a change."""
    return _page({}, {})


def _page(form: dict[str, str], errors: dict[str, str]) -> str:
    today = faces.today()
    year = _year(request.values.get("year", ""), today.year)
    chosen = _day(frame.wanted("day"))
    with g.session.begin():
        days = _rows(year)
        done = frame.wanted("done")
        return frame.page(
            "calendar",
            year=year,
            years={"before": year - 1 if year > FIRST_YEAR else None,
                   "after": year + 1 if year < LAST_YEAR else None},
            months=[_month(year, month, days, today, chosen) for month in range(1, 13)],
            weekdays=_weekdays(),
            special=[_special(day, row) for day, row in sorted(days.items())],
            workdays=sum(_is_workday(day, days) for day in _days_of(year)),
            is_known=bool(days),
            hours=_hours(today),
            history=_history(),
            seeds=forms.seed_years(),
            form=form or _form_of(chosen, days),
            errors=errors,
            done=_(f"calendar.done_{done}") if done in ("made", "dropped") else "",
        )  # fmt: skip


@bp.post("/admin/calendar/drafts")
@requires("admin:system")
def draft() -> ResponseReturnValue:
    """Keep a change to look at: days, hours or a year; nothing of the calendar changes yet."""
    form = forms.read()
    try:
        with g.session.begin():
            days, hours = forms.edits(form)
            made = drafting.draft(
                g.session, by=g.actor.account_id, reason=form["reason"], days=days, hours=hours
            )
            jobs.defer(g.session, "look_ahead", draft_id=made.id)
            draft_id = made.id
    except GridsError as error:
        field = str(error.params.get("field") or "")
        return _page(form, {field: forms.message(error)}), status_of(error)
    return redirect(url_for(".look", draft_id=draft_id), 303)


@bp.get("/admin/calendar/drafts/<int:draft_id>")
@requires("admin:system")
def look(draft_id: int) -> ResponseReturnValue:
    """Show what a draft would change, and how many open limits it would move."""
    return _look(draft_id)


def _look(draft_id: int, error: str = "") -> str:
    with g.session.begin():
        found = drafting.draft_of(g.session, draft_id)
        days, hours = drafting.edits_of(found)
        now = _stored([one.day for one in days])
        return frame.page(
            "calendar_draft",
            draft=found,
            days=[
                {
                    "day": one.day.isoformat(),
                    "weekday": format_date(one.day, "EEEE"),
                    "before": _state(one.day, now),
                    "after": _state(one.day, {one.day: _row(one)}),
                    "name": named(one.name_zh, one.name_en),
                }
                for one in days
            ],
            hours=_hours_edit(hours) if hours else None,
            outlook=found.outlook,
            is_made=found.version_no is not None,
            is_stale=found.version_no is None and found.base_no != drafting.current_no(g.session),
            year=days[0].day.year if days else (hours.valid_from.year if hours else ""),
            error=error,
        )


@bp.post("/admin/calendar/drafts/<int:draft_id>/make")
@requires("admin:system", step_up=True)
def make(draft_id: int) -> ResponseReturnValue:
    """Change the calendar; the worker then measures open limits again."""
    try:
        with g.session.begin():
            found = drafting.draft_of(g.session, draft_id)
            is_new = found.version_no is None
            number = drafting.make(
                g.session, draft_id, by=g.actor.account_id, source=_source(found)
            )
            if is_new:
                jobs.defer(g.session, "recompute_limits", version_no=number)
                audit.record(
                    g.session, "calendar_changed", actor_id=g.actor.account_id,
                    subject=f"calendar:{number}", source_ip=frame.source_ip(),
                    detail={"days": len(found.edit.get("days", ())),
                            "hours": int("hours" in found.edit), "draft": draft_id},
                )  # fmt: skip
            days, hours = drafting.edits_of(found)
    except NotFound:
        raise
    except GridsError as error:
        return _look(draft_id, forms.message(error)), status_of(error)
    year = days[0].day.year if days else (hours.valid_from.year if hours else None)
    return redirect(url_for(".page", year=year, done="made") + "#history", 303)


def _source(found: CalendarDraft) -> str:
    """Name where a day comes from: the reason that the change was made for."""
    return found.reason


def _year(text: str, this: int) -> int:
    year = int(text) if text.isdecimal() and len(text) == 4 else this
    return year if FIRST_YEAR <= year <= LAST_YEAR else this


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _rows(year: int) -> dict[date, Any]:
    rows = g.session.scalars(
        select(Workday).where(Workday.day.between(date(year, 1, 1), date(year, 12, 31)))
    )
    return {row.day: row for row in rows}


def _stored(days: list[date]) -> dict[date, Any]:
    rows = g.session.scalars(select(Workday).where(Workday.day.in_(days)))
    return {row.day: row for row in rows}


def _row(one: calendar.DayEdit) -> Workday:
    return Workday(day=one.day, is_workday=one.is_workday, name=one.name_zh, name_en=one.name_en)


def _days_of(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def _is_workday(day: date, rows: dict[date, Any]) -> bool:
    row = rows.get(day)
    return bool(row.is_workday) if row is not None else day.weekday() < 5


def _state(day: date, rows: dict[date, Any]) -> str:
    """Name what a day is: work, rest, and what differs from the week: holiday, make-up."""
    if _is_workday(day, rows):
        return "work" if day.weekday() < 5 else "makeup"
    return "rest" if day.weekday() > 4 else "holiday"


def _month(
    year: int, month: int, rows: dict[date, Any], today: date, chosen: date | None
) -> dict[str, Any]:
    """Lay a month out in weeks from Monday; days of other months are empty."""
    return {
        "number": month,
        "name": format_date(date(year, month, 1), "LLLL"),
        "weeks": [
            [
                None if day.month != month else _cell(day, rows, today, chosen)
                for day in week
            ]
            for week in weeks.Calendar().monthdatescalendar(year, month)
        ],
    }  # fmt: skip


def _cell(day: date, rows: dict[date, Any], today: date, chosen: date | None) -> dict[str, Any]:
    row, state = rows.get(day), _state(day, rows)
    name = named(row.name, row.name_en) if row is not None else ""
    return {
        "day": day.isoformat(),
        "number": day.day,
        "state": state,
        # A holiday that falls on a weekend is named too: everybody looks for it.
        "sign": "holiday" if row is not None and state in ("rest", "holiday") else state,
        "title": " · ".join(
            filter(None, (format_date(day, "full"), _(f"calendar.is_{state}"), name))
        ),
        "is_today": day == today,
        "is_chosen": day == chosen,
        "is_ours": row is not None and row.origin != "file",
    }


def _weekdays() -> list[str]:
    monday = date(2024, 1, 1)
    return [format_date(monday + timedelta(days=n), "EEEEE") for n in range(7)]


def _special(day: date, row: Workday) -> dict[str, Any]:
    return {
        "day": day.isoformat(),
        "words": format_date(day, "MMMd") + " " + format_date(day, "E"),
        "state": _state(day, {day: row}),
        "name": named(row.name, row.name_en),
        "source": row.source,
        "is_ours": row.origin != "file",
    }


def _hours(today: date) -> list[dict[str, Any]]:
    """Show the hours of each kind that hold or will hold, by their beginning."""
    rows = g.session.scalars(
        select(WorkSpan)
        .where(func.coalesce(WorkSpan.valid_to, date.max) > today)
        .order_by(WorkSpan.valid_from, WorkSpan.opens)
    ).all()
    found: dict[tuple[str, date], list[WorkSpan]] = {}
    for row in rows:
        found.setdefault((row.kind, row.valid_from), []).append(row)
    return [
        {
            "kind": _(f"calendar.kind_{kind}"),
            "spans": str(_("desk.comma")).join(_span(row) for row in spans),
            "since": since.isoformat(),
            "until": spans[0].valid_to.isoformat() if spans[0].valid_to else "",
            "is_now": since <= today,
        }
        for (kind, since), spans in sorted(
            found.items(), key=lambda one: (KINDS.index(one[0][0]), one[0][1])
        )
    ]  # fmt: skip


def _span(row: WorkSpan) -> str:
    if row.opens == row.closes:
        return row.opens.strftime("%H:%M")
    return f"{row.opens:%H:%M}–{row.closes:%H:%M}"


def _hours_edit(hours: calendar.HoursEdit) -> dict[str, str]:
    return {
        "kind": str(_(f"calendar.kind_{hours.kind}")),
        "since": hours.valid_from.isoformat(),
        "spans": ", ".join(f"{a:%H:%M}–{b:%H:%M}" if a != b else f"{a:%H:%M}"
                           for a, b in hours.spans),
    }  # fmt: skip


def _form_of(chosen: date | None, rows: dict[date, Any]) -> dict[str, str]:
    """Fill the form in with the day that was chosen: what it would become is its opposite."""
    if chosen is None:
        return {}
    row = rows.get(chosen)
    return {
        "part": "days",
        "first": chosen.isoformat(),
        "last": chosen.isoformat(),
        "what": "off" if _is_workday(chosen, rows) else "work",
        "name_zh": row.name if row is not None else "",
        "name_en": row.name_en if row is not None else "",
    }


def _history() -> list[dict[str, Any]]:
    told = calendar.history(g.session, most=MOST_HISTORY)
    wanted = {one.account_id for one in told if one.account_id is not None}
    names = console.names_of(g.session, wanted)
    return [
        {
            "no": one.no,
            "at": one.changed_at.astimezone(UTC),
            "who": names.get(one.account_id or 0, ("", ""))[1] or _("calendar.by_load"),
            "reason": one.reason or one.origin,
            "moved": one.moved,
            "is_done": one.is_done,
            "days": [_told(change) for change in one.changes[:8]],
            "more": max(0, len(one.changes) - 8),
        }
        for one in told
    ]


def _told(change: Any) -> str:
    """Write one changed day or kind of hours: what it was and what it is."""
    if change.what != calendar.DAY:
        return str(_("calendar.hours_changed", kind=_(f"calendar.kind_{change.key}")))
    day = date.fromisoformat(change.key)

    def state(side: dict[str, Any] | None) -> str:
        rows = {day: Workday(day=day, is_workday=side["is_workday"])} if side else {}
        return str(_(f"calendar.is_{_state(day, rows)}"))

    return f"{change.key} {state(change.before)} → {state(change.after)}"
