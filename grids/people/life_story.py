"""What is known of a resident's life: the events, the homes, where somebody lived on a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.people import finding
from grids.people.models import Person, PersonEvent

STATE: Final = text(
    "SELECT household_id, since, until, relation FROM person_state(:person, CAST(:day AS date))"
)
#: A door through the second wall: earlier homes of a resident in scope, wherever they lie.
HOMES: Final = text("SELECT * FROM homes_of_person(:person)")


@dataclass(frozen=True)
class Stay:
    """Where somebody lived on a day."""

    household_id: int
    since: date
    relation: str


def events(session: Session, actor: Actor, person_id: int) -> list[PersonEvent]:
    """Return what happened to a resident of the caller's areas, the newest first.

    What was taken back is among it. Raises `NoPerson`.
    """
    wanted = select(Person.id).where(Person.id == person_id)
    if session.scalar(scope.visible(wanted, actor, Person)) is None:
        raise finding.NoPerson("no such person, or outside your areas")
    found = session.scalars(
        select(PersonEvent).where(PersonEvent.person_id == person_id)
        .order_by(PersonEvent.occurred_on.desc(), PersonEvent.id.desc())
    )  # fmt: skip
    return list(found)


def last_event(session: Session, actor: Actor, person_id: int) -> PersonEvent | None:
    """Return the last event of a resident that stands."""
    found = events(session, actor, person_id)
    return next((event for event in found if event.withdrawn_at is None), None)


def stay_on(session: Session, actor: Actor, person_id: int, day: date) -> Stay | None:
    """Return where a resident of the caller's areas lived on a day; None where nowhere here.

    None too before what is known of them. Raises `NoPerson`.
    """
    wanted = select(Person).where(Person.id == person_id)
    person: Person | None = session.scalar(scope.visible(wanted, actor, Person))
    if person is None:
        raise finding.NoPerson("no such person, or outside your areas")
    row = session.execute(STATE, {"person": person_id, "day": day}).first()
    if row is None:
        held = (person.household_id, person.moved_in_on, person.moved_out_on, person.relation)
    else:
        held = (row.household_id, row.since, row.until, row.relation)
    household, since, until, relation = held
    if day < since or (until is not None and day >= until):
        return None
    return Stay(household, since, relation)


def homes(session: Session, person_id: int) -> Mapping[int, Any]:
    """Return the households of a resident's events: dwelling, kind and area of each."""
    return {row.household_id: row for row in session.execute(HOMES, {"person": person_id})}


def told(session: Session, actor: Actor, person_id: int) -> list[dict[str, Any]]:
    """Return the events of a resident as their copy tells them, the newest first."""
    return [
        {
            "kind": event.kind,
            "occurred_on": event.occurred_on.isoformat(),
            "source": event.source,
            "recorded_at": event.recorded_at.isoformat(),
            "withdrawn_at": event.withdrawn_at.isoformat() if event.withdrawn_at else None,
        }
        for event in events(session, actor, person_id)
    ]
