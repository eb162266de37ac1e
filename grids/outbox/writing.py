"""Write messages in the transaction of what they tell.

The database writes what an event tells (`outbox_follow`), asked by this listener in the flush
that stores the event: no service has to think of it, and a roll-back takes the messages too.
Bulk loads of history go past it: nobody is told of cases that are years old.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, event, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapper, Session

from grids.incidents.models import IncidentEvent
from grids.outbox.models import Message

_FOLLOW = text(
    "SELECT outbox_follow(:case, :event, :seq, :action, :status, :reason, :at)"
)  # fmt: skip
#: Steps inside the house: nobody outside is told of them.
QUIET: Final = frozenset({"submit", "comment", "handle", "undo", "ask_void", "expedite"})


@event.listens_for(IncidentEvent, "after_insert")
def _follow(_mapper: Mapper[IncidentEvent], connection: Connection, target: IncidentEvent) -> None:
    if target.action in QUIET:
        return
    connection.execute(
        _FOLLOW,
        {
            "case": target.incident_id,
            "event": target.id,
            "seq": target.seq,
            "action": target.action,
            "status": target.to_status,
            "reason": target.reason,
            "at": target.recorded_at,
        },
    )


def write(
    session: Session,
    receiver: str,
    kind: str,
    *,
    key: str,
    now: datetime,
    incident_id: UUID | None = None,
    contact: UUID | None = None,
    body: dict[str, Any] | None = None,
    message_id: UUID | None = None,
) -> bool:
    """Write one message; the same key again is the same message. Say whether it is new."""
    values: dict[str, Any] = {
        "key": key,
        "receiver": receiver,
        "kind": kind,
        "incident_id": incident_id,
        "contact": contact,
        "body": body or {},
        "created_at": now,
        "next_at": now,
    }
    if message_id is not None:
        values["id"] = message_id
    statement = insert(Message).values(values).on_conflict_do_nothing(index_elements=["key"])
    return session.scalar(statement.returning(Message.id)) is not None
