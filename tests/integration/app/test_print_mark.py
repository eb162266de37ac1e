"""Printed pages of staff say who printed them and when, on every sheet."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app.config import ROOT

MARK = re.compile(r'<svg class="print-mark".*?<text[^>]*>([^<]+)</text>', re.DOTALL)


@pytest.mark.parametrize(
    ("role", "path"),
    [("security_admin", "/admin/console"), ("audit_admin", "/admin/audit"),
     ("registrar", "/people"), ("planner", "/planner/exports"), ("system_admin", "/account")],
)  # fmt: skip
def test_a_page_of_staff_names_who_and_when(map_app, sign_in, role, path):
    client = sign_in(role)

    found = MARK.search(client.get(path).text)

    assert found is not None
    name, _, at = found[1].partition(" · ")
    assert name.endswith(f"#{client.account_id}")
    assert name.startswith("test-")
    shown = datetime.strptime(at, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    assert abs(shown - datetime.now(UTC)) < timedelta(days=1)  # the city's own clock


def test_a_stranger_is_named_nowhere(client):
    assert MARK.search(client.get("/sign-in").text) is None


def test_the_mark_shows_on_paper_only_and_on_every_sheet():
    styles = ROOT / "static/src/styles"
    base = (styles / "parts/base.css").read_text()
    screen, _, paper = base.partition("@media print {\n  .print-mark")

    assert ".print-mark { display: none; }" in screen
    assert "position: fixed" in paper.partition("}")[0]
    for entry in styles.glob("*.css"):
        text = entry.read_text()
        if entry.name != "tokens.css" and '@import "./' in text:
            assert re.search(r"parts/base\.css|\./(desk|admin)\.css", text), entry.name
