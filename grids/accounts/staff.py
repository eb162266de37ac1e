"""Accounts: making, finding, disabling, unlocking; what the system administrator does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts.models import (
    Account,
    ApiToken,
    Assignment,
    RecoveryCode,
    SecondFactor,
    SignInSession,
)
from grids.accounts.passwords import (
    NO_PASSWORD,
    check_new,
    draw,
    give_one_time_password,
    hash_of,
)
from grids.accounts.policy import OPEN, Policy
from grids.accounts.tries import is_account_locked
from grids.errors import Conflict, Invalid, NotAllowed, NotFound

LOGIN = re.compile(r"[\w][\w.@-]{1,63}")
LONGEST_NAME = 64


class NoAccount(NotFound):
    """There is no such account."""

    code = "account.not_found"


class LoginTaken(Conflict):
    """Another account has this login."""

    code = "account.login_taken"


class BadLogin(Invalid):
    """A login has 2 to 64 letters, digits, dots, hyphens; the name must not be empty."""

    code = "account.bad_login"


class NotOneself(NotAllowed):
    """An administrator does not do this to the own account."""

    code = "account.not_oneself"


class LastAdministrator(Conflict):
    """Nobody could do this administrator's work any more."""

    code = "account.last_administrator"


@dataclass(frozen=True)
class AccountRow:
    """An account as lists show it."""

    id: int
    login: str
    name: str
    is_active: bool
    is_locked: bool
    locked_until: datetime | None
    must_change: bool
    has_password: bool
    has_second_factor: bool
    created_at: datetime
    password_at: datetime
    signed_in_at: datetime | None
    roles: tuple[str, ...]  #: those that hold now


def create_account(
    session: Session, *, login: str, name: str, password: str, policy: Policy = OPEN
) -> Account:
    """Add an account whose password its owner chose.

    Raises `WeakPassword`, `KnownPassword`, `BadLogin` or `LoginTaken`.
    """
    check_new(session, password, login=login, profile=policy.password)
    return _add(session, login, name, hash_of(password), is_one_time=False)


def create(
    session: Session, *, login: str, name: str, by: int | None, now: datetime, source_ip: str = ""
) -> tuple[Account, str]:
    """Add an account; return it with the one-time password to hand over.

    It can do nothing until the security administrator grants it a role. Raises `BadLogin` or
    `LoginTaken`.
    """
    password = draw()
    account = _add(session, login, name, hash_of(password), is_one_time=True)
    account.password_at = now
    _note(session, "account_created", account.id, by, source_ip)
    return account, password


def list_accounts(
    session: Session, query: str = "", after: str = "", limit: int = 50, *, now: datetime
) -> list[AccountRow]:
    """Return accounts by login from the one after `after` on; `query` is part of login or name."""
    statement = _rows(now).where(Account.login > after).order_by(Account.login).limit(limit)
    if query:
        statement = statement.where(
            or_(
                Account.login.icontains(query, autoescape=True),
                Account.name.icontains(query, autoescape=True),
            )
        )
    return [_row(found, now) for found in session.execute(statement).all()]


def account_of(session: Session, account_id: int, *, now: datetime) -> AccountRow:
    """Return one account. Raises `NoAccount`."""
    found = session.execute(_rows(now).where(Account.id == account_id)).one_or_none()
    if found is None:
        raise NoAccount(f"no account {account_id}")
    return _row(found, now)


def disable(
    session: Session, account_id: int, *, by: int | None, now: datetime, source_ip: str = ""
) -> None:
    """Close an account at once: its sessions and tokens end too.

    Raises `NoAccount`, `NotOneself` or `LastAdministrator`.
    """
    account = locked_row(session, account_id, by)
    keep_an_administrator(session, account_id, None, now)
    account.is_active, account.disabled_at = False, now
    end_everything(session, account_id, now)
    _note(session, "account_disabled", account_id, by, source_ip)


def enable(session: Session, account_id: int, *, by: int | None, source_ip: str = "") -> None:
    """Open an account again. Sessions and tokens from before stay ended. Raises `NoAccount`."""
    account = locked_row(session, account_id, by)
    account.is_active, account.disabled_at = True, None
    account.failed_count, account.locked_until = 0, None
    _note(session, "account_enabled", account_id, by, source_ip)


def unlock(
    session: Session, account_id: int, *, by: int | None, now: datetime, source_ip: str = ""
) -> None:
    """End the wait after failed sign-ins. Raises `NoAccount` or `NotOneself`."""
    account = locked_row(session, account_id, by)
    was_locked = is_account_locked(account, now)
    account.failed_count, account.locked_until = 0, None
    _note(session, "account_unlocked", account_id, by, source_ip, was_locked=was_locked)


def reset_password(
    session: Session, account_id: int, *, by: int | None, now: datetime, source_ip: str = ""
) -> str:
    """Return a one-time password that has to be changed at the next sign-in.

    Sessions and tokens end. Raises `NoAccount` or `NotOneself`.
    """
    account = locked_row(session, account_id, by)
    password = give_one_time_password(session, account, now=now)
    account.failed_count, account.locked_until = 0, None
    end_everything(session, account_id, now)
    _note(session, "account_password_reset", account_id, by, source_ip)
    return password


def reset_second_factor(
    session: Session, account_id: int, *, by: int | None, now: datetime, source_ip: str = ""
) -> None:
    """Take a lost authenticator and its recovery codes away; sessions and tokens end.

    Raises `NoAccount` or `NotOneself`.
    """
    locked_row(session, account_id, by)
    session.execute(delete(SecondFactor).where(SecondFactor.account_id == account_id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    end_everything(session, account_id, now)
    _note(session, "account_second_factor_reset", account_id, by, source_ip)


def end_everything(
    session: Session, account_id: int, now: datetime, *, except_session: bytes | None = None
) -> None:
    """End every session of an account but one, and every token."""
    others = delete(SignInSession).where(SignInSession.account_id == account_id)
    if except_session is not None:
        others = others.where(SignInSession.token_hash != except_session)
    session.execute(others)
    session.execute(
        update(ApiToken)
        .where(ApiToken.account_id == account_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def locked_row(session: Session, account_id: int, by: int | None) -> Account:
    """Return an account locked for change. Raises `NoAccount`, or `NotOneself` where it is."""
    account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    if account is None:
        raise NoAccount(f"no account {account_id}")
    if account_id == by:
        raise NotOneself("another administrator does this to your account")
    return account


def keep_an_administrator(
    session: Session, account_id: int, role: str | None, now: datetime
) -> None:
    """Raise `LastAdministrator` where nobody else could do the work of an administrator's role.

    `role` is the one that is about to be taken away; None where all of them are.
    """
    for one in ("system_admin", "security_admin", "audit_admin"):
        if role not in (None, one):
            continue
        holders: set[int] = set(session.scalars(_holders(one, now)))
        if account_id in holders and len(holders) == 1:
            raise LastAdministrator(f"the last {one}", role=one)


def has_administrator(session: Session, now: datetime) -> bool:
    """Say whether somebody can manage accounts: nobody can before the first one was made."""
    return session.scalar(_holders("system_admin", now).limit(1)) is not None


def _holders(role: str, now: datetime) -> Select[Any]:
    return (
        select(Account.id)
        .join(Assignment, Assignment.account_id == Account.id)
        .where(Account.is_active, Assignment.role == role, _holds(now))
        .distinct()
    )


def _holds(now: datetime) -> ColumnElement[bool]:
    return and_(
        Assignment.valid_from <= now,
        or_(Assignment.valid_to.is_(None), Assignment.valid_to > now),
    )


def _rows(now: datetime) -> Select[Any]:
    roles = (
        select(func.array_agg(Assignment.role.distinct()))
        .where(Assignment.account_id == Account.id, _holds(now))
        .scalar_subquery()
    )
    factor = exists(
        select(SecondFactor.account_id).where(
            SecondFactor.account_id == Account.id, SecondFactor.confirmed_at.is_not(None)
        )
    )
    return select(Account, factor.label("has_factor"), roles.label("roles"))


def _row(found: Any, now: datetime) -> AccountRow:
    account: Account = found.Account
    return AccountRow(
        id=account.id,
        login=account.login,
        name=account.name,
        is_active=account.is_active,
        is_locked=is_account_locked(account, now),
        locked_until=account.locked_until,
        must_change=account.must_change,
        has_password=account.password_hash != NO_PASSWORD,
        has_second_factor=found.has_factor,
        created_at=account.created_at,
        password_at=account.password_at,
        signed_in_at=account.signed_in_at,
        roles=tuple(sorted(found.roles or ())),
    )


def _add(
    session: Session, login: str, name: str, password_hash: str, *, is_one_time: bool
) -> Account:
    login, name = login.strip(), name.strip()
    if not LOGIN.fullmatch(login) or not name or len(name) > LONGEST_NAME:
        raise BadLogin("a login has letters, digits, dots and hyphens", field="login")
    is_taken = session.scalar(select(Account.id).where(func.lower(Account.login) == login.lower()))
    if is_taken is not None:
        raise LoginTaken(f"the login {login!r} is taken", field="login")
    account = Account(login=login, name=name, password_hash=password_hash, must_change=is_one_time)
    session.add(account)
    session.flush()
    return account


def _note(
    session: Session, action: str, account_id: int, by: int | None, source_ip: str, **detail: object
) -> None:
    audit.record(
        session,
        action,
        actor_id=by,
        subject=f"account:{account_id}",
        source_ip=source_ip,
        detail=detail,
    )
