"""The second factor: codes of an authenticator (TOTP), and recovery codes for a lost phone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts.models import RecoveryCode, SecondFactor
from grids.accounts.policy import OPEN, Policy
from grids.errors import Conflict, Invalid
from grids.secrets import Vault, token_hash

STEP_S = 30
#: Phones' clocks differ: one step before and after.
TOLERANCE = 1
SECRET_BYTES = {"sha1": 20, "sha256": 32, "sm3": 32}
RECOVERY_CODES = 10
RECOVERY_BYTES = 10


class WrongCode(Invalid):
    """The code is not the present one, or was used already."""

    code = "second_factor.wrong_code"


class NoFactor(Conflict):
    """There is no second factor to do this with, or none that waits for its first code."""

    code = "second_factor.none"


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator has to learn: as an address for the picture, and to type."""

    address: str
    secret: str  #: base32

    @property
    def groups(self) -> list[str]:
        """Return the secret in groups of four."""
        return [self.secret[start : start + 4] for start in range(0, len(self.secret), 4)]


def has_factor(session: Session, account_id: int) -> bool:
    """Say whether the account has a second factor that counts."""
    found = session.scalar(
        select(SecondFactor.account_id).where(
            SecondFactor.account_id == account_id, SecondFactor.confirmed_at.is_not(None)
        )
    )
    return found is not None


def begin(
    session: Session, account_id: int, *, vault: Vault, now: datetime, policy: Policy = OPEN
) -> None:
    """Draw a secret that waits for its first code; an earlier one that waited is replaced.

    Raises `NoFactor` where the account has a factor already: that one is taken away first.
    """
    if has_factor(session, account_id):
        raise NoFactor("the account has a second factor already")
    session.execute(delete(SecondFactor).where(SecondFactor.account_id == account_id))
    random = secrets.token_bytes(SECRET_BYTES[policy.digest])
    secret = base64.b32encode(random).decode().rstrip("=")
    session.add(
        SecondFactor(
            account_id=account_id,
            secret_sealed=vault.seal("second_factor", account_id, "secret_sealed", secret),
            digest=policy.digest,
            created_at=now,
        )
    )
    session.flush()


def enrolment(
    session: Session, account_id: int, *, vault: Vault, login: str, issuer: str
) -> Enrolment | None:
    """Return what the waiting authenticator has to learn; None where none waits."""
    waiting = _factor(session, account_id)
    if waiting is None or waiting.confirmed_at is not None:
        return None
    totp = _totp(waiting, vault, name=login, issuer=issuer)
    return Enrolment(totp.provisioning_uri(), totp.secret)


def finish(
    session: Session,
    account_id: int,
    code: str,
    *,
    vault: Vault,
    now: datetime,
    source_ip: str = "",
) -> list[str]:
    """Take the first code of a waiting authenticator; return recovery codes, shown only now.

    Raises `NoFactor` where none waits, and `WrongCode`.
    """
    waiting = _factor(session, account_id)
    if waiting is None or waiting.confirmed_at is not None:
        raise NoFactor("no second factor waits for its first code")
    if not _accept(session, waiting, code, vault=vault, now=now):
        raise WrongCode("the code does not fit", field="code")
    waiting.confirmed_at = now
    _note(session, "second_factor_enrolled", account_id, source_ip)
    return renew_recovery_codes(session, account_id, now=now, source_ip=source_ip)


def remove(session: Session, account_id: int, *, source_ip: str = "") -> None:
    """Take the own factor away, to enrol another phone. Raises `NoFactor`."""
    if not has_factor(session, account_id):
        raise NoFactor("the account has no second factor")
    session.execute(delete(SecondFactor).where(SecondFactor.account_id == account_id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    _note(session, "second_factor_removed", account_id, source_ip)


def renew_recovery_codes(
    session: Session, account_id: int, *, now: datetime, source_ip: str = ""
) -> list[str]:
    """Replace the recovery codes; return the new ones, shown only now. Raises `NoFactor`."""
    if not has_factor(session, account_id):
        raise NoFactor("the account has no second factor")
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    codes = [
        base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode()
        for _ in range(RECOVERY_CODES)
    ]
    session.add_all(
        RecoveryCode(account_id=account_id, code_hash=_hash(account_id, code), created_at=now)
        for code in codes
    )
    _note(session, "recovery_codes_renewed", account_id, source_ip)
    session.flush()
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


def recovery_codes_left(session: Session, account_id: int) -> int:
    """Count the recovery codes that were not used."""
    return (
        session.scalar(
            select(func.count()).where(
                RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
            )
        )
        or 0
    )


def check_code(
    session: Session, account_id: int, code: str, *, vault: Vault, now: datetime
) -> str | None:
    """Say which factor a code belongs to, `totp` or `recovery`, and use it up; None for none."""
    factor = _factor(session, account_id)
    if factor is None or factor.confirmed_at is None:
        return None
    text = "".join(ch for ch in code if ch.isalnum()).upper()
    if text.isdecimal():
        return "totp" if _accept(session, factor, text, vault=vault, now=now) else None
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.code_hash == _hash(account_id, text),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.account_id)
    ).all()
    if not used:
        return None
    _note(session, "recovery_code_used", account_id, "")
    return "recovery"


def _accept(
    session: Session, factor: SecondFactor, code: str, *, vault: Vault, now: datetime
) -> bool:
    """Say whether a code is a present one, and keep its step: none at or before it comes again.

    The comparison of steps is the database's: of two requests with the same code one gets it.
    """
    totp = _totp(factor, vault)
    text = "".join(ch for ch in code if ch.isdecimal())
    present = int(now.timestamp()) // STEP_S
    fitting = [
        step
        for step in range(present - TOLERANCE, present + TOLERANCE + 1)
        if hmac.compare_digest(totp.generate_otp(step), text)
    ]
    if not fitting:
        return False
    step = max(fitting)
    kept = session.execute(
        update(SecondFactor)
        .where(SecondFactor.account_id == factor.account_id, SecondFactor.last_step < step)
        .values(last_step=step)
        .returning(SecondFactor.account_id)
    ).all()
    return bool(kept)


def _factor(session: Session, account_id: int) -> SecondFactor | None:
    return session.get(SecondFactor, account_id, populate_existing=True)


def _totp(
    factor: SecondFactor, vault: Vault, *, name: str | None = None, issuer: str | None = None
) -> pyotp.TOTP:
    secret = vault.open("second_factor", factor.account_id, "secret_sealed", factor.secret_sealed)
    digest: Any = partial(hashlib.new, factor.digest)
    return pyotp.TOTP(secret, digest=digest, interval=STEP_S, name=name, issuer=issuer)


def _hash(account_id: int, code: str) -> bytes:
    """Hash a recovery code: its 80 random bits are not guessed, and no key has to outlive it."""
    return token_hash(f"{account_id}:{code}")


def _note(session: Session, action: str, account_id: int, source_ip: str) -> None:
    audit.record(
        session,
        action,
        actor_id=account_id,
        subject=f"account:{account_id}",
        source_ip=source_ip,
    )
