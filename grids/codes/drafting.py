"""A change of the calendar on its way: drafted, looked at, made; each step is another moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids.codes.calendar import (
    BadCalendar,
    DayEdit,
    HoursEdit,
    change_days,
    change_hours,
    check_hours,
)
from grids.codes.models import CalendarDraft, CalendarVersion, Workday
from grids.errors import Conflict, NotFound

LONGEST_RANGE = 62
MOST_DAYS = 120  #: of a year that comes as a file
LONGEST_NAME = 60
LONGEST_REASON = 200


class CalendarMoved(Conflict):
    """The calendar has changed since this draft was made: it has to be looked at again."""

    code = "calendar.moved"


class NoDraft(NotFound):
    """There is no such draft of the calendar."""

    code = "calendar.no_draft"


def draft(
    session: Session, *, by: int, reason: str, days: Sequence[DayEdit] = (),
    hours: HoursEdit | None = None,
) -> CalendarDraft:  # fmt: skip
    """Keep a change to look at; nothing of the calendar changes. Raises `BadCalendar`.

    Days that are so already are left out; a draft that would change nothing is refused.
    """
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise BadCalendar("a change has a reason", field="reason", problem="reason")
    stored = {
        row.day: (row.is_workday, row.name, row.name_en)
        for row in session.scalars(
            select(Workday).where(Workday.day.in_([one.day for one in days]))
        )
    }
    wanted = [
        one for one in days if stored.get(one.day) != (one.is_workday, one.name_zh, one.name_en)
    ]
    if hours is not None:
        check_hours(hours)
    elif not wanted:
        raise BadCalendar("the days are so already", field="day", problem="same")
    edit: dict[str, Any] = {"days": [_of_day(one) for one in wanted]}
    if hours is not None:
        edit["hours"] = _of_hours(hours)
    made = CalendarDraft(
        account_id=by, reason=reason.strip(), edit=edit, base_no=current_no(session)
    )
    session.add(made)
    session.flush()
    return made


def make(session: Session, draft_id: int, *, by: int, source: str) -> int:
    """Make the change of a draft; return its number. Made twice it is one change.

    Raises `NoDraft`, and `CalendarMoved` where somebody changed the calendar meanwhile.
    """
    found = session.get(CalendarDraft, draft_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NoDraft(f"no draft {draft_id}")
    if found.version_no is not None:
        return found.version_no
    if found.base_no != current_no(session):
        raise CalendarMoved("the calendar has changed since")
    days, hours = edits_of(found)
    number = None
    if hours is not None:
        number = change_hours(session, hours, by=by, reason=found.reason, source=source)
    elif days:
        number = change_days(session, days, by=by, reason=found.reason, source=source)
    if number is None:
        raise BadCalendar("nothing would change", field="day", problem="same")
    found.version_no = number
    session.flush()
    return number


def draft_of(session: Session, draft_id: int) -> CalendarDraft:
    """Return a draft. Raises `NoDraft`."""
    found = session.get(CalendarDraft, draft_id)
    if found is None:
        raise NoDraft(f"no draft {draft_id}")
    return found


def edits_of(found: CalendarDraft) -> tuple[list[DayEdit], HoursEdit | None]:
    """Read what a draft would change."""
    days = [
        DayEdit(date.fromisoformat(one["day"]), one["is_workday"], one["zh"], one["en"])
        for one in found.edit.get("days", ())
    ]
    told = found.edit.get("hours")
    if told is None:
        return days, None
    spans = tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in told["spans"])
    return days, HoursEdit(told["kind"], spans, date.fromisoformat(told["valid_from"]))


def current_no(session: Session) -> int:
    """Return the number of the calendar's last change; 0 before the first."""
    return session.scalar(select(func.coalesce(func.max(CalendarVersion.no), 0))) or 0


def _of_day(one: DayEdit) -> dict[str, Any]:
    return {"day": one.day.isoformat(), "is_workday": one.is_workday,
            "zh": one.name_zh[:LONGEST_NAME], "en": one.name_en[:LONGEST_NAME]}  # fmt: skip


def _of_hours(one: HoursEdit) -> dict[str, Any]:
    return {"kind": one.kind, "valid_from": one.valid_from.isoformat(),
            "spans": [[a.isoformat(), b.isoformat()] for a, b in one.spans]}  # fmt: skip
