"""R44: 100,000 rows with 37 bad ones; a tenth of them with every change, all before a release."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.importing.batches import running, service
from tests.support.depth import IS_FULL
from tests.support.import_desk import Desk, opened_desk, table

ROWS = 100_000 if IS_FULL else 10_000
BAD = 37
GOOD = ROWS - BAD
HEAD = ("设施名称", "设施类型", "经度", "纬度", "编号")
#: What is wrong with a row: the place in it, what stands there, the rule it breaks.
FAULTS = (
    (0, "", "required"),
    (1, "占卜馆", "not_in_list"),
    (2, "0", "outside"),
    (3, "北纬", "not_a_coordinate"),
)
COUNT = text("SELECT count(*), count(DISTINCT name) FROM facility")


@pytest.fixture(scope="module")
def desk(import_base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One desk for the steps of one file."""
    with opened_desk(import_base, tmp_path_factory.mktemp("size")) as found:
        yield found


@pytest.fixture(scope="module")
def wrong() -> dict[int, tuple[str, str]]:
    """Row of the file -> the rule that it breaks and the column in which it does."""
    places = [k * (ROWS // BAD) + 11 for k in range(BAD)]
    return {
        at + 2: (FAULTS[k % 4][2], HEAD[2] if FAULTS[k % 4][0] == 3 else HEAD[FAULTS[k % 4][0]])
        for k, at in enumerate(places)
    }


@pytest.fixture(scope="module")
def data(wrong: dict[int, tuple[str, str]]) -> bytes:
    """The file: its bad rows stand all over it, the first and the last ten thousand included."""
    rows: list[list[object]] = [
        [f"第{k}站", "学校", f"{120.01 + k % 1000 / 5500:.6f}", f"{29.3 + k // 1000 / 9000:.6f}", f"S{k}"]
        for k in range(ROWS)
    ]  # fmt: skip
    for k, row in enumerate(wrong):
        place, what, _ = FAULTS[k % 4]
        rows[row - 2][place] = what
    return table([tuple(row) for row in rows], HEAD)


def stored(desk: Desk) -> tuple[int, int]:
    with Session(desk.owner) as session:
        total, names = session.execute(COUNT).one()
        return total, names


def test_r44_all_or_none_takes_none_and_says_how_many_are_bad(desk: Desk, data: bytes) -> None:
    batch_id = desk.send(data, source="zhan", target="facility")

    checked = desk.check(batch_id, "all")
    with pytest.raises(service.BadRows) as refused:
        desk.commit(batch_id)

    assert (checked.rows_total, checked.rows_rejected, checked.rows_new) == (ROWS, BAD, GOOD)
    assert refused.value.params["n"] == BAD
    assert stored(desk) == (0, 0)


def test_r44_good_rows_go_in_once_though_the_worker_is_killed_half_way(
    desk: Desk, data: bytes, wrong: dict[int, tuple[str, str]]
) -> None:
    batch_id = desk.send(data, source="zhan", target="facility")
    checked = desk.check(batch_id, "good")
    assert (checked.rows_total, checked.rows_rejected, checked.rows_new) == (ROWS, BAD, GOOD)
    assert desk.faults(batch_id) == {row: [fault] for row, fault in wrong.items()}

    desk.cut_off(batch_id, chunk=ROWS // 50, when=lambda done, _: done >= ROWS // 2)
    with Session(desk.owner) as session:
        half, noted = session.execute(
            text(
                "SELECT (SELECT count(*) FROM facility), rows_done FROM import_batch WHERE id = :id"
            ),
            {"id": batch_id},
        ).one()
    assert 0 < half < GOOD
    assert half == noted

    running.run_commit(desk.worker, batch_id)
    done = desk.state(batch_id)
    assert (done.state, done.rows_done, done.rows_rejected) == ("committed", GOOD, BAD)
    assert stored(desk) == (GOOD, GOOD)

    again = desk.send(data, source="zhan")
    desk.check(again, "good")
    told = desk.commit(again, chunk=10_000)
    assert (told.rows_same, told.rows_new, told.rows_changed, told.rows_rejected) == (
        GOOD,
        0,
        0,
        BAD,
    )
    assert stored(desk) == (GOOD, GOOD)
