"""Conditions that a line of the table names: when a step may be taken, and by leadership only.

Each is asked twice: to show a step (without a request) and to take it.
"""

# ruff: noqa: ARG001 - every guard is asked in the same way, and few need all of it

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from grids.errors import GridsError
from grids.incidents.errors import BadInstant, BadLevel, ForbiddenMove, TooLate, TooOften
from grids.incidents.lifecycle import LEVEL_DIGITS, LEVELS
from grids.incidents.projection import Case
from grids.incidents.requests import MoveRequest

MOST_EXTENSIONS: Final = 2
MOST_SUSPENSIONS: Final = 1
YEAR: Final = timedelta(days=365)
#: How long a closed case may be taken up again, and a late one appealed (4.4).
REOPEN: Final = timedelta(days=15)

Guard = Callable[[Case, MoveRequest | None, datetime], GridsError | None]
ORDER: Final = tuple(LEVELS)


def rank(level: str) -> int:
    """Return how high a level is: 0 the grid, 3 the county."""
    return ORDER.index(level)


def _unless(
    holds: object, error: type[GridsError], why: str, **params: object
) -> GridsError | None:
    return None if holds else error(why, **params)


def _until(
    case: Case, wanted: MoveRequest | None, now: datetime, latest: timedelta = YEAR
) -> GridsError | None:
    """Check that an instant that was sent lies ahead, and not too far."""
    if wanted is None or wanted.until is None:
        return None
    is_ahead = now < wanted.until <= now + latest
    return _unless(is_ahead, BadInstant, "the instant lies ahead, a year at most", field="until")


def _extendable(case: Case, wanted: MoveRequest | None, now: datetime) -> GridsError | None:
    if case.handling_due_at is None or now >= case.handling_due_at:
        return TooLate("the limit has passed already", action="ask_extend")
    if case.extension_count >= MOST_EXTENSIONS:
        return TooOften("the limit was extended twice already", most=MOST_EXTENSIONS)
    return _later(case, wanted, now)


def _later(case: Case, wanted: MoveRequest | None, now: datetime) -> GridsError | None:
    if wanted is None or wanted.until is None or case.handling_due_at is None:
        return None
    is_later = wanted.until > case.handling_due_at
    later = _unless(is_later, BadInstant, "the new limit ends after the old one", field="until")
    return later or _until(case, wanted, now)


def _suspendable(case: Case, wanted: MoveRequest | None, now: datetime) -> GridsError | None:
    if case.suspension_count >= MOST_SUSPENSIONS:
        return TooOften("the case was suspended already", most=MOST_SUSPENSIONS)
    return _until(case, wanted, now)


def _was_late(case: Case, wanted: MoveRequest | None, now: datetime) -> GridsError | None:
    at = case.handled_at or now
    if case.handling_due_at is None or at <= case.handling_due_at:
        return ForbiddenMove("the case is not late", action="appeal")
    if case.flags.keys() & {"exempt", "appeal_refused"}:
        return ForbiddenMove("the appeal was decided", action="appeal")
    if case.closed_at is not None and now > case.closed_at + REOPEN:
        return TooLate("an appeal has fifteen days after closing", days=REOPEN.days)
    return None


def _undecided(case: Case, wanted: MoveRequest | None, now: datetime) -> GridsError | None:
    is_open = not case.flags.keys() & {"exempt", "appeal_refused"}
    return _unless(is_open, ForbiddenMove, "the appeal was decided", action="appeal")


def _lately_closed(case: Case, wanted: MoveRequest | None, now: datetime) -> GridsError | None:
    is_recent = case.closed_at is not None and now <= case.closed_at + REOPEN
    return _unless(is_recent, TooLate, "fifteen days after closing are over", days=REOPEN.days)


def _own_people(case: Case, wanted: MoveRequest | None, now: datetime) -> GridsError | None:
    """A village has its workers only; departments are the town's and the county's to call."""
    if wanted is None or case.level != "village":
        return None
    calls = wanted.department or wanted.assisting
    return _unless(not calls, BadLevel, "a village gives cases to its own people", field="worker")


def _above_grid(case: Case, wanted: MoveRequest | None, now: datetime) -> GridsError | None:
    if case.level == "grid" or len(case.area_code) < LEVEL_DIGITS[ORDER[rank(case.level) - 1]]:
        return ForbiddenMove("there is no lower seat for this place", action="delegate")
    if wanted is None or not wanted.level:
        return None
    is_below = (
        wanted.level in LEVELS
        and rank(wanted.level) < rank(case.level)
        and len(case.area_code) >= LEVEL_DIGITS[wanted.level]
    )
    return _unless(is_below, BadLevel, "down to a lower level only", field="level")


def _below_county(case: Case, wanted: MoveRequest | None, now: datetime) -> GridsError | None:
    if case.level == "county":
        return ForbiddenMove("the case is at the county already", action="escalate")
    if case.status == "handling" and case.department_code is not None:
        return ForbiddenMove("a department asks for a return", action="escalate")
    if wanted is None or not wanted.level:
        return None
    is_above = wanted.level in LEVELS and rank(wanted.level) > rank(case.level)
    return _unless(is_above, BadLevel, "up to a higher level only", field="level")


def _other_urgency(case: Case, wanted: MoveRequest | None, now: datetime) -> GridsError | None:
    is_other = wanted is None or wanted.urgency != case.urgency
    return _unless(is_other, ForbiddenMove, "the case has this urgency", action="regrade")


def _only(test: Callable[[Case], bool], why: str) -> Guard:
    def guard(case: Case, wanted: MoveRequest | None, now: datetime) -> GridsError | None:
        return _unless(test(case), ForbiddenMove, why)

    return guard


GUARDS: Final[Mapping[str, Guard]] = MappingProxyType(
    {
        "urgent": _only(lambda case: case.urgency == "A", "the fast track is for emergencies"),
        "first_return": _only(lambda case: case.return_count == 0, "a second return is asked for"),
        "low_level": _only(lambda case: rank(case.level) <= 1, "a village or a grid takes it on"),
        "was_dispatched": _only(lambda case: case.dispatched_at is not None, "not given out yet"),
        "unjudged": _only(
            lambda case: case.status == "self_handled" or "fast_tracked" in case.flags,
            "what went the whole way was checked already",
        ),
        "internal": _only(lambda _case: False, "not a step of its own"),
        "extendable": _extendable,
        "later_limit": _later,
        "suspendable": _suspendable,
        "within_a_year": _until,
        "was_late": _was_late,
        "undecided": _undecided,
        "lately_closed": _lately_closed,
        "own_people": _own_people,
        "above_grid": _above_grid,
        "below_county": _below_county,
        "other_urgency": _other_urgency,
    }
)

#: Where one of these holds, leadership decides and nobody else.
LEADS: Final[Mapping[str, Callable[[Case], bool]]] = MappingProxyType(
    {
        "extension": lambda case: (
            case.extension_count > 0
            or case.flags.get("extend_asked", {}).get("reason") == "engineering"
        ),
        "appeal": lambda case: "appeal_passed" in case.flags,
    }
)


def problem(
    name: str | None, case: Case, wanted: MoveRequest | None, now: datetime
) -> GridsError | None:
    """Return what stands against a step; None where nothing does."""
    return GUARDS[name](case, wanted, now) if name else None
