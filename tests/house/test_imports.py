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


def test_the_command_line_answers_without_the_heavy_libraries() -> None:
    heavy = "{'sqlalchemy', 'flask', 'numpy', 'pandas', 'geopandas', 'shapely', 'psycopg'}"
    asked = f"import sys, app.cli; print(*sorted({heavy} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []
