"""Write `docs/matrix.md`: `python -m tests.security.matrix.write`."""

import tempfile
from pathlib import Path

from app import create_app
from app.config import ROOT, Settings
from tests.security.matrix.declared import table

TARGET = ROOT / "docs" / "matrix.md"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = Settings.load(
            {"WANGGE_DATABASE_URL": "postgresql://nobody@/none", "WANGGE_VAR_DIR": folder}
        )
        TARGET.write_text(table(create_app(made)), encoding="utf-8")
    print(Path(TARGET).relative_to(ROOT))  # noqa: T201 - a command


if __name__ == "__main__":
    main()
