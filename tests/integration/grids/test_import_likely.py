"""Rows without a code that mean an entry: taken for it where that is certain, else a pair to decide."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from grids import scope
from grids.bulk import driver
from grids.enterprises import Enterprise
from grids.importing.batches import running, service
from grids.importing.batches.models import ImportRow
from grids.importing.batches.settings import settings_of
from grids.matching import merging, pairs
from grids.matching.linkage import FEWEST
from grids.matching.models import DuplicatePair
from grids.synth.business import credit_codes
from grids.synth.names import FIRM_WORDS
from tests.integration.grids.test_merging import EVIDENCE
from tests.support.import_desk import NOW, Desk

HEAD = ("企业名称", "统一社会信用代码", "企业类型", "行业", "经度", "纬度", "编号")
COUNT = FEWEST + 40
X, Y = 120.02, 29.28


def table(rows: list[tuple[Any, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([HEAD, *rows])
    return out.getvalue().encode()


def firms() -> list[tuple[str, str, float, float]]:
    """Return name, code and place of a register: own names, some trades."""
    rng = np.random.default_rng(3)
    codes = credit_codes(["company"] * COUNT, rng)
    signs = ["".join(rng.choice(FIRM_WORDS, 3)) for _ in range(COUNT)]
    trades = ("贸易有限公司", "餐饮有限公司", "五金商行", "服装有限公司")
    return [(signs[k] + trades[k % 4], codes[k], X + (k % 20) / 400, Y + (k // 20) / 400)
            for k in range(COUNT)]  # fmt: skip


@pytest.fixture
def filled(import_desk: Desk) -> Desk:
    """Take a register over that is large enough to be compared with."""
    rows = [
        (name, code, "公司", "F", x, y, f"a{k}") for k, (name, code, x, y) in enumerate(firms())
    ]
    taken = import_desk.whole(table(rows), source="market")
    assert (taken.rows_new, taken.rows_rejected) == (COUNT, 0)
    return import_desk


def matches(engine: Engine, batch_id: int) -> dict[int, ImportRow]:
    with Session(engine) as session:
        rows = session.scalars(select(ImportRow).where(
            ImportRow.batch_id == batch_id, ImportRow.match.is_not(None)))  # fmt: skip
        return {row.number: row for row in rows}


def test_certain_rows_mean_entries_likely_ones_open_pairs_and_all_is_taken_back(
    filled: Desk,
) -> None:
    known = firms()
    name, code, x, y = known[5]
    other, _, ox, oy = known[9]
    third, _, tx, ty = known[14]
    rows = [
        (name.replace("有限公司", "有限责任公司"), "", "公司", "F", x + 0.00005, y, "b1"),
        # Two rows for one entry: nobody knows which of them means it.
        (other, "", "公司", "F", ox, oy, "b2"), (other, "", "公司", "F", ox + 0.0001, oy, "b3"),
        ("从未见过的名号小店", "", "个体", "H", X, Y, "b4"),
        (third + "分号", "", "公司", "F", tx + 0.0012, ty, "b5"),
    ]  # fmt: skip
    batch_id = filled.send(table(rows), source="tax")
    checked = filled.check(batch_id)
    found = matches(filled.owner, batch_id)

    with Session(filled.owner) as session:
        meant = session.scalar(select(Enterprise.id).where(Enterprise.uscc == code))
        before = set(session.scalars(text("SELECT t::text FROM enterprise AS t")))
    first = min(found)
    assert found[first].entry_id == meant
    assert found[first].match is not None
    assert found[first].match["score"] >= 0.95
    assert {"pairs"} <= set(found[first + 1].match or {}) & set(found[first + 2].match or {})
    assert first + 3 not in found
    assert checked.rows_new + checked.rows_changed + checked.rows_same == 5

    committed = filled.commit(batch_id)

    assert committed.state == "committed"
    with Session(filled.owner) as session:
        opened = session.scalars(
            select(DuplicatePair).where(DuplicatePair.source == f"import:{batch_id}")
        ).all()
        assert len(opened) >= 2
        assert {pair.state for pair in opened} == {"open"}
        assert session.scalar(select(Enterprise.uscc).where(Enterprise.id == meant)) == code
        keyed = session.execute(text(
            "SELECT entry_id FROM import_key AS k JOIN import_source AS s ON s.id = k.source_id"
            " WHERE s.code = 'tax' AND own_id = 'b1'"
        )).scalar_one()  # fmt: skip
        assert keyed == meant

    again = filled.whole(table(rows), source="tax")
    assert (again.rows_new, again.rows_same) == (0, 5)
    filled.undo(again.id)
    undone = filled.undo(batch_id)
    assert undone.rows_kept == 0
    with Session(filled.owner) as session:
        assert set(session.scalars(text("SELECT t::text FROM enterprise AS t"))) == before


def test_a_source_that_matches_exactly_enters_what_it_does_not_know(filled: Desk) -> None:
    name, _, x, y = firms()[3]
    batch_id = filled.send(table([(name, "", "公司", "F", x, y, "c1")]), source="exact")
    with filled.batch(batch_id) as (session, batch):
        service.ask_check(session, batch, replace(settings_of(batch.settings), match="exact"))
    running.run_check(filled.worker, filled.store, batch_id, now=NOW)
    assert filled.state(batch_id).rows_new == 1
    assert matches(filled.owner, batch_id) == {}
    with filled.batch(batch_id) as (session, batch):
        source = service.source_of(session, batch)
        assert source.settings["match"] == "exact"


def test_what_a_source_calls_an_entry_given_up_means_the_survivor(filled: Desk) -> None:
    known = firms()
    with Session(filled.owner) as session, session.begin():
        scope.state(driver(session.connection()), filled.actor)
        ids = {row.uscc: row.id for row in session.execute(select(Enterprise.uscc, Enterprise.id))}
        kept, gone = ids[known[0][1]], ids[known[1][1]]
        now = datetime(2026, 3, 5, tzinfo=UTC)
        pairs.keep(
            session.connection(), [pairs.Found(kept, gone, 0.9, "alike", EVIDENCE)],
            source="register", now=now,
        )  # fmt: skip
        key = session.scalar(select(DuplicatePair.id).where(
            DuplicatePair.one == min(kept, gone), DuplicatePair.other == max(kept, gone)))  # fmt: skip
        assert key is not None
        merging.merge(session, filled.actor, key, kept=kept, take=("uscc",), why="同一家", now=now,
                      today=date(2026, 3, 5), source_ip="::1")  # fmt: skip
    name, _, x, y = known[1]
    rows = [(name, known[0][1], "公司", "F", x, y, "a1")]  # the code that the other entry has now
    taken = filled.whole(table(rows), source="market")

    assert (taken.rows_new, taken.rows_rejected) == (0, 0)
    with Session(filled.owner) as session:
        stands = session.get_one(Enterprise, kept)
        assert stands.uscc == known[1][1]
        assert session.get_one(Enterprise, gone).merged_into == kept
        row = session.scalar(select(ImportRow).where(ImportRow.batch_id == taken.id))
        assert row is not None
        assert row.entry_id == kept
