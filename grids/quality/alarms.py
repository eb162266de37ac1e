"""Alarms of data quality: they open where a source gets worse, and close when it is better."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.errors import Invalid, NotFound
from grids.quality.models import QualityAlarm
from grids.quality.rules import RULES

#: Fewer entries than this prove nothing.
FEWEST: Final = 20
#: So many more of a hundred than a week before are told, whatever the limit.
JUMP: Final = 0.05
#: What is moved by chance jumps by chance when it is drawn anew: counts of residents have limits only.
NEVER: Final = 1.0
WEEK: Final = timedelta(days=7)
#: A page shows the worst; it says how many there are.
MOST: Final = 50

_OPEN: Final = text("""
    WITH rule (name, most, jump) AS (
      SELECT * FROM unnest(CAST(:rules AS text[]), CAST(:limits AS float8[]), CAST(:jumps AS float8[]))
    ),
    judged AS (
      SELECT now.rule, now.area_code, now.source, now.checked, now.failed,
             now.failed::float8 / now.checked AS share, rule.most, rule.jump,
             CASE WHEN past.checked >= :fewest THEN past.failed::float8 / past.checked END AS before
      FROM quality_result AS now JOIN rule ON rule.name = now.rule
      LEFT JOIN quality_result AS past
        ON past.day = :past AND past.area_code = now.area_code AND past.rule = now.rule
        AND past.source = now.source
      WHERE now.day = :today AND length(now.area_code) = 9 AND now.checked >= :fewest
    ),
    bad AS (
      SELECT *, CASE WHEN share > most THEN 'limit' ELSE 'jump' END AS why
      FROM judged WHERE share > most OR share > before + jump
    ),
    better AS (
      UPDATE quality_alarm AS a SET closed_at = :now
      WHERE a.closed_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM bad WHERE (bad.rule, bad.area_code, bad.source)
                              = (a.rule, a.area_code, a.source))
    )
    INSERT INTO quality_alarm (rule, area_code, source, why, opened_at, checked, failed, before)
    SELECT rule, area_code, source, why, :now, checked, failed, before FROM bad
    ON CONFLICT (rule, area_code, source) WHERE closed_at IS NULL
    DO UPDATE SET checked = excluded.checked, failed = excluded.failed
""")


class NoQualityAlarm(NotFound):
    """There is no such alarm, or it lies outside the caller's areas."""

    code = "quality.no_alarm"


class NoteNeeded(Invalid):
    """Who has seen an alarm says what is done about it."""

    code = "quality.note"


def watch(connection: Connection, today: date, now: datetime) -> None:
    """Open and close alarms after a run: by town, rule and source."""
    connection.execute(_OPEN, {
        "rules": list(RULES), "limits": [rule.limit for rule in RULES.values()],
        "jumps": [NEVER if rule.is_counted else JUMP for rule in RULES.values()],
        "today": today, "past": today - WEEK, "now": now, "fewest": FEWEST,
    })  # fmt: skip


def open_alarms(session: Session, actor: Actor, area: str = "") -> Sequence[QualityAlarm]:
    """List what is open in an area of the caller's scope, unseen first, the largest share first."""
    share = QualityAlarm.failed * 1.0 / QualityAlarm.checked
    return session.scalars(
        select(QualityAlarm)
        .where(
            scope.condition(actor, QualityAlarm),
            scope.in_areas(QualityAlarm.area_code, (area[:9],)),
            QualityAlarm.closed_at.is_(None),
        )
        .order_by(QualityAlarm.noted_at.is_not(None), share.desc(), QualityAlarm.id)
        .limit(MOST)
    ).all()


def count_open(session: Session, actor: Actor, area: str = "") -> int:
    """Count what is open in an area of the caller's scope."""
    asked = select(func.count()).where(
        scope.condition(actor, QualityAlarm),
        scope.in_areas(QualityAlarm.area_code, (area[:9],)),
        QualityAlarm.closed_at.is_(None),
    )
    return session.scalar(asked) or 0


def count_unseen(session: Session, actor: Actor) -> int:
    """Count the open alarms that nobody has looked at."""
    asked = select(func.count()).where(
        scope.condition(actor, QualityAlarm),
        QualityAlarm.closed_at.is_(None), QualityAlarm.noted_at.is_(None),
    )  # fmt: skip
    return session.scalar(asked) or 0


def see(
    session: Session, actor: Actor, alarm_id: int, note: str, *, now: datetime, source_ip: str
) -> None:
    """Note what is done about an alarm; it closes by itself once the share has fallen.

    Raises `NoQualityAlarm` and `NoteNeeded`.
    """
    if len(note.strip()) < 2:
        raise NoteNeeded("say what is done about it", field="note")
    found = session.scalar(
        scope.visible(select(QualityAlarm), actor, QualityAlarm)
        .where(QualityAlarm.id == alarm_id, QualityAlarm.closed_at.is_(None))
        .with_for_update()
    )
    if found is None:
        raise NoQualityAlarm(f"no open alarm {alarm_id}")
    found.noted_at, found.noted_by, found.note = now, actor.account_id, note.strip()[:500]
    audit.record(
        session, "quality_alarm_seen", actor_id=actor.account_id, source_ip=source_ip,
        subject=f"quality_alarm:{alarm_id}", detail={"rule": found.rule, "area": found.area_code},
    )  # fmt: skip
