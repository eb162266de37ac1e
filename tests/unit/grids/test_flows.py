"""Random walks over the literal tables of disputes and hazards, and the calendar's days."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grids.accounts import Actor
from grids.accounts.roles import ROLES
from grids.disputes.lifecycle import FLOW as DISPUTE
from grids.disputes.lifecycle import TERMS as DISPUTE_TERMS
from grids.flows import rules
from grids.flows.limits import Term, deadline
from grids.flows.table import SAME, SYSTEM, Flow
from grids.flows.values import read
from grids.hazards.checklists import lists, result
from grids.hazards.lifecycle import FLOW as HAZARD
from grids.hazards.lifecycle import RECTIFY, TERMS, TERMS_OF
from grids.incidents.clocks import Calendar
from tests.support.depth import IS_FULL

FLOWS = [pytest.param(DISPUTE, id="dispute"), pytest.param(HAZARD, id="hazard")]
CALENDAR = Calendar(ZoneInfo("Asia/Shanghai"))


@dataclass
class Row:
    """A record as the rules see it."""

    status: str
    area_code: str = "339901001001001"
    holder_id: int | None = None
    department_code: str | None = None
    flags: dict[str, Any] = field(default_factory=dict)
    level: str = "village"
    severity: str = "general"
    extension_count: int = 0
    meeting_count: int = 0
    reopen_count: int = 0
    party_count: int = 2
    rework_count: int = 0
    escalation_count: int = 0


def people() -> list[Actor]:
    found = []
    for number, role in enumerate((*("worker", "grid_leader", "town_seat", "intake"), "mediator",
                                   "mediator", "handler", "worker"), 1):  # fmt: skip
        department = "D09" if role == "handler" else None
        found.append(Actor(number, role, frozenset({role}), ROLES[role], ("339901",), department))
    return found


def walk(flow: Flow, choices: list[int]) -> tuple[Row, list[tuple[str, str, int]]]:
    """Take random possible steps; check at each what has to hold."""
    row = Row(flow.opening.target)
    log: list[tuple[str, str, int]] = []
    for choice in choices:
        options = [
            (step, actor)
            for actor in people()
            for step in rules.possible(
                flow, row, actor, {a for a, _s, who in log if who == actor.account_id}
            )
        ]
        if not options:
            break
        step, actor = options[choice % len(options)]
        values = {"mediator": 5 + choice % 2, "department": "D09", "term": "7"}
        changed = rules.columns_of(
            flow, step, row, values, actor_id=actor.account_id, now=datetime(2026, 3, 4, tzinfo=UTC)
        )
        target = step.to(row.status)
        flags = rules.flags_after(step, row, is_moved=target != row.status)
        log.append((step.action, row.status, actor.account_id))
        known = {name: value for name, value in changed.items() if hasattr(row, name)}
        row = replace(row, **known, status=target, flags=flags)
        check(flow, row, log)
    return row, log


def check(flow: Flow, row: Row, log: list[tuple[str, str, int]]) -> None:
    assert row.status in flow.states
    assert row.extension_count <= 1
    action, before, who = log[-1]
    assert flow.find(action, before) is not None
    if action in ("recheck_ok", "recheck_fail"):
        assert who not in {w for a, _s, w in log if a in ("rectify", "enforced")}
    if action == "extend":
        assert who not in {w for a, _s, w in log if a == "ask_extend"}
    if flow.states[row.status].holder == "named":
        assert row.holder_id is not None
    if "handler" in flow.states[row.status].holder:
        assert row.department_code is not None


@pytest.mark.parametrize("flow", FLOWS)
@given(choices=st.lists(st.integers(0, 10_000), max_size=40))
@settings(max_examples=1000 if IS_FULL else 60, deadline=None)
def test_walks_keep_every_rule(flow: Flow, choices: list[int]) -> None:
    walk(flow, choices)


@pytest.mark.parametrize("flow", FLOWS)
def test_from_every_open_state_some_end_is_reached(flow: Flow) -> None:
    reached = {code for code, state in flow.states.items() if state.is_terminal}
    while True:
        more = {
            source
            for step in flow.steps
            for source in step.sources
            if source and source not in reached and step.to(source) in reached
        }
        if not more:
            break
        reached |= more

    assert reached == set(flow.states)


@pytest.mark.parametrize("flow", FLOWS)
def test_the_table_names_only_what_exists(flow: Flow) -> None:
    for step in flow.steps:
        assert set(step.sources) - {SAME} <= flow.states.keys(), step.action
        assert step.target in flow.states or step.target == SAME
        assert set(step.fields) <= flow.fields.keys(), step.action
        assert set(step.roles) - {SYSTEM} <= ROLES.keys(), step.action
        assert ("reason" in step.fields) == bool(step.reasons), step.action
    seen = [(step.action, source) for step in flow.steps for source in step.sources]
    assert len(seen) == len(set(seen)), "two lines for one action in one state"


def test_every_clock_has_a_length() -> None:
    for flow, terms in ((DISPUTE, DISPUTE_TERMS), (HAZARD, {**TERMS, "rectify": None})):
        clocks = {state.clock for state in flow.states.values() if state.clock}
        assert clocks <= set(terms)
    assert {term for terms in TERMS_OF.values() for term in terms} == RECTIFY.keys()


@given(st.integers(0, 365 * 24 * 60), st.integers(1, 60))
def test_days_end_at_closing_of_a_workday_not_before_their_number(minute: int, n: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)

    end = deadline(at, Term(n, "day"), CALENDAR)

    days = (CALENDAR.local(end).date() - CALENDAR.local(at).date()).days
    assert n <= days <= n + 2
    assert CALENDAR.is_workday(CALENDAR.local(end).date())
    assert end == CALENDAR.closing(CALENDAR.local(end).date())


@pytest.mark.parametrize(
    ("name", "typed", "wanted"),
    [
        (
            "terms",
            "2026-05-01 支付\n2026-4-2：道歉",
            [("2026-04-02", "道歉"), ("2026-05-01", "支付")],
        ),
        ("terms", "明天支付", None),
        ("terms", "2025-01-01 支付", None),
        ("revisit_on", "2026-13-01", None),
        ("people", "9999", 9999),
        ("people", "10000", None),
        ("people", "-1", None),
        ("held_at", "2026-03-05T15:00", "2026-03-05T07:00:00+00:00"),
        ("held_at", "9999-12-31T23:59", None),
        ("way", "court", "court"),
        ("way", "duel", None),
    ],
)
def test_values_are_read_strictly(name: str, typed: str, wanted: Any) -> None:
    from grids.flows.errors import BadValue

    asked = {"today": date(2026, 3, 4), "zone": ZoneInfo("Asia/Shanghai")}
    step = SimpleNamespace(action="x", reasons=())
    if wanted is None or (name == "terms" and not isinstance(wanted, list)):
        with pytest.raises(BadValue):
            read(DISPUTE.fields[name], step, typed, **asked)
        return
    found = read(DISPUTE.fields[name], step, typed, **asked)
    if name == "terms":
        found = [(term["due_on"], term["text"]) for term in found]

    assert found == wanted


@given(st.data())
def test_the_score_is_the_share_of_weight_that_is_met(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(lists())))
    answers = {i.code: data.draw(st.sampled_from(("ok", "failed", "na"))) for i in lists()[name]}

    found = result(name, answers)

    applies = [i for i in lists()[name] if answers[i.code] != "na"]
    failed = [i for i in applies if answers[i.code] == "failed"]
    if not applies:
        assert (found.score, found.colour) == (None, "none")
        return
    share = 1 - sum(i.weight for i in failed) / sum(i.weight for i in applies)
    assert abs(found.score - 100 * share) < 1
    is_red = any(i.is_major for i in failed) or found.score < 60
    assert (found.colour == "red") == is_red
    assert found.colour != "green" or found.score > 80


def test_the_lists_are_those_of_the_reference() -> None:
    found = {name: len(items) for name, items in lists().items()}
    major = {i.code for items in lists().values() for i in items if i.is_major}

    assert found == {
        "small_premises": 28, "rental_house": 20, "construction_site": 6, "market": 6,
        "school_surroundings": 5, "river": 5, "component_patrol": 5,
    }  # fmt: skip
    assert major == {
        "S06", "S07", "S10", "S12", "S23",
        "R01", "R03", "R06", "R09", "R10", "R11", "R12", "R14", "R17",
        "C04", "M01", "X05", "W02", "P01",
    }  # fmt: skip
    assert timedelta(hours=2) == deadline(datetime(2026, 3, 4, tzinfo=UTC), RECTIFY["spot"],
                                          CALENDAR) - datetime(2026, 3, 4, tzinfo=UTC)  # fmt: skip
