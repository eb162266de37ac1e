"""People who sign in: accounts, roles, assignments to an area and a department, sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from grids.db import Base, code_column, identity

CASE_VIEW = frozenset({"map:view", "grid:view", "incident:view", "enterprise:view", "live:view"})

#: Role -> what it may do. Where it may do it is said by the assignment (area, department).
ROLES: dict[str, frozenset[str]] = {
    "commander": CASE_VIEW | {"command:view"},
    "intake": CASE_VIEW | {"command:view", "incident:submit", "incident:move"},
    "shift_leader": CASE_VIEW | {"command:view", "incident:move"},
    "dispatcher": CASE_VIEW | {"command:view", "incident:move"},
    "town_seat": CASE_VIEW | {"command:view", "incident:submit", "incident:move"},
    "handler": CASE_VIEW | {"desk:view", "incident:move"},
    "worker": CASE_VIEW | {"worker:view", "incident:submit", "incident:move"},
    "grid_leader": CASE_VIEW | {"worker:view", "incident:submit", "incident:move"},
    "planner": frozenset({"map:view", "grid:view", "planner:view", "export:run"}),
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
