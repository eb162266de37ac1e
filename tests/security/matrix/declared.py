"""What each role may call: generated from the routes, the permissions they state and `ROLES`.

The whole rule stands in `expected`. A new route is covered without an edit; one whose address
has an argument of a name that nobody has seen yet fails with the word what to add where.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from app.auth import PUBLIC, SIGNED_IN
from grids.accounts import ROLES

STRANGER = "stranger"
CALLERS = (STRANGER, *ROLES)

NOBODYS_CASE = "00000000-0000-4000-8000-000000000000"
#: THE place for sample arguments: by name, or by endpoint and name where one needs its own.
SAMPLES: dict[str, Any] = {
    "layer_id": "component",
    "z": 12,
    "x": 3413,
    "y": 1697,
    "code": "339901001001001",
    "sha256": "0" * 64,
    "ending": "csv",
    "day": "2020-01-01",
    "incident_id": NOBODYS_CASE,
    "system": "none",
    "sender_id": "none",
    "name": "premises",
    "report_id": NOBODYS_CASE,
    "tiles.tile:layer_id": "base",  # layers have permissions of their own: see test_layers
    "command.layer_items:layer_id": "area",
    "register": "component",
    "libraries.library:name": "space",
    "rule": "enterprise.uscc.missing",
    "secret": "A" * 32,
    "portal.track:code": "A" * 26,
    "portal.photo:code": "A" * 26,
    "portal.get_report:code": "A" * 26,
}
#: Numbers and UUIDs that belong to nothing: who may call gets "not found", never "not allowed".
BY_CONVERTER: dict[str, Any] = {"int": 2**40, "uuid": NOBODYS_CASE}
#: Views that judge further than their permission says, each with its reason.
STRICTER: dict[str, str] = {
    "admin.home": "leads each administrator to their own face; nobody else has one",
}


@dataclass(frozen=True)
class Route:
    """One method of one rule, with what it states and an address that it takes."""

    endpoint: str
    method: str
    rule: str
    path: str
    permission: str
    needs_proof: bool

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def routes(app: Flask) -> Iterator[Route]:
    """Yield every route of the application but the built files."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: (one.rule, one.endpoint)):
        if rule.endpoint == "static":
            continue
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(
                rule.endpoint,
                method,
                rule.rule,
                sample_path(rule),
                getattr(view, "permission", ""),
                bool(getattr(view, "step_up", False)),
            )


def sample_path(rule: Rule) -> str:
    """Fill the arguments of a rule; a name nobody knows is a failure with instructions."""

    def sample(found: re.Match[str]) -> str:
        kind, choices, name = found.groups()
        if choices is not None:
            return min(word.strip() for word in choices.split(","))
        for key in (f"{rule.endpoint}:{name}", name):
            if key in SAMPLES:
                return str(SAMPLES[key])
        if kind in BY_CONVERTER:
            return str(BY_CONVERTER[kind])
        raise AssertionError(
            f"{rule.rule} has the argument {name!r}: add a sample for {name!r}, or for"
            f" {rule.endpoint + ':' + name!r}, to SAMPLES in tests/security/matrix/declared.py"
        )

    return re.sub(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>", sample, rule.rule)


def expected(route: Route, caller: str, *, has_proof: bool) -> str:
    """Say what a caller gets: `allowed`, `sign_in`, `forbidden` or `proof`."""
    if route.permission == PUBLIC:
        return "allowed"
    if caller == STRANGER:
        return "sign_in"
    if route.permission != SIGNED_IN and route.permission not in ROLES[caller]:
        return "forbidden"
    if route.needs_proof and not has_proof:
        return "proof"
    return "allowed"


INTRODUCTION = (
    "Written by `python -m tests.security.matrix.write` from the routes and the roles; the tests"
    " in `tests/security/matrix/` hold the application to it. `proof` means a fresh proof of"
    " identity, at most ten minutes old."
)


def table(app: Flask) -> str:
    """Write the matrix for a reviewer: one line a route, who may call it, and with what."""
    lines = [
        "# Who may call what",
        "",
        INTRODUCTION,
        "",
        "| address | method | permission | proof | roles |",
        "|---|---|---|---|---|",
    ]
    lines += [row(route) for route in routes(app)]
    return "\n".join(lines) + "\n"


def row(route: Route) -> str:
    """Write one line of the table."""
    address = route.rule.replace("|", "\\|")
    proof = "yes" if route.needs_proof else ""
    return f"| `{address}` | {route.method} | {route.permission} | {proof} | {_holders(route)} |"


def _holders(route: Route) -> str:
    if route.permission == PUBLIC:
        return "everybody"
    if route.permission == SIGNED_IN:
        return "everybody who is signed in"
    return ", ".join(role for role, held in ROLES.items() if route.permission in held) or "NOBODY"
