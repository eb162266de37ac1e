"""Holding a step, taking it when the one before it arrives, judging it when the limit is over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gis.errors import GisError
from grids.accounts import Account, Actor, actor_of
from grids.errors import GridsError
from grids.incidents.errors import FollowsMissing, NotYourMove, OtherBody, TooManyHeld
from grids.incidents.held.models import HeldMove
from grids.incidents.requests import Done, MoveRequest, body_hash
from grids.requests import RequestKey

#: A phone sends its queue in order: a gap is one item that is stuck (a photo on a weak
#: network) or was refused. A day covers the shift and the night; what is older would change
#: a case behind the backs of those who went on with it.
HOLD: Final = timedelta(days=1)
#: How long the sender can look up what became of it.
KEPT: Final = timedelta(days=30)
#: No queue of one person is longer.
MOST: Final = 100
#: Taken in one look of the worker.
BATCH: Final = 200

#: Takes a step as if it had just come: the service's own.
Take = Callable[[Session, UUID, MoveRequest, Actor, datetime], Done]


def kept(
    session: Session, incident_id: UUID, wanted: MoveRequest, actor: Actor, *, now: datetime
) -> Done | None:
    """Hold a step whose predecessor has not arrived; None where it can be judged now.

    The answer says `held`. Whether the case exists is not asked, so that the answer tells
    nothing of it. Raises `OtherBody`, `TooManyHeld`, and `FollowsMissing` for one that was
    held and refused.
    """
    if wanted.follows is None:
        return None
    digest = body_hash(wanted, actor.account_id)
    found = _by_id(session, wanted.id, actor)
    if found is not None:
        return _again(found, digest)
    if _is_known(session, wanted.follows, actor):
        return None
    if session.get(RequestKey, wanted.id) is not None:
        return None
    _require_room(session, actor)
    sent = {name: value for name, value in dataclasses.asdict(wanted).items() if value}
    values = {
        "id": wanted.id, "incident_id": incident_id, "follows": wanted.follows,
        "account_id": actor.account_id, "action": wanted.action, "sent": _plain(sent),
        "photos": list(wanted.photos), "digest": digest, "held_at": now, "until": now + HOLD,
    }  # fmt: skip
    made = session.scalar(
        insert(HeldMove).values(values).on_conflict_do_nothing().returning(HeldMove.id)
    )
    found = _by_id(session, wanted.id, actor)
    if found is None:  # the id is that of a step of somebody else
        raise OtherBody("this id was used for other content")
    if made is None:
        return _again(found, digest)
    return Done(answer_of(found), is_new=True)


def release(session: Session, key: UUID, actor: Actor, take: Take, *, now: datetime) -> int:
    """Take what waited for a report or step that is there now, and what waited for that.

    Only of the same person: what somebody else's queue waits for, the worker finds. Returns
    how many were settled. Each is all or nothing by itself.
    """
    done, keys = 0, [key]
    while keys:
        followers = session.scalars(
            select(HeldMove)
            .where(
                HeldMove.follows == keys.pop(),
                HeldMove.state == "waiting",
                HeldMove.account_id == actor.account_id,
            )
            .order_by(HeldMove.held_at, HeldMove.id)
            .with_for_update(skip_locked=True)
        ).all()
        for row in followers:
            _settle(session, row, actor, take, now)
            keys.append(row.id)
            done += 1
    return done


def settle_due(session: Session, take: Take, *, now: datetime) -> int:
    """Judge what waited long enough, and what missed the arrival; return how many.

    For the worker: two transactions that cross (one holds while the other arrives) see
    nothing of each other, and this look finds them.
    """
    is_there = exists(select(RequestKey.id).where(RequestKey.id == HeldMove.follows))
    found = session.scalars(
        select(HeldMove)
        .where(HeldMove.state == "waiting", or_(HeldMove.until <= now, is_there))
        .order_by(HeldMove.held_at, HeldMove.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    done = 0
    for row in found:
        if row.state != "waiting":  # taken with the one before it
            continue
        actor = _sender(session, row, now)
        if actor is None:
            _note(session, row, "refused", now, NotYourMove.code)
            done += 1
            continue
        _settle(session, row, actor, take, now)
        done += 1 + release(session, row.id, actor, take, now=now)
    return done


def held_by(session: Session, actor: Actor, *, now: datetime) -> Sequence[HeldMove]:
    """Return what waits of somebody, and what was refused lately, the newest first."""
    return session.scalars(
        select(HeldMove)
        .where(
            HeldMove.account_id == actor.account_id,
            HeldMove.state != "taken",
            HeldMove.held_at > now - KEPT,
        )
        .order_by(HeldMove.held_at.desc(), HeldMove.id)
        .limit(MOST)
    ).all()


def forget(session: Session, *, now: datetime) -> int:
    """Remove what was settled long ago; return how many."""
    gone = session.execute(
        delete(HeldMove)
        .where(HeldMove.state != "waiting", HeldMove.settled_at < now - KEPT)
        .returning(HeldMove.id)
    )
    return len(gone.all())


def answer_of(row: HeldMove) -> dict[str, Any]:
    """Return what the sender is told of a step that waits."""
    return {
        "incident": str(row.incident_id),
        "held": True,
        "follows": str(row.follows),
        "until": row.until.isoformat(),
    }


def _again(row: HeldMove, digest: bytes) -> Done | None:
    """Answer a step that was held before: it waits, was refused, or has its own answer."""
    if row.digest != digest:
        raise OtherBody("this id was used for other content")
    if row.state == "refused":
        raise FollowsMissing(
            "what this step follows did not arrive, and without it the case does not allow it",
            action=row.action, refused=row.code,
        )  # fmt: skip
    return Done(answer_of(row), is_new=False) if row.state == "waiting" else None


def _settle(session: Session, row: HeldMove, actor: Actor, take: Take, now: datetime) -> None:
    """Take a held step, or note why the case refuses it: what it wrote is undone by itself."""
    wanted = request_of(row)
    try:
        with session.begin_nested():
            take(session, row.incident_id, wanted, actor, now)
    except (GridsError, GisError) as refused:
        _note(session, row, "refused", now, refused.code)
    else:
        _note(session, row, "taken", now, None)


def request_of(row: HeldMove) -> MoveRequest:
    """Read a held request back; it digests as it did when it was sent."""
    values = dict(row.sent)
    for name in ("id", "main", "follows"):
        if name in values:
            values[name] = UUID(values[name])
    for name in ("device_at", "until"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    for name in ("photos", "assisting"):
        values[name] = tuple(values.get(name, ()))
    return MoveRequest(**values)


def _note(session: Session, row: HeldMove, state: str, now: datetime, code: str | None) -> None:
    row.state, row.settled_at, row.code = state, now, code
    session.flush()


def _is_known(session: Session, key: UUID, actor: Actor) -> bool:
    """Say whether a report or step was answered, or is one of the own that was refused."""
    if session.get(RequestKey, key) is not None:
        return True
    before = _by_id(session, key, actor)
    return before is not None and before.state != "waiting"


def _by_id(session: Session, key: UUID, actor: Actor) -> HeldMove | None:
    found: HeldMove | None = session.scalar(
        select(HeldMove).where(HeldMove.id == key, HeldMove.account_id == actor.account_id)
    )
    return found


def _require_room(session: Session, actor: Actor) -> None:
    waiting = session.scalar(
        select(func.count())
        .select_from(HeldMove)
        .where(HeldMove.account_id == actor.account_id, HeldMove.state == "waiting")
    )
    if (waiting or 0) >= MOST:
        raise TooManyHeld(f"{MOST} steps wait already", most=MOST)


def _sender(session: Session, row: HeldMove, now: datetime) -> Actor | None:
    account = session.get(Account, row.account_id)
    return actor_of(account, now) if account is not None and account.is_active else None


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Write ids and instants as text, for JSON."""
    return {
        name: str(value) if isinstance(value, UUID)
        else value.isoformat() if isinstance(value, datetime)
        else list(value) if isinstance(value, tuple)
        else value
        for name, value in values.items()
    }  # fmt: skip
