"""What the security console shows besides alarms: counts by the hour, weak and stale accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session

from grids.accounts.models import Account, SecondFactor
from grids.db import queries
from grids.signals.models import SignalState

HOUR: Final = timedelta(hours=1)
STALE: Final = timedelta(days=90)
#: A new colleague has this long to come and sign in for the first time.
FIRST_SIGN_IN: Final = timedelta(days=14)
PAGE: Final = 50
#: Why an account is weak or stale: the gravest first.
WEAKNESSES: Final = ("no_factor", "old_password", "given_password", "never", "stale")


@dataclass(frozen=True)
class Figure:
    """How often one subject did something."""

    subject: str
    account_id: int | None
    count: int
    last_hour: datetime


@dataclass(frozen=True)
class Hour:
    """One hour of a chart."""

    at: datetime
    count: int


@dataclass(frozen=True)
class WeakPage:
    """Some accounts and the login that the next page starts after."""

    items: Sequence[Account]
    next: str | None


def looked_at(session: Session) -> datetime | None:
    """Say when the watch last looked; None before its first time."""
    return session.scalar(select(SignalState.looked_at))


def figures(
    session: Session, kind: str, subjects: str, *, since: datetime, most: int = 8
) -> list[Figure]:
    """List who did something most since an hour; `subjects` is `account` or `source`."""
    rows = session.execute(
        queries("signals")["figures"],
        {"kind": kind, "like": f"{subjects}:%", "since": since, "most": most},
    )
    return [Figure(r.subject, _account_id(r.subject), r.times, r.last_hour) for r in rows]


def night_exports(session: Session, *, since: datetime, zone: str) -> list[Figure]:
    """List who took data away between ten in the evening and six in the morning."""
    rows = session.execute(queries("signals")["night_exports"], {"since": since, "zone": zone})
    return [Figure(r.subject, _account_id(r.subject), r.times, r.last_hour) for r in rows]


def by_hour(session: Session, kind: str, subjects: str, *, now: datetime, hours: int) -> list[Hour]:
    """Count by the hour, the running hour last; hours without any are there with none."""
    last = now.replace(minute=0, second=0, microsecond=0)
    since = last - HOUR * (hours - 1)
    rows = session.execute(
        queries("signals")["by_hour"], {"kind": kind, "like": f"{subjects}:%", "since": since}
    )
    found = {row.hour.astimezone(UTC): int(row.times) for row in rows}
    return [Hour(since + HOUR * n, found.get(since + HOUR * n, 0)) for n in range(hours)]


def weak_counts(session: Session, *, now: datetime, lasts: timedelta | None) -> dict[str, int]:
    """Count active accounts by what is weak about them."""
    columns = [func.count().filter(_weakness(kind, now, lasts)).label(kind) for kind in WEAKNESSES]
    row = session.execute(select(*columns).select_from(Account).where(Account.is_active)).one()
    return dict(zip(WEAKNESSES, (int(value) for value in row), strict=True))


def weak_accounts(
    session: Session, kind: str, *, now: datetime, lasts: timedelta | None, after: str = ""
) -> WeakPage:
    """List active accounts with one weakness, by login; `after` is the `next` before."""
    asked = (
        select(Account)
        .where(Account.is_active, _weakness(kind, now, lasts), Account.login > after)
        .order_by(Account.login)
        .limit(PAGE + 1)
    )
    rows = session.scalars(asked).all()
    shown = rows[:PAGE]
    return WeakPage(shown, shown[-1].login if len(rows) > PAGE else None)


def _weakness(kind: str, now: datetime, lasts: timedelta | None) -> ColumnElement[bool]:
    """Write one weakness as a condition on an account."""
    has_factor = (
        select(SecondFactor.account_id)
        .where(SecondFactor.account_id == Account.id, SecondFactor.confirmed_at.is_not(None))
        .exists()
    )
    conditions: dict[str, ColumnElement[bool]] = {
        "no_factor": ~has_factor,
        "old_password": Account.password_at < now - lasts if lasts else false(),
        "given_password": Account.must_change.is_(True),
        "never": Account.signed_in_at.is_(None) & (Account.created_at < now - FIRST_SIGN_IN),
        "stale": Account.signed_in_at < now - STALE,
    }
    return conditions.get(kind, false())


def names_of(session: Session, ids: set[int]) -> dict[int, tuple[str, str]]:
    """Return login and name of accounts."""
    if not ids:
        return {}
    rows = session.execute(
        select(Account.id, Account.login, Account.name).where(Account.id.in_(ids))
    )
    return {row.id: (row.login, row.name) for row in rows}


def account_named(session: Session, words: str) -> int | None:
    """Return the account with this login or name, or this number; None where there is none."""
    if words.isdecimal() and len(words) < 19:
        return int(words)
    asked = select(Account.id).where((Account.login == words) | (Account.name == words))
    return session.scalar(asked.order_by(Account.id).limit(1))


def locked_count(session: Session, now: datetime) -> int:
    """Count the accounts that wait after too many failures."""
    asked = select(func.count()).select_from(Account).where(Account.locked_until > now)
    return session.scalar(asked) or 0


def _account_id(subject: str) -> int | None:
    kind, _, value = subject.partition(":")
    return int(value) if kind == "account" and value.isdecimal() else None


def account_ids(rows: Sequence[Any]) -> set[int]:
    """Collect the accounts that rows speak of."""
    return {row.account_id for row in rows if row.account_id is not None}
