"""The registry of addresses in a real database: codes, the geocoder, questions and what is learned."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import shapely
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grids import places, search
from grids.accounts import Actor
from grids.addressing import library, quality, questions, service, standing
from grids.addressing.codes import is_code
from grids.addressing.models import AddressAlias, AddressQuestion
from grids.audit.models import AuditEvent
from grids.buildings import Address
from grids.bulk import copy_frame
from grids.errors import NotFound
from tests.support.cases import build_city, make_staff
from tests.support.maps import actor_in, links_of

NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
#: street, number, estate, building, longitude: the first four lie in the western town.
ROWS = (
    ("康岭街", "1号", None, None, 120.02),
    ("康岭街", "12号", None, None, 120.021),
    (None, "7号", "凤楼村", None, 120.03),
    (None, None, "金色花园", "5幢", 120.04),
    ("江滨路", "88号", None, None, 120.15),
    ("江滨路", "90号", None, None, 120.151),
)


@pytest.fixture
def city(session: Session) -> Session:
    build_city(session)
    lonlat = np.array([(row[4], 29.30) for row in ROWS])
    columns: dict[str, Any] = {
        name: [row[k] for row in ROWS]
        for k, name in enumerate(("street", "number", "estate", "building"))
    }
    columns["text"] = [
        "".join(part for part in (row[0], row[2], row[1], row[3]) if part) for row in ROWS
    ]
    connection = session.connection()
    copy_frame(connection, "address", {
        **columns, "geom": shapely.points(lonlat), **links_of(session, lonlat),
    })  # fmt: skip
    connection.execute(text(
        "INSERT INTO address_name (level, old, new, changed_on)"
        " VALUES ('street', '旧塘街', '康岭街', '2020-01-01')"
    ))  # fmt: skip
    return session


@pytest.fixture
def worker(city: Session) -> Actor:
    staff = make_staff(city)["worker"]
    return Actor(staff.account_id, staff.name, staff.roles, actor_in().permissions,
                 ("339901001001001",), None)  # fmt: skip


def uncertain(city: Session) -> AddressQuestion:
    """Ask about a text with one letter that cannot be read."""
    found = service.geocode(city, "康X街12号")
    assert found.verdict == "uncertain"
    questions.ask(city, [found], "feed", now=NOW, actor=None)
    return city.scalars(select(AddressQuestion)).one()


def test_the_database_gives_each_address_a_code_that_no_other_has(city: Session) -> None:
    rows = city.execute(select(Address.code, Address.area_code, Address.plate_state)).all()

    assert all(is_code(row.code) and row.code[:12] == row.area_code[:12] for row in rows)
    assert len({row.code for row in rows}) == len(ROWS)
    assert {row.plate_state for row in rows} == {"in_use"}


def test_a_plate_has_one_of_three_states(city: Session) -> None:
    with pytest.raises(IntegrityError), city.begin_nested():
        city.execute(text("UPDATE address SET plate_state = 'lost'"))


def test_both_libraries_find_the_same(city: Session) -> None:
    said = [
        "康领街十二号",
        "旧塘街12号",
        "金色花园5栋",
        "江宾路88號",
        "凤楼村7",
        "北京市海淀区",
        "没有",
    ]

    one = [service.geocode(city, words) for words in said]
    many = list(service.geocode_many(city, said))

    assert [match.best for match in one] == [match.best for match in many]
    assert [match.verdict for match in one] == [*["sure"] * 5, "outside", "none"]
    assert [match.best and match.best.text for match in one[:3]] == [
        "康岭街12号", "康岭街12号", "金色花园5幢",
    ]  # fmt: skip


def test_names_are_read_again_when_the_table_changed(city: Session) -> None:
    assert service.geocode(city, "江宾路88号").best is not None
    before = library.names_of(city)
    city.execute(text("UPDATE address SET street = '青龙路' WHERE street = '江滨路'"))

    assert library.names_of(city) is not before
    best = service.geocode(city, "青龙路88号").best
    assert best is not None
    assert best.score > 0.9


def test_the_place_of_a_text_is_the_geocoders(city: Session) -> None:
    door = places.find(city, "康嶺街十二号门前")
    between = places.find(city, "江滨路89号")

    assert door is not None
    assert (door.label_zh, door.accuracy_m) == ("康岭街12号", places.DOOR_M)
    assert between is None or between.accuracy_m == places.STREET_M
    assert places.find(city, "北京市海淀区康岭街12号") is None


def test_the_search_finds_an_address_that_is_written_wrongly(city: Session) -> None:
    hits = search.search(city, actor_in(), "康领街12号")
    elsewhere = search.search(city, actor_in("339901002"), "康领街12号")

    assert "康岭街12号" in [hit.name_zh for hit in hits if hit.kind == "address"]
    assert "康岭街12号" not in [hit.name_zh for hit in elsewhere]


def test_a_point_gives_the_nearest_address_and_its_levels(city: Session) -> None:
    here = service.addresses_at(city, 120.0211, 29.30)

    assert here[0].text == "康岭街12号"
    assert here[0].distance_m < 15
    assert set(service.filled(city, here[0].area_code)) == {"county", "town", "community"}


def test_an_answer_is_remembered_for_the_same_words(city: Session, worker: Actor) -> None:
    row = uncertain(city)
    said, wanted = row.text, row.candidates[0]["id"]

    assert questions.count_open(city, worker) == 1
    questions.answer(city, worker, row.id, wanted, now=NOW)

    again = service.geocode(city, said)
    assert again.verdict == "sure"
    assert again.best is not None
    assert again.best.address_id == wanted
    assert [reason.how for reason in again.best.reasons] == ["learned"]
    assert next(service.geocode_many(city, [said])).best == again.best
    assert questions.count_open(city, worker) == 0
    acts = city.scalars(select(AuditEvent.action)).all()
    assert "address_confirmed" in acts


def test_none_of_these_is_an_answer_too(city: Session, worker: Actor) -> None:
    row = uncertain(city)

    questions.answer(city, worker, row.id, None, now=NOW)

    assert service.geocode(city, row.text).verdict == "none"
    assert city.scalars(select(AddressAlias.address_id)).all() == [None]


def test_a_question_is_asked_once_and_answered_once_by_who_may(
    city: Session, worker: Actor
) -> None:
    row = uncertain(city)
    again = questions.ask(
        city, [service.geocode(city, row.text)], "feed", now=NOW, actor=None
    )  # fmt: skip
    elsewhere = Actor(
        worker.account_id, "x", worker.roles, worker.permissions, ("339901002",), None
    )

    assert (again.asked, again.waiting) == (0, 1)
    assert questions.open_questions(city, elsewhere) == []
    with pytest.raises(NotFound):
        questions.answer(city, elsewhere, row.id, None, now=NOW)
    with pytest.raises(questions.NotOffered):
        questions.answer(city, worker, row.id, -1, now=NOW)
    questions.answer(city, worker, row.id, row.candidates[0]["id"], now=NOW)
    with pytest.raises(questions.QuestionAnswered):
        questions.answer(city, worker, row.id, None, now=NOW)


def test_the_library_is_scored_and_shown_by_town(city: Session) -> None:
    changed = quality.refresh(city.connection(), 4549)
    towns = standing.by_town(city, actor_in())
    west = standing.by_town(city, actor_in("339901001"))

    assert changed == len(ROWS)
    assert sum(town.addresses for town in towns) == len(ROWS)
    assert [town.code for town in west] == ["339901001"]
    assert all(town.mean and town.mean > 80 for town in towns)
    assert quality.refresh(city.connection(), 4549) == 0
