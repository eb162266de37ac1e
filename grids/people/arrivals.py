"""A newcomer from outside the city (来沪人员, 流动人口) is entered into a dwelling by hand.

Nobody exists yet whom the caller sees: the dwelling must lie in the caller's areas. A number
that is registered anywhere in the city is not entered again; that it is known is told as a find
is, counted and audited, and of somebody elsewhere nothing else is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.buildings import Building, Dwelling
from grids.errors import Invalid
from grids.limits import TooMany, count_use, uses
from grids.people import finding, life_rules, life_story, purposes
from grids.people.life import HOUSEHOLDS, LONGEST_NAME, RELATIONS, SOURCES, Home, city_day
from grids.people.life_rules import BadDay, NameTooLong, NoDwelling
from grids.people.models import Household, PersonEvent
from grids.people.purposes import Purpose
from grids.people.subject_requests import WrongValue, age_band, checked
from grids.secrets import Vault, local, normal_id_number, normal_name, normal_phone

RESIDENCIES: Final = ("migrant", "registered")
#: Of an account in an hour. Each attempt that comes as far as the number counts.
MOST_ARRIVALS: Final = 30
#: How often an account is told in an hour that a number is registered.
MOST_KNOWN: Final = 8
SHORTEST_NAME: Final = 2

#: Doors through the second wall (migration 0070).
KNOWN: Final = text("SELECT person_id FROM known_number(CAST(:digests AS bytea[]))")
ENTER: Final = text(
    "SELECT enter_newcomer(:key, :home, :joins, :sort, :day, :band, :residence, :relative, :name,"
    " :name_digest, :number, :number_digest, :call, :call_digest, :birth)"
)


class OutsideAreas(Invalid):
    """The dwelling lies outside the areas of the caller: its own registrars enter who comes."""

    code = "people.outside_areas"


class NobodyThere(Invalid):
    """Nobody lives in the dwelling: there is no household to join."""

    code = "people.nobody_there"


@dataclass(frozen=True)
class Newcomer:
    """Who comes, from when and where to. With a number the day of birth may be left out."""

    name: str
    on: date
    source: str
    home: Home | None
    number: str = ""
    birth: str = ""  #: YYYY-MM-DD
    phone: str = ""
    residency: str = RESIDENCIES[0]
    household: str = HOUSEHOLDS[0]  #: kind of the household that is opened; who joins opens none


@dataclass(frozen=True)
class Known:
    """The number is registered: `here`, `former` or `dead` in the own areas, or `elsewhere`."""

    where: str
    person_id: int | None  #: none of somebody elsewhere


@dataclass(frozen=True)
class _Checked:
    name: str
    number: str
    birth: date
    phone: str
    relation: str


def record_arrival(
    session: Session, actor: Actor, vault: Vault, wanted: Newcomer, purpose: Purpose, *,
    now: datetime, source_ip: str = "",
) -> int | Known:  # fmt: skip
    """Enter a newcomer and the event that says so; return the resident's id.

    Returns `Known`, and enters nobody, where the number is registered: an answer, not an error,
    so that its count and its audit are kept with the caller's transaction. Raises
    `PurposeNeeded`, `CaseNeeded`, `NotOfTheList`, `WrongValue`, `NameTooLong`, `BadDay`,
    `NoDwelling`, `OutsideAreas`, `NobodyThere`, `TooMany`; each names the field, changes nothing
    and comes before the number is looked up, so no refusal tells whether it is known.
    """
    purposes.check(session, actor, purpose)
    said = _check(wanted, now)
    _check_day(session, wanted.on, said.birth, now)
    home, area_code = _home(session, actor, wanted)
    if uses(session, f"person_known:{actor.account_id}", now=now) >= MOST_KNOWN:
        raise TooMany(f"more than {MOST_KNOWN} known numbers in an hour", most=MOST_KNOWN)
    count_use(session, f"person_arrival:{actor.account_id}", most=MOST_ARRIVALS, now=now)
    known = _known(session, actor, vault, said.number) if said.number else None
    if known is not None:
        count_use(session, f"person_known:{actor.account_id}", most=MOST_KNOWN, now=now)
        _tell_known(session, actor, known, purpose, now, source_ip)
        return known
    key = session.scalar(text("SELECT nextval(pg_get_serial_sequence('person', 'id'))"))
    assert key is not None
    household = session.scalar(
        ENTER,
        {"key": key, "home": home.dwelling_id, "joins": home.joins, "sort": wanted.household,
         "day": wanted.on, "band": age_band(said.birth, now.date()),
         "residence": wanted.residency, "relative": said.relation,
         **_sealed(vault, int(key), said, area_code)},
    )  # fmt: skip
    event = PersonEvent(
        person_id=key, kind="move_in", occurred_on=wanted.on, recorded_at=now,
        recorded_by=actor.account_id, source=wanted.source, to_household_id=household,
        to_relation=said.relation,
    )  # fmt: skip
    session.add(event)
    session.flush()
    finding.note_access(session, actor, int(key), "event", purpose, now)
    audit.record(
        session, "person_arrived", actor_id=actor.account_id, subject=f"person:{key}",
        source_ip=source_ip,
        detail={"event": event.id, "purpose": purpose.code, "case": purpose.case_number,
                "by_number": bool(said.number)},
    )  # fmt: skip
    return int(key)


def _check(wanted: Newcomer, now: datetime) -> _Checked:
    """Bring what was said to the forms that are kept. Raises for what cannot be right."""
    home = wanted.home
    if len(wanted.name.strip()) > LONGEST_NAME:
        raise NameTooLong("the name is too long", field="name", most=LONGEST_NAME)
    # One character alone could never be found again.
    if len(normal_name(wanted.name)) < SHORTEST_NAME:
        raise WrongValue("a whole name is needed", field="name")
    number = wanted.number.strip()
    if number:
        number = checked("id_number", normal_id_number(number), now)
    birth = wanted.birth.strip()
    if number:
        of_number = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
        if birth not in ("", of_number):
            raise WrongValue("the number says another day of birth", field="birth")
        birth = of_number
    birth = checked("birth", birth, now)
    phone = wanted.phone.strip()
    if phone:
        phone = checked("phone", normal_phone(phone), now)
    life_rules.check_words(wanted.source, SOURCES, "source")
    life_rules.check_words(wanted.residency, RESIDENCIES, "residency")
    life_rules.check_words(wanted.household, HOUSEHOLDS, "household")
    joins = home is not None and home.joins
    relation = home.relation if home is not None else ""
    if joins or relation:
        life_rules.check_words(relation, RELATIONS, "relation")
    return _Checked(
        wanted.name.strip(), number, date.fromisoformat(birth), phone, relation or RELATIONS[0]
    )


def _check_day(session: Session, on: date, birth: date, now: datetime) -> None:
    today = city_day(session, now)
    if not birth <= on <= today:
        raise BadDay("before the birth or to come", field="on", first=birth, last=today)


def _home(session: Session, actor: Actor, wanted: Newcomer) -> tuple[Home, str]:
    """Return the dwelling with the code of its area.

    Raises `NoDwelling`, `OutsideAreas` and, for who joins nobody, `NobodyThere`.
    """
    home = wanted.home
    if home is None:
        raise NoDwelling("a newcomer comes into a dwelling", field="dwelling")
    found = session.execute(
        select(Building.area_code, scope.in_areas(Building.area_code, actor.areas).label("is_own"))
        .join(Dwelling, Dwelling.building_id == Building.id)
        .where(Dwelling.id == home.dwelling_id, Building.valid_to.is_(None))
    ).first()
    if found is None:
        raise NoDwelling("there is no such dwelling in the city", field="dwelling")
    if not found.is_own:
        raise OutsideAreas("the dwelling lies outside your areas", field="dwelling")
    if home.joins:
        living = select(Household.id).where(
            Household.dwelling_id == home.dwelling_id, Household.ended_on.is_(None)
        )
        if session.scalar(scope.visible(living, actor, Household).limit(1)) is None:
            raise NobodyThere("nobody lives in this dwelling", field="joins")
    return home, found.area_code


def _known(session: Session, actor: Actor, vault: Vault, number: str) -> Known | None:
    """Say whether a number is registered; who enters the same one waits for this transaction."""
    digests = vault.blind_indexes("person", "id_number", number)
    row = session.execute(KNOWN, {"digests": digests}).first()
    if row is None:
        return None
    if row.person_id is None:
        return Known("elsewhere", None)
    person = finding.locked_person(session, actor, row.person_id)
    if person.moved_out_on is None:
        return Known("here", person.id)
    last = life_story.last_event(session, actor, person.id)
    return Known("dead" if last is not None and last.kind == "death" else "former", person.id)


def _tell_known(
    session: Session, actor: Actor, known: Known, purpose: Purpose, now: datetime, source_ip: str
) -> None:
    """Keep that somebody learned that a number is registered; never the number itself."""
    if known.person_id is not None:
        finding.note_access(session, actor, known.person_id, "find", purpose, now)
    audit.record(
        session, "person_number_known", actor_id=actor.account_id,
        subject=f"person:{known.person_id}" if known.person_id is not None else "person",
        is_success=False, source_ip=source_ip,
        detail={"where": known.where, "purpose": purpose.code, "case": purpose.case_number},
    )  # fmt: skip


def _sealed(vault: Vault, key: int, said: _Checked, area_code: str) -> dict[str, Any]:
    """Seal what names somebody, with the digests that it is found by."""

    def seal(column: str, value: str) -> bytes | None:
        return vault.seal("person", key, f"{column}_sealed", value) if value else None

    def digest(field: str, value: str) -> bytes | None:
        return vault.blind_index("person", field, value) if value else None

    return {
        "name": seal("name", said.name),
        "name_digest": digest("name", local(normal_name(said.name), area_code)),
        "number": seal("id_number", said.number),
        "number_digest": digest("id_number", said.number),
        "call": seal("phone", said.phone),
        "call_digest": digest("phone", said.phone),
        "birth": seal("birth", said.birth.isoformat()),
    }
