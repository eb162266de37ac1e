"""Hand-over by link: an outside party reads one task and answers it, without an account.

The secret has 160 bits, is derived from the id of the link with a key of the server and stored
as a hash only. It opens one case, while that case waits with the party, and nothing of the
reporter. Commits nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.channels.link_models import HandOver
from grids.codes import Category
from grids.errors import Conflict, Invalid, NotFound
from grids.incidents import service
from grids.incidents.detail import CaseDetail, Photo, detail, photos_of
from grids.incidents.models import Incident
from grids.incidents.requests import MoveRequest
from grids.incidents.roles import SYSTEM
from grids.limits import count_use
from grids.secrets import Vault, token_hash

SECRET_BYTES: Final = 20
#: An answer that comes after the promised day is better than none.
GRACE: Final = timedelta(days=7)
LONGEST_TASK: Final = 2000
SHORTEST_TASK: Final = 4
#: Tries of one source in an hour, right and wrong ones; and openings of one link.
MOST_TRIES: Final = 120
MOST_MADE: Final = 60  #: links that one account makes in an hour

_OPEN = text("SELECT hand_over_opened(:hash, :at)")


class NoLink(NotFound):
    """There is no such link, it is over, or the case went on without it."""

    code = "link.none"


class NotHandedOver(Conflict):
    """The case waits with no outside party, or somebody else has to act on it."""

    code = "link.not_handed_over"


class BadTask(Invalid):
    """The party needs to read what is to be done."""

    code = "link.task"


class LinkUsed(Conflict):
    """The id was used for a link of another case, or with another task."""

    code = "link.other_body"


@dataclass(frozen=True)
class Order:
    """What a member of staff puts behind a link."""

    id: UUID  #: made by the client
    task: str
    photos: tuple[int, ...] = ()  #: attachments of the case


@dataclass(frozen=True)
class Task:
    """What the party sees: the task, the place, the day; no reporter, no history, no person."""

    link: HandOver
    number: str
    category: Category
    address: str
    lon: float
    lat: float
    due_at: datetime | None
    photos: tuple[Photo, ...]


def secret_of(vault: Vault, link_id: UUID) -> str:
    """Return the secret of a link: 32 letters and digits."""
    return base64.b32encode(vault.code("hand-over link", str(link_id))[:SECRET_BYTES]).decode()


def may_link(found: CaseDetail) -> bool:
    """Say whether the caller answers for a case that is handed over: who may take it back."""
    return any(move.action == "take_back" for move in found.moves)


def links_of(session: Session, actor: Actor, incident_id: UUID) -> Sequence[HandOver]:
    """Return the links of a case in the actor's scope, the newest first."""
    seen = select(Incident.id).where(scope.condition(actor, Incident), Incident.id == incident_id)
    return session.scalars(
        select(HandOver)
        .where(HandOver.incident_id.in_(seen))
        .order_by(HandOver.created_at.desc(), HandOver.id)
        .limit(20)
    ).all()


def is_live(link: HandOver, case: CaseDetail, now: datetime) -> bool:
    """Say whether the secret of a link still opens the task."""
    told = case.row.flags.get("outside", {})
    return (
        link.revoked_at is None
        and link.answered_at is None
        and link.expires_at > now
        and case.row.status == "outside"
        and told.get("seq") == link.seq
    )


def make(
    session: Session,
    actor: Actor,
    vault: Vault,
    incident_id: UUID,
    order: Order,
    *,
    now: datetime,
    source_ip: str = "",
) -> HandOver:
    """Make the link of a hand-over; an older one of the same case ends with it.

    The same id with the same task is the same link. Raises `NoIncident`, `NotHandedOver`,
    `BadTask`, `LinkUsed`, `TooMany`.
    """
    found = detail(session, actor, incident_id, now=now)
    earlier = session.get(HandOver, order.id)
    if earlier is not None:
        if earlier.incident_id != incident_id or earlier.task != order.task.strip():
            raise LinkUsed("this id was used for something else")
        return earlier
    if not may_link(found):
        raise NotHandedOver("the case waits with no outside party of yours")
    task = order.task.strip()
    if not SHORTEST_TASK <= len(task) <= LONGEST_TASK:
        raise BadTask("say what is to be done", field="task", most=LONGEST_TASK)
    count_use(session, f"link_made:{actor.account_id}", most=MOST_MADE, now=now)
    for link in links_of(session, actor, incident_id):
        _revoke(link, actor, now)
    told = found.row.flags["outside"]
    until = datetime.fromisoformat(told["until"])
    shown = {photo.id for photo in found.photos}
    link = HandOver(
        id=order.id,
        incident_id=incident_id,
        seq=told["seq"],
        party=told.get("outside", ""),
        task=task,
        photos=[photo for photo in order.photos if photo in shown],
        token_hash=token_hash(secret_of(vault, order.id)),
        created_by=actor.account_id,
        created_at=now,
        expires_at=max(until, now) + GRACE,
    )
    session.add(link)
    session.flush()
    _record(session, "link_made", link, actor, source_ip)
    return link


def revoke(
    session: Session, actor: Actor, incident_id: UUID, *, now: datetime, source_ip: str = ""
) -> int:
    """End the links of a case; return how many were open. Raises `NoIncident`, `NotHandedOver`."""
    if not may_link(detail(session, actor, incident_id, now=now)):
        raise NotHandedOver("the case waits with no outside party of yours")
    ended = [link for link in links_of(session, actor, incident_id) if _revoke(link, actor, now)]
    for link in ended:
        _record(session, "link_revoked", link, actor, source_ip)
    return len(ended)


def _revoke(link: HandOver, actor: Actor, now: datetime) -> bool:
    if link.revoked_at is not None or link.answered_at is not None:
        return False
    link.revoked_at, link.revoked_by = now, actor.account_id
    return True


def opened(session: Session, secret: str, *, now: datetime) -> HandOver:
    """Return the link of a secret and open its case to this transaction. Raises `NoLink`."""
    found: UUID | None = session.scalar(_OPEN, {"hash": token_hash(secret.upper()), "at": now})
    if found is None:
        raise NoLink("no such link")
    return session.get_one(HandOver, found)


def count_try(session: Session, source: str, *, now: datetime) -> None:
    """Count that a source asked for a link, there or not. Raises `TooMany`."""
    count_use(session, f"link:{source}", most=MOST_TRIES, now=now)


def read(session: Session, link: HandOver, *, now: datetime, source_ip: str = "") -> Task:
    """Return what the party sees, and keep that it was seen."""
    found = session.execute(
        select(
            Incident.number, Incident.address, Incident.flags,
            func.ST_X(Incident.geom).label("lon"), func.ST_Y(Incident.geom).label("lat"),
            Category,
        )
        .join(Category, Category.id == Incident.category_id)
        .where(Incident.id == link.incident_id)
    ).one()  # fmt: skip
    link.opened_count += 1
    link.opened_at = now
    _record(session, "link_opened", link, None, source_ip)
    until = found.flags.get("outside", {}).get("until")
    return Task(
        link=link,
        number=found.number,
        category=found.Category,
        address=found.address,
        lon=found.lon,
        lat=found.lat,
        due_at=datetime.fromisoformat(until) if until else None,
        photos=shared_photos(session, link),
    )


def shared_photos(session: Session, link: HandOver) -> tuple[Photo, ...]:
    """Return the photos that were put behind a link."""
    return tuple(photo for photo in photos_of(session, link.incident_id) if photo.id in link.photos)


def answer(
    session: Session,
    link: HandOver,
    *,
    reply_id: UUID,
    note: str,
    photos: tuple[str, ...],
    now: datetime,
    source_ip: str = "",
) -> None:
    """Keep what the party answers: one event of the case, taken by the platform for it.

    The link ends with it; the same answer sent again changes nothing. Raises as `service.move`.
    """
    wanted = MoveRequest(
        id=reply_id, action="outside_replied", note=note.strip(), photos=photos,
        outside=link.party,
    )  # fmt: skip
    if link.answered_at is not None:
        return
    service.move(session, link.incident_id, wanted, SYSTEM, now=now)
    link.answered_at = now
    session.flush()
    _record(session, "link_answered", link, None, source_ip)


def _record(
    session: Session, action: str, link: HandOver, actor: Actor | None, source_ip: str
) -> None:
    audit.record(
        session,
        action,
        actor_id=actor.account_id if actor else None,
        subject=f"incident:{link.incident_id}",
        source_ip=source_ip,
        detail={"link": str(link.id)},
    )
