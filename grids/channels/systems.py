"""Other systems: registered with an account and a token of their own, and what they may send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from grids import accounts, audit
from grids.accounts import Actor
from grids.accounts.tokens import LONGEST, create_token, revoke_token, tokens_of
from grids.channels.models import System, SystemCategory
from grids.city import the_city
from grids.codes import Category
from grids.errors import Invalid, NotFound
from grids.outbox.models import Receiver

SEND: Final = "channel:send"
KINDS: Final = ("system", "transfer")
#: No password has this hash: nobody signs in as a system.
NOBODYS: Final = "-"


class NoSystem(NotFound):
    """There is no such system, it is switched off, or the token belongs to another one."""

    code = "channel.no_system"


class BadSystem(Invalid):
    """A system needs a short code, two names, a kind, and seconds to acknowledge in."""

    code = "channel.bad_system"


class BadMapping(Invalid):
    """A line of a table of categories names a category that does not exist."""

    code = "channel.bad_mapping"


@dataclass(frozen=True)
class NewSystem:
    """What is said of a system when it is registered."""

    code: str
    name_zh: str
    name_en: str
    kind: str = "system"
    receiver: str | None = None  #: of the outbox; None: it asks for the state itself
    category: str = ""
    ack_s: int = 60


def register(session: Session, wanted: NewSystem, *, now: datetime) -> str:
    """Add a system or change one, and return a new token of it; the ones before end.

    The account cannot sign in: it has no password, and its role opens nothing else. Raises
    `BadSystem`.
    """
    is_named = wanted.code.isascii() and wanted.code.replace("-", "").isalnum()
    if not (is_named and len(wanted.code) <= 32 and wanted.name_zh and wanted.name_en):
        raise BadSystem("a system needs a code and two names", field="system")
    if wanted.kind not in KINDS or not 10 <= wanted.ack_s <= 86_400:
        raise BadSystem("a system needs a kind and a limit", field="system")
    if wanted.receiver is not None and session.get(Receiver, wanted.receiver) is None:
        raise BadSystem(f"no receiver {wanted.receiver!r}", field="receiver")
    found = session.get(System, wanted.code) or System(code=wanted.code)
    for name in ("name_zh", "name_en", "kind", "receiver", "category", "ack_s"):
        setattr(found, name, getattr(wanted, name))
    found.is_active = True
    if found.account_id is None:
        found.account_id = _account(session, wanted)
    session.add(found)
    session.flush()
    audit.record(
        session, "system_registered", actor_id=None, subject=f"system:{found.code}",
        detail={"kind": found.kind, "account": found.account_id},
    )  # fmt: skip
    return _token(session, found.account_id, now)


def _account(session: Session, wanted: NewSystem) -> int:
    made = accounts.Account(
        login=f"system-{wanted.code}", name=wanted.name_zh[:64], password_hash=NOBODYS
    )
    session.add(made)
    session.flush()
    accounts.assign(session, made, "system", area_code=the_city(session).county_code)
    return made.id


def _token(session: Session, account_id: int, now: datetime) -> str:
    account = session.get_one(accounts.Account, account_id)
    session.refresh(account)
    actor = accounts.actor_of(account, now)
    if actor is None:
        raise BadSystem("the account of this system is switched off", field="system")
    for old in tokens_of(session, account_id, now=now):
        revoke_token(session, account_id, old.id, by=account_id, now=now)
    return create_token(
        session, actor, name="system", scopes=(SEND,), expires_at=now + LONGEST, now=now
    )


def switch_off(session: Session, code: str, *, now: datetime) -> None:
    """End what a system may do; its cases stay. Raises `NoSystem`."""
    found = session.get(System, code)
    if found is None:
        raise NoSystem(f"no system {code!r}")
    found.is_active = False
    for old in tokens_of(session, found.account_id or 0, now=now):
        revoke_token(session, found.account_id or 0, old.id, by=found.account_id or 0, now=now)


def map_categories(session: Session, code: str, lines: Mapping[str, str]) -> int:
    """Replace the table of a system: its word -> `kind:code` of ours. Raises `BadMapping`."""
    if session.get(System, code) is None:
        raise NoSystem(f"no system {code!r}")
    wanted = {sender: split(ours) for sender, ours in lines.items()}
    asked = select(Category.kind, Category.code).where(Category.parent.is_not(None))
    known = {(row.kind, row.code) for row in session.execute(asked)}
    for sender, ours in wanted.items():
        if not sender.strip() or ours not in known:
            raise BadMapping(f"{sender!r}: no category {':'.join(ours)}", field=sender[:60])
    session.execute(delete(SystemCategory).where(SystemCategory.system == code))
    session.add_all(
        SystemCategory(system=code, sender_code=sender.strip(), kind=kind, category=category)
        for sender, (kind, category) in wanted.items()
    )
    session.flush()
    return len(wanted)


def split(ours: str) -> tuple[str, str]:
    """Read one of our categories: `component:01001`, or the code of a matter."""
    kind, found, code = ours.strip().partition(":")
    return (kind, code) if found else ("matter", kind)


def of_caller(session: Session, code: str, actor: Actor) -> System:
    """Return the system that a token belongs to. Raises `NoSystem` for every other."""
    found = session.get(System, code)
    if found is None or not found.is_active or found.account_id != actor.account_id:
        raise NoSystem(f"no system {code[:40]!r} of this token")
    return found


def listed(session: Session) -> Sequence[System]:
    """Return every system by its code."""
    return session.scalars(select(System).order_by(System.code)).all()
