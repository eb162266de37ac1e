"""What the watch over the audit log found: counts by the hour, and alarms that somebody answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, identity

OPEN, ACKNOWLEDGED, CLOSED = "open", "acknowledged", "closed"


class Alarm(Base):
    """A rule that fired on an account or a source; one that is not closed per rule and subject."""

    __tablename__ = "alarm"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'acknowledged', 'closed')", name="status"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed"),
        Index(
            "alarm_one_at_a_time", "rule", "subject", unique=True,
            postgresql_where=text("status <> 'closed'"),
        ),
        Index("alarm_status_idx", "status", "opened_at", "id"),
        Index("alarm_subject_idx", "rule", "subject", "last_at"),
    )  # fmt: skip
    __level__ = "L3"

    id: Mapped[int] = identity()
    rule: Mapped[str]  #: name in `grids.signals.rules.RULES`
    subject: Mapped[str]  #: `account:<id>`, `source:<address>` or `log`
    account_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    status: Mapped[str] = mapped_column(server_default=OPEN)
    opened_at: Mapped[datetime]
    first_at: Mapped[datetime]  #: the first act that the rule counted
    last_at: Mapped[datetime]
    count: Mapped[int]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    note: Mapped[str] = mapped_column(server_default="")  #: why it was closed


class SignalCount(Base):
    """How often something that the console shows happened in an hour, by account or source."""

    __tablename__ = "signal_count"
    __level__ = "L3"

    hour: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


class SignalState(Base):
    """When the watch last looked: one row, so that a page can say how old its figures are."""

    __tablename__ = "signal_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    __level__ = "L1"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default=text("1"))
    looked_at: Mapped[datetime]
