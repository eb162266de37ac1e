"""Cases that have got stuck: told once per case and cause, and ended when the cause is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from grids.channels.alarms import OVER
from grids.channels.models import DutyAlarm
from grids.db import queries
from grids.incidents.lifecycle import OPEN
from grids.incidents.models import Incident

#: Alarms of this kind carry the cause behind it: stuck_no_owner, stuck_reporter, ...
KIND: Final = "stuck_"
CAUSES: Final = ("no_owner", "no_clock", "no_movement", "reporter", "undecided", "review",
                 "outside", "paused")  # fmt: skip
#: Requests that somebody else has to decide.
ASKED: Final = ("waiting_reporter", "return_asked", "extend_asked", "defer_asked",
                "suspend_asked", "void_asked", "appeal_asked")  # fmt: skip
#: One look tells no more than this, the oldest first; the next look tells the next.
MOST: Final = 500


@dataclass(frozen=True)
class Limits:
    """How long is too long."""

    factor: float = 2.0  #: of a stage's limit without any movement by a person
    least_h: int = 4  #: after the limit, however short it was
    reporter_h: int = 72
    undecided_h: int = 48
    paused_h: int = 24 * 90


def watch(session: Session, now: datetime, limits: Limits | None = None) -> int:
    """Tell the shift of cases that got stuck since the last look; return how many are new.

    What a person has closed stays closed until the case moves; what is over ends by itself.
    """
    held = limits or Limits()
    rows = session.execute(
        queries("watch")["stuck"],
        {
            "open": list(OPEN), "asked": list(ASKED), "now": now, "factor": held.factor,
            "least_h": held.least_h, "reporter_h": held.reporter_h,
            "undecided_h": held.undecided_h, "paused_h": held.paused_h, "most": MOST * 20,
        },
    ).all()  # fmt: skip
    found = {(f"{KIND}{row.cause}", row.number): row for row in rows}
    known = _known(session)
    new = [(key, row) for key, row in found.items() if key not in known][:MOST]
    # An alarm holds its case: whoever holds several takes them in one order, as reminders do.
    for (kind, number), row in sorted(new, key=lambda one: one[1].id):
        session.add(_alarm(kind, number, row, now))
    session.flush()
    over = [one for key, (one, is_open) in known.items() if is_open and key not in found]
    if over:
        session.execute(
            update(DutyAlarm)
            .where(DutyAlarm.id.in_(over))
            .values(closed_at=now, note=OVER)
            .execution_options(synchronize_session=False)
        )
    return len(new)


def _known(session: Session) -> dict[tuple[str, str], tuple[int, bool]]:
    """Return what was told: open alarms, and those closed by a person while the case stood still."""
    rows = session.execute(
        select(DutyAlarm.kind, DutyAlarm.subject, DutyAlarm.id, DutyAlarm.closed_at)
        .join(Incident, Incident.id == DutyAlarm.incident_id)
        .where(
            DutyAlarm.kind.in_([f"{KIND}{cause}" for cause in CAUSES]),
            or_(
                DutyAlarm.closed_at.is_(None),
                and_(DutyAlarm.closed_by.is_not(None), DutyAlarm.opened_at >= Incident.stage_at),
            ),
        )
        .order_by(DutyAlarm.closed_at.is_(None), DutyAlarm.id)
    )
    return {(row.kind, row.subject): (row.id, row.closed_at is None) for row in rows}


def _alarm(kind: str, number: str, row: Any, now: datetime) -> DutyAlarm:
    case_id: UUID = row.id
    return DutyAlarm(
        kind=kind, subject=number, area_code=row.area_code, incident_id=case_id, opened_at=now,
        last_at=now, detail={"since": row.since.isoformat()},
    )  # fmt: skip


def count_open(session: Session) -> int:
    """Count the open alarms of stuck cases."""
    asked = select(func.count()).where(
        DutyAlarm.closed_at.is_(None), DutyAlarm.kind.startswith(KIND)
    )
    return session.scalar(asked) or 0
