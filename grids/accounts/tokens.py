"""API tokens: keys with which a program acts for a person, never for more than the person may."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts.actors import Actor, actor_from
from grids.accounts.models import Account, ApiToken, Assignment
from grids.errors import Conflict, Invalid, NotFound
from grids.secrets import token_hash

#: Lets scanners of leaked secrets recognise one.
PREFIX: Final = "wangge_"
LONGEST: Final = timedelta(days=365)
MOST: Final = 20
LONGEST_NAME: Final = 64
#: The last use is kept to the minute: a program that asks often writes seldom.
NOTED_EVERY = timedelta(minutes=1)


class BadToken(Invalid):
    """A token needs a name, scopes that its owner has, and an end within a year."""

    code = "token.invalid"


class TooManyTokens(Conflict):
    """An account has at most 20 tokens."""

    code = "token.too_many"


class NoToken(NotFound):
    """There is no such token, or it has ended."""

    code = "token.not_found"


@dataclass(frozen=True)
class TokenRow:
    """A token as its owner sees it; the token itself was shown once."""

    id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_from: str


@dataclass(frozen=True)
class TokenCaller:
    """Whom a token stands for: its owner, with no more than the token's scopes."""

    actor: Actor
    token_id: int


def create_token(
    session: Session,
    actor: Actor,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
    now: datetime,
    source_ip: str = "",
) -> str:
    """Make a token for the actor and return it; only its hash is kept.

    Raises `BadToken` for a scope that the actor does not have or an end that is too far, and
    `TooManyTokens`.
    """
    wanted, name = sorted(set(scopes)), name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise BadToken("a token needs a name", field="name")
    if not wanted or not actor.permissions.issuperset(wanted):
        raise BadToken("a token grants what its owner may do, and something", field="scopes")
    if not now < expires_at <= now + LONGEST:
        raise BadToken("a token ends within a year", field="expires_at")
    session.get(Account, actor.account_id, with_for_update=True)  # two at once do not pass 20
    if len(tokens_of(session, actor.account_id, now=now)) >= MOST:
        raise TooManyTokens(f"at most {MOST} tokens", most=MOST)
    token = PREFIX + secrets.token_urlsafe(32)
    made = ApiToken(
        account_id=actor.account_id,
        name=name,
        token_hash=token_hash(token),
        scopes=wanted,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(made)
    session.flush()
    _note(session, "token_created", actor.account_id, made.id, actor.account_id, source_ip)
    return token


#: One statement for every request that carries a token.
_CALLER = (
    select(
        ApiToken.id.label("token_id"),
        ApiToken.scopes,
        ApiToken.expires_at,
        ApiToken.used_at,
        Account.id.label("account_id"),
        Account.name,
        Assignment.role,
        Assignment.area_code,
        Assignment.department_code,
        Assignment.purpose,
        Assignment.valid_from,
        Assignment.valid_to,
    )
    .join(Account, Account.id == ApiToken.account_id)
    .join(Assignment, Assignment.account_id == Account.id)
    .where(
        ApiToken.token_hash == bindparam("token_hash"),
        ApiToken.revoked_at.is_(None),
        Account.is_active,
    )
    .order_by(Assignment.id)
)


def token_caller(
    session: Session, token: str, now: datetime, *, source_ip: str = ""
) -> TokenCaller | None:
    """Return whom a token stands for, or None where it is unknown, over or revoked.

    The areas and the department are those of the owner, whatever the token says.
    """
    rows = session.execute(_CALLER, {"token_hash": token_hash(token)}).all()
    if not rows or now >= rows[0].expires_at:
        return None
    first = rows[0]
    actor = actor_from(first.account_id, first.name, rows, now)
    if actor is None:
        return None
    if first.used_at is None or now - first.used_at > NOTED_EVERY:
        session.execute(
            update(ApiToken)
            .where(ApiToken.id == first.token_id)
            .values(used_at=now, used_from=source_ip)
        )
    allowed = actor.permissions.intersection(first.scopes)
    return TokenCaller(dataclasses.replace(actor, permissions=allowed), first.token_id)


def tokens_of(session: Session, account_id: int, *, now: datetime) -> list[TokenRow]:
    """Return the tokens of an account that are good, the newest first."""
    held = session.scalars(
        select(ApiToken)
        .where(
            ApiToken.account_id == account_id,
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > now,
        )
        .order_by(ApiToken.id.desc())
    )
    return [
        TokenRow(
            one.id,
            one.name,
            tuple(one.scopes),
            one.created_at,
            one.expires_at,
            one.used_at,
            one.used_from,
        )
        for one in held
    ]


def count_tokens(session: Session, now: datetime) -> int:
    """Count the tokens of all accounts that are good."""
    statement = select(func.count()).where(ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)
    return session.scalar(statement) or 0


def revoke_token(
    session: Session, account_id: int, token_id: int, *, by: int, now: datetime, source_ip: str = ""
) -> None:
    """End a token at once. Raises `NoToken`."""
    ended = session.execute(
        update(ApiToken)
        .where(
            ApiToken.id == token_id,
            ApiToken.account_id == account_id,
            ApiToken.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .returning(ApiToken.id)
    ).all()
    if not ended:
        raise NoToken(f"no token {token_id}")
    _note(session, "token_revoked", account_id, token_id, by, source_ip)


def _note(
    session: Session, action: str, account_id: int, token_id: int, by: int, source_ip: str
) -> None:
    audit.record(
        session,
        action,
        actor_id=by,
        subject=f"account:{account_id}",
        source_ip=source_ip,
        detail={"token": token_id},
    )
