"""The modules of the browser pass their own tests, in Node."""

import subprocess
from pathlib import Path

import pytest

from app.config import ROOT

FILES = sorted((ROOT / "tests/js").glob("*.test.js"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_tests_of_a_module_pass(path: Path) -> None:
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", path],
        cwd=ROOT / "static",
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "\n# pass 0" not in done.stdout


def test_there_are_tests_of_the_browser() -> None:
    assert FILES
