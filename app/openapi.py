"""The API description, built from the routes: OpenAPI 3.1 at `/api/openapi.json`.

Nothing is written twice. Addresses come from the map of routes, words from the docstrings,
bodies from the msgspec structures that a view names, parameters from what its source reads
of the request, and who may call from its permission.
"""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec
from flask import Blueprint, Flask, current_app
from flask.typing import ResponseReturnValue
from werkzeug.routing import Rule

from app.auth import PUBLIC, SIGNED_IN, cookie_name, requires
from app.form_fields import FORMS, fields_of
from app.render import ENCODER, json_answer
from app.security import SAFE_METHODS

bp = Blueprint("openapi", __name__)

Schema = dict[str, Any]
View = Callable[..., Any]

#: Helpers of the views that read one parameter by its name -> what they take.
READERS: Final[dict[str, Schema]] = {
    "whole": {"type": "integer", "minimum": 1},
    "_whole": {"type": "integer"},
    "degrees": {"type": "number", "minimum": -180, "maximum": 180},
    "_degrees": {"type": "number", "minimum": -180, "maximum": 180},
    "day": {"type": "string", "format": "date"},
    "_instant": {"type": "string"},
    "_words": {"type": "string"},
}
CONVERTERS: Final[dict[str, Schema]] = {
    "int": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    "uuid": {"type": "string", "format": "uuid"},
    "string": {"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
    "path": {"type": "string", "minLength": 1},
}
#: Beginnings of addresses whose answers are no JSON -> their media types, the first fits.
MEDIA: Final = (
    (re.compile(r"^/tiles/"), "application/vnd.mapbox-vector-tile"),
    (re.compile(r"^/api/layers/[^/]+/items$"), "application/geo+json"),
    (re.compile(r"^/(blobs|track/[^/]+/photos)/"), "image/jpeg"),
    (re.compile(r"^/api/export/[^/]+$"), "*/*"),
    (re.compile(r"^/worker/manifest"), "application/manifest+json"),
    (re.compile(r"(^/api/|/api/)|^/(healthz|readyz)$"), "application/json"),
)
PAGE: Final = "text/html"
PROBLEM: Final = "Problem"


@bp.get("/api/openapi.json")
@requires(SIGNED_IN)
def document() -> ResponseReturnValue:
    """Describe every address of this application as OpenAPI 3.1."""
    return json_answer(description(current_app))


def description(app: Flask) -> Schema:
    """Describe an application; the same for every caller, permissions included."""
    kept: Schema | None = app.extensions.get("openapi")
    if kept is None:
        kept = app.extensions["openapi"] = _described(app)
    return kept


def _described(app: Flask) -> Schema:
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))
    views = [(rule, app.view_functions[rule.endpoint]) for rule in rules
             if rule.endpoint != "static"]  # fmt: skip
    bodies = {body for _, view in views for body in read_of(view).bodies}
    _, components = msgspec.json.schema_components(
        sorted(bodies, key=lambda body: body.__name__),
        ref_template="#/components/schemas/{name}",
    )
    paths: Schema = {}
    for rule, view in views:
        operations = paths.setdefault(path_of(rule), {})
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            operations[method.lower()] = _operation(rule, view, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wangge",
            "version": _version(),
            "description": inspect.cleandoc(sys.modules["app"].__doc__ or ""),
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {**_plain(components), PROBLEM: _PROBLEM},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie",
                            "name": cookie_name(app.extensions["settings"])},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }  # fmt: skip


def path_of(rule: Rule) -> str:
    """Write the address of a rule as OpenAPI does: `/api/grids/{code}`."""
    return re.sub(r"<(?:[^<>:]+:)?([^<>]+)>", r"{\1}", rule.rule)


def _operation(rule: Rule, view: View, method: str) -> Schema:
    """Describe one method of one address."""
    words = inspect.getdoc(view) or ""
    permission = getattr(view, "permission", PUBLIC)
    found = read_of(view)
    said = rule.defaults or {}  # tells several addresses of one view apart
    operation: Schema = {
        "operationId": ".".join((rule.endpoint, *map(str, said.values()), method.lower())),
        "summary": words.partition("\n")[0],
        "description": words,
        "tags": [rule.endpoint.rpartition(".")[0]],
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": _converted(rule, name)}
              for name in sorted(rule.arguments - said.keys())),
            *({"name": name, "in": "query", "required": False, "schema": schema}
              for name, schema in sorted(found.query.items())),
        ],
        "responses": _responses(rule, permission),
        "security": [{}] if permission == PUBLIC else [{"session": []}, {"token": []}],
        "x-permission": permission,
        "x-step-up": bool(getattr(view, "step_up", False)),
    }  # fmt: skip
    if method not in SAFE_METHODS:
        if permission != PUBLIC:
            operation["parameters"].append(_CSRF)
        body = _body(rule, method, found)
        if body:
            operation["requestBody"] = body
    return operation


_CSRF: Final[Schema] = {
    "name": "X-CSRF-Token",
    "in": "header",
    "required": False,
    "description": "needed with the session's cookie; forms send the field csrf_token",
    "schema": {"type": "string"},
}
_PROBLEM: Final[Schema] = {
    "description": "What went wrong (RFC 9457); clients branch on `code`.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def _body(rule: Rule, method: str, found: Read) -> Schema | None:
    """Describe what an unsafe method takes: structures, the bytes of a photo, or a form."""
    if found.bodies:
        refs = [{"$ref": f"#/components/schemas/{body.__name__}"} for body in found.bodies]
        one: Schema = refs[0] if len(refs) == 1 else {"anyOf": refs}
        return {"required": True, "content": {"application/json": {"schema": one}}}
    if method == "DELETE":
        return None
    if rule.rule.rpartition("/")[0].endswith("/blobs"):
        content = {name: {"schema": {"type": "string", "contentMediaType": name}}
                   for name in ("image/jpeg", "image/png", "image/webp")}  # fmt: skip
        return {"required": True, "content": content}
    endpoint = rule.endpoint
    names, beginnings = fields_of(endpoint) if endpoint in FORMS else (frozenset(found.form), ())
    text: Schema = {"type": "string"}
    schema: Schema = {
        "type": "object",
        "properties": dict.fromkeys(sorted({*names, "csrf_token"}), text),
        "patternProperties": {f"^{re.escape(one)}": text for one in beginnings},
        "additionalProperties": endpoint not in FORMS and text,
    }
    kinds = ["application/x-www-form-urlencoded"]
    if found.takes_files:
        kinds.append("multipart/form-data")
    return {"required": False, "content": {kind: {"schema": schema} for kind in kinds}}


def _responses(rule: Rule, permission: str) -> Schema:
    media = next((kind for match, kind in MEDIA if match.search(rule.rule)), PAGE)
    refused: Schema = {"schema": {"$ref": f"#/components/schemas/{PROBLEM}"}}
    problem = {"application/problem+json": refused, PAGE: {"schema": {"type": "string"}}}
    answers: Schema = {
        "2XX": {"description": "done", "content": {media: {}}},
        "3XX": {"description": "it is elsewhere, or unchanged"},
        "default": {"description": "it could not be done", "content": problem},
    }
    if permission != PUBLIC:
        answers["401"] = {"description": "nobody is signed in, or a fresh proof is needed",
                          "content": problem}  # fmt: skip
        answers["403"] = {"description": f"needs {permission}", "content": problem}
    return answers


def _converted(rule: Rule, name: str) -> Schema:
    """Describe an argument of an address by its converter, as the rule writes it."""
    found = re.search(rf"<(?:(\w+)(?:\(([^)]*)\))?:)?{name}>", rule.rule)
    kind, choices = (found[1], found[2]) if found else (None, None)
    if choices is not None:
        return {"type": "string", "enum": [word.strip() for word in choices.split(",")]}
    return CONVERTERS[kind or "string"]


@dataclass(frozen=True)
class Read:
    """What a view reads of its request, by its source."""

    bodies: tuple[type, ...]
    query: dict[str, Schema]
    form: tuple[str, ...]
    takes_files: bool


@cache
def read_of(view: View) -> Read:
    """Find what a view and the functions of its module that it calls read of the request."""
    inner = inspect.unwrap(view)
    bodies: dict[str, type] = {}
    query: dict[str, Schema] = {}
    form: set[str] = set()
    takes_files = False
    for function in _with_helpers(inner):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        except (OSError, SyntaxError):
            continue  # the file was replaced under a running server: it is told with less
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                named = function.__globals__.get(node.id)
                if inspect.isclass(named) and issubclass(named, msgspec.Struct):
                    bodies[named.__name__] = named
            if isinstance(node, ast.Attribute) and node.attr == "files":
                takes_files = True
            if isinstance(node, ast.Call):
                _note_call(node, query, form)
    return Read(tuple(bodies.values()), query, tuple(sorted(form)), takes_files)


def _with_helpers(view: View) -> Iterable[Any]:
    """Yield a view and the plain functions of its own module that it calls, and theirs."""
    waiting, seen = [view], set()
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        yield function
        for name in function.__code__.co_names:
            called: Any = function.__globals__.get(name)
            is_near = inspect.isfunction(called) and called.__module__ == view.__module__
            if is_near and not hasattr(called, "permission"):
                waiting.append(called)


def _note_call(node: ast.Call, query: dict[str, Schema], form: set[str]) -> None:
    """Note a parameter that a call reads: `request.args.get("q")`, `whole("limit", 50)`."""
    if not (node.args and isinstance(node.args[0], ast.Constant)):
        return
    name = node.args[0].value
    if not isinstance(name, str) or not name:
        return
    if isinstance(node.func, ast.Name) and node.func.id in READERS:
        query.setdefault(name, READERS[node.func.id])
    elif isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "getlist"):
        holder = ast.unparse(node.func.value)
        if holder in ("request.args", "args"):
            query.setdefault(name, {"type": "string"})
        elif holder in ("request.form", "form"):
            form.add(name)


def _plain(components: Schema) -> Schema:
    """Write what msgspec made as plain JSON: its defaults may be objects."""
    plain: Schema = msgspec.json.decode(ENCODER.encode(components))
    return plain


def _version() -> str:
    try:
        return importlib.metadata.version("wangge")
    except importlib.metadata.PackageNotFoundError:
        return "0"
