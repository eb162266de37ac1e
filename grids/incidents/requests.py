"""What a caller asks of a case: a report and a move, as frozen values with a stable hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids.incidents.errors import OtherBody, Withdrawn
from grids.incidents.models import Incident
from grids.requests import RequestKey

LONGEST_TEXT = 2000
LONGEST_LINE = 200
MOST_PHOTOS = 9


@dataclass(frozen=True)
class Contact:
    """How to reach a reporter; stored encrypted, never shown in a list."""

    name: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Report:
    """A problem as it is reported. The id is made by the client, so that it may try again."""

    id: UUID
    category: str  #: five digits
    lon: float
    lat: float
    kind: str = "matter"  #: matter or component: both number their categories alike
    text: str = ""
    address: str = ""
    urgency: str | None = None  #: None: as the category's limit says
    channel: str = "worker"
    photos: tuple[str, ...] = ()  #: sha256 of photos that were sent before
    device_at: datetime | None = None
    device: str = ""
    accuracy_m: float | None = None
    coord_source: str = "gnss"
    contact: Contact | None = None
    after: tuple[str, ...] = ()  #: photos of what the worker put right at once (自行处置)
    answers: Mapping[str, str] = field(default_factory=dict)  #: question of the category -> answer
    origin: Mapping[str, Any] = field(default_factory=dict)  #: the note or the news it comes from
    flags: Mapping[str, Any] = field(default_factory=dict)  #: that the case has from its first day


@dataclass(frozen=True)
class MoveRequest:
    """One step that somebody wants to take with a case."""

    id: UUID
    action: str
    device_at: datetime | None = None
    device: str = ""
    note: str = ""
    reason: str | None = None
    category: str | None = None
    kind: str = "matter"
    urgency: str | None = None
    department: str | None = None
    assisting: tuple[str, ...] = ()
    worker: int | None = None
    photos: tuple[str, ...] = ()
    lon: float | None = None
    lat: float | None = None
    main: UUID | None = None  #: the case to merge into
    until: datetime | None = None  #: new limit, planned day, day of review
    level: str | None = None  #: grid, village, town, county
    grade: str | None = None  #: of supervision
    outside: str = ""  #: a party without an account
    follows: UUID | None = None  #: the report or step this one was made after, on the device


#: Came after the first ids were kept: an id of before must have the same digest as then.
LATER = ("after", "answers", "origin", "flags", "main", "until", "level", "grade", "outside",
         "follows")  # fmt: skip


@dataclass(frozen=True)
class Done:
    """The answer to a write; `is_new` is false where the same request was answered before."""

    answer: dict[str, Any]
    is_new: bool


def body_hash(request: Report | MoveRequest, actor_id: int | None) -> bytes:
    """Digest what was sent and by whom, independent of the order of fields."""
    sent = vars(request)
    body = {name: value for name, value in sent.items() if value or name not in LATER}
    if isinstance(request, Report) and request.contact is not None:
        body["contact"] = asdict(request.contact)
    body["actor"] = actor_id
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).digest()


def earlier_answer(
    session: Session, key: UUID, digest: bytes, *, actor_id: int | None
) -> Done | None:
    """Return the answer that this id got before; None where it is new.

    Raises as `answer_of` does.
    """
    found = session.get(RequestKey, key)
    return answer_of(session, found, digest, actor_id=actor_id) if found else None


def answer_of(session: Session, found: RequestKey, digest: bytes, *, actor_id: int | None) -> Done:
    """Return the answer that was kept.

    Raises `OtherBody` where the id carried other content, and `Withdrawn` where it names a
    case that was voided. Only who reported the case is told its number: an id of somebody
    else's case must tell nothing of it.
    """
    case = session.execute(
        select(Incident.status, Incident.reporter_id).where(Incident.id == found.id)
    ).first()
    is_own = case is not None and case.reporter_id == actor_id
    if found.kind == "incident" and case is not None and case.status == "void":
        told = {"number": found.answer.get("number")} if is_own else {}
        raise Withdrawn("this report was withdrawn", **told)
    if found.body_hash != digest:
        copy = {"server": found.answer} if is_own else {}
        raise OtherBody("this id was used for other content", **copy)
    return Done(found.answer, is_new=False)


def keep_answer(
    session: Session, key: UUID, kind: str, digest: bytes, answer: dict[str, Any], *, now: datetime
) -> bool:
    """Keep the answer under the id; False where another request with this id came first.

    Waits for a request with the same id that is still running: of twenty at once one works,
    the others read its answer.
    """
    values = {
        "id": key,
        "kind": kind,
        "body_hash": digest,
        "status": 201,
        "answer": answer,
        "created_at": now,
    }
    statement = insert(RequestKey).values(values).on_conflict_do_nothing()
    return session.scalar(statement.returning(RequestKey.id)) is not None
