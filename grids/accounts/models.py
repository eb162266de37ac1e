"""Tables of people who sign in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from grids.db import Base, code_column, identity, personal


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
    password_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    #: The password came from somebody else: it serves once, to choose an own one.
    must_change: Mapped[bool] = mapped_column(server_default="false")
    signed_in_at: Mapped[datetime | None]  #: the last time
    disabled_at: Mapped[datetime | None]

    assignments: Mapped[list[Assignment]] = relationship(
        back_populates="account", foreign_keys="Assignment.account_id"
    )


class Assignment(Base):
    """A role given to an account, limited by area (code prefix), department, purpose and time.

    A trigger holds two rules against everybody: one of the three administrators holds no other
    role at the same time, and nobody grants to themselves. The serving role may add a row only
    in the name of a security administrator, and afterwards only shorten it.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        Index("assignment_account_id_idx", "account_id"),
        CheckConstraint("valid_to >= valid_from", name="ends_after_it_begins"),
        CheckConstraint("granted_by <> account_id", name="not_to_oneself"),
    )
    __level__ = "L2"

    id: Mapped[int] = identity()
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    role: Mapped[str]
    area_code: Mapped[str] = mapped_column(code_column())
    department_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    purpose: Mapped[str] = mapped_column(server_default="")  #: what it was given for
    valid_from: Mapped[datetime] = mapped_column(server_default=text("current_date"))
    valid_to: Mapped[datetime | None]
    #: None: by the installation itself (first administrators, imports, simulator).
    granted_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    granted_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    revoked_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    revoked_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship(
        back_populates="assignments", foreign_keys="Assignment.account_id"
    )


class SignInSession(Base):
    """A sign-in that is still good. The cookie holds the token, the table only its hash."""

    __tablename__ = "sign_in_session"
    __table_args__ = (
        Index("sign_in_session_account_id_idx", "account_id"),
        UniqueConstraint("id"),
    )
    __level__ = "L3"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    #: Names the session in lists: the hash of its token is nobody's business.
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False))
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    csrf_token: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    agent: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str] = mapped_column(server_default="")  #: the address it was opened from
    method: Mapped[str] = mapped_column(server_default="password")
    #: False while the second step is still to come: such a session opens no view.
    is_whole: Mapped[bool] = mapped_column(server_default="true")
    #: When the person last proved who they are, for sensitive acts.
    confirmed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class SignInFailure(Base):
    """A sign-in that failed, counted by source; forgotten after a day."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (Index("sign_in_failure_source_idx", "source", "at"),)
    __level__ = "L3"

    id: Mapped[int] = identity()
    source: Mapped[str]  #: an address, for IPv6 its /64 network
    login_hash: Mapped[bytes]  #: a digest: people type passwords into the wrong field
    at: Mapped[datetime]


class PastPassword(Base):
    """The hash of a password that was used before and is barred."""

    __tablename__ = "past_password"
    __table_args__ = (Index("past_password_account_id_idx", "account_id"),)
    __level__ = "L3"

    id: Mapped[int] = identity()
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    password_hash: Mapped[str]
    ended_at: Mapped[datetime]


class SecondFactor(Base):
    """An authenticator application (TOTP, RFC 6238); it counts once a code has proved it."""

    __tablename__ = "second_factor"
    __level__ = "L3"

    account_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("account.id"), primary_key=True, autoincrement=False
    )
    secret_sealed: Mapped[bytes] = mapped_column(info=personal("L3"))
    digest: Mapped[str] = mapped_column(server_default="sha1")
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    #: The last time step that was accepted; a code of it or of an earlier one is refused.
    last_step: Mapped[int] = mapped_column(BigInteger, server_default="0")


class RecoveryCode(Base):
    """One of the codes that stand in for a lost phone, once."""

    __tablename__ = "recovery_code"
    __level__ = "L3"

    account_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("account.id"), primary_key=True, autoincrement=False
    )
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ApiToken(Base):
    """A key with which a program acts for its owner; the table holds only its hash."""

    __tablename__ = "api_token"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index("api_token_account_id_idx", "account_id"),
        CheckConstraint(
            "expires_at <= created_at + interval '366 days'", name="expires_within_a_year"
        ),
    )
    __level__ = "L3"

    id: Mapped[int] = identity()
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    name: Mapped[str]
    token_hash: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))  #: permissions, of those of the owner
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_from: Mapped[str] = mapped_column(server_default="")
    revoked_at: Mapped[datetime | None]


class LinkedIdentity(Base):
    """An account at an OpenID provider that opens an account here."""

    __tablename__ = "linked_identity"
    __table_args__ = (Index("linked_identity_account_id_idx", "account_id"),)
    __level__ = "L3"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    linked_at: Mapped[datetime]
    linked_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))


class ProviderTry(Base):
    """A sign-in that was sent to the OpenID provider and has not come back; serves once."""

    __tablename__ = "provider_try"
    __level__ = "L3"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    browser_hash: Mapped[bytes]  #: of the cookie that ties the try to one browser
    nonce: Mapped[str]
    verifier: Mapped[str]  #: PKCE, RFC 7636
    target: Mapped[str] = mapped_column(server_default="")
    #: Set where somebody who is signed in proves anew who they are.
    session_hash: Mapped[bytes | None]
    started_at: Mapped[datetime]


class Shift(Base):
    """A stretch of time in which a worker is on duty (在岗)."""

    __tablename__ = "shift"
    __table_args__ = (Index("shift_account_id_starts_at_idx", "account_id", "starts_at"),)
    __level__ = "L2"

    id: Mapped[int] = identity()
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
