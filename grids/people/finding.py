"""One resident, found by the exact number, phone or name, masked; a whole field for a purpose.

There is no list of residents. A name is looked for in one community and in no larger area, whole,
and never finds a child. Every look is counted, kept with the record and written to the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.orm import Session

from grids import audit, masks, scope
from grids.accounts import Account, Actor
from grids.area_tree import area_node
from grids.buildings import Address, Building, Dwelling
from grids.divisions import Area
from grids.errors import Invalid, NotFound
from grids.limits import count_use
from grids.people import purposes
from grids.people.models import Household, Person, PersonAccess
from grids.people.purposes import Purpose
from grids.secrets import Vault, local, normal_id_number, normal_name, normal_phone
from grids.secrets.columns import COMMUNITY

MOST_FINDS: Final = 60  #: of an account in an hour
MOST_REVEALS: Final = 30
MOST_CHILD_REVEALS: Final = 5
#: A phone may stand with a whole family; more are not shown.
MOST_FOUND: Final = 8
LOOKS_SHOWN: Final = 20
#: Below this age every datum is sensitive (PIPL art. 28) and guardians decide (art. 31).
CHILD_UNTIL: Final = 14
#: Bands that children belong to.
CHILD_BANDS: Final = ("0-5", "6-14")

Field = Literal["name", "id_number", "phone", "birth", "address"]
FIELDS: Final[tuple[Field, ...]] = ("name", "id_number", "phone", "birth", "address")


class NoPerson(NotFound):
    """Nobody in the areas of the caller has this number or name."""

    code = "people.no_person"


class NotANumber(Invalid):
    """No resident number of 18 characters, no phone number of at least 7 digits, no whole name."""

    code = "people.not_a_number"


class PlaceNeeded(Invalid):
    """A name is looked for in one community or village, which was not named."""

    code = "people.place_needed"


class TooManyNamed(Invalid):
    """More people of the community have this name than are shown at once."""

    code = "people.too_many_named"


class FieldUnknown(Invalid):
    """The record has no such field, or it is empty."""

    code = "people.no_field"


@dataclass(frozen=True)
class Look:
    """Somebody looked at the record."""

    at: datetime
    who: str
    act: str
    field: str
    purpose: str
    case_number: str


@dataclass(frozen=True)
class Card:
    """A resident as the finder sees them: masked, no room, no day of birth."""

    id: int
    name: str
    id_number: str
    phone: str
    birth: str
    address: str
    is_child: bool
    is_anonymised: bool
    age_band: str
    relation: str
    residency: str
    household_kind: str
    household_size: int
    area_code: str
    place_zh: str  #: town, community, duty grid
    place_en: str
    moved_in_on: date
    moved_out_on: date | None
    looks: tuple[Look, ...] = ()


def find(
    session: Session,
    actor: Actor,
    vault: Vault,
    wanted: str,
    purpose: Purpose,
    *,
    now: datetime,
    place: str = "",
    source_ip: str = "",
) -> list[Card]:
    """Find residents by the exact number or phone, or by name in a community; masked, audited.

    `place` is the name or the code of the community; who works in one only need not name it.
    Nobody is found outside the actor's areas; a look that finds nobody is audited too.
    Raises `PurposeNeeded`, `CaseNeeded`, `NotANumber`, `PlaceNeeded`, `TooManyNamed`, `TooMany`.
    """  # fmt: skip
    purposes.check(session, actor, purpose)
    is_name = bool(wanted) and not any(sign.isdigit() for sign in wanted)
    condition = (
        _named(session, actor, vault, wanted, place) if is_name else _condition(vault, wanted)
    )
    count_use(session, f"person_find:{actor.account_id}", most=MOST_FINDS, now=now)
    rows = session.execute(_cards(actor).where(condition).limit(MOST_FOUND + is_name)).all()
    if len(rows) > MOST_FOUND:
        raise TooManyNamed("too many residents of this name: use the number", most=MOST_FOUND)
    for row in rows:
        _note(session, actor, row.Person.id, "find", "", purpose, now)
    audit.record(
        session,
        "person_found",
        actor_id=actor.account_id,
        subject=f"person:{rows[0].Person.id}" if len(rows) == 1 else "person",
        is_success=bool(rows),
        source_ip=source_ip,
        detail={"count": len(rows), "purpose": purpose.code, "case": purpose.case_number},
    )
    return [_card(session, vault, row, now) for row in rows]


def card(session: Session, actor: Actor, vault: Vault, person_id: int, *, now: datetime) -> Card:
    """Return the masked record of one resident, for pages that follow a find. Raises `NoPerson`."""
    row = session.execute(_cards(actor).where(Person.id == person_id)).first()
    if row is None:
        raise NoPerson("no such person, or outside your areas")
    return _card(session, vault, row, now)


def reveal(
    session: Session,
    actor: Actor,
    vault: Vault,
    person_id: int,
    field: str,
    purpose: Purpose,
    *,
    now: datetime,
    source_ip: str = "",
) -> str:
    """Return one field in full, for a purpose; counted, kept with the record, audited.

    Raises `PurposeNeeded`, `CaseNeeded`, `ChildGate`, `TooMany`, `NoPerson`, `FieldUnknown`.
    """  # fmt: skip
    purposes.check(session, actor, purpose)
    row = session.execute(_cards(actor).where(Person.id == person_id)).first()
    if row is None:
        raise NoPerson("no such person, or outside your areas")
    if is_child(opened(vault, row.Person, "birth"), now):
        purposes.check_child(purpose)
        bucket = f"child_reveal:{actor.account_id}"
        count_use(session, bucket, most=MOST_CHILD_REVEALS, now=now)
    count_use(session, f"person_reveal:{actor.account_id}", most=MOST_REVEALS, now=now)
    value = _full_address(row) if field == "address" else opened(vault, row.Person, field)
    if not value:
        raise FieldUnknown("the record has no such field, or it is empty", field=field)
    _note(session, actor, person_id, "reveal", field, purpose, now)
    audit.record(
        session,
        "person_revealed",
        actor_id=actor.account_id,
        subject=f"person:{person_id}",
        source_ip=source_ip,
        detail={"field": field, "purpose": purpose.code, "case": purpose.case_number},
    )
    return value


def is_child(birth: str, now: datetime) -> bool:
    """Say whether somebody born on this day is under 14."""
    if not birth:
        return False
    born, today = date.fromisoformat(birth), now.date()
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    return today.year - born.year - (not had_birthday) < CHILD_UNTIL


def note_access(
    session: Session, actor: Actor, person_id: int, act: str, purpose: Purpose, now: datetime
) -> None:
    """Keep with the record that somebody worked on it."""
    _note(session, actor, person_id, act, "", purpose, now)


def locked_person(session: Session, actor: Actor, person_id: int) -> Person:
    """Return a resident of the actor's areas for a change, locked. Raises `NoPerson`."""
    wanted = select(Person).where(Person.id == person_id).with_for_update()
    person: Person | None = session.scalar(scope.visible(wanted, actor, Person))
    if person is None:
        raise NoPerson("no such person, or outside your areas")
    return person


def _condition(vault: Vault, wanted: str) -> Any:
    number = normal_id_number(wanted)
    if len(number) == 18:
        return Person.id_number_index.in_(vault.blind_indexes("person", "id_number", number))
    phone = normal_phone(wanted)
    if len(phone) < 7 or len(phone) > 13:
        raise NotANumber("give the whole resident number or the whole phone number")
    return Person.phone_index.in_(vault.blind_indexes("person", "phone", phone))


def _named(session: Session, actor: Actor, vault: Vault, name: str, place: str) -> Any:
    """Say that somebody who lives in a community, and is no child, has this name."""
    plain = normal_name(name)
    if len(plain) < 2:
        raise NotANumber("give the whole name, number or phone number")
    indexes = [
        index for code in _communities(session, actor, place.strip())
        for index in vault.blind_indexes("person", "name", local(plain, code))
    ]  # fmt: skip
    return (
        Person.name_index.in_(indexes)
        & Person.age_band.not_in(CHILD_BANDS)
        & Person.moved_out_on.is_(None)
    )


def _communities(session: Session, actor: Actor, place: str) -> list[str]:
    """Return the communities of the actor's areas that are called so, or the only one."""
    own = {area[:COMMUNITY] for area in actor.areas}
    if not place and len(own) == 1 and len(min(own)) == COMMUNITY:
        return sorted(own)
    found = session.scalars(
        select(Area.code).where(
            Area.valid_to.is_(None), func.length(Area.code) == COMMUNITY,
            (Area.name_zh == place) | (Area.name_en == place) | (Area.code == place),
            or_(scope.in_areas(Area.code, actor.areas), Area.code.in_(own)),
        )
    ).all()  # fmt: skip
    if not found:
        raise PlaceNeeded("a name is looked for in one community: give its name", field="place")
    return list(found)


def _cards(actor: Actor) -> Select[Any]:
    """Select a person with the place of the household, in the actor's areas only."""
    columns: tuple[Any, ...] = (
        Person, Household.kind, Dwelling.unit, Dwelling.floor, Dwelling.room, Address.text,
    )  # fmt: skip
    wanted = (
        select(*columns)
        .join(Household, Household.id == Person.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .join(Building, Building.id == Dwelling.building_id)
        .outerjoin(Address, Address.id == Building.address_id)
        .order_by(Person.id)
    )
    return scope.visible(wanted, actor, Person)


def _card(session: Session, vault: Vault, row: Row[Any], now: datetime) -> Card:
    person: Person = row.Person
    birth = opened(vault, person, "birth")
    child = is_child(birth, now)
    place = place_names(session, person.area_code)
    name = opened(vault, person, "name")
    return Card(
        id=person.id,
        name=masks.STAR * min(len(name), 2) if child else masks.mask_name(name),
        id_number=masks.mask_id_number(opened(vault, person, "id_number")),
        phone=masks.mask_phone(opened(vault, person, "phone")),
        birth=masks.STAR * 4 if child else masks.mask_birth(birth),
        address=masks.mask_address(row.text or ""),
        is_child=child,
        is_anonymised=person.anonymised_at is not None,
        age_band=person.age_band,
        relation=person.relation,
        residency=person.residency,
        household_kind=row.kind,
        household_size=_size(session, person.household_id),
        area_code=person.area_code,
        place_zh=place[0],
        place_en=place[1],
        moved_in_on=person.moved_in_on,
        moved_out_on=person.moved_out_on,
        looks=looks(session, person.id),
    )


def looks(session: Session, person_id: int) -> tuple[Look, ...]:
    """Return who looked at a record last, the newest first."""
    found = session.execute(
        select(PersonAccess, Account.name)
        .join(Account, Account.id == PersonAccess.account_id)
        .where(PersonAccess.person_id == person_id)
        .order_by(PersonAccess.at.desc(), PersonAccess.id.desc())
        .limit(LOOKS_SHOWN)
    )
    return tuple(
        Look(note.at, who, note.act, note.field, note.purpose, note.case_number)
        for note, who in found
    )


def place_names(session: Session, code: str) -> tuple[str, str]:
    """Name the town, the community and the duty grid of a code."""
    nodes = [area_node(session, code[:n]) for n in (9, 12, 15) if n <= len(code)]
    known = [node for node in nodes if node is not None]
    return " ".join(n.name_zh for n in known), ", ".join(n.name_en for n in reversed(known))


def _size(session: Session, household_id: int) -> int:
    living = select(func.count()).where(
        Person.household_id == household_id, Person.moved_out_on.is_(None)
    )
    return session.scalar(living) or 0


def opened(vault: Vault, person: Person, field: str) -> str:
    """Open one sealed field of a record; empty where it holds nothing."""
    if field not in ("name", "id_number", "phone", "birth"):
        raise FieldUnknown("the record has no such field", field=field)
    column = f"{field}_sealed"
    sealed = getattr(person, column)
    return vault.open("person", person.id, column, sealed) if sealed else ""


def _full_address(row: Row[Any]) -> str:
    rest = (row.unit and f"{row.unit}单元", row.floor and f"{row.floor}层", row.room)
    known = row.text or ""
    return " ".join([known, *(str(part) for part in rest if part)]).strip()


def _note(
    session: Session, actor: Actor, person_id: int, act: str, field: str, purpose: Purpose,
    now: datetime,
) -> None:  # fmt: skip
    session.add(
        PersonAccess(
            at=now, person_id=person_id, account_id=actor.account_id, act=act, field=field,
            purpose=purpose.code, case_number=purpose.case_number,
        )
    )  # fmt: skip
