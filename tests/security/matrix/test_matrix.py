"""S12: every route x method x caller answers exactly as its permission declares."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text

from app.auth import PUBLIC, SIGNED_IN, cookie_name
from app.config import ROOT
from grids import layers
from grids.accounts import ROLES
from grids.accounts.roles import DEPARTMENT_ROLES
from tests.security.matrix.declared import (
    CALLERS,
    STRANGER,
    STRICTER,
    Route,
    expected,
    routes,
    row,
)
from tests.support.cases import COUNTY, DEPARTMENT
from tests.support.depth import share

#: The error codes that tell the four answers apart.
SIGN_IN, PROOF = "sign_in.needed", "sign_in.step_up"
#: Views whose own answer to a wrong password or code is 401.
OWN_401 = frozenset({"auth.sign_in", "auth.second_step", "confirm.post_confirm"})
#: Codes and views that answer 403 to who may call, but gave no purpose (S29).
OWN_403 = frozenset({"people.purpose_needed", "people.find_page", "people.reveal_page"})


@pytest.fixture
def caller_of(map_app: Flask, sign_in: Any) -> Callable[[str], FlaskClient]:
    """Return the client of a role, or of a stranger."""

    def make(name: str) -> FlaskClient:
        if name == STRANGER:
            return map_app.test_client()
        department = DEPARTMENT if name in DEPARTMENT_ROLES else None
        client: FlaskClient = sign_in(name, COUNTY, department)
        return client

    return make


def test_every_route_declares_who_may_call_it(web_application: Flask) -> None:
    known = {PUBLIC, SIGNED_IN}.union(*ROLES.values())

    undeclared = [str(route) for route in routes(web_application) if route.permission not in known]

    assert undeclared == []


def test_every_route_that_needs_a_proof_needs_a_permission(web_application: Flask) -> None:
    bare = [str(r) for r in routes(web_application) if r.needs_proof and r.permission == PUBLIC]

    assert bare == []


@pytest.mark.parametrize("name", CALLERS)
def test_a_caller_gets_exactly_what_the_matrix_declares(
    map_app: Flask, caller_of: Callable[[str], FlaskClient], connection: Connection, name: str
) -> None:
    wrong = []
    cases = 0
    started = time.perf_counter()
    signed_in = caller_of(name)
    # With every change each route is asked by every second caller.
    for route in share(routes(map_app), 2, first=CALLERS.index(name)):
        if route.endpoint in STRICTER:
            continue
        caller = twin_of(signed_in, map_app)
        for has_proof in (True, False):
            if not has_proof and (not route.needs_proof or name == STRANGER):
                continue
            # Each call by itself: some end sessions, some lock accounts.
            apart = connection.begin_nested()
            if not has_proof:
                _forget_proof(connection)
            found = said(caller, route)
            apart.rollback()
            cases += 1
            wanted = expected(route, name, has_proof=has_proof)
            if found != wanted:
                wrong.append(f"{route}: {found}, declared {wanted} (proof: {has_proof})")
    took_s = time.perf_counter() - started
    print(f"\n{name}: {cases} answers checked in {took_s:.1f} s")  # noqa: T201 - the figure

    assert not wrong, "\n".join(wrong)
    assert cases >= 100


def twin_of(caller: FlaskClient, app: Flask) -> FlaskClient:
    """Return the same caller with a fresh cookie jar: signing out empties it."""
    twin = app.test_client()
    name = cookie_name(app.extensions["settings"])
    cookie = caller.get_cookie(name)
    if cookie is not None:
        twin.set_cookie(name, cookie.value)
    twin.csrf_token = getattr(caller, "csrf_token", "")  # type: ignore[attr-defined]
    return twin


def said(caller: FlaskClient, route: Route) -> str:
    """Call a route as a program and name the answer: what the view itself refuses is allowed."""
    answer = caller.open(
        route.path,
        method=route.method,
        headers={"Accept": "application/json"},
        json=None if route.method == "GET" else {},
    )
    body = answer.get_json(silent=True) if answer.is_json or "json" in answer.mimetype else None
    code = body.get("code", "") if isinstance(body, dict) else ""
    if answer.status_code >= 500 and answer.status_code != 503:
        return f"fails ({answer.status_code})"
    if answer.status_code == 401:
        known = {SIGN_IN: "sign_in", PROOF: "proof"}
        return known.get(code, "allowed" if route.endpoint in OWN_401 else f"401 {code}")
    if answer.status_code == 403 and code not in OWN_403:
        is_own = not code and route.endpoint in OWN_403
        return "allowed" if is_own else "forbidden" if code == "not_allowed" else f"403 {code}"
    if answer.status_code in (301, 302, 303) and "/sign-in" in answer.location:
        return "allowed" if route.permission == PUBLIC else "sign_in"
    return "allowed"


def _forget_proof(connection: Connection) -> None:
    connection.execute(
        text("UPDATE sign_in_session SET confirmed_at = confirmed_at - interval '1 h'")
    )


def test_a_page_asks_a_stranger_to_sign_in_and_comes_back(map_app: Flask) -> None:
    stranger = map_app.test_client()
    pages = [r for r in routes(map_app) if r.method == "GET" and r.permission != PUBLIC
             and "/api/" not in r.rule and not r.rule.startswith("/blobs/")]  # fmt: skip

    odd = {
        str(route): answer.location or answer.status_code
        for route in pages
        if not (answer := stranger.get(route.path, headers={"Accept": "text/html"})).location
        or not answer.location.startswith(f"/sign-in?next={route.path.partition('?')[0][:4]}")
    }

    assert odd == {}
    assert len(pages) > 20


def test_methods_that_nobody_declared_are_refused(map_app: Flask) -> None:
    caller = map_app.test_client()
    declared: dict[str, set[str]] = {}
    for route in routes(map_app):
        declared.setdefault(route.path, set()).add(route.method)
    taken = []
    for path, methods in declared.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - methods:
            answer = caller.open(path, method=method, headers={"Accept": "application/json"})
            if answer.status_code not in (403, 404, 405):
                taken.append(f"{method} {path}: {answer.status_code}")

    assert taken == []


@pytest.mark.parametrize("name", CALLERS)
def test_layers_are_shown_to_those_whose_roles_show_them(
    map_app: Flask, caller_of: Callable[[str], FlaskClient], name: str
) -> None:
    caller = caller_of(name)
    held = ROLES.get(name, frozenset())
    wrong = []
    for layer in layers.LAYERS:
        wanted = 200 if layer.permission is None or layer.permission in held else (
            401 if name == STRANGER else 403
        )  # fmt: skip
        paths = [f"/tiles/{layer.id}/12/3413/1697.mvt"]
        if layer.source is not None:
            paths.append(f"/api/layers/{layer.id}/items?limit=1")
        for path in paths:
            found = caller.get(path).status_code
            if found != wanted:
                wrong.append(f"{path}: {found}, declared {wanted}")

    assert wrong == []


def test_the_written_matrix_says_what_the_routes_declare(web_application: Flask) -> None:
    """`python -m tests.security.matrix.write` renews it; a reviewer sees what changes hands."""
    written = (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8").splitlines()
    declared = {f"{r.rule} {r.method}": row(r) for r in routes(web_application)}
    kept = {
        f"{cells[1].strip('` ')} {cells[2].strip()}": line
        for line in written
        if line.startswith("| `") and (cells := line.replace("\\|", "¦").split("|"))
    }

    wrong = {name: line for name, line in kept.items() if declared.get(name) != line}

    assert wrong == {}
    assert len(kept) >= 100
