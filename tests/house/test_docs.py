"""What can be set, typed, shown or go wrong stands in docs/."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields

import click
import pytest

import gis
import grids
from app.cli import main
from app.config import ROOT, Settings
from tests.house.test_texts import AREAS, catalogue


def documented(name: str) -> set[str]:
    """Return the words in code marks of a page."""
    return set(re.findall(r"`([^`\n]+)`", (ROOT / "docs" / name).read_text()))


def test_every_setting_is_in_the_docs() -> None:
    missing = {field.name for field in fields(Settings)} - documented("settings.md")

    assert missing == set()


def test_the_docs_name_no_setting_that_does_not_exist() -> None:
    text = (ROOT / "docs/settings.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)

    assert set(rows) == {field.name for field in fields(Settings)}


def commands(group: click.Group, prefix: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


def test_every_command_is_in_the_docs() -> None:
    text = (ROOT / "docs/operating.md").read_text()

    missing = {name for name in commands(main) if f"`./wangge {name}" not in text}

    assert missing == set()


def test_every_layer_is_in_the_docs() -> None:
    from grids.layers import LAYERS

    assert {layer.id for layer in LAYERS} - documented("layers.md") == set()


def test_every_error_code_is_in_the_docs() -> None:
    assert error_codes() - documented("errors.md") == set()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_error_code_has_a_text_for_people(language: str) -> None:
    known = {key for area in AREAS for key in catalogue(area, language)}

    assert {code for code in error_codes() if f"error.{code}" not in known} == set()


def error_codes() -> set[str]:
    """Return the code of every kind of error of the platform."""
    for package in (gis, grids):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    for path in (ROOT / "app").glob("*.py"):
        if path.stem not in {"wsgi", "bootstrap", "live", "__init__"}:
            importlib.import_module(f"app.{path.stem}")
    from gis.errors import GisError
    from grids.errors import GridsError

    kinds = [*descendants(GisError), *descendants(GridsError)]
    return {str(kind.code) for kind in kinds if isinstance(getattr(kind, "code", None), str)}


def descendants(kind: type[Exception]) -> Iterator[type[Exception]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)
