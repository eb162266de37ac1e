"""Signing in and out, and the sessions in between."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts.actors import Actor, actor_from
from grids.accounts.models import Account, Assignment, SignInSession
from grids.accounts.passwords import HASHER, no_account_hash, verify
from grids.secrets import token_hash

FAILURES_TO_LOCK = 5
LOCK = timedelta(minutes=15)
IDLE = timedelta(minutes=30)
#: A worker's phone lies in the pocket between two tasks; the shift is the limit.
IDLE_OUTDOORS = timedelta(hours=12)
LONGEST = timedelta(hours=12)
OUTDOOR_ROLES = frozenset({"worker", "grid_leader"})


@dataclass(frozen=True)
class SignedIn:
    """What a good cookie stands for."""

    actor: Actor
    csrf_token: str
    session_hash: bytes
    confirmed_at: datetime  #: when the person last proved who they are, for sensitive acts


def sign_in(
    session: Session, login: str, password: str, *, now: datetime, source_ip: str, agent: str = ""
) -> str | None:
    """Check a password and open a session; return the token for the cookie, or None.

    The caller commits in both cases: a failure is counted and audited. Five failures lock
    the account for 15 minutes; the answer does not tell which of the reasons it was.
    """
    account = session.scalar(select(Account).where(Account.login == login).with_for_update())
    is_right = verify(account.password_hash if account else no_account_hash(), password)
    is_locked = (
        account is not None and account.locked_until is not None and now < account.locked_until
    )
    if account is None or not is_right or is_locked or not account.is_active:
        _count_failure(account, now)
        audit.record(
            session,
            "sign_in_failed",
            actor_id=account.id if account else None,
            is_success=False,
            source_ip=source_ip,
        )
        return None
    account.failed_count, account.locked_until = 0, None
    if HASHER.check_needs_rehash(account.password_hash):
        account.password_hash = HASHER.hash(password)
    token = secrets.token_urlsafe(32)
    session.add(
        SignInSession(
            token_hash=token_hash(token),
            account_id=account.id,
            csrf_token=secrets.token_urlsafe(24),
            created_at=now,
            seen_at=now,
            ends_at=now + LONGEST,
            agent=agent[:200],
        )
    )
    audit.record(session, "sign_in", actor_id=account.id, source_ip=source_ip)
    return token


#: One statement for every request of somebody who is signed in: three of the ORM took 5 ms.
_CALLER = (
    select(
        SignInSession.token_hash,
        SignInSession.csrf_token,
        SignInSession.seen_at,
        SignInSession.ends_at,
        SignInSession.created_at,
        Account.id.label("account_id"),
        Account.name,
        Assignment.role,
        Assignment.area_code,
        Assignment.department_code,
        Assignment.valid_from,
        Assignment.valid_to,
    )
    .join(Account, Account.id == SignInSession.account_id)
    .join(Assignment, Assignment.account_id == Account.id)
    .where(SignInSession.token_hash == bindparam("token_hash"), Account.is_active)
    .order_by(Assignment.id)
)


def signed_in(session: Session, token: str, now: datetime) -> SignedIn | None:
    """Return who holds the token, or None where the session is unknown, idle or over."""
    rows = session.execute(_CALLER, {"token_hash": token_hash(token)}).all()
    if not rows or now >= rows[0].ends_at:
        return None
    first = rows[0]
    actor = actor_from(first.account_id, first.name, rows, now.date())
    if actor is None:
        return None
    idle = IDLE_OUTDOORS if actor.roles & OUTDOOR_ROLES else IDLE
    if now - first.seen_at > idle:
        return None
    if now - first.seen_at > timedelta(minutes=1):
        session.execute(
            update(SignInSession)
            .where(SignInSession.token_hash == first.token_hash)
            .values(seen_at=now)
        )
    return SignedIn(actor, first.csrf_token, first.token_hash, first.created_at)


def sign_out(session: Session, session_hash: bytes) -> None:
    """End a session."""
    session.execute(delete(SignInSession).where(SignInSession.token_hash == session_hash))


def end_stale_sessions(session: Session, now: datetime) -> int:
    """Remove sessions that are over; return how many."""
    ended = session.execute(
        delete(SignInSession)
        .where(SignInSession.ends_at <= now)
        .returning(SignInSession.token_hash)
    )
    return len(ended.all())


def _count_failure(account: Account | None, now: datetime) -> None:
    if account is None:
        return
    account.failed_count += 1
    if account.failed_count >= FAILURES_TO_LOCK:
        account.failed_count, account.locked_until = 0, now + LOCK
