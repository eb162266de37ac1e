"""Signing in with a real OpenID provider, and everything that must not work."""

import dataclasses
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import select, text, update

from app import oidc
from app.outgoing import doors_from
from grids import accounts
from grids.accounts import identities
from grids.accounts.models import Account, LinkedIdentity, ProviderTry
from grids.audit import AuditEvent

PASSWORD = "correct horse battery"
REFUSED = 401


@pytest.fixture
def site(app, settings, openid_provider):
    """The application with the provider set."""
    given = {
        "oidc_issuer": openid_provider.issuer,
        "oidc_client_id": openid_provider.client_id,
        "oidc_client_secret": openid_provider.secret,
    }
    kept = dict(app.extensions)
    app.extensions["settings"] = dataclasses.replace(settings, **given)
    app.extensions["doors"] = doors_from(openid_provider.environment()["WANGGE_OUTGOING"])
    oidc.use_provider(app, app.extensions["settings"])
    yield app
    app.extensions.clear()
    app.extensions.update(kept)


@pytest.fixture
def lin(session, openid_provider):
    """An account with a role that is linked to `lin` of the provider."""
    account = accounts.create_account(session, login="lin", name="林", password=PASSWORD)
    accounts.assign(session, account, "dispatcher", area_code="339901")
    accounts.link_identity(
        session, account.id, issuer=openid_provider.issuer, subject="subject-lin", by=None,
        now=datetime.now(UTC),
    )  # fmt: skip
    session.flush()
    return account


def go(client, **query):
    return client.get("/sign-in/oidc", query_string=query).location


def come_back(client, provider, login, **query):
    """Go to the provider, sign in there and return to the site."""
    return client.get(path_of(provider.visit(go(client, **query), login)))


def path_of(address):
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def test_a_linked_person_signs_in_and_goes_where_they_wanted(site, session, lin, openid_provider):
    client = site.test_client()

    answer = come_back(client, openid_provider, "lin", next="/account")

    assert answer.location == "/account"
    listed = client.get("/api/account/sessions").json["sessions"]
    assert [one["method"] for one in listed] == ["oidc"]


def test_the_request_carries_code_pkce_state_and_nonce(site, openid_provider):
    sent = parse_qs(urlsplit(go(site.test_client())).query)

    assert sent["response_type"] == ["code"]
    assert sent["code_challenge_method"] == ["S256"]
    assert len(sent["code_challenge"][0]) == 43
    assert len(sent["state"][0]) >= 43
    assert len(sent["nonce"][0]) >= 43
    assert "openid" in sent["scope"][0].split()


def test_somebody_who_is_not_linked_gets_no_account_and_no_right(site, session, openid_provider):
    before = session.scalar(text("SELECT count(*) FROM account"))

    answer = come_back(site.test_client(), openid_provider, "stranger")

    assert answer.status_code == REFUSED
    assert session.scalar(text("SELECT count(*) FROM account")) == before
    assert session.scalar(text("SELECT count(*) FROM sign_in_session")) == 0


def test_a_linked_account_without_a_role_gets_nowhere(site, session, lin, openid_provider):
    session.execute(text("DELETE FROM assignment WHERE account_id = :a"), {"a": lin.id})

    assert come_back(site.test_client(), openid_provider, "lin").status_code == REFUSED


@pytest.mark.parametrize("column", ["is_active", "locked_until"])
def test_a_disabled_or_locked_account_stays_closed(site, session, lin, openid_provider, column):
    value = {"is_active": False, "locked_until": datetime.now(UTC) + timedelta(minutes=5)}[column]
    session.execute(update(Account).where(Account.id == lin.id).values({column: value}))

    answer = come_back(site.test_client(), openid_provider, "lin")

    assert answer.status_code == REFUSED
    assert "sign_in_failed" in session.scalars(select(AuditEvent.action)).all()


def test_an_answer_counts_once(site, lin, openid_provider):
    client = site.test_client()
    back = path_of(openid_provider.visit(go(client), "lin"))

    first, again = client.get(back), client.get(back)

    assert (first.status_code, again.status_code) == (302, REFUSED)


def test_an_answer_counts_only_in_the_browser_that_was_sent(site, lin, openid_provider):
    back = path_of(openid_provider.visit(go(site.test_client()), "lin"))

    stolen = site.test_client().get(back)

    assert stolen.status_code == REFUSED


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "x" * 43},
        {"code": "x" * 43},
        {"code": ""},
        {"iss": "http://127.0.0.1:9"},
        {"error": "access_denied", "code": ""},
    ],
)
def test_a_changed_answer_opens_nothing(site, lin, openid_provider, changed):
    client = site.test_client()
    address = urlsplit(openid_provider.visit(go(client), "lin"))
    query = {name: values[0] for name, values in parse_qs(address.query).items()} | changed

    answer = client.get(f"{address.path}?{urlencode(query)}")

    assert answer.status_code == REFUSED
    assert client.get("/api/account/sessions").status_code == 401


@pytest.mark.parametrize("column", ["nonce", "verifier"])
def test_a_token_for_another_try_opens_nothing(site, session, lin, openid_provider, column):
    client = site.test_client()
    back = path_of(openid_provider.visit(go(client), "lin"))
    session.execute(update(ProviderTry).values({column: "x" * 64}))

    assert client.get(back).status_code == REFUSED


def test_an_answer_that_took_too_long_opens_nothing(site, session, lin, openid_provider):
    client = site.test_client()
    back = path_of(openid_provider.visit(go(client), "lin"))
    session.execute(
        update(ProviderTry).values(started_at=datetime.now(UTC) - timedelta(minutes=11))
    )

    assert client.get(back).status_code == REFUSED


def test_the_second_step_follows_for_who_has_one(site, session, lin, openid_provider):
    from tests.integration.app.test_second_factor import enrol

    enrol(session, site.extensions["vault"], lin, now=datetime.now(UTC) - timedelta(hours=1))
    client = site.test_client()

    answer = come_back(client, openid_provider, "lin", next="/account")

    assert answer.location == "/sign-in/second?next=/account"
    assert client.get("/api/account/sessions").status_code == 401


def test_a_trusted_claim_links_an_account_once(site, session, openid_provider):
    account = accounts.create_account(session, login="wu", name="吴", password=PASSWORD)
    accounts.assign(session, account, "dispatcher", area_code="339901")
    site.extensions["settings"] = dataclasses.replace(
        site.extensions["settings"], oidc_login_claim="preferred_username"
    )

    first = come_back(site.test_client(), openid_provider, "wu")

    assert first.status_code == 302
    links = identities.identities_of(session, account.id)
    assert [link.subject for link in links] == ["subject-wu"]
    assert links[0].linked_by is None


@pytest.mark.parametrize(("login", "is_in"), [("unverified", False), ("verified", True)])
def test_an_address_counts_only_when_the_provider_has_verified_it(
    site, session, openid_provider, login, is_in
):
    account = accounts.create_account(
        session, login=f"{login}@city.example", name="吴", password=PASSWORD
    )
    accounts.assign(session, account, "dispatcher", area_code="339901")
    site.extensions["settings"] = dataclasses.replace(
        site.extensions["settings"], oidc_login_claim="email"
    )

    answer = come_back(site.test_client(), openid_provider, login)

    assert (answer.status_code == 302) is is_in
    assert bool(session.scalars(select(LinkedIdentity)).all()) is is_in


def test_a_fresh_proof_by_the_provider_opens_sensitive_pages(site, session, lin, openid_provider):
    client = site.test_client()
    come_back(client, openid_provider, "lin")
    session.execute(text("UPDATE sign_in_session SET confirmed_at = now() - interval '1 hour'"))
    session.expire_all()
    assert client.get("/account/tokens/new", headers={"Accept": "text/html"}).status_code == 303
    assert client.get("/api/confirm").json["provider"] is True

    answer = come_back(
        client, openid_provider, "lin", purpose="confirm", next="/account/tokens/new"
    )

    assert answer.location == "/account/tokens/new"
    assert client.get("/account/tokens/new").status_code == 200


def test_the_proof_of_another_person_counts_for_nothing(site, session, lin, openid_provider):
    client = site.test_client()
    come_back(client, openid_provider, "lin")
    session.execute(text("UPDATE sign_in_session SET confirmed_at = now() - interval '1 hour'"))
    session.expire_all()

    answer = come_back(client, openid_provider, "wu", purpose="confirm", next="/account")

    assert answer.status_code == REFUSED
    assert client.get("/account/tokens/new", headers={"Accept": "text/html"}).status_code == 303


def test_the_button_stands_there_only_where_a_provider_is_set(app, settings):
    client = app.test_client()
    without = client.get("/sign-in").text
    app.extensions["settings"] = dataclasses.replace(
        settings, oidc_issuer="https://sso.example", oidc_name="统一身份"
    )
    try:
        shown = client.get("/sign-in").text
    finally:
        app.extensions["settings"] = settings

    assert "/sign-in/oidc" not in without
    assert "/sign-in/oidc" in shown
    assert client.get("/sign-in/oidc").status_code == 404


def test_a_provider_outside_the_deployer_s_list_is_not_called(site, openid_provider):
    site.extensions["oidc"].doors = doors_from("")

    assert site.test_client().get("/sign-in/oidc").status_code == REFUSED


@pytest.mark.parametrize(
    ("ways", "counts"),
    [(["pwd"], False), (["pwd", "otp"], True), (["mfa"], True), ("mfa", False), (None, False)],
)
def test_what_counts_as_a_second_factor_of_the_provider(ways, counts):
    assert oidc.has_second_factor({"amr": ways}) is counts


def test_the_system_administrator_links_an_account_and_it_signs_in(
    site, session, sign_in, openid_provider
):
    account = accounts.create_account(session, login="lin", name="林", password=PASSWORD)
    accounts.assign(session, account, "dispatcher", area_code="339901")
    admin = sign_in("system_admin")
    where = f"/admin/accounts/{account.id}/identities"

    linked = admin.post(where, data={"subject": "subject-lin"})
    again = admin.post(where, data={"subject": "subject-lin"})
    empty = admin.post(where, data={"subject": " "})
    own = admin.post(
        f"/admin/accounts/{admin.account_id}/identities", data={"subject": "subject-me"}
    )

    assert [page.status_code for page in (linked, again, empty, own)] == [303, 409, 422, 403]
    assert "subject-lin" in admin.get(where).text
    assert come_back(site.test_client(), openid_provider, "lin").status_code == 302
    admin.post(f"{where}/unlink", data={"issuer": openid_provider.issuer, "subject": "subject-lin"})
    assert come_back(site.test_client(), openid_provider, "lin").status_code == REFUSED


@pytest.mark.parametrize("role", ["security_admin", "audit_admin", "dispatcher"])
def test_nobody_else_links(site, session, sign_in, role):
    account = accounts.create_account(session, login="lin", name="林", password=PASSWORD)

    answer = sign_in(role).post(
        f"/admin/accounts/{account.id}/identities", data={"subject": "subject-lin"}
    )

    assert answer.status_code == 403
