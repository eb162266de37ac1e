"""How to reach a reporter: for a purpose, after a fresh proof, counted and audited (S29, S30)."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from grids.accounts import SignInSession
from grids.audit import AuditEvent
from grids.incidents import service
from grids.incidents.requests import Contact
from grids.people import reporters
from tests.support.cases import build_city, make_actor, make_photo, report

PHONE = "13800138000"


@pytest.fixture
def case(session, app):
    """A case in the west town whose reporter left a name and a phone."""
    build_city(session)
    sent = report(photos=(make_photo(session),), contact=Contact("张三丰", PHONE))
    service.submit(
        session, sent, make_actor(session, "worker"), now=datetime.now(UTC),
        vault=app.extensions["vault"],
    )  # fmt: skip
    return sent.id


def ask(client, case, purpose="call_back"):
    return client.post(f"/api/incidents/{case}/reporter", json={"purpose": purpose})


@pytest.mark.parametrize("role", ["intake", "shift_leader", "dispatcher", "town_seat"])
def test_a_seat_of_the_command_center_reaches_the_reporter(case, sign_in, session, role):
    seat = sign_in(role)

    answer = ask(seat, case)

    assert answer.json == {"contacts": [{"name": "张三丰", "phone": PHONE}]}
    assert answer.headers["Cache-Control"] == "no-store"
    log = session.scalars(select(AuditEvent).where(AuditEvent.action == "reporter_revealed")).one()
    assert (log.actor_id, log.subject) == (seat.account_id, f"incident:{case}")
    assert log.detail == {"count": 1, "purpose": "call_back"}


@pytest.mark.parametrize("purpose", ["", "curiosity"])
def test_without_a_purpose_nobody_is_reached(case, sign_in, session, purpose):
    answer = ask(sign_in("dispatcher"), case, purpose)

    assert (answer.status_code, answer.json["code"]) == (403, "people.purpose_needed")
    assert PHONE not in answer.text
    refused = session.scalars(select(AuditEvent).where(AuditEvent.action == "person_refused")).one()
    assert refused.subject == f"incident:{case}"


def test_an_old_proof_of_identity_is_not_enough(case, sign_in, session):
    seat = sign_in("dispatcher")
    past = datetime.now(UTC) - timedelta(minutes=25)
    session.execute(update(SignInSession).values(created_at=past, confirmed_at=past))
    session.expire_all()

    assert ask(seat, case).json["code"] == "sign_in.step_up"


def test_a_case_of_another_town_is_not_there(case, sign_in):
    assert ask(sign_in("town_seat", area="339901002"), case).status_code == 404


@pytest.mark.parametrize("role", ["commander", "worker", "planner", "registrar", "audit_admin"])
def test_no_other_role_reaches_the_reporter(case, sign_in, role):
    assert ask(sign_in(role), case).status_code == 403


def test_looks_are_counted(case, sign_in, monkeypatch):
    monkeypatch.setattr(reporters, "MOST_REVEALS", 2)
    seat = sign_in("dispatcher")

    assert [ask(seat, case).status_code for _ in range(3)] == [200, 200, 429]


def test_the_case_itself_never_carries_the_contact(case, sign_in):
    seat = sign_in("dispatcher")

    detail = seat.get(f"/api/incidents/{case}")
    listed = seat.get("/api/incidents")

    assert detail.json["has_contact"] is True
    for answer in (detail, listed):
        assert answer.status_code == 200
        assert PHONE not in answer.text
        assert "张三丰" not in answer.text
