"""Accounts at an OpenID provider that open accounts here; a link never brings a role."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts.models import Account, LinkedIdentity, ProviderTry
from grids.accounts.staff import locked_row
from grids.errors import Conflict, NotFound
from grids.secrets import token_hash

#: A try that does not come back within this time is over.
TRY_LASTS = timedelta(minutes=10)


class IdentityTaken(Conflict):
    """The provider's account opens another account already."""

    code = "account.identity_taken"


class NoIdentity(NotFound):
    """There is no such link."""

    code = "account.no_identity"


@dataclass(frozen=True)
class Begun:
    """What a try sends to the provider, and what stays with the browser."""

    state: str
    nonce: str
    verifier: str
    browser: str  #: value of the cookie


def begin_try(session: Session, *, target: str, session_hash: bytes | None, now: datetime) -> Begun:
    """Keep what the answer of the provider will be held against."""
    session.execute(delete(ProviderTry).where(ProviderTry.started_at < now - TRY_LASTS))
    begun = Begun(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        browser=secrets.token_urlsafe(32),
    )
    session.add(
        ProviderTry(
            state_hash=token_hash(begun.state),
            browser_hash=token_hash(begun.browser),
            nonce=begun.nonce,
            verifier=begun.verifier,
            target=target,
            session_hash=session_hash,
            started_at=now,
        )
    )
    return begun


def take_try(session: Session, *, state: str, browser: str, now: datetime) -> ProviderTry | None:
    """Return the try that an answer belongs to, once; None for another browser's or an old one."""
    found = session.get(ProviderTry, token_hash(state), with_for_update=True)
    if found is None:
        return None
    session.delete(found)
    session.flush()
    is_here = hmac.compare_digest(found.browser_hash, token_hash(browser))
    return found if is_here and now - found.started_at <= TRY_LASTS else None


def linked_account(session: Session, *, issuer: str, subject: str) -> Account | None:
    """Return the account that a provider's account opens, locked for the sign-in."""
    return session.scalar(
        select(Account)
        .join(LinkedIdentity, LinkedIdentity.account_id == Account.id)
        .where(LinkedIdentity.issuer == issuer, LinkedIdentity.subject == subject)
        .with_for_update(of=Account)
    )


def identities_of(session: Session, account_id: int) -> list[LinkedIdentity]:
    """Return what is linked to an account."""
    return list(
        session.scalars(
            select(LinkedIdentity)
            .where(LinkedIdentity.account_id == account_id)
            .order_by(LinkedIdentity.linked_at)
        )
    )


def link_identity(
    session: Session,
    account_id: int,
    *,
    issuer: str,
    subject: str,
    by: int | None,
    now: datetime,
    source_ip: str = "",
) -> None:
    """Let a provider's account open this one. Raises `NoAccount`, `NotOneself`, `IdentityTaken`."""
    locked_row(session, account_id, by)
    if session.get(LinkedIdentity, (issuer, subject)) is not None:
        raise IdentityTaken("linked already", field="subject")
    session.add(
        LinkedIdentity(
            issuer=issuer, subject=subject, account_id=account_id, linked_at=now, linked_by=by
        )
    )
    _note(session, "identity_linked", account_id, by, source_ip)


def link_by_login(
    session: Session, login: str, *, issuer: str, subject: str, now: datetime, source_ip: str
) -> Account | None:
    """Link by a claim that the installation trusts as the login; None where nobody has it.

    An account that is linked to somebody of this provider already is left alone.
    """
    account = session.scalar(select(Account).where(Account.login == login).with_for_update())
    if account is None or not account.is_active:
        return None
    if any(one.issuer == issuer for one in identities_of(session, account.id)):
        return None
    link_identity(
        session,
        account.id,
        issuer=issuer,
        subject=subject,
        by=None,
        now=now,
        source_ip=source_ip,
    )
    return account


def unlink_identity(
    session: Session, account_id: int, *, issuer: str, subject: str, by: int, source_ip: str = ""
) -> None:
    """Take a link away. Raises `NoAccount`, `NotOneself` or `NoIdentity`."""
    locked_row(session, account_id, by)
    gone = session.execute(
        delete(LinkedIdentity)
        .where(
            LinkedIdentity.issuer == issuer,
            LinkedIdentity.subject == subject,
            LinkedIdentity.account_id == account_id,
        )
        .returning(LinkedIdentity.account_id)
    ).all()
    if not gone:
        raise NoIdentity("no such link")
    _note(session, "identity_unlinked", account_id, by, source_ip)


def _note(session: Session, action: str, account_id: int, by: int | None, source_ip: str) -> None:
    audit.record(session, action, actor_id=by, subject=f"account:{account_id}", source_ip=source_ip)
