"""When a stage must be done: elapsed hours, working hours, working days (domain 5.1, 5.2).

Pure functions: whoever calls gives the instant and the calendar. Server time rules; what a
device claims is kept beside it and moves no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

Unit = Literal["elapsed_hour", "work_hour", "work_day"]

_UNITS: Final[Mapping[str, Unit]] = {
    "elapsed_hour": "elapsed_hour", "work_hour": "work_hour", "work_day": "work_day",
}  # fmt: skip

#: Monday to Friday, 08:30 to 12:00 and 14:00 to 17:30: 7 hours are one working day.
WORK_SPANS: Final = ((time(8, 30), time(12)), (time(14), time(17, 30)))
#: A check on the spot needs daylight; one that would end later waits for the morning.
DAYLIGHT: Final = (time(7), time(18))
MORNING: Final = time(9)
#: Intake, filing and dispatch of an emergency together.
EMERGENCY_DESK: Final = timedelta(minutes=10)
DESK_STAGES: Final = ("S1", "S3", "S4")
#: No calendar holds more idle days in a row; a longer gap is a broken table.
LONGEST_IDLE_DAYS: Final = 60


@dataclass(frozen=True)
class Limit:
    """A length of time with its unit."""

    value: float
    unit: Unit


#: Stage -> limit (domain 5.2), where neither an event nor the table of limits says another.
#: S7 also follows the daylight rule; H comes from the category.
STAGE_LIMITS: Final[Mapping[str, Limit]] = {
    "S1": Limit(0.5, "elapsed_hour"),
    "S2": Limit(2, "elapsed_hour"),
    "S3": Limit(0.5, "elapsed_hour"),
    "S4": Limit(0.5, "elapsed_hour"),
    "S5": Limit(1, "work_hour"),
    "S6": Limit(2, "work_hour"),
    "S7": Limit(2, "elapsed_hour"),
    "S8": Limit(0.5, "elapsed_hour"),
}
#: Stages beside those of the standard: R arbitration of who is responsible (权属裁定), O a
#: party without an account.
OWN_LIMITS: Final[Mapping[str, Limit]] = {
    "R": Limit(7, "work_hour"),
    "O": Limit(7, "work_hour"),
}
EMERGENCY_OWN: Final = Limit(2, "elapsed_hour")
#: Handling, where no row of `category_limit` says it (5.3).
DEFAULT_HANDLING: Final[Mapping[str, Limit]] = {
    "A": Limit(24, "elapsed_hour"),
    "B": Limit(7, "work_hour"),
    "C": Limit(3, "work_day"),
    "D": Limit(15, "work_day"),
}


class BrokenCalendar(ValueError):
    """The table of workdays leaves no working time for two months."""


@dataclass(frozen=True)
class Span:
    """A part of the day, from one day on until another: office hours, daylight, the morning."""

    opens: time
    closes: time
    valid_from: date = date.min
    valid_to: date | None = None

    def holds(self, day: date) -> bool:
        """Say whether it holds on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


USUAL_OFFICE: Final = tuple(Span(opens, closes) for opens, closes in WORK_SPANS)


@dataclass(frozen=True)
class Former:
    """What a change of the calendar replaced: days and, where it changed them, hours."""

    no: int  #: of the change
    days: Mapping[date, bool | None]  #: None: the weekly rule held
    hours: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Calendar:
    """The city's zone, its hours, and the days that differ from Monday-to-Friday.

    What the table says of a day wins over the weekly rule; so do hours that the table has.
    Changes are numbered: `known` gives the calendar by which an earlier step was measured.
    """

    zone: ZoneInfo
    exceptions: Mapping[date, bool] = field(default_factory=dict)  #: day -> is a workday
    office: tuple[Span, ...] = USUAL_OFFICE
    daylight: tuple[Span, ...] = (Span(*DAYLIGHT),)
    morning: tuple[Span, ...] = (Span(MORNING, MORNING),)
    no: int = 0  #: of the last change that is in it
    formers: tuple[Former, ...] = ()  #: of the changes, the latest first

    def known(self, no: int) -> Calendar:
        """Return the calendar as it was after its change `no`; 0 is that of the beginning."""
        undone = [former for former in self.formers if former.no > no]
        if not undone:
            return self
        days, hours = dict(self.exceptions), dict(self._hours())
        for former in undone:
            for day, is_workday in former.days.items():
                if is_workday is None:
                    days.pop(day, None)
                else:
                    days[day] = is_workday
            hours |= former.hours
        return Calendar(
            self.zone, days, hours["office"], hours["daylight"], hours["morning"], no=no
        )

    def alone(self) -> Calendar:
        """Return this calendar for all times: what it would always have been."""
        return replace(self, formers=())

    def changed(
        self, days: Mapping[date, bool | None], hours: Mapping[str, tuple[Span, ...]]
    ) -> Calendar:
        """Return the calendar after a change that is not made yet."""
        kept = {day: value for day, value in self.exceptions.items() if day not in days}
        new = {day: value for day, value in days.items() if value is not None}
        return Calendar(
            self.zone, kept | new, **{**self._hours(), **hours}, no=self.no, formers=self.formers
        )

    def _hours(self) -> dict[str, tuple[Span, ...]]:
        return {"office": self.office, "daylight": self.daylight, "morning": self.morning}

    def is_workday(self, day: date) -> bool:
        """Say whether offices work on that day: the table wins over the weekly rule."""
        return self.exceptions.get(day, day.weekday() < 5)

    def spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the working spans from `start` on, cut at `start`, in UTC."""
        day, idle = start.astimezone(self.zone).date(), 0
        while idle <= LONGEST_IDLE_DAYS:
            idle = 0 if self.is_workday(day) else idle + 1
            for span in self.office_of(day) if idle == 0 else ():
                begin = max(self._at(day, span.opens), start)
                end = self._at(day, span.closes)
                if begin < end:
                    yield begin, end
            day += timedelta(days=1)
        raise BrokenCalendar(f"no working day for {LONGEST_IDLE_DAYS} days before {day}")

    def closing(self, day: date) -> datetime:
        """Return the end of the office day."""
        return self._at(day, self.office_of(day)[-1].closes)

    def office_of(self, day: date) -> tuple[Span, ...]:
        """Return the office hours of a day; the usual ones where the table has none for it."""
        return tuple(span for span in self.office if span.holds(day)) or USUAL_OFFICE

    def office_length(self, day: date) -> timedelta:
        """Return how long offices work on a workday of that time."""
        return sum((_length(span) for span in self.office_of(day)), timedelta())

    def light_of(self, day: date) -> tuple[Span, time]:
        """Return the daylight of a day, and when the morning begins for what it cannot hold."""
        light = next((span for span in self.daylight if span.holds(day)), Span(*DAYLIGHT))
        start = next((span.opens for span in self.morning if span.holds(day)), MORNING)
        return light, start

    def local(self, at: datetime) -> datetime:
        """Return an instant on the city's clock."""
        return at.astimezone(self.zone)

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


def _length(span: Span) -> timedelta:
    day = date(2000, 1, 1)
    opens, closes = (datetime.combine(day, clock, UTC) for clock in (span.opens, span.closes))
    return closes - opens


def add_work_time(start: datetime, length: timedelta, calendar: Calendar) -> datetime:
    """Count working time onwards; outside working time it begins at the next working minute."""
    rest = length
    for begin, end in calendar.spans(start):
        if begin + rest <= end:
            return begin + rest
        rest -= end - begin
    raise BrokenCalendar("unreachable: spans() raises first")


def add_work_days(start: datetime, days: int, calendar: Calendar) -> datetime:
    """Return closing time of the n-th working day after the day of `start`.

    The day on which a limit begins is not counted, as in the Civil Code (art. 201).
    """
    day, idle = calendar.local(start).date(), 0
    while days > 0:
        day += timedelta(days=1)
        idle = 0 if calendar.is_workday(day) else idle + 1
        if idle > LONGEST_IDLE_DAYS:
            raise BrokenCalendar(f"no working day for {LONGEST_IDLE_DAYS} days before {day}")
        days -= idle == 0
    return calendar.closing(day)


def work_time_between(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """Return how much working time lies between two instants; zero where end is not later."""
    total = timedelta()
    if end <= start:
        return total
    for begin, stop in calendar.spans(start):
        if begin >= end:
            break
        total += min(stop, end) - begin
    return total


def add_limit(start: datetime, limit: Limit, calendar: Calendar) -> datetime:
    """Return when a limit ends that begins now. Parts of a working day count as its hours (7)."""
    match limit.unit:
        case "elapsed_hour":
            return start + timedelta(hours=limit.value)
        case "work_hour":
            return add_work_time(start, timedelta(hours=limit.value), calendar)
        case "work_day":
            if limit.value != int(limit.value):
                day = calendar.office_length(calendar.local(start).date())
                return add_work_time(start, day * limit.value, calendar)
            return add_work_days(start, int(limit.value), calendar)


def stage_due(
    stage: str,
    start: datetime,
    calendar: Calendar,
    *,
    urgency: str,
    handling: Limit | None = None,
    used: timedelta = timedelta(),
    limit: Limit | None = None,
) -> datetime:
    """Return when a stage that begins now must be done.

    An emergency (A) runs on elapsed time in every stage, and its intake, filing and dispatch
    share ten minutes, of which `used` are gone. `handling` is the limit of stage H, `limit`
    that of another stage where the table of limits says it.
    """
    if stage == "H":
        return add_limit(start, handling or DEFAULT_HANDLING[urgency], calendar)
    found = limit or usual_limit(stage, urgency)
    if urgency == "A":
        span = timedelta(hours=elapsed(found).value)
        return start + (max(span - used, timedelta()) if stage in DESK_STAGES else span)
    if stage == "S7" and found.unit == "elapsed_hour":
        return daylight_due(start, timedelta(hours=found.value), calendar)
    return add_limit(start, found, calendar)


def as_unit(word: str) -> Unit:
    """Return a word of a table as a unit. Raises `KeyError` for one that is none."""
    return _UNITS[word]


def usual_limit(stage: str, urgency: str) -> Limit:
    """Return the limit of a stage where no table says it; the desk's stages share that of A."""
    if urgency == "A" and stage in DESK_STAGES:
        return Limit(EMERGENCY_DESK / timedelta(hours=1), "elapsed_hour")
    if stage in OWN_LIMITS:
        return EMERGENCY_OWN if urgency == "A" else OWN_LIMITS[stage]
    found = STAGE_LIMITS[stage]
    return elapsed(found) if urgency == "A" else found


def elapsed(limit: Limit) -> Limit:
    """Return a limit in elapsed hours: an emergency knows no office hours."""
    hours = limit.value * 24 if limit.unit == "work_day" else limit.value
    return Limit(hours, "elapsed_hour")


def daylight_due(start: datetime, length: timedelta, calendar: Calendar) -> datetime:
    """Give a check its two hours of daylight, else until nine the next morning."""
    begin, end = calendar.local(start), calendar.local(start + length)
    light, morning = calendar.light_of(begin.date())
    is_light = light.opens <= begin.time() and begin.date() == end.date()
    if is_light and end.time() <= light.closes:
        return start + length
    day = begin.date() if begin.time() < light.opens else begin.date() + timedelta(days=1)
    return datetime.combine(day, morning, calendar.zone).astimezone(UTC)


def resumed_due(
    due: datetime, paused_at: datetime, resumed_at: datetime, unit: Unit, calendar: Calendar
) -> datetime:
    """Return the end of a clock that goes on: it gets what was left of it, never a new limit.

    One that was overdue already when it was paused stays overdue.
    """
    if due <= paused_at or resumed_at <= paused_at:
        return due
    if unit == "elapsed_hour":
        return due + (resumed_at - paused_at)
    return add_work_time(resumed_at, work_time_between(paused_at, due, calendar), calendar)


def share_at(
    start: datetime,
    due: datetime,
    share: float,
    *,
    unit: Unit,
    calendar: Calendar,
    pauses: Sequence[tuple[datetime, datetime]] = (),
) -> datetime:
    """Return when a share of a limit has been used: in working time for limits that count it.

    Time in a pause is not used up. A limit without any time of its unit is used up at once.
    """
    runs, begin = [], start
    for since, until in sorted(pauses):
        if since > begin:
            runs.append((begin, min(since, due)))
        begin = max(begin, until)
    if begin < due:
        runs.append((begin, due))

    def length(since: datetime, until: datetime) -> timedelta:
        if unit == "elapsed_hour":
            return max(until - since, timedelta())
        return work_time_between(since, until, calendar)

    lengths = [length(*run) for run in runs]
    rest = sum(lengths, timedelta()) * share
    for (since, _), one in zip(runs, lengths, strict=True):
        if rest <= one and one:
            return since + rest if unit == "elapsed_hour" else add_work_time(since, rest, calendar)
        rest -= one
    return due


def late_by(due: datetime, now: datetime, unit: Unit, calendar: Calendar) -> float:
    """Return by how much a limit is overdue, in its own unit; 0 where it is not."""
    if now <= due:
        return 0.0
    if unit == "elapsed_hour":
        return (now - due) / timedelta(hours=1)
    worked = work_time_between(due, now, calendar)
    if unit == "work_hour":
        return worked / timedelta(hours=1)
    return worked / calendar.office_length(calendar.local(due).date())
