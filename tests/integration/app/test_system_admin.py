"""The system administrator: accounts, sessions, the state of the installation."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from grids import accounts
from grids.accounts import Account, SignInSession
from tests.support.admins import PASSWORD, PERSON, PROGRAM, grow_old, make_account, noted

# --- The system administrator ----------------------------------------------------------------


def test_an_account_is_made_with_a_password_that_is_shown_once(sign_in, session):
    client = sign_in("system_admin")

    answer = client.post("/admin/accounts", data={"login": "new.one", "name": "新同事"})

    shown = answer.text.partition('<output id="one-time-password">')[2].partition("<")[0]
    made = session.scalars(select(Account).where(Account.login == "new.one")).one()
    assert (answer.status_code, made.must_change) == (201, True)
    assert accounts.HASHER.verify(made.password_hash, shown)
    assert answer.headers["Cache-Control"] == "no-store"
    assert shown not in client.get(f"/admin/accounts/{made.id}").text
    assert noted(session, "account_created")[0].subject == f"account:{made.id}"


def test_a_login_that_is_taken_is_told_beside_the_field(sign_in, session):
    make_account(session)
    client = sign_in("system_admin")

    answer = client.post("/admin/accounts", data={"login": "lin", "name": "林"}, headers=PERSON)

    assert answer.status_code == 409
    assert 'id="login-error"' in answer.text


def test_an_account_is_closed_and_opened_again(sign_in, session):
    person = make_account(session, role="intake")
    token = accounts.sign_in(session, "lin", PASSWORD, now=datetime.now(UTC), source_ip="10.0.0.1")
    client = sign_in("system_admin")

    client.post(f"/admin/accounts/{person.id}/disable")
    session.expire_all()
    closed = (person.is_active, accounts.signed_in(session, token, datetime.now(UTC)))
    client.post(f"/admin/accounts/{person.id}/enable")
    session.expire_all()

    assert closed == (False, None)
    assert person.is_active


def test_a_locked_account_is_opened(sign_in, session):
    person = make_account(session, locked_until=datetime.now(UTC) + timedelta(minutes=10))
    client = sign_in("system_admin")

    client.post(f"/admin/accounts/{person.id}/unlock")
    session.expire_all()

    assert person.locked_until is None


def test_one_session_is_ended_and_the_others_stay(sign_in, session):
    person = make_account(session, role="intake")
    now = datetime.now(UTC)
    for _ in range(3):
        accounts.sign_in(session, "lin", PASSWORD, now=now, source_ip="10.0.0.1")
    session.flush()
    mine = select(SignInSession.id).where(SignInSession.account_id == person.id)
    first = session.scalars(mine).first()
    client = sign_in("system_admin")

    client.post(f"/admin/accounts/{person.id}/sessions/{first}/end")
    left = session.scalars(mine).all()
    client.post(f"/admin/accounts/{person.id}/sessions/end")

    assert len(left) == 2
    assert first not in left
    assert session.scalars(mine).all() == []


def test_a_password_is_reset(sign_in, session):
    person = make_account(session)
    before = person.password_hash
    client = sign_in("system_admin")

    answer = client.post(f"/admin/accounts/{person.id}/reset-password")
    session.expire_all()

    assert answer.status_code == 200
    assert "one-time-password" in answer.text
    assert (person.password_hash != before, person.must_change) == (True, True)


def test_an_administrator_does_nothing_to_the_own_account(sign_in, session):
    client = sign_in("system_admin")
    page = client.get(f"/admin/accounts/{client.account_id}").text

    answer = client.post(f"/admin/accounts/{client.account_id}/disable", headers=PERSON)

    assert answer.status_code == 403
    assert "/disable" not in page


@pytest.mark.parametrize("path", [
    "/admin/accounts", "/admin/accounts/{id}/reset-password",
    "/admin/accounts/{id}/reset-second-factor", "/admin/accounts/{id}/enable",
])  # fmt: skip
def test_sensitive_acts_on_accounts_ask_for_a_fresh_proof(sign_in, session, path):
    person = make_account(session)
    client = sign_in("system_admin")
    grow_old(session, client)

    data = {"login": "x.y", "name": "名"}
    by_program = client.post(path.format(id=person.id), data=data, headers=PROGRAM)
    by_person = client.post(path.format(id=person.id), data=data, headers=PERSON)

    assert (by_program.status_code, by_program.json["code"]) == (401, "sign_in.step_up")
    assert by_person.location.startswith("/confirm")


def test_the_list_of_accounts_is_searched_narrowed_and_paged(sign_in, session, monkeypatch):
    monkeypatch.setattr("grids.signals.staff.PAGE", 3)
    for number in range(5):
        make_account(session, f"zz-{number}")
    make_account(session, "zz-off", is_active=False)
    client = sign_in("system_admin")

    first = client.get("/admin/accounts?q=zz-").text
    second = client.get("/admin/accounts?q=zz-&after=zz-2").text
    closed = client.get("/admin/accounts?q=zz-&show=disabled").text

    assert "zz-2<" in first
    assert "zz-3<" not in first
    assert "after=zz-2" in first
    assert "zz-3<" in second
    assert "zz-2<" not in second
    assert "zz-off<" in closed
    assert "zz-1<" not in closed


def test_the_list_of_accounts_takes_few_statements(sign_in, session, count_queries):
    client = sign_in("system_admin")
    client.get("/admin/accounts")
    count_queries()
    client.get("/admin/accounts")
    few = count_queries()
    for number in range(12):
        make_account(session, f"more-{number}", role="intake")
    count_queries()
    client.get("/admin/accounts")

    assert count_queries() == few


def test_the_state_names_what_is_wrong(sign_in):
    page = sign_in("system_admin").get("/admin/state").text

    # No worker runs in this test's database.
    assert "./wangge up" in page
