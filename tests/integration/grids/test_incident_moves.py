"""The life of a case on real PostGIS: who may do what, and what each step leaves behind."""

from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids.incidents import lifecycle, projection, service
from grids.incidents.errors import (
    ForbiddenMove,
    HandlerMayNotJudge,
    MissingField,
    NoIncident,
    NotYourMove,
    OtherBody,
    UnknownPhoto,
    UnknownReason,
    UnknownWorker,
    Withdrawn,
)
from grids.incidents.models import Incident, IncidentClock, IncidentEvent, IncidentTask
from grids.incidents.requests import MoveRequest
from tests.support.cases import (
    DEPARTMENT,
    EAST,
    OTHER_DEPARTMENT,
    VAULT,
    WEST_GRID,
    Desk,
    build_city,
    make_actor,
    make_photo,
    make_staff,
    report,
)


@pytest.fixture
def desk(session: Session) -> Desk:
    build_city(session)
    return Desk(session, make_staff(session))


def events(session: Session, incident_id: object) -> list[IncidentEvent]:
    log = select(IncidentEvent).where(IncidentEvent.incident_id == incident_id)
    return list(session.scalars(log.order_by(IncidentEvent.seq)))


def test_the_main_path_leads_to_closed_and_every_step_is_one_event(desk: Desk) -> None:
    case = desk.submit()

    desk.take_to(case, "closed")

    row = desk.row(case)
    log = events(desk.session, case)
    assert [event.action for event in log] == [
        "submit", "accept", "file", "dispatch", "sign", "reply", "ask_check", "check_ok", "close",
    ]  # fmt: skip
    assert [event.seq for event in log] == list(range(1, 10))
    assert (row.status, row.due_at, row.closed_at) == ("closed", None, desk.now)
    assert row.area_code == WEST_GRID


def test_a_public_report_is_verified_before_it_is_filed(desk: Desk) -> None:
    case = desk.submit(channel="public")

    desk.move(case, "accept", "intake")

    assert desk.row(case).status == "pending_verify"


def test_a_rebuild_from_events_equals_the_stored_row(desk: Desk) -> None:
    case = desk.submit(channel="public", urgency="A", address="和平路 3 号")
    photo = make_photo(desk.session)
    desk.take_to(case, "handling")
    desk.later(hours=3)
    desk.move(case, "handle", "handler", note="到场")
    desk.move(case, "reply", "handler", note="完成", photos=(photo,))
    desk.later(hours=2)
    desk.move(case, "rework", "dispatcher", reason="not_solved")
    desk.move(case, "ask_return", "handler", reason="not_our_duty")
    desk.move(case, "approve_return", "dispatcher", note="属城管局")
    desk.move(case, "send_back", "dispatcher", reason="wrong_category")
    desk.move(case, "file", "shift_leader", category="02001", urgency="B")
    desk.session.expire_all()

    rebuilt = projection.rebuilt(desk.session, case)

    assert rebuilt == projection.of_row(desk.row(case))
    assert (desk.row(case).rework_count, desk.row(case).return_count) == (1, 1)


def test_a_rework_gets_what_was_left_of_the_limit_and_never_a_new_one(desk: Desk) -> None:
    case = desk.submit(urgency="A")
    photo = make_photo(desk.session)
    desk.take_to(case, "handling")
    limit_end = desk.row(case).handling_due_at
    assert limit_end is not None
    desk.later(hours=2)
    desk.move(case, "reply", "handler", note="完成", photos=(photo,))
    desk.later(minutes=40)

    desk.move(case, "rework", "dispatcher", reason="poor_quality")

    row = desk.row(case)
    assert row.handling_due_at is not None
    assert (row.handling_due_at - limit_end).total_seconds() == 40 * 60
    clocks = desk.session.scalars(select(IncidentClock).where(IncidentClock.incident_id == case))
    assert [clock.stage for clock in clocks if clock.stage == "H"] == ["H"]


def test_a_rework_of_an_overdue_case_stays_overdue(desk: Desk) -> None:
    case = desk.submit(urgency="A")
    desk.take_to(case, "handling")
    limit_end = desk.row(case).handling_due_at
    desk.later(days=30)
    desk.move(case, "reply", "handler", note="完成", photos=(make_photo(desk.session),))
    desk.later(hours=1)

    desk.move(case, "rework", "dispatcher", reason="poor_quality")

    assert desk.row(case).due_at == limit_end


def test_who_handled_a_case_neither_checks_nor_closes_it(desk: Desk) -> None:
    both = make_actor(desk.session, "handler")
    both = type(both)(
        both.account_id, both.name, both.roles | {"grid_leader", "shift_leader"},
        both.permissions, both.areas, both.department,
    )  # fmt: skip
    case = desk.submit()
    photo = make_photo(desk.session)
    desk.take_to(case, "pending_sign")
    desk.move(case, "sign", both)
    desk.move(case, "reply", both, note="完成", photos=(photo,))
    desk.move(case, "ask_check", "dispatcher")

    with pytest.raises(HandlerMayNotJudge):
        desk.move(case, "check_ok", both, photos=(photo,))
    desk.move(case, "check_ok", "grid_leader", photos=(photo,))
    with pytest.raises(HandlerMayNotJudge):
        desk.move(case, "close", both)


def test_voiding_needs_a_second_person(desk: Desk) -> None:
    case = desk.submit()
    with pytest.raises(ForbiddenMove):
        desk.move(case, "void", "dispatcher")
    desk.move(case, "ask_void", "shift_leader", reason="test_entry")

    with pytest.raises(HandlerMayNotJudge):
        desk.move(case, "void", "shift_leader")
    desk.move(case, "void", "dispatcher")

    assert desk.row(case).status == "void"


def test_a_voided_report_sent_again_is_gone(desk: Desk) -> None:
    sent = report()
    worker = desk.staff["worker"]
    service.submit(desk.session, sent, worker, now=desk.now, vault=VAULT)
    desk.move(sent.id, "ask_void", "shift_leader", reason="test_entry")
    desk.move(sent.id, "void", "dispatcher")

    with pytest.raises(Withdrawn):
        service.submit(desk.session, sent, worker, now=desk.now, vault=VAULT)


def test_the_same_move_sent_twice_is_one_event_and_one_answer(desk: Desk) -> None:
    case = desk.submit()
    wanted = MoveRequest(id=uuid4(), action="accept")
    first = service.move(desk.session, case, wanted, desk.staff["intake"], now=desk.now)

    again = service.move(desk.session, case, wanted, desk.staff["intake"], now=desk.later(hours=1))

    assert (first.is_new, again.is_new) == (True, False)
    assert first.answer == again.answer
    assert len(events(desk.session, case)) == 2


def test_an_id_with_other_content_is_refused_with_the_servers_copy(desk: Desk) -> None:
    sent = report()
    worker = desk.staff["worker"]
    service.submit(desk.session, sent, worker, now=desk.now, vault=VAULT)

    with pytest.raises(OtherBody) as caught:
        service.submit(
            desk.session, report(id=sent.id, text="别的"), worker, now=desk.now, vault=VAULT
        )

    assert caught.value.params["server"]["number"] == desk.row(sent.id).number
    assert desk.row(sent.id).text == "垃圾满溢"


def test_dispatch_keeps_a_task_for_lead_and_assisting_departments(desk: Desk) -> None:
    case = desk.submit()
    desk.take_to(case, "pending_dispatch")

    desk.move(case, "dispatch", "dispatcher", department=DEPARTMENT, assisting=(OTHER_DEPARTMENT,))
    desk.move(case, "sign", "handler")

    tasks = desk.session.execute(
        select(IncidentTask.department_code, IncidentTask.part, IncidentTask.signed_at)
        .where(IncidentTask.incident_id == case)
        .order_by(IncidentTask.part.desc())
    ).all()
    assert [tuple(task) for task in tasks] == [
        (DEPARTMENT, "lead", desk.now), (OTHER_DEPARTMENT, "assist", None),
    ]  # fmt: skip


def test_a_case_may_be_dispatched_to_a_worker_who_then_may_not_check_it(desk: Desk) -> None:
    case = desk.submit()
    worker = desk.staff["worker"]
    photo = make_photo(desk.session)
    desk.take_to(case, "pending_dispatch")
    desk.move(case, "dispatch", "dispatcher", worker=worker.account_id)
    other = make_actor(desk.session, "worker")
    with pytest.raises(NotYourMove):
        desk.move(case, "sign", other)
    desk.move(case, "sign", worker)
    desk.move(case, "reply", worker, note="完成", photos=(photo,))
    desk.move(case, "ask_check", "dispatcher")

    with pytest.raises(HandlerMayNotJudge):
        desk.move(case, "check_ok", worker, photos=(photo,))
    desk.move(case, "check_ok", other, photos=(photo,))


def test_a_worker_of_another_grid_cannot_be_named(desk: Desk) -> None:
    stranger = make_actor(desk.session, "worker", area="339901002001001")
    case = desk.submit()
    desk.take_to(case, "pending_dispatch")

    with pytest.raises(UnknownWorker):
        desk.move(case, "dispatch", "dispatcher", worker=stranger.account_id)


@pytest.mark.parametrize(
    ("status", "action", "who", "more", "error"),
    [
        ("pending_dispatch", "dispatch", "dispatcher", {}, MissingField),
        ("pending_accept", "reject", "intake", {}, MissingField),
        ("pending_accept", "reject", "intake", {"reason": "no_such"}, UnknownReason),
        ("handling", "reply", "handler", {"note": "完成"}, MissingField),
        ("handling", "reply", "handler", {"note": "好", "photos": ("0" * 64,)}, UnknownPhoto),
        ("pending_accept", "close", "shift_leader", {}, ForbiddenMove),
        ("pending_accept", "no_such_step", "intake", {}, ForbiddenMove),
    ],
)
def test_a_move_that_lacks_something_changes_nothing(
    desk: Desk, status: str, action: str, who: str, more: dict[str, object], error: type[Exception]
) -> None:
    case = desk.submit()
    desk.take_to(case, status)
    count = len(events(desk.session, case))

    with pytest.raises(error):
        desk.move(case, action, who, **more)

    assert len(events(desk.session, case)) == count
    assert desk.row(case).status == status


#: Every role against eight moves: (state, action, fields) -> who may.
MATRIX = {
    ("pending_accept", "accept"): {"intake", "town_seat"},
    ("pending_file", "file"): {"shift_leader"},
    ("pending_dispatch", "dispatch"): {"dispatcher", "town_seat"},
    ("pending_sign", "sign"): {"handler"},
    ("handling", "reply"): {"handler"},
    ("pending_review", "ask_check"): {"dispatcher", "town_seat", "intake"},
    ("pending_check", "check_ok"): {"worker", "grid_leader"},
    ("pending_close", "close"): {"shift_leader"},
}


@pytest.mark.parametrize(("place", "allowed"), MATRIX.items())
def test_each_step_is_for_its_roles_only(
    desk: Desk, place: tuple[str, str], allowed: set[str]
) -> None:
    status, action = place
    photo = make_photo(desk.session)
    more = {
        "dispatch": {"department": DEPARTMENT},
        "reply": {"note": "完成", "photos": (photo,)},
        "check_ok": {"photos": (photo,)},
    }.get(action, {})
    found = set()
    for role in desk.staff:
        case = desk.submit()
        desk.take_to(case, status)
        with desk.session.begin_nested() as attempt:
            try:
                desk.move(case, action, role, **more)
                found.add(role)
            except (NotYourMove, NoIncident):
                attempt.rollback()

    assert found == allowed


@pytest.mark.parametrize(
    ("status", "action", "role", "area", "department", "error"),
    [
        ("pending_accept", "accept", "intake", "339901002", None, NoIncident),
        ("pending_accept", "accept", "town_seat", "339901002", None, NoIncident),
        ("pending_file", "file", "shift_leader", "339901002", None, NoIncident),
        ("pending_dispatch", "dispatch", "dispatcher", "339901002", None, NoIncident),
        ("pending_dispatch", "dispatch", "town_seat", "339901002", None, NoIncident),
        ("pending_sign", "sign", "handler", "", OTHER_DEPARTMENT, NoIncident),
        ("pending_sign", "sign", "handler", "339901002", DEPARTMENT, NoIncident),
        ("handling", "reply", "handler", "", OTHER_DEPARTMENT, NoIncident),
        ("handling", "return", "handler", "", OTHER_DEPARTMENT, NoIncident),
        ("pending_check", "check_ok", "worker", "339901002001001", None, NoIncident),
        ("pending_check", "check_ok", "grid_leader", "339901002001", None, NoIncident),
        ("pending_check", "rework", "worker", "339901002001001", None, NoIncident),
        ("pending_review", "rework", "dispatcher", "339901002", None, NoIncident),
        ("pending_close", "close", "shift_leader", "339901002", None, NoIncident),
        ("pending_close", "ask_void", "shift_leader", "339901002", None, NoIncident),
        ("pending_accept", "accept", "worker", WEST_GRID, None, NotYourMove),
        ("pending_close", "close", "grid_leader", "339901001001", None, NotYourMove),
    ],
)
def test_another_area_or_department_does_not_reach_the_case(
    desk: Desk,
    status: str,
    action: str,
    role: str,
    area: str,
    department: str | None,
    error: type[Exception],
) -> None:
    case = desk.submit()
    desk.take_to(case, status)
    stranger = make_actor(desk.session, role, area, department)
    photo = make_photo(desk.session)
    more = {
        "note": "完成", "photos": (photo,), "reason": "not_our_duty", "department": DEPARTMENT,
    }  # fmt: skip

    with pytest.raises(error):
        desk.move(case, action, stranger, **more)


def test_a_case_in_the_other_town_belongs_to_its_own_seat(desk: Desk) -> None:
    case = desk.submit(lon=EAST[0], lat=EAST[1])

    with pytest.raises(NoIncident):
        desk.move(case, "accept", "town_seat")
    desk.move(case, "accept", make_actor(desk.session, "town_seat", "339901002"))

    assert desk.row(case).status == "pending_file"


def test_every_open_state_of_the_table_has_a_holder_and_a_clock() -> None:
    reachable = {move.target or source for move in lifecycle.MOVES for source in move.sources}
    reachable |= {target for move in lifecycle.MOVES for target in move.by_channel.values()}

    for code in reachable - set(lifecycle.TERMINAL) - {"draft", "suspended"}:
        state = lifecycle.STATES[code]
        assert None not in (state.holder, state.stage), code


def test_no_row_outlives_a_refused_submit(desk: Desk) -> None:
    before = desk.session.scalar(select(func.count()).select_from(Incident))

    with pytest.raises(UnknownPhoto):
        desk.submit(photos=("0" * 64,))

    assert desk.session.scalar(select(func.count()).select_from(Incident)) == before
