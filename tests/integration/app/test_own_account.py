"""A person's own sessions and password through the pages, and the fresh proof (S07 to S10)."""

import re

import pytest
from sqlalchemy import text

from app.auth import cookie_name
from grids import accounts
from tests.support.identity import LONG, PASSWORD, make


@pytest.fixture
def account(session):
    return make(session, "lin", "intake")


# --- Through the pages -------------------------------------------------------------------------------------


def test_own_sessions_are_listed_and_ended(app, session, settings, sign_in):
    client = sign_in("dispatcher")
    login = session.get(accounts.Account, client.account_id).login
    other = app.test_client()
    other.post(
        "/sign-in", data={"login": login, "password": LONG}, headers={"User-Agent": "Firefox Linux"}
    )
    assert other.get("/account").status_code == 200

    listed = client.get("/api/account/sessions").json["sessions"]
    target = next(one for one in listed if not one["is_current"])
    ended = client.delete(f"/api/account/sessions/{target['id']}")
    again = client.delete(f"/api/account/sessions/{target['id']}")

    assert len(listed) == 2
    assert target["agent"] == "Firefox Linux"
    assert target["source"] == "127.0.0.1"
    assert (ended.status_code, again.status_code) == (204, 404)
    assert other.get("/api/account/sessions").status_code == 401


def test_nobody_ends_the_session_of_another(session, sign_in):
    one, other = sign_in("dispatcher"), sign_in("intake")
    theirs = one.get("/api/account/sessions").json["sessions"][0]["id"]

    assert other.delete(f"/api/account/sessions/{theirs}").status_code == 404
    assert one.get("/api/account/sessions").status_code == 200


def test_a_password_is_changed_on_its_page(app, session, settings, sign_in):
    client = sign_in("dispatcher")
    before = client.get_cookie(cookie_name(settings)).value

    wrong = client.post(
        "/account/password", data={"present": "wrong", "new": LONG + "!", "again": LONG + "!"}
    )
    differ = client.post(
        "/account/password", data={"present": LONG, "new": "a" * 20, "again": "b" * 20}
    )
    weak = client.post(
        "/account/password", data={"present": LONG, "new": "short", "again": "short"}
    )
    done = client.post(
        "/account/password",
        data={"present": LONG, "new": "春眠不觉晓 Spring 2026", "again": "春眠不觉晓 Spring 2026"},
    )

    assert [page.status_code for page in (wrong, differ, weak)] == [422, 422, 422]
    assert done.location == "/account?done=password"
    assert client.get_cookie(cookie_name(settings)).value != before
    assert client.get("/account").status_code == 200


def test_who_must_change_the_password_reaches_only_that_page(app, session, sign_in):
    client = sign_in("dispatcher")
    session.get(accounts.Account, client.account_id).must_change = True
    session.flush()

    shown = client.get("/account", headers={"Accept": "text/html"})
    asked = client.get("/api/layers")
    forward = client.get(shown.location)
    page = client.get(forward.location)

    assert asked.status_code == 401
    assert forward.location == "/account/password?next=/account"
    assert page.status_code == 200
    done = client.post(
        "/account/password",
        data={"present": LONG, "new": "Quiet-river-42-stones", "again": "Quiet-river-42-stones",
              "next": "/account"},
    )  # fmt: skip
    assert done.location == "/account"
    assert client.get("/account").status_code == 200


# --- S10: a fresh proof ---------------------------------------------------------------------------------------


@pytest.fixture
def stale(session, sign_in):
    """Somebody whose last proof of identity is eleven minutes old."""
    client = sign_in("dispatcher")
    session.execute(
        text(
            "UPDATE sign_in_session SET confirmed_at = now() - interval '11 minutes'"
            " WHERE account_id = :a"
        ),
        {"a": client.account_id},
    )
    return client


def test_a_sensitive_page_asks_for_a_proof_first(stale):
    asked = stale.get("/account/tokens/new", headers={"Accept": "text/html"})
    shown = stale.get(asked.location)
    refused = stale.post("/confirm", data={"password": "wrong", "next": "/account/tokens/new"})
    taken = stale.post("/confirm", data={"password": LONG, "next": "/account/tokens/new"})

    assert asked.location == "/confirm?next=/account/tokens/new"
    assert shown.status_code == 200
    assert (refused.status_code, taken.status_code) == (422, 303)
    assert stale.get(taken.location).status_code == 200


def test_a_program_of_the_page_gets_a_code_and_proves_by_json(stale):
    asked = stale.post("/account/tokens", headers={"Accept": "application/json"})
    wants = stale.get("/api/confirm").json
    refused = stale.post("/api/confirm", json={"password": "wrong"})
    taken = stale.post("/api/confirm", json={"password": LONG})

    assert (asked.status_code, asked.json["code"]) == (401, "sign_in.step_up")
    assert wants == {"password": True, "code": False, "provider": False}
    assert (refused.status_code, refused.json["code"]) == (422, "sign_in.not_confirmed")
    assert taken.status_code == 204
    assert stale.get("/account/tokens/new").status_code == 200


def test_a_proof_gives_the_session_a_new_id(stale, settings):
    before = stale.get_cookie(cookie_name(settings)).value

    stale.post("/api/confirm", json={"password": LONG})

    after = stale.get_cookie(cookie_name(settings)).value
    assert after != before
    stale.set_cookie(cookie_name(settings), before)
    assert stale.get("/api/account/sessions").status_code == 401


def test_the_page_of_the_proof_never_leads_to_another_site(stale):
    taken = stale.post("/confirm", data={"password": LONG, "next": "https://other.example/x"})

    assert taken.location == "/"


# --- S08: cookies and addresses -----------------------------------------------------------------------------------


def test_no_token_stands_in_an_address_of_the_site(app):
    rules = [str(rule) for rule in app.url_map.iter_rules()]

    assert not [rule for rule in rules if re.search(r"<[^>]*token(?!_id)[^>]*>", rule)]


def test_the_cookie_is_bound_to_the_host_under_https(app, session, account):
    import dataclasses

    kept = app.extensions["settings"]
    app.extensions["settings"] = dataclasses.replace(kept, https=True)
    try:
        answer = app.test_client().post("/sign-in", data={"login": "lin", "password": PASSWORD})
    finally:
        app.extensions["settings"] = kept

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-wangge=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
