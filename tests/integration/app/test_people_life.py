"""The registrar sees what happened to a resident, and records births, moves and deaths."""

import re
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from grids.audit import AuditEvent
from grids.people import Person
from grids.people.models import PersonAccess, PersonEvent
from tests.support.cases import build_city
from tests.support.people import add_household, add_person, id_number

HERE, ELSEWHERE = "339901001001001", "339901002001001"
PLATE = "样城和平路12号3幢"


@pytest.fixture
def register(session, app):
    """Two people of a home, and an empty home in each town, at addresses of their own."""
    build_city(session)
    vault = app.extensions["vault"]
    home = add_household(session, HERE)
    people = [
        add_person(session, vault, home, number=id_number(date(1985, 5, 5), at), name="张三丰")
        for at in (11, 12)
    ]
    empty = {}
    for area, number, room in ((HERE, "21", "601"), (ELSEWHERE, "35", "702")):
        made = add_household(session, area, room=room)
        row = session.execute(
            text("SELECT h.dwelling_id, d.building_id, b.address_id FROM household AS h"
                 " JOIN dwelling AS d ON d.id = h.dwelling_id"
                 " JOIN building AS b ON b.id = d.building_id WHERE h.id = :h"),
            {"h": made},
        ).one()  # fmt: skip
        session.execute(
            text("UPDATE address SET text = :t, street = '和平路', number = :n, building = null"
                 " WHERE id = :id"),
            {"t": f"和平路{number}号", "n": f"{number}号", "id": row.address_id},
        )  # fmt: skip
        session.execute(text("DELETE FROM household WHERE id = :h"), {"h": made})
        empty[area] = row.dwelling_id
    session.flush()
    return {"anna": people[0].id, "bert": people[1].id, "home": home, **empty}


def look(client, person, **more):
    form = {"purpose": "registration", "csrf_token": client.csrf_token, **more}
    return client.post(f"/people/{person}/life", data=form, headers={"Accept": "text/html"})


def record(client, person, act="record", key=None, **more):
    form = {
        "purpose": "registration", "csrf_token": client.csrf_token, "act": act,
        "id": key or str(uuid4()), "source": "counter", **more,
    }  # fmt: skip
    return client.post(f"/people/{person}/life/record", data=form, headers={"Accept": "text/html"})


def read(page):
    """Return what a person reads of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))


def test_a_move_is_recorded_seen_and_taken_back(register, sign_in, session):
    registrar = sign_in("registrar")

    done = record(registrar, register["anna"], kind="move", day="2025-06-01",
                  dwelling=register[ELSEWHERE])  # fmt: skip

    assert done.status_code == 200
    assert "市内迁移" in read(done)
    assert done.headers["Cache-Control"] == "no-store"
    person = session.get_one(Person, register["anna"])
    session.refresh(person)
    assert (person.area_code, person.moved_in_on) == (ELSEWHERE, date(2025, 6, 1))
    (event,) = session.scalars(select(PersonEvent)).all()

    back = record(registrar, register["anna"], act="take_back", event=event.id)

    assert back.status_code == 200
    assert "已撤回" in read(back)
    session.refresh(person)
    assert (person.area_code, person.household_id) == (HERE, register["home"])
    page = read(look(registrar, register["anna"]))
    assert "people." not in page
    assert "registrar" in page  # who recorded and who took back


def test_where_somebody_lived_on_a_day_is_told_and_noted(register, sign_in, session):
    registrar = sign_in("registrar")
    record(registrar, register["anna"], kind="move", day="2025-06-01", dwelling=register[HERE])

    before = look(registrar, register["anna"], on="2024-01-01")
    after = look(registrar, register["anna"], on="2025-06-01")
    long_ago = look(registrar, register["anna"], on="1999-01-01")

    told = [re.search(r"data-as-of>(.*?)</div>", page.text, re.DOTALL)[1] for page in
            (before, after, long_ago)]  # fmt: skip
    assert PLATE in told[0]
    assert "302" not in told[0]  # the room stays masked
    assert "和平路21号" in told[1]
    assert "不住在本市" in told[2]
    notes = session.scalars(select(PersonAccess.act).where(PersonAccess.act == "life")).all()
    assert len(notes) == 4
    seen = select(AuditEvent.detail).where(AuditEvent.action == "person_life_seen")
    assert [one["on"] for one in session.scalars(seen.order_by(AuditEvent.id))] == [
        "", "2024-01-01", "2025-06-01", "1999-01-01",
    ]  # fmt: skip


def test_the_same_form_sent_twice_records_one_birth(register, sign_in, session):
    registrar, key = sign_in("registrar"), str(uuid4())
    day = (datetime.now(UTC) - timedelta(days=40)).date().isoformat()

    first = record(registrar, register["anna"], key=key, kind="birth", day=day, name="张小宝")
    again = record(registrar, register["anna"], key=key, kind="birth", day=day, name="张小宝")

    assert (first.status_code, again.status_code) == (200, 200)
    assert "未重复" in read(again)
    children = session.scalars(select(Person).where(Person.relation == "child")).all()
    assert [child.household_id for child in children] == [register["home"]]
    assert "张小宝" not in first.text


def test_homes_are_found_by_their_address_and_the_room_it_names(register, sign_in):
    registrar = sign_in("registrar")

    page = look(
        registrar, register["anna"], address="和平路35号702室", kind="move",
        act="record", id=str(uuid4()), name="", day="", source="worker",
    )  # fmt: skip
    nothing = look(registrar, register["anna"], address="长江大街99号", kind="move")

    assert f'<option value="{register[ELSEWHERE]}" selected>' in page.text
    assert "没有找到" in read(nothing)
    assert 'name="dwelling"' not in nothing.text


def test_a_refusal_names_the_reason_and_keeps_what_was_typed(register, sign_in, session):
    registrar = sign_in("registrar")

    answers = [
        record(registrar, register["anna"], kind="move", day="2999-01-01", source="police",
               dwelling=register[HERE]),
        record(registrar, register["anna"], kind="move", day="2025-01-01"),
        record(registrar, register["anna"], kind="death", day="gestern"),
        record(registrar, register["anna"], key="1", kind="death", day="2025-01-01"),
        record(registrar, register["anna"], act="take_back", event="77"),
    ]  # fmt: skip

    assert [one.status_code for one in answers] == [422, 422, 422, 422, 409]
    assert "2020-01-01" in read(answers[0])
    assert '<option value="police" selected>' in answers[0].text
    assert "没有此户室" in read(answers[1])
    assert session.scalars(select(PersonEvent)).all() == []


def test_a_box_left_ticked_takes_nobody_else_to_the_grave(register, sign_in, session):
    registrar = sign_in("registrar")

    done = record(registrar, register["anna"], kind="death", day="2025-06-01", whole="yes")

    assert done.status_code == 200
    (event,) = session.scalars(select(PersonEvent)).all()
    assert event.person_id == register["anna"]


def test_who_moves_out_of_the_own_areas_is_gone_from_the_page(register, sign_in):
    town = sign_in("registrar", area="339901001")

    done = record(town, register["anna"], kind="move", day="2025-06-01",
                  dwelling=register[ELSEWHERE])  # fmt: skip

    assert done.status_code == 200
    assert "区域之外" in read(done)
    assert look(town, register["anna"]).status_code == 404


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_whole_in_both_languages_and_asks_for_a_purpose(register, sign_in, language):
    registrar = sign_in("registrar")
    record(registrar, register["anna"], kind="move", day="2025-06-01", dwelling=register[HERE],
           whole="yes")  # fmt: skip
    record(registrar, register["bert"], kind="death", day="2025-07-01", source="civil")
    head = {"Accept-Language": language, "Accept": "text/html"}
    form = {"purpose": "registration", "csrf_token": registrar.csrf_token, "on": "2025-06-15"}

    page = registrar.post(f"/people/{register['bert']}/life", data=form, headers=head)
    refused = registrar.post(
        f"/people/{register['bert']}/life", data={**form, "purpose": ""}, headers=head
    )

    assert page.status_code == 200
    assert "people." not in read(page)
    assert 'name="kind"' not in page.text  # nothing can follow a death
    assert refused.status_code == 403


def test_a_death_is_not_recorded_by_who_only_reads(register, sign_in):
    for role in ("commander", "worker", "grid_leader", "system_admin"):
        client = sign_in(role)
        assert look(client, register["anna"]).status_code == 403
        answer = record(client, register["anna"], kind="death", day="2025-01-01")
        assert answer.status_code == 403
