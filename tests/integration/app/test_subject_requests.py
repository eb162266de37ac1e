"""What residents ask about their data: registered, answered in time, one request each (S39)."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from grids.audit import AuditEvent
from grids.certificates import Certificate, is_genuine
from grids.city import the_city
from grids.incidents import service
from grids.incidents.clockwork import calendar
from grids.incidents.models import IncidentReporter
from grids.incidents.requests import Contact
from grids.people import Person
from grids.people.models import PersonEvent, SubjectRequest
from tests.support.cases import EAST, build_city, make_actor, make_photo, report
from tests.support.people import add_household, add_person, id_number

NUMBER, RIGHT = id_number(date(1990, 1, 1), 12), id_number(date(1991, 2, 3), 14)
PHONE = "13800138000"


@pytest.fixture
def vault(app):
    return app.extensions["vault"]


@pytest.fixture
def resident(session, vault):
    """A resident who came from outside and also reported a case with the same phone."""
    build_city(session)
    household = add_household(session, "339901001001001")
    person = add_person(session, vault, household, number=NUMBER, name="张三丰", phone=PHONE)
    session.add(
        PersonEvent(
            person_id=person.id, kind="move_in", occurred_on=person.moved_in_on, source="police",
            recorded_at=datetime.now(UTC), to_household_id=household, to_relation="head",
        )
    )  # fmt: skip
    sent = report(photos=(make_photo(session),), contact=Contact("张三丰", PHONE))
    service.submit(session, sent, make_actor(session, "worker"), now=datetime.now(UTC), vault=vault)
    session.flush()
    return person


def take_in(client, person, kind, **more):
    form = {"kind": kind, "channel": "counter", "document": "id_card", **more,
            "csrf_token": client.csrf_token}  # fmt: skip
    return client.post(f"/people/{person.id}/requests", data=form)


def answer(client, address, act, **more):
    form = {"act": act, **more, "csrf_token": client.csrf_token}
    return client.post(f"{address}/answer", data=form, headers={"Accept": "text/html"})


def asked(client, session, person, kind):
    """Take a request in; return its address."""
    made = take_in(client, person, kind)
    assert made.status_code == 303
    return made.headers["Location"]


def find(client, number):
    body = {"number": number, "purpose": "subject_request"}
    return client.post("/api/people/find", json=body).json["persons"]


def test_a_request_has_a_clock_of_fifteen_working_days(resident, sign_in, session):
    registrar = sign_in("registrar")

    address = asked(registrar, session, resident, "show")

    (row,) = session.scalars(select(SubjectRequest)).all()
    days = calendar(session, the_city(session), row.received_at)
    first, last = days.local(row.received_at).date(), days.local(row.due_at).date()
    between = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    assert sum(days.is_workday(day) for day in between) == 15
    assert days.is_workday(last)
    assert registrar.get(address).status_code == 200
    assert "张**" in registrar.get(address).text
    assert row.id.hex[:8] in registrar.get("/people/requests").text.replace("-", "")


def test_a_copy_says_everything_that_is_kept_and_expires(resident, sign_in, session):
    registrar = sign_in("registrar")
    address = asked(registrar, session, resident, "show")

    early = registrar.get(f"{address}/copy.json")
    done = answer(registrar, address, "copy")
    data = registrar.get(f"{address}/copy.json")
    page = registrar.get(f"{address}/copy.html")
    row = session.scalars(select(SubjectRequest)).one()
    row.copy_until = datetime.now(UTC)
    session.flush()
    late = registrar.get(f"{address}/copy.json")

    assert (early.status_code, done.status_code, late.status_code) == (410, 303, 410)
    copy = json.loads(data.text)
    assert (copy["person"]["name"], copy["person"]["id_number"]) == ("张三丰", NUMBER)
    assert len(copy["reports"]) == 1
    (event,) = copy["events"]
    assert (event["kind"], event["occurred_on"], event["source"]) == (
        "move_in", "2020-01-01", "police",
    )  # fmt: skip
    assert "2020-01-01 · " in page.text
    assert {"column", "purpose", "basis", "retention"} == set(copy["kept"][0])
    assert NUMBER in page.text
    assert "people." not in page.text.replace("people.css", "")
    assert data.headers["Cache-Control"] == "no-store"


def test_a_copy_leaves_no_file_behind(resident, sign_in, session, app):
    registrar = sign_in("registrar")
    address = asked(registrar, session, resident, "copy")
    answer(registrar, address, "copy")

    assert NUMBER in registrar.get(f"{address}/copy.html").text
    assert NUMBER in registrar.get(f"{address}/copy.json").text
    var = app.extensions["settings"].var_dir
    assert (var / "secrets.json").exists()
    files = [path for path in var.rglob("*") if path.is_file()]
    assert [path for path in files if NUMBER.encode() in path.read_bytes()] == []


def test_a_correction_seals_the_new_value_and_keeps_a_hash_of_the_old(
    resident, sign_in, session, vault
):
    registrar = sign_in("registrar")
    address = asked(registrar, session, resident, "correct")

    wrong = answer(registrar, address, "correct", field="id_number", value=RIGHT[:17] + "?")
    done = answer(registrar, address, "correct", field="id_number", value=RIGHT.lower())

    assert (wrong.status_code, done.status_code) == (422, 303)
    assert find(registrar, NUMBER) == []
    assert [card["id"] for card in find(registrar, RIGHT)] == [resident.id]
    session.refresh(resident)
    opened = vault.open("person", resident.id, "birth_sealed", resident.birth_sealed)
    assert opened == "1991-02-03"
    log = session.scalars(
        select(AuditEvent).where(AuditEvent.action == "subject_request_done")
    ).one()
    assert log.detail["field"] == "id_number"
    assert log.detail["old_hash"] == vault.code("old value", f"id_number|{NUMBER}").hex()
    assert NUMBER not in str(log.detail)


def test_deletion_leaves_a_count_and_a_certificate(resident, sign_in, session, app):
    registrar = sign_in("registrar")
    address = asked(registrar, session, resident, "delete")

    done = answer(registrar, address, "erase")

    assert done.status_code == 303
    assert find(registrar, NUMBER) == find(registrar, PHONE) == []
    session.refresh(resident)
    row = session.get_one(Person, resident.id)
    assert (row.name_sealed, row.id_number_index, row.phone_index, row.birth_sealed) == (None,) * 4
    assert row.age_band == "15-59"
    assert session.scalars(select(IncidentReporter)).all() == []
    certificate = session.scalars(select(Certificate)).one()
    assert certificate.body["counts"] == {"person": 1, "person_event": 1, "incident_reporter": 1}
    assert session.scalars(select(PersonEvent)).all() == []
    folder = app.extensions["settings"].var_dir / "certificates"
    (written,) = folder.glob(f"*{certificate.id}.json")
    document = json.loads(written.read_text())
    assert is_genuine(document, app.extensions["signer"].public_keys())
    page = registrar.get(address)
    assert str(certificate.id) in page.text


def test_deletion_reaches_reports_in_other_towns_too(resident, sign_in, session, vault):
    sent = report(photos=(make_photo(session, "blue"),), contact=Contact("张三丰", PHONE),
                  lon=EAST[0], lat=EAST[1])  # fmt: skip
    worker = make_actor(session, "worker", area="339901002001001")
    service.submit(session, sent, worker, now=datetime.now(UTC), vault=vault)
    registrar = sign_in("registrar", area="339901001")
    address = asked(registrar, session, resident, "delete")

    answer(registrar, address, "erase")

    assert session.scalars(select(Certificate)).one().body["counts"]["incident_reporter"] == 2
    assert session.scalars(select(IncidentReporter)).all() == []


def test_withdrawn_consent_takes_the_phone_only(resident, sign_in, session):
    registrar = sign_in("registrar")
    address = asked(registrar, session, resident, "withdraw")

    answer(registrar, address, "erase")

    assert find(registrar, PHONE) == []
    assert len(find(registrar, NUMBER)) == 1
    assert session.scalars(select(IncidentReporter)).all() == []


def test_a_request_is_refused_for_a_reason_of_the_list_only_and_once(resident, sign_in, session):
    registrar = sign_in("registrar")
    address = asked(registrar, session, resident, "delete")

    bad = answer(registrar, address, "refuse", reason="too busy")
    done = answer(registrar, address, "refuse", reason="legal_duty")
    again = answer(registrar, address, "erase")

    assert (bad.status_code, done.status_code, again.status_code) == (422, 303, 409)
    assert len(find(registrar, NUMBER)) == 1


def test_a_request_must_say_who_came_and_with_which_document(resident, sign_in, session):
    registrar = sign_in("registrar")

    refused = [
        take_in(registrar, resident, "steal").status_code,
        take_in(registrar, resident, "show", document="").status_code,
        take_in(registrar, resident, "show", channel="rumour").status_code,
    ]

    assert refused == [422] * 3
    assert session.scalars(select(SubjectRequest)).all() == []


def test_requests_of_other_areas_are_not_there(resident, sign_in, session):
    address = asked(sign_in("registrar"), session, resident, "show")
    elsewhere = sign_in("registrar", area="339901002")

    assert elsewhere.get(address).status_code == 404
    assert answer(elsewhere, address, "copy").status_code == 404
    assert take_in(elsewhere, resident, "show").status_code == 404
    assert address.rsplit("/", 1)[1] not in elsewhere.get("/people/requests").text


@pytest.mark.parametrize("role", ["dispatcher", "planner", "security_admin"])
def test_no_other_role_handles_requests(resident, sign_in, session, role):
    address = asked(sign_in("registrar"), session, resident, "show")
    other = sign_in(role)

    assert other.get("/people/requests").status_code == 403
    assert other.get(f"{address}/copy.json").status_code == 403
    assert answer(other, address, "copy").status_code == 403
