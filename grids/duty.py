"""Being on duty (在岗): a worker starts a shift, and may end it early."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from grids.accounts import Shift, on_duty
from grids.errors import Invalid

LONGEST_HOURS = 16


class BadShift(Invalid):
    """A shift has a length that nobody works."""

    code = "duty.bad_shift"


def start(session: Session, account_id: int, *, hours: int, now: datetime) -> Shift:
    """Put somebody on duty for some hours; who is on duty already stays so. Raises `BadShift`."""
    if not 1 <= hours <= LONGEST_HOURS:
        raise BadShift(f"a shift has 1 to {LONGEST_HOURS} hours", field="hours", most=LONGEST_HOURS)
    running = on_duty(session, account_id, now)
    if running is not None:
        return running
    shift = Shift(account_id=account_id, starts_at=now, ends_at=now + timedelta(hours=hours))
    session.add(shift)
    session.flush()
    return shift


def stop(session: Session, account_id: int, *, now: datetime) -> None:
    """End the shift that runs now; without one nothing happens."""
    running = on_duty(session, account_id, now)
    if running is not None:
        running.ends_at = now
        session.flush()
