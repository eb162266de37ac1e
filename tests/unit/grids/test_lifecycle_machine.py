"""The machine of a case in memory: 100,000 actions of everybody, and each branch by itself."""

import re
from collections import Counter
from datetime import timedelta
from random import Random
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.config import ROOT
from grids.incidents import lifecycle
from grids.incidents.lifecycle import FIELDS, FLAGS, MOVES, REASONS, STATES
from tests.support.depth import IS_FULL
from tests.support.walks import STAFF, PaperCase, attempt, offered, tried

ACTIONS = tuple(name for name in lifecycle.actions() if name not in ("submit", "self_close"))
MINUTES = (0, 0, 0, 1, 25, 300, 3000)
STEPS = 50
WALKS = 400 if IS_FULL else 10
ACTIONS_TRIED = 100_000 if IS_FULL else 20_000
#: Reached by a report that says it is done already, not by a walk that begins at intake.
OTHER_WAYS = {"draft", "self_handled"}
#: Begin at a case handled on the spot, or are written by the services themselves.
NOT_WALKED = {
    "sample",
    "sample_ok",
    "sample_failed",
    "late_evidence",
    "see_evidence",
    "joined",
    "parted",
    "recompute",
    "regrid",
}


class Walk(RuleBasedStateMachine):
    """One case after the other; what ends a walk is one that nobody can move any more."""

    reached: ClassVar[set[str]] = set()
    taken: ClassVar[dict[str, int]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.case = PaperCase()

    @rule(channel=st.sampled_from(("worker", "public")), urgency=st.sampled_from("ABCD"),
          rests=st.booleans())  # fmt: skip
    def report(self, channel: str, urgency: str, *, rests: bool) -> None:
        if STATES[self.case.status].is_terminal:
            self.case = PaperCase(channel, urgency)
            self.case.moratorium = self.case.now + timedelta(days=3) if rests else None

    @rule(who=st.sampled_from(STAFF), pick=st.integers(0, 999), minutes=st.sampled_from(MINUTES))
    def step(self, who: object, pick: int, minutes: int) -> None:
        """Take one of the steps that somebody is shown."""
        self.case.later(minutes=minutes)
        actions = offered(self.case, who)
        if actions:
            self.take(actions[pick % len(actions)], who, pick)

    @rule(who=st.sampled_from(STAFF), action=st.sampled_from(ACTIONS), pick=st.integers(0, 9))
    def blunder(self, who: object, action: str, pick: int) -> None:
        """Try anything, as anybody."""
        self.take(action, who, pick)

    def take(self, action: str, who: object, pick: int) -> None:
        if attempt(self.case, action, who, pick):
            self.taken[action] = self.taken.get(action, 0) + 1
            self.reached.add(self.case.status)

    @invariant()
    def one_owner_one_clock(self) -> None:
        self.case.check()

    def teardown(self) -> None:
        self.case.refold()


def test_walks_by_all_roles_keep_every_rule() -> None:
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=WALKS, stateful_step_count=STEPS, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck), phases=(Phase.generate,),
        ),
    )  # fmt: skip

    assert sum(Walk.taken.values()) > 0


def test_long_walks_take_every_step_of_the_table_and_reach_every_state() -> None:
    """Walks that prefer what was taken least, so that no branch is left to luck."""
    rng = Random(20260304)
    reached: set[str] = set()
    taken: Counter[str] = Counter()

    case = PaperCase()
    for number in range(ACTIONS_TRIED):
        if STATES[case.status].is_terminal and rng.random() < 0.2:
            case.refold()
            case = PaperCase(rng.choice(("worker", "public")), rng.choice("ABCD"))
            case.moratorium = case.now + timedelta(days=3) if number % 7 == 0 else None
            case.walk_on(rng.randrange(9))
        case.later(minutes=rng.choice(MINUTES))
        who = rng.choice(STAFF)
        actions = offered(case, who) if rng.random() < 0.85 else tried(case)
        if actions:
            action = min(rng.choices(actions, k=3), key=taken.__getitem__)
            taken[action] += attempt(case, action, who, rng.randrange(1000)) or 0
            reached.add(case.status)
            case.check()
    case.refold()

    assert {action for action in ACTIONS if not taken[action]} <= NOT_WALKED
    assert reached >= set(STATES) - OTHER_WAYS


def test_every_state_is_reached_by_the_table_and_every_open_one_is_left() -> None:
    seen, waiting = set(), ["draft"]
    while waiting:
        status = waiting.pop()
        if status not in seen:
            seen.add(status)
            waiting += [code for move in lifecycle.moves_from(status)
                        for code in lifecycle.targets(move)]  # fmt: skip

    assert seen == set(STATES)
    for status in lifecycle.OPEN:
        assert any(status not in lifecycle.targets(m) for m in lifecycle.moves_from(status))


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.action)
def test_a_line_names_only_what_exists(move: lifecycle.Move) -> None:
    names = {name for wanted in (*move.requires, *move.optional) for name in wanted.split("|")}

    assert names <= set(FIELDS)
    assert {*move.sources, *lifecycle.targets(move)} <= set(STATES)
    assert {move.needs_flag, move.bars_flag, move.sets_flag, *move.clears} - {None} <= set(FLAGS)
    assert move.reasons is None or move.reasons in REASONS
    assert ("reason" in names) == (move.reasons is not None)


def test_the_document_names_every_state_and_every_step() -> None:
    text = (ROOT / "docs/lifecycle.md").read_text()

    ours = {move.action for move in MOVES} - {"submit"} | set(STATES) - {"draft"}
    internal = {"find_untrue", "reject", "refuse", "send_back", "handle", "rework", "comment",
                "see_evidence"}  # fmt: skip
    assert sorted(name for name in ours - internal if not re.search(rf"\b{name}\b", text)) == []
