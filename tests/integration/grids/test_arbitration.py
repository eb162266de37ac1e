"""Passing a case on ends: an arbitration with a clock, a decision that binds, a precedent."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.audit.models import AuditEvent
from grids.divisions import Area
from grids.incidents import projection
from grids.incidents.models import Incident, IncidentEvent, IncidentTask
from grids.responsibility import (
    arbitration,
    errors,
    moratoria,
    moratorium_of,
    precedents,
    versions,
    watch,
)
from grids.responsibility.arbitration import Decision
from grids.responsibility.arbitration_models import Arbitration
from grids.responsibility.seed import seed_matrix
from tests.support.cases import COUNTY, NOON, WEST_GRID, Desk, build_city, make_actor, make_staff

DECISION = Decision(department="D05", why="树池内由园林负责", facts="垃圾在行道树树池内")


@pytest.fixture
def desk(session: Session) -> Desk:
    build_city(session)
    session.execute(update(Area).where(func.length(Area.code) == 12).values(kind="community"))
    seed_matrix(session, now=NOON)
    return Desk(session, make_staff(session))


@pytest.fixture
def commander(desk: Desk) -> Actor:
    return desk.staff["commander"]


def passed_on(desk: Desk, *, returns: int = 2) -> UUID:
    """Make a case that two departments gave back."""
    case = desk.submit(desk.staff["intake"], channel="phone")
    desk.session.add_all(
        IncidentTask(incident_id=case, department_code=code, dispatched_at=NOON, returned_at=NOON)
        for code in ("D03", "D05")
    )
    desk.session.execute(
        update(Incident)
        .where(Incident.id == case)
        .values(status="pending_dispatch", return_count=returns, involved=["D03", "D05"])
    )
    desk.session.flush()
    desk.session.expire_all()
    return case


def opened(desk: Desk) -> Arbitration:
    assert watch.detect(desk.session, desk.now) == 1
    return desk.session.scalars(select(Arbitration)).one()


@pytest.mark.parametrize(("returns", "expected"), [(1, 0), (2, 1), (3, 1)])
def test_two_returns_open_an_arbitration_and_only_one(
    desk: Desk, returns: int, expected: int
) -> None:
    passed_on(desk, returns=returns)

    assert watch.detect(desk.session, NOON) == expected
    assert watch.detect(desk.session, NOON) == 0


def test_the_first_department_answers_meanwhile_and_the_clock_is_a_working_day(desk: Desk) -> None:
    passed_on(desk)
    one = opened(desk)

    assert one.interim_code == "D03"
    assert one.parties == ["D03", "D05"]
    assert one.statements_due_at < one.due_at
    # Wednesday noon: 3.5 hours are left today, the rest is tomorrow before noon.
    assert one.due_at == datetime.fromisoformat("2026-03-05T12:00+08:00")


def test_an_emergency_is_decided_within_the_hour(desk: Desk) -> None:
    case = passed_on(desk)
    desk.row(case).urgency = "A"

    assert opened(desk).due_at == NOON + timedelta(hours=1)


def test_each_side_speaks_for_itself_until_the_limit(desk: Desk) -> None:
    passed_on(desk)
    one = opened(desk)
    side = make_actor(desk.session, "handler", department="D05")
    stranger = make_actor(desk.session, "handler", department="D07")

    arbitration.state_case(desk.session, one.id, side, text="不在绿地内", now=NOON)
    with pytest.raises(errors.NoArbitration):
        arbitration.state_case(desk.session, one.id, stranger, text="x", now=NOON)
    with pytest.raises(errors.StatementTooLate):
        arbitration.state_case(
            desk.session, one.id, side, text="x", now=one.statements_due_at + timedelta(seconds=1)
        )

    shown = arbitration.arbitration(desk.session, one.id, side)
    assert [s.text for s in shown.statements] == ["不在绿地内"]


def test_a_decision_binds_and_becomes_a_precedent_for_like_cases(
    desk: Desk, commander: Actor
) -> None:
    case = passed_on(desk)
    one = opened(desk)

    arbitration.decide(desk.session, one.id, commander, DECISION, now=NOON)
    with pytest.raises(errors.ArbitrationOver):
        arbitration.decide(desk.session, one.id, commander, DECISION, now=NOON)

    row = desk.row(case)
    like = precedents.precedents(desk.session, category_id=row.category_id, area_code=row.area_code)
    binding = arbitration.binding_of(desk.session, case)
    assert binding is not None
    assert binding.department_code == "D05"
    assert [(found.precedent.department_code, found.likeness) for found in like] == [("D05", 1.0)]
    assert like[0].precedent.refused == ["D03"]
    assert row.number not in like[0].precedent.facts
    assert [p.id for p in precedents.found(desk.session, words="树池")] == [like[0].precedent.id]
    assert precedents.found(desk.session, words="路灯") == []


def test_only_the_arbiter_decides(desk: Desk, commander: Actor) -> None:
    passed_on(desk)
    one = opened(desk)
    other = make_actor(desk.session, "commander")

    with pytest.raises(errors.NotYourDecision):
        arbitration.decide(desk.session, one.id, desk.staff["dispatcher"], DECISION, now=NOON)
    arbitration.name_arbiter(desk.session, one.id, commander, account_id=other.account_id)
    with pytest.raises(errors.NotYourDecision):
        arbitration.decide(desk.session, one.id, commander, DECISION, now=NOON)
    arbitration.decide(desk.session, one.id, other, DECISION, now=NOON)

    assert one.state == "decided"


def test_without_a_decision_in_time_the_stronger_rule_has_it_and_it_goes_up(
    desk: Desk, commander: Actor
) -> None:
    case = passed_on(desk)
    one = opened(desk)

    assert watch.default_overdue(desk.session, one.due_at - timedelta(seconds=1)) == 0
    assert watch.default_overdue(desk.session, one.due_at) == 1
    assert watch.default_overdue(desk.session, one.due_at) == 0

    # The matrix gives the class to D02, which is no side; of the sides only D03 has a rule.
    assert (one.state, one.department_code) == ("defaulted", "D03")
    assert one.rule_id is not None
    assert one.escalated_at == one.due_at
    arbitration.confirm_default(desk.session, one.id, commander, now=one.due_at)
    assert one.confirmed_at is not None
    assert precedents.found(desk.session) == []  # what nobody decided is no example
    assert desk.row(case).return_count == 2


def test_a_case_that_comes_back_after_a_decision_is_argued_about_again(
    desk: Desk, commander: Actor
) -> None:
    case = passed_on(desk)
    arbitration.decide(desk.session, opened(desk).id, commander, DECISION, now=NOON)

    assert watch.detect(desk.session, NOON) == 0
    desk.row(case).status, desk.row(case).return_count = "pending_dispatch", 3
    desk.session.flush()

    assert watch.detect(desk.session, NOON) == 1


def test_a_town_sees_the_quarrels_of_its_own_area_only(desk: Desk) -> None:
    passed_on(desk)
    one = opened(desk)
    west = make_actor(desk.session, "town_seat", area="339901001")
    east = make_actor(desk.session, "town_seat", area="339901002")

    assert [s.arbitration.id for s in arbitration.arbitrations(desk.session, west)] == [one.id]
    assert arbitration.arbitrations(desk.session, east) == []
    with pytest.raises(errors.NoArbitration):
        arbitration.arbitration(desk.session, one.id, east)


def test_a_precedent_becomes_a_rule_of_a_draft_with_one_press(desk: Desk, commander: Actor) -> None:
    passed_on(desk)
    arbitration.decide(desk.session, opened(desk).id, commander, DECISION, now=NOON)
    kept = precedents.found(desk.session)[0]

    made = precedents.to_draft(desk.session, kept.id, commander, now=NOON)

    live = versions.live_version(desk.session, NOON)
    assert live is not None
    found = versions.changes(
        versions.rules(desk.session, commander, live.id),
        versions.rules(desk.session, commander, made),
    )
    assert [c.after and c.after.department for c in found] == ["D05"]
    assert versions.version(desk.session, made).status == "draft"


def test_statistics_say_who_refused_rightly(desk: Desk, commander: Actor) -> None:
    passed_on(desk)
    arbitration.decide(desk.session, opened(desk).id, commander, DECISION, now=NOON)

    shares = arbitration.statistics(desk.session, commander)

    assert {s.department: (s.rightly, s.wrongly) for s in shares} == {"D03": (1, 0), "D05": (0, 1)}


def test_every_act_of_an_arbitration_is_in_the_audit_log(desk: Desk, commander: Actor) -> None:
    passed_on(desk)
    one = opened(desk)
    arbitration.decide(desk.session, one.id, commander, DECISION, now=NOON)

    acts = desk.session.scalars(
        select(AuditEvent.action).where(AuditEvent.subject == f"arbitration:{one.id}")
    ).all()

    assert sorted(acts) == ["arbitration_decided", "arbitration_opened"]


def test_a_dispute_opens_the_arbitration_and_the_ruling_moves_the_case(
    desk: Desk, commander: Actor
) -> None:
    case = desk.submit()
    desk.take_to(case, "handling")

    desk.move(case, "dispute", "handler", note="不在绿地内", department="D05")
    one = desk.session.scalars(select(Arbitration)).one()
    assert (one.state, one.cause, one.parties) == ("open", "dispute", ["D03", "D05"])
    assert one.opened_by == desk.staff["handler"].account_id
    arbitration.state_case(
        desk.session, one.id, desk.staff["handler"], text="树池归园林", now=desk.now
    )
    desk.later(minutes=30)
    arbitration.decide(desk.session, one.id, commander, DECISION, now=desk.now)

    row = desk.row(case)
    assert (row.status, row.department_code) == ("pending_sign", "D05")
    assert (one.state, one.department_code, one.decided_at) == ("decided", "D05", desk.now)
    log = desk.session.scalars(
        select(IncidentEvent).where(IncidentEvent.incident_id == case).order_by(IncidentEvent.seq)
    ).all()
    last = log[-1]
    assert (last.action, last.actor_id, last.note) == ("arbitrate", one.decided_by, one.why)
    assert projection.rebuild(log) == projection.of_row(row)


def test_a_ruling_at_the_case_itself_ends_the_arbitration_without_a_precedent(
    desk: Desk, commander: Actor
) -> None:
    case = desk.submit()
    desk.take_to(case, "handling")
    desk.move(case, "dispute", "handler", note="不归我管")
    one = desk.session.scalars(select(Arbitration)).one()

    desk.move(case, "arbitrate", commander, department="D05", note="归园林")

    assert (one.state, one.department_code, one.why) == ("decided", "D05", "归园林")
    assert one.decided_by == commander.account_id
    assert precedents.found(desk.session) == []


def test_who_is_not_the_arbiter_rules_at_the_case_neither(desk: Desk, commander: Actor) -> None:
    case = desk.submit()
    desk.take_to(case, "handling")
    desk.move(case, "dispute", "handler", note="不归我管")
    one = desk.session.scalars(select(Arbitration)).one()
    other = make_actor(desk.session, "commander")
    arbitration.name_arbiter(desk.session, one.id, commander, account_id=other.account_id)

    with pytest.raises(errors.NotYourDecision), desk.session.begin_nested():
        desk.move(case, "arbitrate", commander, department="D05", note="归园林")
    desk.session.expire_all()

    assert (desk.row(case).status, one.state) == ("disputed", "open")


def test_a_case_that_is_voided_drops_its_arbitration(desk: Desk) -> None:
    case = desk.submit()
    desk.take_to(case, "handling")
    desk.move(case, "dispute", "handler", note="不归我管")
    desk.move(case, "ask_void", "shift_leader", reason="duplicate")
    desk.move(case, "void", "dispatcher")

    assert desk.session.scalars(select(Arbitration)).one().state == "dropped"


def test_the_platform_takes_what_is_passed_on_out_of_its_desk_and_rules_by_default(
    desk: Desk,
) -> None:
    case = passed_on(desk)
    one = opened(desk)
    assert (one.cause, one.opened_by, desk.row(case).status) == ("returns", None, "disputed")

    watch.default_overdue(desk.session, one.due_at)

    row = desk.row(case)
    assert (row.status, row.department_code) == ("pending_sign", one.department_code)


def wanted(**more: object) -> moratoria.Wanted:
    fields = {
        "kind": "matter", "category": "03", "area": "339901001", "begins_at": NOON,
        "ends_at": NOON + timedelta(days=30), "reason": "道路改造", "public_note": "施工期间暂缓",
        "approved_by": "市建设指挥部",
    }  # fmt: skip
    return moratoria.Wanted(**{**fields, **more})  # type: ignore[arg-type]


def test_a_moratorium_holds_in_its_area_class_and_time_and_ends_early_with_a_reason(
    desk: Desk, commander: Actor
) -> None:
    made = moratoria.set_moratorium(desk.session, wanted(), commander, now=NOON)
    case = desk.row(desk.submit(desk.staff["intake"], channel="phone"))

    def holds(area: str, at: datetime) -> bool:
        return moratorium_of(desk.session, case.category_id, area, at) is not None

    assert made.until == NOON + timedelta(days=30)
    assert holds(WEST_GRID, NOON)
    assert not holds(WEST_GRID, NOON - timedelta(seconds=1))
    assert not holds(WEST_GRID, NOON + timedelta(days=30))
    assert not holds("339901002001001", NOON)
    with pytest.raises(errors.BadMoratorium):
        moratoria.end_moratorium(desk.session, made.id, commander, note=" ", now=NOON)
    later = NOON + timedelta(days=2)
    moratoria.end_moratorium(desk.session, made.id, commander, note="提前完工", now=later)
    assert not holds(WEST_GRID, later)
    with pytest.raises(errors.MoratoriumOver):
        moratoria.end_moratorium(desk.session, made.id, commander, note="x", now=later)


@pytest.mark.parametrize(
    ("field", "value"),
    [("reason", " "), ("approved_by", ""), ("area", "000000000"), ("category", "99"),
     ("ends_at", NOON), ("ends_at", NOON + timedelta(days=500))],
)  # fmt: skip
def test_what_is_wrong_with_a_moratorium_is_said_at_its_field(
    desk: Desk, commander: Actor, field: str, value: object
) -> None:
    with pytest.raises(errors.BadMoratorium) as refused:
        moratoria.set_moratorium(desk.session, wanted(**{field: value}), commander, now=NOON)

    assert refused.value.params["field"] == field


def test_a_town_sets_and_sees_moratoria_of_its_own(desk: Desk, commander: Actor) -> None:
    made = moratoria.set_moratorium(desk.session, wanted(), commander, now=NOON)
    whole = moratoria.set_moratorium(desk.session, wanted(area=""), commander, now=NOON)
    east = make_actor(desk.session, "commander", area="339901002")

    seen = {m.id for m in moratoria.moratoria(desk.session, east, now=NOON)}
    with pytest.raises(errors.BadMoratorium):
        moratoria.set_moratorium(desk.session, wanted(), east, now=NOON)
    with pytest.raises(errors.BadMoratorium):
        moratoria.set_moratorium(desk.session, wanted(area=""), east, now=NOON)
    with pytest.raises(errors.NoMoratorium):
        moratoria.end_moratorium(desk.session, made.id, east, note="x", now=NOON)

    assert whole.area == COUNTY
    assert seen == {whole.id}
