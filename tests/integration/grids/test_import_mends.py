"""U43: wrong cells are put right by hand; those rows alone are judged again, and it is kept who did."""

from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids.importing.batches import mending, reports, running, service
from grids.importing.batches.models import ImportBatch, ImportMend, ImportRow
from grids.importing.batches.settings import settings_of
from grids.importing.batches.targets import target_of
from tests.support.import_desk import NOW, Desk, table

HEAD = ("设施名称", "设施类型", "经度", "纬度", "编号")
ROWS = (
    ("一中", "学校", "120.05", "29.30", "A1"),
    ("二中", "占卜馆", "120.06", "29.30", "A2"),
    ("", "学校", "29.30", "120.07", "A3"),
    ("四中", "学校", "120.08", "29.30", "A1"),
    ("339901199001011234", "学堂馆", "120.09", "29.30", "A5"),
)


@pytest.fixture
def batch_id(import_desk: Desk) -> int:
    made = import_desk.send(table(ROWS, HEAD), source="jiaoyu", target="facility")
    import_desk.check(made)
    return made


def mend(desk: Desk, batch_id: int, cells: dict[tuple[int, str], str]) -> ImportBatch:
    with desk.batch(batch_id) as (session, batch):
        target = target_of(service.source_of(session, batch).target)
        rows = mending.mend(session, batch, desk.actor, target, cells, now=NOW)
    running.run_mend(desk.worker, batch_id, rows, now=NOW)
    return desk.state(batch_id)


def stamps(desk: Desk, batch_id: int) -> dict[int, str]:
    """Say of each row which transaction wrote it: a row that is left alone keeps it."""
    with Session(desk.owner) as session:
        rows = session.execute(
            text("SELECT number, xmin::text AS by FROM import_row WHERE batch_id = :batch"),
            {"batch": batch_id},
        )
        return {row.number: row.by for row in rows}


def test_only_the_rows_that_were_put_right_are_judged_again(
    import_desk: Desk, batch_id: int
) -> None:
    desk = import_desk
    assert desk.faults(batch_id) == {
        3: [("not_in_list", "设施类型")],
        4: [("required", "设施名称"), ("swapped", "经度")],
        5: [("twice", "")],
        6: [("resident_number", "设施名称"), ("not_in_list", "设施类型")],
    }
    before = stamps(desk, batch_id)

    batch = mend(desk, batch_id, {
        (3, "kind"): "学校", (4, "name"): "三中", (4, "lon"): "120.07", (4, "lat"): "29.30",
        (5, "own_id"): "A4", (6, "kind"): "学堂馆",
    })  # fmt: skip

    assert (batch.state, batch.rows_new, batch.rows_rejected) == ("checked", 4, 1)
    assert [row for row, by in stamps(desk, batch_id).items() if by == before[row]] == [2, 6]
    desk.commit(batch_id)
    with Session(desk.owner) as session:
        names = session.scalars(text("SELECT name FROM facility ORDER BY name")).all()
    assert set(names) == {"一中", "二中", "三中", "四中"}


def test_a_row_that_is_still_wrong_says_so_and_one_like_another_is_refused(
    import_desk: Desk, batch_id: int
) -> None:
    batch = mend(import_desk, batch_id, {(3, "kind"): "占星馆", (4, "name"): "三中", (5, "own_id"): "A2",
                                         (6, "kind"): "学校"})  # fmt: skip

    assert batch.rows_new == 2
    assert import_desk.faults(batch_id) == {
        3: [("not_in_list", "设施类型")],
        4: [("swapped", "经度")],
        6: [("resident_number", "设施名称")],
    }
    again = mend(import_desk, batch_id, {(3, "kind"): "学校", (4, "lon"): "0"})
    assert again.rows_new == 2
    assert import_desk.faults(batch_id)[3] == [("twice", "")]


def test_it_is_kept_who_put_right_what_and_told_in_the_report(
    import_desk: Desk, batch_id: int
) -> None:
    mend(import_desk, batch_id, {(3, "kind"): "学校"})

    with Session(import_desk.owner) as session:
        one = session.scalars(select(ImportMend)).one()
        batch = session.get_one(ImportBatch, batch_id)
        heads = ("行号", "列", "内容", "规则", "原因")
        told = list(reports.error_file(session, batch, heads, lambda fault: str(sorted(fault))))
    assert (one.number, one.heading, one.was, one.became) == (3, "设施类型", "占卜馆", "学校")
    assert (one.mended_by, one.mended_at) == (import_desk.actor.account_id, NOW)
    assert told[-1].startswith("3,设施类型,占卜馆,mended,")
    assert told[-1].rstrip().endswith("二中,学校,120.06,29.30,A2")


def test_a_later_check_of_the_whole_file_keeps_what_was_put_right(
    import_desk: Desk, batch_id: int
) -> None:
    mend(import_desk, batch_id, {(3, "kind"): "学校", (6, "name"): "五中"})
    mend(import_desk, batch_id, {(6, "kind"): "学校"})

    batch = import_desk.check(batch_id)

    assert sorted(import_desk.faults(batch_id)) == [4, 5]
    assert (batch.rows_total, batch.rows_new) == (5, 3)


@pytest.mark.parametrize(
    ("cells", "error"),
    [
        ({(2, "kind"): "医院"}, mending.BadMend),
        ({(3, "name"): "二中学"}, mending.BadMend),
        ({(99, "kind"): "学校"}, mending.BadMend),
        ({(3, "kind"): "学" * 4_001}, mending.BadMend),
        ({(3, "kind"): "学校", (4, "name"): "339901199001011234"}, mending.BadMend),
        ({(3, "kind"): "占卜馆"}, mending.NothingMended),
        ({(6, "name"): ""}, mending.NothingMended),
        ({(row, "kind"): "学校" for row in range(1000, 1201)}, mending.BadMend),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    import_desk: Desk, batch_id: int, cells: dict[tuple[int, str], str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        mend(import_desk, batch_id, cells)

    assert import_desk.state(batch_id).state == "checked"
    with Session(import_desk.owner) as session:
        assert session.scalars(select(ImportMend)).all() == []


def test_a_batch_that_is_taken_over_is_not_put_right_any_more(
    import_desk: Desk, batch_id: int
) -> None:
    import_desk.commit(batch_id)

    with pytest.raises(service.NotNow):
        mend(import_desk, batch_id, {(3, "kind"): "学校"})


def test_the_shape_of_a_file_stays_when_another_cell_is_put_right(import_desk: Desk) -> None:
    shape = '{"type": "Point", "coordinates": [120.05, 29.3]}'
    feature = '{{"type": "Feature", "geometry": {}, "properties": {{"名称": "{}", "类型": "{}"}}}}'
    rows = [feature.format(shape, "一中", "占卜馆"), feature.format("null", "二中", "占卜馆")]
    data = '{"type": "FeatureCollection", "features": [' + ",".join(rows) + "]}"
    desk = import_desk
    batch_id = desk.send(data.encode(), name="a.geojson", source="shapes", target="facility")
    with desk.batch(batch_id) as (session, batch):
        service.settle(session, batch, replace(settings_of(batch.settings), crs="gcj02"))
    running.run_look(desk.worker, desk.store, batch_id)
    desk.check(batch_id)
    with Session(desk.owner) as session:
        first = session.scalars(select(ImportRow.geom).where(ImportRow.number == 1)).one()

    batch = mend(desk, batch_id, {(1, "kind"): "学校", (2, "kind"): "学校"})

    assert (batch.rows_new, batch.rows_rejected) == (1, 1)
    assert desk.faults(batch_id) == {2: [("no_place", "")]}
    with Session(desk.owner) as session:
        row = session.scalars(select(ImportRow).where(ImportRow.number == 1)).one()
        assert (row.geom, row.coord_source) == (first, "gcj02")
