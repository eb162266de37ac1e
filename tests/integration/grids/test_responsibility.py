"""The matrix in the database: versions, answers, completeness, trial on past cases."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.audit.models import AuditEvent
from grids.codes import Category
from grids.incidents.models import Incident
from grids.responsibility import bands, editing, errors, owner_of, ruling, sheet, trial, versions
from grids.responsibility.editing import RuleInput
from grids.responsibility.matrix import Question, Selector
from grids.responsibility.models import Rule, RuleSet, RuleTrial
from grids.responsibility.seed import seed_matrix, town_department
from tests.support.cases import COUNTY, EAST_GRID, NOON, WEST_GRID, Desk, build_city, make_actor
from tests.support.cases import make_staff as staff_of

WEST_TOWN, EAST_TOWN = "339901001", "339901002"
LITTER = "06010"  # exposed refuse: the towns' own


@pytest.fixture
def commander(session: Session) -> Actor:
    build_city(session)
    return make_actor(session, "commander")


@pytest.fixture
def live(session: Session, commander: Actor) -> RuleSet:
    """The first matrix of the city, in force."""
    assert seed_matrix(session, now=NOON) > 50
    found = versions.live_version(session, NOON)
    assert found is not None
    return found


def category(session: Session, code: str, kind: str = "matter") -> int:
    return session.scalars(
        select(Category.id).where(
            Category.code == code, Category.kind == kind,
            Category.code_system.in_(("GBT47678.5-2026", "LOCAL")),
        )
    ).one()  # fmt: skip


def rule(**more: Any) -> RuleInput:
    return RuleInput(**{"department": "D05", "why": "测试", **more})


def draft(session: Session, actor: Actor) -> int:
    return versions.new_draft(session, actor, name="草稿", now=NOON).id


def put_live(session: Session, set_id: int, actor: Actor, at: datetime) -> RuleSet:
    asked = trial.ask_trial(session, set_id, actor, now=at)
    asked.state = "done"
    session.flush()
    return versions.go_live(session, set_id, actor, begins_at=at, now=at)


def test_the_first_matrix_leaves_nothing_unowned(session: Session, live: RuleSet) -> None:
    assert versions.gaps(session, live.id) == []
    assert versions.idle(ruling.matrix_of(session, live.id)) == []
    assert seed_matrix(session, now=NOON) == 0  # what is there stays


def test_every_category_in_every_area_has_exactly_one_owner(
    session: Session, live: RuleSet
) -> None:
    """Counted by brute force from the rows, not by the code that answers."""
    matrix = ruling.matrix_of(session, live.id)
    codes = session.execute(select(Category.kind, Category.code).distinct()).all()
    areas = session.scalars(
        text("SELECT code FROM area UNION SELECT code FROM grid UNION SELECT ''")
    ).all()
    moments = [
        (worked, bands.bands_at(clock, is_workday=worked))
        for worked in (True, False)
        for clock in (bands.OFFICE[0], bands.OFFICE[1], bands.NIGHT[0], bands.NIGHT[1])
    ]
    wrong = []
    for kind, code in codes:
        mine = [r for r in matrix.rules
                if r.selector.kind in ("", kind) and code.startswith(r.selector.category)]  # fmt: skip
        for area in areas:
            for owner in ("", "D01", "D10", "property"):
                for _, band in moments:
                    asked = Question(kind, code, area, NOON.date(), band, owner)
                    ranks = [r.selector.rank for r in mine if r.selector.takes(asked)]
                    if ranks.count(max(ranks, default=-1)) != 1:
                        wrong.append((kind, code, area, owner, band))

    assert wrong == []


def test_a_town_handles_what_is_its_own_and_the_department_assists(
    session: Session, live: RuleSet
) -> None:
    found = owner_of(session, category_id=category(session, LITTER), area_code=WEST_GRID, at=NOON)

    assert found.department_code == town_department(WEST_TOWN)
    assert found.assisting == ("D02",)
    assert found.rule_id
    assert "属地" in found.why


def test_the_owner_of_the_asset_comes_before_the_category(session: Session, live: RuleSet) -> None:
    asked = {"category_id": category(session, LITTER), "area_code": WEST_GRID, "at": NOON}

    assert owner_of(session, asset_owner="D10", **asked).department_code == "D10"
    assert owner_of(session, asset_owner="D07", **asked).department_code != "D07"


def test_the_night_follows_the_clock_of_the_city(session: Session, live: RuleSet) -> None:
    asked = {"category_id": category(session, "09009"), "area_code": WEST_GRID}
    late = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)  # 23:00 in the city

    assert owner_of(session, at=NOON, **asked).department_code == "D04"
    assert owner_of(session, at=late, **asked).department_code == "D13"


def test_without_a_matrix_the_category_s_department_is_responsible(
    session: Session, commander: Actor
) -> None:
    found = owner_of(session, category_id=category(session, "01005"), area_code=COUNTY, at=NOON)

    assert (found.department_code, found.rule_id) == ("D10", None)


def test_an_answer_costs_one_statement(session: Session, live: RuleSet, count_queries: Any) -> None:
    asked = {"category_id": category(session, LITTER), "area_code": EAST_GRID, "at": NOON}
    owner_of(session, **asked)
    count_queries()

    owner_of(session, **asked)

    assert count_queries() == 1


def test_a_draft_is_a_copy_and_changes_nothing_in_force(
    session: Session, live: RuleSet, commander: Actor
) -> None:
    made = draft(session, commander)
    editing.save_rule(session, made, rule(kind="matter", category=LITTER, area=WEST_GRID),
                      commander, now=NOON)  # fmt: skip

    changes = versions.changes(
        versions.rules(session, commander, live.id), versions.rules(session, commander, made)
    )
    found = owner_of(session, category_id=category(session, LITTER), area_code=WEST_GRID, at=NOON)

    assert [(c.kind, c.after and c.after.department) for c in changes] == [("added", "D05")]
    assert found.department_code == town_department(WEST_TOWN)


def test_a_rule_that_would_tie_is_refused_with_both_names(
    session: Session, live: RuleSet, commander: Actor
) -> None:
    made = draft(session, commander)
    given = rule(kind="matter", category="06", band="night", first="2026-03-01", last="2026-03-31")
    first = editing.save_rule(session, made, given, commander, now=NOON)

    later = rule(kind="matter", category="06", band="night", first="2026-03-31", department="D02")
    with pytest.raises(errors.SameSelectors) as refused:
        editing.save_rule(session, made, later, commander, now=NOON)

    assert refused.value.params["other"] == first
    assert "2026-03-01" in refused.value.params["what"]


def test_the_database_refuses_a_tie_too(session: Session, live: RuleSet, commander: Actor) -> None:
    made = draft(session, commander)

    session.add(Rule(rule_set_id=made, department_code="D05", why="x", changed_at=NOON))

    with pytest.raises(IntegrityError, match="responsibility_rule_no_tie"):
        session.flush()


def test_rules_that_were_in_force_never_change(session: Session, live: RuleSet) -> None:
    with pytest.raises(IntegrityError, match="do not change"), session.begin_nested():
        session.execute(
            update(Rule).where(Rule.rule_set_id == live.id).values(department_code="D05")
        )


def test_what_is_wrong_with_a_rule_is_said_at_its_fields(
    session: Session, live: RuleSet, commander: Actor
) -> None:
    given = RuleInput(kind="matter", category="99999", area="000000", owner="?", band="noon",
                      first="2026-03-02", last="2026-03-01", department="", assisting=("D99",))  # fmt: skip

    with pytest.raises(errors.BadRule) as refused:
        editing.save_rule(session, draft(session, commander), given, commander, now=NOON)

    assert refused.value.params["problems"] == {
        "category": "unknown", "area": "unknown", "owner": "unknown", "band": "unknown",
        "last": "before", "department": "empty", "assisting": "unknown", "why": "empty",
    }  # fmt: skip


def test_a_version_goes_live_after_its_trial_and_only_as_it_was_tried(
    session: Session, live: RuleSet, commander: Actor
) -> None:
    made = draft(session, commander)
    later = NOON + timedelta(days=1)

    with pytest.raises(errors.TrialFirst):
        versions.go_live(session, made, commander, begins_at=later, now=NOON)
    asked = trial.ask_trial(session, made, commander, now=NOON)
    with pytest.raises(errors.Frozen):
        editing.save_rule(session, made, rule(kind="matter"), commander, now=NOON)
    asked.state = "done"
    session.flush()
    editing.save_rule(session, made, rule(kind="matter"), commander, now=NOON)
    with pytest.raises(errors.TrialFirst):
        versions.go_live(session, made, commander, begins_at=later, now=NOON)
    again = trial.ask_trial(session, made, commander, now=NOON)
    again.state = "done"
    session.flush()
    found = versions.go_live(session, made, commander, begins_at=later, now=NOON)

    session.refresh(live)
    assert versions.state_of(found, NOON) == "planned"
    assert versions.state_of(live, NOON) == "live"
    assert versions.state_of(live, later) == "ended"
    assert versions.live_version(session, later) is found


def test_the_answer_of_a_moment_is_that_of_the_version_then_in_force(
    session: Session, live: RuleSet, commander: Actor
) -> None:
    made = draft(session, commander)
    editing.save_rule(session, made, rule(kind="matter", category=LITTER, area=WEST_GRID),
                      commander, now=NOON)  # fmt: skip
    put_live(session, made, commander, NOON)
    asked = {"category_id": category(session, LITTER), "area_code": WEST_GRID}

    before = owner_of(session, at=NOON - timedelta(seconds=1), **asked)
    after = owner_of(session, at=NOON, **asked)

    assert (before.department_code, after.department_code) == (town_department(WEST_TOWN), "D05")


def test_going_back_is_a_version_of_its_own(
    session: Session, live: RuleSet, commander: Actor
) -> None:
    made = draft(session, commander)
    editing.save_rule(session, made, rule(kind="matter", category=LITTER, area=WEST_GRID),
                      commander, now=NOON)  # fmt: skip
    put_live(session, made, commander, NOON)
    later = NOON + timedelta(hours=1)

    back = versions.roll_back(session, commander, to=live.id, note="误改", now=later)

    asked = {"category_id": category(session, LITTER), "area_code": WEST_GRID, "at": later}
    assert back.is_rollback
    assert back.id not in (made, live.id)
    assert owner_of(session, **asked).department_code == town_department(WEST_TOWN)
    assert versions.changes(versions.rules(session, commander, live.id),
                            versions.rules(session, commander, back.id)) == []  # fmt: skip


def test_without_a_rule_for_everything_nothing_is_tried_or_goes_live(
    session: Session, live: RuleSet, commander: Actor
) -> None:
    made = draft(session, commander)
    default = ruling.matrix_of(session, made).default
    assert default is not None
    editing.remove_rule(session, made, default.id, commander)

    with pytest.raises(errors.NoDefault):
        trial.ask_trial(session, made, commander, now=NOON)

    assert versions.gaps(session, made) != []


def test_a_town_s_commander_sees_and_changes_its_own_rules_only(
    session: Session, live: RuleSet, commander: Actor
) -> None:
    made = draft(session, commander)
    town = make_actor(session, "commander", area=WEST_TOWN)

    seen = {r.selector.area for r in versions.rules(session, town, made)}
    with pytest.raises(errors.BadRule) as refused:
        editing.save_rule(session, made, rule(kind="matter", category="07", area=EAST_TOWN),
                          town, now=NOON)  # fmt: skip
    editing.save_rule(session, made, rule(kind="matter", category="07", area=WEST_TOWN), town,
                      now=NOON)  # fmt: skip
    with pytest.raises(errors.WholeCityOnly):
        trial.ask_trial(session, made, town, now=NOON)
    general = next(r for r in versions.rules(session, town, made) if r.selector == Selector())
    with pytest.raises(errors.NoRule):
        editing.remove_rule(session, made, general.id, town)

    assert seen == {"", WEST_TOWN}
    assert refused.value.params["problems"] == {"area": "outside"}


def test_a_table_goes_out_and_comes_back_the_same(
    session: Session, live: RuleSet, commander: Actor
) -> None:
    before = versions.rules(session, commander, live.id)
    made = draft(session, commander)

    count = sheet.replace_rules(
        session, made, sheet.write_csv(before).encode(), commander, now=NOON
    )

    assert count == len(before)
    assert versions.changes(before, versions.rules(session, commander, made)) == []


def test_every_bad_line_of_a_table_is_named_and_nothing_is_imported(
    session: Session, live: RuleSet, commander: Actor
) -> None:
    made = draft(session, commander)
    table = (
        "kind,category,area,owner,band,first,last,department,assisting,why,basis\n"
        ",,,,,,,D03,,兜底,\n"
        "matter,06,,,,,,D99,,x,\n"
        ",,,,,,,D05,,again,\n"
        "matter,06,,,noon,,,D05,D05,x,\n"
    )

    with pytest.raises(errors.BadTable) as refused:
        sheet.replace_rules(session, made, table.encode(), commander, now=NOON)

    found = [(row.line, row.column, row.problem) for row in refused.value.params["rows"]]
    assert found == [(3, "department", "unknown"), (4, "category", "tie"),
                     (5, "band", "unknown"), (5, "assisting", "same")]  # fmt: skip
    assert len(versions.rules(session, commander, made)) > 50


def test_a_cell_that_a_spreadsheet_would_run_is_text(session: Session, live: RuleSet) -> None:
    found = next(iter(ruling.matrix_of(session, live.id).rules))

    written = sheet.write_csv([found.__class__(1, Selector(), "D03", (), "=1+1")])

    assert "'=1+1" in written


def test_every_act_stands_in_the_audit_log(
    session: Session, live: RuleSet, commander: Actor
) -> None:
    made = draft(session, commander)
    editing.save_rule(session, made, rule(kind="matter"), commander, now=NOON)
    put_live(session, made, commander, NOON)
    versions.roll_back(session, commander, to=live.id, note="", now=NOON + timedelta(hours=1))
    other = draft(session, commander)
    versions.drop_draft(session, other, commander)

    acts = session.scalars(
        select(AuditEvent.action).where(AuditEvent.actor_id == commander.account_id)
    ).all()

    assert Counter(acts) == {"rules_drafted": 2, "rules_changed": 1, "rules_tried": 1,
                             "rules_live": 1, "rules_rolled_back": 1, "rules_dropped": 1}  # fmt: skip


@pytest.fixture
def year(session: Session, live: RuleSet) -> Desk:
    """Cases of a year in both towns, spread over days, nights and days off."""
    desk = Desk(session, staff_of(session))
    draw = random.Random(4)
    codes = session.scalars(
        select(Category.code).where(Category.kind == "matter", func.length(Category.code) == 5,
                                    Category.code_system == "GBT47678.5-2026")
    ).all()  # fmt: skip
    for number in range(60):
        place = (120.05, 29.30) if number % 2 else (120.15, 29.30)
        case = desk.submit(desk.staff["intake"], category=draw.choice(codes), channel="phone",
                           lon=place[0], lat=place[1])  # fmt: skip
        moment = NOON - timedelta(minutes=draw.randrange(1, 364 * 24 * 60))
        session.execute(update(Incident).where(Incident.id == case).values(received_at=moment))
    session.execute(update(Incident).values(department_code="D03"))
    session.flush()
    return desk


def test_a_trial_in_sql_says_what_the_matrix_says_case_by_case(
    session: Session, live: RuleSet, commander: Actor, year: Desk
) -> None:
    made = draft(session, commander)
    for given in (
        rule(kind="matter", category="06", area=WEST_TOWN),
        rule(kind="matter", category="01", band="night", department="D13"),
        rule(kind="matter", category="09", band="weekend", department="D09"),
        rule(kind="matter", category="0", first="2025-06-01", last="2025-10-31", department="D08"),
        rule(kind="matter", category="02", area=EAST_TOWN, department="D14"),
    ):
        editing.save_rule(session, made, given, commander, now=NOON)
    asked = trial.ask_trial(session, made, commander, now=NOON)
    matrices = [ruling.matrix_of(session, one) for one in (made, live.id)]
    values = trial.compared(live.id, made, matrices)
    tally = trial.Tally()
    for row in trial.month(session, values, asked.since, asked.until):
        tally.add(row)

    flows: Counter[tuple[str, str]] = Counter()
    for case in session.scalars(select(Incident)):
        told = [
            ruling.explain(session, category_id=case.category_id, area_code=case.area_code,
                           at=case.received_at, set_id=one).ruling.department_code
            for one in (live.id, made)
        ]  # fmt: skip
        flows[told[0], told[1]] += 1
    result = tally.result()

    changed = {pair: n for pair, n in flows.items() if pair[0] != pair[1]}
    assert len(changed) > 2
    assert {(f["from"], f["to"]): f["cases"] for f in result["flows"]} == changed
    assert result["cases"] == 60
    assert result["changed"] == sum(changed.values())
    assert {d["code"]: (d["before"], d["after"]) for d in result["departments"]} == {
        code: (sum(n for (b, _), n in flows.items() if b == code),
               sum(n for (_, a), n in flows.items() if a == code))
        for code in {one for pair in flows for one in pair}
    }  # fmt: skip
    assert result["right_before"] == sum(n for (b, _), n in flows.items() if b == "D03")
    assert sum(town["changed"] for town in result["towns"]) == result["changed"]


def test_the_job_runs_to_its_end_and_says_how_far_it_is(
    session: Session, live: RuleSet, commander: Actor, year: Desk, engine: Engine
) -> None:
    made = draft(session, commander)
    asked = trial.ask_trial(session, made, commander, now=NOON)

    trial.run_trial(session.connection(), asked.id)  # type: ignore[arg-type]

    session.expire_all()
    found = session.get_one(RuleTrial, asked.id)
    assert (found.state, found.done_share, found.cases) == ("done", 1.0, 60)
    assert found.result is not None
    assert found.result["changed"] == 0
