"""The code lists: complete, loaded in versions, compared row by row, converted, found."""

import csv
import shutil
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from grids import codes
from grids.codes import (
    BadCodeList,
    Category,
    CategoryLimit,
    CategoryRule,
    CodeChange,
    CodeLoad,
    convert,
    load,
    plan,
)
from grids.codes.carried import of
from grids.codes.converting import NeedsCityTable, UnknownCode, UnknownSystem
from grids.codes.searching import find

FOLDER = Path(__file__).parents[3] / "data" / "codes"
ON = date(2026, 7, 1)
LATER = date(2027, 3, 1)
NATIONAL = "GBT47678.5-2026"
CITY_A, CITY_B, BEIJING = "CJT214-2007-A", "CJT214-2007-B", "CJT214-2007-BJ"


@pytest.fixture
def folder(tmp_path):
    """Copy the code lists, so that a test may change them."""
    return Path(shutil.copytree(FOLDER, tmp_path / "codes"))


def edit(folder, name, change):
    """Let a function change the rows of a file; the first row is its head."""
    rows = list(csv.reader((folder / name).read_text(encoding="utf-8").splitlines()))
    rows = change(rows) or rows
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def category(session, code, kind="matter", system=NATIONAL):
    return session.scalar(
        select(Category).where(
            Category.code == code, Category.kind == kind, Category.code_system == system
        )
    )


def count(session, model, *conditions):
    return session.scalar(select(func.count()).select_from(model).where(*conditions))


def told(found):
    return [(change.table, change.word, change.what) for change in found.effective]


# complete, and refused otherwise


def test_the_lists_hold_what_the_standard_counts(session):
    load(session, FOLDER, on=ON)

    national = (Category.code_system == NATIONAL, func.length(Category.code) == 5)
    assert count(session, Category, *national, Category.kind == "component") == 153
    assert count(session, Category, *national, Category.kind == "matter") == 250


def test_social_matters_and_their_disputes_are_there(session):
    heads = select(Category.code).where(Category.parent == "SG")
    disputes = select(Category.code).where(Category.parent == "SG01")

    assert len(session.scalars(heads).all()) == 17
    assert session.scalars(disputes.order_by(Category.code)).all() == [
        f"SG01{n:02d}" for n in range(1, 19)
    ]


def test_every_code_has_both_names_and_can_be_typed(session):
    bare = session.scalars(
        select(Category.code).where(
            (Category.name_zh == "") | (Category.name_en == "") | (Category.search == "")
        )
    ).all()

    assert bare == []


def test_every_matter_in_force_has_a_limit_and_a_department(session):
    load(session, FOLDER, on=ON)

    bare = session.scalars(
        select(Category.code)
        .outerjoin(CategoryLimit)
        .where(
            Category.kind.in_(("matter", "social")),
            Category.parent.is_not(None),
            Category.valid_to.is_(None),
            CategoryLimit.department_code.is_(None),
        )
    ).all()
    assert bare == []


def test_a_list_that_lacks_a_row_of_the_standard_is_refused(session, folder):
    edit(folder, "components.csv", lambda rows: rows[:-1])

    with pytest.raises(
        BadCodeList, match=r"152 sub-classes of GBT47678\.5-2026, the standard has 153"
    ):
        load(session, folder, on=ON)


@pytest.mark.parametrize(
    ("file", "column", "value", "message"),
    [
        ("local.csv", "name_zh", "", r"local\.csv, line 3: column name_zh is empty"),
        ("local.csv", "code", "10102", r"column code is outside 900 to 999"),
        ("matters.csv", "kind", "thing", r"matters\.csv, line 3: column kind is 'thing'"),
        ("matters.csv", "valid_from", "2026-13-01", r"column valid_from is no day like"),
        ("local.csv", "valid_to", "2026-07-01", r"column valid_to is not after valid_from"),
        ("local.csv", "code", "1090x", r"column code holds something that is no digit"),
        ("local.csv", "code_system", "NOWHERE", r"column code_system names 'NOWHERE'"),
        ("limits.csv", "unit", "fortnight", r"limits\.csv, line 3: column unit is 'fortnight'"),
        ("limits.csv", "value", "-1", r"column value is not above zero"),
        ("limits.csv", "department", "D99", r"column department names 'D99'"),
        ("limits.csv", "code", "01999", r"column code names GBT47678.5-2026 matter 01999"),
        ("rules.csv", "part", "poem", r"rules\.csv, line 3: column part is 'poem'"),
        ("rules.csv", "options", "a|b", r"column options "),
        ("conversion.csv", "relation", "perhaps", r"column relation is 'perhaps'"),
        ("conversion.csv", "to_code", "99999", r"column to_code names GBT47678.5-2026 99999"),
        ("workdays.csv", "day", "soon", r"workdays\.csv, line 3: column day is no day"),
        ("work_spans.csv", "closes", "07:00", r"column closes is not after opens"),
    ],
)
def test_a_wrong_row_is_named_by_file_line_and_column(
    session, folder, file, column, value, message
):
    def spoil(rows):
        rows[2][rows[0].index(column)] = value

    edit(folder, file, spoil)

    with pytest.raises(BadCodeList, match=message):
        load(session, folder, on=ON)


def test_the_same_code_twice_is_refused(session, folder):
    edit(folder, "local.csv", lambda rows: [*rows, rows[-1]])

    with pytest.raises(
        BadCodeList, match=r"line 10: column code names LOCAL matter 10908 a second"
    ):
        load(session, folder, on=ON)


# versions


def test_loading_again_changes_nothing_and_makes_no_version(session):
    first = load(session, FOLDER, on=ON)
    before = count(session, Category), count(session, CategoryRule), count(session, CodeLoad)

    assert load(session, FOLDER, on=ON) == first
    assert first.changes == 0
    assert (
        count(session, Category),
        count(session, CategoryRule),
        count(session, CodeLoad),
    ) == before


def test_a_difference_is_told_row_by_row_before_anything_changes(session, folder):
    for name in ("local.csv", "limits.csv", "rules.csv"):
        edit(folder, name, lambda rows: [row for row in rows if "10908" not in row])
    drone = ["LOCAL", "matter", "10950", "10", "无人机坠落", "Fallen drone", "", "0", "2027-01-01", "", "city"]  # fmt: skip
    edit(folder, "local.csv", lambda rows: [*rows, drone])

    found = plan(session, folder, on=LATER)

    drone = next(change for change in found.effective if change.key == ("LOCAL", "matter", "10950"))
    assert ("category", "LOCAL matter 10950", "add") in told(found)
    assert ("category", "LOCAL matter 10908", "end") in told(found)
    assert (drone.name_zh, drone.name_en) == ("无人机坠落", "Fallen drone")
    assert category(session, "10950", system="LOCAL") is None


def test_the_plan_of_a_load_is_what_the_load_does(session, folder):
    edit(folder, "local.csv", lambda rows: rows[:-1])
    edit(folder, "limits.csv", lambda rows: [r for r in rows if r[2] != "10908"])
    edit(folder, "rules.csv", lambda rows: [r for r in rows if r[2] != "10908"])
    expected = told(plan(session, folder, on=LATER))

    load(session, folder, on=LATER)

    version = session.scalar(select(func.max(CodeLoad.id)))
    kept = session.execute(
        select(CodeChange.table_name, CodeChange.key, CodeChange.what)
        .where(CodeChange.load_id == version).order_by(CodeChange.id)
    ).all()  # fmt: skip
    assert [tuple(row) for row in kept] == expected
    assert told(plan(session, folder, on=LATER)) == []


def test_a_code_that_is_no_longer_listed_ends_and_comes_back_with_its_row(session, folder):
    def without(name):
        edit(folder, name, lambda rows: [r for r in rows if "10908" not in r])

    for name in ("local.csv", "limits.csv", "rules.csv"):
        without(name)
    before = category(session, "10908", system="LOCAL").id

    load(session, folder, on=LATER)
    ended = category(session, "10908", system="LOCAL")
    assert (ended.id, ended.valid_to) == (before, LATER)
    load(session, FOLDER, on=LATER)
    assert category(session, "10908", system="LOCAL").valid_to is None


def test_a_limit_that_changes_leaves_the_old_one_to_the_past(session, folder):
    def longer(rows):
        row = next(row for row in rows if row[2] == "06010")
        row[4] = "6"

    edit(folder, "limits.csv", longer)
    key = category(session, "06010").id

    load(session, folder, on=LATER)

    assert of(session, key, date(2027, 2, 28)).limit("B") == (4, "work_hour")
    assert of(session, key, LATER).limit("B") == (6, "work_hour")


def test_what_the_city_decided_on_a_page_is_kept(session, folder):
    key = category(session, "06010").id
    row = session.scalar(select(CategoryLimit).where(CategoryLimit.category_id == key))
    row.origin = "page"
    session.flush()

    def longer(rows):
        next(row for row in rows if row[2] == "06010")[4] = "6"

    edit(folder, "limits.csv", longer)
    found = plan(session, folder, on=LATER)
    load(session, folder, on=LATER)

    assert [c.what for c in found.changes if c.word == "GBT47678.5-2026 06010 B"] == ["kept"]
    assert of(session, key, LATER).limit("B") == (4, "work_hour")


# what a category carries


def test_a_component_asks_for_its_defect_and_a_danger_gives_a_notice(session):
    cover = of(session, category(session, "01001").id, ON)
    gas = of(session, category(session, "10903", system="LOCAL").id, ON)

    assert len(cover.questions[0].options) == 10
    assert cover.closing.en == "Replaced, and level with the road."
    assert [target.name for target in cover.targets] == ["arrive", "secure", "repair"]
    assert "119" in gas.notices[0].zh
    assert gas.filing is not None


def test_an_answer_may_lead_to_a_limit_of_its_own(session):
    waste = of(session, category(session, "06011").id, ON)

    assert waste.limit("C") == (2, "work_day")
    assert waste.limit("C", {"waste": "refuse"}) == (4, "work_hour")


def test_only_listed_matters_may_be_closed_on_the_spot(session):
    bills = of(session, category(session, "07001").id, ON)
    collapse = of(session, category(session, "10901", system="LOCAL").id, ON)

    assert bills.self_handling is not None
    assert collapse.self_handling is None


# conversion


@pytest.mark.parametrize(
    ("kind", "system", "code", "targets"),
    [
        ("component", CITY_A, "0102", {("01002", "exact")}),
        ("component", CITY_A, "0101", {("01001", "name")}),
        ("component", CITY_A, "0202", {("02003", "broader")}),
        ("component", CITY_A, "0307", {("03006", "narrower"), ("03007", "narrower")}),
        ("component", CITY_A, "0602", set()),
        ("component", BEIJING, "0129", {("01014", "exact")}),
        ("matter", CITY_A, "0501", {("09001", "exact")}),
        ("matter", CITY_B, "0401", {("09001", "exact")}),
        ("matter", CITY_A, "0401", {("10901", "exact")}),
        ("matter", BEIJING, "0303", set()),
    ],
)
def test_old_codes_lead_to_those_of_2026_as_the_citys_table_says(
    session, kind, system, code, targets
):
    found = convert(session, code, system, NATIONAL, kind=kind)

    assert {(target.code, target.relation) for target in found.targets} == targets


def test_codes_of_2026_lead_back(session):
    found = convert(session, "03006", NATIONAL, CITY_A)

    assert {(t.code, t.relation) for t in found.targets} == {
        ("0306", "narrower"),
        ("0307", "broader"),
    }
    assert found.certain is None


def test_the_two_orders_of_old_events_lead_to_each_other(session):
    found = convert(session, "0401", CITY_A, CITY_B, kind="matter")

    assert found.certain is not None
    assert found.certain.code == "0501"


def test_an_old_code_is_never_converted_without_the_citys_table(session):
    with pytest.raises(NeedsCityTable, match="CJT214-2007-A, CJT214-2007-B, CJT214-2007-BJ"):
        convert(session, "0127", "CJT214-2007", NATIONAL)
    with pytest.raises(NeedsCityTable):
        convert(session, "0127", "GBT30428.2-2013", NATIONAL)


def test_what_no_list_has_is_said(session):
    with pytest.raises(UnknownCode):
        convert(session, "0999", CITY_A, NATIONAL)
    with pytest.raises(UnknownSystem):
        convert(session, "0101", "CJT1", NATIONAL)


def test_every_old_code_says_what_became_of_it(session):
    mapped = set(session.execute(
        select(codes.CodeMap.from_system, codes.CodeMap.kind, codes.CodeMap.from_code)).all())  # fmt: skip
    old = session.execute(
        select(Category.code_system, Category.kind, Category.code)
        .where(Category.code_system.startswith("CJT214"), Category.parent.is_not(None))
    ).all()  # fmt: skip

    assert {tuple(row) for row in old} == {tuple(row) for row in mapped}


# search


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("暴露垃圾", "06010"), ("bllj", "06010"), ("baolulaji", "06010"), ("Bao lu la ji", "06010"),
        ("bàolù lājī", "06010"), ("06010", "06010"), ("exposed refuse", "06010"),
        ("变压器(箱)异常", "01048"), ("变压器箱异常", "01048"), ("jdqx", None), ("邻里", "SG0102"), ("linli", "SG0102"),
    ],
)  # fmt: skip
def test_a_category_is_found_however_it_is_typed(session, words, code):
    found = find(session, words, on=LATER, kinds=("matter", "social"))

    assert (found[0].category.code if found else None) == code


def test_the_order_of_what_is_found_is_fixed_and_old_lists_come_last(session):
    found = find(session, "井盖", on=LATER, has_ended=True)
    again = find(session, "井 盖", on=LATER, has_ended=True)

    systems = [one.category.code_system for one in found if one.rank == found[0].rank]
    assert [one.category.id for one in found] == [one.category.id for one in again]
    assert systems == sorted(systems, key=lambda name: name != NATIONAL)


def test_old_codes_are_not_offered_unless_asked_for(session):
    assert find(session, "上水井盖", on=LATER) == []
    assert find(session, "上水井盖", on=LATER, has_ended=True)
