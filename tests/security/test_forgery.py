"""Unsafe requests from elsewhere are refused on every route; reading changes nothing (S49)."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text

from grids.accounts import ROLES
from grids.db import Base
from tests.support.routes import routes

ELSEWHERE = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
)
#: Reading may write these: who looked, how often, and that a session is alive.
WRITTEN_BY_READING = {"audit_event", "rate_count", "sign_in_session"}


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_no_unsafe_request_of_another_site_is_taken(app: Flask, sign_in, headers) -> None:
    callers = [app.test_client(), sign_in("commander")]

    taken = {
        (str(route), answer.status_code)
        for route in routes(app, unsafe=True)
        for caller in callers
        if (answer := caller.open(route.path, method=route.method, headers=headers)).status_code
        != 403
    }

    assert taken == set()


def test_no_unsafe_request_is_taken_on_a_cookie_alone(app: Flask, sign_in) -> None:
    caller = sign_in("commander")
    caller.csrf_token = ""
    asked = [route for route in routes(app, unsafe=True) if route.endpoint != "auth.sign_in"]

    taken = {
        (str(route), answer.status_code)
        for route in asked
        for token in ("", "wrong", "\u7f51")
        if (
            answer := caller.open(
                route.path, method=route.method,
                headers={"X-CSRF-Token": token} if token.isascii() else {},
                data={"csrf_token": token},
            )
        ).status_code != 403
    }  # fmt: skip

    assert taken == set()
    assert len(asked) > 10


def test_the_token_of_somebody_else_does_not_serve(sign_in) -> None:
    one, other = sign_in("commander"), sign_in("commander")
    one.csrf_token = other.csrf_token

    assert one.post("/sign-out").status_code == 403


def state_of(connection: Connection) -> dict[str, tuple[int, int]]:
    """Sum up every table: how many rows, and what is in them."""
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name in WRITTEN_BY_READING:
            continue
        rows = connection.execute(
            text(
                f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)"
                f' FROM "{table.name}" t'
            )
        ).one()
        found[table.name] = (rows[0], int(rows[1]))
    return found


@pytest.mark.parametrize("role", [None, *ROLES])
def test_reading_changes_nothing(app: Flask, sign_in, connection: Connection, role) -> None:
    caller: FlaskClient = sign_in(role) if role else app.test_client()
    before = state_of(connection)
    asked = list(routes(app, unsafe=False))

    for route in asked:
        caller.get(route.path)
        caller.head(route.path)

    after = state_of(connection)
    assert {name for name in before if before[name] != after[name]} == set()
    assert len(asked) > 30
