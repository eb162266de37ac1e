"""The life of each incident, step by step, by the table that real cases follow."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np

from grids.incidents.clocks import Calendar, stage_due
from grids.incidents.lifecycle import STATES, VERIFIED_CHANNELS, Move, find_move
from grids.incidents.models import IncidentEvent
from grids.incidents.projection import apply
from grids.synth.lives import Crew, Event, Life, Opening, RiskWord, Thread, follow_tasks, turn

#: How long people take, as a share of the limit: median and spread of a log-normal.
PACE = {
    "S1": (0.30, 0.7), "S2": (0.42, 0.6), "S3": (0.30, 0.7), "S4": (0.32, 0.7), "S5": (0.35, 0.8),
    "H": (0.44, 0.62), "S6": (0.40, 0.7), "S7": (0.45, 0.6), "S8": (0.35, 0.7),
}  # fmt: skip
OFFICE_ROLES = ("handler",)
OFFICE_OPENS, OFFICE_CLOSES = 7.5, 18.5

#: Paths that end without the work being done, and their shares.
ENDINGS = {"reject": 0.030, "refuse": 0.012, "void": 0.006}
UNTRUE_SHARE = 0.07  #: of what is verified on the spot
RETURN_SHARE, REWORK_SHARE, REVIEW_REWORK_SHARE, SEND_BACK_SHARE = 0.045, 0.04, 0.02, 0.01
HANDLE_NOTE_SHARE = 0.35

#: State -> share of the open cases.
OPEN_SHARE = {
    "pending_accept": 0.08, "pending_verify": 0.06, "pending_file": 0.04,
    "pending_dispatch": 0.06, "pending_sign": 0.13, "handling": 0.48, "pending_review": 0.05,
    "pending_check": 0.06, "pending_close": 0.04,
}  # fmt: skip
RISK_SHARE: dict[RiskWord, float] = {"ok": 0.50, "soon": 0.27, "late": 0.23}
#: How much of the limit of the present stage is gone, in an open case of each risk.
GONE: dict[RiskWord, tuple[float, float]] = {
    "ok": (0.05, 0.45), "soon": (0.56, 0.94), "late": (1.03, 1.5),
}  # fmt: skip
RISK_RANGE: dict[RiskWord, tuple[float, float]] = {
    "ok": (0.0, 0.5), "soon": (0.5, 1.0), "late": (1.0, np.inf),
}  # fmt: skip
#: Somebody looks at the queue a little after the city was built.
VIEWED_AFTER = timedelta(minutes=4)
REJECT_REASONS = ("outside_scope", "too_little_information", "recovered", "outside_area")
NOTES = {
    "reply": ("已处理完毕", "已清理到位", "已修复，现场恢复正常", "已劝离并教育", "已整改"),
    "handle": ("已到现场查看", "已联系责任单位", "正在组织人员处理"),
    "check_ok": ("现场核查已处理", "核查属实，问题已解决"),
    "close": ("结案", "符合结案条件"),
    "verify": ("现场核实属实",),
}


class Teller:
    """Tells the lives of cases. Each follows from its own id, so they may be told in any order."""

    def __init__(self, days: Calendar, crew: Crew, now: datetime) -> None:
        self._days, self._crew, self._now = days, crew, now

    def tell(self, opening: Opening, at: datetime) -> Life:
        """Tell a case that came in at an instant, to its end or to where it stands now."""
        path = self._path(opening)
        thread = self._run(opening, path, at, 1.0)
        if opening.risk is not None:
            thread = self._ending(opening, path, thread)
        else:
            thread = self._before_now(opening, path, at, thread)
        assert thread.case is not None
        return Life(opening, thread.case, thread.events, thread.clocks, thread.tasks)

    def _path(self, opening: Opening) -> list[str]:
        """Write down the actions of a case; an open one stops before the next of its state."""
        verified = opening.channel in VERIFIED_CHANNELS
        rng = _draws(opening, "path")
        if opening.outcome in ("reject", "duplicate"):
            return ["submit", "reject"]
        path = ["submit", "accept"]
        if verified:
            if opening.outcome == "untrue":
                return [*path, "find_untrue"]
            path.append("verify")
        if rng.random() < SEND_BACK_SHARE and not verified:
            path += ["send_back", "accept"]
        if opening.outcome == "refuse":
            return [*path, "refuse"]
        path += ["file"]
        if opening.outcome == "void":
            return [*path, "ask_void", "void"]
        path += ["dispatch"]
        if rng.random() < RETURN_SHARE:
            path += ["return", "dispatch"]
        path += ["sign"]
        if rng.random() < HANDLE_NOTE_SHARE:
            path += ["handle"]
        path += ["reply"]
        if rng.random() < REVIEW_REWORK_SHARE:
            path += ["rework", "reply"]
        path += ["ask_check"]
        if rng.random() < REWORK_SHARE:
            path += ["rework", "reply", "ask_check"]
        path += ["check_ok", "close"]
        return path if opening.outcome == "close" else _cut(path, opening)

    def _before_now(
        self, opening: Opening, path: list[str], started: datetime, thread: Thread
    ) -> Thread:
        """Hurry a case that would end after now; one that came in just now came earlier."""
        latest = self._now - timedelta(minutes=4)
        speed = 1.0
        for _ in range(12):
            last = thread.events[-1].recorded_at
            if last <= latest:
                return thread
            if latest - started < timedelta(minutes=2 * len(path)):
                started -= timedelta(minutes=7 * len(path))
            speed *= 0.9 * min(1.0, (latest - started) / (last - started))
            thread = self._run(opening, path, started, speed)
        raise ValueError("a case does not end before now")

    def _ending(self, opening: Opening, path: list[str], thread: Thread) -> Thread:
        """Shift an open case in time until its present stage is as late as it shall be."""
        begin = self._stage_start(opening, thread)
        natural = thread.events[-1].recorded_at - thread.events[0].recorded_at
        started = begin - natural
        for _ in range(20):
            thread = self._run(opening, path, started, 1.0, last_at=begin)
            late = thread.events[-1].recorded_at - begin
            if late <= timedelta():
                return thread
            started -= late + timedelta(minutes=10)
        return self._before_now(opening, path, started, thread)

    def _stage_start(self, opening: Opening, thread: Thread) -> datetime:
        """Find when the present stage must have begun: as much of its limit is gone as wanted."""
        stage = STATES[thread.events[-1].to_status].stage
        rng = _draws(opening, "stage")
        starts = [self._now - back for back in _backs(rng)]
        if stage is None or opening.risk is None:
            return starts[0]
        kind, seen_at = opening.kind, self._now + VIEWED_AFTER
        gone = np.array([
            (seen_at - start)
            / (
                stage_due(stage, start, self._days, urgency=kind.urgency, handling=kind.limit,
                          used=timedelta(minutes=4))
                - start
            )
            for start in starts
        ])  # fmt: skip
        low, high = RISK_RANGE[opening.risk]
        fits = (gone >= low) & (gone < high)  # at a weekend there may be none
        off = np.abs(gone - rng.uniform(*GONE[opening.risk]))
        return starts[int(np.argmin(np.where(fits, off, off + 1e6)))]

    def _run(
        self, opening: Opening, path: Sequence[str], started: datetime, speed: float,
        last_at: datetime | None = None,
    ) -> Thread:  # fmt: skip
        """Take a case along its path; the same draws each time, so that it can be retold.

        The last step is taken at `last_at`, unless those before it took longer.
        """
        state = _draws(opening, "steps")
        thread = Thread()
        at = started
        for k, action in enumerate(path):
            if last_at is not None and k == len(path) - 1:
                before = thread.events[-1].recorded_at if thread.events else last_at
                at = max(last_at, before + timedelta(seconds=30 if thread.events else 0))
            self._step(thread, opening, action, at, state)
            at = self._next(thread, opening, path, speed, state)
        return thread

    def _next(
        self, thread: Thread, opening: Opening, path: Sequence[str], speed: float,
        state: random.Random,
    ) -> datetime:  # fmt: skip
        """Draw when the next step is taken, from the limit of the running stage."""
        case, done = thread.case, len(thread.events)
        assert case is not None
        now = thread.events[-1].recorded_at
        stage = STATES[case.status].stage
        median, spread = PACE.get(stage or "S8", (0.4, 0.6))
        share = state.lognormvariate(math.log(median), spread)
        if any(action in ("handle", "ask_void") for action in path[done - 1 : done + 1]):
            share *= 0.4  # two steps share the limit
        due = case.due_at if case.due_at and case.due_at > now else now + timedelta(hours=2)
        wait = (due - now) * share
        at = now + max(wait, timedelta(seconds=40)) * speed
        holder = STATES[case.status].holder
        if holder in OFFICE_ROLES and opening.kind.urgency != "A" and speed == 1.0:
            at = self._in_office(at, due, state)
        return at

    def _in_office(self, at: datetime, due: datetime, state: random.Random) -> datetime:
        """Move what would be done at night to the next morning, where the limit allows it."""
        local = self._days.local(at)
        hour = local.hour + local.minute / 60
        if OFFICE_OPENS <= hour <= OFFICE_CLOSES:
            return at
        day = local.date() + timedelta(days=1 if hour > OFFICE_CLOSES else 0)
        morning = datetime.combine(day, datetime.min.time(), self._days.zone).astimezone(UTC)
        morning += timedelta(hours=8.2, minutes=state.uniform(0, 70))
        return morning if morning < due else at

    def _step(
        self, thread: Thread, opening: Opening, action: str, at: datetime,
        state: random.Random,
    ) -> None:  # fmt: skip
        """Write one event, let clocks and tasks follow, and project the row."""
        case = thread.case
        status = case.status if case else "draft"
        move = find_move(action, status)
        if move is None:
            raise ValueError(f"the lifecycle has no {action} from {status}")
        target = move.to(status, opening.channel)
        role, actor = self._actor(thread, opening, move, state)
        kind = opening.kind
        data: dict[str, Any] = {}
        if case is None:
            data = {"number": opening.number, "category_id": kind.category_id, "category": kind.code,
                    "urgency": kind.urgency, "text": opening.text, "address": opening.address,
                    "channel": opening.channel}  # fmt: skip
            if opening.component_id is not None:
                data["component_id"] = opening.component_id
        department = case.department_code if case else None
        if action == "dispatch":
            department = kind.department
            data = {"department": department, "assisting": []}
        if action == "ask_check":
            data["worker"] = self._crew.workers.get(opening.grid_code, self._crew.spare_worker)
        data |= turn(thread.clocks, case, move, target, kind, at, self._days, opening.id)
        event = Event(
            id=_uuid(state) if case else opening.id,
            incident_id=opening.id,
            seq=len(thread.events) + 1,
            recorded_at=at,
            action=action,
            from_status=status,
            to_status=target,
            actor_id=actor,
            role=role,
            department_code=department,
            area_code=opening.area_code,
            device_at=_device_time(role, at, state),
            device="app" if role == "worker" else "",
            reason=_reason(action, opening, status, state),
            note=_note(action, state),
            data=data,
        )
        thread.case = apply(case, cast("IncidentEvent", event))
        thread.events.append(event)
        follow_tasks(thread.tasks, event)

    def _actor(
        self, thread: Thread, opening: Opening, move: Move, state: random.Random
    ) -> tuple[str, int | None]:
        """Choose who takes a step: who handles a case never checks or closes it."""
        if move.action == "submit":
            role = {"worker": "worker", "public": "public", "system": "system"}
            return role.get(opening.channel, "intake"), opening.reporter
        role_name = move.roles[0]
        if role_name == "worker":
            return "worker", self._crew.workers.get(opening.grid_code, self._crew.spare_worker)
        if role_name == "handler":
            case = thread.case
            department = case.department_code if case and case.department_code else "D01"
            staff = self._crew.handlers[department]
            chosen = thread.handlers.setdefault(department, state.choice(staff))
            return "handler", chosen
        if move.action == "void":
            role_name = "dispatcher"  # somebody else than the shift leader who asked
        staff = self._crew.desks[role_name]
        return role_name, state.choice(staff)


def _cut(path: list[str], opening: Opening) -> list[str]:
    """Stop a path where the case first reaches the state it shall be in."""
    status = "draft"
    for k, action in enumerate(path):
        move = find_move(action, status)
        if move is None:
            raise ValueError(f"the lifecycle has no {action} from {status}")
        status = move.to(status, opening.channel)
        if status == opening.outcome:
            return path[: k + 1]
    return path


def _draws(opening: Opening, part: str) -> random.Random:
    """Return the random numbers of one part of a case, always the same for it."""
    return random.Random(f"{opening.id}{part}")


def _backs(rng: random.Random) -> list[timedelta]:
    """List how long ago a stage may have begun, in random order, from minutes to weeks."""
    low, high = math.log(2), math.log(25 * 1440)
    return [timedelta(minutes=math.exp(rng.uniform(low, high))) for _ in range(80)]


def _uuid(state: random.Random) -> uuid.UUID:
    return uuid.UUID(int=state.getrandbits(128), version=4)


def _device_time(role: str, at: datetime, state: random.Random) -> datetime | None:
    if role not in ("worker", "public"):
        return None
    return at - timedelta(seconds=int(state.expovariate(1 / 35)) + 1)


def _note(action: str, state: random.Random) -> str:
    return state.choice(NOTES.get(action, ("",)))


def _reason(action: str, opening: Opening, status: str, state: random.Random) -> str | None:
    if action == "reject":
        if opening.outcome == "duplicate":
            return "duplicate"
        return state.choice(REJECT_REASONS)
    if action == "rework":
        return "not_solved" if status == "pending_check" else "poor_quality"
    fixed = {"find_untrue": "untrue", "refuse": "below_threshold", "return": "not_our_duty",
             "send_back": "too_little_information", "ask_void": "wrong_entry"}  # fmt: skip
    return fixed.get(action)
