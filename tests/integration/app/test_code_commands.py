"""`wangge codes diff` and `load` at the command line: what differs, in both languages, by row."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import installation
from app.cli import main
from app.config import ROOT, as_role


@pytest.fixture
def run(empty_database, monkeypatch):
    owner = as_role(empty_database, "wangge_owner", "none")

    class Whole:
        def __init__(self, _settings):
            self.session = Session(create_engine(owner, poolclass=NullPool))

        def __enter__(self):
            return self.session

        def __exit__(self, kind, *_):
            self.session.rollback() if kind else self.session.commit()
            self.session.close()

    monkeypatch.setattr(installation, "start_database", lambda _settings: None)
    monkeypatch.setattr(installation, "owner_session", Whole)
    return lambda *words: CliRunner().invoke(main, ["codes", *words])


def test_a_difference_is_printed_loaded_and_then_gone(run, tmp_path):
    folder = Path(shutil.copytree(ROOT / "data/codes", tmp_path / "codes"))
    path = folder / "departments.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("Gas Company", "Gas Works"), encoding="utf-8")  # fmt: skip

    before, loaded, after = run("diff", str(folder)), run("load", str(folder)), run("diff", str(folder))  # fmt: skip

    assert before.exit_code == 1, before.output
    assert "修改 / change  department D15  燃气公司 / Gas Works" in before.output
    assert "name_en: Gas Company -> Gas Works" in before.output
    assert (loaded.exit_code, "1 rows changed" in loaded.output) == (0, True)
    assert (after.exit_code, after.output.strip()) == (0, "不同的行 / rows that differ: 0")


def test_a_wrong_row_ends_the_command_with_file_line_and_column(run, tmp_path):
    (tmp_path / "workdays.csv").write_text("day,is_workday,name_zh,name_en,source\nsoon,0,a,b,c\n")

    found = run("diff", str(tmp_path))

    assert found.exit_code == 1
    assert "workdays.csv" in found.output
    assert "2" in found.output
    assert "day" in found.output
