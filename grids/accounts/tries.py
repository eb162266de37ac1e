"""Failed proofs of identity: counted by account and by source, and what follows from them."""

from __future__ import annotations

import hashlib
import ipaddress
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts.models import Account, SignInFailure
from grids.accounts.policy import Policy

FAILURES_TO_LOCK = 5
LOCK = timedelta(minutes=15)
#: Failures of a source are forgotten after this long.
KEPT = timedelta(days=1)

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:source, 20))")


def source_of(address: str) -> str:
    """Return what failures are counted by: the address, for IPv6 the network of one customer."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def is_source_locked(session: Session, address: str, policy: Policy, now: datetime) -> bool:
    """Say whether too many sign-ins failed from a source in the last 15 minutes.

    Tries of one source wait for each other until the transaction ends: a hundred guesses sent
    at once are still counted one by one.
    """
    source = source_of(address)
    session.execute(ONE_AT_A_TIME, {"source": source})
    failed = session.scalar(
        select(func.count()).where(SignInFailure.source == source, SignInFailure.at > now - LOCK)
    )
    return (failed or 0) >= policy.failures_per_source


def is_account_locked(account: Account, now: datetime) -> bool:
    """Say whether the account waits after too many failures."""
    return account.locked_until is not None and now < account.locked_until


def count_failure(
    session: Session, account: Account | None, *, login: str, address: str, now: datetime
) -> None:
    """Count one failure for the source and, where there is one, for the account; lock at five."""
    session.add(SignInFailure(source=source_of(address), login_hash=_hash(login), at=now))
    if account is None:
        return
    account.failed_count += 1
    if account.failed_count >= FAILURES_TO_LOCK:
        account.failed_count, account.locked_until = 0, now + LOCK
        audit.record(
            session,
            "account_locked",
            actor_id=account.id,
            subject=f"account:{account.id}",
            is_success=False,
            source_ip=address,
        )


def forget_failures(session: Session, account: Account, *, login: str, address: str) -> None:
    """Forget an account's own failures after a success.

    What the same source tried on other accounts stays counted: whoever guesses cannot clean the
    slate with an account of their own, and an office behind one address is not locked by typing
    errors that were put right.
    """
    account.failed_count, account.locked_until = 0, None
    session.execute(
        delete(SignInFailure).where(
            SignInFailure.source == source_of(address), SignInFailure.login_hash == _hash(login)
        )
    )


def forget_old_failures(session: Session, now: datetime) -> None:
    """Remove what no longer counts."""
    session.execute(delete(SignInFailure).where(SignInFailure.at < now - KEPT))


def _hash(login: str) -> bytes:
    return hashlib.sha256(login.strip().lower().encode()).digest()
