"""Signing in and out, and the sessions in between."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts import passwords, tries
from grids.accounts.actors import Actor, actor_from
from grids.accounts.factors import check_code, has_factor
from grids.accounts.models import Account, Assignment, SecondFactor, SignInSession
from grids.accounts.policy import OPEN, Policy
from grids.accounts.roles import ADMIN_ROLES
from grids.secrets import Vault, token_hash

IDLE = timedelta(minutes=30)
#: A worker's phone lies in the pocket between two tasks; the shift is the limit.
IDLE_OUTDOORS = timedelta(hours=12)
LONGEST = timedelta(hours=12)
#: Between the password and the code of the second step.
BETWEEN_STEPS = timedelta(minutes=5)
OUTDOOR_ROLES = frozenset({"worker", "grid_leader"})
#: What a provider that has checked a second factor itself is noted as.
PROVIDER_MFA = "oidc+mfa"


@dataclass(frozen=True)
class SignedIn:
    """What a good cookie stands for."""

    actor: Actor
    csrf_token: str
    session_hash: bytes
    confirmed_at: datetime  #: when the person last proved who they are, for sensitive acts
    session_id: int = 0
    #: What has to be done before any view opens: `second` step, new `password`, `enrol` a factor.
    unfinished: str | None = None


def sign_in(
    session: Session,
    login: str,
    password: str,
    *,
    now: datetime,
    source_ip: str,
    agent: str = "",
    policy: Policy = OPEN,
) -> str | None:
    """Check a password and open a session; return the token for the cookie, or None.

    Where the account has a second factor the session opens nothing until `second_step`. The
    caller commits in both cases: a failure is counted and audited. Five failures lock the
    account, and the source, for 15 minutes; the answer does not tell which of the reasons it was.
    """
    if tries.is_source_locked(session, source_ip, policy, now):
        _note_failure(session, None, source_ip, reason="source_locked")
        return None
    account = session.scalar(
        select(Account)
        .where(Account.login == login)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    # One hash is computed whether or not there is such an account, so both take as long.
    stored = account.password_hash if account and _has_password(account) else None
    is_right = passwords.verify(stored or passwords.no_account_hash(), password)
    if account is None or not is_right or not _may_sign_in(account, now):
        tries.count_failure(session, account, login=login, address=source_ip, now=now)
        _note_failure(session, account, source_ip)
        return None
    if passwords.HASHER.check_needs_rehash(account.password_hash):
        account.password_hash = passwords.hash_of(password)
    if has_factor(session, account.id):
        return _open(session, account, now, source_ip, agent, method="password", is_whole=False)
    tries.forget_failures(session, account, login=login, address=source_ip)
    return _open(session, account, now, source_ip, agent, method="password")


def second_step(
    session: Session,
    session_hash: bytes,
    code: str,
    *,
    vault: Vault,
    now: datetime,
    source_ip: str,
    policy: Policy = OPEN,
) -> str | None:
    """Check the code of an authenticator, or a recovery code; return the token of a new session.

    A wrong one counts as a failed sign-in; when it locks the account, the half-made session ends.
    """
    half = session.get(SignInSession, session_hash)
    if half is None or half.is_whole or now >= half.ends_at:
        return None
    is_locked = tries.is_source_locked(session, source_ip, policy, now)
    account = session.get_one(Account, half.account_id, with_for_update=True)
    how = None if is_locked else check_code(session, account.id, code, vault=vault, now=now)
    if how is None or not _may_sign_in(account, now):
        tries.count_failure(session, account, login=account.login, address=source_ip, now=now)
        _note_failure(session, account, source_ip, reason="second_step")
        if tries.is_account_locked(account, now):
            session.execute(delete(SignInSession).where(SignInSession.token_hash == session_hash))
        return None
    tries.forget_failures(session, account, login=account.login, address=source_ip)
    method, agent = f"{half.method}+{how}", half.agent
    session.execute(delete(SignInSession).where(SignInSession.token_hash == session_hash))
    return _open(session, account, now, source_ip, agent, method=method)


def open_for_provider(
    session: Session,
    account: Account,
    *,
    has_mfa: bool,
    now: datetime,
    source_ip: str,
    agent: str = "",
) -> str | None:
    """Open a session for somebody whom an OpenID provider has vouched for.

    The own second step follows unless the provider has checked a second factor itself.
    """
    if not _may_sign_in(account, now, by_password=False):
        _note_failure(session, account, source_ip, reason="provider")
        return None
    if has_mfa:
        return _open(session, account, now, source_ip, agent, method=PROVIDER_MFA)
    is_whole = not has_factor(session, account.id)
    return _open(session, account, now, source_ip, agent, method="oidc", is_whole=is_whole)


#: One statement for every request of somebody who is signed in: three of the ORM took 5 ms.
_CALLER = (
    select(
        SignInSession.token_hash,
        SignInSession.id.label("session_id"),
        SignInSession.csrf_token,
        SignInSession.seen_at,
        SignInSession.ends_at,
        SignInSession.confirmed_at,
        SignInSession.is_whole,
        SignInSession.method,
        Account.id.label("account_id"),
        Account.name,
        Account.must_change,
        Account.password_at,
        exists(
            select(SecondFactor.account_id).where(
                SecondFactor.account_id == Account.id, SecondFactor.confirmed_at.is_not(None)
            )
        ).label("has_factor"),
        Assignment.role,
        Assignment.area_code,
        Assignment.department_code,
        Assignment.purpose,
        Assignment.valid_from,
        Assignment.valid_to,
    )
    .join(Account, Account.id == SignInSession.account_id)
    .join(Assignment, Assignment.account_id == Account.id)
    .where(SignInSession.token_hash == bindparam("token_hash"), Account.is_active)
    .order_by(Assignment.id)
)


#: The same for the driver: what every request asks must not be put together each time.
_DIALECT: Any = psycopg_dialect.dialect
_CALLER_SQL: Final = str(_CALLER.compile(dialect=_DIALECT()))
_SEEN_SQL: Final = "UPDATE sign_in_session SET seen_at = %s WHERE token_hash = %s"


def signed_in(
    session: Session,
    token: str,
    now: datetime,
    policy: Policy = OPEN,
    *,
    with_unfinished: bool = False,
) -> SignedIn | None:
    """Return who holds the token, or None where the session is unknown, idle or over.

    A sign-in that still lacks a step counts as none unless asked for; the pages of that step do.
    """
    rows = session.execute(_CALLER, {"token_hash": token_hash(token)}).all()
    found = _held(rows, now, policy)
    if found is not None and _is_seen_anew(rows[0], now):
        session.execute(
            update(SignInSession)
            .where(SignInSession.token_hash == rows[0].token_hash)
            .values(seen_at=now)
        )
    return found if found is None or with_unfinished or not found.unfinished else None


def caller(
    conn: psycopg.Connection[Any], token: str, now: datetime, policy: Policy
) -> SignedIn | None:
    """Return who holds the token, as `signed_in` with `with_unfinished` does, in one statement."""
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        rows: list[Any] = []
        rows += cursor.execute(_CALLER_SQL, {"token_hash": token_hash(token)})
    found = _held(rows, now, policy)
    if found is not None and _is_seen_anew(rows[0], now):
        conn.execute(_SEEN_SQL, (now, rows[0].token_hash))
    return found


def _held(rows: Sequence[Any], now: datetime, policy: Policy) -> SignedIn | None:
    """Judge what was found under a token: one row for each assignment of its holder."""
    if not rows or now >= rows[0].ends_at:
        return None
    first = rows[0]
    actor = actor_from(first.account_id, first.name, rows, now)
    if actor is None:
        return None
    idle = IDLE_OUTDOORS if actor.roles & OUTDOOR_ROLES else IDLE
    if now - first.seen_at > idle:
        return None
    missing = _missing_step(first, actor, policy, now)
    return SignedIn(
        actor, first.csrf_token, first.token_hash, first.confirmed_at, first.session_id, missing
    )


def _is_seen_anew(row: Any, now: datetime) -> bool:
    """Say whether it is time to note that the session is in use: once a minute."""
    return bool(now - row.seen_at > timedelta(minutes=1))


def _missing_step(row: Any, actor: Actor, policy: Policy, now: datetime) -> str | None:
    """Name what a sign-in still lacks by the rules of the installation."""
    if not row.is_whole:
        return "second"
    is_by_password = row.method.startswith("password")
    if is_by_password and passwords.must_change(
        row.must_change, row.password_at, policy.password, now
    ):
        return "password"
    is_wanted = policy.second_factor == "all" or (
        policy.second_factor == "admins" and bool(actor.roles & ADMIN_ROLES)
    )
    return "enrol" if is_wanted and not row.has_factor and row.method != PROVIDER_MFA else None


def confirm(
    session: Session,
    session_hash: bytes,
    password: str,
    code: str,
    *,
    vault: Vault,
    now: datetime,
    source_ip: str,
    policy: Policy = OPEN,
) -> str | None:
    """Prove anew who one is, for sensitive acts; return the new token of the same session.

    Asks for the password and, where there is one, a code of the second factor. Failures count
    like those of a sign-in.
    """
    held = session.get(SignInSession, session_hash)
    if held is None:
        return None
    is_locked = tries.is_source_locked(session, source_ip, policy, now)
    account = session.get_one(Account, held.account_id, with_for_update=True)
    is_right = not is_locked and passwords.verify(account.password_hash, password)
    if is_right and has_factor(session, account.id):
        is_right = check_code(session, account.id, code, vault=vault, now=now) is not None
    if not is_right or tries.is_account_locked(account, now):
        tries.count_failure(session, account, login=account.login, address=source_ip, now=now)
        _note_confirmation(session, account.id, source_ip, is_success=False)
        return None
    tries.forget_failures(session, account, login=account.login, address=source_ip)
    _note_confirmation(session, account.id, source_ip, is_success=True)
    return renew(session, session_hash, confirmed_at=now)


def confirm_by_provider(
    session: Session, session_hash: bytes, account_id: int, *, now: datetime, source_ip: str
) -> str | None:
    """Take a fresh proof of the OpenID provider for a session; return its new token."""
    held = session.get(SignInSession, session_hash)
    is_same = held is not None and held.account_id == account_id and held.is_whole
    _note_confirmation(session, account_id, source_ip, is_success=is_same)
    return renew(session, session_hash, confirmed_at=now) if is_same else None


def renew(session: Session, session_hash: bytes, *, confirmed_at: datetime) -> str:
    """Give a session a new token: what was known of the old one is worth nothing any more."""
    token = secrets.token_urlsafe(32)
    session.execute(
        update(SignInSession)
        .where(SignInSession.token_hash == session_hash)
        .values(token_hash=token_hash(token), confirmed_at=confirmed_at)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return token


def _open(
    session: Session,
    account: Account,
    now: datetime,
    source_ip: str,
    agent: str,
    *,
    method: str,
    is_whole: bool = True,
) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        SignInSession(
            token_hash=token_hash(token),
            account_id=account.id,
            csrf_token=secrets.token_urlsafe(24),
            created_at=now,
            seen_at=now,
            ends_at=now + (LONGEST if is_whole else BETWEEN_STEPS),
            agent=agent[:200],
            source=source_ip,
            method=method,
            is_whole=is_whole,
            confirmed_at=now,
        )
    )
    if is_whole:
        account.signed_in_at = now
        audit.record(
            session,
            "sign_in",
            actor_id=account.id,
            source_ip=source_ip,
            detail={"method": method},
        )
    session.flush()
    return token


def _may_sign_in(account: Account, now: datetime, *, by_password: bool = True) -> bool:
    is_stale = (
        by_password and account.must_change and now - account.password_at > passwords.ONE_TIME_LASTS
    )
    return account.is_active and not tries.is_account_locked(account, now) and not is_stale


def _has_password(account: Account) -> bool:
    return account.password_hash != passwords.NO_PASSWORD


def _note_failure(session: Session, account: Account | None, source_ip: str, **detail: str) -> None:
    audit.record(
        session,
        "sign_in_failed",
        actor_id=account.id if account else None,
        is_success=False,
        source_ip=source_ip,
        detail=detail,
    )


def _note_confirmation(
    session: Session, account_id: int, source_ip: str, *, is_success: bool
) -> None:
    audit.record(
        session,
        "identity_confirmed",
        actor_id=account_id,
        is_success=is_success,
        source_ip=source_ip,
    )
