"""The API description: valid, complete, and true to the routes it was built from."""

import re
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from app import openapi
from app.auth import PUBLIC

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def described(web_application: Flask) -> dict[str, Any]:
    with web_application.app_context():
        return openapi.description(web_application)


def operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in described["paths"].items()
        for method, operation in item.items()
    ]


def test_the_document_has_the_form_of_openapi_3_1(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.0"
    assert described["info"]["title"]
    assert re.fullmatch(r"\d+(\.\d+)*", described["info"]["version"])
    for path, method, operation in operations(described):
        assert path.startswith("/")
        assert method in METHODS
        assert operation["responses"]
        assert all(re.fullmatch(r"[1-5](\d\d|XX)|default", code) for code in operation["responses"])
        assert all(answer["description"] for answer in operation["responses"].values())
        assert all(p["in"] in ("path", "query", "header") for p in operation["parameters"])
        assert all(p["required"] for p in operation["parameters"] if p["in"] == "path")


def test_every_route_is_described_and_nothing_else(
    web_application: Flask, described: dict[str, Any]
) -> None:
    routed = {
        (openapi.path_of(rule), method.lower())
        for rule in web_application.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {(path, method) for path, method, _ in operations(described)} == routed


def test_every_argument_of_an_address_is_a_parameter(described: dict[str, Any]) -> None:
    for path, _, operation in operations(described):
        named = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert sorted(named) == sorted(re.findall(r"{([^}]+)}", path)), path


def test_names_of_operations_are_unique_and_every_one_is_explained(
    described: dict[str, Any],
) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(described)]

    assert len(ids) == len(set(ids))
    assert [path for path, _, one in operations(described) if not one["summary"]] == []


def test_every_schema_is_a_schema_and_every_reference_leads_somewhere(
    described: dict[str, Any],
) -> None:
    for schema in _schemas(described):
        Draft202012Validator.check_schema(schema)
    for ref in _refs(described):
        place: Any = described
        for step in ref.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_permissions_are_those_of_the_views(
    web_application: Flask, described: dict[str, Any]
) -> None:
    for rule in web_application.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        view = web_application.view_functions[rule.endpoint]
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            operation = described["paths"][openapi.path_of(rule)][method.lower()]
            assert operation["x-permission"] == view.permission  # type: ignore[attr-defined]
            is_open = {} in operation["security"]
            assert is_open == (view.permission == PUBLIC)  # type: ignore[attr-defined]


def test_a_body_is_described_by_the_structure_that_the_view_reads(
    described: dict[str, Any],
) -> None:
    body = described["paths"]["/api/incidents/{incident_id}"]["put"]["requestBody"]
    schema = described["components"]["schemas"]["ReportBody"]

    assert body["content"]["application/json"]["schema"]["$ref"].endswith("/ReportBody")
    assert schema["additionalProperties"] is False
    assert {"category", "lon", "lat"} <= set(schema["required"])


def test_parameters_are_those_that_the_view_reads(described: dict[str, Any]) -> None:
    listed = described["paths"]["/api/incidents"]["get"]["parameters"]

    assert {"status", "area", "after", "limit", "q"} <= {p["name"] for p in listed}


def test_staff_reads_the_description_and_strangers_do_not(client: Any, sign_in: Any) -> None:
    assert client.get("/api/openapi.json").status_code == 401

    answer = sign_in("planner").get("/api/openapi.json")

    assert answer.status_code == 200
    assert answer.json["openapi"] == "3.1.0"


def _schemas(described: dict[str, Any]) -> list[Any]:
    found = list(described["components"]["schemas"].values())
    for _, _, operation in operations(described):
        found += [p["schema"] for p in operation["parameters"]]
        content = operation.get("requestBody", {}).get("content", {})
        found += [media["schema"] for media in content.values() if "schema" in media]
    return found


def _refs(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for part in value.values() for ref in _refs(part)]
    if isinstance(value, list):
        return [ref for part in value for ref in _refs(part)]
    return []
