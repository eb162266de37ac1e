"""Random walks through the table on real PostGIS: every open case has one owner and one clock."""

from typing import Any, ClassVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.errors import GridsError
from grids.incidents import lifecycle, projection
from grids.incidents.lifecycle import REASONS, STATES, Move
from grids.incidents.models import IncidentClock, IncidentEvent
from grids.incidents.roles import Placed, possible
from tests.support.cases import DEPARTMENT, Desk, build_city, make_photo, make_staff

STEPS = 40
WALKS = 40
ROLES = ("intake", "shift_leader", "dispatcher", "town_seat", "handler", "worker", "grid_leader")
#: Further lines of the table will lead there.
LATER = {"draft", "suspended", "merged", "self_handled"}


def fields_for(move: Move, desk: Desk, photo: str, *, to_worker: bool) -> dict[str, Any]:
    """Fill in everything a line asks for."""
    values: dict[str, Any] = {
        "note": "说明", "photos": (photo,), "reason": REASONS[move.reasons][0] if move.reasons else None,
        "department": DEPARTMENT, "worker": desk.staff["worker"].account_id,
    }  # fmt: skip
    names = {name for wanted in move.requires for name in wanted.split("|")}
    if {"department", "worker"} <= names:
        names -= {"department"} if to_worker else {"worker"}
    return {name: values[name] for name in names}


class Walk(RuleBasedStateMachine):
    """One case and everybody who may touch it."""

    session: Session
    desk: Desk
    photo: str
    reached: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.case: UUID | None = None

    @rule(
        channel=st.sampled_from(("worker", "public")),
        urgency=st.sampled_from("ABCD"),
        start=st.sampled_from(("pending_accept", "pending_sign", "handling", "pending_check")),
    )
    def report(self, channel: str, urgency: str, start: str) -> None:
        """Open a case, some of them far along the main path already."""
        if self.case is None or STATES[self.desk.row(self.case).status].is_terminal:
            self.case = self.desk.submit(channel=channel, urgency=urgency)
            self.desk.take_to(self.case, start)

    @rule(
        pick=st.integers(0, 999),
        minutes=st.sampled_from((0, 1, 25, 300, 3000)),
        to_worker=st.booleans(),
    )
    def step(self, pick: int, minutes: int, *, to_worker: bool) -> None:
        """Try what the table offers here, in one of the roles it names."""
        if self.case is None:
            return
        status = self.desk.row(self.case).status
        pairs = [
            (line.action, role)
            for line in lifecycle.moves_from(status)
            for role in line.roles
            if role in ROLES
            for _ in range(3 if line.is_primary else 1)  # else most walks end in a refusal
        ]
        if pairs:
            action, role = pairs[pick % len(pairs)]
            self.act(action, role, minutes, to_worker=to_worker)

    @rule(
        action=st.sampled_from([name for name in lifecycle.actions() if name != "submit"]),
        role=st.sampled_from(ROLES),
    )
    def blunder(self, action: str, role: str) -> None:
        """Try anything, in any role."""
        self.act(action, role, 0, to_worker=False)

    def act(self, action: str, role: str, minutes: int, *, to_worker: bool) -> None:
        if self.case is None:
            return
        self.desk.later(minutes=minutes)
        row = self.desk.row(self.case)
        actor = self.desk.staff[role]
        status = row.status
        did = self._did(actor.account_id)
        placed = Placed(status, row.area_code, row.department_code, row.holder_id, row.handler_id)
        line = lifecycle.find_move(action, status)
        is_shown = line in possible(placed, actor, did, row.flags)
        sees = actor.department is None or self._was_dispatched(actor.department)
        savepoint = self.session.begin_nested()
        try:
            more = fields_for(line, self.desk, self.photo, to_worker=to_worker) if line else {}
            self.desk.move(self.case, action, role, **more)
        except GridsError:
            savepoint.rollback()
            self.session.expire_all()
            assert not (is_shown and sees), f"{role} was shown {action} and refused"
            assert self.desk.row(self.case).status == status
        else:
            savepoint.commit()
            self.reached.add(self.desk.row(self.case).status)
            assert is_shown, f"{role} did {action} without being shown it"

    @invariant()
    def an_open_case_has_one_owner_and_one_running_clock(self) -> None:
        if self.case is None:
            return
        self.session.flush()
        row = self.desk.row(self.case)
        clocks = self.session.scalars(
            select(IncidentClock).where(IncidentClock.incident_id == self.case)
        ).all()
        running = [
            c for c in clocks if c.ended_at is None and not (c.paused and c.paused[-1][1] is None)
        ]
        state = STATES[row.status]
        if state.is_terminal:
            assert not [c for c in clocks if c.ended_at is None]
            assert row.due_at is None
            return
        assert [(c.stage, c.due_at) for c in running] == [(state.stage, row.due_at)]
        owners = [row.department_code] if state.holder == "handler" and row.department_code else []
        if state.holder == "handler" and row.department_code is None:
            owners.append(row.holder_id)
        elif state.holder != "handler":
            owners.append(state.holder)
        assert len(owners) == 1
        assert owners[0] is not None

    @invariant()
    def the_row_is_what_its_events_add_up_to(self) -> None:
        if self.case is None:
            return
        self.session.flush()
        self.session.expire_all()
        row = self.desk.row(self.case)
        assert projection.rebuilt(self.session, self.case) == projection.of_row(row)

    def _did(self, account_id: int) -> set[str]:
        found = select(IncidentEvent.action).where(
            IncidentEvent.incident_id == self.case, IncidentEvent.actor_id == account_id
        )
        return set(self.session.scalars(found))

    def _was_dispatched(self, department: str) -> bool:
        found = select(IncidentEvent.seq).where(
            IncidentEvent.incident_id == self.case,
            IncidentEvent.action == "dispatch",
            IncidentEvent.department_code == department,
        )
        return self.session.scalars(found).first() is not None


def test_random_walks_keep_one_owner_one_clock_and_a_whole_log(session: Session) -> None:
    build_city(session)
    Walk.session, Walk.desk = session, Desk(session, make_staff(session))
    Walk.photo = make_photo(session)

    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

    # Some walks went all the way: a walk that ends at once would keep every invariant.
    assert Walk.reached >= {"pending_dispatch", "handling", "pending_review", "closed", "void"}


def test_the_walks_can_reach_every_state_that_the_table_leads_to() -> None:
    seen, waiting = set(), ["pending_accept"]
    while waiting:
        status = waiting.pop()
        if status in seen:
            continue
        seen.add(status)
        for move in lifecycle.moves_from(status):
            waiting += [move.target or status, *move.by_channel.values()]

    assert seen == set(STATES) - LATER
