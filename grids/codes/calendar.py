"""The working calendar and its changes: numbered, with what was before, by whom and why.

A step of a case keeps the number of the calendar that it was measured by. So a change never
rewrites what was measured before it, and clocks can still be worked out again from events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from grids.codes.models import BY_PAGE, CalendarChange, CalendarVersion, Workday, WorkSpan
from grids.errors import Invalid

DAY: Final = "day"
SPANS: Final = "spans"
KINDS: Final = ("office", "daylight", "morning")
#: Changes of the calendar wait for one another: their numbers are the order of their commits.
LOCK: Final = 0x63_61_6C_65
MOST_SPANS: Final = 4


class BadCalendar(Invalid):
    """A day, a range or hours of the calendar are wrong; `field` and `problem` say which and why."""

    code = "calendar.bad"


@dataclass(frozen=True)
class DayEdit:
    """What a day shall be."""

    day: date
    is_workday: bool
    name_zh: str = ""
    name_en: str = ""


@dataclass(frozen=True)
class HoursEdit:
    """What the hours of a kind shall be from a day on."""

    kind: str
    spans: tuple[tuple[time, time], ...]
    valid_from: date


@dataclass(frozen=True)
class State:
    """The calendar as it stands, in plain values that can be compared and kept."""

    days: dict[date, dict[str, Any]] = field(default_factory=dict)
    spans: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def state(session: Session) -> State:
    """Read the whole calendar; from then on changes by others wait for this transaction."""
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    days = {
        row.day: {"is_workday": row.is_workday, "name_zh": row.name, "name_en": row.name_en}
        for row in session.execute(
            select(Workday.day, Workday.is_workday, Workday.name, Workday.name_en)
        )
    }
    spans: dict[str, list[dict[str, Any]]] = {}
    for row in session.execute(
        select(WorkSpan.kind, WorkSpan.opens, WorkSpan.closes, WorkSpan.valid_from,
               WorkSpan.valid_to).order_by(WorkSpan.kind, WorkSpan.valid_from, WorkSpan.opens)
    ):  # fmt: skip
        spans.setdefault(row.kind, []).append(
            {
                "opens": row.opens.isoformat(),
                "closes": row.closes.isoformat(),
                "valid_from": row.valid_from.isoformat(),
                "valid_to": row.valid_to.isoformat() if row.valid_to else None,
            }
        )
    return State(days, spans)


def note(
    session: Session, before: State, *, by: int | None, reason: str, origin: str
) -> int | None:
    """Number what has changed since `before` was read; None where nothing has.

    The calendar that an installation begins with is no change: nothing was measured before it.
    """
    session.flush()
    after = state(session)
    changes = [
        {"what": DAY, "key": day.isoformat(), "before": before.days.get(day),
         "after": after.days.get(day)}
        for day in sorted(before.days.keys() | after.days.keys())
        if before.days.get(day) != after.days.get(day)
    ] + [
        {"what": SPANS, "key": kind, "before": before.spans.get(kind),
         "after": after.spans.get(kind)}
        for kind in sorted(before.spans.keys() | after.spans.keys())
        if before.spans.get(kind) != after.spans.get(kind)
    ]  # fmt: skip
    if not changes or not (before.days or before.spans):
        return None
    version = CalendarVersion(account_id=by, reason=reason, origin=origin)
    session.add(version)
    session.flush()
    session.execute(insert(CalendarChange), [{"version_no": version.no, **one} for one in changes])
    return version.no


def change_days(
    session: Session, edits: Iterable[DayEdit], *, by: int, reason: str, source: str
) -> int | None:
    """Say of days what they are; return the number of the change, None where nothing changed.

    Such a day belongs to the city from then on: a load of the shipped files leaves it alone.
    """
    before = state(session)
    rows = [
        {"day": edit.day, "is_workday": edit.is_workday, "name": edit.name_zh,
         "name_en": edit.name_en, "source": source, "origin": BY_PAGE}
        for edit in edits
        if before.days.get(edit.day) != _plain(edit)
    ]  # fmt: skip
    if not rows:
        return None
    statement = upsert(Workday)
    changed = {name: statement.excluded[name] for name in rows[0] if name != "day"}
    session.execute(statement.on_conflict_do_update(index_elements=("day",), set_=changed), rows)
    return note(session, before, by=by, reason=reason, origin=BY_PAGE)


def change_hours(
    session: Session, edit: HoursEdit, *, by: int, reason: str, source: str
) -> int | None:
    """Let hours begin on a day; those that held end there. Raises `BadCalendar`.

    Hours that were to begin on that day or later are replaced: they never came into force.
    """
    check_hours(edit)
    before = state(session)
    later = select(WorkSpan).where(
        WorkSpan.kind == edit.kind, WorkSpan.valid_from >= edit.valid_from
    )
    for row in session.scalars(later):
        session.delete(row)
    session.execute(
        update(WorkSpan)
        .where(
            WorkSpan.kind == edit.kind,
            WorkSpan.valid_from < edit.valid_from,
            WorkSpan.valid_to.is_(None) | (WorkSpan.valid_to > edit.valid_from),
        )
        .values(valid_to=edit.valid_from, origin=BY_PAGE)
    )
    session.flush()
    session.add_all(
        WorkSpan(kind=edit.kind, opens=opens, closes=closes, valid_from=edit.valid_from,
                 valid_to=None, source=source, origin=BY_PAGE)
        for opens, closes in edit.spans
    )  # fmt: skip
    return note(session, before, by=by, reason=reason, origin=BY_PAGE)


def check_hours(edit: HoursEdit) -> None:
    """Check that spans follow one another and do not overlap. Raises `BadCalendar`."""
    if edit.kind not in KINDS:
        raise BadCalendar("no such kind of hours", field="kind", problem="unknown")
    most = MOST_SPANS if edit.kind == "office" else 1
    if not 1 <= len(edit.spans) <= most:
        raise BadCalendar("no hours, or too many", field="spans", problem="count")
    end: time | None = None
    for opens, closes in edit.spans:
        is_point = edit.kind == "morning"
        if (opens != closes) if is_point else (opens >= closes):
            raise BadCalendar("hours end before they begin", field="spans", problem="order")
        if end is not None and opens < end:
            raise BadCalendar("hours overlap", field="spans", problem="overlap")
        end = closes


def hours_after(before: State, edit: HoursEdit) -> list[dict[str, Any]]:
    """Return the rows of a kind as they would be, to look ahead. Raises `BadCalendar`."""
    check_hours(edit)
    begin = edit.valid_from.isoformat()
    kept = [
        {**row, "valid_to": begin if row["valid_to"] is None else min(row["valid_to"], begin)}
        for row in before.spans.get(edit.kind, [])
        if row["valid_from"] < begin
    ]
    return kept + [
        {"opens": opens.isoformat(), "closes": closes.isoformat(), "valid_from": begin,
         "valid_to": None}
        for opens, closes in edit.spans
    ]  # fmt: skip


@dataclass(frozen=True)
class Told:
    """One line of the history: a numbered change with what it did."""

    no: int
    changed_at: datetime
    account_id: int | None
    reason: str
    origin: str
    moved: int
    is_done: bool
    changes: tuple[CalendarChange, ...]


def history(session: Session, *, before: int | None = None, most: int = 20) -> list[Told]:
    """List changes of the calendar, the latest first; `before` goes on from a number."""
    statement = select(CalendarVersion).order_by(CalendarVersion.no.desc()).limit(most)
    if before is not None:
        statement = statement.where(CalendarVersion.no < before)
    versions = session.scalars(statement).all()
    changes: dict[int, list[CalendarChange]] = {}
    for change in session.scalars(
        select(CalendarChange)
        .where(CalendarChange.version_no.in_([version.no for version in versions]))
        .order_by(CalendarChange.id)
    ):
        changes.setdefault(change.version_no, []).append(change)
    return [
        Told(one.no, one.changed_at, one.account_id, one.reason, one.origin, one.moved,
             one.recomputed_at is not None, tuple(changes.get(one.no, ())))
        for one in versions
    ]  # fmt: skip


def _plain(edit: DayEdit) -> dict[str, Any]:
    return {"is_workday": edit.is_workday, "name_zh": edit.name_zh, "name_en": edit.name_en}
