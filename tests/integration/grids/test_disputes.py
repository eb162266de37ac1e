"""Disputes in a real database: steps, clocks, walls, sealed parties, figures."""

from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids import scope
from grids.bulk import driver
from grids.disputes import counts, parties, service
from grids.disputes.errors import BadParties, NoMediator, NoSuchArea, PartyPurpose, TermsOpen
from grids.flows import reading, taking
from grids.flows.errors import (
    ForbiddenStep,
    NoRecord,
    NotYourStep,
    OtherContent,
    SamePerson,
    UsedUp,
)
from grids.flows.reading import Wanted
from tests.support.cases import VAULT, WEST_GRID, build_city
from tests.support.flows import EAST_GRID, EAST_TOWN, PARTIES, WEST_TOWN, Office, make_actor
from tests.support.web import FORGET

CITY = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def office(session: Session) -> Office:
    build_city(session)
    return Office(session)


def local(at: datetime | None) -> str:
    assert at is not None
    return at.astimezone(CITY).strftime("%m-%d %H:%M")


def test_a_dispute_walks_from_registration_to_the_revisit(office: Office) -> None:
    key = office.mediate_to("mediating")
    office.step(key, "meet", "mediator", held_at="2026-03-05T15:00", place="村调解室",
                minutes="双方各让一步", present="甲、乙")  # fmt: skip
    office.step(key, "agree", "mediator", agreement="清理楼道", terms="2026-03-20 清理楼道")
    with pytest.raises(TermsOpen):
        office.step(key, "revisit_ok", "mediator", note="已回访")
    office.step(key, "perform", "mediator", term="1", performed_on="2026-03-19")

    office.step(key, "revisit_ok", "mediator", note="已回访，双方满意")

    row = office.dispute(key)
    assert (row.status, row.meeting_count, row.ended_at) == ("closed", 1, office.now)


def test_the_clocks_are_24_hours_then_30_days_and_once_30_more(office: Office) -> None:
    key = office.register()
    first = office.dispute(key).due_at
    office.later(hours=2)
    office.step(key, "assign", "town_seat", mediator=office.staff["mediator"].account_id)
    assigned = office.dispute(key).due_at
    office.step(key, "contact", "mediator", note="已联系")
    mediating = local(office.dispute(key).due_at)
    office.step(key, "ask_extend", "mediator", note="等待鉴定")
    office.step(key, "extend", "town_seat")

    assert local(first) == "03-05 12:00"
    assert assigned == first, "naming a mediator gives no new first contact"
    assert mediating == "04-03 17:30", "30 days after 4 March, at closing time"
    # 3 May lies in the holiday of 1 to 5 May: the limit ends on the next workday (art. 203).
    assert local(office.dispute(key).due_at) == "05-06 17:30"
    with pytest.raises(UsedUp):
        office.step(key, "ask_extend", "mediator", note="再延")


def test_who_asks_for_more_time_does_not_grant_it(office: Office) -> None:
    both = make_actor(office.session, "town_seat")
    grant = make_actor(office.session, "mediator").grants[0]
    from dataclasses import replace

    both = replace(both, roles=both.roles | {"mediator"}, grants=(*both.grants, grant))
    key = office.register()
    office.step(key, "assign", "town_seat", mediator=office.staff["mediator"].account_id)
    office.dispute(key).holder_id = both.account_id
    office.session.flush()
    office.step(key, "contact", both, note="已联系")
    office.step(key, "ask_extend", both, note="等待鉴定")

    with pytest.raises(SamePerson):
        office.step(key, "extend", both)


def test_a_mediator_who_is_not_named_does_nothing(office: Office) -> None:
    key = office.mediate_to("mediating")
    other = make_actor(office.session, "mediator")

    with pytest.raises(NotYourStep):
        office.step(key, "fail", other, reason="absent", way="court")
    with pytest.raises(ForbiddenStep):
        office.step(key, "assign", "town_seat", mediator=other.account_id)
    office.step(key, "reassign", "town_seat", mediator=other.account_id, note="回避")
    office.step(key, "fail", other, reason="absent", way="court")

    assert (office.dispute(key).status, office.dispute(key).way) == ("failed", "court")


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        ({"parties": PARTIES[:1]}, BadParties),
        ({"parties": [{**PARTIES[0], "side": "judge"}, PARTIES[1]]}, BadParties),
        ({"area": EAST_GRID}, NoSuchArea),
        ({"area": "339901"}, NoSuchArea),
        ({"area": f"{WEST_GRID[:-1]}9"}, NoSuchArea),
    ],
)
def test_what_is_no_dispute_is_refused(office: Office, sent, refused) -> None:
    with pytest.raises(refused):
        office.register(**sent)


def test_a_mediator_of_another_town_cannot_be_named(office: Office) -> None:
    key = office.register()
    stranger = make_actor(office.session, "mediator", area=EAST_TOWN)

    with pytest.raises(NoMediator):
        office.step(key, "assign", "town_seat", mediator=stranger.account_id)


def test_levels_lead_up_and_down_without_loss(office: Office) -> None:
    key = office.register()
    path = [office.dispute(key).level]
    for action, who, values in (
        ("escalate", "worker", {"reason": "no_mediator"}),
        ("escalate", "town_seat", {"reason": "too_complex"}),
        ("escalate", "town_seat", {"reason": "several_towns"}),
        ("delegate", "intake", {"note": "请镇街先行调解"}),
    ):
        office.step(key, action, who, **values)
        path.append(office.dispute(key).level)

    assert path == ["grid", "village", "town", "county", "town"]
    office.step(key, "escalate", "town_seat", reason="many_people")
    with pytest.raises(ForbiddenStep):
        office.step(key, "escalate", "town_seat", reason="many_people")


def test_a_broken_agreement_goes_back_to_mediation_with_a_new_term(office: Office) -> None:
    key = office.mediate_to("agreed")
    before = office.dispute(key).due_at
    office.later(days=30)

    office.step(key, "revisit_broken", "mediator", note="未清理")

    row = office.dispute(key)
    assert local(before) == "04-04 17:30", "15 days after the last term"
    assert (row.status, row.reopen_count) == ("mediating", 1)
    assert row.due_at > office.now


def test_sending_again_is_harmless_and_other_content_is_refused(office: Office) -> None:
    key = uuid4()
    office.register(id=key)
    office.register(id=key)
    with pytest.raises(OtherContent):
        office.register(id=key, text="另一件事")
    step = uuid4()
    named = office.staff["mediator"].account_id
    first = office.step(key, "assign", "town_seat", mediator=named, id=step)
    again = office.step(key, "assign", "town_seat", mediator=named, id=step)

    assert (first.is_new, again.is_new, first.body) == (True, False, again.body)
    assert office.session.scalar(text("SELECT count(*) FROM dispute_event")) == 2


def test_the_row_is_the_fold_of_its_events(office: Office) -> None:
    key = office.mediate_to("agreed")
    office.step(key, "comment", "town_seat", note="关注履行")
    row = office.dispute(key)

    folded = taking.rebuilt(office.session, service.KIND, key)

    assert {name: getattr(row, name) for name in folded} == folded


# -- walls


def test_another_town_and_who_has_no_part_see_nothing(office: Office) -> None:
    key = office.register()
    others = [
        make_actor(office.session, "town_seat", area=EAST_TOWN),
        make_actor(office.session, "mediator", area=EAST_TOWN),
        make_actor(office.session, "worker"),  # of the same grid, without part in it
        make_actor(office.session, "grid_leader"),
    ]
    for other in others:
        page = reading.page(office.session, service.KIND, other, Wanted(), now=office.now)
        assert (page.items, page.total) == ((), 0)
        with pytest.raises(NoRecord):
            reading.record(office.session, service.KIND, other, key, now=office.now)
        with pytest.raises(NoRecord):
            office.step(key, "comment", other, note="x")

    for insider in ("worker", "town_seat", "mediator", "intake"):
        mine = reading.page(
            office.session, service.KIND, office.staff[insider], Wanted(), now=office.now
        )
        assert mine.total == 1


def test_the_database_says_the_same_without_the_statement(office: Office) -> None:
    office.mediate_to("agreed")
    tables = ("dispute", "dispute_event", "dispute_party", "dispute_paper", "dispute_term")
    count = text(
        "SELECT (SELECT count(*) FROM dispute), (SELECT count(*) FROM dispute_event),"
        " (SELECT count(*) FROM dispute_party), (SELECT count(*) FROM dispute_paper),"
        " (SELECT count(*) FROM dispute_term)"
    )

    def seen(who) -> tuple[int, ...]:
        office.session.execute(text(FORGET))
        office.session.execute(text("SET ROLE wangge_app"))
        try:
            if who is not None:
                scope.state(driver(office.session.connection()), who)
            return tuple(office.session.execute(count).one())
        finally:
            office.session.execute(text("RESET ROLE"))

    nothing = (0,) * len(tables)
    stranger = make_actor(office.session, "worker")
    east = make_actor(office.session, "mediator", area=EAST_TOWN)

    assert [seen(None), seen(stranger), seen(east), seen(office.staff["commander"])] == [
        nothing
    ] * 4
    assert seen(office.staff["worker"]) == seen(office.staff["mediator"]) == (1, 4, 2, 1, 1)


def test_nothing_of_the_parties_is_readable_in_the_tables(office: Office) -> None:
    office.mediate_to("agreed")
    dump = office.session.scalar(
        text(
            "SELECT string_agg(t::text, '') FROM (SELECT to_jsonb(d) FROM dispute d"
            " UNION ALL SELECT to_jsonb(e) FROM dispute_event e"
            " UNION ALL SELECT to_jsonb(p) FROM dispute_party p"
            " UNION ALL SELECT to_jsonb(p) FROM dispute_paper p"
            " UNION ALL SELECT to_jsonb(p) FROM dispute_term p"
            " UNION ALL SELECT to_jsonb(k) FROM request_key k) AS t"
        )
    )

    assert [
        word for word in ("甲方", "乙方", "13800138000", "双方和解", "清理楼道") if word in dump
    ] == []


def test_parties_are_shown_for_a_purpose_and_the_look_is_kept(office: Office) -> None:
    key = office.mediate_to("agreed")
    mediator = office.staff["mediator"]
    with pytest.raises(PartyPurpose):
        parties.reveal(office.session, mediator, VAULT, key, "", now=office.now)
    east = make_actor(office.session, "mediator", area=EAST_TOWN)
    with pytest.raises(NoRecord):
        parties.reveal(office.session, east, VAULT, key, "mediate", now=office.now)

    found = parties.reveal(office.session, mediator, VAULT, key, "mediate", now=office.now)
    papers = parties.papers(office.session, mediator, VAULT, key)

    assert [(p.side, p.name, p.phone) for p in found] == [
        ("applicant", "甲方某人", "13800138000"), ("respondent", "乙方某人", ""),
    ]  # fmt: skip
    assert [(p.kind, p.body, p.terms[0].text) for p in papers] == [
        ("agreement", "双方和解", "清理楼道")
    ]
    kept = office.session.execute(
        text("SELECT action, subject, detail->>'purpose' FROM audit_event ORDER BY id DESC LIMIT 2")
    ).all()
    assert {row[0] for row in kept} == {"dispute_papers_read", "dispute_parties_revealed"}
    assert all(row[1] == f"dispute:{key}" for row in kept)


def test_figures_come_through_a_narrow_door_and_never_small(office: Office) -> None:
    office.now = datetime(2026, 2, 10, 2, tzinfo=UTC)
    for _ in range(12):
        office.register()
    for _ in range(3):
        office.register(kind="05")

    def told(who) -> tuple:
        office.session.execute(text(FORGET))
        office.session.execute(text("SET ROLE wangge_app"))
        try:
            scope.state(driver(office.session.connection()), who)
            asked = {"now": datetime(2026, 3, 4, tzinfo=UTC), "zone": CITY}
            return (
                counts.by_area(office.session, **asked).by_key,
                counts.by_kind(office.session, **asked),
            )
        finally:
            office.session.execute(text("RESET ROLE"))

    area, kind = told(office.staff["commander"])

    assert area == {WEST_TOWN: 15}
    assert (kind.by_key, kind.total) == ({"02": None, "05": None}, 15)
    assert told(office.staff["worker"])[0] == {}, "who may not count is told nothing"
    assert told(make_actor(office.session, "town_seat", area=EAST_TOWN))[0] == {}
