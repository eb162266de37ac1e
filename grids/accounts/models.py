"""Tables of people who sign in."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from grids.db import Base, code_column, identity


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
