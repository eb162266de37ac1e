"""What the reporter of a case may follow: its steps in a few words, and photos of the result.

Less than staff sees: no person, no note, no place beyond the report's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.codes import Department
from grids.incidents import tracking
from grids.incidents.detail import Photo, photos_of
from grids.incidents.errors import NoIncident
from grids.incidents.lifecycle import STATES
from grids.incidents.listing import CaseRow, rows_at
from grids.incidents.models import Incident
from grids.responsibility import moratorium_of
from grids.responsibility.models import Moratorium
from grids.secrets import token_hash

#: Action -> the word for it on the public page. What is not listed is internal.
WORDS: Final = MappingProxyType(
    {
        "submit": "received",
        "accept": "accepted",
        "verify": "verified",
        "file": "filed",
        "dispatch": "dispatched",
        "sign": "signed",
        "return": "returned",
        "reply": "replied",
        "check_ok": "checked",
        "rework": "rework",
        "close": "closed",
        "reject": "declined",
        "find_untrue": "declined",
        "refuse": "declined",
        "void": "void",
        "merge": "merged",
        "unmerge": "parted",
    }
)


@dataclass(frozen=True)
class FollowedStep:
    """One step as the reporter sees it; `department` is None where a worker does it."""

    word: str
    at: datetime
    department: Department | None


@dataclass(frozen=True)
class Followed:
    """A case as its reporter sees it.

    Of a report that was merged, `due_at`, `department` and the later steps are those of the
    case it went into; photos of that case are not shown, they belong to somebody else.
    """

    row: CaseRow
    state: str  #: received, in_progress, done, declined
    reason: str | None  #: code, where it was declined
    version: int  #: number of events: changes when anything happened
    steps: tuple[FollowedStep, ...]  #: newest first
    photos: tuple[Photo, ...]  #: of the report
    results: tuple[Photo, ...]  #: after handling, shown once the case is done
    is_joined: bool = False
    due_at: datetime | None = None
    department: Department | None = None
    rests: Moratorium | None = None  #: what cases like it fall under now


def follow(session: Session, code: str, *, now: datetime) -> Followed:
    """Return what a tracking code opens. Raises `NoIncident`."""
    status = tracking.public_status(session, code)
    case = rows_at(now).where(_by_code(code))
    row = CaseRow(**session.execute(case).mappings().one())
    stored = session.get_one(Incident, row.id)
    log = list(tracking.log_of(session, stored))
    with tracking.leading(session, stored) as main:
        if main is not stored:
            log += [e for e in tracking.log_of(session, main) if e.recorded_at > stored.stage_at]
    departments = _departments(session, {e.department_code for e in log} | {status.department_code})
    photos = photos_of(session, row.id)
    return Followed(
        row=row,
        state=status.status,
        reason=status.reason,
        version=status.version,
        steps=tuple(
            FollowedStep(
                WORDS[event.action], event.recorded_at, departments.get(event.department_code)
            )
            for event in reversed(log)
            if event.action in WORDS
        ),
        photos=tuple(photo for photo in photos if photo.event_seq == 1),
        results=tuple(p for p in photos if p.part == "after" and status.status == "done"),
        is_joined=status.is_joined,
        due_at=status.due_at,
        department=departments.get(status.department_code),
        rests=moratorium_of(session, stored.category_id, stored.area_code, now)
        if status.status in ("received", "in_progress")
        else None,
    )


def photo_of(session: Session, code: str, photo_id: int) -> Photo | None:
    """Return a photo that a tracking code opens; None for any other photo."""
    try:
        row = tracking.tracked(session, code)
    except NoIncident:
        return None
    is_done = STATES[row.status].public == "done" or "sampled" in row.flags
    allowed = (
        photo
        for photo in photos_of(session, row.id)
        if photo.event_seq == 1 or (is_done and photo.part == "after")
    )
    return next((photo for photo in allowed if photo.id == photo_id), None)


def reported_by(session: Session, actor: Actor, *, most: int, now: datetime) -> list[CaseRow]:
    """Return what somebody has reported, the newest first."""
    statement = (
        rows_at(now)
        .where(Incident.reporter_id == actor.account_id)
        .order_by(Incident.received_at.desc(), Incident.id)
        .limit(most)
    )
    return [CaseRow(**row) for row in session.execute(statement).mappings()]


def _by_code(code: str) -> ColumnElement[bool]:
    return Incident.track_hash == token_hash(tracking.normal(code))


def _departments(session: Session, codes: set[str | None]) -> dict[str | None, Department]:
    rows = session.scalars(select(Department).where(Department.code.in_(codes - {None})))
    return {row.code: row for row in rows}
