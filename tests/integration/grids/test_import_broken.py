"""What is no table, and a worker that dies over one: nothing half is left."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.importing.batches import running
from tests.support import import_desk as desks
from tests.support.import_desk import Desk

UNREADABLE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a picture": ("a.csv", lambda: b"\xff\xd8\xff\xe0" + bytes(50), "picture"),
    "nothing": ("a.csv", lambda: b"\n\n  \n", "empty"),
    "an old workbook": ("a.xls", lambda: b"\xd0\xcf\x11\xe0" + bytes(600), "old_excel"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_is_no_table_is_refused_with_the_cause(import_desk: Desk, name: str) -> None:
    file, make, why = UNREADABLE[name]

    batch = import_desk.state(import_desk.send(make(), name=file))

    assert (batch.state, batch.refusal.get("why")) == ("refused", why)


def test_a_worker_killed_in_the_middle_of_all_or_none_leaves_nothing_half(
    import_desk: Desk,
) -> None:
    """R44, with `kill -9`: nothing is there before the next run, and everything once after it."""
    head = ("设施名称", "设施类型", "经度", "纬度", "编号")
    rows = [(f"点{k}", "学校", 120.01 + k / 8_000, 29.3, f"P{k}") for k in range(800)]
    batch_id = import_desk.send(desks.table(rows, head), source="dian", target="facility")
    import_desk.check(batch_id, "all")

    import_desk.cut_off(batch_id, chunk=10, when=lambda _, is_writing: is_writing)

    count = text("SELECT count(*), count(DISTINCT name) FROM facility")
    with Session(import_desk.owner) as session:
        assert session.execute(count).one()[0] == 0

    running.run_commit(import_desk.worker, batch_id, chunk=500)

    done = import_desk.state(batch_id)
    with Session(import_desk.owner) as session:
        assert tuple(session.execute(count).one()) == (800, 800)
    assert (done.state, done.rows_done) == ("committed", 800)
