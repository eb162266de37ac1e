"""The branches of a case through the service on real PostGIS: what each leaves behind."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.incidents.errors import (
    ForbiddenMove,
    NoMain,
    NothingToUndo,
    NotYourMove,
    TooLate,
    TooOften,
    Waiting,
)
from grids.incidents.models import IncidentEvent, IncidentLink, IncidentTask
from grids.incidents.owners import owner_of_case
from tests.support.cases import (
    DEPARTMENT,
    OTHER_DEPARTMENT,
    Desk,
    build_city,
    make_actor,
    make_photo,
    make_staff,
)


@pytest.fixture
def desk(session: Session) -> Desk:
    build_city(session)
    return Desk(session, make_staff(session))


def test_a_merged_case_counts_once_and_comes_back_whole(desk: Desk) -> None:
    main, other = desk.submit(), desk.submit()
    desk.move(other, "merge", "intake", main=main)

    assert (desk.row(other).status, desk.row(other).main_id) == ("merged", main)
    assert desk.row(main).report_count == 2
    links = desk.session.scalars(select(IncidentLink).where(IncidentLink.other_id == main)).all()
    assert [link.incident_id for link in links] == [other]

    desk.move(other, "unmerge", "intake", note="不是同一处")
    assert (desk.row(other).status, desk.row(other).main_id) == ("pending_accept", None)
    assert desk.row(main).report_count == 1
    assert desk.row(other).due_at is not None


def test_a_case_is_not_merged_into_itself_or_into_one_that_is_over(desk: Desk) -> None:
    case, over = desk.submit(), desk.submit()
    desk.move(over, "reject", "intake", reason="duplicate")

    for main in (case, over):
        with pytest.raises(NoMain):
            desk.move(case, "merge", "intake", main=main)


def test_the_fast_track_is_for_emergencies_and_stamps_both_times(desk: Desk) -> None:
    slow, fast = desk.submit(urgency="C"), desk.submit(urgency="A")
    with pytest.raises(ForbiddenMove):
        desk.move(slow, "fast_track", "shift_leader", department=DEPARTMENT)

    desk.move(fast, "fast_track", "shift_leader", department=DEPARTMENT)

    row = desk.row(fast)
    assert (row.status, row.filed_at, row.dispatched_at) == ("pending_sign", desk.now, desk.now)


def test_a_limit_is_extended_twice_at_most_and_the_second_time_by_leadership(desk: Desk) -> None:
    case = desk.submit()
    desk.take_to(case, "handling")
    first = desk.row(case).handling_due_at
    assert first is not None
    for count, judge in ((1, "shift_leader"), (2, "commander")):
        until = first + timedelta(days=count)
        desk.move(case, "ask_extend", "handler", until=until, reason="weather")
        if count == 2:
            with pytest.raises(NotYourMove):
                desk.move(case, "extend", "shift_leader", note="同意")
        desk.move(case, "extend", judge, note="同意")
        assert desk.row(case).due_at == desk.row(case).handling_due_at == until
    assert desk.row(case).first_due_at == first

    with pytest.raises(TooOften):
        desk.move(case, "ask_extend", "handler", until=first + timedelta(days=9), reason="weather")


def test_an_extension_is_asked_for_before_the_limit(desk: Desk) -> None:
    case = desk.submit(urgency="A")
    desk.take_to(case, "handling")
    desk.later(days=30)

    with pytest.raises(TooLate):
        desk.move(
            case, "ask_extend", "handler", until=desk.now + timedelta(days=1), reason="weather"
        )


def test_a_suspended_case_stands_still_and_gets_the_rest_of_its_limit(desk: Desk) -> None:
    case = desk.submit(urgency="A")
    desk.take_to(case, "handling")
    due = desk.row(case).due_at
    assert due is not None
    until = desk.now + timedelta(days=90)
    desk.move(case, "ask_suspend", "handler", until=until, reason="season")
    desk.move(case, "suspend", "commander", note="同意")
    assert (desk.row(case).status, desk.row(case).due_at) == ("suspended", None)
    desk.later(days=40)

    desk.move(case, "resume", "dispatcher", note="条件具备")

    assert desk.row(case).due_at == due + timedelta(days=40)
    with pytest.raises(TooOften):
        desk.move(case, "ask_suspend", "handler", until=until, reason="season")


def test_a_case_goes_to_review_when_every_sub_task_has_replied(desk: Desk) -> None:
    other = make_actor(desk.session, "handler", department=OTHER_DEPARTMENT)
    photo = make_photo(desk.session)
    case = desk.submit()
    desk.take_to(case, "pending_dispatch")
    desk.move(case, "dispatch", "dispatcher", department=DEPARTMENT, assisting=(OTHER_DEPARTMENT,))
    desk.move(case, "sign", "handler")

    desk.move(case, "reply", "handler", note="完成", photos=(photo,))
    assert desk.row(case).status == "handling"
    desk.later(hours=1)
    desk.move(case, "assist_reply", other, note="协办完成")

    row = desk.row(case)
    assert (row.status, row.handled_at) == ("pending_review", desk.now)
    tasks = desk.session.scalars(
        select(IncidentTask).where(IncidentTask.incident_id == case).order_by(IncidentTask.id)
    ).all()
    assert [task.number for task in tasks] == [f"{row.number}-01", f"{row.number}-02"]
    assert [task.replied_at for task in tasks] == [desk.now - timedelta(hours=1), desk.now]


def test_an_assisting_department_takes_its_sub_task_on_or_gives_it_back(desk: Desk) -> None:
    first = make_actor(desk.session, "handler", department=OTHER_DEPARTMENT)
    second = make_actor(desk.session, "handler", department="D02")
    case = desk.submit()
    desk.take_to(case, "pending_dispatch")
    desk.move(case, "dispatch", "dispatcher", department=DEPARTMENT,
              assisting=(OTHER_DEPARTMENT, "D02"))  # fmt: skip

    desk.move(case, "assist_sign", first)
    with pytest.raises(NotYourMove):
        desk.move(case, "assist_return", first, reason="not_our_duty")
    with pytest.raises(NotYourMove):
        desk.move(case, "assist_sign", "handler")
    desk.move(case, "sign", "handler")
    desk.move(case, "reply", "handler", note="完成", photos=(make_photo(desk.session),))
    desk.move(case, "assist_reply", first, note="协办完成")
    assert desk.row(case).status == "handling"
    desk.later(hours=1)
    desk.move(case, "assist_return", second, reason="not_our_duty")

    # Nobody is waited for any more: the desk judges what the lead has done.
    row = desk.row(case)
    assert (row.status, row.handled_at) == ("pending_review", desk.now)
    assert row.flags["assist_returned"] == ["D02"]
    tasks = desk.session.scalars(
        select(IncidentTask).where(IncidentTask.incident_id == case).order_by(IncidentTask.id)
    ).all()
    assert [bool(task.signed_at) for task in tasks] == [True, True, False]
    assert [bool(task.returned_at) for task in tasks] == [False, False, True]


def test_asking_the_reporter_stops_the_clock_in_the_open(desk: Desk) -> None:
    case = desk.submit()
    due = desk.row(case).due_at
    assert due is not None
    desk.move(case, "ask_reporter", "intake", note="在几号楼？")
    assert desk.row(case).due_at is None
    with pytest.raises(Waiting):
        desk.move(case, "accept", "intake")
    desk.later(hours=5)

    desk.move(case, "reporter_answered", "intake", note="3 号楼")

    assert desk.row(case).due_at == due + timedelta(hours=5)
    desk.move(case, "accept", "intake")


def test_a_case_goes_down_to_the_grid_and_up_again(desk: Desk) -> None:
    case = desk.submit()
    desk.take_to(case, "pending_dispatch")
    desk.move(case, "delegate", "dispatcher")
    with pytest.raises(NotYourMove):
        desk.move(case, "dispatch", "dispatcher", department=DEPARTMENT)
    desk.move(case, "delegate", "town_seat", level="grid")
    owner = owner_of_case(desk.row(case))
    assert owner is not None
    assert owner.role == "worker"
    desk.move(case, "take", "worker")

    desk.move(case, "escalate", "worker", note="处置不了")

    assert (desk.row(case).level, desk.row(case).status) == ("village", "pending_dispatch")


def test_the_own_last_step_is_undone_within_thirty_seconds(desk: Desk) -> None:
    case = desk.submit()
    before = desk.row(case).due_at
    desk.move(case, "accept", "intake")
    desk.later(seconds=20)
    with pytest.raises(NothingToUndo):
        desk.move(case, "undo", "shift_leader")

    desk.move(case, "undo", "intake")

    row = desk.row(case)
    assert (row.status, row.due_at, row.event_count) == ("pending_accept", before, 3)
    desk.move(case, "accept", "intake")
    desk.later(seconds=31)
    with pytest.raises(NothingToUndo):
        desk.move(case, "undo", "intake")


def test_evidence_that_comes_after_closing_is_kept_flagged_and_told(desk: Desk) -> None:
    case = desk.submit()
    photo = make_photo(desk.session)
    desk.take_to(case, "pending_check")
    seen_at = desk.now
    desk.later(minutes=5)
    desk.move(case, "check_ok", "grid_leader", photos=(photo,))
    desk.move(case, "close", "shift_leader")
    desk.later(hours=2)

    done = desk.move(
        case, "check_ok", "worker", note="现场照片", photos=(photo,), device_at=seen_at
    )

    assert (done.answer["late"], done.answer["status"]) == (True, "closed")
    assert desk.row(case).flags["late_evidence"]["by"] == desk.staff["worker"].account_id
    last = desk.session.scalars(
        select(IncidentEvent).where(IncidentEvent.incident_id == case).order_by(IncidentEvent.seq)
    ).all()[-1]
    assert (last.action, last.note, last.photos) == ("late_evidence", "现场照片", [photo])
    desk.move(case, "see_evidence", "dispatcher")
    assert "late_evidence" not in desk.row(case).flags


def test_a_granted_appeal_exempts_and_the_fact_stays(desk: Desk) -> None:
    case = desk.submit(urgency="A")
    desk.take_to(case, "handling")
    desk.later(days=9)
    desk.move(case, "reply", "handler", note="完成", photos=(make_photo(desk.session),))
    desk.move(case, "appeal", "handler", reason="force_majeure", note="台风")
    desk.move(case, "appeal_first", "shift_leader", note="属实")
    desk.move(case, "appeal_final", "commander", note="同意")

    row = desk.row(case)
    assert "exempt" in row.flags
    assert row.handled_at is not None
    assert row.handling_due_at is not None
    assert row.handled_at > row.handling_due_at
