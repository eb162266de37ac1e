"""Alarms as the security administrator answers them: seen, then closed with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from grids import audit
from grids.errors import Conflict, Invalid, NotFound
from grids.signals.models import ACKNOWLEDGED, CLOSED, OPEN, Alarm
from grids.signals.rules import RULES

PAGE: Final = 50
SHORTEST_NOTE: Final = 4
WEIGHTS: Final = ("high", "medium", "low")


class NoAlarm(NotFound):
    """There is no such alarm."""

    code = "alarm.unknown"


class AlarmMoved(Conflict):
    """Somebody has answered this alarm meanwhile."""

    code = "alarm.moved"


class NoteNeeded(Invalid):
    """An alarm is closed with a note that says what was found."""

    code = "alarm.note"


@dataclass(frozen=True)
class AlarmPage:
    """Some alarms, newest first, and the id that the next page starts after."""

    items: Sequence[Alarm]
    next: int | None


def open_count(session: Session) -> int:
    """Count the alarms that nobody has looked at."""
    return session.scalar(select(func.count()).where(Alarm.status == OPEN)) or 0


def counts(session: Session) -> dict[str, int]:
    """Count the alarms of each status."""
    rows = session.execute(select(Alarm.status, func.count()).group_by(Alarm.status))
    found = {status: int(count) for status, count in rows}
    return {status: found.get(status, 0) for status in (OPEN, ACKNOWLEDGED, CLOSED)}


def list_alarms(session: Session, status: str, *, after: int | None = None) -> AlarmPage:
    """List alarms of a status, newest first; `after` is the `next` of the page before."""
    asked = select(Alarm).where(Alarm.status == status)
    if after is not None:
        asked = asked.where(Alarm.id < after)
    rows = session.scalars(asked.order_by(Alarm.id.desc()).limit(PAGE + 1)).all()
    shown = rows[:PAGE]
    return AlarmPage(shown, shown[-1].id if len(rows) > PAGE else None)


def pressing(session: Session, *, most: int) -> Sequence[Alarm]:
    """List what is not closed, the gravest and newest first."""
    weight = case({name: WEIGHTS.index(rule.weight) for name, rule in RULES.items()},
                  value=Alarm.rule, else_=len(WEIGHTS))  # fmt: skip
    asked = select(Alarm).where(Alarm.status != CLOSED)
    return session.scalars(
        asked.order_by(Alarm.status.desc(), weight, Alarm.last_at.desc(), Alarm.id).limit(most)
    ).all()


def one(session: Session, alarm_id: int) -> Alarm:
    """Return one alarm. Raises `NoAlarm`."""
    found = session.get(Alarm, alarm_id)
    if found is None:
        raise NoAlarm(f"no alarm {alarm_id}")
    return found


def acknowledge(
    session: Session, alarm_id: int, *, actor_id: int, now: datetime, source_ip: str
) -> Alarm:
    """Note that somebody looks into an alarm. Raises `AlarmMoved` where somebody does already."""
    alarm = _locked(session, alarm_id)
    if alarm.status != OPEN:
        raise AlarmMoved(f"alarm {alarm_id} is {alarm.status}")
    alarm.status, alarm.acknowledged_at, alarm.acknowledged_by = ACKNOWLEDGED, now, actor_id
    _note(session, "alarm_acknowledged", alarm, actor_id, source_ip)
    return alarm


def close(
    session: Session, alarm_id: int, note: str, *, actor_id: int, now: datetime, source_ip: str
) -> Alarm:
    """Close an alarm with what was found. It comes again only for acts after those it names."""
    if len(note.strip()) < SHORTEST_NOTE:
        raise NoteNeeded("say what was found", field="note", length=SHORTEST_NOTE)
    alarm = _locked(session, alarm_id)
    if alarm.status == CLOSED:
        raise AlarmMoved(f"alarm {alarm_id} is closed")
    if alarm.acknowledged_at is None:
        alarm.acknowledged_at, alarm.acknowledged_by = now, actor_id
    alarm.status, alarm.closed_at, alarm.closed_by = CLOSED, now, actor_id
    alarm.note = note.strip()[:2000]
    _note(session, "alarm_closed", alarm, actor_id, source_ip)
    return alarm


def _locked(session: Session, alarm_id: int) -> Alarm:
    found = session.get(Alarm, alarm_id, with_for_update=True)
    if found is None:
        raise NoAlarm(f"no alarm {alarm_id}")
    return found


def _note(session: Session, action: str, alarm: Alarm, actor_id: int, source_ip: str) -> None:
    audit.record(
        session,
        action,
        actor_id=actor_id,
        subject=f"alarm:{alarm.id}",
        source_ip=source_ip,
        detail={"rule": alarm.rule, "about": alarm.subject},
    )
