"""The watch: counts the hour and holds every rule against the audit log, once a minute."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids.city import City
from grids.db import queries
from grids.signals.models import SignalCount, SignalState
from grids.signals.rules import DENIED, EXPORTS, READS, RULES, Rule

#: What a machine that was off for longer has to count again is in the audit log itself.
FURTHEST_BACK: Final = timedelta(days=7)
#: A transaction writes its act some time before it commits; the hour is counted again.
LATE: Final = timedelta(minutes=10)
COUNTS_KEPT: Final = timedelta(days=180)
#: Until a map is loaded there is no city to ask for its clock.
USUAL_ZONE: Final = "Asia/Shanghai"


@dataclass(frozen=True)
class Hit:
    """A rule that fired on one subject."""

    rule: str
    subject: str
    account_id: int | None
    first_at: datetime
    last_at: datetime
    count: int
    detail: dict[str, Any]


def watch(session: Session, now: datetime) -> int:
    """Count what happened, hold every rule against it and raise alarms; return how many are new.

    Running it twice changes nothing: hours are counted anew, and an alarm that stands only
    grows.
    """
    count_hours(session, now)
    zone = session.scalar(select(City.city_zone)) or USUAL_ZONE
    raised = sum(
        _raise(session, hit, now)
        for rule in RULES.values()
        for hit in hits(session, rule, now, zone)
    )
    session.execute(
        insert(SignalState)
        .values(id=1, looked_at=now)
        .on_conflict_do_update(index_elements=["id"], set_={"looked_at": now})
    )
    return raised


def hits(session: Session, rule: Rule, now: datetime, zone: str) -> list[Hit]:
    """Hold one rule against the audit log."""
    if not rule.actions:
        return []
    rows = session.execute(
        queries("signals")[rule.statement],
        {
            "since": now - rule.window,
            "until": now,
            "actions": list(rule.actions),
            "least": rule.least,
            "zone": zone,
        },
    )
    return [
        Hit(rule.name, r.subject, r.account_id, r.first_at, r.last_at, r.times, r.detail)
        for r in rows
    ]


def count_hours(session: Session, now: datetime) -> None:
    """Count the hours since the last look, the last one again; forget the oldest."""
    looked_at = session.scalar(select(SignalState.looked_at)) or now - FURTHEST_BACK
    since = max(looked_at - LATE, now - FURTHEST_BACK)
    session.execute(
        queries("signals")["count_hours"],
        {
            "since": since.replace(minute=0, second=0, microsecond=0),
            "until": now,
            "failed": ["sign_in_failed"],
            "signed_in": ["sign_in"],
            "reads": list(READS),
            "exports": list(EXPORTS),
            "denied": list(DENIED),
        },
    )
    session.execute(delete(SignalCount).where(SignalCount.hour < now - COUNTS_KEPT))


def _raise(session: Session, hit: Hit, now: datetime) -> bool:
    """Raise or renew the alarm of a hit; say whether it is new."""
    is_new = session.scalar(
        queries("signals")["raise_alarm"],
        {
            "rule": hit.rule,
            "subject": hit.subject,
            "account_id": hit.account_id,
            "now": now,
            "first_at": hit.first_at,
            "last_at": hit.last_at,
            "count": hit.count,
            "detail": json.dumps(hit.detail),
        },
    )
    return bool(is_new)
