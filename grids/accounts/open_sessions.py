"""Sessions that are open: listing and ending them, by their owner or an administrator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts import tries
from grids.accounts.models import SignInSession
from grids.errors import NotFound


class NoSession(NotFound):
    """There is no such session, or it has ended."""

    code = "sign_in.no_session"


@dataclass(frozen=True)
class SessionRow:
    """A session as its owner and the administrator see it."""

    id: int
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    source: str
    agent: str
    method: str
    is_current: bool


def sign_out(session: Session, session_hash: bytes) -> None:
    """End a session."""
    session.execute(delete(SignInSession).where(SignInSession.token_hash == session_hash))


def sessions_of(
    session: Session, account_id: int, *, now: datetime, current: bytes | None = None
) -> list[SessionRow]:
    """Return the sessions of an account that are open, the one last used first."""
    held = session.scalars(
        select(SignInSession)
        .where(
            SignInSession.account_id == account_id,
            SignInSession.ends_at > now,
            SignInSession.is_whole,
        )
        .order_by(SignInSession.seen_at.desc(), SignInSession.id)
    )
    return [
        SessionRow(
            id=one.id,
            created_at=one.created_at,
            seen_at=one.seen_at,
            ends_at=one.ends_at,
            source=one.source,
            agent=one.agent,
            method=one.method,
            is_current=one.token_hash == current,
        )
        for one in held
    ]


def end_session(
    session: Session, account_id: int, session_id: int, *, by: int, source_ip: str = ""
) -> None:
    """End one session of an account, by its owner or the administrator. Raises `NoSession`."""
    ended = session.execute(
        delete(SignInSession)
        .where(SignInSession.account_id == account_id, SignInSession.id == session_id)
        .returning(SignInSession.id)
    ).all()
    if not ended:
        raise NoSession(f"no session {session_id}")
    audit.record(
        session,
        "session_ended",
        actor_id=by,
        subject=f"account:{account_id}",
        source_ip=source_ip,
        detail={"session": session_id},
    )


def end_other_sessions(
    session: Session, account_id: int, current: bytes, *, source_ip: str = ""
) -> int:
    """End every session of an account but the one that asks; return how many."""
    ended = session.execute(
        delete(SignInSession)
        .where(SignInSession.account_id == account_id, SignInSession.token_hash != current)
        .returning(SignInSession.id)
    ).all()
    audit.record(
        session,
        "session_ended",
        actor_id=account_id,
        subject=f"account:{account_id}",
        source_ip=source_ip,
        detail={"sessions": len(ended)},
    )
    return len(ended)


def end_stale_sessions(session: Session, now: datetime) -> int:
    """Remove sessions that are over; return how many. Failures of yesterday go with them."""
    tries.forget_old_failures(session, now)
    ended = session.execute(
        delete(SignInSession)
        .where(SignInSession.ends_at <= now)
        .returning(SignInSession.token_hash)
    )
    return len(ended.all())
