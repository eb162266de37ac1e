"""The daily sample check on real PostGIS: who can be drawn, the step, what a failed check does."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.codes import Category, CategoryRule
from grids.incidents import projection, sampling, tracking
from grids.incidents.errors import HandlerMayNotJudge
from grids.incidents.models import Incident, IncidentEvent
from grids.incidents.sampling import SampleCase, SampleDraw
from tests.support.cases import (
    DEPARTMENT,
    VAULT,
    Desk,
    build_city,
    make_actor,
    make_photo,
    make_staff,
)

DAY = date(2026, 3, 4)
MORNING = datetime.fromisoformat("2026-03-05T08:37:00+08:00").astimezone(UTC)
HEAD = "wangge audit head\nkind: day\nday: 2026-03-04\nfeed: 7 00ff\n"


@pytest.fixture
def desk(session: Session) -> Desk:
    build_city(session)
    return Desk(session, make_staff(session))


def easy(session: Session) -> str:
    """Return a category that the code list lets workers close on the spot."""
    found = session.scalar(
        select(Category.code)
        .join(CategoryRule, CategoryRule.category_id == Category.id)
        .where(
            CategoryRule.part == "self_handling",
            Category.kind == "matter",
            Category.parent.is_not(None),
        )
        .order_by(Category.code)
        .limit(1)
    )
    assert found is not None
    return found


def on_the_spot(desk: Desk) -> UUID:
    red, green = make_photo(desk.session), make_photo(desk.session, "green")
    return desk.submit(category=easy(desk.session), photos=(red,), after=(green,))


def fast(desk: Desk, **more: Any) -> UUID:
    case = desk.submit(urgency="A", **more)
    photo = make_photo(desk.session)
    desk.move(case, "fast_track", "shift_leader", department=DEPARTMENT)
    desk.move(case, "sign", "handler")
    desk.move(case, "reply", "handler", note="已抢修", photos=(photo,))
    desk.move(case, "ask_check", "dispatcher")
    desk.move(case, "check_ok", "grid_leader", photos=(photo,))
    desk.move(case, "close", "shift_leader")
    return case


def sign_head(session: Session, made_at: datetime = MORNING - timedelta(hours=8)) -> None:
    session.execute(
        text(
            "INSERT INTO audit_head (made_at, kind, no, events, body)"
            " VALUES (:at, 'day', 1, 1, :body)"
        ),
        {"at": made_at, "body": f"{HEAD}signature: AA==\n"},
    )


def drawn_of(session: Session) -> set[UUID]:
    return set(session.scalars(select(SampleCase.incident_id).where(SampleCase.is_drawn)))


def test_a_day_is_drawn_once_from_what_was_closed_without_the_whole_way(desk: Desk) -> None:
    spots = [on_the_spot(desk) for _ in range(22)]
    emergencies = [fast(desk), fast(desk)]
    usual = desk.submit()
    desk.take_to(usual, "closed")
    sign_head(desk.session)

    assert sampling.draw_due(desk.session, now=MORNING) == [DAY]
    assert sampling.draw_due(desk.session, now=MORNING + timedelta(hours=1)) == []

    draw = desk.session.get_one(SampleDraw, DAY)
    assert (draw.population, draw.size, draw.seed) == (24, 2, sampling.seed_of(HEAD))
    population = set(desk.session.scalars(select(SampleCase.incident_id)))
    assert population == {*spots, *emergencies}
    numbers = {desk.row(case).number for case in population}
    chosen = {desk.row(case).number for case in drawn_of(desk.session)}
    assert chosen == set(sampling.drawn(draw.seed, numbers))
    states = {case: desk.row(case).status for case in population}
    assert {case for case, status in states.items() if status == "pending_verify"} == drawn_of(
        desk.session
    )
    one = sampling.shown(desk.session, desk.staff["commander"], DAY)
    assert one is not None
    assert sampling.redone(one) is True
    east = make_actor(desk.session, "town_seat", area="339901002")
    far = sampling.shown(desk.session, east, DAY)
    assert far is not None
    assert (far.cases, sampling.redone(far)) == ((), None)


def test_no_day_is_drawn_before_its_head_nor_at_night(desk: Desk) -> None:
    on_the_spot(desk)
    sign_head(desk.session, made_at=datetime.fromisoformat("2026-03-04T23:59:59+08:00"))
    assert sampling.draw_due(desk.session, now=MORNING) == []  # that head came before the end

    sign_head(desk.session)
    assert sampling.draw_due(desk.session, now=MORNING - timedelta(hours=6)) == []
    assert sampling.draw_due(desk.session, now=MORNING) == [DAY]


def checker(desk: Desk) -> Actor:
    return desk.staff["grid_leader"]


def test_who_handled_it_does_not_check_it_and_a_good_one_goes_back_to_where_it_was(
    desk: Desk,
) -> None:
    spot, emergency = on_the_spot(desk), fast(desk)
    closed_at = {case: desk.row(case).closed_at for case in (spot, emergency)}
    photo = make_photo(desk.session, "blue")
    for case, back in ((spot, "self_handled"), (emergency, "closed")):
        desk.move(case, "sample", "shift_leader")
        assert desk.row(case).status == "pending_verify"
        desk.later(minutes=5)
        if case is spot:
            with pytest.raises(HandlerMayNotJudge), desk.session.begin_nested():
                desk.move(case, "sample_ok", "worker", photos=(photo,))
            desk.session.expire_all()
        desk.move(case, "sample_ok", checker(desk), photos=(photo,))

        assert (desk.row(case).status, desk.row(case).closed_at) == (back, closed_at[case])


def test_a_failed_check_takes_the_case_up_again_as_new(desk: Desk) -> None:
    for case in (on_the_spot(desk), fast(desk)):
        desk.move(case, "sample", "shift_leader")
        desk.move(case, "sample_failed", checker(desk), reason="not_solved")

        row = desk.row(case)
        assert (row.status, row.closed_at, row.department_code) == ("pending_accept", None, None)
        assert row.due_at is not None
        log = desk.session.scalars(
            select(IncidentEvent)
            .where(IncidentEvent.incident_id == case)
            .order_by(IncidentEvent.seq)
        ).all()
        assert projection.rebuild(log) == projection.of_row(row)


def test_the_reporter_sees_no_change_while_a_sample_is_checked(desk: Desk) -> None:
    case = fast(desk, channel="public")
    code = tracking.code_for(VAULT, case)
    assert tracking.public_status(desk.session, code).status == "done"

    desk.move(case, "sample", "shift_leader")
    assert tracking.public_status(desk.session, code).status == "done"
    desk.move(case, "sample_failed", checker(desk), reason="not_solved")

    assert tracking.public_status(desk.session, code).status == "received"
    assert desk.session.get_one(Incident, case).handled_at is None
