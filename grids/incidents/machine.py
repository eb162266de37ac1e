"""The machine of a case without a database: a case, its clocks, sub-tasks and who did what.

`decide` judges a step by the table and writes it down as a fact; `after` lets everything
follow the fact. The service keeps in rows what these two return, and `fold` gets the same out
of the stored events alone, in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from grids.accounts import Actor
from grids.incidents import checks, roles, subtasks, timing
from grids.incidents.clocks import DEFAULT_HANDLING, Calendar, Limit
from grids.incidents.errors import NothingToUndo
from grids.incidents.guards import ORDER, rank
from grids.incidents.lifecycle import LEVELS, STATES, Move, find_move
from grids.incidents.models import IncidentEvent
from grids.incidents.projection import Case, Fact, apply
from grids.incidents.requests import MoveRequest

_LEVEL_OF: Final = {role: level for level, role in LEVELS.items()}
#: The step that measures the running clocks by a calendar that has changed.
RECOMPUTE: Final = "recompute"
#: Steps that leave a request's instant in the event even where the request has none.
ASKED: Final = {"extend": "extend_asked", "defer": "defer_asked", "suspend": "suspend_asked"}


@dataclass(frozen=True)
class Dossier:
    """Everything that the events of a case add up to."""

    case: Case
    runs: timing.Runs = ()
    tasks: subtasks.Tasks = ()
    deeds: Mapping[int, frozenset[str]] = field(default_factory=dict)
    last: roles.Last | None = None

    def did(self, actor: Actor) -> frozenset[str]:
        """Return what somebody did on the case."""
        return self.deeds.get(actor.account_id, frozenset())


@dataclass(frozen=True)
class Setting:
    """What a step is judged by beside the case: the calendar, limits, and what was looked up."""

    days: Calendar
    limit_of: Callable[[int, str], Limit]  #: category, urgency -> how long handling may take
    resolve: Callable[[], dict[str, Any]] = dict  #: checks what the request names
    moratorium: Callable[[], datetime | None] = lambda: None
    #: stage, category, urgency -> how long that stage may take; None: as usual
    stage_limit_of: Callable[[str, int, str], Limit | None] = lambda *_: None


def decide(
    dossier: Dossier, wanted: MoveRequest, actor: Actor, setting: Setting, *, now: datetime
) -> Fact:
    """Judge a step and write it down. Raises as `roles.require_possible` and `checks`."""
    case = dossier.case
    line, role = roles.require_possible(
        find_move(wanted.action, case.status), case, wanted, actor, dossier.did(actor), now
    )
    checks.require_fields(line, wanted)
    fact = fact_of(dossier, line, wanted, actor, role, setting.resolve(), now)
    return timed(dossier, fact, setting)


def fact_of(
    dossier: Dossier, line: Move, wanted: MoveRequest, actor: Actor, role: str,
    data: dict[str, Any], now: datetime,
) -> Fact:  # fmt: skip
    """Write down who takes which step, from where to where, when and why."""
    case = dossier.case
    data |= _told(line, case, wanted, role)
    department = data.get("department") if line.action in subtasks.ASSIGNING else None
    if line.of_assisting:
        department = actor.department
    return Fact(
        id=wanted.id,
        incident_id=case.id,
        seq=case.event_count + 1,
        recorded_at=now,
        action=line.action,
        from_status=case.status,
        to_status=_target(line, dossier, actor),
        actor_id=actor.account_id or None,
        role=role,
        department_code=department or case.department_code,
        area_code=case.area_code,
        device_at=wanted.device_at,
        device=wanted.device,
        reason=wanted.reason,
        note=wanted.note,
        photos=list(wanted.photos),
        data=data,
    )


def timed(dossier: Dossier, fact: Fact, setting: Setting) -> Fact:
    """Complete a fact by what it does to clocks and sub-tasks: both stand in the event."""
    case, data = dossier.case, fact.data
    urgency = data.get("urgency", case.urgency)
    limit = setting.limit_of(data.get("category_id", case.category_id), urgency)
    begins = fact.to_status == "handling" and fact.from_status != "handling"
    if begins:
        data["handled_by"] = _handled_by(case, fact)
    if begins or "urgency" in data:
        data["limit"] = [limit.value, limit.unit]
    data |= _measures(case, fact, setting, urgency)
    until = setting.moratorium() if begins else None
    if until is not None and until > fact.recorded_at:
        data["moratorium"] = until.isoformat()
    runs = timing.turn(dossier.runs, timing.turn_of(fact, case.urgency, limit), setting.days)
    due = timing.due_of(runs)
    data["due"] = due.isoformat() if due else None
    handling = timing.handling_due(runs)
    if handling is not None and handling != case.handling_due_at:
        data["handling_due"] = handling.isoformat()
    data |= _flags(dossier, fact)
    return fact


def _measures(case: Case, fact: Fact, setting: Setting, urgency: str) -> dict[str, Any]:
    """Return what the event keeps of the limit and the calendar that it is measured by."""
    found: dict[str, Any] = {"calendar": setting.days.no} if setting.days.no else {}
    stage = STATES[fact.to_status].stage
    is_new = fact.to_status != fact.from_status or "urgency" in fact.data
    if stage is not None and stage != "H" and is_new:
        category_id = fact.data.get("category_id", case.category_id)
        limit = setting.stage_limit_of(stage, category_id, urgency)
        if limit is not None:
            found["stage_limit"] = [limit.value, limit.unit]
    return found


def after(
    dossier: Dossier | None,
    event: IncidentEvent | Fact,
    days: Calendar,
    *,
    fallback: Limit | None = None,
    log: Sequence[IncidentEvent | Fact] = (),
) -> Dossier:
    """Return everything after one more event, which is no `undo`.

    `log` holds the events before it; only a `recompute` asks for them.
    """
    case = apply(dossier.case if dossier else None, event)
    last = roles.Last(event.action, event.from_status, event.actor_id, event.recorded_at)
    if dossier is None:
        runs = timing.opened(event, case, days)
        return Dossier(case, runs, (), _deeds({}, event), last)
    usual = fallback or DEFAULT_HANDLING[case.urgency]
    if event.action == RECOMPUTE:
        runs = recomputed(dossier.runs, log, days)
    else:
        runs = timing.turn(dossier.runs, timing.turn_of(event, dossier.case.urgency, usual), days)
    tasks = subtasks.follow(dossier.tasks, case, event)
    return Dossier(case, runs, tasks, _deeds(dossier.deeds, event), last)


def fold(events: Iterable[IncidentEvent | Fact], days: Calendar) -> Dossier | None:
    """Return what a whole log, in order of `seq`, adds up to: nothing else is asked.

    The limits stand in the events; the ends of all clocks are computed anew, each by the
    calendar that its event was measured by.
    """
    dossier = before = None
    log: list[IncidentEvent | Fact] = []
    for event in events:
        if event.action == "undo" and before is not None:
            dossier, before = undone(before, event), None
        else:
            known = days.known(event.data.get("calendar", 0))
            before, dossier = dossier, after(dossier, event, known, log=log)
        log.append(event)
    return dossier


def recomputed(
    runs: timing.Runs, log: Sequence[IncidentEvent | Fact], days: Calendar
) -> timing.Runs:
    """Return the clocks that have not ended as they would be, had this calendar always held.

    Those that have ended stay as they were measured: what was late stays late. `log` holds
    every event before.
    """
    again = fold(_steps(log), days.alone())
    if again is None:
        return runs
    return tuple(
        replace(run, due_at=anew.due_at) if run.ended_at is None else run
        for run, anew in zip(runs, again.runs, strict=True)
    )


def _steps(log: Sequence[IncidentEvent | Fact]) -> list[IncidentEvent | Fact]:
    """Return the events of a log but the looks at the calendar."""
    return [event for event in log if event.action != RECOMPUTE]


def undone(before: Dossier, event: IncidentEvent | Fact) -> Dossier:
    """Return a case as it was before its last step, which an `undo` took out."""
    last = roles.Last("undo", event.from_status, event.actor_id, event.recorded_at)
    return replace(before, case=replace(before.case, event_count=event.seq), last=last)


def undo_fact(
    dossier: Dossier, before: Dossier, wanted: MoveRequest, actor: Actor, *, now: datetime
) -> Fact:
    """Write down that somebody takes the own last step back. Raises `NothingToUndo`."""
    case, last = dossier.case, dossier.last
    if last is None or not roles.may_undo(last, actor, now):
        raise NothingToUndo("the last step cannot be taken back", action="undo")
    line = find_move("undo", case.status)
    role = roles.role_for(line, case, actor) if line else None
    if role is None:
        raise NothingToUndo("the last step cannot be taken back", action="undo")
    due = before.case.due_at
    return Fact(
        id=wanted.id, incident_id=case.id, seq=case.event_count + 1, recorded_at=now,
        action="undo", from_status=case.status, to_status=before.case.status,
        actor_id=actor.account_id or None, role=role,
        department_code=before.case.department_code, area_code=case.area_code,
        device_at=wanted.device_at, device=wanted.device, note=wanted.note,
        data={"undoes": case.event_count, "undone": last.action,
              "due": due.isoformat() if due else None},
    )  # fmt: skip


def _told(line: Move, case: Case, wanted: MoveRequest, role: str) -> dict[str, Any]:
    """Return what the event keeps of the request beside what was looked up."""
    until = wanted.until.isoformat() if wanted.until else None
    if until is None and line.action in ASKED:
        until = case.flags.get(ASKED[line.action], {}).get("until")
    data: dict[str, Any] = {"until": until} if until else {}
    if wanted.outside:
        data["outside"] = wanted.outside
    if wanted.grade:
        data["grade"] = wanted.grade
    if line.action in ("escalate", "delegate"):
        data["level"] = wanted.level or _next_level(line.action, case.level, role)
    return data


def _next_level(action: str, level: str, role: str) -> str:
    """Return the level beside; a seat from above takes the case up to itself."""
    if action == "delegate":
        return ORDER[rank(level) - 1]
    return ORDER[max(rank(level) + 1, rank(_LEVEL_OF[role]))]


def _target(line: Move, dossier: Dossier, actor: Actor) -> str:
    """Return where a step leads, by the channel, the sub-tasks and who has the case."""
    case = dossier.case
    if line.goes_back:
        return str(case.flags[line.goes_back].get("status", line.target))
    if line.joins and not _all_replied(line, dossier, actor):
        return case.status
    if line.unassigned and case.department_code is None and case.handler_id is None:
        return line.unassigned
    if line.needs_flag == "sampled" or line.action != "verify":
        return line.to(case.status, case.channel)
    return line.target


def _all_replied(line: Move, dossier: Dossier, actor: Actor) -> bool:
    """Say whether this reply is the last one that is missing."""
    waiting = set(subtasks.waiting(dossier.tasks))
    if not line.of_assisting:
        return not waiting
    is_last = waiting <= {actor.department}
    return is_last and "lead_replied" in dossier.case.flags and dossier.case.status == "handling"


def _handled_by(case: Case, fact: Fact) -> str | None:
    return None if fact.action == "take" else case.department_code


def _flags(dossier: Dossier, fact: Fact) -> dict[str, Any]:
    """Return the flags that follow from the sub-tasks."""
    given: dict[str, Any] = {}
    if "moratorium" in fact.data:
        given["moratorium"] = fact.data["moratorium"]
    if fact.action in subtasks.ASSIGNING and fact.data.get("assisting"):
        given["assisting"] = list(fact.data["assisting"])
    if fact.action == "fast_track":
        given["fast_tracked"] = True
    if fact.action in ("assist_reply", "assist_return"):
        waiting = subtasks.waiting(dossier.tasks)
        given["assisting"] = [code for code in waiting if code != fact.department_code]
    for action, flag in (("assist_sign", "assist_signed"), ("assist_return", "assist_returned")):
        if fact.action == action:
            given[flag] = [*dossier.case.flags.get(flag, ()), fact.department_code]
    if fact.action == "reply" and fact.to_status == fact.from_status:
        given["lead_replied"] = True
    return {"flags": given} if given else {}


def _deeds(
    deeds: Mapping[int, frozenset[str]], event: IncidentEvent | Fact
) -> Mapping[int, frozenset[str]]:
    if event.actor_id is None:
        return deeds
    return {**deeds, event.actor_id: deeds.get(event.actor_id, frozenset()) | {event.action}}
