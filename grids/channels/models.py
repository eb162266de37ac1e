"""Tables of the channels: other systems, their cases, and alarms of the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, identity


class System(Base):
    """Another system that sends us cases or takes them over: 110, 12345, a department's own."""

    __tablename__ = "channel_system"
    __table_args__ = (CheckConstraint("kind IN ('system', 'transfer')", name="kind"),)
    __level__ = "L2"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[str]  #: transfer: each side acknowledges in time and may send back
    channel: Mapped[str] = mapped_column(server_default="system")
    account_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    receiver: Mapped[str | None] = mapped_column(ForeignKey("outbox_receiver.code"))
    category: Mapped[str] = mapped_column(server_default="")  #: where the sender names none
    ack_s: Mapped[int] = mapped_column(server_default="60")
    is_active: Mapped[bool] = mapped_column(server_default="true")


class SystemCase(Base):
    """A case that came from another system or went to one, and whether it was acknowledged."""

    __tablename__ = "channel_case"
    __table_args__ = (
        CheckConstraint("direction IN ('in', 'out')", name="direction"),
        CheckConstraint("state IN ('waiting', 'acknowledged', 'returned', 'ended')", name="state"),
        Index("channel_case_incident_id_idx", "incident_id"),
        Index("channel_case_waiting_idx", "ack_due_at", postgresql_where=text("state = 'waiting'")),
        Index("channel_case_sender_idx", "system", "direction", "sender_id", unique=True,
              postgresql_where=text("direction = 'in'")),
    )  # fmt: skip
    __level__ = "L2"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    system: Mapped[str] = mapped_column(ForeignKey("channel_system.code"))
    direction: Mapped[str]
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    sender_id: Mapped[str] = mapped_column(server_default="")  #: their number of it
    state: Mapped[str] = mapped_column(server_default="waiting")
    received_at: Mapped[datetime]
    ack_due_at: Mapped[datetime]
    ack_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(server_default="")
    body_hash: Mapped[bytes | None] = mapped_column(LargeBinary)  #: of what the sender sent
    ack_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))


class SystemCategory(Base):
    """What another system calls a category, and which of ours that is."""

    __tablename__ = "channel_category"
    __level__ = "L2"

    system: Mapped[str] = mapped_column(ForeignKey("channel_system.code"), primary_key=True)
    sender_code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(server_default="matter")  #: matter, component
    category: Mapped[str]


class DutyAlarm(Base):
    """Something that the shift leader has to look at; one open per kind and subject."""

    __tablename__ = "duty_alarm"
    __table_args__ = (
        Index("duty_alarm_one_at_a_time", "kind", "subject", unique=True,
              postgresql_where=text("closed_at IS NULL")),
    )  # fmt: skip
    __level__ = "L2"

    id: Mapped[int] = identity()
    kind: Mapped[str]  #: receiver, given_up, ack, letter_box, reconcile, stuck_...
    subject: Mapped[str]
    area_code: Mapped[str] = mapped_column(code_column(), server_default="")
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"))
    count: Mapped[int] = mapped_column(server_default="1")
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    opened_at: Mapped[datetime]
    last_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    note: Mapped[str] = mapped_column(server_default="")
