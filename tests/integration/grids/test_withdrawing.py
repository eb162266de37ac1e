"""Corrections by hand that are taken back: what holds then, the history, files that went out."""

import csv
import io

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.facts import corrections
from grids.registers import changes, withdrawing
from grids.registers.changes import BadValue
from grids.registers.kinds import KINDS
from grids.registers.withdrawing import NothingToWithdraw
from grids.synth.business import credit_codes
from tests.integration.grids.test_corrections import lines, make
from tests.integration.grids.test_facts import MARKET, POLICE, facts, firm, sent
from tests.support.import_desk import NOW, Desk

FIRM = KINDS["enterprise"]


@pytest.fixture
def desk(import_desk: Desk) -> Desk:
    """The desk under the name that fits here, with nothing told."""
    with import_desk.owner.begin() as connection:
        connection.execute(text("TRUNCATE fact_check, correction, correction_file"))
    return import_desk


@pytest.fixture(scope="module")
def code() -> str:
    return credit_codes(["company"], np.random.default_rng(23))[0]


def correct(desk: Desk, code: str, **given: str) -> None:
    with Session(desk.owner) as session, session.begin():
        entry = session.get_one(FIRM.model, desk.firms()[code].id)
        changes.correct(
            session, FIRM, entry, given, "电话核实", desk.actor, source_ip="127.0.0.1", now=NOW
        )


def withdraw(desk: Desk, code: str, field: str, reason: str = "问错了人") -> int:
    with Session(desk.owner) as session, session.begin():
        entry = session.get_one(FIRM.model, desk.firms()[code].id)
        return withdrawing.withdraw(
            session, FIRM, entry, field, reason, desk.actor, source_ip="127.0.0.1", now=NOW
        )


def test_the_value_falls_back_to_what_the_sources_say_and_the_history_keeps_both(
    desk: Desk, code: str
) -> None:
    sent(desk, [firm(code, 员工人数="10")], "market", MARKET)
    sent(desk, [firm(code, 员工人数="12")], "police", POLICE, 1)
    correct(desk, code, staff="99")
    correct(desk, code, staff="98")
    sent(desk, [firm(code, 员工人数="14")], "police", POLICE, 2)
    assert desk.firms()[code].staff == 98

    assert withdraw(desk, code, "staff") == 0

    assert desk.firms()[code].staff == 14
    assert facts(desk, "staff") == {"import:market": "10", "import:police": "14"}
    with Session(desk.owner) as session:
        entry = session.get_one(FIRM.model, desk.firms()[code].id)
        told = [(one.reason, *{f[0]: f[1:] for f in one.fields}["staff"])
                for one in changes.changes_of(session, FIRM, entry)]  # fmt: skip
        assert told[:3] == [("问错了人", 98, 14), ("电话核实", 99, 98), ("电话核实", 12, 99)]
        assert withdrawing.by_hand(session, FIRM, entry) == []
        noted = session.execute(
            text("SELECT detail FROM audit_event WHERE action = 'register_withdrawn'"
                 " AND subject = :s"), {"s": f"enterprise:{entry.id}"},
        ).scalars().all()  # fmt: skip
    assert [one["fields"] for one in noted] == [["staff"]]


def test_what_nobody_else_has_said_is_as_it_was_before(desk: Desk, code: str) -> None:
    sent(desk, [firm(code, 员工人数="", 成立日期="")], "market", MARKET)
    before = desk.firms()[code]
    assert (before.staff, before.registered_on, before.status) == (None, None, "open")
    correct(desk, code, staff="7", registered_on="2020-02-02", status="suspended")
    correct(desk, code, status="closed")

    for field in ("staff", "registered_on", "status"):
        withdraw(desk, code, field)

    after = desk.firms()[code]
    assert (after.staff, after.registered_on, after.status) == (None, None, "open")


def test_files_that_went_out_say_that_the_line_is_withdrawn(desk: Desk, code: str) -> None:
    sent(desk, [firm(code, 员工人数="10")], "market", MARKET)
    sent(desk, [firm(code, 员工人数="12")], "police", POLICE, 1)
    correct(desk, code, staff="99", name="改过的有限公司")
    files = [make(desk, name) for name in ("market", "police")]

    assert withdraw(desk, code, "staff", "=弄错了") == 2

    for file_id in files:
        states = {one.field: (one.state, one.reason) for one in lines(desk, file_id)}
        assert states == {"staff": ("withdrawn", "=弄错了"), "name": ("open", "")}
        body = "".join(corrections.csv_of(lines(desk, file_id), corrections.HEADS, {}))
        rows = {
            row["field"]: row for row in csv.DictReader(io.StringIO(body.removeprefix("\ufeff")))
        }
        assert (rows["staff"]["withdrawn"], rows["name"]["withdrawn"]) == ("'=弄错了", "")
        with Session(desk.owner) as session:
            file, _source = corrections.file_of(session, desk.actor, file_id)
            assert corrections.withdrawn(session, desk.actor, file) == 1
    # What the police say holds now; the market office is told that, in a file of its own.
    (line,) = lines(desk, make(desk, "market"))
    assert (line.field, line.said, line.holds, line.because) == (
        "staff",
        "10",
        "12",
        "import:police",
    )


def test_a_line_stays_where_another_source_holds_the_value_too(desk: Desk, code: str) -> None:
    sent(desk, [firm(code, 企业名称="真名有限公司")], "market", MARKET)
    sent(desk, [firm(code, 企业名称="别名")], "police", POLICE, 1)
    correct(desk, code, name="改名有限公司")
    file_id = make(desk, "police")
    sent(desk, [firm(code, 企业名称="改名有限公司")], "market", MARKET, 2)

    assert withdraw(desk, code, "name") == 0
    assert [one.state for one in lines(desk, file_id)] == ["open"]
    assert desk.firms()[code].name == "改名有限公司"


def test_without_a_reason_or_a_correction_nothing_changes(desk: Desk, code: str) -> None:
    sent(desk, [firm(code, 员工人数="10")], "market", MARKET)
    correct(desk, code, staff="99")

    with pytest.raises(BadValue):
        withdraw(desk, code, "staff", " ")
    with pytest.raises(NothingToWithdraw):
        withdraw(desk, code, "name")
    assert desk.firms()[code].staff == 99
    withdraw(desk, code, "staff")
    with pytest.raises(NothingToWithdraw):
        withdraw(desk, code, "staff")
