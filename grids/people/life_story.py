"""What is known of a resident's life: the events, the homes, where somebody lived on a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids import audit, masks, scope
from grids.accounts import Account, Actor
from grids.buildings import Address, Building, Dwelling
from grids.limits import count_use
from grids.people import finding, purposes
from grids.people.models import Person, PersonEvent
from grids.people.purposes import Purpose
from grids.secrets import Vault

STATE: Final = text(
    "SELECT household_id, since, until, relation FROM person_state(:person, CAST(:day AS date))"
)
#: A door through the second wall: earlier homes of a resident in scope, wherever they lie.
HOMES: Final = text("SELECT * FROM homes_of_person(:person)")
MOST_LOOKS: Final = 120  #: of an account in an hour


@dataclass(frozen=True)
class Stay:
    """Where somebody lived on a day."""

    household_id: int
    since: date
    relation: str


@dataclass(frozen=True)
class Place:
    """A home as the finder may see it: without the room, as on the card."""

    address: str
    name_zh: str  #: town, community, duty grid
    name_en: str
    kind: str  #: of the household


@dataclass(frozen=True)
class Entry:
    """An event with its homes and who recorded it."""

    event: PersonEvent
    comes_from: Place | None
    goes_to: Place | None
    recorded_by: str
    withdrawn_by: str


@dataclass(frozen=True)
class Life:
    """What is known of a resident's life, and where they lived on the day that was asked for."""

    card: finding.Card
    entries: tuple[Entry, ...]
    last_id: int | None  #: the event that may be taken back
    on: date | None = None
    stay: Stay | None = None
    lived_in: Place | None = None


def look(
    session: Session, actor: Actor, vault: Vault, person_id: int, purpose: Purpose, *,
    now: datetime, on: date | None = None, source_ip: str = "",
) -> Life:  # fmt: skip
    """Return the events of a resident and, for a day, where they lived; noted and audited.

    Raises `PurposeNeeded`, `CaseNeeded`, `TooMany` and `NoPerson`.
    """
    purposes.check(session, actor, purpose)
    count_use(session, f"person_life:{actor.account_id}", most=MOST_LOOKS, now=now)
    found = events(session, actor, person_id)
    finding.note_access(session, actor, person_id, "life", purpose, now)
    audit.record(
        session, "person_life_seen", actor_id=actor.account_id, subject=f"person:{person_id}",
        source_ip=source_ip,
        detail={"purpose": purpose.code, "case": purpose.case_number,
                "on": on.isoformat() if on else ""},
    )  # fmt: skip
    session.flush()
    places = _places(session, person_id)
    names = _names(session, found)
    stay = stay_on(session, actor, person_id, on) if on else None
    return Life(
        card=finding.card(session, actor, vault, person_id, now=now),
        entries=tuple(
            Entry(
                event, places.get(event.from_household_id or 0),
                places.get(event.to_household_id or 0),
                names.get(event.recorded_by or 0, ""), names.get(event.withdrawn_by or 0, ""),
            )
            for event in found
        ),
        last_id=next((event.id for event in found if event.withdrawn_at is None), None),
        on=on, stay=stay, lived_in=places.get(stay.household_id) if stay else None,
    )  # fmt: skip


def _places(session: Session, person_id: int) -> dict[int, Place]:
    """Return the homes of a resident's events by household."""
    known = homes(session, person_id)
    rows = session.execute(
        select(Dwelling.id, Address.text)
        .join(Building, Building.id == Dwelling.building_id)
        .outerjoin(Address, Address.id == Building.address_id)
        .where(Dwelling.id.in_([home.dwelling_id for home in known.values()]))
    )
    plates = {row.id: row.text for row in rows}
    found = {}
    for key, home in known.items():
        zh, en = finding.place_names(session, home.area_code)
        plate = masks.mask_address(plates.get(home.dwelling_id) or "")
        found[key] = Place(plate, zh, en, home.kind)
    return found


def _names(session: Session, found: list[PersonEvent]) -> dict[int, str]:
    who = {key for event in found for key in (event.recorded_by, event.withdrawn_by) if key}
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(who)))
    return {row.id: row.name for row in rows}


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
