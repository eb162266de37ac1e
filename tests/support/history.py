"""What many clients did to cases at once, and whether one order explains all they were told.

A history is linearizable where every accepted step stands in the log exactly once and was
possible in the state before it, where steps that followed each other on the clock of the test
follow each other in the log, and where every refusal was right in some state that the case had
while the client waited.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from uuid import UUID

from grids.accounts import Actor
from grids.errors import GridsError
from grids.incidents import machine, roles, timing
from grids.incidents.clocks import Calendar
from grids.incidents.lifecycle import SAME, STATES, find_move, targets
from grids.incidents.machine import Dossier
from grids.incidents.models import IncidentEvent
from grids.incidents.owners import owner_of_case
from grids.incidents.requests import MoveRequest

#: Refusals that the state of the case alone explains.
BY_STATE = frozenset(
    {"incident.forbidden_move", "incident.not_your_move", "incident.same_person",
     "incident.waiting", "incident.too_often"}
)  # fmt: skip
#: Events that a step on another case leaves, or that stand for a step that came too late.
INTERNAL = frozenset({"joined", "parted", "late_evidence"})


@dataclass
class Op:
    """One step that a client wanted, from its first try to the answer it believed."""

    case: UUID
    wanted: MoveRequest
    actor: Actor
    at: datetime
    invoked: int
    last_invoked: int = 0
    returned: int = 0
    seq: int | None = None
    code: str = ""


@dataclass
class History:
    """Everything that was wanted, on one clock that all clients share."""

    ops: list[Op] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ticks: count[int] = field(default_factory=count)

    def tick(self) -> int:
        with self.lock:
            return next(self.ticks)

    def keep(self, op: Op) -> None:
        with self.lock:
            self.ops.append(op)


def prefixes(log: Sequence[IncidentEvent], days: Calendar) -> list[Dossier]:
    """Return what the case was after each of its events, as `machine.fold` gets there."""
    found: list[Dossier] = []
    dossier: Dossier | None = None
    before: Dossier | None = None
    for event in log:
        if event.action == "undo" and before is not None:
            dossier, before = machine.undone(before, event), None
        else:
            before, dossier = dossier, machine.after(dossier, event, days)
        found.append(dossier)
    return found


def check(case: UUID, log: Sequence[IncidentEvent], ops: Iterable[Op], days: Calendar) -> Dossier:
    """Hold a case's log against what its clients were told. Raises `AssertionError`."""
    mine = [op for op in ops if op.case == case]
    assert [event.seq for event in log] == list(range(1, len(log) + 1)), "a gap in the log"
    assert len({event.id for event in log}) == len(log), "a step stands twice"
    states = prefixes(log, days)
    for state in states:
        _one_owner_one_clock(state)
    by_id = {op.wanted.id: op for op in mine}
    for place, event in enumerate(log[1:], start=1):
        _was_possible(event, states[:place], by_id.get(event.id))
    _nothing_lost(log, mine)
    _real_time(mine)
    for op in mine:
        if op.code in BY_STATE and op.wanted.action != "undo":
            _was_refused_rightly(op, mine, states)
    return states[-1]


def _one_owner_one_clock(state: Dossier) -> None:
    is_over = STATES[state.case.status].is_terminal
    assert (owner_of_case(state.case) is None) == is_over
    live = [run for run in state.runs if run.ended_at is None]
    assert bool(live) is not is_over, f"clocks of {state.case.status}"
    assert sum(not run.is_paused for run in live) <= 1
    assert timing.due_of(state.runs) == state.case.due_at


def _was_possible(event: IncidentEvent, before: list[Dossier], op: Op | None) -> None:
    """Hold one accepted step against the state that it met."""
    state = before[-1]
    line = find_move(event.action, state.case.status)
    assert event.from_status == state.case.status, "a step from a state that was not"
    assert line is not None, f"{event.action} from {state.case.status} is not in the table"
    if event.action in INTERNAL:
        return
    assert op is not None, f"nobody asked for {event.action}"
    assert (op.wanted.action, op.actor.account_id) == (event.action, event.actor_id)
    if event.action == "undo":
        assert state.last is not None
        assert roles.may_undo(state.last, op.actor, event.recorded_at)
        assert event.to_status == before[-2].case.status
        return
    assert event.to_status in targets(line) or (line.target == SAME)
    roles.require_possible(
        line, state.case, op.wanted, op.actor, state.did(op.actor), event.recorded_at
    )


def _nothing_lost(log: Sequence[IncidentEvent], mine: list[Op]) -> None:
    seqs = {event.id: event.seq for event in log}
    for op in mine:
        if op.seq is not None:
            assert seqs.get(op.wanted.id) == op.seq, f"{op.wanted.action} was acknowledged and lost"
        else:
            assert op.wanted.id not in seqs, f"{op.wanted.action} was refused ({op.code}) and kept"


def _real_time(mine: list[Op]) -> None:
    """What was answered before something else was asked stands before it."""
    done = sorted((op for op in mine if op.seq is not None), key=lambda op: op.returned)
    for op in done:
        for later in done:
            if op.returned < later.invoked:
                assert (op.seq or 0) < (later.seq or 0), "the log turns time around"


def _was_refused_rightly(op: Op, mine: list[Op], states: list[Dossier]) -> None:
    """Find a state, of those the case may have had meanwhile, that refuses for this reason."""
    first = max((o.seq for o in mine if o.seq and o.returned < op.last_invoked), default=1)
    assert any(_refusal(op, state) == op.code for state in states[first - 1 :]), (
        f"{op.wanted.action} was refused with {op.code}, and no state explains it"
    )


def _refusal(op: Op, state: Dossier) -> str:
    line = find_move(op.wanted.action, state.case.status)
    try:
        roles.require_possible(line, state.case, op.wanted, op.actor, state.did(op.actor), op.at)
    except GridsError as refused:
        return refused.code
    return ""
