"""The registrar finds one resident, masked, and sees a field in full for a purpose only."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from grids.accounts import SignInSession
from grids.audit import AuditEvent
from grids.people import finding
from grids.people.models import PersonAccess
from grids.people.subject_requests import anonymise
from tests.support.cases import build_city, make_photo, report
from tests.support.people import add_household, add_person, id_number

NUMBER, CHILD_NUMBER = id_number(date(1990, 1, 1), 12), id_number(date(2018, 5, 6), 21)
PHONE = "13800138000"
HERE, ELSEWHERE = "339901001001001", "339901002001001"


@pytest.fixture
def vault(app):
    return app.extensions["vault"]


@pytest.fixture
def register(session, vault):
    """A city with a grown-up and a child in one town, and somebody in the other."""
    build_city(session)
    home, away = add_household(session, HERE), add_household(session, ELSEWHERE)
    grown = add_person(session, vault, home, number=NUMBER, name="张三丰", phone=PHONE)
    child = add_person(session, vault, home, number=CHILD_NUMBER, name="李小四", phone=PHONE)
    other = add_person(
        session, vault, away, number=id_number(date(1980, 2, 2), 3), phone="13900139000",
        area_code=ELSEWHERE,
    )  # fmt: skip
    session.flush()
    return {"grown": grown, "child": child, "other": other}


def find(client, number, **more):
    return client.post("/api/people/find", json={"number": number, "purpose": "home_visit", **more})


def reveal(client, person, field, **more):
    body = {"field": field, "purpose": "home_visit", **more}
    return client.post(f"/api/people/{person.id}/reveal", json=body)


def acts(session, name):
    return session.scalars(select(AuditEvent).where(AuditEvent.action == name)).all()


def test_a_resident_is_found_by_the_exact_number_and_masked(register, sign_in, session):
    registrar = sign_in("registrar", area="339901001")

    answer = find(registrar, NUMBER)

    (card,) = answer.json["persons"]
    assert card["name"] == "张**"
    assert card["id_number"] == "339*************" + NUMBER[-2:]
    assert card["phone"] == "138****8000"
    assert card["birth"] == "1990-**-**"
    assert card["address"] == "样城和平路12号3幢"
    assert card["household_size"] == 2
    assert answer.headers["Cache-Control"] == "no-store"
    for secret in (NUMBER, PHONE, "张三丰", "302", "1990-01-01"):
        assert secret not in answer.text
    (act,) = acts(session, "person_found")
    assert act.actor_id == registrar.account_id
    assert act.detail == {"count": 1, "purpose": "home_visit", "case": ""}


@pytest.mark.parametrize("written", [f" {NUMBER[:6]} {NUMBER[6:]} ", NUMBER.lower()])
def test_a_number_is_found_however_it_is_written(register, sign_in, written):
    assert len(find(sign_in("registrar"), written).json["persons"]) == 1


@pytest.mark.parametrize("place", ["339901001001", "桥头社区"])
def test_a_whole_name_is_found_in_the_named_community(register, sign_in, session, place):
    session.execute(text("UPDATE area SET name_zh = '桥头社区' WHERE code = '339901001001'"))

    answer = find(sign_in("registrar"), "张 三丰", place=place)

    (card,) = answer.json["persons"]
    assert card["id"] == register["grown"].id
    assert "三丰" not in answer.text
    assert len(acts(session, "person_found")) == 1


@pytest.mark.parametrize(
    ("name", "place", "found"),
    [
        ("张三", "339901001001", 0),  # the beginning of a name
        ("张三丰", "339901002001", 0),  # another community
        ("李小四", "339901001001", 0),  # a child is found by number only
        ("样本人", "339901002001", 1),
    ],
)
def test_a_name_finds_nobody_else(register, sign_in, name, place, found):
    assert len(find(sign_in("registrar"), name, place=place).json["persons"]) == found


def test_a_name_needs_a_community_of_ones_own(register, sign_in):
    county, town = sign_in("registrar"), sign_in("registrar", area="339901002")
    village = sign_in("registrar", area="339901002001")

    for client, place in ((county, ""), (county, "339901"), (town, "339901001001")):
        answer = find(client, "样本人", place=place)
        assert (answer.status_code, answer.json["code"]) == (422, "people.place_needed")
    assert len(find(village, "样本人").json["persons"]) == 1


def test_a_name_of_too_many_is_refused(register, sign_in, session, vault):
    home = add_household(session, HERE)
    for at in range(9):
        add_person(session, vault, home, number=id_number(date(1970, 1, 1), at), name="王伟")

    answer = find(sign_in("registrar"), "王伟", place="339901001001")

    assert (answer.status_code, answer.json["code"]) == (422, "people.too_many_named")


def test_who_moved_out_or_is_anonymised_is_not_found_by_name(register, sign_in, session):
    person = register["grown"]
    person.moved_out_on = date(2024, 1, 1)
    session.flush()
    assert find(sign_in("registrar"), "张三丰", place="339901001001").json["persons"] == []

    anonymise(person, datetime.now(UTC))
    assert person.name_index is None


def test_a_phone_finds_all_who_share_it(register, sign_in):
    found = find(sign_in("registrar"), "+86 138-0013-8000").json["persons"]

    assert [card["id"] for card in found] == [register["grown"].id, register["child"].id]


def test_nobody_is_found_outside_the_registrars_areas(register, sign_in, session):
    here = sign_in("registrar", area="339901001")

    assert find(here, "13900139000").json == {"persons": []}
    assert reveal(here, register["other"], "name").status_code == 404
    assert [act.is_success for act in acts(session, "person_found")] == [False]


@pytest.mark.parametrize("number", ["339901", "张三", "138001", NUMBER[:17]])
def test_part_of_a_number_finds_nobody(register, sign_in, number):
    answer = find(sign_in("registrar"), number)

    assert answer.status_code in (200, 422)
    assert "339*" not in answer.text


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"purpose": ""}, "people.purpose_needed"),
        ({"purpose": "curiosity"}, "people.purpose_needed"),
        ({"purpose": "case"}, "people.case_needed"),
        ({"purpose": "case", "case": "20990101-999999"}, "people.case_needed"),
    ],
)
def test_without_a_purpose_nothing_is_shown(register, sign_in, session, more, code):
    registrar = sign_in("registrar")

    for answer in (
        find(registrar, NUMBER, **more),
        reveal(registrar, register["grown"], "name", **more),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, code)
    assert [act.detail for act in acts(session, "person_refused")] == [{"code": code}] * 2
    assert session.scalar(select(PersonAccess.id).limit(1)) is None


def test_a_case_is_a_purpose_where_it_lies_in_the_registrars_areas(
    register, sign_in, session, vault
):
    from grids.incidents import service
    from grids.incidents.models import Incident
    from tests.support.cases import make_actor

    case = report(photos=(make_photo(session),))
    service.submit(session, case, make_actor(session, "worker"), now=datetime.now(UTC), vault=vault)
    number = session.get_one(Incident, case.id).number
    more = {"purpose": "case", "case": number}

    assert len(find(sign_in("registrar"), NUMBER, **more).json["persons"]) == 1
    elsewhere = find(sign_in("registrar", area="339901002"), "13900139000", **more)
    assert elsewhere.json["code"] == "people.case_needed"


def test_a_field_in_full_is_kept_with_the_record_and_in_the_audit_log(register, sign_in, session):
    registrar, person = sign_in("registrar"), register["grown"]

    shown = [reveal(registrar, person, f).json["value"] for f in ("name", "id_number", "phone")]

    assert shown == ["张三丰", NUMBER, PHONE]
    assert reveal(registrar, person, "address").json["value"].endswith("302")
    notes = session.scalars(select(PersonAccess.field).order_by(PersonAccess.id)).all()
    assert notes == ["name", "id_number", "phone", "address"]
    logged = acts(session, "person_revealed")
    assert len(logged) == 4
    assert NUMBER not in str([act.detail for act in logged])
    looked = find(registrar, NUMBER).json["persons"][0]["looks"]
    assert {look["field"] for look in looked} >= {"name", "id_number", "phone"}


def test_a_field_in_full_needs_a_fresh_proof_of_identity(register, sign_in, session):
    registrar = sign_in("registrar")
    _age_the_proof(session)

    answer = reveal(registrar, register["grown"], "name")

    assert (answer.status_code, answer.json["code"]) == (401, "sign_in.step_up")
    assert find(registrar, NUMBER).status_code == 200


def _age_the_proof(session):
    """Let the last proof of identity be half an hour old, the session still good."""
    past = datetime.now(UTC) - timedelta(minutes=25)
    session.execute(update(SignInSession).values(created_at=past, confirmed_at=past))
    session.flush()
    session.expire_all()


def test_a_child_needs_a_strong_purpose_and_a_confirmation(register, sign_in, session):
    registrar, child = sign_in("registrar"), register["child"]

    (card,) = find(registrar, CHILD_NUMBER).json["persons"]
    refused = [
        reveal(registrar, child, "name"),
        reveal(registrar, child, "name", child=True),
        reveal(registrar, child, "name", purpose="child_protection"),
    ]
    shown = reveal(registrar, child, "name", purpose="child_protection", child=True)

    assert card["is_child"]
    assert (card["name"], card["birth"]) == ("**", "****")
    assert [answer.json["code"] for answer in refused] == ["people.child_gate"] * 3
    assert shown.json["value"] == "李小四"


def test_looks_are_counted_by_account_and_hour(register, sign_in, monkeypatch):
    monkeypatch.setattr(finding, "MOST_REVEALS", 2)
    monkeypatch.setattr(finding, "MOST_FINDS", 3)
    one, other = sign_in("registrar"), sign_in("registrar")

    statuses = [reveal(one, register["grown"], "name").status_code for _ in range(4)]
    finds = [find(one, NUMBER).status_code for _ in range(4)]

    assert statuses == [200, 200, 429, 429]
    assert finds == [200, 200, 200, 429]
    assert reveal(other, register["grown"], "name").status_code == 200


@pytest.mark.parametrize(
    "role", ["commander", "dispatcher", "worker", "grid_leader", "planner", "system_admin",
             "security_admin", "audit_admin"]
)  # fmt: skip
def test_no_other_role_reads_the_register(register, sign_in, role):
    client = sign_in(role)

    assert find(client, NUMBER).status_code == 403
    assert reveal(client, register["grown"], "name").status_code == 403
    assert client.get("/people").status_code == 403


def test_a_value_swapped_between_rows_or_columns_does_not_open(register, sign_in, session, vault):
    grown, child = register["grown"], register["child"]
    session.execute(
        text("UPDATE person SET name_sealed = (SELECT name_sealed FROM person WHERE id = :other),"
             " phone_sealed = birth_sealed WHERE id = :id"),
        {"id": grown.id, "other": child.id},
    )  # fmt: skip
    session.expire_all()
    registrar = sign_in("registrar")

    assert find(registrar, NUMBER).json["code"] == "secrets.seal_broken"
    assert reveal(registrar, grown, "phone").json["code"] == "secrets.seal_broken"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_works_without_script(register, sign_in, language):
    registrar = sign_in("registrar")
    head = {"Accept-Language": language, "Accept": "text/html"}
    form = {"number": NUMBER, "purpose": "home_visit", "csrf_token": registrar.csrf_token}

    empty = registrar.get("/people", headers=head)
    found = registrar.post("/people", data=form, headers=head)
    refused = registrar.post("/people", data={**form, "purpose": ""}, headers=head)
    del form["number"]  # the form of a card does not have it
    shown = registrar.post(
        f"/people/{register['grown'].id}/reveal", data={**form, "field": "phone"}, headers=head
    )

    assert empty.status_code == found.status_code == shown.status_code == 200
    assert "张**" in found.text
    assert PHONE not in found.text
    assert PHONE in shown.text
    assert refused.status_code == 403
    assert "people." not in _words(found.text) + _words(shown.text) + _words(refused.text)


def _words(page):
    """Return the page without addresses and attributes: what a person reads."""
    import re

    return re.sub(r"<[^>]*>", " ", page)


def test_the_registrar_starts_from_the_register(register, sign_in, app):
    from app.auth import home_of
    from grids.accounts import ROLES, Actor

    someone = Actor(1, "", frozenset({"registrar"}), ROLES["registrar"], ("339901",))

    assert home_of(someone) == "/people"
