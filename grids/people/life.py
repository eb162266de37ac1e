"""Births, deaths and moves of residents (出生, 死亡, 迁移) as dated events; the state follows them.

Where somebody lives, since when and until when is what the events add up to (`person_state`,
migration 0069). An event is recorded for somebody whom the caller may see; the home that
somebody moves to need only lie in the city, wherever the caller's areas end. A wrong event is
taken back, the last one first, and stays with who did so and when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.buildings import Building, Dwelling
from grids.city import the_city
from grids.limits import count_use
from grids.people import finding, life_rules, purposes
from grids.people.life_rules import (
    NameTooLong,
    NoDwelling,
    NoEvent,
    SameHome,
    check_day,
    check_state,
)
from grids.people.life_story import homes, last_event
from grids.people.models import LEAVING, Household, Person, PersonEvent
from grids.people.purposes import Purpose
from grids.people.subject_requests import age_band, anonymise
from grids.secrets import Vault, local, normal_name

#: Who said so: 社区窗口, 网格员走访, 公安, 卫健, 民政.
SOURCES: Final = ("counter", "worker", "police", "health", "civil")
#: To the head of the household.
RELATIONS: Final = ("head", "spouse", "child", "parent", "non_relative")
HOUSEHOLDS: Final = ("family", "shared", "collective")
#: What a household does together.
TOGETHER: Final = ("move", "move_out")
MOST_RECORDED: Final = 120  #: of an account in an hour, each resident of a household by itself
LONGEST_NAME: Final = 60

#: Doors through the second wall: what they answer, they answer for a resident in scope.
HOUSEHOLD: Final = text("SELECT household_for(:person, :dwelling, :kind, :joins)")
CHILD: Final = text("SELECT child_of_person(:parent, :key, :day, :band, :name, :digest, :birth)")
FOLD: Final = text("SELECT fold_person(:person, :digest)")
TAKE_BACK: Final = text("SELECT take_back_person_event(:event, :at, :digest)")


@dataclass(frozen=True)
class Home:
    """Where somebody goes: a dwelling, and whether to the household that lives there."""

    dwelling_id: int
    joins: bool = False
    relation: str = ""  #: to the head there; empty: as before, or the head of a household alone


@dataclass(frozen=True)
class Happened:
    """An event as it is recorded."""

    kind: str
    on: date
    source: str
    home: Home | None = None  #: of a move
    is_whole_household: bool = False  #: all who live in the household move or leave along


@dataclass(frozen=True)
class Born:
    """A birth in the household of a resident. The name may follow later."""

    on: date
    source: str
    name: str = ""


def record(
    session: Session, actor: Actor, vault: Vault, person_id: int, wanted: Happened,
    purpose: Purpose, *, now: datetime, source_ip: str = "",
) -> list[int]:  # fmt: skip
    """Record a move, a departure, a return or a death; return the ids of the events.

    What holds now follows in the same transaction. One event for each who moves along.
    Raises `NoPerson`, `PurposeNeeded`, `NotOfTheList`, `BadDay`, `Dead`, `NotHere`, `IsHere`,
    `NoDwelling`, `SameHome`, `TooMany`; each names the field and changes nothing.
    """
    life_rules.check_words(wanted.kind, ("move_in", "move", *LEAVING), "kind")
    if wanted.is_whole_household:
        life_rules.check_words(wanted.kind, TOGETHER, "kind")
    person = _locked(session, actor, person_id, wanted.source, purpose)
    who = _movers(session, actor, person) if wanted.is_whole_household else [person]
    for one in who:
        _count(session, actor, now)
        state = _state(session, one, wanted.kind)
        check_day(wanted.on, state, today=city_day(session, now), born=_born(vault, one))
    goes_to = _goes_to(session, actor, person, who, wanted)
    made = []
    for one in who:
        made.append(_add(session, actor, one, wanted, goes_to, now))
        _fold(session, vault, one, goes_to.area_code if goes_to else one.area_code)
        _tell(session, actor, one.id, "person_event_recorded", "event", purpose, now, source_ip,
              event=made[-1], kind=wanted.kind)  # fmt: skip
    session.expire_all()
    return made


def record_birth(
    session: Session, actor: Actor, vault: Vault, parent_id: int, wanted: Born, purpose: Purpose,
    *, now: datetime, source_ip: str = "",
) -> int:  # fmt: skip
    """Enter a child into the household of a resident who lived there that day; return its id.

    Raises as `record`, and `NameTooLong`.
    """
    parent = _locked(session, actor, parent_id, wanted.source, purpose)
    _count(session, actor, now)
    if len(wanted.name) > LONGEST_NAME:
        raise NameTooLong("the name is too long", field="name", most=LONGEST_NAME)
    state = _state(session, parent, "birth")
    check_day(wanted.on, state, today=city_day(session, now), born="")
    key = session.scalar(text("SELECT nextval(pg_get_serial_sequence('person', 'id'))"))
    assert key is not None
    session.execute(
        CHILD,
        {"parent": parent.id, "key": key, "day": wanted.on,
         "band": age_band(wanted.on, now.date()),
         "name": vault.seal("person", key, "name_sealed", wanted.name) if wanted.name else None,
         "digest": _digest(vault, wanted.name, parent.area_code),
         "birth": vault.seal("person", key, "birth_sealed", wanted.on.isoformat())},
    )  # fmt: skip
    event = PersonEvent(
        person_id=key, kind="birth", occurred_on=wanted.on, recorded_at=now,
        recorded_by=actor.account_id, source=wanted.source,
        to_household_id=parent.household_id, to_relation="child",
    )  # fmt: skip
    session.add(event)
    session.flush()
    _tell(session, actor, key, "person_event_recorded", "event", purpose, now, source_ip,
          event=event.id, kind="birth", parent=parent_id)  # fmt: skip
    return int(key)


def take_back(
    session: Session, actor: Actor, vault: Vault, person_id: int, event_id: int, purpose: Purpose,
    *, now: datetime, source_ip: str = "",
) -> None:  # fmt: skip
    """Take the last event of a resident back; what held before it holds again.

    Of a birth, or of a newcomer who never came, the record stays without a name and out of
    every count. Raises `NoPerson`, `PurposeNeeded`, and `NoEvent` for one that is not the last
    that stands.
    """
    person = _locked(session, actor, person_id, SOURCES[0], purpose)
    _count(session, actor, now)
    last = last_event(session, actor, person_id)
    if last is None or last.id != event_id:
        raise NoEvent("only the last event that stands is taken back", field="event")
    goes_back = last.from_household_id or person.household_id
    name = finding.opened(vault, person, "name")
    areas = {home.household_id: home.area_code for home in homes(session, person_id).values()}
    digest = _digest(vault, name, areas[goes_back])
    session.execute(TAKE_BACK, {"event": event_id, "at": now, "digest": digest})
    _tell(session, actor, person_id, "person_event_withdrawn", "take_back", purpose, now,
          source_ip, event=event_id, kind=last.kind)  # fmt: skip
    if last.from_household_id is None:  # nothing was known before it
        session.refresh(person)
        anonymise(person, now)
        session.flush()
    session.expire_all()


def city_day(session: Session, now: datetime) -> date:
    """Return the day that it is in the city."""
    return now.astimezone(ZoneInfo(the_city(session).city_zone)).date()


def _locked(
    session: Session, actor: Actor, person_id: int, source: str, purpose: Purpose
) -> Person:
    purposes.check(session, actor, purpose)
    life_rules.check_words(source, SOURCES, "source")
    return finding.locked_person(session, actor, person_id)


def _count(session: Session, actor: Actor, now: datetime) -> None:
    count_use(session, f"person_event:{actor.account_id}", most=MOST_RECORDED, now=now)


def _movers(session: Session, actor: Actor, person: Person) -> list[Person]:
    """Return who lives in the household now, the resident first; all lie in the same area."""
    wanted = (
        select(Person)
        .where(Person.household_id == person.household_id, Person.moved_out_on.is_(None))
        .order_by(Person.id != person.id, Person.id)
        .with_for_update()
    )
    found: list[Person] = list(session.scalars(scope.visible(wanted, actor, Person)))
    return found or [person]


def _state(session: Session, person: Person, kind: str) -> life_rules.State:
    last = session.scalar(
        select(PersonEvent)
        .where(PersonEvent.person_id == person.id, PersonEvent.withdrawn_at.is_(None))
        .order_by(PersonEvent.occurred_on.desc(), PersonEvent.id.desc())
        .limit(1)
    )
    state = life_rules.State(
        since=person.moved_in_on, until=person.moved_out_on,
        last_on=last.occurred_on if last else None, is_dead=last is not None and last.kind == "death",
    )  # fmt: skip
    check_state(state, kind)
    return state


@dataclass(frozen=True)
class _Target:
    household_id: int
    area_code: str
    relation: str | None


def _goes_to(
    session: Session, actor: Actor, person: Person, who: list[Person], wanted: Happened
) -> _Target | None:
    """Find or open the household that a move leads to. Raises `NoDwelling`, `SameHome`."""
    if wanted.kind in LEAVING:
        return None
    home = wanted.home
    if home is None:
        raise NoDwelling("a move leads to a dwelling", field="dwelling")
    area = session.scalar(
        select(Building.area_code)
        .join(Dwelling, Dwelling.building_id == Building.id)
        .where(Dwelling.id == home.dwelling_id, Building.valid_to.is_(None))
    )
    if area is None:
        raise NoDwelling("there is no such dwelling in the city", field="dwelling")
    if home.relation:
        life_rules.check_words(home.relation, RELATIONS, "relation")
    wanted_now = select(Household).where(Household.id == person.household_id)
    now_in: Household | None = session.scalar(scope.visible(wanted_now, actor, Household))
    kind = now_in.kind if now_in is not None else HOUSEHOLDS[0]
    if wanted.kind == "move" and now_in is not None and now_in.dwelling_id == home.dwelling_id:
        raise SameHome("the resident lives in this dwelling", field="dwelling")
    is_alone = len(who) == 1 and not home.joins
    found = session.scalar(
        HOUSEHOLD,
        {"person": person.id, "dwelling": home.dwelling_id, "joins": home.joins,
         "kind": HOUSEHOLDS[0] if is_alone else kind},
    )  # fmt: skip
    relation = home.relation or ("head" if is_alone else None)
    return _Target(int(found), area, relation if len(who) == 1 else None)


def _add(
    session: Session, actor: Actor, person: Person, wanted: Happened, goes_to: _Target | None,
    now: datetime,
) -> int:  # fmt: skip
    made = PersonEvent(
        person_id=person.id, kind=wanted.kind, occurred_on=wanted.on, recorded_at=now,
        recorded_by=actor.account_id, source=wanted.source,
        from_household_id=person.household_id, from_since=person.moved_in_on,
        from_until=person.moved_out_on, from_relation=person.relation,
        to_household_id=goes_to.household_id if goes_to else None,
        to_relation=goes_to.relation if goes_to else None,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made.id


def _fold(session: Session, vault: Vault, person: Person, area_code: str) -> None:
    """Let the columns of a resident be what the events add up to."""
    digest = _digest(vault, finding.opened(vault, person, "name"), area_code)
    session.execute(FOLD, {"person": person.id, "digest": digest})


def _digest(vault: Vault, name: str, area_code: str) -> bytes | None:
    """Digest a name within the community of the home."""
    return (
        vault.blind_index("person", "name", local(normal_name(name), area_code)) if name else None
    )


def _born(vault: Vault, person: Person) -> str:
    return finding.opened(vault, person, "birth")


def _tell(
    session: Session, actor: Actor, person_id: int, action: str, act: str, purpose: Purpose,
    now: datetime, source_ip: str, **more: Any,
) -> None:  # fmt: skip
    """Keep with the record and in the audit log that somebody worked on it."""
    finding.note_access(session, actor, person_id, act, purpose, now)
    audit.record(
        session, action, actor_id=actor.account_id, subject=f"person:{person_id}",
        source_ip=source_ip,
        detail={"purpose": purpose.code, "case": purpose.case_number, **more},
    )  # fmt: skip
