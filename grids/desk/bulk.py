"""One step for many cases: tried before, taken one by one, taken back together.

Each case gets a request id of its own, made from that of the whole, so that a request whose
answer was lost goes on where it broke off when it is sent again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.errors import GisError
from grids import scope
from grids.accounts import Actor
from grids.errors import Conflict, GridsError, Invalid, NotFound
from grids.incidents import service
from grids.incidents.models import Incident
from grids.incidents.requests import MoveRequest, keep_answer
from grids.requests import RequestKey

MOST: Final = 200
#: A step may be taken back this long by who took it, where nobody acted since.
UNDO_LASTS: Final = timedelta(seconds=30)


class TooManyCases(Invalid):
    """A step for many cases names none, or more than can be looked over."""

    code = "desk.too_many_cases"


class UsedToken(Conflict):
    """The id of a step for many cases was used for something else."""

    code = "desk.used_id"


class NothingToUndo(NotFound):
    """There is no such step of the caller, or the time to take it back is over."""

    code = "desk.nothing_to_undo"


@dataclass(frozen=True)
class Outcome:
    """What became of one case: its new event, or why the step was refused."""

    incident_id: UUID
    number: str | None = None
    seq: int | None = None
    status: str | None = None
    error: GridsError | GisError | None = None


def check_ids(ids: Sequence[UUID]) -> list[UUID]:
    """Return each id once, in order. Raises `TooManyCases` for none and for more than 200."""
    once = list(dict.fromkeys(ids))
    if not 1 <= len(once) <= MOST:
        raise TooManyCases(f"1 to {MOST} cases at once", field="ids", most=MOST)
    return once


def own_id(request_id: UUID, incident_id: UUID) -> UUID:
    """Make the request id of one case from that of the whole: the same at every resend."""
    return uuid5(request_id, str(incident_id))


def tried(
    session: Session, actor: Actor, incident_id: UUID, wanted: MoveRequest, *, now: datetime
) -> Outcome:
    """Take a step and give it back at once: the preview cannot differ from what would happen."""
    number = numbers_of(session, actor, [incident_id]).get(incident_id)
    point = session.begin_nested()
    try:
        done = service.move(session, incident_id, replace(wanted, id=uuid4()), actor, now=now)
        return Outcome(incident_id, number, done.answer["seq"], done.answer["status"])
    except (GridsError, GisError) as error:
        return Outcome(incident_id, number, error=error)
    finally:
        point.rollback()
        session.expire_all()


def stepped(
    session: Session, actor: Actor, incident_id: UUID, wanted: MoveRequest, *, now: datetime
) -> Outcome:
    """Take the step of one case, in the caller's transaction; the errors of `service.move`."""
    one = replace(wanted, id=own_id(wanted.id, incident_id))
    done = service.move(session, incident_id, one, actor, now=now)
    return Outcome(incident_id, None, done.answer["seq"], done.answer["status"])


def numbers_of(session: Session, actor: Actor, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the numbers of those cases that lie in the actor's scope."""
    rows = session.execute(
        select(Incident.id, Incident.number).where(
            scope.condition(actor, Incident), Incident.id.in_(ids)
        )
    )
    return {row.id: row.number for row in rows}


def answered_before(
    session: Session, actor: Actor, request_id: UUID, ids: Sequence[UUID], wanted: MoveRequest
) -> dict[str, Any] | None:
    """Return the answer that the whole request got before. Raises `UsedToken`."""
    kept = session.get(RequestKey, request_id)
    if kept is None:
        return None
    if kept.kind != "bulk" or kept.body_hash != _digest(actor, ids, wanted):
        raise UsedToken("this id was used for other content")
    return kept.answer


def keep(
    session: Session,
    actor: Actor,
    ids: Sequence[UUID],
    wanted: MoveRequest,
    answer: dict[str, Any],
    *,
    now: datetime,
) -> None:
    """Keep the answer under the request's id: for a resend, and as the token of the undo."""
    keep_answer(session, wanted.id, "bulk", _digest(actor, ids, wanted), answer, now=now)


def steps_of(session: Session, actor: Actor, token: UUID) -> list[tuple[UUID, int]]:
    """Return what a step for many cases did: case and event of each. Raises `NothingToUndo`."""
    kept = session.get(RequestKey, token)
    if kept is None or kept.kind != "bulk" or kept.answer.get("actor") != actor.account_id:
        raise NothingToUndo("there is no such step of yours")
    return [(UUID(item["id"]), item["seq"]) for item in kept.answer["done"]]


def undone(
    session: Session, actor: Actor, request_id: UUID, step: tuple[UUID, int], *, now: datetime
) -> Outcome:
    """Take back the last step of one case, in the caller's transaction.

    Raises `NothingToUndo` where somebody acted since, and what `service.move` refuses.
    """
    incident_id, seq = step
    wanted = MoveRequest(id=own_id(request_id, incident_id), action="undo")
    last = session.scalar(
        select(Incident.event_count).where(
            scope.condition(actor, Incident), Incident.id == incident_id
        )
    )
    was_undone = session.get(RequestKey, wanted.id) is not None
    if last is None or (last != seq and not was_undone):
        raise NothingToUndo("somebody acted on this case since")
    done = service.move(session, incident_id, wanted, actor, now=now)
    return Outcome(incident_id, None, done.answer["seq"], done.answer["status"])


def _digest(actor: Actor, ids: Sequence[UUID], wanted: MoveRequest) -> bytes:
    body = [actor.account_id, [str(one) for one in ids], repr(wanted)]
    return hashlib.sha256(json.dumps(body).encode()).digest()
