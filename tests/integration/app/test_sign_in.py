"""Who gets in, who does not, and what a page of another site can do."""

from datetime import UTC, datetime, timedelta

import pytest

from grids import accounts

PASSWORD = "correct horse battery"
NOW = datetime(2030, 1, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def account(session):
    made = accounts.create_account(session, login="lin", name="林", password=PASSWORD)
    accounts.assign(session, made, "intake", area_code="339901")
    return made


def _try(session, password, now=NOW):
    return accounts.sign_in(session, "lin", password, now=now, source_ip="127.0.0.1")


def test_a_right_password_opens_a_session(session, account):
    token = _try(session, PASSWORD)

    found = accounts.signed_in(session, token, NOW)
    assert found.actor.account_id == account.id
    assert found.actor.areas == ("339901",)


def test_five_failures_lock_the_account_for_fifteen_minutes(session, account):
    for _ in range(5):
        assert _try(session, "wrong") is None

    assert _try(session, PASSWORD) is None
    assert _try(session, PASSWORD, NOW + timedelta(minutes=16)) is not None


def test_an_idle_session_ends(session, account):
    token = _try(session, PASSWORD)

    assert accounts.signed_in(session, token, NOW + timedelta(minutes=31)) is None


def test_an_account_without_an_assignment_gets_nowhere(session):
    accounts.create_account(session, login="lin", name="林", password=PASSWORD)

    assert accounts.signed_in(session, _try(session, PASSWORD), NOW) is None


@pytest.mark.parametrize("password", ["short", "lin-lin-lin-lin"])
def test_a_weak_password_is_refused(session, password):
    with pytest.raises(accounts.WeakPassword):
        accounts.create_account(session, login="lin", name="林", password=password)


def test_the_page_of_another_site_cannot_post(client):
    answer = client.post("/sign-in", data={}, headers={"Origin": "http://other.example"})

    assert answer.status_code == 403


def test_a_program_gets_a_problem_document_and_a_person_the_sign_in_page(client):
    asked = client.get("/api/layers")
    shown = client.get("/command", headers={"Accept": "text/html"})

    assert (asked.status_code, asked.json["code"]) == (401, "sign_in.needed")
    assert shown.status_code == 302
    assert shown.location.startswith("/sign-in?next=")


def test_every_answer_carries_the_security_headers(client):
    headers = client.get("/sign-in").headers

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_language_link_never_leaves_the_site(client):
    for target in ("https://other.example/x", "//other.example", "\\\\other.example"):
        assert client.get("/lang/en", query_string={"next": target}).location == "/"
