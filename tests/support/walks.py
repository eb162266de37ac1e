"""One case in memory and everybody who may touch it: the machine without a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from grids.accounts import Actor
from grids.errors import GridsError
from grids.incidents import machine, roles, timing
from grids.incidents.clocks import DEFAULT_HANDLING, Calendar
from grids.incidents.lifecycle import (
    FIELD,
    REASONS,
    STATES,
    Move,
    find_move,
    moves_from,
)
from grids.incidents.owners import owner_of_case
from grids.incidents.projection import Fact
from grids.incidents.requests import MoveRequest

GRID: Final = "339901001001001"
NOON: Final = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)  # a Wednesday, 12:00 in the city
DAYS: Final = Calendar(ZoneInfo("Asia/Shanghai"))
PHOTO: Final = "0" * 64


def _actor(account_id: int, role: str, department: str | None = None) -> Actor:
    return Actor(account_id, role, frozenset({role}), frozenset(), ("",), department)


#: Two of each where it matters who it is; the last one handles and judges, against the rules.
STAFF: Final = (
    _actor(1, "intake"), _actor(2, "shift_leader"), _actor(3, "shift_leader"),
    _actor(4, "dispatcher"), _actor(5, "dispatcher"), _actor(6, "town_seat"),
    _actor(7, "handler", "D03"), _actor(8, "handler", "D01"), _actor(9, "worker"),
    _actor(10, "worker"), _actor(11, "grid_leader"), _actor(12, "commander"),
    _actor(13, "commander"), roles.SYSTEM,
    Actor(14, "both", frozenset({"handler", "grid_leader", "shift_leader", "dispatcher"}),
          frozenset(), ("",), "D03"),
)  # fmt: skip
LIMIT = machine.Setting(DAYS, lambda _category, urgency: DEFAULT_HANDLING[urgency])


@dataclass
class PaperCase:
    """A case, its log, and a clock that the test turns."""

    channel: str = "worker"
    urgency: str = "C"
    now: datetime = NOON
    moratorium: datetime | None = None
    log: list[Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        case = uuid4()
        self.log.append(
            Fact(
                id=case, incident_id=case, seq=1, recorded_at=self.now, action="submit",
                from_status="draft", to_status="pending_accept", actor_id=9, role="worker",
                department_code=None, area_code=GRID,
                data={"number": "20260304-000001", "category_id": 1, "category": "03001",
                      "urgency": self.urgency, "text": "满溢", "address": "",
                      "channel": self.channel},
            )
        )  # fmt: skip
        self.before: machine.Dossier | None = None
        self.dossier = machine.after(None, self.log[0], DAYS)
        self.log[0].data["due"] = self.dossier.runs[0].due_at.isoformat()
        self.dossier = machine.after(None, self.log[0], DAYS)

    @property
    def status(self) -> str:
        return self.dossier.case.status

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def shown(self, actor: Actor) -> list[Move]:
        d = self.dossier
        return roles.possible(d.case, actor, d.did(actor), now=self.now, last=d.last)

    def do(self, action: str, actor: Actor, **more: Any) -> Fact:
        """Take a step as the service does, or raise its refusal."""
        wanted = MoveRequest(**{"id": uuid4(), "action": action, **more})
        if action == "undo":
            before = self.before or self.dossier
            fact = machine.undo_fact(self.dossier, before, wanted, actor, now=self.now)
            self.dossier, self.before = machine.undone(before, fact), None
        else:
            setting = machine.Setting(
                DAYS, LIMIT.limit_of, lambda: self._resolved(wanted), lambda: self.moratorium
            )
            fact = machine.decide(self.dossier, wanted, actor, setting, now=self.now)
            self.before, self.dossier = self.dossier, machine.after(self.dossier, fact, DAYS)
        self.log.append(fact)
        return fact

    def walk_on(self, steps: int) -> None:
        """Take the first steps of the main path, so that walks begin everywhere."""
        by_id = {actor.account_id: actor for actor in STAFF}
        path: tuple[tuple[str, int, dict[str, Any]], ...] = (
            ("accept", 1, {}), ("verify", 10, {"photos": (PHOTO,)}), ("file", 2, {}),
            ("dispatch", 4, {"department": "D03"}), ("sign", 7, {}),
            ("reply", 7, {"note": "完成", "photos": (PHOTO,)}), ("ask_check", 5, {}),
            ("check_ok", 10, {"photos": (PHOTO,)}), ("close", 3, {}),
        )  # fmt: skip
        for action, who, more in path[:steps]:
            if find_move(action, self.status) is not None:
                self.do(action, by_id[who], **more)

    def _resolved(self, wanted: MoveRequest) -> dict[str, Any]:
        data: dict[str, Any] = {}
        if wanted.category:
            data |= {"category_id": int(wanted.category), "category": wanted.category}
        if wanted.urgency:
            data["urgency"] = wanted.urgency
        if wanted.department or wanted.assisting:
            data |= {"department": wanted.department, "assisting": list(wanted.assisting)}
        if wanted.worker:
            data["worker"] = wanted.worker
        if wanted.main:
            data["main"] = str(wanted.main)
        return data

    def filled(self, line: Move, pick: int) -> dict[str, Any]:
        """Fill in everything a line asks for, one way or another."""
        names = {name for wanted in line.requires for name in wanted.split("|")}
        due = self.dossier.case.handling_due_at
        values: dict[str, Any] = {
            "note": "说明", "photos": (PHOTO,), "department": ("D03", "D01")[pick % 2],
            "worker": 9 + pick % 2, "main": UUID(int=7), "grade": "key", "outside": "物业公司",
            "urgency": "ABCD"[pick % 4],
            "until": max(due or self.now, self.now) + timedelta(days=1 + pick % 5),
            "reason": REASONS[line.reasons][pick % len(REASONS[line.reasons])]
            if line.reasons else None,
        }  # fmt: skip
        if {"department", "worker"} <= names:
            names -= {("department", "worker")[pick % 3 == 0]}
        more = {name: values[name] for name in names if name in values}
        if "assisting" in line.optional and "department" in names and pick % 2:
            more["assisting"] = tuple({"D01", "D03"} - {more["department"]})
        return more

    def check(self) -> None:
        """Hold what is always true of a case. Raises `AssertionError`."""
        self._check_owner()
        self._check_clocks()
        if self.status != "merged":
            assert self.dossier.case.main_id is None
        assert [fact.seq for fact in self.log] == list(range(1, len(self.log) + 1))

    def _check_owner(self) -> None:
        case = self.dossier.case
        owner = owner_of_case(case)
        if STATES[case.status].is_terminal:
            assert owner is None
            return
        assert owner is not None, case.status
        assert GRID.startswith(owner.area_code)
        held = Actor(owner.account_id or 99, "", frozenset({owner.role}), frozenset(), ("",),
                     owner.department)  # fmt: skip
        deeds = self.dossier.did(held)
        can = [m for m in roles.possible(case, held, deeds, now=self.now) if m.action != "comment"]
        if owner.role == "worker" and not can:  # a leader who took the case on
            leader = Actor(held.account_id, "", frozenset(FIELD), frozenset(), ("",))
            can = roles.possible(case, leader, deeds, now=self.now)
        assert can, f"nobody can go on from {case.status} at {case.level}: {owner}"

    def _check_clocks(self) -> None:
        case, runs = self.dossier.case, self.dossier.runs
        live = [run for run in runs if run.ended_at is None]
        running = [run for run in live if not run.is_paused]
        state = STATES[case.status]
        if state.is_terminal:
            assert not live
            assert case.due_at is None
            return
        assert len(running) <= 1
        if running:
            assert (running[0].stage, running[0].due_at) == (state.stage, case.due_at)
        else:
            assert live, f"no clock in {case.status}"
            assert case.due_at is None
            assert case.status == "suspended" or "waiting_reporter" in case.flags
        background = [run for run in live if run is not timing.current(runs)]
        assert all(run.stage == "H" and run.is_paused for run in background)
        assert len(background) <= 1

    def refold(self) -> None:
        """Rebuild everything from the events alone and compare. Raises `AssertionError`."""
        again = machine.fold(self.log, DAYS)
        assert again is not None
        assert again.case == self.dossier.case
        assert again.runs == self.dossier.runs
        assert again.tasks == self.dossier.tasks


def attempt(case: PaperCase, action: str, actor: Actor, pick: int) -> bool | None:
    """Try a step and hold what may never happen; None where the table has none.

    What is shown may be refused only for what the request says; what is not shown is refused.
    """
    line = find_move(action, case.status)
    shown = action in {move.action for move in case.shown(actor)}
    before = case.dossier
    try:
        case.do(action, actor, **(case.filled(line, pick) if line else {}))
    except GridsError:
        assert case.dossier is before, "a refused step changed something"
        return False if line else None
    assert shown, f"{actor.name} did {action} from {before.case.status} without being shown it"
    _hold_axes(before, case.log[-1], action)
    _hold_limit(before, case.dossier, case.log[-1])
    return True


def _hold_axes(before: machine.Dossier, fact: Fact, action: str) -> None:
    handled = {"sign", "take", "handle", "reply", "assist_sign", "assist_reply", "self_close"}
    if action in ("close", "check_ok", "ask_check", "appeal_first", "appeal_final"):
        mine = before.deeds.get(fact.actor_id or 0, frozenset())
        assert not mine & handled, f"who handled the case did {action}"
    if action == "void":
        assert before.case.flags["void_asked"]["by"] != fact.actor_id


def _hold_limit(before: machine.Dossier, after: machine.Dossier, fact: Fact) -> None:
    """A rework gives back what was left of the limit, to the second, and starts no clock."""
    if fact.action != "rework" or fact.to_status != "handling":
        return
    old = [run for run in before.runs if run.stage == "H"]
    new = [run for run in after.runs if run.stage == "H"]
    assert len(old) == len(new)
    was, now = old[-1], new[-1]
    since = was.paused[-1][0]
    left = _left(was, since, was.due_at)
    assert left == _left(now, max(fact.recorded_at, since), now.due_at), "a rework moved the limit"


def _left(run: timing.Run, since: datetime, due: datetime) -> timedelta | datetime:
    from grids.incidents.clocks import work_time_between

    if due <= since:
        return timedelta()
    if run.limit_unit == "elapsed_hour":
        return due - since
    return work_time_between(since, due, DAYS)


def offered(case: PaperCase, actor: Actor) -> list[str]:
    """Return what an actor is shown, the steps forward three times as often."""
    return [move.action for move in case.shown(actor) for _ in range(3 if move.is_primary else 1)]


def tried(case: PaperCase) -> list[str]:
    """Return everything the table has from here."""
    return [move.action for move in moves_from(case.status)]
