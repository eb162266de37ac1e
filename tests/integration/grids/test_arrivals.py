"""A newcomer is entered once, into a dwelling of the own areas; numbers cannot be probed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from threading import Barrier

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from app.config import as_role
from grids import scope
from grids.accounts import Actor
from grids.audit import AuditEvent
from grids.bulk import driver
from grids.db import engine as make_engine
from grids.limits import TooMany
from grids.people import Household, Person, arrivals, finding, life, life_story
from grids.people.arrivals import Known, Newcomer, NobodyThere, OutsideAreas
from grids.people.life import Happened, Home
from grids.people.life_rules import BadDay, NameTooLong, NoDwelling
from grids.people.models import PersonAccess, PersonEvent
from grids.people.purposes import Purpose, PurposeNeeded
from grids.people.subject_requests import NotOfTheList, WrongValue
from tests.support.cases import COUNTY, VAULT, build_city, make_actor
from tests.support.people import add_household, add_person, id_number
from tests.support.web import FORGET

WEST, EAST = "339901001001001", "339901002001001"
NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
TODAY = date(2026, 3, 4)
WHY = Purpose("registration")
BORN = date(1990, 8, 9)
NUMBER = id_number(BORN, 77, region="310101")


@dataclass
class Window:
    """Somebody who lives in each town, an empty dwelling in each, who enters for one or both."""

    session: Session
    registrar: Actor
    west: Actor
    anna: int
    cora: int
    homes: dict[str, int]

    def say(self, actor: Actor) -> None:
        self.session.execute(text(FORGET))
        scope.state(driver(self.session.connection()), actor)

    def enter(self, actor: Actor | None = None, purpose: Purpose = WHY, **more) -> int | Known:
        home = more.pop("home", Home(self.homes["empty west"]))
        fields = {"name": "王新来", "on": date(2026, 3, 1), "source": "counter", "number": NUMBER}
        wanted = Newcomer(home=home, **{**fields, **more})
        who = actor or self.west
        return arrivals.record_arrival(self.session, who, VAULT, wanted, purpose, now=NOW)

    def people(self) -> int:
        return self.session.scalar(select(func.count()).select_from(Person)) or 0


def numbers(session: Session) -> list[str]:
    return [id_number(date(1985, 5, 5), at) for at in (1, 2)]


@pytest.fixture
def window(session: Session) -> Iterator[Window]:
    build_city(session)
    lived = {name: add_household(session, area) for name, area in (("west", WEST), ("east", EAST))}
    empty = {f"empty {name}": add_household(session, area, room="801")
             for name, area in (("west", WEST), ("east", EAST))}  # fmt: skip
    homes = {name: session.get_one(Household, key).dwelling_id
             for name, key in {**lived, **empty}.items()}  # fmt: skip
    session.execute(text("DELETE FROM household WHERE id = ANY(:k)"), {"k": [*empty.values()]})
    anna, cora = (
        add_person(session, VAULT, key, number=number, area_code=area)
        for key, number, area in zip(lived.values(), numbers(session), (WEST, EAST), strict=True)
    )
    made = Window(
        session, make_actor(session, "registrar", COUNTY),
        make_actor(session, "registrar", "339901001"), anna.id, cora.id, homes,
    )  # fmt: skip
    session.flush()
    session.expire_all()
    session.execute(text("SET ROLE wangge_app"))
    made.say(made.west)
    yield made
    session.execute(text("RESET ROLE"))


def test_a_newcomer_is_a_sealed_row_that_is_the_fold_of_its_event(window):
    key = window.enter(number=NUMBER.lower(), phone="+86 138 0000 0000", residency="migrant")

    row = window.session.get_one(Person, key)
    opened = {field: finding.opened(VAULT, row, field) for field in
              ("name", "id_number", "phone", "birth")}  # fmt: skip
    assert opened == {
        "name": "王新来", "id_number": NUMBER, "phone": "13800000000", "birth": "1990-08-09",
    }  # fmt: skip
    assert (row.age_band, row.residency, row.relation) == ("15-59", "migrant", "head")
    home = window.session.get_one(Household, row.household_id)
    assert (home.dwelling_id, home.kind) == (window.homes["empty west"], "family")
    assert (row.area_code, row.cell_id) == (home.area_code, home.cell_id) == (WEST, 1)
    (event,) = life_story.events(window.session, window.west, key)
    assert (event.kind, event.from_household_id, event.source) == ("move_in", None, "counter")
    state = window.session.execute(life_story.STATE, {"person": key, "day": TODAY}).one()
    assert tuple(state) == (row.household_id, row.moved_in_on, row.moved_out_on, row.relation)
    assert life_story.stay_on(window.session, window.west, key, date(2026, 2, 28)) is None
    for wanted, place in ((NUMBER, ""), ("13800000000", ""), ("王新来", "339901001001")):
        found = finding.find(window.session, window.west, VAULT, wanted, WHY, now=NOW, place=place)
        assert [card.id for card in found] == [key]


def test_it_is_kept_with_the_record_and_in_the_log_without_number_or_name(window):
    key = window.enter()

    assert window.session.scalars(select(PersonAccess.act)).all() == ["event"]
    (logged,) = window.session.scalars(select(AuditEvent)).all()
    assert (logged.action, logged.subject) == ("person_arrived", f"person:{key}")
    assert logged.detail["purpose"] == "registration"
    assert NUMBER not in str(logged.detail)
    with pytest.raises(PurposeNeeded):
        window.enter(purpose=Purpose())


def test_without_a_number_the_day_of_birth_is_enough(window):
    key = window.enter(number="", birth="2020-03-04", home=Home(
        window.homes["west"], joins=True, relation="child"))  # fmt: skip

    row = window.session.get_one(Person, key)
    anna = window.session.get_one(Person, window.anna)
    assert (row.household_id, row.relation, row.age_band) == (anna.household_id, "child", "6-14")
    assert (row.id_number_sealed, row.id_number_index, row.phone_index) == (None, None, None)


@pytest.mark.parametrize(
    ("wrong", "error", "field"),
    [
        ({"number": NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")}, WrongValue, "id_number"),
        ({"number": NUMBER[:-1]}, WrongValue, "id_number"),
        ({"number": "", "birth": ""}, WrongValue, "birth"),
        ({"birth": "1990-08-10"}, WrongValue, "birth"),
        ({"number": "", "birth": "2026-03-05"}, WrongValue, "birth"),
        ({"name": "王"}, WrongValue, "name"),
        ({"name": "王" * 61}, NameTooLong, "name"),
        ({"phone": "12"}, WrongValue, "phone"),
        ({"on": date(2026, 3, 5)}, BadDay, "on"),
        ({"on": date(1990, 8, 8)}, BadDay, "on"),
        ({"source": "rumour"}, NotOfTheList, "source"),
        ({"residency": "guest"}, NotOfTheList, "residency"),
        ({"household": "castle"}, NotOfTheList, "household"),
        ({"home": None}, NoDwelling, "dwelling"),
        ({"home": 10**9}, NoDwelling, "dwelling"),
        ({"home": "empty east"}, OutsideAreas, "dwelling"),
        ({"home": "east"}, OutsideAreas, "dwelling"),
    ],
)
def test_what_cannot_be_is_refused_by_field_and_changes_nothing(window, wrong, error, field):
    if isinstance(wrong.get("home"), (int, str)):
        dwelling = window.homes.get(wrong["home"], wrong["home"])
        wrong = {**wrong, "home": Home(dwelling, relation="head")}
    before = window.people()

    with pytest.raises(error) as refused:
        window.enter(**wrong)

    assert refused.value.params["field"] == field
    assert window.people() == before
    assert window.session.scalar(select(PersonEvent.id)) is None


def test_who_joins_needs_a_household_there_and_a_relation(window):
    with pytest.raises(NobodyThere):
        window.enter(home=Home(window.homes["empty west"], True, "spouse"))
    with pytest.raises(NotOfTheList) as refused:
        window.enter(home=Home(window.homes["west"], joins=True))

    assert refused.value.params["field"] == "relation"


def test_a_known_number_is_told_by_where_it_is_and_enters_nobody(window):
    here, there = numbers(window.session)
    before = window.people()

    assert window.enter(number=here) == Known("here", window.anna)
    assert window.enter(number=there) == Known("elsewhere", None)
    for kind, where in (("move_out", "former"), ("death", "dead")):
        inner = window.session.begin_nested()
        happened = Happened(kind, date(2026, 1, 1), "civil")
        life.record(window.session, window.west, VAULT, window.anna, happened, WHY, now=NOW)
        assert window.enter(number=here) == Known(where, window.anna)
        inner.rollback()
        window.session.expire_all()

    assert window.people() == before
    told = window.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "person_number_known").order_by(AuditEvent.id)
    ).all()
    assert [(one.subject, one.detail["where"], one.is_success) for one in told] == [
        (f"person:{window.anna}", "here", False), ("person", "elsewhere", False),
    ]  # fmt: skip
    noted = window.session.scalars(select(PersonAccess.person_id)).all()
    assert noted == [window.anna]


def test_a_refusal_says_nothing_of_the_number(window):
    """What can be refused is refused before the number is looked up."""
    _, there = numbers(window.session)

    for number in (there, NUMBER):
        with pytest.raises(OutsideAreas):
            window.enter(number=number, home=Home(window.homes["empty east"]))

    assert window.session.scalars(select(AuditEvent)).all() == []


def test_numbers_cannot_be_tried_out(window):
    _, there = numbers(window.session)
    for _at in range(arrivals.MOST_KNOWN):
        assert window.enter(number=there) == Known("elsewhere", None)

    for number in (there, NUMBER):  # neither answer tells them apart any more
        with pytest.raises(TooMany):
            window.enter(number=number)

    window.say(window.registrar)
    assert window.enter(window.registrar, number=there) == Known("here", window.cora)


def test_an_entry_taken_back_leaves_no_name_and_the_number_free(window):
    key = window.enter()
    event = life_story.last_event(window.session, window.west, key)

    life.take_back(window.session, window.west, VAULT, key, event.id, WHY, now=NOW)

    row = window.session.get_one(Person, key)
    window.session.refresh(row)
    assert (row.name_sealed, row.id_number_index, row.birth_sealed) == (None, None, None)
    assert row.moved_out_on == row.moved_in_on
    ended = select(Household.ended_on).where(Household.id == row.household_id)
    assert window.session.scalar(ended) is not None
    assert isinstance(window.enter(), int)


def test_the_doors_ask_for_the_right_and_for_the_area(window):
    worker = make_worker(window)
    enter = (
        "SELECT enter_newcomer(900001, {home}, false, 'family', '2026-01-01', '15-59', 'migrant',"
        " 'head', NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
    )
    doors = [
        (window.west, enter.format(home=window.homes["empty east"])),
        (worker, enter.format(home=window.homes["empty west"])),
        (worker, "SELECT known_number(ARRAY['\\x00'::bytea])"),
    ]
    for actor, door in doors:
        window.say(actor)
        apart = window.session.begin_nested()
        with pytest.raises(ProgrammingError) as refused:
            window.session.execute(text(door.replace(":", "\\:")))
        assert isinstance(refused.value.orig, InsufficientPrivilege)
        apart.rollback()


def make_worker(window: Window) -> Actor:
    window.session.execute(text("RESET ROLE"))
    found = make_actor(window.session, "worker", WEST)
    window.session.execute(text("SET ROLE wangge_app"))
    return found


def test_of_four_who_enter_the_same_number_at_once_one_enters_it(empty_database):
    owner = make_engine(as_role(empty_database, "wangge_owner", "none"))
    with Session(owner) as session, session.begin():
        build_city(session)
        session.flush()
        home = session.get_one(Household, add_household(session, WEST)).dwelling_id
        actors = [make_actor(session, "registrar", COUNTY) for _ in range(4)]
    web = make_engine(as_role(empty_database, "wangge_app", "none"), pool_size=len(actors))
    wanted = Newcomer("王新来", TODAY, "counter", Home(home), number=NUMBER)
    gate = Barrier(len(actors))

    def enter(actor: Actor) -> int | Known:
        with Session(web) as session, session.begin():
            scope.state(driver(session.connection()), actor)
            gate.wait(30)
            return arrivals.record_arrival(session, actor, VAULT, wanted, WHY, now=NOW)

    with ThreadPoolExecutor(len(actors)) as pool:
        answers = list(pool.map(enter, actors))
    with Session(owner) as session:
        kept = session.scalars(select(Person.id)).all()
    owner.dispose()
    web.dispose()

    assert len(kept) == 1
    assert [one for one in answers if isinstance(one, int)] == list(kept)
    assert answers.count(Known("here", kept[0])) == len(actors) - 1
