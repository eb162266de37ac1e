"""What clocks are measured by, out of the tables: the city's calendar and the limits of stages.

Both are numbered or dated, and a step keeps in its event which of them it was measured by, so
that the clocks of a case can be worked out again from its events; `timing` does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from grids.city import City
from grids.codes import CalendarChange, CalendarVersion, StageLimit, Workday, WorkSpan
from grids.codes.calendar import DAY
from grids.codes.carried import classes_above
from grids.divisions import Area
from grids.incidents.clocks import (
    DESK_STAGES,
    Calendar,
    Former,
    Limit,
    Span,
    elapsed,
)

#: How far a limit may reach: 20 working days and the longest holiday.
CALENDAR_DAYS: Final = 120
#: The stages of an emergency that share one limit, as the table names them together.
DESK: Final = "DESK"
#: Digits of the areas whose kind a limit may be for, the deepest first: community, town.
KIND_DIGITS: Final = (12, 9)


def calendar(session: Session, city: City, now: datetime) -> Calendar:
    """Load the city's zone, its hours, and the days around `now` that differ from the week."""
    return calendar_between(session, city.city_zone, now, now)


def calendar_between(session: Session, zone: str, since: datetime, until: datetime) -> Calendar:
    """Load the calendar of a time with what is left of a limit on both sides of it.

    Days, hours and the number of the last change are read in one statement: a change that
    comes meanwhile is in all of them or in none.
    """
    where = ZoneInfo(zone)
    first = since.astimezone(where).date() - timedelta(days=CALENDAR_DAYS)
    last = until.astimezone(where).date() + timedelta(days=CALENDAR_DAYS)
    row = session.execute(_calendar_of(first, last)).one()
    days = {date.fromisoformat(day): value for day, value in (row.days or {}).items()}
    formers = _formers(session, row.no) if row.no else ()
    return Calendar(where, days, **_hours(row.spans or []), no=row.no, formers=formers)


def _calendar_of(first: date, last: date) -> Select[Any]:
    no = select(func.coalesce(func.max(CalendarVersion.no), 0)).scalar_subquery()
    days = (
        select(func.jsonb_object_agg(Workday.day, Workday.is_workday))
        .where(Workday.day.between(first, last))
        .scalar_subquery()
    )
    spans = select(
        func.jsonb_agg(
            func.jsonb_build_array(
                WorkSpan.kind, WorkSpan.opens, WorkSpan.closes, WorkSpan.valid_from,
                WorkSpan.valid_to,
            )
        )
    ).scalar_subquery()  # fmt: skip
    return select(no.label("no"), days.label("days"), spans.label("spans"))


def _hours(rows: list[list[Any]]) -> dict[str, tuple[Span, ...]]:
    """Read spans by their kind; a kind that the table lacks is left out."""
    found: dict[str, list[Span]] = {}
    for kind, *span in sorted(rows, key=lambda row: (row[0], row[1])):
        found.setdefault(kind, []).append(_span(*span))
    return {kind: tuple(spans) for kind, spans in found.items()}


def _span(opens: str, closes: str, since: str, until: str | None) -> Span:
    return Span(
        time.fromisoformat(opens), time.fromisoformat(closes), date.fromisoformat(since),
        date.fromisoformat(until) if until else None,
    )  # fmt: skip


def _formers(session: Session, no: int) -> tuple[Former, ...]:
    """Load what the changes of the calendar replaced, the latest first."""
    days: dict[int, dict[date, bool | None]] = {}
    hours: dict[int, dict[str, tuple[Span, ...]]] = {}
    for row in session.execute(
        select(CalendarChange.version_no, CalendarChange.what, CalendarChange.key,
               CalendarChange.before).where(CalendarChange.version_no <= no)
    ):  # fmt: skip
        if row.what == DAY:
            before = row.before["is_workday"] if row.before else None
            days.setdefault(row.version_no, {})[date.fromisoformat(row.key)] = before
        else:
            hours.setdefault(row.version_no, {})[row.key] = spans_of(row.key, row.before or [])
    return tuple(
        Former(one, days.get(one, {}), hours.get(one, {})) for one in range(no, 0, -1)
    )  # fmt: skip


def spans_of(kind: str, rows: list[dict[str, Any]]) -> tuple[Span, ...]:
    """Read the spans of a kind as a change of the calendar keeps them."""
    named = [[kind, one["opens"], one["closes"], one["valid_from"], one["valid_to"]]
             for one in rows]  # fmt: skip
    return _hours(named).get(kind, ())


@dataclass(frozen=True)
class StageRule:
    """A row of the table of limits: how long a stage may take, and for which cases.

    What is empty fits every case. `code` is a sub-class or a class above it.
    """

    stage: str
    limit: Limit
    code_system: str = ""
    kind: str = ""
    code: str = ""
    urgency: str = ""
    area_kind: str = ""


@dataclass(frozen=True)
class Placed:
    """What the limits of a case are chosen by, beside its stage."""

    urgency: str
    codes: tuple[tuple[str, str, str], ...] = ()  #: category and classes above, the nearest first
    area_kinds: tuple[str, ...] = ()  #: of its areas, the deepest first


def stage_limit(rules: Sequence[StageRule], stage: str, case: Placed) -> Limit | None:
    """Choose the closest rule: by category before urgency before kind of area; None: no rule.

    Intake, filing and dispatch of an emergency have one limit together, that of `DESK`.
    """
    named = DESK if case.urgency == "A" and stage in DESK_STAGES else stage
    fitting = [rule for rule in rules if rule.stage == named and _fits(rule, case)]
    if not fitting:
        return None
    limit = min(fitting, key=lambda rule: _distance(rule, case)).limit
    return elapsed(limit) if case.urgency == "A" else limit


def _fits(rule: StageRule, case: Placed) -> bool:
    return (
        (not rule.code or (rule.code_system, rule.kind, rule.code) in case.codes)
        and rule.urgency in ("", case.urgency)
        and (not rule.area_kind or rule.area_kind in case.area_kinds)
    )


def _distance(rule: StageRule, case: Placed) -> tuple[int, int, int]:
    """Say how far a rule that fits is from the case: 0 is closest."""
    code = (rule.code_system, rule.kind, rule.code)
    return (
        case.codes.index(code) if rule.code else len(case.codes),
        int(not rule.urgency),
        case.area_kinds.index(rule.area_kind) if rule.area_kind else len(case.area_kinds),
    )


def stage_rules(session: Session, on: date) -> tuple[StageRule, ...]:
    """Load the limits of stages that hold on a day."""
    rows: Sequence[Any] = session.execute(
        select(
            StageLimit.stage, StageLimit.value, StageLimit.unit, StageLimit.code_system,
            StageLimit.kind, StageLimit.code, StageLimit.urgency, StageLimit.area_kind,
        ).where(
            StageLimit.valid_from <= on,
            or_(StageLimit.valid_to.is_(None), StageLimit.valid_to > on),
        )
    ).all()  # fmt: skip
    return tuple(
        StageRule(stage, Limit(float(value), unit), *rest) for stage, value, unit, *rest in rows
    )


def city_day(zone: str, at: datetime) -> date:
    """Return the day of an instant on the city's clock."""
    return at.astimezone(ZoneInfo(zone)).date()


def placed(
    session: Session, rules: Sequence[StageRule], category_id: int, urgency: str, area_code: str
) -> Placed:
    """Look up what the limits of a case are chosen by; only what some rule asks for."""
    codes: tuple[tuple[str, str, str], ...] = ()
    if any(rule.code for rule in rules):
        codes = classes_above(session, category_id)
    kinds = area_kinds(session, area_code) if any(rule.area_kind for rule in rules) else ()
    return Placed(urgency, codes, kinds)


def area_kinds(session: Session, area_code: str) -> tuple[str, ...]:
    """Return the kinds of the areas that a place lies in, the deepest first."""
    wanted = [area_code[:digits] for digits in KIND_DIGITS]
    rows = session.execute(select(Area.code, Area.kind).where(Area.code.in_(wanted)))
    found = {row.code: row.kind for row in rows}
    return tuple(kind for code in wanted if (kind := found.get(code)))
