"""Every route of the application with arguments that work, for tests that walk them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

NOBODY = "00000000-0000-4000-8000-000000000000"
SHA256 = "0" * 64
#: Arguments by name; a route may need its own, see `SPECIAL`.
SAMPLES: dict[str, Any] = {
    "filename": "manifest.json",
    "layer_id": "grid",
    "z": 12,
    "x": 3413,
    "y": 1697,
    "code": "en",
    "state": "on",
    "sha256": SHA256,
    "photo_id": 1,
    "size": "thumb",
    "action": "verify",
    "path": "x",
    "format": "csv",
}
BY_CONVERTER: dict[str, Any] = {
    "IntegerConverter": 1,
    "FloatConverter": 1.0,
    "UUIDConverter": NOBODY,
    "UnicodeConverter": "x",
    "PathConverter": "x",
}


@dataclass(frozen=True)
class Route:
    """One rule with one of its methods and an address that it takes."""

    endpoint: str
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.endpoint})"


def sample_path(app: Flask, rule: Rule) -> str:
    """Build an address of a rule from the samples."""
    values = {}
    for name in rule.arguments:
        if name not in rule._converters:
            values[name] = (rule.defaults or {})[name]
            continue
        converter = rule._converters[name]
        kind = type(converter).__name__
        value = SAMPLES.get(name, BY_CONVERTER.get(kind, "x"))
        items = getattr(converter, "items", None)
        if kind == "AnyConverter" and items and str(value) not in items:
            value = min(items)
        if kind == "UUIDConverter":
            value = NOBODY
        if kind == "IntegerConverter" and not isinstance(value, int):
            value = 1
        values[name] = value
    with app.test_request_context("/"):
        adapter = app.create_url_adapter(None) or app.url_map.bind("localhost")
        return adapter.build(rule.endpoint, values, method=_method(rule))


def _method(rule: Rule) -> str:
    return min(rule.methods or {"GET"})


def routes(app: Flask, *, unsafe: bool | None = None) -> Iterator[Route]:
    """Yield every route; only those that change something, or only the others, where asked."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: (one.rule, one.endpoint)):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            is_unsafe = method != "GET"
            if unsafe is None or unsafe == is_unsafe:
                yield Route(rule.endpoint, method, sample_path(app, rule))
