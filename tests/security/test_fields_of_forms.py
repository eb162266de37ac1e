"""S14: a field that a form does not have is refused by its name and noted; nothing is saved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from app.auth import PUBLIC, SIGNED_IN
from app.config import ROOT
from app.form_fields import FORMS, takes
from app.openapi import read_of
from grids.accounts import ROLES
from grids.incidents.lifecycle import MOVES
from tests.security.matrix.declared import Route, routes

#: They read the bytes of a picture, or nothing.
NO_FIELDS = re.compile(r"put_blob|put_photo|put_claim|delete_")
#: Pages whose forms are not in the table yet: their views read by name, nothing is refused.
#: Whoever adds an address elsewhere adds its fields to FORMS in app/form_fields.py.
UNLISTED = re.compile(
    r"admin\.(calendar|codes|codes_upload|receivers)\.|channels_api\.|channel_pages\.|letters\.|"
    r"intake|outside|origins|samples?\.|flow_api|links?\.|disputes\.agreement"
)
FORM = re.compile(r"<form\b([^>]*(?:\{\{[^}]*\}\}[^>]*)*)>(.*?)</form>", re.DOTALL)
NAME = re.compile(r"""\bname="([^"{]+)\"""")
#: A field that stands within one form and belongs to another.
ELSEWHERE = re.compile(r"""<\w+\b[^>]*\bform="[^>]*>""")


def unsafe(app: Flask) -> Iterator[Route]:
    return (route for route in routes(app) if route.method != "GET")


def test_every_address_that_takes_something_says_which_fields(web_application: Flask) -> None:
    open_ones = []
    for route in unsafe(web_application):
        bodies = read_of(web_application.view_functions[route.endpoint]).bodies
        is_strict = bodies and all(one.__struct_config__.forbid_unknown_fields for one in bodies)  # type: ignore[attr-defined]
        is_known = route.endpoint in FORMS or is_strict or NO_FIELDS.search(route.endpoint)
        if not (is_known or UNLISTED.match(route.endpoint)):
            open_ones.append(route.endpoint)

    assert sorted(set(open_ones)) == []  # add them to FORMS in app/form_fields.py


def test_the_table_names_what_the_views_read(web_application: Flask) -> None:
    missing = [
        (route.endpoint, name)
        for route in unsafe(web_application)
        if route.endpoint in FORMS
        for name in read_of(web_application.view_functions[route.endpoint]).form
        if not takes(route.endpoint, name)
    ]

    assert missing == []


def test_the_table_names_what_the_pages_send(web_application: Flask) -> None:
    """Forms whose address stands in the page; those of steps are sent in the tests of flows."""
    adapter = web_application.url_map.bind("localhost")
    checked, missing = 0, []
    for path in sorted((ROOT / "app/templates").rglob("*.html")):
        for head, body in FORM.findall(path.read_text(encoding="utf-8")):
            action = re.search(r'action="([^"]+)"', head)
            if 'method="post"' not in head or action is None or "url" in action[1]:
                continue
            address = re.sub(r"\{\{[^}]*\}\}", "1", action[1])
            endpoint = _endpoint(adapter, address)
            if endpoint not in FORMS:
                continue
            checked += 1
            missing += [
                (endpoint, name)
                for name in NAME.findall(ELSEWHERE.sub("", body))
                if not takes(endpoint, name)
            ]

    assert missing == []
    assert checked > 35


@pytest.mark.parametrize("endpoint", ["desk.post_move", "worker.post_move"])
def test_every_field_that_a_step_asks_for_is_taken(web_application: Flask, endpoint: str) -> None:
    asked = [wanted for move in MOVES if move.sources != ("draft",)
             for wanted in (*move.requires, *move.optional)]  # fmt: skip
    named = {name for wanted in asked for name in wanted.split("|")}
    sent = {"lon", "lat"} | (named - {"point"})

    assert {name for name in sent if not takes(endpoint, name)} == set()
    assert "assisting" in sent


def _endpoint(adapter: MapAdapter, address: str) -> str | None:
    for one in (address, address.replace("/1/", f"/{'0' * 8}-{'0' * 4}-4000-8000-{'0' * 12}/")):
        try:
            return str(adapter.match(one, method="POST")[0])
        except HTTPException:  # the other kind of number is tried
            continue
    return None


@pytest.mark.parametrize("role", ["system_admin", "security_admin", "audit_admin", "commander",
                                  "planner", "registrar", "worker", "handler"])  # fmt: skip
def test_a_field_too_many_is_refused_and_noted(
    map_app: Flask, sign_in: Callable[..., FlaskClient], connection: Connection, role: str
) -> None:
    caller = sign_in(role, "339901001001001" if role == "worker" else "339901")
    wrong, sent = {}, 0
    for route in unsafe(map_app):
        is_own = route.permission in ROLES[role] or route.permission == SIGNED_IN
        if route.endpoint not in FORMS or not is_own or route.needs_proof:
            continue
        answer = caller.post(
            route.path,
            data={"csrf_token": getattr(caller, "csrf_token", ""), "account_id": "1"},
            headers={"Accept": "application/json"},
        )
        sent += 1
        found = (answer.status_code, answer.json.get("code"), answer.json["errors"][0]["field"])
        if found != (422, "body.unknown_field", "account_id"):
            wrong[route.endpoint] = found
    noted = connection.scalar(
        text("SELECT count(*) FROM audit_event WHERE action = 'field_refused'"
             " AND detail -> 'fields' = '[\"account_id\"]'")
    )  # fmt: skip

    assert wrong == {}
    assert sent > 5
    assert noted == sent


def test_a_stranger_is_refused_too_and_a_body_names_its_field(
    map_app: Flask, sign_in: Callable[..., FlaskClient]
) -> None:
    stranger = map_app.test_client().post(
        "/", json={"id": "x", "status": "closed"}, headers={"Accept": "application/json"}
    )
    colleague = sign_in("registrar").post("/api/people/find", json={"number": "1", "area": "33"})

    assert (stranger.status_code, stranger.json["errors"][0]["field"]) == (422, "status")
    assert colleague.status_code == 422
    assert colleague.json["errors"][0]["field"] == "area"


def test_what_a_stranger_calls_a_field_reaches_no_log(
    map_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    map_app.test_client().post("/", data={"330102199001011237": "x", "a\nb": "y"})

    assert "330102199001011237" not in caplog.text


def test_all_public_forms_stand_in_the_table(web_application: Flask) -> None:
    public = {r.endpoint for r in unsafe(web_application) if r.permission == PUBLIC}

    known = {name for name in public if name in FORMS or UNLISTED.match(name)}
    assert public - known <= {"portal.put_photo"}
