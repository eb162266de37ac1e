"""No page, bundle or map asks anything from outside: the intranet has no internet."""

import re
from pathlib import Path

import pytest

from app.config import ROOT

ADDRESS = re.compile(
    r"(?:https?:|wss?:)?//([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}|\d+(?:\.\d+){3})", re.IGNORECASE
)
#: Mentioned, never loaded.
NAMED_ONLY = {
    "www.w3.org": "names of XML namespaces",
    "www.openstreetmap.org": "the licence asks for a link to its makers",
    "openstreetmap.org": "as above",
    "leafletjs.com": "Leaflet's credit, a link",
    "protomaps.com": "credit of the tile reader, a link",
    "example.com": "base of relative addresses inside the tile reader; nobody owns it",
    "github.com": "in messages of libraries for their developers",
}

TEMPLATES = sorted((ROOT / "app/templates").rglob("*.html"))
SOURCES = sorted(
    path for kind in ("*.js", "*.css", "*.json") for path in (ROOT / "static/src").rglob(kind)
)
BUNDLES = sorted(
    path
    for path in (ROOT / "static/dist").glob("*.*")
    if path.suffix in {".js", ".css", ".svg", ".webmanifest"}
)


def outside(text: str, allowed: set[str]) -> set[str]:
    """Return the hosts that a text names as the target of an address."""
    return {host.lower() for host in ADDRESS.findall(text)} - allowed


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=shown)
def test_a_template_loads_nothing_from_outside(path: Path) -> None:
    text = path.read_text()

    assert outside(text, {"www.w3.org", "www.openstreetmap.org"}) == set()
    assert not re.search(r"<script(?![^>]*\b(src|type=\"application/json\"))", text)
    assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=", text)


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_a_source_names_no_outside_host(path: Path) -> None:
    assert outside(path.read_text(), {"www.w3.org", "www.openstreetmap.org"}) == set()


def test_bundles_load_nothing_from_outside() -> None:
    assert BUNDLES, "no bundles: run ./wangge assets"

    for path in BUNDLES:
        text = path.read_text(errors="replace")
        assert outside(text, set(NAMED_ONLY)) == set(), path.name
        assert not re.search(r"(?:src|url\(|import\(|fetch\()\s*[=(]?\s*[\"']https?://", text)


def test_no_page_has_the_name_of_a_registry() -> None:
    for lock in ("static/package-lock.json", "tests/oidc/package-lock.json"):
        assert '"resolved"' not in (ROOT / lock).read_text(), lock
    assert outside((ROOT / "requirements.lock").read_text(), set()) == set()
