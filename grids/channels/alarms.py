"""Alarms of the desk: what the shift leader has to look at, one open per kind and subject."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.channels.models import DutyAlarm
from grids.city import the_city
from grids.errors import Conflict, Invalid, NotFound

SHORTEST_NOTE: Final = 4
MOST: Final = 100
#: Of machines, not of cases: what the system administrator looks after.
TECHNICAL: Final = frozenset({"receiver", "given_up", "letter_box", "reconcile"})
#: The note of an alarm that ended by itself.
OVER: Final = "over"


class NoDutyAlarm(NotFound):
    """There is no such alarm, or it lies outside what the caller may see."""

    code = "duty_alarm.none"


class DutyAlarmMoved(Conflict):
    """Somebody has closed this alarm meanwhile."""

    code = "duty_alarm.moved"


class DutyNoteNeeded(Invalid):
    """An alarm is closed with a note that says what was done."""

    code = "duty_alarm.note"


def raise_alarm(
    session: Session,
    kind: str,
    subject: str,
    *,
    now: datetime,
    area_code: str = "",
    incident_id: UUID | None = None,
    detail: dict[str, Any] | None = None,
) -> bool:
    """Raise an alarm, or let the open one grow; say whether it is new."""
    values = {
        "kind": kind,
        "subject": subject,
        "area_code": area_code or the_city(session).county_code,
        "incident_id": incident_id,
        "detail": detail or {},
        "opened_at": now,
        "last_at": now,
    }
    statement = insert(DutyAlarm).values(values)
    again = statement.on_conflict_do_update(
        index_elements=["kind", "subject"],
        index_where=text("closed_at IS NULL"),
        set_={
            "last_at": now,
            "count": DutyAlarm.count + 1,
            "detail": statement.excluded.detail,
        },
    )
    return session.scalar(again.returning(DutyAlarm.count)) == 1


def clear(
    session: Session,
    kind: str,
    *,
    now: datetime,
    subject: str | None = None,
    keep: Collection[str] = (),
) -> int:
    """Close alarms of a kind whose cause is over, without a person; return how many.

    Either the one of `subject`, or all but those to `keep`.
    """
    which = DutyAlarm.subject == subject if subject is not None else DutyAlarm.subject.not_in(keep)
    closed = session.scalars(
        update(DutyAlarm)
        .where(DutyAlarm.kind == kind, DutyAlarm.closed_at.is_(None), which)
        .values(closed_at=now, note=OVER)
        .returning(DutyAlarm.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(closed)


def open_alarms(
    session: Session, actor: Actor, *, kinds: Collection[str] | None = None
) -> Sequence[DutyAlarm]:
    """Return the open alarms of the caller's area, of some kinds or of all, newest first."""
    return session.scalars(
        select(DutyAlarm)
        .where(DutyAlarm.closed_at.is_(None), _seen(actor), _of(kinds))
        .order_by(DutyAlarm.last_at.desc(), DutyAlarm.id.desc())
        .limit(MOST)
    ).all()


def count_open(session: Session, actor: Actor, *, kinds: Collection[str] | None = None) -> int:
    """Count the open alarms of the caller's area."""
    asked = select(func.count()).where(DutyAlarm.closed_at.is_(None), _seen(actor), _of(kinds))
    return session.scalar(asked) or 0


def close_alarm(
    session: Session, alarm_id: int, note: str, *, actor: Actor, now: datetime,
    source_ip: str = "", kinds: Collection[str] | None = None,
) -> None:  # fmt: skip
    """Close an alarm with what was done. Raises `NoDutyAlarm`, `DutyAlarmMoved`, `DutyNoteNeeded`."""
    if len(note.strip()) < SHORTEST_NOTE:
        raise DutyNoteNeeded("say what was done", field="note", length=SHORTEST_NOTE)
    found = session.scalar(
        select(DutyAlarm)
        .where(DutyAlarm.id == alarm_id, _seen(actor), _of(kinds))
        .with_for_update()
    )
    if found is None:
        raise NoDutyAlarm(f"no alarm {alarm_id}")
    if found.closed_at is not None:
        raise DutyAlarmMoved(f"alarm {alarm_id} is closed")
    found.closed_at, found.closed_by, found.note = now, actor.account_id, note.strip()[:2000]
    audit.record(
        session, "duty_alarm_closed", actor_id=actor.account_id,
        subject=f"duty_alarm:{alarm_id}", source_ip=source_ip, detail={"kind": found.kind},
    )  # fmt: skip


def _seen(actor: Actor) -> ColumnElement[bool]:
    """Say whose alarm it is; one without a place is the city's, a town does not see it."""
    return scope.in_areas(DutyAlarm.area_code, actor.areas)


def _of(kinds: Collection[str] | None) -> ColumnElement[bool]:
    return true() if kinds is None else DutyAlarm.kind.in_(kinds)
