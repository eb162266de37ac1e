"""Passwords, locks and sessions: what S01 to S04 and S07 ask for."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from grids import accounts
from grids.accounts import passwords, tries
from grids.accounts.policy import ASVS, MLPS3, Policy
from tests.support.identity import NOW, PASSWORD, SOURCE, acts, make, try_in


@pytest.fixture
def account(session):
    return make(session, "lin", "intake")


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
        lambda stored, given: computed.append(stored.split("$")[1:4]) or real(stored, given),
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
        answers.append((page.status_code, page.text.replace(f'value="{login}"', ""), str(computed)))
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
