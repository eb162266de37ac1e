"""Who is on duty."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.accounts.models import Shift


def on_duty(session: Session, account_id: int, now: datetime) -> Shift | None:
    """Return the shift that an account is in now."""
    return session.scalar(
        select(Shift)
        .where(Shift.account_id == account_id, Shift.starts_at <= now, Shift.ends_at > now)
        .order_by(Shift.ends_at.desc())
        .limit(1)
    )
