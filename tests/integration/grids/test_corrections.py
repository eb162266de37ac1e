"""The whole way round: planted errors, questions, answers, corrections, receipt, a feed put right."""

import csv
import io
from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids import exports
from grids.accounts import Actor
from grids.facts import asking, checks, corrections
from grids.facts.checks import Told
from grids.facts.corrections import BadReceipt, NoFile, NothingToCorrect
from grids.facts.models import Correction, CorrectionFile, FactCheck
from grids.importing.batches.models import ImportSource
from grids.synth.business import credit_codes
from tests.integration.grids.test_facts import POLICE, firm, sent
from tests.support.cases import make_actor
from tests.support.import_desk import NOW, Desk


@pytest.fixture
def desk(import_desk: Desk) -> Desk:
    """The desk under the name that fits here, with nothing asked or told."""
    with import_desk.owner.begin() as connection:
        connection.execute(text("TRUNCATE fact_check, correction, correction_file"))
    return import_desk


@pytest.fixture(scope="module")
def codes() -> list[str]:
    return credit_codes(["company"] * 8, np.random.default_rng(11))


def source_id(session: Session, code: str) -> int:
    return session.scalars(select(ImportSource.id).where(ImportSource.code == code)).one()


def make(desk: Desk, code: str, actor: Actor | None = None) -> int:
    with Session(desk.owner) as session, session.begin():
        return corrections.make(
            session, actor or desk.actor, source_id(session, code), reason=next(iter(exports.REASONS)),
            note="每月交回来源部门更正", now=datetime.now(UTC), source_ip="127.0.0.1",
        ).id  # fmt: skip


def lines(desk: Desk, file_id: int) -> list[Correction]:
    with Session(desk.owner, expire_on_commit=False) as session:
        file, _source = corrections.file_of(session, desk.actor, file_id)
        return list(corrections.lines_of(session, desk.actor, file))


def answer(desk: Desk, truth: dict[int, str]) -> None:
    """Let the worker of the west answer every open question by what is true."""
    with Session(desk.owner) as session, session.begin():
        worker = make_actor(session, "worker", "339901001")
        for one in session.scalars(select(FactCheck).where(FactCheck.state == "open")).all():
            told = Told(uuid4(), "other", truth[one.entry_id])
            checks.answer(session, worker, one.id, told, now=datetime.now(UTC))


def test_planted_errors_are_found_repaired_and_told_to_their_source(
    desk: Desk, codes: list[str]
) -> None:
    truth = {code: str(10 + k) for k, code in enumerate(codes)}
    wrong = dict.fromkeys(codes[:3], "99")
    sent(desk, [firm(code, 员工人数=staff) for code, staff in truth.items()], "club")
    sent(desk, [firm(code, 员工人数=(truth | wrong)[code]) for code in codes], "police", POLICE, 1)
    entries = {row.id: truth[code] for code, row in desk.firms().items()}

    with Session(desk.worker) as session, session.begin():
        assert asking.ask_all(session, now=NOW) == 3
    answer(desk, entries)
    assert {code: str(row.staff) for code, row in desk.firms().items()} == truth

    file_id = make(desk, "police")
    told = lines(desk, file_id)
    assert {(one.said, one.holds, one.because) for one in told} == {
        ("99", truth[code], "ground") for code in wrong
    }  # fmt: skip
    assert all(one.evidence and one.evidence.startswith("check:") for one in told)
    with pytest.raises(NothingToCorrect):
        make(desk, "police")
    with pytest.raises(NothingToCorrect):
        make(desk, "club")

    with Session(desk.owner) as session, session.begin():
        corrections.receive(
            session, desk.actor, file_id, {told[0].id: "证照上就是这个数"}, by="公安局基础科",
            now=datetime.now(UTC), source_ip="127.0.0.1",
        )  # fmt: skip
    assert sorted(one.state for one in lines(desk, file_id)) == ["refused", "taken", "taken"]

    sent(desk, [firm(code, 员工人数=staff) for code, staff in truth.items()], "police", day=2)

    assert {one.state for one in lines(desk, file_id)} == {"closed"}
    assert {code: str(row.staff) for code, row in desk.firms().items()} == truth


def test_a_source_is_told_again_only_what_is_new(desk: Desk, codes: list[str]) -> None:
    sent(desk, [firm(codes[0], 企业名称="真名"), firm(codes[1])], "market", "D12")
    sent(desk, [firm(codes[0], 企业名称="别名"), firm(codes[1])], "police", POLICE, 1)
    first = make(desk, "police")
    sent(desk, [firm(codes[0], 企业名称="别名"), firm(codes[1], 企业名称="又错")], "police", day=2)

    second = make(desk, "police")

    assert [(one.field, one.said, one.holds) for one in lines(desk, first)] == [("name", "别名", "真名")]  # fmt: skip
    assert [one.said for one in lines(desk, second)] == ["又错"]


def test_the_file_says_the_sources_own_id_and_no_formula(desk: Desk, codes: list[str]) -> None:
    sent(desk, [firm(codes[0], 企业名称="真名")], "market", "D12")
    sent(desk, [firm(codes[0], 企业名称="=1+1")], "police", POLICE, 1)
    told = lines(desk, make(desk, "police"))

    body = "".join(corrections.csv_of(told, corrections.HEADS, {"name": "名称"}))

    (row,) = csv.DictReader(io.StringIO(body.removeprefix("\ufeff")))
    assert (row["own_id"], row["field"], row["said"], row["true"]) == (codes[0], "名称", "'=1+1", "真名")  # fmt: skip


def test_what_is_gone_is_told_to_every_source_that_has_it(desk: Desk, codes: list[str]) -> None:
    sent(desk, [firm(codes[0], 员工人数="10")], "club")
    sent(desk, [firm(codes[0], 员工人数="20")], "police", POLICE, 1)
    with Session(desk.worker) as session, session.begin():
        asking.ask_all(session, now=NOW)
    with Session(desk.owner) as session, session.begin():
        worker = make_actor(session, "worker", "339901001")
        (check,) = session.scalars(select(FactCheck)).all()
        checks.answer(session, worker, check.id, Told(uuid4(), "gone"), now=datetime.now(UTC))

    assert ("gone", "yes") in {(one.field, one.holds) for one in lines(desk, make(desk, "club"))}
    assert ("gone", "yes") in {(one.field, one.holds) for one in lines(desk, make(desk, "police"))}


def test_a_receipt_that_does_not_fit_changes_nothing(desk: Desk, codes: list[str]) -> None:
    sent(desk, [firm(codes[0], 企业名称="真名")], "market", "D12")
    sent(desk, [firm(codes[0], 企业名称="别名")], "police", POLICE, 1)
    file_id = make(desk, "police")
    (line,) = lines(desk, file_id)

    def receive(refused: dict[int, str], by: str) -> None:
        with Session(desk.owner) as session, session.begin():
            corrections.receive(session, desk.actor, file_id, refused, by=by,
                                now=datetime.now(UTC), source_ip="")  # fmt: skip

    for refused, by in (({}, ""), ({line.id + 99: "不对"}, "公安局"), ({line.id: ""}, "公安局")):
        with pytest.raises(BadReceipt):
            receive(refused, by)
    assert lines(desk, file_id)[0].state == "open"
    receive({}, "公安局")
    with pytest.raises(BadReceipt):
        receive({}, "公安局")


def test_others_see_no_file_and_make_none(desk: Desk, codes: list[str]) -> None:
    sent(desk, [firm(codes[0], 企业名称="真名")], "market", "D12")
    sent(desk, [firm(codes[0], 企业名称="别名")], "police", POLICE, 1)
    file_id = make(desk, "police")
    with Session(desk.owner) as session, session.begin():
        east = make_actor(session, "steward", "339901002")

        assert corrections.files(session, east) == []
        with pytest.raises(NoFile):
            corrections.file_of(session, east, file_id)
    with pytest.raises(NoFile):
        make(desk, "police", east)
    with Session(desk.owner) as session:
        assert len(session.scalars(select(CorrectionFile)).all()) == 1
