"""At the window a newcomer is entered with one form; known numbers lead to the record."""

import re
from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from grids.audit import AuditEvent
from grids.people import Household, Person, arrivals
from grids.people.models import PersonEvent
from tests.support.cases import build_city
from tests.support.people import add_household, add_person, id_number

HERE, ELSEWHERE = "339901001001001", "339901002001001"
NUMBER = id_number(date(1990, 8, 9), 77, region="310101")


@pytest.fixture
def register(session, app):
    """Somebody in each town, and the dwelling of the western one under an address of its own."""
    build_city(session)
    vault, found = app.extensions["vault"], {}
    for at, area in enumerate((HERE, ELSEWHERE)):
        home = add_household(session, area, room="601")
        number = id_number(date(1985, 5, 5), at)
        person = add_person(session, vault, home, number=number, area_code=area)
        found[area] = (session.get_one(Household, home).dwelling_id, person.id, number)
    session.execute(
        text("UPDATE address SET text = '和平路21号', street = '和平路', number = '21号',"
             " building = null WHERE area_code = :a"), {"a": HERE},
    )  # fmt: skip
    session.flush()
    return found


def send(client, to="/record", key=None, headers=None, **more):
    form = {
        "purpose": "registration", "csrf_token": client.csrf_token, "id": key or str(uuid4()),
        "name": "王新来", "number": NUMBER, "birth": "", "phone": "13800000000",
        "residency": "migrant", "day": "2026-01-05", "source": "counter", "relation": "",
        "household": "family", "address": "和平路21号", **more,
    }  # fmt: skip
    return client.post(f"/people/arrive{to}", data=form,
                       headers={"Accept": "text/html", **(headers or {})})  # fmt: skip


def read(page):
    """Return what a person reads of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))


def newcomers(session):
    return session.scalars(select(Person).where(Person.residency == "migrant")).all()


def test_a_newcomer_is_entered_from_the_page_of_the_finder(register, sign_in, session):
    registrar = sign_in("registrar")
    start = registrar.get("/people", headers={"Accept": "text/html"})
    empty = registrar.get("/people/arrive", headers={"Accept": "text/html"})
    looked = send(registrar, to="", address="和平路21号601室")

    assert 'href="/people/arrive"' in start.text
    assert empty.headers["Cache-Control"] == "no-store"
    assert f'<option value="{register[HERE][0]}" selected>' in looked.text
    assert 'value="王新来"' in looked.text

    done = send(registrar, dwelling=register[HERE][0], joins="yes", relation="spouse")

    assert done.status_code == 200
    assert NUMBER not in done.text
    assert "王新来" not in done.text
    (person,) = newcomers(session)
    assert (person.relation, person.area_code, person.age_band) == ("spouse", HERE, "15-59")
    assert f'action="/people/{person.id}/life"' in done.text
    life = registrar.post(f"/people/{person.id}/life", headers={"Accept": "text/html"},
                          data={"purpose": "registration", "csrf_token": registrar.csrf_token})  # fmt: skip
    assert "从外地迁入" in read(life)


def test_the_same_form_sent_twice_enters_one(register, sign_in, session):
    registrar, key = sign_in("registrar"), str(uuid4())

    answers = [send(registrar, key=key, dwelling=register[HERE][0]) for _ in range(2)]

    assert [one.status_code for one in answers] == [200, 200]
    assert "未重复" in read(answers[1])
    assert len(newcomers(session)) == 1
    assert len(session.scalars(select(PersonEvent)).all()) == 1
    assert send(registrar, key=key, dwelling=register[HERE][0], name="别的人").status_code == 409


def test_a_known_number_leads_to_the_record_here_and_nowhere_elsewhere(register, sign_in, session):
    town = sign_in("registrar", area="339901001")
    home, anna, number = register[HERE]
    _, cora, far = register[ELSEWHERE]

    here, there = (send(town, dwelling=home, number=one) for one in (number, far))

    assert (here.status_code, there.status_code) == (409, 409)
    assert 'data-known="here"' in here.text
    assert f'action="/people/{anna}/life"' in here.text
    assert 'data-known="elsewhere"' in there.text
    assert f"/people/{cora}/" not in there.text
    assert "/life" not in there.text
    assert newcomers(session) == []
    for _ in range(arrivals.MOST_KNOWN - 2):
        send(town, dwelling=home, number=far)
    # The count was kept with every answer.
    assert [send(town, dwelling=home, number=one).status_code for one in (far, NUMBER)] == [
        429,
        429,
    ]
    told = select(AuditEvent.detail).where(AuditEvent.action == "person_number_known")
    assert len(session.scalars(told).all()) == arrivals.MOST_KNOWN


def test_a_refusal_names_the_field_and_keeps_what_was_typed(register, sign_in, session):
    town = sign_in("registrar", area="339901001")
    wrong = NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")

    answers = [
        send(town, dwelling=register[HERE][0], number=wrong),
        send(town, dwelling=register[HERE][0], day="2999-01-01"),
        send(town, dwelling=register[HERE][0], day="morgen"),
        send(town, dwelling=register[ELSEWHERE][0]),
        send(town),
        send(town, key="1", dwelling=register[HERE][0]),
    ]

    assert [one.status_code for one in answers] == [422] * 6
    assert "居民身份证号：此值不正确" in read(answers[0])
    assert "到达日期" in read(answers[1])
    assert "不在您负责的区域内" in read(answers[3])
    assert all('value="王新来"' in one.text for one in answers)
    assert newcomers(session) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_whole_in_both_languages_and_asks_for_a_purpose(register, sign_in, language):
    registrar = sign_in("registrar")
    head = {"Accept-Language": language}
    pages = [
        send(registrar, headers=head, dwelling=register[HERE][0], purpose=""),
        send(registrar, headers=head, dwelling=register[HERE][0], joins="yes", relation=""),
        send(registrar, headers=head, dwelling=register[HERE][0], number=register[ELSEWHERE][2]),
        send(registrar, headers=head, dwelling=register[HERE][0]),
    ]

    assert [page.status_code for page in pages] == [403, 422, 409, 200]
    for page in pages:
        assert "people." not in read(page)
        assert "error." not in read(page)


def test_who_only_reads_enters_nobody(register, sign_in):
    for role in ("commander", "worker", "grid_leader", "system_admin"):
        client = sign_in(role)
        assert client.get("/people/arrive").status_code == 403
        assert send(client, dwelling=register[HERE][0]).status_code == 403
