"""Every view says who may call it."""

import ast
import re

import pytest
from flask import Flask

from app.config import ROOT
from grids.accounts import ROLES


def test_every_view_states_its_permission(web_application: Flask) -> None:
    views = web_application.view_functions

    bare = {name for name, view in views.items() if not hasattr(view, "permission")}

    assert bare == {"static"}


def test_every_permission_of_a_view_is_granted_to_some_role(web_application: Flask) -> None:
    granted = {permission for role in ROLES.values() for permission in role}
    views = web_application.view_functions.values()

    stated = {view.permission for view in views if hasattr(view, "permission")}

    assert stated - granted <= {"public", "signed_in"}


def test_no_view_asks_for_scoped_rows_by_itself() -> None:
    """The rule of semgrep, kept here too: it is broken between two scans, not at one."""
    rule = (ROOT / "tests/security/rules/python.yml").read_text().partition("- id: statement")[0]
    tables = re.compile(search(r"regex: (\S+)", rule))
    spared = [path for path in re.findall(r'"/(app/[^"]+)"', rule) if path != "app/**"]

    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "app").rglob("*.py")
        if not any(path.relative_to(ROOT).match(one.replace("**", "*")) for one in spared)
        for name in selected(path.read_text())
        if tables.match(name)
    }

    assert len(spared) > 3
    assert found == set()


@pytest.mark.parametrize(
    "source", ["select(Account.id, Account.name)", "sa.select(Account).where(True)"]
)
def test_a_statement_of_a_view_is_seen(source: str) -> None:
    assert {name.partition(".")[0] for name in selected(source)} == {"Account"}


#: A literal that is marked: `{{ ' aria-invalid="true"' | safe if errors.text }}`.
LITERAL = re.compile(r"""^\{\{-?\s*(?:'[^']*'|"[^"]*")\s*\|\s*safe\b""")
MARKED = re.compile(r"\{[{%][^{}]*?\|\s*safe\b")


def test_only_literals_are_marked_safe_in_a_template() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {one[0]}"
        for path in (ROOT / "app/templates").rglob("*.*")
        for one in MARKED.finditer(path.read_text())
        if not LITERAL.match(one[0])
    }

    assert found == set()


@pytest.mark.parametrize("text", ["{{ kept | safe }}", "{% set a = '&b=' ~ b|safe %}"])
def test_a_text_that_is_marked_safe_is_seen(text: str) -> None:
    marked = MARKED.search(text)

    assert marked
    assert not LITERAL.match(marked[0])


def selected(source: str) -> set[str]:
    """Return what a source gives `select` first, however it names the function."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {
        ast.unparse(call.args[0])
        for call in calls
        if call.args and ast.unparse(call.func).rpartition(".")[2] == "select"
    }


def search(pattern: str, text: str) -> str:
    """Return what the group of a pattern holds."""
    found = re.search(pattern, text)
    assert found
    return found[1]
