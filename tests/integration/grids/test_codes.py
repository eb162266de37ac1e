"""The national code lists: complete, loaded once, found by pinyin."""

import csv
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from grids.codes import BadCodeList, Category, CategoryLimit, load

FOLDER = Path(__file__).parents[3] / "data" / "codes"
ON = date(2026, 7, 1)


def _count(session, *conditions):
    return session.scalar(select(func.count()).select_from(Category).where(*conditions))


def test_the_lists_hold_what_the_standard_counts(session):
    load(session, FOLDER, on=ON)

    national = (Category.code_system == "GBT47678.5-2026", func.length(Category.code) == 5)
    assert _count(session, *national, Category.kind == "component") == 153
    assert _count(session, *national, Category.kind == "matter") == 250


def test_loading_again_changes_nothing(session):
    first = load(session, FOLDER, on=ON)
    before = _count(session)

    assert load(session, FOLDER, on=ON) == first
    assert _count(session) == before


def test_every_matter_has_a_limit_and_a_department(session):
    load(session, FOLDER, on=ON)

    bare = session.scalars(
        select(Category.code)
        .outerjoin(CategoryLimit)
        .where(Category.kind == "matter", CategoryLimit.department_code.is_(None))
    ).all()
    assert bare == []


def test_a_category_is_found_by_its_initials(session):
    load(session, FOLDER, on=ON)

    found = session.scalar(select(Category.code).where(Category.search.contains(" bllj ")))
    assert found == "06010"


def test_a_row_without_a_name_is_named_by_file_line_and_column(session, tmp_path):
    for path in FOLDER.glob("*.csv"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    rows = list(csv.reader((FOLDER / "local.csv").read_text(encoding="utf-8").splitlines()))
    rows[2][4] = ""
    with (tmp_path / "local.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)

    with pytest.raises(BadCodeList, match=r"local\.csv, line 3: column name_zh is empty"):
        load(session, tmp_path, on=ON)
