"""Which events may follow which: the rules alone, without a database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from grids.errors import Conflict, Invalid
from grids.people.subject_requests import NotOfTheList


class BadDay(Invalid):
    """The day lies in the future, or before what is already known of the resident."""

    code = "people.bad_day"


class Dead(Conflict):
    """The resident has died: nothing happens to them any more."""

    code = "people.dead"


class NotHere(Conflict):
    """The resident has left the city: only a return can be recorded."""

    code = "people.not_here"


class IsHere(Conflict):
    """The resident lives in the city: nobody returns who is here."""

    code = "people.is_here"


class NoDwelling(Invalid):
    """There is no such dwelling in the city."""

    code = "people.no_dwelling"


class SameHome(Invalid):
    """The resident lives in this dwelling already."""

    code = "people.same_home"


class NoEvent(Conflict):
    """There is no such event, or another one that stands came after it."""

    code = "people.no_event"


class NameTooLong(Invalid):
    """The name has more characters than a name can have."""

    code = "people.name_too_long"


@dataclass(frozen=True)
class State:
    """What holds of a resident before an event."""

    since: date
    until: date | None
    last_on: date | None  #: the day of the last event that stands
    is_dead: bool

    @property
    def known_until(self) -> date:
        """Return the last day of which something is known: no event lies before it."""
        return max(day for day in (self.since, self.until, self.last_on) if day is not None)


def check_words(value: str, known: Collection[str], field: str) -> None:
    """Raise `NotOfTheList` for a word that is none of the list."""
    if value not in known:
        raise NotOfTheList("not one of the list", value=value, field=field)


def check_state(state: State, kind: str) -> None:
    """Raise `Dead`, `NotHere` or `IsHere` where an event of this kind cannot follow."""
    if state.is_dead:
        raise Dead("the resident has died", field="kind", on=state.until)
    if kind == "move_in":
        if state.until is None:
            raise IsHere("the resident lives in the city", field="kind")
    elif state.until is not None:
        raise NotHere("the resident has left the city", field="kind", on=state.until)


def check_day(on: date, state: State, *, today: date, born: str) -> None:
    """Raise `BadDay` for a day to come, before the birth or before the last that is known."""
    if on > today:
        raise BadDay("the day lies in the future", field="on", first=state.known_until, last=today)
    earliest = max(state.known_until, date.fromisoformat(born)) if born else state.known_until
    if on < earliest:
        raise BadDay("the day lies before the last event", field="on", first=earliest, last=today)
