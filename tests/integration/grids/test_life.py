"""Births, deaths and moves: the present state of a resident is what the events add up to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.audit import AuditEvent
from grids.bulk import driver
from grids.errors import GridsError
from grids.people import Household, Person, life, life_story
from grids.people.finding import NoPerson
from grids.people.life import Born, Happened, Home
from grids.people.life_rules import (
    BadDay,
    Dead,
    IsHere,
    NoDwelling,
    NoEvent,
    NotHere,
    SameHome,
)
from grids.people.models import PersonAccess, PersonEvent
from grids.people.purposes import Purpose, PurposeNeeded
from grids.people.subject_requests import NotOfTheList
from grids.secrets import local, normal_name
from tests.support.cases import COUNTY, VAULT, build_city, make_actor
from tests.support.people import add_household, add_person, id_number
from tests.support.web import FORGET

WEST, EAST = "339901001001001", "339901002001001"
NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
TODAY = date(2026, 3, 4)
WHY = Purpose("registration")
FIRST = date(2020, 1, 1)  #: since when everybody of the tests lives where they live


@dataclass
class Town:
    """Two people of one household in the west, one in the east, an empty home in each town."""

    session: Session
    registrar: Actor
    west: Actor
    anna: int
    bert: int
    cora: int
    homes: list[int]  #: dwellings: Anna's and Bert's, Cora's, an empty one west and one east

    def say(self, actor: Actor) -> None:
        self.session.execute(text(FORGET))
        scope.state(driver(self.session.connection()), actor)

    def record(
        self, person: int, kind: str, on: date, home: Home | None = None, **more
    ) -> list[int]:
        actor = more.pop("actor", self.registrar)
        whole = more.pop("whole", False)
        happened = Happened(kind, on, more.pop("source", "counter"), home, whole)
        return life.record(self.session, actor, VAULT, person, happened, WHY, now=NOW, **more)

    def move(self, person: int, on: date, dwelling: int, **more) -> list[int]:
        joins, relation = more.pop("joins", False), more.pop("relation", "")
        return self.record(person, "move", on, Home(dwelling, joins, relation), **more)

    def take_back(self, person: int, event: int, actor: Actor | None = None) -> None:
        life.take_back(self.session, actor or self.registrar, VAULT, person, event, WHY, now=NOW)

    def held(self, person: int) -> tuple[object, ...]:
        """Return what is kept of a resident now, and where the household says they live."""
        return tuple(
            self.session.execute(
                text(
                    "SELECT p.household_id, p.moved_in_on, p.moved_out_on, p.relation, p.area_code,"
                    " p.cell_id, p.grid_id, p.name_index, h.dwelling_id, h.area_code"
                    " FROM person AS p JOIN household AS h ON h.id = p.household_id WHERE p.id = :p"
                ),
                {"p": person},
            ).one()
        )


@pytest.fixture
def town(session: Session) -> Iterator[Town]:
    build_city(session)
    here, there = add_household(session, WEST), add_household(session, EAST)
    empty = [add_household(session, area, room="801") for area in (WEST, EAST)]
    homes = [session.get_one(Household, one).dwelling_id for one in (here, there, *empty)]
    session.execute(text("DELETE FROM household WHERE id = ANY(:ids)"), {"ids": empty})
    people = [
        add_person(session, VAULT, where, number=id_number(date(1985, 5, 5), at),
                   name=f"样本{at}号", area_code=area)
        for at, (where, area) in enumerate([(here, WEST), (here, WEST), (there, EAST)])
    ]  # fmt: skip
    registrar = make_actor(session, "registrar", COUNTY)
    west = make_actor(session, "registrar", "339901001")
    keys = [one.id for one in people]
    session.flush()
    session.expire_all()
    session.execute(text("SET ROLE wangge_app"))
    made = Town(session, registrar, west, *keys, homes)
    made.say(registrar)
    yield made
    session.execute(text("RESET ROLE"))


def named(name: str, area: str) -> bytes:
    return VAULT.blind_index("person", "name", local(normal_name(name), area))


def test_a_move_changes_home_area_and_the_index_of_the_name(town):
    (event,) = town.move(town.anna, date(2025, 6, 1), town.homes[3])

    household, since, until, relation, area, *_, index, dwelling, lies_in = town.held(town.anna)
    assert (since, until, relation) == (date(2025, 6, 1), None, "head")
    assert (area, lies_in, dwelling) == (EAST, EAST, town.homes[3])
    assert bytes(index) == named("样本0号", EAST)
    assert town.held(town.bert)[1] == FIRST
    (kept,) = life_story.events(town.session, town.registrar, town.anna)
    assert (kept.id, kept.kind, kept.to_household_id) == (event, "move", household)
    assert (kept.from_since, kept.from_relation, kept.source) == (FIRST, "head", "counter")
    assert kept.recorded_by == town.registrar.account_id


def test_a_household_that_moves_as_a_whole_takes_everybody_along(town):
    former = town.held(town.anna)[0]

    made = town.move(town.anna, date(2025, 6, 1), town.homes[2], whole=True)

    assert len(made) == 2
    anna, bert = town.held(town.anna), town.held(town.bert)
    assert (anna[0], anna[8]) == (bert[0], town.homes[2])
    ended = text("SELECT ended_on FROM household WHERE id = :id")
    assert town.session.scalar(ended, {"id": former}) == date(2025, 6, 1)
    assert town.session.scalar(ended, {"id": anna[0]}) is None

    town.take_back(town.bert, made[1])

    assert town.held(town.bert)[0] == former
    assert town.session.scalar(ended, {"id": former}) is None
    assert town.held(town.anna) == anna


def test_a_household_leaves_together_and_nobody_dies_with_it(town):
    with pytest.raises(NotOfTheList):
        town.record(town.anna, "death", TODAY, whole=True)
    assert town.held(town.anna)[2] is None

    town.record(town.anna, "move_out", TODAY, whole=True)

    assert [town.held(one)[2] for one in (town.anna, town.bert, town.cora)] == [TODAY, TODAY, None]


def test_who_moves_in_with_somebody_joins_their_household(town):
    town.move(town.bert, date(2025, 6, 1), town.homes[1], joins=True, relation="spouse")

    assert town.held(town.bert)[0] == town.held(town.cora)[0]
    assert town.held(town.bert)[3] == "spouse"


def test_a_death_ends_everything_and_a_departure_until_the_return(town):
    town.record(town.anna, "death", date(2025, 1, 2), source="civil")
    town.record(town.bert, "move_out", date(2025, 1, 2))

    assert town.held(town.anna)[2] == date(2025, 1, 2)
    with pytest.raises(Dead):
        town.move(town.anna, TODAY, town.homes[2])
    with pytest.raises(NotHere):
        town.move(town.bert, TODAY, town.homes[2])
    town.record(town.bert, "move_in", date(2025, 3, 1), Home(town.homes[2]))
    assert town.held(town.bert)[1:3] == (date(2025, 3, 1), None)
    days = [date(2024, 1, 1), date(2025, 2, 1), date(2025, 4, 1)]
    lived = [life_story.stay_on(town.session, town.registrar, town.bert, day) for day in days]
    assert [stay is not None for stay in lived] == [True, False, True]
    assert lived[2].household_id == town.held(town.bert)[0]


def test_a_child_is_born_into_the_household_and_taken_back_without_a_name(town):
    born = Born(date(2026, 2, 1), "health", "新生儿")
    child = life.record_birth(town.session, town.registrar, VAULT, town.anna, born, WHY, now=NOW)

    assert town.held(child)[:5] == (
        town.held(town.anna)[0], date(2026, 2, 1), None, "child", WEST,
    )  # fmt: skip
    row = town.session.get_one(Person, child)
    assert VAULT.open("person", child, "name_sealed", row.name_sealed) == "新生儿"
    assert VAULT.open("person", child, "birth_sealed", row.birth_sealed) == "2026-02-01"
    assert (row.age_band, row.residency) == ("0-5", "registered")
    assert life_story.stay_on(town.session, town.registrar, child, date(2026, 1, 31)) is None
    (event,) = life_story.events(town.session, town.registrar, child)

    town.take_back(child, event.id)

    town.session.refresh(row)
    assert (row.name_sealed, row.birth_sealed, row.name_index) == (None, None, None)
    assert row.moved_out_on == date(2026, 2, 1)


def test_a_child_may_be_named_later(town):
    born = Born(date(2026, 2, 1), "health")

    child = life.record_birth(town.session, town.registrar, VAULT, town.anna, born, WHY, now=NOW)

    assert town.session.get_one(Person, child).name_sealed is None


@pytest.mark.parametrize(
    ("kind", "on", "home", "error", "field"),
    [
        ("move", date(2026, 3, 5), 2, BadDay, "on"),
        ("move", date(2019, 12, 31), 2, BadDay, "on"),
        ("move", TODAY, 0, SameHome, "dwelling"),
        ("move", TODAY, None, NoDwelling, "dwelling"),
        ("move", TODAY, 10**9, NoDwelling, "dwelling"),
        ("move_in", TODAY, 2, IsHere, "kind"),
        ("birth", TODAY, None, NotOfTheList, "kind"),
        ("marriage", TODAY, None, NotOfTheList, "kind"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(town, kind, on, home, error, field):
    before = town.held(town.anna)
    place = None if home is None else Home(town.homes[home] if home < 4 else home)

    with pytest.raises(error) as refused:
        town.record(town.anna, kind, on, place)

    assert refused.value.params["field"] == field
    assert town.held(town.anna) == before
    assert life_story.events(town.session, town.registrar, town.anna) == []


def test_an_event_before_the_last_one_is_refused_until_that_is_taken_back(town):
    (later,) = town.move(town.anna, date(2025, 6, 1), town.homes[2])
    with pytest.raises(BadDay) as refused:
        town.record(town.anna, "death", date(2025, 5, 31))
    assert refused.value.params["first"] == date(2025, 6, 1)

    town.take_back(town.anna, later)
    town.record(town.anna, "death", date(2025, 5, 31))

    assert town.held(town.anna)[2] == date(2025, 5, 31)


def test_only_the_last_event_is_taken_back_and_it_stays_with_who_did_so(town):
    (first,) = town.move(town.anna, date(2025, 6, 1), town.homes[2])
    (second,) = town.record(town.anna, "death", date(2025, 7, 1))
    with pytest.raises(NoEvent):
        town.take_back(town.anna, first)

    town.take_back(town.anna, second)

    events = {e.id: e for e in life_story.events(town.session, town.registrar, town.anna)}
    assert events[second].withdrawn_by == town.registrar.account_id
    assert events[second].withdrawn_at == NOW
    assert events[first].withdrawn_at is None
    with pytest.raises(NoEvent):
        town.take_back(town.anna, second)


def test_who_moves_out_of_the_own_areas_is_seen_there_and_here_no_longer(town):
    town.say(town.west)
    with pytest.raises(NoPerson):
        town.move(town.cora, TODAY, town.homes[2], actor=town.west)

    (event,) = town.move(town.anna, TODAY, town.homes[3], actor=town.west)

    with pytest.raises(NoPerson):
        life_story.events(town.session, town.west, town.anna)
    assert town.session.scalar(select(PersonEvent.id)) is None
    town.say(town.registrar)
    assert town.held(town.anna)[4] == EAST
    assert town.session.scalar(select(PersonEvent.id)) == event


def test_doors_open_for_residents_of_the_own_areas_only(town):
    town.say(town.west)
    for door in (
        "SELECT fold_person(:p, NULL)",
        "SELECT household_for(:p, :d, 'family', false)",
        """INSERT INTO person_event (person_id, kind, occurred_on, recorded_at, recorded_by, source,
           to_household_id) VALUES (:p, 'birth', now(), now(), :a, 'civil', :d)""",
    ):
        apart = town.session.begin_nested()
        values = {"p": town.cora, "d": town.homes[0], "a": town.west.account_id}
        with pytest.raises(ProgrammingError) as refused:
            town.session.execute(text(door), values)
        assert isinstance(refused.value.orig, InsufficientPrivilege)
        apart.rollback()
    assert life_story.homes(town.session, town.cora) == {}


def test_an_act_needs_a_purpose_and_is_kept_with_the_record_and_in_the_log(town):
    with pytest.raises(PurposeNeeded):
        life.record(
            town.session, town.registrar, VAULT, town.anna,
            Happened("death", TODAY, "civil"), Purpose(), now=NOW,
        )  # fmt: skip

    (event,) = town.record(town.anna, "death", TODAY, source="civil", source_ip="127.0.0.1")
    town.take_back(town.anna, event)

    acts = town.session.scalars(select(PersonAccess.act).order_by(PersonAccess.id)).all()
    assert acts == ["event", "take_back"]
    logged = town.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [one.action for one in logged] == ["person_event_recorded", "person_event_withdrawn"]
    assert logged[0].detail == {
        "purpose": "registration", "case": "", "event": event, "kind": "death",
    }  # fmt: skip
    assert logged[0].subject == f"person:{town.anna}"


def fold(base, events):
    """Add events up by hand: household, since, until, relation."""
    household, since, until, relation = base
    for event in sorted(events, key=lambda one: (one.occurred_on, one.id)):
        if event.withdrawn_at is not None:
            continue
        if event.kind in ("death", "move_out"):
            until = event.occurred_on
        else:
            household, since, until = event.to_household_id, event.occurred_on, None
            relation = event.to_relation or relation
    return household, since, until, relation


steps = st.lists(
    st.tuples(
        st.sampled_from(["move", "move", "move_out", "move_in", "death", "take_back", "whole"]),
        st.integers(0, 2),  # who
        st.integers(0, 400),  # days later
        st.integers(0, 3),  # where to
        st.booleans(),  # with who lives there
        st.sampled_from(["", "spouse", "child"]),
    ),
    max_size=9,
)


@settings(max_examples=20, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(steps)
def test_the_state_is_the_fold_of_the_events_after_every_step(town, wanted):
    apart = town.session.begin_nested()
    people = [town.anna, town.bert, town.cora]
    base = {one: town.held(one) for one in people}
    before: dict[int, tuple[object, ...]] = {}
    day = date(2021, 1, 1)
    for kind, at, later, where, joins, relation in wanted:
        who = people[at]
        day = min(day + timedelta(days=later), TODAY)
        held = {one: town.held(one) for one in people}
        try:
            with town.session.begin_nested():
                if kind == "take_back":
                    last = life_story.last_event(town.session, town.registrar, who)
                    if last is not None:
                        town.take_back(who, last.id)
                        assert town.held(who) == before[last.id]
                else:
                    leaves = kind in ("death", "move_out")
                    home = None if leaves else Home(town.homes[where], joins, relation)
                    word = "move" if kind == "whole" else kind
                    made = town.record(who, word, day, home, whole=kind == "whole")
                    of = {e: town.session.get_one(PersonEvent, e).person_id for e in made}
                    before |= {event: held[one] for event, one in of.items()}
        except GridsError:
            assert {one: town.held(one) for one in people} == held
        for one in people:
            events = life_story.events(town.session, town.registrar, one)
            now = town.held(one)
            assert now[:4] == fold(base[one][:4], events)
            assert now[4] == now[9]
            assert bytes(now[7]) == named(f"样本{people.index(one)}号", now[4])
            for on in {FIRST, day, *(e.occurred_on for e in events)}:
                until_then = [e for e in events if e.occurred_on <= on]
                household, since, until, _ = fold(base[one][:4], until_then)
                stay = life_story.stay_on(town.session, town.registrar, one, on)
                lives = since <= on and (until is None or on < until)
                assert (stay.household_id if stay else None) == (household if lives else None)
        counted = text(
            "SELECT count(*) FROM household AS h WHERE (h.ended_on IS NULL) <> EXISTS ("
            " SELECT FROM person AS p WHERE p.household_id = h.id AND p.moved_out_on IS NULL)"
        )
        assert town.session.scalar(counted) == 0
    apart.rollback()
    town.session.expire_all()
