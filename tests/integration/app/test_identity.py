"""Sessions, locks, passwords, grants: what S01 to S04 and S07 to S11 ask for."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.auth import cookie_name
from grids import accounts
from grids.accounts import passwords, tries
from grids.accounts.policy import ASVS, MLPS3, Policy
from grids.accounts.staff import LastAdministrator, NotOneself
from grids.audit import AuditEvent

PASSWORD = "correct horse battery"
LONG = "correct horse battery staple"
NOW = datetime(2030, 1, 1, 8, 0, tzinfo=UTC)
SOURCE = "10.1.2.3"
COUNTY = "339901"


def make(session, login, role=None, **more):
    account = accounts.create_account(session, login=login, name=login, password=PASSWORD)
    if role:
        accounts.assign(session, account, role, area_code=COUNTY, **more)
    return account


@pytest.fixture
def account(session):
    return make(session, "lin", "intake")


def try_in(session, password=PASSWORD, *, login="lin", now=NOW, source_ip=SOURCE, **more):
    return accounts.sign_in(session, login, password, now=now, source_ip=source_ip, **more)


def acts(session, account_id):
    session.flush()
    statement = select(AuditEvent.action).where(
        (AuditEvent.actor_id == account_id) | (AuditEvent.subject == f"account:{account_id}")
    )
    return list(session.scalars(statement.order_by(AuditEvent.id)))


# --- S01: no account to begin with ------------------------------------------------------------


def test_a_new_installation_has_no_account(session):
    assert session.scalar(text("SELECT count(*) FROM account")) == 0
    assert not accounts.has_administrator(session, NOW)


# --- S03: stored as argon2id, renewed at sign-in -------------------------------------------------


def test_a_password_is_stored_as_argon2id(session, account):
    assert account.password_hash.startswith("$argon2id$")
    assert PASSWORD not in account.password_hash


def test_a_hash_of_older_parameters_is_renewed_at_sign_in(session, account):
    from argon2 import PasswordHasher

    account.password_hash = PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD)
    assert passwords.HASHER.check_needs_rehash(account.password_hash)

    assert try_in(session) is not None

    assert not passwords.HASHER.check_needs_rehash(account.password_hash)


# --- S04: locks ------------------------------------------------------------------------------------


def test_five_failures_of_one_source_lock_it_for_every_account(session, account):
    make(session, "wu", "intake")
    for number in range(5):
        try_in(session, "wrong", login=f"nobody-{number}")

    assert try_in(session, login="wu") is None
    assert try_in(session, login="wu", source_ip="10.9.9.9") is not None
    assert try_in(session, login="wu", now=NOW + timedelta(minutes=16)) is not None


def test_typing_errors_that_were_put_right_do_not_lock_an_office(session, account):
    for _ in range(4):
        try_in(session, "wrong")
        assert try_in(session) is not None
    make(session, "wu", "intake")
    for _ in range(3):
        try_in(session, "wrong", login="wu")

    assert try_in(session, login="wu") is not None


def test_an_own_account_does_not_clean_the_slate_of_a_guesser(session, account):
    for number in range(4):
        try_in(session, "wrong", login=f"victim-{number}")
        try_in(session)
    try_in(session, "wrong", login="victim-4")

    assert try_in(session) is None


def test_one_customer_s_network_of_ipv6_is_one_source():
    assert tries.source_of("2001:db8:1:2::1") == tries.source_of("2001:db8:1:2:ffff::9")
    assert tries.source_of("2001:db8:1:2::1") != tries.source_of("2001:db8:1:3::1")
    assert tries.source_of("::ffff:10.1.2.3") == tries.source_of("10.1.2.3") == "10.1.2.3"


def test_unknown_locked_and_disabled_logins_cost_one_hash_and_get_one_answer(
    app, session, account, monkeypatch
):
    computed = []
    real = passwords.verify
    monkeypatch.setattr(
        passwords,
        "verify",
        lambda stored, given: computed.append(stored[:29]) or real(stored, given),
    )
    make(session, "locked", "intake").locked_until = datetime.now(UTC) + timedelta(minutes=5)
    make(session, "disabled", "intake").is_active = False
    make(session, "simulated", "intake").password_hash = accounts.NO_PASSWORD
    session.flush()
    app.extensions["policy"] = Policy(failures_per_source=100)

    answers = []
    for login in ("lin", "nobody", "locked", "disabled", "simulated"):
        computed.clear()
        page = app.test_client().post("/sign-in", data={"login": login, "password": "wrong"})
        answers.append(
            (page.status_code, page.text.replace(f'value="{login}"', ""), len(computed), *computed)
        )
    app.extensions["policy"] = accounts.OPEN

    assert {status for status, *_ in answers} == {401}
    assert len(set(answers)) == 1


def test_locking_and_unlocking_are_on_record(session, account):
    admin = make(session, "admin", "system_admin")
    for number in range(5):
        try_in(session, "wrong", source_ip=f"10.0.0.{number}")

    accounts.unlock(session, account.id, by=admin.id, now=NOW, source_ip=SOURCE)

    assert {"account_locked", "account_unlocked"} <= set(acts(session, account.id))
    assert try_in(session) is not None


# --- S02: changing a password ------------------------------------------------------------------------


def change(session, account, new, *, now=NOW, policy=accounts.OPEN, present=PASSWORD):
    token = try_in(session, present, now=now)
    return accounts.change_password(
        session, account.id, accounts.token_hash(token), present=present, new=new, now=now,
        source_ip=SOURCE, policy=policy,
    )  # fmt: skip


def test_the_last_five_passwords_are_barred(session, account):
    used = [PASSWORD]
    for number in range(5):
        new = f"another passphrase number {number}"
        change(session, account, new, now=NOW + timedelta(days=number), present=used[-1])
        used.append(new)

    for old in used[-5:]:
        with pytest.raises(accounts.UsedPassword):
            change(session, account, old, now=NOW + timedelta(days=9), present=used[-1])
    change(session, account, used[0], now=NOW + timedelta(days=9), present=used[-1])


def test_mlps3_asks_for_a_new_password_after_90_days_and_asvs_does_not(session, account):
    account.password_at = NOW - timedelta(days=91)
    token = try_in(session)

    due = accounts.signed_in(session, token, NOW, Policy(password=MLPS3), with_unfinished=True)
    kept = accounts.signed_in(session, token, NOW, Policy(password=ASVS))

    assert due.unfinished == "password"
    assert accounts.signed_in(session, token, NOW, Policy(password=MLPS3)) is None
    assert kept.unfinished is None


def test_a_wrong_present_password_counts_as_a_failure(session, account):
    token = try_in(session)
    for number in range(5):
        changed = accounts.change_password(
            session, account.id, accounts.token_hash(token), present="wrong", new="x" * 20,
            now=NOW, source_ip=f"10.0.0.{number}",
        )  # fmt: skip
        assert changed is None

    assert account.locked_until == NOW + timedelta(minutes=15)


# --- S07: sessions ---------------------------------------------------------------------------------------


def test_a_session_id_is_new_random_and_stored_only_as_a_hash(session, account):
    tokens = {try_in(session) for _ in range(20)}

    assert len(tokens) == 20
    assert all(len(token) >= 43 for token in tokens)  # 256 bits in base64
    stored = session.scalars(text("SELECT t::text FROM sign_in_session AS t")).all()
    assert not any(token in row for token in tokens for row in stored)


@pytest.mark.parametrize(
    ("role", "idle", "is_good"),
    [
        ("intake", timedelta(minutes=29), True),
        ("intake", timedelta(minutes=31), False),
        ("worker", timedelta(hours=11), True),
        ("worker", timedelta(hours=12, minutes=1), False),
    ],
)
def test_an_idle_session_ends_sooner_at_a_desk_than_outdoors(session, role, idle, is_good):
    make(session, "wu", role)
    token = try_in(session, login="wu")

    assert (accounts.signed_in(session, token, NOW + idle) is not None) is is_good


def test_a_session_ends_after_twelve_hours_however_busy(session, account):
    token = try_in(session)
    for minutes in range(20, 12 * 60, 20):
        assert accounts.signed_in(session, token, NOW + timedelta(minutes=minutes)) is not None

    assert accounts.signed_in(session, token, NOW + timedelta(hours=12)) is None


def ends_everything(session, account):
    kept = [try_in(session), try_in(session)]
    found = accounts.signed_in(session, kept[0], NOW)
    token = accounts.create_token(
        session, found.actor, name="qgis", scopes=["map:view"],
        expires_at=NOW + timedelta(days=30), now=NOW,
    )  # fmt: skip
    return kept, token


def test_disabling_an_account_ends_its_sessions_and_tokens(session, account):
    admin = make(session, "admin", "system_admin")
    kept, token = ends_everything(session, account)

    accounts.disable(session, account.id, by=admin.id, now=NOW)
    accounts.enable(session, account.id, by=admin.id)

    assert [accounts.signed_in(session, one, NOW) for one in kept] == [None, None]
    assert accounts.token_caller(session, token, NOW) is None
    assert try_in(session) is not None


def test_a_new_password_ends_other_sessions_and_tokens_and_renews_this_one(session, account):
    kept, token = ends_everything(session, account)

    renewed = change(session, account, "an entirely new passphrase")

    assert [accounts.signed_in(session, one, NOW) for one in kept] == [None, None]
    assert accounts.token_caller(session, token, NOW) is None
    assert accounts.signed_in(session, renewed, NOW) is not None


def test_a_reset_gives_a_password_that_serves_once_and_not_for_long(session, account):
    admin = make(session, "admin", "system_admin")
    drawn = accounts.reset_password(session, account.id, by=admin.id, now=NOW)

    token = try_in(session, drawn)
    found = accounts.signed_in(session, token, NOW, with_unfinished=True)

    assert found.unfinished == "password"
    assert try_in(session, PASSWORD) is None
    assert try_in(session, drawn, now=NOW + timedelta(days=8), source_ip="10.8.8.8") is None


@pytest.mark.parametrize("profile", [MLPS3, ASVS])
def test_a_drawn_password_meets_both_profiles(session, profile):
    for _ in range(50):
        passwords.check_new(session, passwords.draw(), login="lin", profile=profile)


# --- Administrators: kept apart, in the service and in the database -------------------------------------


ADMINS = ("system_admin", "security_admin", "audit_admin")


@pytest.mark.parametrize(
    ("admin_role", "other"),
    [(one, other) for one in ADMINS for other in ("dispatcher", *ADMINS) if one != other],
)
def test_an_administrator_holds_no_other_role(session, admin_role, other):
    giver = make(session, "giver", "security_admin")
    account = make(session, "wu", other)

    with pytest.raises(accounts.RoleConflict):
        accounts.grant(session, account.id, admin_role, area_code=COUNTY, by=giver.id, now=NOW)
    with pytest.raises(IntegrityError, match="holds no other role"), session.begin_nested():
        session.execute(
            text("INSERT INTO assignment (account_id, role, area_code) VALUES (:a, :r, '339901')"),
            {"a": account.id, "r": admin_role},
        )


def test_roles_one_after_the_other_do_not_conflict(session):
    giver = make(session, "giver", "security_admin")
    account = make(session, "wu")
    first = accounts.grant(
        session, account.id, "dispatcher", area_code=COUNTY, by=giver.id, now=NOW
    )

    accounts.revoke(session, first.id, by=giver.id, now=NOW + timedelta(days=1))
    accounts.grant(
        session, account.id, "audit_admin", area_code=COUNTY, by=giver.id,
        now=NOW + timedelta(days=2),
    )  # fmt: skip

    roles = [row.role for row in accounts.grants_of(session, account.id, now=NOW)]
    assert sorted(roles) == ["audit_admin", "dispatcher"]


def test_nobody_grants_to_themselves(session):
    giver = make(session, "giver", "security_admin")

    with pytest.raises(NotOneself):
        accounts.grant(session, giver.id, "security_admin", area_code=COUNTY, by=giver.id, now=NOW)
    with pytest.raises(IntegrityError, match="not_to_oneself"), session.begin_nested():
        session.execute(
            text(
                "INSERT INTO assignment (account_id, role, area_code, granted_by)"
                " VALUES (:a, 'security_admin', '3399', :a)"
            ),
            {"a": giver.id},
        )


def as_app(session, statement, values):
    """Run a statement with the rights of the serving role."""
    with session.begin_nested():
        session.execute(text("SET LOCAL ROLE wangge_app"))
        session.execute(text(statement), values)


@pytest.mark.parametrize("giver_role", [None, "dispatcher", "system_admin", "audit_admin"])
def test_the_serving_role_grants_only_in_the_name_of_a_security_administrator(session, giver_role):
    giver = make(session, "giver", giver_role)
    account = make(session, "wu")

    with pytest.raises(DBAPIError, match="granted by a security administrator"):
        as_app(
            session,
            "INSERT INTO assignment (account_id, role, area_code, granted_by)"
            " VALUES (:a, 'dispatcher', '339901', :by)",
            {"a": account.id, "by": giver.id},
        )


@pytest.mark.parametrize(
    "change_of_grant",
    ["role = 'commander'", "area_code = '33'", "valid_to = NULL", "granted_by = NULL"],
)
def test_the_serving_role_only_shortens_a_grant(session, change_of_grant):
    giver = make(session, "giver", "security_admin")
    account = make(session, "wu")
    accounts.grant(
        session, account.id, "dispatcher", area_code=COUNTY, by=giver.id, now=NOW,
        valid_to=NOW + timedelta(days=5),
    )  # fmt: skip

    statement = "UPDATE assignment SET " + change_of_grant + " WHERE account_id = :a"
    with pytest.raises(DBAPIError, match="only ever shortened"):
        as_app(session, statement, {"a": account.id})


def test_a_grant_holds_in_its_time_only(session):
    giver = make(session, "giver", "security_admin")
    account = make(session, "wu", "intake")
    accounts.grant(
        session, account.id, "commander", area_code=COUNTY, by=giver.id, now=NOW,
        purpose="flood duty", valid_from=NOW + timedelta(hours=1),
        valid_to=NOW + timedelta(hours=3),
    )  # fmt: skip
    session.refresh(account)

    held = [
        "commander" in accounts.actor_of(account, NOW + timedelta(hours=hours)).roles
        for hours in (0, 1, 2, 3)
    ]

    assert held == [False, True, True, False]
    soon = accounts.expiring_grants(session, now=NOW + timedelta(hours=2))
    assert [(row.role, row.purpose, row.granted_by) for row in soon] == [
        ("commander", "flood duty", "giver")
    ]


def test_what_a_role_allows_it_allows_in_its_own_area(session):
    giver = make(session, "giver", "security_admin")
    account = make(session, "wu", "planner")
    accounts.grant(session, account.id, "dispatcher", area_code="339902", by=giver.id, now=NOW)
    session.refresh(account)

    actor = accounts.actor_of(account, NOW)

    assert actor.acting("planner:view").areas == (COUNTY,)
    assert actor.acting("incident:move").areas == ("339902",)
    assert actor.acting("map:view").areas == (COUNTY, "339902")


def test_the_last_administrator_of_a_kind_stays(session):
    first, second = make(session, "one", "security_admin"), make(session, "two", "system_admin")

    with pytest.raises(LastAdministrator):
        accounts.disable(session, first.id, by=second.id, now=NOW)
    make(session, "three", "security_admin")
    accounts.disable(session, first.id, by=second.id, now=NOW)


def test_lists_of_accounts_go_on_where_they_stopped(session):
    for number in range(7):
        make(session, f"person-{number}", "intake")

    first = accounts.list_accounts(session, "person", "", 4, now=NOW)
    rest = accounts.list_accounts(session, "person", first[-1].login, 4, now=NOW)

    assert [row.login[-1] for row in (*first, *rest)] == list("0123456")
    assert first[0].roles == ("intake",)
    assert accounts.list_accounts(session, "100%", now=NOW) == []


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
