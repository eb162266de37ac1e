"""The rooms know each other in one direction only."""

import subprocess
import sys
from pathlib import Path

from app.config import ROOT


def test_every_import_contract_holds() -> None:
    program = Path(sys.executable).parent / "lint-imports"

    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-2000:]
