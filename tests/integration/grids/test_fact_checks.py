"""Sources that disagree become one question for the spot; the answer is what holds from then on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.audit.models import AuditEvent
from grids.enterprises import Enterprise
from grids.facts import asking, checks
from grids.facts.checks import BadAnswer, CheckAnswered, NoCheck, NotAskable, Told
from grids.facts.models import Fact, FactCheck
from grids.flows.errors import OtherContent
from grids.registers.kinds import KINDS
from grids.synth.business import credit_codes
from tests.integration.grids.test_facts import POLICE, firm, sent
from tests.support import import_desk as desks
from tests.support.cases import make_actor
from tests.support.import_desk import NOW, Desk

WEST = "339901001"
LATER = NOW + timedelta(days=5)


@pytest.fixture
def desk(import_desk: Desk) -> Desk:
    """The desk under the name that fits here, without questions of another test."""
    with import_desk.owner.begin() as connection:
        connection.execute(text("TRUNCATE fact_check"))
    return import_desk


@pytest.fixture(scope="module")
def codes() -> list[str]:
    return credit_codes(["company"] * 30, np.random.default_rng(9))


@pytest.fixture
def worker(desk: Desk) -> Actor:
    with Session(desk.owner) as session, session.begin():
        return make_actor(session, "worker", WEST)


def disagree(desk: Desk, codes: list[str]) -> None:
    """Two sources that tell the number of staff otherwise: nobody but the spot can say."""
    sent(desk, [firm(code, 员工人数="10") for code in codes], "police", POLICE)
    sent(desk, [firm(code, 员工人数="30") for code in codes], "club", None, 1)
    with Session(desk.worker) as session, session.begin():
        asking.ask_all(session, now=LATER)


def asked(desk: Desk, state: str = "open") -> list[FactCheck]:
    with Session(desk.owner, expire_on_commit=False) as session:
        return list(session.scalars(
            select(FactCheck).where(FactCheck.state == state).order_by(FactCheck.id)))  # fmt: skip


def say(desk: Desk, worker: Actor, check: FactCheck, kind: str, value: str = "", **more: object):
    told = Told(uuid4(), kind, value)
    with Session(desk.owner) as session, session.begin():
        return checks.answer(
            session, worker, check.id, replace(told, **more), now=datetime.now(UTC)
        )


def staff(desk: Desk, code: str) -> int | None:
    return desk.firms()[code].staff


def test_sources_that_disagree_become_one_question(desk: Desk, codes: list[str]) -> None:
    disagree(desk, codes[:2])
    with Session(desk.worker) as session, session.begin():
        asking.ask_all(session, now=LATER)

    found = asked(desk)
    assert [(one.register, one.field, one.why) for one in found] == [("enterprise", "staff", "conflict")] * 2  # fmt: skip
    assert {one["value"] for one in found[0].candidates} == {"10", "30"}
    assert found[0].candidates[0]["sources"] == ["import:club"]
    assert found[0].area_code == "339901001001001"


def test_the_answer_of_the_spot_holds_against_the_next_file(
    desk: Desk, worker: Actor, codes: list[str]
) -> None:
    disagree(desk, codes[:1])
    (check,) = asked(desk)
    assert staff(desk, codes[0]) == 30

    say(desk, worker, check, "value", "10")
    sent(desk, [firm(codes[0], 员工人数="31")], "club", None, 2)

    assert staff(desk, codes[0]) == 10
    assert asked(desk) == []
    with Session(desk.owner) as session:
        fact = session.scalars(select(Fact).where(Fact.source == "ground", Fact.field == "staff")).one()  # fmt: skip
        assert (fact.said_by, fact.evidence) == (worker.account_id, f"check:{check.id}")
        assert session.scalar(select(func.count()).select_from(AuditEvent).where(
            AuditEvent.action == "fact_checked", AuditEvent.actor_id == worker.account_id)) == 1  # fmt: skip


def test_an_answer_of_ones_own_is_read_like_a_correction(
    desk: Desk, worker: Actor, codes: list[str]
) -> None:
    disagree(desk, codes[:1])
    (check,) = asked(desk)

    with pytest.raises(BadAnswer):
        say(desk, worker, check, "other", "viele")
    with pytest.raises(BadAnswer):
        say(desk, worker, check, "value", "11")
    assert staff(desk, codes[0]) == 30
    say(desk, worker, check, "other", "12")

    assert staff(desk, codes[0]) == 12


def test_an_answer_sent_twice_is_one_and_another_comes_too_late(
    desk: Desk, worker: Actor, codes: list[str]
) -> None:
    disagree(desk, codes[:1])
    (check,) = asked(desk)
    key = UUID(int=uuid4().int)
    first = say(desk, worker, check, "value", "10", id=key)
    again = say(desk, worker, check, "value", "10", id=key)

    assert (first.is_new, again.is_new, again.body) == (True, False, first.body)
    with pytest.raises(OtherContent):
        say(desk, worker, check, "value", "30", id=key)
    with pytest.raises(CheckAnswered):
        say(desk, worker, check, "value", "30")


def test_others_see_and_answer_nothing(desk: Desk, codes: list[str]) -> None:
    disagree(desk, codes[:1])
    (check,) = asked(desk)
    with Session(desk.owner) as session, session.begin():
        east = make_actor(session, "worker", "339901002")

        assert checks.open_checks(session, east) == []
        assert checks.count_open(session, east) == 0
    with pytest.raises(NoCheck):
        say(desk, east, check, "value", "10")
    assert staff(desk, codes[0]) == 30


def test_workers_are_not_flooded_and_the_next_question_follows(
    desk: Desk, worker: Actor, codes: list[str]
) -> None:
    disagree(desk, codes[: asking.PER_GRID + 2])

    assert (len(asked(desk)), len(asked(desk, "waiting"))) == (asking.PER_GRID, 2)
    say(desk, worker, asked(desk)[0], "unknown")

    assert (len(asked(desk)), len(asked(desk, "waiting"))) == (asking.PER_GRID, 1)


def test_who_cannot_tell_is_not_asked_again_until_a_source_says_something_new(
    desk: Desk, worker: Actor, codes: list[str]
) -> None:
    disagree(desk, codes[:1])
    say(desk, worker, asked(desk)[0], "unknown")
    with Session(desk.worker) as session, session.begin():
        asking.ask_all(session, now=LATER)

    assert asked(desk) == []
    assert staff(desk, codes[0]) == 30
    with desk.owner.begin() as connection:
        connection.execute(text("UPDATE fact_check SET answered_at = :at"), {"at": NOW + timedelta(days=3)})  # fmt: skip
    sent(desk, [firm(codes[0], 员工人数="40")], "club", None, 4)
    with Session(desk.worker) as session, session.begin():
        asking.ask_all(session, now=LATER)
    assert len(asked(desk)) == 1


def test_what_is_not_there_any_more_is_told_and_not_removed(
    desk: Desk, worker: Actor, codes: list[str]
) -> None:
    disagree(desk, codes[:1])
    say(desk, worker, asked(desk)[0], "gone")

    assert staff(desk, codes[0]) == 30
    with Session(desk.owner) as session:
        assert session.scalars(select(Fact.value).where(Fact.field == checks.GONE)).all() == ["yes"]


def test_places_that_lie_apart_are_asked_and_the_phones_place_holds(
    desk: Desk, worker: Actor, codes: list[str]
) -> None:
    sent(desk, [firm(codes[0], 经度=120.05), firm(codes[1], 经度=120.05)], "police", POLICE)
    sent(desk, [firm(codes[0], 经度=120.06), firm(codes[1], 经度=120.0501)], "club", None, 1)
    with Session(desk.worker) as session, session.begin():
        asking.ask_all(session, now=LATER)
    (check,) = asked(desk)
    assert check.field == "place"

    with pytest.raises(BadAnswer):
        say(desk, worker, check, "other", lon=500.0, lat=1.0)
    say(desk, worker, check, "other", lon=120.055, lat=29.3)

    with Session(desk.owner) as session:
        row = session.execute(select(Enterprise.geom.ST_X(), Enterprise.coord_source, Enterprise.area_code)
                              .where(Enterprise.uscc == codes[0])).one()  # fmt: skip
        assert (row[0], row[1], row[2]) == (120.055, "gnss", "339901001001001")


def test_a_steward_asks_about_one_entry(desk: Desk, worker: Actor, codes: list[str]) -> None:
    sent(desk, [firm(codes[0], 员工人数="10")], "police", POLICE)
    kind = KINDS["enterprise"]
    with Session(desk.owner) as session, session.begin():
        entry = session.scalars(select(Enterprise)).one()
        assert checks.ask(session, kind, entry, "staff", desk.actor, now=LATER)
        assert not checks.ask(session, kind, entry, "staff", desk.actor, now=LATER)
        with pytest.raises(NotAskable):
            checks.ask(session, kind, entry, "uscc", desk.actor, now=LATER)
    (check,) = asked(desk)
    assert (check.why, check.asked_by) == ("asked", desk.actor.account_id)

    say(desk, worker, check, "other", "11")

    assert staff(desk, codes[0]) == 11


def test_findings_of_quality_become_questions(desk: Desk, worker: Actor) -> None:
    head = ("场所名称", "场所类型", "面积", "经度", "纬度")
    desk.whole(
        desks.table([("小店", "商店", "1", "120.05", "29.3")], head),
        source="shops", target="premises",
    )  # fmt: skip
    with Session(desk.worker) as session, session.begin():
        asking.ask_all(session, now=LATER)

    (check,) = asked(desk)
    assert (check.field, check.why, check.candidates[0]["value"]) == ("floor_area_m2", "finding", "1")  # fmt: skip
    say(desk, worker, check, "other", "48.50")
    with Session(desk.owner) as session:
        assert session.scalar(text("SELECT floor_area_m2 FROM premises")) == 48.5
        assert session.scalars(select(Fact.value).where(Fact.source == "ground")).all() == ["48.5"]
