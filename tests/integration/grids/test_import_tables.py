"""Tables of departments become entries: checked, taken over, told again, taken back."""

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids.importing.batches import committing, jobs, running, service
from grids.importing.batches.settings import BadSettings, Given, settings_of
from grids.registers.changes import RegisterChange
from grids.synth.business import credit_codes
from tests.support import import_desk as desks
from tests.support.cases import make_actor
from tests.support.import_desk import NOW, Desk

HEAD = (
    "企业名称",
    "统一社会信用代码",
    "企业类型",
    "行业",
    "员工人数",
    "成立日期",
    "经度",
    "纬度",
    "法定代表人",
)


@pytest.fixture
def desk(import_desk: Desk) -> Desk:
    """The desk under the name that fits here."""
    return import_desk


@pytest.fixture(scope="module")
def codes() -> list[str]:
    import numpy as np

    return credit_codes(["company"] * 30, np.random.default_rng(5))


def table(
    rows: Sequence[tuple[object, ...]], head: tuple[str, ...] = HEAD, encoding: str = "utf-8"
) -> bytes:
    return desks.table(rows, head, encoding)


def firm(code: str, **more: object) -> tuple[object, ...]:
    row: dict[str, object] = {
        "企业名称": f"义乌 {code[-4:]} 有限公司", "统一社会信用代码": code, "企业类型": "公司", "行业": "批发业",
        "员工人数": "1,200人", "成立日期": "2019年3月5日", "经度": 120.05, "纬度": 29.3,
        "法定代表人": "某人",
    }  # fmt: skip
    row |= more
    return tuple(row[name] for name in HEAD)


def test_a_file_of_an_office_becomes_entries_with_their_grid(desk: Desk, codes: list[str]) -> None:
    rows = [firm(codes[k], 经度=120.02 + k / 100) for k in range(9)]

    done = desk.whole(table(rows, encoding="gb18030"))

    assert (done.state, done.rows_total, done.rows_new, done.rows_done) == ("committed", 9, 9, 9)
    assert done.look["encoding"] == "gb18030"
    first = desk.firms()[codes[0]]
    assert first.name == f"义乌{codes[0][-4:]}有限公司"
    assert (first.kind, first.industry, first.staff) == ("company", "F", 1200)
    assert str(first.registered_on) == "2019-03-05"
    assert first.area_code == "339901001001001"
    assert first.grid_id is not None
    assert first.source == "import:shichang"
    assert desk.firms()[codes[8]].area_code in ("339901001001001", "339901002001001")


def test_nothing_of_a_person_is_kept(desk: Desk, codes: list[str]) -> None:
    batch_id = desk.send(table([firm(codes[0]), firm(codes[1], 企业名称="339901199001011234")]))
    batch = desk.check(batch_id)

    assert "法定代表人" in batch.look["personal"]
    assert batch.look["rows"][0]["cells"][-1] == "***"
    assert desk.faults(batch_id) == {3: [("resident_number", "企业名称")]}
    with Session(desk.owner) as session:
        kept = session.execute(
            text("SELECT string_agg(r::text, ' ') FROM import_row AS r")
        ).scalar()
        assert kept is not None
        assert "199001011234" not in kept
        assert "某人" not in kept


def test_the_same_file_again_changes_nothing(desk: Desk, codes: list[str]) -> None:
    data = table([firm(code) for code in codes[:6]])
    desk.whole(data)
    before = {code: row.id for code, row in desk.firms().items()}

    again = desk.whole(data)

    assert (again.rows_new, again.rows_changed, again.rows_same) == (0, 0, 6)
    assert {code: row.id for code, row in desk.firms().items()} == before
    with Session(desk.owner) as session:
        assert session.scalars(select(RegisterChange)).all() == []


def test_what_a_file_only_rounds_has_not_moved(desk: Desk, codes: list[str]) -> None:
    desk.whole(table([firm(code, 经度=120.05) for code in codes[:2]]))
    first = desk.firms()[codes[0]].geom
    rows = [firm(codes[0], 经度=120.050003), firm(codes[1], 经度=120.0502)]

    again = desk.whole(table(rows))

    assert (again.rows_same, again.rows_changed) == (1, 1)
    assert desk.firms()[codes[0]].geom == first

    head = ("编号", "建筑用途", "几何")
    outline = "POLYGON((120.05 29.3,{} 29.3,120.0501 29.3002,120.05 29.3))"
    for n, (corner, same) in enumerate((("120.0502", 0), ("120.0502000004", 1), ("120.05023", 0))):
        sent = table([("F1", "住宅", outline.format(corner))], head)
        done = desk.whole(sent, source="zhujian", target="building")
        assert (done.rows_new, done.rows_same) == (int(n == 0), same)


def test_rows_without_any_code_are_known_again_by_what_they_say(desk: Desk) -> None:
    head = ("设施名称", "设施类型", "坐标")
    data = table([("一中", "学校", "120.05,29.30"), ("二院", "医院", "120.15,29.31")], head)
    first = desk.whole(data, source="jiaoyu", target="facility")

    again = desk.whole(data, source="jiaoyu")

    assert (first.rows_new, again.rows_new, again.rows_same) == (2, 0, 2)


def test_every_fault_is_told_with_row_column_and_rule(desk: Desk, codes: list[str]) -> None:
    rows = [
        firm(codes[0]),
        firm(codes[1][:-1] + ("1" if codes[1][-1] != "1" else "2")),
        firm(codes[2], 企业名称=""),
        firm(codes[3], 成立日期="05/04/2019"),
        firm(codes[4], 经度=29.3, 纬度=120.05),
        firm(codes[5], 经度=0, 纬度=0),
        firm(codes[6], 经度="nan"),
        firm(codes[7], 经度=121.9),
        firm(codes[8], 行业="占卜业", 员工人数="若干"),
        firm("9.13301E+17"),
        firm(codes[0]),
    ]

    batch_id = desk.send(table(rows))
    batch = desk.check(batch_id)

    assert desk.faults(batch_id) == {
        3: [("credit_check", "统一社会信用代码")],
        4: [("required", "企业名称")],
        5: [("day_ambiguous", "成立日期")],
        6: [("swapped", "经度")],
        7: [("null_island", "经度")],
        8: [("not_finite", "经度")],
        9: [("outside", "经度")],
        10: [("not_in_list", "行业"), ("not_a_number", "员工人数")],
        11: [("digits_lost", "统一社会信用代码")],
        12: [("twice", "")],
    }
    assert (batch.rows_total, batch.rows_new, batch.rows_rejected) == (11, 1, 10)


def test_good_rows_go_in_beside_bad_ones_and_all_or_nothing_waits(
    desk: Desk, codes: list[str]
) -> None:
    batch_id = desk.send(table([firm(code) for code in codes[:5]] + [firm("123")]))
    with desk.batch(batch_id) as (session, batch):
        service.ask_check(session, batch, replace(settings_of(batch.settings), mode="all"))
    running.run_check(desk.worker, desk.store, batch_id, now=NOW)

    with pytest.raises(service.BadRows):
        desk.commit(batch_id)
    assert desk.firms() == {}

    with desk.batch(batch_id) as (session, batch):
        service.ask_check(session, batch, replace(settings_of(batch.settings), mode="good"))
    running.run_check(desk.worker, desk.store, batch_id, now=NOW)
    done = desk.commit(batch_id)
    assert (done.rows_new, done.rows_rejected, done.rows_done) == (5, 1, 5)


@pytest.mark.parametrize("mode", ["good", "all"])
def test_a_batch_that_was_cut_off_goes_on_without_doubles(
    desk: Desk, codes: list[str], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = desk.send(table([firm(code) for code in codes[:20]]))
    with desk.batch(batch_id) as (session, batch):
        service.ask_check(session, batch, replace(settings_of(batch.settings), mode=mode))  # type: ignore[arg-type]
    running.run_check(desk.worker, desk.store, batch_id, now=NOW)
    with desk.batch(batch_id) as (session, batch):
        service.ask_commit(session, batch, desk.actor, now=NOW)
    taken: list[int] = []

    def cut(*args: Any, **more: Any) -> int:
        if len(taken) == 3:
            raise ConnectionError("the worker is gone")
        taken.append(1)
        return real(*args, **more)

    real = committing.commit_chunk
    monkeypatch.setattr(committing, "commit_chunk", cut)
    with pytest.raises(ConnectionError):
        running.run_commit(desk.worker, batch_id, chunk=4)
    monkeypatch.undo()
    assert len(desk.firms()) == (12 if mode == "good" else 0)

    running.run_commit(desk.worker, batch_id, chunk=4)

    done = desk.state(batch_id)
    assert (done.state, done.rows_done, len(desk.firms())) == ("committed", 20, 20)


def test_a_change_is_kept_in_the_history_and_can_be_taken_back(
    desk: Desk, codes: list[str]
) -> None:
    desk.whole(table([firm(code) for code in codes[:4]]))
    second = desk.whole(table([
        firm(codes[0], 员工人数="7", 经度=120.15), firm(codes[1], 企业名称="新名有限公司"),
        firm(codes[2], 员工人数=""), firm(codes[9]),
    ]))  # fmt: skip
    assert (second.rows_new, second.rows_changed, second.rows_same) == (1, 2, 1)
    assert desk.firms()[codes[0]].area_code == "339901002001001"
    assert desk.firms()[codes[2]].staff == 1200
    with Session(desk.owner) as session:
        told = session.scalars(select(RegisterChange)).all()
        assert {change.changed_by for change in told} == {desk.actor.account_id}
        assert all(change.reason.startswith(f"import {second.id}") for change in told)

    back = desk.undo(second.id)

    assert (back.state, back.rows_undone, back.rows_kept) == ("undone", 4, 0)
    firms = desk.firms()
    assert (firms[codes[0]].staff, firms[codes[0]].area_code) == (1200, "339901001001001")
    assert firms[codes[1]].name == f"义乌{codes[1][-4:]}有限公司"
    assert codes[9] not in firms


def test_what_others_changed_since_stays_and_is_told(desk: Desk, codes: list[str]) -> None:
    done = desk.whole(table([firm(code) for code in codes[:3]]))
    with Session(desk.owner) as session, session.begin():
        session.execute(
            text("UPDATE enterprise SET staff = 3 WHERE uscc = :code"), {"code": codes[0]}
        )
        session.execute(text(
            "INSERT INTO premises (kind, name, enterprise_id, geom, cell_id, area_code)"
            " SELECT 'shop', '店', id, geom, cell_id, area_code FROM enterprise WHERE uscc = :code"
        ), {"code": codes[1]})  # fmt: skip

    back = desk.undo(done.id)

    assert (back.rows_undone, back.rows_kept) == (1, 2)
    assert set(desk.firms()) == {codes[0], codes[1]}


def test_a_later_batch_of_the_source_protects_what_it_spoke_of(
    desk: Desk, codes: list[str]
) -> None:
    first = desk.whole(table([firm(code) for code in codes[:3]]))
    second = desk.whole(table([firm(code) for code in codes[:2]]))

    assert desk.undo(first.id).rows_kept == 2
    assert set(desk.firms()) == set(codes[:2])
    assert desk.undo(second.id).rows_undone == 2


def test_rows_of_other_areas_are_not_taken(desk: Desk, codes: list[str]) -> None:
    with Session(desk.owner) as session, session.begin():
        west = make_actor(session, "steward", "339901001")
    desk.whole(table([firm(codes[3], 经度=120.15)]))

    batch_id = desk.send(
        table([firm(codes[0]), firm(codes[1], 经度=120.15), firm(codes[3], 经度=120.05)]),
        source="west", actor=west,
    )  # fmt: skip
    desk.check(batch_id)

    assert desk.faults(batch_id) == {3: [("outside_area", "")], 4: [("entry_outside", "")]}


def test_the_mapping_of_a_source_is_remembered(desk: Desk, codes: list[str]) -> None:
    head = ("甲列", *HEAD[1:])
    first = desk.send(table([firm(codes[0])], head))
    with pytest.raises(BadSettings) as refused:
        desk.check(first)
    assert refused.value.params["missing"] == ["name"]
    desk.check(first, name=Given(column="甲列"), industry=Given(value="H"))

    second = desk.send(table([firm(codes[1])], head))

    batch = desk.check(second)
    assert (batch.state, batch.rows_new) == ("checked", 1)
    assert batch.settings["mapping"]["industry"] == {"column": "", "value": "H"}


def test_a_workbook_with_titles_and_merged_cells_is_read(desk: Desk) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["全市公共设施一览表"])
    sheet.merge_cells("A1:D1")
    for row in (
        ("类型", "名称", "经度", "纬度"),
        ("学校", "一小", 120.05, 29.3),
        (None, "二小", 120.06, 29.3),
    ):
        sheet.append(row)
    sheet.merge_cells("A3:A4")
    out = io.BytesIO()
    book.save(out)

    done = desk.whole(out.getvalue(), name="设施.xlsx", source="sheshi", target="facility")

    assert (done.rows_new, done.look["head_row"], done.look["notes"]) == (2, 2, ["merged"])


def test_premises_name_their_enterprise_by_its_code(desk: Desk, codes: list[str]) -> None:
    desk.whole(table([firm(codes[0])]))
    head = ("场所名称", "场所类型", "信用代码", "面积", "经纬度")
    rows = [
        ("甲店", "餐馆", codes[0], "86.5㎡", "120.05 29.3"),
        ("乙店", "餐馆", codes[5], "", "120.05 29.3"),
    ]

    batch_id = desk.send(table(rows, head), source="canyin", target="premises")
    desk.check(batch_id)
    desk.commit(batch_id)

    assert desk.faults(batch_id) == {3: [("no_enterprise", "")]}
    with Session(desk.owner) as session:
        row = session.execute(text("SELECT p.floor_area_m2, e.uscc FROM premises AS p JOIN enterprise AS e"
                                   " ON e.id = p.enterprise_id")).one()  # fmt: skip
    assert (row.floor_area_m2, row.uscc) == (86.5, codes[0])


def test_components_get_the_next_number_of_their_class(desk: Desk) -> None:
    head = ("部件类型", "标识码", "经度", "纬度", "编号")
    rows = [("路灯", "", 120.05, 29.3, "L1"), ("01037", "", 120.06, 29.3, "L2"),
            ("01037", "33990101037000007", 120.07, 29.3, "L3"),
            ("01013", "33990101037000008", 120.08, 29.3, "L4")]  # fmt: skip

    batch_id = desk.send(table(rows, head), source="ludeng", target="component")
    desk.check(batch_id)
    desk.commit(batch_id, chunk=100)

    assert desk.faults(batch_id) == {5: [("identifier_class", "标识码")]}
    with Session(desk.owner) as session:
        found = set(session.scalars(text("SELECT identifier FROM component")))
    assert "33990101037000007" in found
    assert len(found) == 3


def test_old_batches_lose_their_rows_and_file(desk: Desk, codes: list[str]) -> None:
    done = desk.whole(table([firm(codes[0])]))
    path = desk.store.path(service.ROOM, done.file_sha256)
    assert path.exists()

    with Session(desk.owner) as session:
        assert jobs.clear(session, desk.store, now=NOW + jobs.KEPT + jobs.KEPT) == 1

    assert not path.exists()
    with pytest.raises(service.NotNow):
        desk.undo(done.id)
