"""Reading the log and the state of its chain, for the auditor's pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, insert, select, text, tuple_
from sqlalchemy.orm import Session

from grids.audit.catalogue import ACTIONS
from grids.audit.chain import instant
from grids.audit.models import AuditCheck, AuditEvent, AuditHead, AuditLink
from grids.errors import Invalid

MOST: Final = 1_000


class BadPlace(Invalid):
    """The mark of where to go on is none that the log gave."""

    code = "audit.bad_place"


@dataclass(frozen=True)
class Filters:
    """What somebody looks for; empty means all. Times are half-open."""

    actions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    actor_id: int | None = None
    subject: str = ""  #: the beginning of a subject, such as "incident "
    from_at: datetime | None = None
    to_at: datetime | None = None
    is_success: bool | None = None


@dataclass(frozen=True)
class Entry:
    """One act as the log has it."""

    id: int
    at: datetime
    actor_id: int | None
    action: str
    kind: str
    subject: str
    is_success: bool
    source_ip: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Entries:
    """Some acts, the newest first; `after` is where the next ones begin, None at the end."""

    rows: tuple[Entry, ...]
    after: str | None


@dataclass(frozen=True)
class ChainState:
    """How far the log is sealed, and what was last proved about it."""

    links: int
    events: int
    sealed_at: datetime | None  #: when the newest link was made
    seen_at: datetime | None  #: when the sealer last said that it lives
    limit_s: int
    is_alive: bool
    waiting: int  #: written and not yet sealed
    waiting_since: datetime | None
    last_head: AuditHead | None
    last_check: AuditCheck | None


def entries(
    session: Session, filters: Filters, *, after: str | None = None, limit: int = 100
) -> Entries:
    """List acts, the newest first, in pages that stay right while rows are written.

    Raises `BadPlace` where `after` is not from an earlier page.
    """
    limit = max(1, min(limit, MOST))
    statement = _wanted(filters).order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
    if after:
        statement = statement.where(tuple_(AuditEvent.at, AuditEvent.id) < _place(after))
    found = session.execute(statement.limit(limit + 1)).all()
    rows = tuple(
        Entry(
            row.id, row.at, row.actor_id, row.action, _kind(row.action), row.subject,
            row.is_success, row.source_ip, row.detail,
        )
        for row in found[:limit]
    )  # fmt: skip
    return Entries(rows, _mark(rows[-1]) if len(found) > limit else None)


def _wanted(filters: Filters) -> Select[Any]:
    """Compose the select; columns are named, since the chain's own are nobody's to read here."""
    statement = select(
        AuditEvent.id, AuditEvent.at, AuditEvent.actor_id, AuditEvent.action, AuditEvent.subject,
        AuditEvent.is_success, AuditEvent.source_ip, AuditEvent.detail,
    )  # fmt: skip
    names = set(filters.actions)
    if filters.kinds:
        of_kinds = {action.name for action in ACTIONS.values() if action.kind in filters.kinds}
        names = names & of_kinds if names else of_kinds
    if filters.actions or filters.kinds:
        statement = statement.where(AuditEvent.action.in_(sorted(names)))
    if filters.actor_id is not None:
        statement = statement.where(AuditEvent.actor_id == filters.actor_id)
    if filters.subject:
        statement = statement.where(AuditEvent.subject.startswith(filters.subject, autoescape=True))
    if filters.from_at is not None:
        statement = statement.where(AuditEvent.at >= filters.from_at)
    if filters.to_at is not None:
        statement = statement.where(AuditEvent.at < filters.to_at)
    if filters.is_success is not None:
        statement = statement.where(AuditEvent.is_success == filters.is_success)
    return statement


def _kind(action: str) -> str:
    known = ACTIONS.get(action)
    return known.kind if known else ""


def _mark(entry: Entry) -> str:
    micros = (entry.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return f"{micros}-{entry.id}"


def _place(mark: str) -> tuple[datetime, int]:
    micros, _, number = mark.partition("-")
    try:
        return instant(int(micros)), int(number)
    except (ValueError, OverflowError):
        raise BadPlace(f"no place {mark[:40]!r} in the log", field="after") from None


def chain_state(session: Session) -> ChainState:
    """Read how far the log is sealed, whether its sealer lives and what was last verified."""
    row = session.execute(
        text(
            "SELECT s.no, s.events, s.seen_at, s.limit_s,"
            " s.seen_at > clock_timestamp() - make_interval(secs => s.limit_s) AS is_alive,"
            " w.waiting, w.since FROM audit_state AS s, LATERAL (SELECT count(*) AS waiting,"
            " min(e.at) AS since FROM audit_event AS e"
            " WHERE (e.xid, e.id) > (s.xid, s.event_id)) AS w"
        )
    ).one()
    sealed_at = session.scalar(select(AuditLink.sealed_at).where(AuditLink.no == row.no))
    return ChainState(
        links=row.no,
        events=row.events,
        sealed_at=sealed_at,
        seen_at=row.seen_at,
        limit_s=row.limit_s,
        is_alive=bool(row.is_alive),
        waiting=row.waiting,
        waiting_since=row.since,
        last_head=session.scalar(select(AuditHead).order_by(AuditHead.id.desc()).limit(1)),
        last_check=session.scalar(select(AuditCheck).order_by(AuditCheck.id.desc()).limit(1)),
    )


def heads(session: Session, *, limit: int = 60) -> list[AuditHead]:
    """List the heads that were signed, the newest first."""
    newest = select(AuditHead).order_by(AuditHead.id.desc()).limit(limit)
    return list(session.scalars(newest))


def checks(session: Session, *, limit: int = 20) -> list[AuditCheck]:
    """List the verifications that were asked for, the newest first."""
    newest = select(AuditCheck).order_by(AuditCheck.id.desc()).limit(limit)
    return list(session.scalars(newest))


def note_check(session: Session, *, actor_id: int | None, now: datetime) -> int:
    """Note that somebody asks for a verification; return its number."""
    made = session.execute(
        insert(AuditCheck).values(asked_at=now, asked_by=actor_id).returning(AuditCheck.id)
    )
    return int(made.scalar_one())
