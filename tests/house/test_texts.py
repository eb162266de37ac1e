"""Chinese and English say the same: the same keys, the same places for values."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from app.config import ROOT

AREAS = sorted(path for path in (ROOT / "app/translations").iterdir() if path.is_dir())
BROWSER = sorted((ROOT / "static/src/messages").glob("*.zh.js"))
PLACE = re.compile(r"%\((\w+)\)[sd]")
USED = re.compile(r"""(?<![\w.])(?:_|gettext)\(\s*["']([a-z_]+(?:\.[\w-]+)+)["']\s*[,)]""")


def catalogue(area: Path, language: str) -> dict[str, str]:
    with (area / language / "LC_MESSAGES/messages.po").open("rb") as stream:
        found = read_po(stream)
    return {str(message.id): str(message.string) for message in found if message.id}


@pytest.mark.parametrize("area", AREAS, ids=lambda path: path.name)
def test_server_texts_exist_in_both_languages(area: Path) -> None:
    chinese, english = catalogue(area, "zh"), catalogue(area, "en")

    assert chinese.keys() == english.keys()
    assert [key for key in chinese if not chinese[key] or not english[key]] == []


@pytest.mark.parametrize("area", AREAS, ids=lambda path: path.name)
def test_server_texts_take_the_same_values(area: Path) -> None:
    chinese, english = catalogue(area, "zh"), catalogue(area, "en")

    differ = {
        key
        for key in chinese.keys() & english.keys()
        if set(PLACE.findall(chinese[key])) != set(PLACE.findall(english[key]))
    }

    assert differ == set()


def test_no_key_is_in_two_catalogues() -> None:
    seen: dict[str, str] = {}
    twice = []
    for area in AREAS:
        for key in catalogue(area, "zh"):
            if seen.setdefault(key, area.name) != area.name:
                twice.append(key)  # noqa: PERF401 - the first area is remembered on the way

    assert twice == []


def test_every_text_that_templates_and_views_ask_for_exists() -> None:
    known = {key for area in AREAS for key in catalogue(area, "zh")}
    files = [*(ROOT / "app/templates").rglob("*.html"), *(ROOT / "app").rglob("*.py")]

    missing = {
        f"{path.relative_to(ROOT)}: {key}"
        for path in files
        for key in USED.findall(path.read_text())
        if key not in known
    }

    assert missing == set()


@pytest.mark.parametrize("chinese", BROWSER, ids=lambda path: path.name)
def test_browser_texts_exist_in_both_languages(chinese: Path) -> None:
    english = chinese.with_name(chinese.name.replace(".zh.js", ".en.js"))

    found = messages(chinese), messages(english)

    assert found[0].keys() == found[1].keys()
    assert {k for k in found[0] if places(found[0][k]) != places(found[1][k])} == set()


def test_every_text_that_scripts_ask_for_exists() -> None:
    known = {key for path in BROWSER for key in messages(path)}
    asked = re.compile(r"""(?<![\w.])t\(\s*['"]([a-z_]+(?:\.[\w-]+)+)['"]\s*[,)]""")

    missing = {
        f"{path.relative_to(ROOT)}: {key}"
        for path in (ROOT / "static/src").rglob("*.js")
        for key in asked.findall(path.read_text())
        if key not in known
    }

    assert missing == set()


def messages(path: Path) -> dict[str, object]:
    """Let Node read a module of messages."""
    script = f"import m from {json.dumps(path.as_uri())}; console.log(JSON.stringify(m))"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def places(message: object) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", json.dumps(message, ensure_ascii=False)))
