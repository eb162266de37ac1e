"""Who took or asked for which file: kept, approved by a second person, handed out until it expires."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from grids import audit, jobs
from grids.accounts import Account, Actor
from grids.city import the_city
from grids.errors import Conflict, Gone, NotAllowed, NotFound
from grids.exports.levels import checked_reason
from grids.exports.marks import Mark, new_key
from grids.exports.models import ExportRequest
from grids.exports.selection import Selection

#: An approved file can be taken for three days.
LASTS: Final = timedelta(days=3)
#: What a list shows at most.
MOST: Final = 100
SHORTEST_ANSWER: Final = 5
#: What was taken is a layer, or a ledger by this beginning and its code.
LEDGER: Final = "ledger:"


class NoExport(NotFound):
    """There is no such export, or it is somebody else's."""

    code = "export.unknown"


class NotYours(NotAllowed):
    """A second person decides on an export, never the one who asked for it."""

    code = "export.own_request"


class Settled(Conflict):
    """Somebody has decided on this export already."""

    code = "export.settled"


class NotReady(Conflict):
    """The file is not there: the export waits, was refused, is being made, or failed."""

    code = "export.not_ready"


class Expired(Gone):
    """The time in which the file could be taken is over, and it was removed."""

    code = "export.expired"


@dataclass(frozen=True)
class Shown:
    """An export with the names of the people who have to do with it."""

    request: ExportRequest
    asker: str
    decider: str


def keep_direct(
    session: Session,
    wanted: Selection,
    actor: Actor,
    *,
    choice: dict[str, Any],
    reason: str,
    note: str,
    now: datetime,
) -> ExportRequest:
    """Keep a file that leaves at once, for its number and its marks."""
    made = _request(wanted, actor, choice, rows=None, now=now)
    made.state, made.reason, made.note = "direct", reason, note
    session.add(made)
    session.flush()
    return made


def keep_ledger(
    session: Session,
    code: str,
    actor: Actor,
    *,
    format_name: str,
    choice: dict[str, Any],
    reason: str,
    note: str,
    rows: int,
    now: datetime,
) -> ExportRequest:
    """Keep a department's ledger (L2) that leaves at once. Raises `ReasonNeeded` without one."""
    reason, note = checked_reason("L2", reason, note)
    area = str(choice.get("area") or "")
    made = ExportRequest(
        account_id=actor.account_id, layer=f"{LEDGER}{code}", format=format_name, level="L2",
        choice=choice, areas=[area] if area else list(actor.areas), rows=rows, asked_at=now,
        mark_key=new_key(), state="direct", reason=reason, note=note,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def note_rows(session: Session, request_id: int, rows: int) -> None:
    """Note how many rows of a direct export really left."""
    session.execute(update(ExportRequest).where(ExportRequest.id == request_id).values(rows=rows))


def ask(
    session: Session,
    wanted: Selection,
    actor: Actor,
    *,
    choice: dict[str, Any],
    reason: str,
    note: str,
    rows: int,
    now: datetime,
    source_ip: str = "",
) -> ExportRequest:
    """Ask a second person for a file. Raises `ReasonNeeded` without a reason and a few words."""
    made = _request(wanted, actor, choice, rows=rows, now=now)
    made.reason, made.note = checked_reason("L3", reason, note)
    made.state, made.level = "waiting", "L3"
    session.add(made)
    session.flush()
    _record(session, "export_requested", made, actor, source_ip)
    return made


def _request(
    wanted: Selection, actor: Actor, choice: dict[str, Any], *, rows: int | None, now: datetime
) -> ExportRequest:
    area = str(choice.get("area") or "")
    return ExportRequest(
        account_id=actor.account_id,
        layer=wanted.layer.id,
        format=wanted.format,
        level=wanted.level,
        choice=choice,
        areas=[area] if area else list(actor.areas),
        rows=rows,
        asked_at=now,
        mark_key=new_key() if wanted.level != "L1" else "",
    )


def waiting(session: Session, actor: Actor) -> list[Shown]:
    """List what an approver has to decide on: within their areas, the oldest first."""
    found = session.scalars(
        select(ExportRequest).where(ExportRequest.state == "waiting").order_by(ExportRequest.id)
    )
    return _shown(session, [one for one in found if _covers(actor, one)][:MOST])


def waiting_count(session: Session, actor: Actor) -> int:
    """Count what an approver has to decide on, their own requests left out."""
    return sum(one.request.account_id != actor.account_id for one in waiting(session, actor))


def decided(session: Session, actor: Actor, *, limit: int = 20) -> list[Shown]:
    """List what was decided in an approver's areas, the newest first."""
    found = session.scalars(
        select(ExportRequest)
        .where(ExportRequest.decided_at.is_not(None))
        .order_by(ExportRequest.decided_at.desc())
        .limit(5 * limit)
    )
    return _shown(session, [one for one in found if _covers(actor, one)][:limit])


def mine(session: Session, actor: Actor, *, limit: int = 50) -> list[Shown]:
    """List what somebody took or asked for, the newest first."""
    found = session.scalars(
        select(ExportRequest)
        .where(ExportRequest.account_id == actor.account_id)
        .order_by(ExportRequest.id.desc())
        .limit(min(limit, MOST))
    )
    return _shown(session, found)


def seen(session: Session, request_id: int, actor: Actor) -> ExportRequest:
    """Return an export that is the actor's own or theirs to decide on. Raises `NoExport`."""
    found = session.get(ExportRequest, request_id)
    is_own = found is not None and found.account_id == actor.account_id
    if found is None or not (is_own or (actor.can("export:approve") and _covers(actor, found))):
        raise NoExport(f"no export {request_id}", number=request_id)
    return found


def approve(
    session: Session,
    request_id: int,
    actor: Actor,
    *,
    note: str,
    now: datetime,
    source_ip: str = "",
) -> ExportRequest:
    """Let a file be made. Raises `NoExport`, `NotYours`, `Settled` and `ReasonNeeded`.

    The row is locked before it is judged: of two approvers one decides.
    """
    found = _to_decide(session, request_id, actor)
    found.state, found.decided_by, found.decided_at = "approved", actor.account_id, now
    found.decision_note = note.strip()[:500]
    session.flush()
    jobs.defer(session, "make_export", request_id=request_id)
    _record(session, "export_approved", found, actor, source_ip)
    return found


def refuse(
    session: Session,
    request_id: int,
    actor: Actor,
    *,
    note: str,
    now: datetime,
    source_ip: str = "",
) -> ExportRequest:
    """Decline a request; a few words tell the person why. Raises as `approve`."""
    _, note = checked_reason("L2", "other", note)
    found = _to_decide(session, request_id, actor)
    found.state, found.decided_by, found.decided_at = "refused", actor.account_id, now
    found.decision_note = note
    session.flush()
    _record(session, "export_refused", found, actor, source_ip)
    return found


def _to_decide(session: Session, request_id: int, actor: Actor) -> ExportRequest:
    found = session.get(ExportRequest, request_id, with_for_update=True)
    if found is None or not _covers(actor, found):
        raise NoExport(f"no export {request_id}", number=request_id)
    if found.account_id == actor.account_id:
        raise NotYours("nobody decides on their own export")
    if found.state != "waiting":
        raise Settled(f"export {request_id} is {found.state}", state=found.state)
    return found


def take(
    session: Session, request_id: int, actor: Actor, *, now: datetime, source_ip: str = ""
) -> ExportRequest:
    """Hand an approved file to the person who asked for it, and to nobody else.

    Raises `NoExport`, `NotReady` and `Expired`.
    """
    found = session.get(ExportRequest, request_id, with_for_update=True)
    if found is None or found.account_id != actor.account_id:
        raise NoExport(f"no export {request_id}", number=request_id)
    if found.state == "expired" or (found.expires_at is not None and found.expires_at <= now):
        raise Expired(f"export {request_id} expired at {found.expires_at}")
    if found.state != "ready":
        raise NotReady(f"export {request_id} is {found.state}", state=found.state)
    found.taken_count += 1
    _record(session, "export", found, actor, source_ip, rows=found.rows, bytes=found.file_size)
    return found


def expire(session: Session, folder: Path | None, now: datetime) -> int:
    """Remove the files whose time is over; return how many."""
    over = session.scalars(
        select(ExportRequest)
        .where(ExportRequest.state == "ready", ExportRequest.expires_at <= now)
        .with_for_update(skip_locked=True)
    ).all()
    for one in over:
        if folder is not None:
            path_of(folder, one).unlink(missing_ok=True)
        one.state = "expired"
    return len(over)


def path_of(folder: Path, request: ExportRequest) -> Path:
    """Name the file of an export: by its number alone, which says nothing of its content."""
    return folder / f"{request.number}.{request.format}"


def mark_of(session: Session, request: ExportRequest) -> Mark:
    """Return the mark of an export, as it stands in its file."""
    account = session.get_one(Account, request.account_id)
    at = request.asked_at.astimezone(ZoneInfo(the_city(session).city_zone))
    return Mark(request.number, f"{account.name} ({account.login})", at, request.mark_key)


def _covers(actor: Actor, request: ExportRequest) -> bool:
    """Say whether the approver answers for every area of a request."""
    return all(any(area.startswith(own) for own in actor.areas) for area in request.areas)


def _shown(session: Session, found: Iterable[ExportRequest]) -> list[Shown]:
    requests = list(found)
    people = {one.account_id for one in requests} | {one.decided_by for one in requests}
    rows = session.execute(
        select(Account.id, func.concat(Account.name, " (", Account.login, ")")).where(
            Account.id.in_([person for person in people if person is not None])
        )
    )
    names = {row[0]: str(row[1]) for row in rows}
    return [
        Shown(one, names.get(one.account_id, ""), names.get(one.decided_by or 0, ""))
        for one in requests
    ]


def _record(
    session: Session,
    action: str,
    request: ExportRequest,
    actor: Actor,
    source_ip: str,
    **more: Any,
) -> None:
    audit.record(
        session,
        action,
        actor_id=actor.account_id,
        subject=f"export {request.number}",
        source_ip=source_ip,
        detail={
            "layer": request.layer,
            "level": request.level,
            "format": request.format,
            "reason": request.reason,
            "counted": request.rows,
            **more,
        },
    )
