"""The second factor: enrolling, signing in with it, replay, recovery codes (S05)."""

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select, text

from app.auth import cookie_name
from grids import accounts
from grids.accounts import factors
from grids.accounts.models import SecondFactor
from grids.accounts.policy import Policy
from grids.audit import AuditEvent

PASSWORD = "correct horse battery"
NOW = datetime(2030, 1, 1, 8, 0, tzinfo=UTC)
SOURCE = "10.1.2.3"


@pytest.fixture
def vault(app):
    return app.extensions["vault"]


@pytest.fixture
def account(session):
    made = accounts.create_account(session, login="lin", name="林", password=PASSWORD)
    accounts.assign(session, made, "intake", area_code="339901")
    return made


def secret_of(session, vault, account):
    row = session.get(SecondFactor, account.id, populate_existing=True)
    return vault.open("second_factor", account.id, "secret_sealed", row.secret_sealed)


def enrol(session, vault, account, now=NOW, policy=accounts.OPEN):
    """Enrol as a phone does; return the authenticator and the recovery codes."""
    factors.begin(session, account.id, vault=vault, now=now, policy=policy)
    shown = factors.enrolment(session, account.id, vault=vault, login="lin", issuer="Wangge")
    phone = pyotp.parse_uri(shown.address) if policy.digest != "sm3" else None
    if phone is None:
        import hashlib

        phone = pyotp.TOTP(shown.secret, digest=lambda data=b"": hashlib.new("sm3", data))
    codes = factors.finish(session, account.id, phone.at(now), vault=vault, now=now)
    return phone, codes


def second(session, vault, token, code, now):
    return accounts.second_step(
        session, accounts.token_hash(token), code, vault=vault, now=now, source_ip=SOURCE
    )


def first(session, now, source_ip=SOURCE):
    return accounts.sign_in(session, "lin", PASSWORD, now=now, source_ip=source_ip)


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sm3"])
def test_codes_of_an_authenticator_open_the_session(session, vault, account, digest):
    phone, _ = enrol(session, vault, account, policy=Policy(digest=digest))
    later = NOW + timedelta(minutes=1)
    half = first(session, later)

    token = second(session, vault, half, phone.at(later), later)

    assert accounts.signed_in(session, half, later) is None
    assert accounts.signed_in(session, token, later).actor.account_id == account.id


def test_a_password_alone_opens_nothing(session, vault, account):
    enrol(session, vault, account)

    half = first(session, NOW)

    assert accounts.signed_in(session, half, NOW) is None
    unfinished = accounts.signed_in(session, half, NOW, with_unfinished=True)
    assert unfinished.unfinished == "second"


def test_a_code_counts_once_and_so_do_all_before_it(session, vault, account):
    phone, _ = enrol(session, vault, account)
    later = NOW + timedelta(minutes=2)
    code, older = phone.at(later), phone.at(later - timedelta(seconds=30))
    assert second(session, vault, first(session, later), code, later) is not None

    again = second(session, vault, first(session, later), code, later)
    before = second(session, vault, first(session, later), older, later)

    assert (again, before) == (None, None)


def test_the_step_counter_of_the_database_only_rises(session, vault, account):
    phone, _ = enrol(session, vault, account)
    seen = [session.get(SecondFactor, account.id).last_step]
    for minute in (1, 3, 2):
        at = NOW + timedelta(minutes=minute)
        factors.check_code(session, account.id, phone.at(at), vault=vault, now=at)
        seen.append(session.get(SecondFactor, account.id, populate_existing=True).last_step)

    assert seen == sorted(seen)
    assert seen[-1] == int((NOW + timedelta(minutes=3)).timestamp()) // 30


@pytest.mark.parametrize("seconds", [-61, 61])
def test_a_code_of_another_time_is_refused(session, vault, account, seconds):
    phone, _ = enrol(session, vault, account, now=NOW - timedelta(hours=1))
    half = first(session, NOW)

    token = second(session, vault, half, phone.at(NOW + timedelta(seconds=seconds)), NOW)

    assert token is None


def test_a_recovery_code_opens_the_session_once(session, vault, account):
    _, codes = enrol(session, vault, account)

    opened = second(session, vault, first(session, NOW), codes[3].lower(), NOW)
    again = second(session, vault, first(session, NOW), codes[3], NOW)

    assert accounts.signed_in(session, opened, NOW) is not None
    assert again is None
    assert factors.recovery_codes_left(session, account.id) == 9


def test_five_wrong_codes_lock_the_account_and_end_the_half_made_session(session, vault, account):
    phone, _ = enrol(session, vault, account)
    half = first(session, NOW)
    for number in range(5):
        at = NOW + timedelta(seconds=number)
        source = f"10.0.0.{number}"
        accounts.second_step(
            session, accounts.token_hash(half), "000000", vault=vault, now=at, source_ip=source
        )

    assert second(session, vault, half, phone.at(NOW), NOW) is None
    assert first(session, NOW, source_ip="10.9.9.9") is None
    assert session.get(accounts.Account, account.id).locked_until == at + timedelta(minutes=15)


def test_neither_the_secret_nor_a_recovery_code_stands_in_the_database(session, vault, account):
    _, codes = enrol(session, vault, account)
    secret = secret_of(session, vault, account)

    rows = [
        *session.execute(text("SELECT t::text FROM second_factor AS t")).scalars(),
        *session.execute(text("SELECT t::text FROM recovery_code AS t")).scalars(),
        *session.execute(text("SELECT t::text FROM audit_event AS t")).scalars(),
    ]

    plain = [secret, *codes, *(code.replace("-", "") for code in codes)]
    forms = [form for one in plain for form in (one, one.encode().hex())]
    assert [form for form in forms for row in rows if form.lower() in row.lower()] == []


def test_a_moved_secret_does_not_open(session, vault, account):
    enrol(session, vault, account)
    other = accounts.create_account(session, login="wu", name="吴", password=PASSWORD)
    session.execute(
        text(
            "INSERT INTO second_factor (account_id, secret_sealed, created_at, confirmed_at)"
            " SELECT :other, secret_sealed, created_at, confirmed_at FROM second_factor"
            " WHERE account_id = :one"
        ),
        {"other": other.id, "one": account.id},
    )

    with pytest.raises(Exception, match="does not open"):
        factors.check_code(session, other.id, "123456", vault=vault, now=NOW)


# --- Through the pages ----------------------------------------------------------------------


def form_token(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]


def test_enrolling_through_the_pages_and_signing_in_with_it(
    app, session, vault, sign_in, monkeypatch
):
    client = sign_in("dispatcher")
    client.post("/account/second-factor/begin")
    page = client.get("/account/second-factor")
    picture = client.get("/account/second-factor/picture.svg")
    secret = "".join(re.findall(r"<span>([A-Z2-7]{2,4})</span>", page.text))
    codes = client.post("/account/second-factor/finish", data={"code": pyotp.TOTP(secret).now()})

    assert picture.mimetype == "image/svg+xml"
    assert b"<svg" in picture.data
    recovery = re.findall(r"<code>([A-Z2-7-]{19})</code>", codes.text)
    assert len(recovery) == 10

    browser = app.test_client()
    account = session.get(accounts.Account, client.account_id)
    sent = {"login": account.login, "password": "correct horse battery staple"}
    gone = browser.post("/sign-in", data={**sent, "next": "/account"})
    assert gone.location == "/sign-in/second?next=/account"
    assert browser.get("/api/account/sessions").status_code == 401
    half = browser.get("/sign-in/second")
    done = browser.post(
        "/sign-in/second",
        data={"code": recovery[0], "csrf_token": form_token(half), "next": "/account"},
    )
    assert done.location == "/account"
    assert browser.get("/account").status_code == 200


def test_who_must_enrol_reaches_only_that_page(app, session, sign_in):
    app.extensions["policy"] = Policy(second_factor="all")
    client = sign_in("dispatcher")
    try:
        shown = client.get("/account", headers={"Accept": "text/html"})
        asked = client.get("/api/layers")
        forward = client.get(shown.location)
        page = client.get("/account/second-factor")
        begun = client.post("/account/second-factor/begin")
    finally:
        app.extensions["policy"] = accounts.OPEN

    assert shown.location.startswith("/sign-in?next=")
    assert asked.status_code == 401
    assert forward.location.startswith("/account/second-factor")
    assert page.status_code == 200
    assert begun.status_code == 303


def test_only_administrators_must_enrol_by_that_rule(app, sign_in):
    app.extensions["policy"] = Policy(second_factor="admins")
    try:
        dispatcher = sign_in("dispatcher").get("/account")
        admin = sign_in("system_admin").get("/account", headers={"Accept": "text/html"})
    finally:
        app.extensions["policy"] = accounts.OPEN

    assert (dispatcher.status_code, admin.status_code) == (200, 302)


def test_using_a_recovery_code_is_on_record(session, vault, account):
    _, codes = enrol(session, vault, account)

    second(session, vault, first(session, NOW), codes[0], NOW)
    session.flush()

    found = session.scalars(select(AuditEvent.action).where(AuditEvent.actor_id == account.id))
    assert {"second_factor_enrolled", "recovery_code_used", "sign_in"} <= set(found)


def test_the_cookie_of_the_session_changes_with_the_second_step(app, session, settings, sign_in):
    client = sign_in("dispatcher")
    vault = app.extensions["vault"]
    account = session.get(accounts.Account, client.account_id)
    _, codes = enrol(session, vault, account, now=datetime.now(UTC) - timedelta(hours=1))
    browser = app.test_client()
    browser.post(
        "/sign-in", data={"login": account.login, "password": "correct horse battery staple"}
    )
    before = browser.get_cookie(cookie_name(settings)).value
    half = browser.get("/sign-in/second")

    browser.post("/sign-in/second", data={"code": codes[0], "csrf_token": form_token(half)})

    assert browser.get_cookie(cookie_name(settings)).value != before
