"""A person's own password."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from grids import audit
from grids.accounts import passwords, tries
from grids.accounts.models import Account
from grids.accounts.policy import OPEN, Policy
from grids.accounts.sessions import renew
from grids.accounts.staff import end_everything
from grids.errors import Invalid


class WrongPassword(Invalid):
    """The present password is not right."""

    code = "account.wrong_password"


def change_password(
    session: Session,
    account_id: int,
    session_hash: bytes,
    *,
    present: str,
    new: str,
    now: datetime,
    source_ip: str = "",
    policy: Policy = OPEN,
) -> str | None:
    """Change one's own password; return the new token of this session, None for a wrong one.

    Every other session and every token of the account ends. A wrong present password counts as
    a failed sign-in, and the caller commits that. Raises `WeakPassword`, `KnownPassword` or
    `UsedPassword`; nothing was changed then.
    """
    is_locked = tries.is_source_locked(session, source_ip, policy, now)
    account = session.get_one(Account, account_id, with_for_update=True)
    is_right = not is_locked and passwords.verify(account.password_hash, present)
    if not is_right or tries.is_account_locked(account, now):
        tries.count_failure(session, account, login=account.login, address=source_ip, now=now)
        _note(session, account_id, source_ip, is_success=False)
        return None
    passwords.set_password(session, account, new, now=now, profile=policy.password)
    end_everything(session, account_id, now, except_session=session_hash)
    _note(session, account_id, source_ip, is_success=True)
    session.flush()
    return renew(session, session_hash, confirmed_at=now)


def _note(session: Session, account_id: int, source_ip: str, *, is_success: bool) -> None:
    audit.record(
        session,
        "password_changed",
        actor_id=account_id,
        subject=f"account:{account_id}",
        is_success=is_success,
        source_ip=source_ip,
    )
