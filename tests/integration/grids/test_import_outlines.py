"""R48: an outline that is not valid is refused, shown as it would be repaired, and repaired if asked."""

import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.importing.batches import reports, running, service
from grids.importing.batches.models import ImportBatch
from grids.importing.batches.settings import settings_of
from tests.support.import_desk import NOW, Desk, table

HEAD = ("编号", "建筑类型", "wkt")
#: Ten thousandths of a degree at 29.3 north: 9.7 m by 11.1 m.
GOOD = "POLYGON((120.05 29.30, 120.0504 29.30, 120.0504 29.3004, 120.05 29.3004, 120.05 29.30))"
BOW_TIE = "POLYGON((120.06 29.30, 120.0604 29.3004, 120.0604 29.30, 120.06 29.3004, 120.06 29.30))"
HOLE_OUT = (
    "POLYGON((120.07 29.30, 120.0704 29.30, 120.0704 29.3004, 120.07 29.3004, 120.07 29.30),"
    " (120.072 29.30, 120.0721 29.30, 120.0721 29.3001, 120.072 29.30))"
)
TWICE = (
    "MULTIPOLYGON(((120.08 29.30, 120.0804 29.30, 120.0804 29.3004, 120.08 29.3004, 120.08 29.30)),"
    " ((120.08 29.30, 120.0804 29.30, 120.0804 29.3004, 120.08 29.3004, 120.08 29.30)))"
)
FLAT = "POLYGON((120.09 29.30, 120.0904 29.30, 120.0902 29.30, 120.09 29.30))"
ROWS = tuple((f"B{k}", "住宅", wkt) for k, wkt in enumerate((GOOD, BOW_TIE, HOLE_OUT, TWICE, FLAT)))
SQUARE_M2 = pytest.approx(38.8 * 44.3, rel=0.02)


def repair(desk: Desk, batch_id: int, *, is_on: bool) -> ImportBatch:
    with desk.batch(batch_id) as (session, batch):
        service.ask_repair(session, batch, is_on=is_on)
    running.run_check(desk.worker, desk.store, batch_id, now=NOW)
    return desk.state(batch_id)


@pytest.fixture
def batch_id(import_desk: Desk) -> int:
    made = import_desk.send(table(ROWS, HEAD), source="lou", target="building")
    import_desk.check(made)
    return made


def test_r48_they_are_refused_by_default_with_reason_place_and_preview(
    import_desk: Desk, batch_id: int
) -> None:
    batch = import_desk.state(batch_id)
    with Session(import_desk.owner) as session:
        shown = dict(service.outlines_of(session, batch, most=50))

    assert (batch.rows_new, batch.rows_rejected) == (1, 4)
    assert {row: told["rule"] for row, told in shown.items()} == dict.fromkeys(
        (3, 4, 5, 6), "not_valid"
    )
    bow = shown[3]
    assert (bow["flaw"], bow["lon"], bow["lat"]) == ("crosses", 120.0602, 29.3002)
    assert bow["area_m2"] == pytest.approx(0, abs=1)
    assert bow["repaired_m2"] * 2 == SQUARE_M2
    assert bow["before"][0] == [[120.06, 29.3], [120.0604, 29.3004], [120.0604, 29.3], [120.06, 29.3004],
                                [120.06, 29.3]]  # fmt: skip
    assert len(bow["after"]) == 2
    assert (shown[4]["flaw"], len(shown[4]["before"]), len(shown[4]["after"])) == (
        "hole_outside",
        2,
        2,
    )
    assert shown[4]["area_m2"] < SQUARE_M2.expected < shown[4]["repaired_m2"]
    assert (shown[5]["area_m2"] / 2, shown[5]["repaired_m2"]) == (SQUARE_M2, SQUARE_M2)
    assert shown[6]["repaired_m2"] == 0


def test_r48_repair_holds_for_the_batch_alone_and_is_told(import_desk: Desk, batch_id: int) -> None:
    desk = import_desk

    batch = repair(desk, batch_id, is_on=True)

    assert (batch.rows_new, batch.rows_rejected) == (4, 1)
    assert desk.faults(batch_id)[6] == [("not_valid", "wkt")]
    desk.commit(batch_id)
    with Session(desk.owner) as session:
        shapes = session.scalars(text("SELECT ST_AsBinary(geom) FROM building ORDER BY id")).all()
        told = "".join(reports.error_file(session, session.get_one(ImportBatch, batch_id), ("",) * 5,
                                          lambda fault: str(fault["rule"])))  # fmt: skip
    made = shapely.from_wkb(shapes)
    assert len(made) == 4
    assert shapely.is_valid(made).all()
    assert told.count(",repaired,") == 3

    again = desk.send(table(ROWS, HEAD), source="lou")
    assert desk.check(again).rows_rejected == 4
    assert settings_of(desk.state(again).settings).repair is False


def test_r48_nothing_is_repaired_that_was_not_shown(import_desk: Desk) -> None:
    batch_id = import_desk.send(table(ROWS[:1], HEAD), source="lou", target="building")
    with pytest.raises(service.NotNow):
        repair(import_desk, batch_id, is_on=True)
    import_desk.check(batch_id)

    with pytest.raises(service.NothingToRepair):
        repair(import_desk, batch_id, is_on=True)
    assert import_desk.state(batch_id).state == "checked"


def test_r48_what_was_repaired_can_be_refused_again(import_desk: Desk, batch_id: int) -> None:
    repair(import_desk, batch_id, is_on=True)

    batch = repair(import_desk, batch_id, is_on=False)

    assert (batch.rows_new, batch.rows_rejected) == (1, 4)
    with pytest.raises(service.NothingToRepair):
        repair(import_desk, batch_id, is_on=False)
