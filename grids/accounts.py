"""People who sign in: accounts, roles, assignments to an area and a department, sessions."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    bindparam,
    delete,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from grids import audit
from grids.db import Base, code_column, identity
from grids.errors import Invalid
from grids.secrets import token_hash

HASHER = PasswordHasher()  # argon2id, the library's defaults (RFC 9106, low memory)
#: Verified for unknown logins, so that the answer takes as long as for a known one.
NO_ACCOUNT_HASH = HASHER.hash(secrets.token_urlsafe(16))
#: Stands where the hash would, for accounts that nobody can sign in to: no password has it.
NO_PASSWORD = "!"  # noqa: S105 - the opposite of a password
FAILURES_TO_LOCK = 5
LOCK = timedelta(minutes=15)
SHORTEST_PASSWORD = 12
IDLE = timedelta(minutes=30)
#: A worker's phone lies in the pocket between two tasks; the shift is the limit.
IDLE_OUTDOORS = timedelta(hours=12)
LONGEST = timedelta(hours=12)
OUTDOOR_ROLES = frozenset({"worker", "grid_leader"})

CASE_VIEW = frozenset({"map:view", "grid:view", "incident:view", "enterprise:view", "live:view"})
#: What the seats of the command center do with a case; calling a reporter back is a logged act.
CASE_DESK = frozenset({"command:view", "incident:move", "reporter:reveal"})

#: Role -> what it may do. Where it may do it is said by the assignment (area, department).
ROLES: dict[str, frozenset[str]] = {
    "commander": CASE_VIEW | {"command:view", "export:approve", "key_population:view"},
    "intake": CASE_VIEW | CASE_DESK | {"incident:submit"},
    "shift_leader": CASE_VIEW | CASE_DESK,
    "dispatcher": CASE_VIEW | CASE_DESK,
    "town_seat": CASE_VIEW | CASE_DESK | {"incident:submit", "key_population:view"},
    "handler": CASE_VIEW | {"desk:view", "incident:move"},
    "worker": CASE_VIEW | {"worker:view", "incident:submit", "incident:move"},
    "grid_leader": CASE_VIEW | {"worker:view", "incident:submit", "incident:move"},
    "planner": frozenset(
        {"map:view", "grid:view", "planner:view", "export:run", "key_population:view"}
    ),
    # 人口专管员: finds one resident by number, never lists them; answers what residents ask.
    "registrar": frozenset(
        {"person:find", "person:reveal", "subject:handle"}
        | {"key_population:view", "key_population:load"}
    ),
    # 三员: the system's accounts, what they may do, and the record of it are three people's work.
    "system_admin": frozenset({"admin:system"}),
    "security_admin": frozenset({"admin:security"}),
    "audit_admin": frozenset({"admin:audit"}),
}


class Account(Base):
    """Somebody who signs in."""

    __tablename__ = "account"
    __level__ = "L2"

    id: Mapped[int] = identity()
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default="true")
    failed_count: Mapped[int] = mapped_column(server_default="0")
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    assignments: Mapped[list[Assignment]] = relationship(back_populates="account")


class Assignment(Base):
    """A role given to an account, limited to an area (code prefix) and a department."""

    __tablename__ = "assignment"
    __table_args__ = (Index("assignment_account_id_idx", "account_id"),)
    __level__ = "L2"

    id: Mapped[int] = identity()
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    role: Mapped[str]
    area_code: Mapped[str] = mapped_column(code_column())
    department_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    valid_from: Mapped[date] = mapped_column(server_default=text("current_date"))
    valid_to: Mapped[date | None]

    account: Mapped[Account] = relationship(back_populates="assignments")


class SignInSession(Base):
    """A sign-in that is still good. The cookie holds the token, the table only its hash."""

    __tablename__ = "sign_in_session"
    __table_args__ = (Index("sign_in_session_account_id_idx", "account_id"),)
    __level__ = "L3"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    csrf_token: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    agent: Mapped[str] = mapped_column(server_default="")


class Shift(Base):
    """A stretch of time in which a worker is on duty (在岗)."""

    __tablename__ = "shift"
    __table_args__ = (Index("shift_account_id_starts_at_idx", "account_id", "starts_at"),)
    __level__ = "L2"

    id: Mapped[int] = identity()
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


@dataclass(frozen=True)
class Actor:
    """Who acts: the account with the roles, areas and department that hold now."""

    account_id: int
    name: str
    roles: frozenset[str]
    permissions: frozenset[str]
    areas: tuple[str, ...]  #: code prefixes; nothing outside them is seen
    department: str | None = None  #: set for department staff: only cases dispatched to it

    def can(self, permission: str) -> bool:
        """Say whether one of the actor's roles grants the permission."""
        return permission in self.permissions


class WeakPassword(Invalid):
    """The password is too short, or is the login."""

    code = "account.weak_password"


class UnknownRole(Invalid):
    """There is no such role."""

    code = "account.unknown_role"


@dataclass(frozen=True)
class SignedIn:
    """What a good cookie stands for."""

    actor: Actor
    csrf_token: str
    session_hash: bytes
    confirmed_at: datetime  #: when the person last proved who they are, for sensitive acts


def create_account(session: Session, *, login: str, name: str, password: str) -> Account:
    """Add an account. Raises `WeakPassword` below 12 characters or where it holds the login."""
    if len(password) < SHORTEST_PASSWORD or login.lower() in password.lower():
        raise WeakPassword(
            f"the password needs {SHORTEST_PASSWORD} characters and not the login",
            length=SHORTEST_PASSWORD,
        )
    account = Account(login=login, name=name, password_hash=HASHER.hash(password))
    session.add(account)
    session.flush()
    return account


def assign(
    session: Session, account: Account, role: str, *, area_code: str, department: str | None = None
) -> Assignment:
    """Give an account a role in an area and, for department staff, a department."""
    if role not in ROLES:
        raise UnknownRole(f"no role {role!r}", role=role)
    assignment = Assignment(
        account_id=account.id, role=role, area_code=area_code, department_code=department
    )
    session.add(assignment)
    session.flush()
    return assignment


def sign_in(
    session: Session, login: str, password: str, *, now: datetime, source_ip: str, agent: str = ""
) -> str | None:
    """Check a password and open a session; return the token for the cookie, or None.

    The caller commits in both cases: a failure is counted and audited. Five failures lock
    the account for 15 minutes; the answer does not tell which of the reasons it was.
    """
    account = session.scalar(select(Account).where(Account.login == login).with_for_update())
    is_right = _verify(account.password_hash if account else NO_ACCOUNT_HASH, password)
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
    actor = _actor(first.account_id, first.name, rows, now.date())
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


def actor_of(account: Account, on: date) -> Actor | None:
    """Join the assignments that hold on a day; None where there is none.

    Department staff act for one department: the first assignment that names one.
    """
    return _actor(account.id, account.name, account.assignments, on)


def _actor(account_id: int, name: str, assignments: Iterable[Any], on: date) -> Actor | None:
    held = [a for a in assignments if a.valid_from <= on and (not a.valid_to or on < a.valid_to)]
    if not held:
        return None
    roles = frozenset(a.role for a in held)
    return Actor(
        account_id=account_id,
        name=name,
        roles=roles,
        permissions=frozenset().union(*(ROLES[role] for role in roles)),
        areas=tuple(sorted({a.area_code for a in held})),
        department=next((a.department_code for a in held if a.department_code), None),
    )


def on_duty(session: Session, account_id: int, now: datetime) -> Shift | None:
    """Return the shift that an account is in now."""
    return session.scalar(
        select(Shift)
        .where(Shift.account_id == account_id, Shift.starts_at <= now, Shift.ends_at > now)
        .order_by(Shift.ends_at.desc())
        .limit(1)
    )


def _verify(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _count_failure(account: Account | None, now: datetime) -> None:
    if account is None:
        return
    account.failed_count += 1
    if account.failed_count >= FAILURES_TO_LOCK:
        account.failed_count, account.locked_until = 0, now + LOCK
