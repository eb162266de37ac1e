"""Passwords: how they are stored and how they are checked."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from grids.errors import Invalid

HASHER = PasswordHasher()  # argon2id, the library's defaults (RFC 9106, low memory)
#: Stands where the hash would, for accounts that nobody can sign in to: no password has it.
NO_PASSWORD = "!"  # noqa: S105 - the opposite of a password
SHORTEST_PASSWORD = 12


class WeakPassword(Invalid):
    """The password is too short, or is the login."""

    code = "account.weak_password"


@cache
def no_account_hash() -> str:
    """Return what is verified for unknown logins, so that they take as long as known ones."""
    return HASHER.hash(secrets.token_urlsafe(16))


def verify(password_hash: str, password: str) -> bool:
    """Say whether the password belongs to the hash."""
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
