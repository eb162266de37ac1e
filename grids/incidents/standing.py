"""What every report is judged by, kept in memory: the city and the code lists at one version.

Reading them took half of the time of a report. Whoever writes a case says which version it was
judged by, and the database refuses another (`take_report`): a list that was changed by any
process holds from the next report on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Session

from grids import codes
from grids.city import City, the_city
from grids.codes import Category, CategoryLimit, Question
from grids.incidents import clockwork
from grids.incidents.clocks import Calendar, Limit, stage_due, usual_limit
from grids.incidents.clockwork import DESK, StageRule
from grids.incidents.errors import UnknownCategory

VERSION: Final = sql_text("SELECT judged_by()")
AREA: Final = sql_text(
    "SELECT area_code FROM link_place(ST_SetSRID(ST_MakePoint(:lon, :lat), 4490))"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A sub-class of a list, with the urgency that a report of it has unless it says so."""

    id: int
    code: str
    valid_to: date | None
    urgency: str | None


class NotInMemory(Exception):
    """Somebody has to ask the database."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a category asks of a report, and whether it may be closed on the spot."""

    questions: tuple[Question, ...]
    is_self_handled: bool


@dataclass(frozen=True, slots=True)
class First:
    """What the limit of a first stage is chosen by."""

    category_id: int
    urgency: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class FirstClock:
    """By what a first stage is measured: the event of the report keeps it."""

    limit: Limit
    due: datetime
    calendar_no: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The city and its categories as they stood at one version."""

    version: str
    city: City
    listed: Mapping[tuple[str, str], tuple[Listed, ...]]
    #: What a category carries on a day, filled as it is asked for.
    _rules: dict[tuple[int, date], Rules] = field(default_factory=dict)
    #: The limits of stages by the day of the city.
    _limits: dict[date, tuple[StageRule, ...]] = field(default_factory=dict)

    def category(self, code: str, kind: str, on: date) -> Listed:
        """Return the sub-class that holds on a day, the newest where lists overlap.

        Raises `UnknownCategory`.
        """
        for one in self.listed.get((kind, code), ()):
            if one.valid_to is None or one.valid_to > on:
                return one
        raise UnknownCategory(f"no category {code!r} of kind {kind!r}", field="category")

    def rules(self, session: Session | None, category_id: int, on: date) -> Rules:
        """Return what a category asks on a day. Raises `NotInMemory` without a session."""
        found = self._rules.get((category_id, on))
        if found is None:
            if session is None:
                raise NotInMemory
            carried = codes.of(session, category_id, on)
            found = Rules(carried.questions, carried.self_handling is not None)
            self._rules[category_id, on] = found
        return found

    def first_clock(
        self, session: Session | None, stage: str, case: First, now: datetime
    ) -> FirstClock:
        """Return by what the first stage of a case is measured, and when it must be done.

        Raises `NotInMemory` without a session where a limit depends on the area or a class,
        or counts working time.
        """
        on = clockwork.city_day(self.city.city_zone, now)
        rules = [rule for rule in self._in_force(session, on) if rule.stage in (stage, DESK)]
        placed = clockwork.Placed(case.urgency)
        if any(rule.code or rule.area_kind for rule in rules):
            if session is None:
                raise NotInMemory
            area_code = session.scalar(AREA, {"lon": case.lon, "lat": case.lat}) or ""
            placed = clockwork.placed(session, rules, case.category_id, case.urgency, area_code)
        limit = clockwork.stage_limit(rules, stage, placed) or usual_limit(stage, case.urgency)
        days = Calendar(ZoneInfo(self.city.city_zone))
        if limit.unit != "elapsed_hour":
            if session is None:
                raise NotInMemory
            days = clockwork.calendar(session, self.city, now)
        due = stage_due(stage, now, days, urgency=case.urgency, limit=limit)
        return FirstClock(limit, due, days.no)

    def _in_force(self, session: Session | None, on: date) -> tuple[StageRule, ...]:
        """Return the limits of stages that hold on a day of the city."""
        found = self._limits.get(on)
        if found is None:
            if session is None:
                raise NotInMemory
            found = self._limits[on] = clockwork.stage_rules(session, on)
        return found


#: A process may speak to several databases: the tests do.
_KEPT: Final[WeakKeyDictionary[Engine, Standing]] = WeakKeyDictionary()


def of(session: Session) -> Standing:
    """Return what is in memory, read on first use; it may be out of date. Raises `NoCity`."""
    return kept(session) or read(session)


def kept(session: Session) -> Standing | None:
    """Return what is in memory; asks the database nothing."""
    return _KEPT.get(_engine(session))


def is_current(session: Session, standing: Standing) -> bool:
    """Say whether nothing was changed since."""
    return bool(session.scalar(VERSION) == standing.version)


def read(session: Session) -> Standing:
    """Read city and lists anew and keep them. Raises `NoCity`."""
    # The version first: lists that change in between make it an old one, which is refused.
    version: str = session.scalar(VERSION) or ""
    found = Standing(version, _city(session), _listed(session))
    _KEPT[_engine(session)] = found
    return found


def _engine(session: Session) -> Engine:
    return session.get_bind().engine


def _city(session: Session) -> City:
    """Read the city as a value of its own: threads share it, no session looks after it."""
    row = session.execute(select(City.__table__)).mappings().first()
    return the_city(session) if row is None else City(**row)


def _listed(session: Session) -> Mapping[tuple[str, str], tuple[Listed, ...]]:
    urgency = (
        select(func.min(CategoryLimit.urgency))
        .where(CategoryLimit.category_id == Category.id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Category.kind, Category.code, Category.id, Category.valid_to, urgency.label("urgency")
        )
        .where(Category.parent.is_not(None))
        .order_by(Category.valid_from.desc(), Category.id)
    )
    found: dict[tuple[str, str], tuple[Listed, ...]] = {}
    for row in rows:
        one = Listed(row.id, row.code, row.valid_to, row.urgency)
        found[row.kind, row.code] = (*found.get((row.kind, row.code), ()), one)
    return found
