"""Tables of the outbox: who receives, and each message with how far it got."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, personal

PENDING, SENT, GIVEN_UP, CANCELLED = "pending", "sent", "given_up", "cancelled"
#: Receivers that every installation has; settings say whether they are connected.
SMS: Final = "sms"
MAIL: Final = "mail"
#: Of a receiver that a person has paused: nothing is sent until a person resumes it.
HELD: Final = datetime(9999, 1, 1, tzinfo=UTC)


class Receiver(Base):
    """Somebody who is told things: a system by webhook, or the text-message gateway."""

    __tablename__ = "outbox_receiver"
    __table_args__ = (CheckConstraint("kind IN ('webhook', 'sms', 'mail')", name="kind"),)
    __level__ = "L2"

    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    door: Mapped[str] = mapped_column(server_default="")  #: id in WANGGE_OUTGOING
    path: Mapped[str] = mapped_column(server_default="")
    #: signs what is sent
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=personal("L3"))
    is_active: Mapped[bool] = mapped_column(server_default="true")
    most_tries: Mapped[int] = mapped_column(server_default="12")
    failures: Mapped[int] = mapped_column(server_default="0")  #: in a row
    failing_since: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]  #: after a failure nobody knocks before
    sent_at: Mapped[datetime | None]  #: last success
    last_error: Mapped[str] = mapped_column(server_default="")


class Message(Base):
    """One message for one receiver, written in the transaction of what it tells.

    `id` is the idempotency key that the receiver gets, the same at every try. `contact` names
    the reporter whose number is opened only when the message is sent.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'sent', 'given_up', 'cancelled')", name="state"),
        CheckConstraint("(state = 'pending') = (ended_at IS NULL)", name="ended"),
        Index("outbox_message_due_idx", "receiver", "next_at", "created_at",
              postgresql_where=text("state = 'pending'")),
        Index("outbox_message_incident_id_idx", "incident_id"),
        Index("outbox_message_state_idx", "state", "ended_at"),
    )  # fmt: skip
    __level__ = "L2"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    key: Mapped[str] = mapped_column(unique=True)  #: writing the same twice is one message
    receiver: Mapped[str] = mapped_column(ForeignKey("outbox_receiver.code"))
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"))
    seq: Mapped[int | None]  #: of the case's event
    kind: Mapped[str]  #: accepted, dispatched, done, declined, merged, reopened, status, ...
    contact: Mapped[UUID | None]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    state: Mapped[str] = mapped_column(server_default=PENDING)
    reason: Mapped[str] = mapped_column(server_default="")  #: why it was cancelled or given up
    tries: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(server_default="")
    receipt: Mapped[str] = mapped_column(server_default="")  #: under which the receiver keeps it
