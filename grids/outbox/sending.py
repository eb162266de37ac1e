"""Send one message: claimed, sent and noted in three steps, no transaction open meanwhile.

A transaction that waits for another server would hold the sealer back (it orders events below
the oldest one that runs), so a claim is a lease: who dies after it leaves a message that is
sent again when the lease ends, with the same key. The receiver tells the second from the first
by that key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Engine, case, select, text, update
from sqlalchemy.orm import Session

from grids.channels.alarms import clear, raise_alarm
from grids.channels.letter_models import Letter, LetterAnswer
from grids.channels.models import SystemCase
from grids.channels.numbers import public_number
from grids.codes import Category
from grids.incidents.lifecycle import STATES
from grids.incidents.models import Incident, IncidentReporter
from grids.outbox.models import CANCELLED, GIVEN_UP, HELD, PENDING, SENT, Message, Receiver
from grids.outbox.outside import Mail, Outside

LEASE: Final = timedelta(seconds=30)
FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 3600.0
#: This many failures in a row are told to the shift leader.
FAILURES_TOLD: Final = 3
LONGEST_ERROR: Final = 200

Outcome = Literal["sent", "failed", "given_up", "cancelled"]

# People are told the newest state only. A system gets every state, each case in its order.
_SUPERSEDED = text("""
    UPDATE outbox_message AS m
    SET state = 'cancelled', reason = 'superseded', ended_at = :now
    WHERE m.receiver = :receiver AND m.state = 'pending' AND m.contact IS NOT NULL
      AND m.seq IS NOT NULL AND EXISTS (
        SELECT FROM outbox_message AS later
        WHERE later.receiver = m.receiver AND later.contact = m.contact
          AND later.incident_id = m.incident_id AND later.seq > m.seq AND later.state = 'pending')
""")
_CLAIM = text("""
    UPDATE outbox_message SET tries = tries + 1, next_at = :until WHERE id = (
      SELECT m.id FROM outbox_message AS m
      WHERE m.receiver = :receiver AND m.state = 'pending' AND m.next_at <= :now
        AND NOT EXISTS (
          SELECT FROM outbox_message AS e
          WHERE e.incident_id = m.incident_id AND e.receiver = m.receiver AND e.state = 'pending'
            AND e.seq < m.seq AND e.contact IS NOT DISTINCT FROM m.contact)
      ORDER BY m.next_at, m.created_at, m.seq LIMIT 1 FOR UPDATE OF m SKIP LOCKED
    ) RETURNING id
""")


class Refused(Exception):
    """The receiver answered, and not with yes. `is_final`: asking again makes no sense."""

    def __init__(self, why: str, *, is_final: bool = False, is_down: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final
        self.is_down = is_down


@dataclass(frozen=True)
class Letterhead:
    """What is sent, made ready while the database was open."""

    id: UUID
    kind: str
    door: str
    path: str
    tries: int
    most_tries: int
    content: bytes = b""
    headers: Mapping[str, str] | None = None
    mail: Mail | None = None


def deliver_one(
    engine: Engine, receiver: str, outside: Outside, *, now: datetime, lease: timedelta = LEASE
) -> Outcome | None:
    """Send the next message that is due for a receiver; None where there is none."""
    with Session(engine) as session, session.begin():
        ready = _claim(session, receiver, outside, now, lease)
    if ready is None or isinstance(ready, str):
        return ready
    try:
        answer = _send(ready, outside)
    except Refused as refused:
        with Session(engine) as session, session.begin():
            return _failed(session, receiver, ready, refused, datetime.now(UTC))
    except Exception as error:
        down = Refused(f"{type(error).__name__}: {error}", is_down=True)
        with Session(engine) as session, session.begin():
            return _failed(session, receiver, ready, down, datetime.now(UTC))
    with Session(engine) as session, session.begin():
        _sent(session, receiver, ready, answer, datetime.now(UTC))
    return "sent"


def _claim(
    session: Session, code: str, outside: Outside, now: datetime, lease: timedelta
) -> Letterhead | Literal["cancelled"] | None:
    receiver = session.get(Receiver, code)
    if receiver is None or not receiver.is_active:
        return None
    if receiver.paused_until is not None and receiver.paused_until > now:
        return None
    if receiver.kind != "webhook":
        session.execute(_SUPERSEDED, {"receiver": code, "now": now})
    claimed = session.scalar(_CLAIM, {"receiver": code, "now": now, "until": now + lease})
    if claimed is None:
        return None
    message = session.get_one(Message, claimed)
    try:
        return _ready(session, receiver, message, outside, now)
    except LookupError as nobody:
        # What a message was for is gone: its contact was erased on request, or the case voided.
        message.state, message.reason, message.ended_at = CANCELLED, str(nobody.args[0]), now
        return "cancelled"


def _ready(
    session: Session, receiver: Receiver, message: Message, outside: Outside, now: datetime
) -> Letterhead:
    facts = _facts(session, message, outside)
    head: dict[str, Any] = {
        "id": message.id,
        "kind": message.kind,
        "door": receiver.door,
        "path": receiver.path,
        "tries": message.tries,
        "most_tries": receiver.most_tries,
    }
    if receiver.kind == "mail":
        return Letterhead(**head, mail=_mail(session, message, facts, outside))
    if receiver.kind == "sms":
        body = {"to": _phone(session, message, outside), "text": outside.words(message.kind, facts)}
    else:
        body = {"kind": message.kind, **facts}
    content = json.dumps({"id": str(message.id), **body}, ensure_ascii=False, default=str).encode()
    secret = ""
    if receiver.secret_sealed:
        secret = outside.vault.open(
            "outbox_receiver", receiver.code, "secret_sealed", receiver.secret_sealed
        )
    return Letterhead(
        **head, content=content, headers=signed_headers(message.id, content, secret, now)
    )


def signed_headers(message_id: UUID, content: bytes, secret: str, at: datetime) -> dict[str, str]:
    """Return the headers of a webhook: its key, and a signature over time and body."""
    stamp = str(int(at.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": str(message_id),
        "X-Wangge-Timestamp": stamp,
    }
    if secret:
        digest = hmac.new(secret.encode(), f"{stamp}.".encode() + content, hashlib.sha256)
        headers["X-Wangge-Signature"] = f"v1={digest.hexdigest()}"
    return headers


def _facts(session: Session, message: Message, outside: Outside) -> dict[str, Any]:
    """Return what a message tells: the case's number and state, never a person."""
    facts = dict(message.body)
    if message.incident_id is None:
        return facts
    found = session.execute(
        select(Incident.number, Incident.status, Category.name_zh, Category.name_en)
        .join(Category, Category.id == Incident.category_id)
        .where(Incident.id == message.incident_id)
    ).one()
    told = facts.get("status", found.status)
    return {
        "number": found.number,
        "public_number": public_number(found.number, outside.hotline),
        "category_zh": found.name_zh,
        "category_en": found.name_en,
        **facts,
        "state": STATES[told].public if told in STATES else "in_progress",
    }


def _phone(session: Session, message: Message, outside: Outside) -> str:
    row = session.get(IncidentReporter, message.contact)
    if row is None or row.phone_sealed is None:
        raise LookupError("no_contact")
    return outside.vault.open("incident_reporter", row.id, "phone_sealed", row.phone_sealed)


def _mail(session: Session, message: Message, facts: Mapping[str, Any], outside: Outside) -> Mail:
    """Write the e-mail: a person's answer to a letter, or what became of its case."""
    answer = session.get(LetterAnswer, message.contact)
    letter = session.get(Letter, answer.letter_id if answer else message.contact)
    if letter is None or letter.sender_sealed is None:
        raise LookupError("no_contact")

    def opened(name: str) -> str:
        sealed = getattr(letter, name)
        return outside.vault.open("letter", letter.id, name, sealed) if sealed else ""

    words = outside.words(message.kind, facts)
    if answer is not None and answer.text_sealed is not None:
        words = outside.vault.open("letter_answer", answer.id, "text_sealed", answer.text_sealed)
    return Mail(
        id=message.id,
        to=opened("sender_sealed"),
        subject=one_line(f"Re: {opened('subject_sealed')}"),
        text=words,
        in_reply_to=one_line(opened("message_id_sealed")),
        is_automatic=answer is None,
    )


def one_line(text_: str) -> str:
    """Take line breaks out of a header's value."""
    return " ".join(text_.split())[:200]


def _send(ready: Letterhead, outside: Outside) -> bytes:
    if ready.mail is not None:
        if outside.mail is None:
            raise Refused("no mail server is connected", is_down=True)
        outside.mail(ready.mail)
        return b""
    answer = outside.post(ready.door, ready.path, ready.content, ready.headers or {})
    if 200 <= answer.status < 300:
        return answer.body
    raise Refused(
        f"HTTP {answer.status}",
        is_final=answer.status == 410,
        is_down=answer.status >= 500 or answer.status in (408, 425, 429),
    )


def _sent(session: Session, code: str, ready: Letterhead, answer: bytes, now: datetime) -> None:
    done = session.execute(
        update(Message)
        .where(Message.id == ready.id, Message.state == PENDING)
        .values(state=SENT, ended_at=now, last_error="", receipt=_receipt(answer))
        .returning(Message.body)
    ).scalar_one_or_none()
    session.execute(
        update(Receiver)
        .where(Receiver.code == code)
        .values(
            sent_at=now,
            failures=0,
            failing_since=None,
            paused_until=case((Receiver.paused_until == HELD, HELD), else_=None),
            last_error="",
        )
    )
    clear(session, "receiver", now=now, subject=code)
    if ready.kind == "transfer" and done is not None and (receipt := _receipt(answer)):
        session.execute(
            update(SystemCase)
            .where(SystemCase.id == UUID(done["channel_case"]), SystemCase.ack_at.is_(None))
            .values(ack_at=now, state="acknowledged", sender_id=receipt)
        )


def _receipt(answer: bytes) -> str:
    """Read the number under which a receiver keeps a case; empty where it gave none."""
    try:
        found = json.loads(answer[:4096] or b"{}")
        return str(found["receipt"])[:100]
    except (ValueError, KeyError, TypeError):
        return ""


def _failed(session: Session, code: str, ready: Letterhead, why: Refused, now: datetime) -> Outcome:
    error = one_line(str(why))[:LONGEST_ERROR]
    receiver = session.get_one(Receiver, code, with_for_update=True)
    receiver.last_error = error
    receiver.failing_since = receiver.failing_since or now
    receiver.failures += 1
    if why.is_down and receiver.paused_until != HELD:
        receiver.paused_until = now + pause(receiver.failures)
    if receiver.failures >= FAILURES_TOLD:
        raise_alarm(
            session,
            "receiver",
            code,
            now=now,
            detail={"failures": receiver.failures, "error": error},
        )
    message = session.get_one(Message, ready.id, with_for_update=True)
    if message.state != PENDING:
        return "failed"
    message.last_error = error
    if why.is_final or ready.tries >= ready.most_tries:
        message.state, message.ended_at = GIVEN_UP, now
        message.reason = "gone" if why.is_final else "tries"
        raise_alarm(
            session, "given_up", code, now=now, incident_id=message.incident_id,
            detail={"error": error},
        )  # fmt: skip
        return "given_up"
    message.next_at = now + pause(ready.tries)
    return "failed"


def pause(failures: int) -> timedelta:
    """Return how long to wait after so many failures: doubled each time, with jitter.

    Jitter keeps a hundred messages that failed together from coming back together.
    """
    longest = min(FIRST_PAUSE_S * 2 ** min(failures - 1, 20), LONGEST_PAUSE_S)
    return timedelta(seconds=longest * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
