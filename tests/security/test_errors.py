"""A hundred errors, and nothing in any of them that helps an attacker (S59)."""

import json
import re

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from app import logs
from tests.support.routes import routes

#: What a stack, a statement, a path or a version looks like.
TELLS = re.compile(
    r"Traceback|File \"|line \d+, in |\.py\b|site-packages|psycopg|sqlalchemy|(?-i:SELECT |INSERT |UPDATE )"
    r"|postgres|werkzeug|flask|jinja|gunicorn|Python/|/usr/|/home/|wangge_(app|owner|tiles)|0x[0-9a-f]{8}"
    r"|IntegrityError|ValueError|KeyError|TypeError|AttributeError",
    re.IGNORECASE,
)
SECRET = "11010119900307851X"
BODIES = (
    {"data": b"{", "content_type": "application/json"},
    {"data": b"\xff\xfe\x00", "content_type": "application/json"},
    {"data": b"[" * 5000, "content_type": "application/json"},
    {"data": b"x", "content_type": "multipart/form-data; boundary="},
    {"data": b"--x\r\n", "content_type": "multipart/form-data; boundary=x"},
    {"data": b"a=%ff%fe&b[]=1", "content_type": "application/x-www-form-urlencoded"},
    {"json": {"id": SECRET, "phone": [SECRET], "lon": {"a": SECRET}}},
)  # fmt: skip
ODD_PATHS = (
    "/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2fapp/config", "/%00", "/\u202e", "/console",
    "/.git/config", "/.env", "/debug", "/server-status", "/api/%ff", "/tiles/grid/1/2/3.png",
    "/tiles/grid/-1/0/0.mvt", "/assets/%5c%5cetc", "/sign-in/../../x", "/;/x", "/api/incidents/1",
)  # fmt: skip


def refusals(app: Flask, caller: FlaskClient) -> list[tuple[str, int, str, dict[str, str]]]:
    """Provoke errors on every route; return each with status, body and headers."""
    found = []
    for route in routes(app):
        if "sign_out" in route.endpoint:
            continue
        for number, body in enumerate(BODIES if route.method != "GET" else ({},)):
            answer = caller.open(route.path, method=route.method, **body)
            if answer.status_code >= 400:
                found.append(
                    (f"{route} {number}", answer.status_code, answer.text, dict(answer.headers))
                )
        for wrong in {"PATCH", "PROPFIND", "TRACE"} - {route.method}:
            answer = caller.open(route.path, method=wrong)
            found.append(
                (f"{wrong} {route.path}", answer.status_code, answer.text, dict(answer.headers))
            )
    for path in ODD_PATHS:
        answer = caller.get(path)
        found.append((path, answer.status_code, answer.text, dict(answer.headers)))
    return found


def test_a_hundred_errors_tell_nothing(map_app: Flask, sign_in) -> None:
    # Signed in first: a stranger's wrong sign-ins lock the source.
    callers = [sign_in("commander"), map_app.test_client()]
    found = [one for caller in callers for one in refusals(map_app, caller)]
    telling = [
        (where, status, TELLS.search(re.sub(r"<script[^>]*src=[^>]*>", "", text)))
        for where, status, text, _ in found
        if TELLS.search(text)
    ]

    assert len(found) >= 100
    assert [(where, status, hit and hit[0]) for where, status, hit in telling] == []
    assert {status for _, status, _, _ in found if status >= 500} <= {501}


def test_what_fails_in_the_middle_is_an_id_for_the_caller_and_a_place_for_us(
    app: Flask, sign_in, monkeypatch, capsys
) -> None:
    client = sign_in("commander")

    def fail() -> None:
        number = SECRET
        raise RuntimeError(f"Key (id_number)=({number}) already exists at {app.secret_key}")

    monkeypatch.setitem(app.view_functions, "command.areas", fail)
    logs.configure()
    structlog.reset_defaults()
    logs.configure()
    app.testing = False
    try:
        answer = client.get(f"/api/areas?q={SECRET}")
    finally:
        app.testing = True
    said = capsys.readouterr()
    event = next(
        json.loads(line) for line in (said.out + said.err).splitlines() if "request_failed" in line
    )

    assert answer.status_code == 500
    assert event["id"] == answer.json["id"]
    assert event["kind"] == "RuntimeError"
    assert any("test_errors.py" in place for place in event["went_through"])
    assert SECRET not in said.out + said.err + answer.text
    assert TELLS.search(answer.text) is None


def test_debugging_is_off(app: Flask) -> None:
    assert not app.debug
    assert not app.config["PROPAGATE_EXCEPTIONS"]
    assert not app.jinja_env.globals.get("config", {}).get("DEBUG")


@pytest.mark.parametrize(
    "accept", ["text/html", "application/json", "image/png", "", "*/*;q=0", "x"]
)
def test_an_error_is_told_in_the_form_that_is_wanted(client: FlaskClient, accept: str) -> None:
    answer = client.get("/no-such-page", headers={"Accept": accept})

    assert answer.status_code == 404
    assert answer.mimetype in ("text/html", "application/problem+json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
