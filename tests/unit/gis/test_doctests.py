"""The examples in the engine's docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import gis

MODULES = sorted(found.name for found in pkgutil.walk_packages(gis.__path__, "gis."))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    failures, _ = doctest.testmod(importlib.import_module(name))

    assert failures == 0
