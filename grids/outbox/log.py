"""What was sent about cases, message by message, and one of them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.codes import Category
from grids.errors import Conflict, NotFound
from grids.incidents.models import Incident
from grids.outbox.models import GIVEN_UP, PENDING, SENT, Message, Receiver

MOST: Final = 50
#: The trays of the page. `failed` is what needs a person: given up, or tried in vain so far.
FAILED, WAITING = "failed", "waiting"
TRAYS: Final = (FAILED, WAITING, SENT)


class NoMessage(NotFound):
    """There is no such message, or its case lies outside what the caller may see."""

    code = "outbox.no_message"


class MessageOver(Conflict):
    """The message has been sent, or was withdrawn: nothing is left to send."""

    code = "outbox.over"


@dataclass(frozen=True)
class Sending:
    """One message of a case to one receiver, without what it says about anybody."""

    id: UUID
    incident_id: UUID
    number: str
    category_zh: str
    category_en: str
    receiver_zh: str
    receiver_en: str
    receiver_kind: str
    kind: str
    status: str  #: the state of the case that was told, where the message tells one
    state: str
    reason: str
    tries: int
    created_at: datetime
    next_at: datetime
    ended_at: datetime | None
    error: str
    receipt: str

    @property
    def is_failing(self) -> bool:
        """Say whether somebody should look: given up, or refused at least once so far."""
        return self.state == GIVEN_UP or (self.state == PENDING and bool(self.error))

    @property
    def may_resend(self) -> bool:
        """Say whether sending again makes sense."""
        return self.state in (PENDING, GIVEN_UP)


@dataclass(frozen=True)
class Sent:
    """A page of what was sent, the newest first."""

    rows: list[Sending]
    next: str  #: asks for the page behind this one; empty on the last


def listed(
    session: Session, actor: Actor, tray: str, *, receiver: str = "", after: str = ""
) -> Sent:
    """Return messages about cases of the caller's area in one tray."""
    asked = _messages(actor).where(_in_tray(tray))
    if receiver:
        asked = asked.where(Message.receiver == receiver)
    # The index of states is in the order of the end; what has not ended is short.
    order: Any = Message.ended_at if tray == SENT else Message.created_at
    if place := _place(after):
        asked = asked.where(tuple_(order, Message.id) < place)
    rows = session.execute(asked.order_by(order.desc(), Message.id.desc()).limit(MOST + 1)).all()
    shown = [_sending(*row) for row in rows[:MOST]]
    last = shown[-1] if len(rows) > MOST else None
    at = (last.ended_at if tray == SENT else last.created_at) if last else None
    return Sent(shown, f"{at.isoformat()}~{last.id}" if last and at else "")


def of_case(session: Session, actor: Actor, incident_id: UUID) -> list[Sending]:
    """Return every message about one case, the newest first."""
    asked = _messages(actor).where(Message.incident_id == incident_id)
    rows = session.execute(asked.order_by(Message.created_at.desc(), Message.id).limit(4 * MOST))
    return [_sending(*row) for row in rows]


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """Count the trays that are short; what was sent grows for ever and is not counted."""
    return {tray: _count(session, actor, tray) for tray in (FAILED, WAITING)}


def count_failed(session: Session, actor: Actor) -> int:
    """Count the messages that need a person."""
    return _count(session, actor, FAILED)


def _count(session: Session, actor: Actor, tray: str) -> int:
    asked = (
        select(func.count())
        .select_from(Message)
        .join(Incident, Incident.id == Message.incident_id)
        .where(_in_tray(tray), scope.condition(actor, Incident))
    )
    return session.scalar(asked) or 0


def receivers(session: Session) -> list[Receiver]:
    """Return who can be told something."""
    return list(session.scalars(select(Receiver).order_by(Receiver.kind.desc(), Receiver.code)))


def resend(
    session: Session, message_id: UUID, actor: Actor, *, now: datetime, source_ip: str = ""
) -> None:
    """Send one message at once, with all its tries. Raises `NoMessage`, `MessageOver`."""
    found = session.scalar(
        select(Message)
        .join(Incident, Incident.id == Message.incident_id)
        .where(Message.id == message_id, scope.condition(actor, Incident))
        .with_for_update(of=Message)
    )
    if found is None:
        raise NoMessage(f"no message {message_id}")
    if found.state not in (PENDING, GIVEN_UP):
        raise MessageOver(f"message {message_id} is {found.state}")
    found.state, found.ended_at, found.reason = PENDING, None, ""
    found.tries, found.next_at = 0, now
    audit.record(
        session, "outbox_retried", actor_id=actor.account_id,
        subject=f"incident:{found.incident_id}", source_ip=source_ip,
        detail={"receiver": found.receiver, "kind": found.kind},
    )  # fmt: skip


def _messages(actor: Actor) -> Select[Message, str, Category, Receiver]:
    return (
        select(Message, Incident.number, Category, Receiver)
        .join(Incident, Incident.id == Message.incident_id)
        .join(Category, Category.id == Incident.category_id)
        .join(Receiver, Receiver.code == Message.receiver)
        .where(scope.condition(actor, Incident))
    )


def _in_tray(tray: str) -> ColumnElement[bool]:
    in_vain = and_(Message.state == PENDING, Message.last_error != "")
    if tray == FAILED:
        return or_(Message.state == GIVEN_UP, in_vain)
    if tray == WAITING:
        return and_(Message.state == PENDING, Message.last_error == "")
    return Message.state == SENT


def _place(after: str) -> tuple[datetime, UUID] | None:
    """Read where a page ended; None where the words are no such place."""
    at, _mark, key = after.partition("~")
    try:
        return datetime.fromisoformat(at), UUID(key)
    except ValueError:
        return None


def _sending(message: Message, number: str, category: Category, receiver: Receiver) -> Sending:
    assert message.incident_id is not None  # joined on it
    return Sending(
        id=message.id, incident_id=message.incident_id, number=number,
        category_zh=category.name_zh, category_en=category.name_en,
        receiver_zh=receiver.name_zh, receiver_en=receiver.name_en, receiver_kind=receiver.kind,
        kind=message.kind, status=str(message.body.get("status") or ""), state=message.state,
        reason=message.reason, tries=message.tries, created_at=message.created_at,
        next_at=message.next_at, ended_at=message.ended_at, error=message.last_error,
        receipt=message.receipt,
    )  # fmt: skip
