"""The same id with the same content gets the same answer again, however often it is sent."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids.flows.errors import OtherContent
from grids.requests import RequestKey


@dataclass(frozen=True)
class Answer:
    """The answer to a write; `is_new` is false where the same request was answered before."""

    body: dict[str, Any]
    is_new: bool


def digest_of(*content: Any, actor_id: int | None) -> bytes:
    """Digest what was sent and by whom, independent of the order of names."""
    text = json.dumps([*content, actor_id], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).digest()


def earlier(session: Session, key: UUID, digest: bytes) -> Answer | None:
    """Return the answer that this id got before. Raises `OtherContent`; tells nothing of it."""
    found = session.get(RequestKey, key)
    if found is None:
        return None
    if found.body_hash != digest:
        raise OtherContent("this id was used for other content")
    return Answer(found.answer, is_new=False)


def keep(
    session: Session, key: UUID, kind: str, digest: bytes, body: dict[str, Any], now: datetime
) -> Answer | None:
    """Keep the answer under the id; return the earlier one where another request came first.

    Waits for a request with the same id that is still running: of twenty at once one works.
    """
    row = {"id": key, "kind": kind, "body_hash": digest, "status": 201, "answer": body,
           "created_at": now}  # fmt: skip
    done = session.scalar(
        insert(RequestKey).values(row).on_conflict_do_nothing().returning(RequestKey.id)
    )
    return earlier(session, key, digest) if done is None else None
