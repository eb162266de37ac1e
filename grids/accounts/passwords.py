"""Passwords: what they have to be, how they are stored and how they are checked."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from grids.accounts.known_passwords import is_known
from grids.accounts.models import Account, PastPassword
from grids.accounts.policy import OPEN, PasswordProfile
from grids.errors import Invalid

HASHER = PasswordHasher()  # argon2id, the library's defaults (RFC 9106, low memory)
#: Stands where the hash would, for accounts that nobody can sign in to: no password has it.
NO_PASSWORD: Final = "!"  # noqa: S105 - the opposite of a password
#: A password that somebody else has drawn serves this long.
ONE_TIME_LASTS = timedelta(days=7)
#: Beyond this nothing is hashed: a password of a megabyte is somebody's attack.
MOST_CHARACTERS = 1024
#: Nothing that a reader takes for something else, on paper or on the phone.
SMALL, CAPITAL, DIGIT = "abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"


class WeakPassword(Invalid):
    """The password is too short, too simple, or holds the login."""

    code = "account.weak_password"


class KnownPassword(Invalid):
    """The password stands in lists that attackers try first."""

    code = "account.known_password"


class UsedPassword(Invalid):
    """The password was used for this account before."""

    code = "account.used_password"


def normal(password: str) -> str:
    """Bring a password to one form: full-width letters of a Chinese keyboard are the plain ones."""
    return unicodedata.normalize("NFKC", password[:MOST_CHARACTERS])


def check_new(
    session: Session, password: str, *, login: str, profile: PasswordProfile = OPEN.password
) -> None:
    """Hold a new password against the profile. Raises `WeakPassword` or `KnownPassword`."""
    text = normal(password)
    is_long_enough = profile.shortest <= len(text) <= profile.longest
    is_login = login.lower() in text.lower()
    if not is_long_enough or is_login or classes_of(text) < profile.classes:
        raise WeakPassword(
            f"a password of profile {profile.name} needs {profile.shortest} characters of"
            f" {profile.classes} kinds and not the login",
            field="password",
            length=profile.shortest,
            classes=profile.classes,
        )
    if is_known(session, text):
        raise KnownPassword("the password is one of those tried first", field="password")


def classes_of(text: str) -> int:
    """Count the kinds of characters: small letters, capitals, digits, everything else."""
    small = any("a" <= ch <= "z" for ch in text)
    capital = any("A" <= ch <= "Z" for ch in text)
    digit = any("0" <= ch <= "9" for ch in text)
    other = any(not (ch.isascii() and ch.isalnum()) for ch in text)
    return sum((small, capital, digit, other))


def set_password(
    session: Session,
    account: Account,
    password: str,
    *,
    now: datetime,
    profile: PasswordProfile = OPEN.password,
) -> None:
    """Give an account a password of its own choice; the one before joins the barred ones.

    Raises `WeakPassword`, `KnownPassword` or `UsedPassword`.
    """
    check_new(session, password, login=account.login, profile=profile)
    past = list(
        session.scalars(
            select(PastPassword)
            .where(PastPassword.account_id == account.id)
            .order_by(PastPassword.id.desc())
        )
    )
    hashes = [account.password_hash, *(one.password_hash for one in past[: profile.barred - 1])]
    if any(verify(one, password) for one in hashes):
        raise UsedPassword(
            f"one of the last {profile.barred} passwords", field="password", count=profile.barred
        )
    if account.password_hash != NO_PASSWORD:
        session.add(
            PastPassword(account_id=account.id, password_hash=account.password_hash, ended_at=now)
        )
    forgotten = [one.id for one in past[profile.barred :]]
    session.execute(delete(PastPassword).where(PastPassword.id.in_(forgotten)))
    account.password_hash, account.password_at = hash_of(password), now
    account.must_change = False


def give_one_time_password(session: Session, account: Account, *, now: datetime) -> str:
    """Draw a password that serves once, to choose an own one; return it to be handed over."""
    if account.password_hash != NO_PASSWORD and not account.must_change:
        session.add(
            PastPassword(account_id=account.id, password_hash=account.password_hash, ended_at=now)
        )
    password = draw()
    account.password_hash, account.password_at = hash_of(password), now
    account.must_change = True
    return password


def draw() -> str:
    """Draw a password of 16 characters, in groups that can be read out; it meets both profiles."""
    every = SMALL + CAPITAL + DIGIT
    while True:
        groups = ["".join(secrets.choice(every) for _ in range(4)) for _ in range(4)]
        password = "-".join(groups)
        if classes_of(password) == 4:
            return password


def hash_of(password: str) -> str:
    """Hash a password for storage."""
    return HASHER.hash(normal(password))


@cache
def no_account_hash() -> str:
    """Return what is verified for unknown logins, so that they take as long as known ones."""
    return HASHER.hash(secrets.token_urlsafe(16))


def verify(password_hash: str, password: str) -> bool:
    """Say whether the password belongs to the hash."""
    try:
        return HASHER.verify(password_hash, normal(password))
    except (VerificationError, InvalidHashError):
        return False


def is_due(account: Account, profile: PasswordProfile, now: datetime) -> bool:
    """Say whether the password has to be changed now."""
    return must_change(account.must_change, account.password_at, profile, now)


def must_change(
    is_one_time: bool, password_at: datetime, profile: PasswordProfile, now: datetime
) -> bool:
    """Say whether a password has to be changed: it was given by another, or is too old."""
    return is_one_time or (profile.lasts is not None and now - password_at > profile.lasts)
