"""How far the messages of each receiver got, and what a person may do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from grids import audit
from grids.errors import Invalid, NotFound
from grids.outbox.models import GIVEN_UP, HELD, PENDING, Message, Receiver
from grids.secrets import Vault


class NoReceiver(NotFound):
    """There is no such receiver."""

    code = "outbox.no_receiver"


class BadReceiver(Invalid):
    """A receiver needs a door of WANGGE_OUTGOING, names, and a secret of 16 characters or more."""

    code = "outbox.bad_receiver"


@dataclass(frozen=True)
class ReceiverState:
    """One receiver with its messages counted by state."""

    receiver: Receiver
    counts: dict[str, int]
    oldest_at: datetime | None  #: the oldest message that still waits


def states(session: Session) -> list[ReceiverState]:
    """Return every receiver with how far its messages got."""
    rows = session.execute(
        select(
            Message.receiver,
            Message.state,
            func.count(),
            func.min(Message.created_at),
        ).group_by(Message.receiver, Message.state)
    ).all()
    return [
        ReceiverState(
            one,
            {state: count for code, state, count, _oldest in rows if code == one.code},
            next(
                (at for code, state, _n, at in rows if (code, state) == (one.code, PENDING)), None
            ),
        )
        for one in session.scalars(select(Receiver).order_by(Receiver.code))
    ]


def keep_receiver(
    session: Session, vault: Vault, code: str, *, door: str, path: str, name_zh: str,
    name_en: str, secret: str,
) -> None:  # fmt: skip
    """Add a receiver by webhook, or change one. Raises `BadReceiver`."""
    if not door or not name_zh or not name_en or len(secret) < 16 or not code.isascii():
        raise BadReceiver("a receiver needs a door, two names and a secret", field="receiver")
    found = session.get(Receiver, code) or Receiver(code=code, kind="webhook")
    if found.kind != "webhook":
        raise BadReceiver(f"{code} is set by settings", field="receiver")
    found.door, found.path, found.name_zh, found.name_en = door, path, name_zh, name_en
    found.secret_sealed = vault.seal("outbox_receiver", code, "secret_sealed", secret)
    session.add(found)
    session.flush()


def retry(session: Session, code: str, *, actor_id: int | None, now: datetime) -> int:
    """Send at once what waits or was given up; return how many messages. Raises `NoReceiver`."""
    receiver = _locked(session, code)
    receiver.paused_until = None
    ids = session.scalars(
        update(Message)
        .where(Message.receiver == code, Message.state.in_((PENDING, GIVEN_UP)))
        .values(state=PENDING, ended_at=None, reason="", tries=0, next_at=now)
        .returning(Message.id)
    ).all()
    _note(session, "outbox_retried", code, len(ids), actor_id)
    return len(ids)


def hold(session: Session, code: str, *, actor_id: int | None) -> None:
    """Send nothing to a receiver until a person resumes it; messages wait. Raises `NoReceiver`."""
    _locked(session, code).paused_until = HELD
    _note(session, "receiver_paused", code, 0, actor_id)


def resume(session: Session, code: str, *, actor_id: int | None) -> None:
    """Let a receiver be sent to again, now. Raises `NoReceiver`."""
    _locked(session, code).paused_until = None
    _note(session, "receiver_resumed", code, 0, actor_id)


def give_up(
    session: Session, code: str, reason: str, *, actor_id: int | None, now: datetime
) -> int:
    """Give up what waits, with the reason; return how many messages. Raises `NoReceiver`."""
    _locked(session, code)
    ids = session.scalars(
        update(Message)
        .where(Message.receiver == code, Message.state == PENDING)
        .values(state=GIVEN_UP, ended_at=now, reason=reason.strip()[:200] or "by_hand")
        .returning(Message.id)
    ).all()
    _note(session, "outbox_given_up", code, len(ids), actor_id)
    return len(ids)


def _locked(session: Session, code: str) -> Receiver:
    found = session.get(Receiver, code, with_for_update=True)
    if found is None:
        raise NoReceiver(f"no receiver {code!r}")
    return found


def _note(session: Session, action: str, code: str, count: int, actor_id: int | None) -> None:
    audit.record(
        session, action, actor_id=actor_id, subject=f"receiver:{code}", detail={"count": count}
    )
