"""API tokens: what they open, what they never open (S11)."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from grids import accounts
from grids.accounts.models import ApiToken
from grids.accounts.tokens import BadToken, TooManyTokens

LONG = "correct horse battery staple"
COUNTY = "339901"


def now():
    return datetime.now(UTC)


@pytest.fixture
def owner(session, sign_in):
    return sign_in("dispatcher")


@pytest.fixture
def actor(session, owner):
    return accounts.actor_of(session.get(accounts.Account, owner.account_id), now())


def make(session, actor, *scopes, days=30, name="qgis"):
    return accounts.create_token(
        session, actor, name=name, scopes=scopes or ("map:view",),
        expires_at=now() + timedelta(days=days), now=now(),
    )  # fmt: skip


def ask(app, token, path, **more):
    return app.test_client().open(path, headers={"Authorization": f"Bearer {token}"}, **more)


def test_a_token_opens_what_its_scope_names_and_no_more(app, session, actor):
    token = make(session, actor, "map:view")

    assert ask(app, token, "/api/layers").status_code == 200
    assert ask(app, token, "/api/incidents").status_code == 403


def test_a_token_is_made_on_the_page_and_shown_once(app, session, owner):
    made = owner.post("/account/tokens", data={"name": "QGIS", "scope": ["map:view"], "days": "30"})
    token = made.text.split('<code id="token">')[1].split("<")[0]

    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert ask(app, token, "/api/layers").status_code == 200
    page = owner.get("/account").text
    assert "QGIS" in page
    assert token not in page
    assert token not in owner.get("/account").text


def test_the_database_holds_no_token(session, actor):
    token = make(session, actor)

    rows = session.execute(text("SELECT t::text FROM api_token AS t")).scalars().all()
    events = session.execute(text("SELECT t::text FROM audit_event AS t")).scalars().all()

    forms = (token, token.removeprefix("wangge_"), token.encode().hex())
    assert [form for form in forms for row in (*rows, *events) if form in row] == []


@pytest.mark.parametrize(
    ("scopes", "days"),
    [
        (["admin:system"], 30),  # what the owner may not do
        (["map:view", "person:reveal"], 30),
        ([], 30),
        (["map:view"], 0),
        (["map:view"], 366),
    ],
)
def test_a_token_is_never_more_than_its_owner_nor_for_ever(session, actor, scopes, days):
    with pytest.raises(BadToken):
        accounts.create_token(
            session, actor, name="x", scopes=scopes, expires_at=now() + timedelta(days=days),
            now=now(),
        )  # fmt: skip


def test_an_account_has_at_most_twenty(session, actor):
    for number in range(20):
        make(session, actor, name=str(number))

    with pytest.raises(TooManyTokens):
        make(session, actor)


def test_a_token_loses_what_its_owner_loses(app, session, actor, owner):
    token = make(session, actor, "map:view", "incident:view")
    assert ask(app, token, "/api/incidents").status_code == 200

    session.execute(
        text("UPDATE assignment SET role = 'planner' WHERE account_id = :a"),
        {"a": owner.account_id},
    )

    assert ask(app, token, "/api/incidents").status_code == 403
    assert ask(app, token, "/api/layers").status_code == 200


def test_the_area_of_the_owner_holds(session, sign_in):
    client = sign_in("dispatcher", area="339901001")
    actor = accounts.actor_of(session.get(accounts.Account, client.account_id), now())

    found = accounts.token_caller(session, make(session, actor), now())

    assert found.actor.areas == ("339901001",)
    assert found.actor.permissions == {"map:view"}


def test_a_sensitive_act_is_never_open_to_a_token(app, session, sign_in, web_application):
    """Every view that asks for a fresh proof, by a token that has the permission."""
    sensitive = [
        (rule, view.permission)
        for rule in web_application.url_map.iter_rules()
        if getattr(view := web_application.view_functions[rule.endpoint], "step_up", False)
        and "GET" in rule.methods
        and not rule.arguments
    ]
    assert sensitive
    for rule, permission in sensitive:
        role = next(
            (name for name, held in accounts.ROLES.items() if permission in held), "dispatcher"
        )
        client = sign_in(role)
        actor = accounts.actor_of(session.get(accounts.Account, client.account_id), now())
        token = make(session, actor, *actor.permissions)

        answer = ask(app, token, rule.rule)

        assert answer.status_code == 401, rule.rule


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/account"),
        ("GET", "/account/tokens/new"),
        ("POST", "/account/tokens"),
        ("POST", "/account/password"),
        ("GET", "/api/account/sessions"),
        ("POST", "/api/confirm"),
        ("POST", "/account/second-factor/begin"),
        ("GET", "/sign-in/second"),
    ],
)
def test_a_token_manages_no_account_and_proves_nobody_s_presence(app, session, actor, method, path):
    token = make(session, actor, *actor.permissions)

    answer = ask(app, token, path, method=method)

    assert answer.status_code in ((302,) if path == "/sign-in/second" else (401,))


def test_a_token_needs_no_form_token_and_a_cookie_beside_it_counts_for_nothing(
    app, session, owner, actor
):
    token = make(session, actor, "map:view")
    headers = {"Authorization": f"Bearer {token}"}

    beside = owner.get("/api/incidents", headers=headers)
    unsafe = ask(app, token, "/api/incidents", method="POST", json={})

    assert beside.status_code == 403
    assert unsafe.json.get("code") != "request.forged"


@pytest.mark.parametrize("token", ["", "x", "wangge_" + "x" * 43])
def test_a_wrong_token_is_refused_and_noted(app, session, token):
    answer = ask(app, token, "/api/layers")

    assert (answer.status_code, answer.json["code"]) == (401, "token.refused")
    assert session.scalar(text("SELECT count(*) FROM audit_event WHERE action = 'token_refused'"))


def test_a_token_ends(app, session, owner, actor):
    past, revoked = make(session, actor, days=1), make(session, actor, name="second")
    session.execute(
        text(
            "UPDATE api_token SET expires_at = now() - interval '1 second',"
            " created_at = now() - interval '2 days' WHERE name = 'qgis'"
        )
    )
    row = session.scalars(select(ApiToken).where(ApiToken.name == "second")).one()

    gone = owner.post(f"/account/tokens/{row.id}/revoke")
    again = owner.post(f"/account/tokens/{row.id}/revoke")

    assert (gone.status_code, again.status_code) == (302, 404)
    assert ask(app, past, "/api/layers").status_code == 401
    assert ask(app, revoked, "/api/layers").status_code == 401


def test_nobody_revokes_the_token_of_another(app, session, owner, actor, sign_in):
    token = make(session, actor)
    row = session.scalars(select(ApiToken)).one()

    assert sign_in("intake").post(f"/account/tokens/{row.id}/revoke").status_code == 404
    assert ask(app, token, "/api/layers").status_code == 200


def test_the_last_use_is_shown(app, session, owner, actor):
    token = make(session, actor)

    ask(app, token, "/api/layers")

    used = accounts.tokens_of(session, owner.account_id, now=now())[0]
    assert used.used_from == "127.0.0.1"
    assert now() - used.used_at < timedelta(minutes=1)


def test_asking_with_a_token_costs_one_statement_more_than_nothing(
    app, session, actor, count_queries
):
    token = make(session, actor)
    accounts.token_caller(session, token, now())
    session.flush()
    count_queries()

    accounts.token_caller(session, token, now())

    assert count_queries() == 1


def test_asking_with_a_cookie_costs_one_statement(session, owner, settings, count_queries):
    from app.auth import cookie_name

    cookie = owner.get_cookie(cookie_name(settings)).value
    count_queries()

    accounts.signed_in(session, cookie, now())

    assert count_queries() == 1
