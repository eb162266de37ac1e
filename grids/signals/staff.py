"""The accounts as the two administrators who look after them search and narrow them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session

from grids.accounts.models import Account, Assignment, SecondFactor

PAGE: Final = 50
STALE: Final = timedelta(days=90)
#: Ways to narrow the list; the first is all of them.
SHOWN: Final = ("all", "active", "locked", "stale", "no_factor", "disabled")


@dataclass(frozen=True)
class Person:
    """An account as the lists show it."""

    id: int
    login: str
    name: str
    is_active: bool
    is_locked: bool
    must_change: bool
    has_second_factor: bool
    signed_in_at: datetime | None
    roles: tuple[str, ...]  #: those that hold now


@dataclass(frozen=True)
class People:
    """Some accounts by login, and the login that the next page starts after."""

    items: Sequence[Person]
    next: str | None


def people(
    session: Session, *, now: datetime, words: str = "", show: str = "all", after: str = ""
) -> People:
    """List accounts by login; `words` is part of a login or name, `show` one of `SHOWN`."""
    held = and_(
        Assignment.valid_from <= now,
        or_(Assignment.valid_to.is_(None), Assignment.valid_to > now),
    )
    roles = (
        select(func.array_agg(Assignment.role.distinct()))
        .where(Assignment.account_id == Account.id, held)
        .scalar_subquery()
    )
    asked = (
        _matching(select(Account, _has_factor().label("factor"), roles.label("roles")), words)
        .where(_shown(show, now), Account.login > after)
        .order_by(Account.login)
        .limit(PAGE + 1)
    )
    rows = session.execute(asked).all()
    found = [_person(row, now) for row in rows[:PAGE]]
    return People(found, found[-1].login if len(rows) > PAGE else None)


def counts(session: Session, *, now: datetime, words: str = "") -> dict[str, int]:
    """Count what each way to narrow the list would leave."""
    columns: list[Any] = [func.count().filter(_shown(show, now)).label(show) for show in SHOWN]
    asked: Select[Any] = select(*columns).select_from(Account)
    row = session.execute(_matching(asked, words)).one()
    return dict(zip(SHOWN, (int(value) for value in row), strict=True))


def _matching(statement: Select[Any], words: str) -> Select[Any]:
    if not words:
        return statement
    return statement.where(
        or_(
            Account.login.icontains(words, autoescape=True),
            Account.name.icontains(words, autoescape=True),
        )
    )


def _has_factor() -> ColumnElement[bool]:
    return (
        select(SecondFactor.account_id)
        .where(SecondFactor.account_id == Account.id, SecondFactor.confirmed_at.is_not(None))
        .exists()
    )


def _shown(show: str, now: datetime) -> ColumnElement[bool]:
    """Write one way to narrow the list as a condition."""
    unused = func.coalesce(Account.signed_in_at, Account.created_at) < now - STALE
    conditions: dict[str, ColumnElement[bool]] = {
        "active": Account.is_active.is_(True),
        "locked": Account.locked_until > now,
        "stale": Account.is_active & unused,
        "no_factor": Account.is_active & ~_has_factor(),
        "disabled": ~Account.is_active,
    }
    return conditions.get(show, true())


def _person(row: Any, now: datetime) -> Person:
    account: Account = row.Account
    return Person(
        id=account.id,
        login=account.login,
        name=account.name,
        is_active=account.is_active,
        is_locked=account.locked_until is not None and account.locked_until > now,
        must_change=account.must_change,
        has_second_factor=row.factor,
        signed_in_at=account.signed_in_at,
        roles=tuple(sorted(row.roles or ())),
    )
