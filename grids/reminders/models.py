"""The table of reminders."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base


class ClockReminder(Base):
    """One reminder of one run of a clock: when it falls due, and when it was written."""

    __tablename__ = "clock_reminder"
    __table_args__ = (
        Index("clock_reminder_waiting_idx", "reached_at", postgresql_where=text("told_at IS NULL")),
    )
    __level__ = "L2"

    clock_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("incident_clock.id", ondelete="CASCADE"), primary_key=True
    )
    share: Mapped[int] = mapped_column(SmallInteger, primary_key=True)  #: 50 or 80 of a hundred
    due_at: Mapped[datetime]  #: the end of the clock that this was worked out for
    reached_at: Mapped[datetime]  #: when the share is used
    told_at: Mapped[datetime | None]
