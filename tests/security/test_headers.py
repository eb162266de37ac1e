"""What every answer carries, asked of every route (S48, S50, S60)."""

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.live import create_live_app
from app.security import FIXED_HEADERS, YEAR_S, is_own_host
from tests.support.routes import Route, routes
from tests.support.web import PASSWORD

ROLES = ("commander", "worker", "dispatcher", "planner")
#: Odd requests whose answers come from the server's edges.
ODD = (
    ("GET", "/no-such-page"), ("GET", "/api/no-such"), ("DELETE", "/"), ("PATCH", "/sign-in"),
    ("GET", "/tiles/grid/99/0/0.mvt"), ("GET", "/tiles/nothing/1/0/0.mvt"), ("GET", "/assets/"),
    ("GET", "/assets/no-such.js"), ("GET", "/assets/../../etc/passwd"), ("OPTIONS", "/"),
    ("GET", "//evil.example/"), ("PUT", "/api/incidents/x"), ("GET", "/healthz"),
    ("GET", "/track/%00"), ("GET", "/sign-in?next=//evil.example"),
)  # fmt: skip


def problems_of(answer, where: object) -> list[str]:
    """Say what an answer lacks."""
    found = [name for name in FIXED_HEADERS if answer.headers.get(name) != FIXED_HEADERS[name]]
    policy = dict(
        part.partition(" ")[::2]
        for part in answer.headers.get("Content-Security-Policy", "").split("; ")
    )
    if policy.get("default-src") != "'none'" or policy.get("frame-ancestors") != "'none'":
        found.append("content policy")
    if any("unsafe" in value or "*" in value or "data:" in value for value in policy.values()):
        found.append("a loose content policy")
    if not answer.headers.get("Cache-Control"):
        found.append("Cache-Control")
    if "Server" in answer.headers and "/" in answer.headers["Server"]:
        found.append("a version")
    if "X-Powered-By" in answer.headers:
        found.append("a banner")
    return [f"{where}: {name}" for name in found]


def test_every_route_answers_with_every_header(app: Flask, sign_in, client: FlaskClient) -> None:
    """And answers for a person are never kept without asking again."""
    callers = [client, *(sign_in(role) for role in ROLES)]
    found, kept = [], set()

    # What changes something comes last: signing out is among it.
    for route in (*routes(app, unsafe=False), *routes(app, unsafe=True)):
        for caller in callers:
            answer = caller.open(route.path, method=route.method)
            found += problems_of(answer, f"{route} {answer.status_code}")
            rule = answer.headers["Cache-Control"]
            is_asked_again = any(word in rule for word in ("no-store", "no-cache", "private"))
            if caller is not client and ("public" in rule or not is_asked_again):
                kept.add(route.endpoint)

    assert found == []
    assert kept <= {"static", "tiles.tile", "worker.service_worker", "worker.web_manifest"}


def test_errors_and_oddities_carry_them_too(client: FlaskClient) -> None:
    found = []

    for method, path in ODD:
        answer = client.open(path, method=method)
        found += problems_of(answer, f"{method} {path} {answer.status_code}")

    assert found == []


def test_a_failure_carries_them_too(app: Flask, client: FlaskClient, monkeypatch) -> None:
    def fail() -> None:
        raise RuntimeError("the reason is nobody's business")

    monkeypatch.setitem(app.view_functions, "portal.report_page", fail)
    app.testing = False
    try:
        answer = client.get("/")
    finally:
        app.testing = True

    assert answer.status_code == 500
    assert problems_of(answer, "/") == []
    assert "nobody's business" not in answer.text


def test_signing_out_clears_the_cache_and_leaves_the_outbox(sign_in) -> None:
    answer = sign_in("worker").post("/sign-out")

    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert "storage" not in answer.headers["Clear-Site-Data"]
    assert "wangge=;" in answer.headers["Set-Cookie"]


@pytest.fixture
def https_app(app: Flask, settings: Settings, connection) -> Flask:
    """The same application under HTTPS, behind one proxy, with a name of its own."""
    made = create_app(
        replace(settings, https=True, trusted_proxies=1, trusted_hosts="grid.city.test,.ward.test")
    )
    made.testing = True
    made.extensions["make_session"] = app.extensions["make_session"]
    yield made
    made.extensions["engine"].dispose()


def test_under_https_the_cookie_is_bound_to_the_host(https_app: Flask, session) -> None:
    from grids import accounts

    account = accounts.create_account(session, login="https", name="https", password=PASSWORD)
    accounts.assign(session, account, "commander", area_code="339901")
    session.flush()
    client = https_app.test_client()
    form = {"login": "https", "password": PASSWORD}

    answer = client.post("/sign-in", data=form, base_url="https://grid.city.test")

    cookies = [value for value in answer.headers.getlist("Set-Cookie") if "wangge" in value]
    assert answer.status_code == 302, answer.text
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        for word in ("Secure", "HttpOnly", "SameSite=", "Path=/"):
            assert word in cookie
        assert "Domain" not in cookie
    assert cookies
    assert answer.headers["Strict-Transport-Security"] == f"max-age={YEAR_S}"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "grid.city.test.evil.example", "evil.example:80", "xgrid.city.test", "ward.test",
     "grid.city.test@evil.example", "evil.example#grid.city.test", "[::1]", "127.0.0.1", "",
     "grid.city.test:port", "grid.city.test/x", "localhost"],
)  # fmt: skip
def test_another_host_is_refused_before_anything_is_done(https_app: Flask, host: str) -> None:
    answer = https_app.test_client().get(
        "/", headers={"Host": host}, environ_overrides={"HTTP_HOST": host}
    )

    assert answer.status_code == 400
    assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("host", ["grid.city.test", "GRID.city.test:443", "a.ward.test"])
def test_the_names_of_the_site_are_served(https_app: Flask, host: str) -> None:
    assert https_app.test_client().get("/healthz", headers={"Host": host}).status_code == 200


def test_exactly_one_proxy_is_believed(https_app: Flask) -> None:
    seen = {}
    https_app.view_functions["health.alive"] = look = lambda: seen.update(_seen()) or "ok"
    look.permission = "public"

    https_app.test_client().get("/healthz", headers={
        "Host": "grid.city.test", "X-Forwarded-For": "6.6.6.6, 10.1.2.3",
        "X-Forwarded-Host": "evil.example, grid.city.test", "X-Forwarded-Port": "6666",
        "X-Forwarded-Prefix": "/evil", "X-Forwarded-Proto": "http, https",
    })  # fmt: skip

    assert seen == {"ip": "10.1.2.3", "host": "grid.city.test", "root": "", "scheme": "https"}


def _seen() -> dict[str, str]:
    from flask import request

    return {"ip": request.remote_addr or "", "host": request.host, "root": request.root_path.rstrip("/"),
            "scheme": request.scheme}  # fmt: skip


def test_without_a_proxy_none_is_believed(client: FlaskClient) -> None:
    answer = client.get(
        "/sign-in", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "6.6.6.6"}
    )

    assert answer.status_code == 200
    assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "192.168.1.20:8000"])
def test_without_a_list_numbers_and_this_machine_are_served(settings: Settings, host: str) -> None:
    assert is_own_host(host, settings)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example"]
)
def test_without_a_list_a_name_pointed_here_is_refused(settings: Settings, host: str) -> None:
    assert not is_own_host(host, settings)


def test_the_live_process_carries_them_too(settings: Settings) -> None:
    client = create_live_app(settings).test_client()

    for path in ("/healthz", "/live", "/no-such"):
        answer = client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-site"
    assert client.get("/live", headers={"Host": "evil.example"}).status_code == 400


def test_no_policy_allows_anything_inline(app: Flask, client: FlaskClient) -> None:
    page = client.get("/")

    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert Route("portal.report_page", "GET", "/") in set(routes(app))
