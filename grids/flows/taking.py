"""The two writes of every kind: opening a record and taking a step. Neither commits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.city import the_city
from grids.errors import Conflict
from grids.flows import once, rules
from grids.flows.errors import NoRecord, NotYourStep, OtherContent, UnknownPhoto
from grids.flows.limits import Term, deadline
from grids.flows.once import Answer
from grids.flows.table import SYSTEM, Flow, Step
from grids.flows.values import read_all
from grids.incidents.clocks import Calendar
from grids.incidents.clockwork import calendar
from grids.incidents.models import Blob

MOST_PHOTOS = 9


@dataclass(frozen=True)
class Setting:
    """What a kind may look at when it says how long a clock runs."""

    row: Any  #: None while the record is opened
    columns: Mapping[str, Any]  #: what the step writes
    values: Mapping[str, Any]
    now: datetime
    calendar: Calendar


@dataclass(frozen=True)
class Kind:
    """A kind of record: its table of steps, its tables, its clocks.

    `own_limits` answers for clocks whose end follows from what was typed; None leaves it to
    `terms`.
    """

    flow: Flow
    row: type[Any]
    event: type[Any]
    photo: type[Any]
    parent: str  #: column of events and photos that names the record
    terms: Mapping[str, Term]
    own_limits: Callable[[str, Setting], datetime | None] = lambda _clock, _setting: None


@dataclass(frozen=True)
class StepRequest:
    """One step that somebody wants to take; the id is made by the client."""

    id: UUID
    action: str
    values: Mapping[str, Any] = field(default_factory=dict)
    photos: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What came of it; without `event` the same request was answered before."""

    answer: Answer
    row: Any = None
    event: Any = None
    values: Mapping[str, Any] = field(default_factory=dict)


def begin(
    session: Session, kind: Kind, wanted: StepRequest, actor: Actor, *, area_code: str,
    number: Callable[[], str], more: Mapping[str, Any], extra: Mapping[str, Any], now: datetime,
) -> Taken:  # fmt: skip
    """Open a record under the id of the request.

    `more` are columns that the events keep, `extra` columns that only the row has. Raises
    `NotYourStep`, `MissingValue`, `BadValue`, `UnknownPhoto` and `OtherContent`.
    """
    digest = _digest(wanted, wanted.id, actor)
    try:
        found = once.earlier(session, wanted.id, digest)
    except OtherContent as other:
        raise _with_copy(other, _own(session, kind, wanted.id, actor)) from None
    if found:
        return Taken(found)
    step = kind.flow.opening
    role = next((role for role in step.roles if actor.holds(role, area_code)), None)
    if role is None or not scope.may_see(actor, area_code):
        raise NotYourStep(f"{step.action} is for {', '.join(step.roles)}", action=step.action)
    days = calendar(session, the_city(session), now)
    values = _values(kind, step, wanted, days, now)
    photos = _photos(session, wanted.photos)
    columns = rules.columns_of(kind.flow, step, None, values, actor_id=actor.account_id, now=now)
    columns |= {**more, "area_code": area_code, "number": number()}
    body = {"id": str(wanted.id), "number": columns["number"]}
    if sent := once.keep(session, wanted.id, kind.flow.name, digest, body, now):
        return Taken(sent)
    change = _change(kind, step, Setting(None, columns, values, now, days))
    event = _event(kind, step, wanted, actor.account_id, role, None, change, values, now=now)
    event.data["record"] = str(wanted.id)
    columns = rules.apply({}, event, kind.flow.states[change.target])
    row = kind.row(**{**columns, "id": wanted.id}, **extra)
    session.add(row)
    session.flush()
    session.add(event)
    _attach(session, kind, event, step, photos)
    session.flush()
    return Taken(Answer(body, is_new=True), row, event, values)


def take(
    session: Session, kind: Kind, record_id: UUID, wanted: StepRequest, actor: Actor, *,
    now: datetime,
    check: Callable[[Any, Step, Mapping[str, Any]], Mapping[str, Any]] = lambda *_: {},
) -> Taken:  # fmt: skip
    """Take a record one step further and keep the step as an event.

    The row is locked first: of two people who act at once, the second judges what the first
    left. `check` judges what only the kind knows and returns further columns. Raises `NoRecord` outside the actor's scope,
    `ForbiddenStep`, `UsedUp`, `NotYourStep`, `SamePerson`, and what `begin` raises.
    """
    row = locked(session, kind, record_id, actor)
    digest = _digest(wanted, record_id, actor)
    if found := once.earlier(session, wanted.id, digest):
        return Taken(found)
    now = max(now, row.stage_at)  # a server clock that was set back gives no negative duration
    try:
        step = kind.flow.need(wanted.action, row.status)
        role = rules.require(step, row, actor, did(session, kind, row, actor))
    except Conflict as refused:
        raise _with_copy(refused, row) from None
    days = calendar(session, the_city(session), now)
    values = _values(kind, step, wanted, days, now)
    further = check(row, step, values)
    photos = _photos(session, wanted.photos)
    columns = rules.columns_of(kind.flow, step, row, values, actor_id=actor.account_id, now=now)
    columns |= further
    change = _change(kind, step, Setting(row, columns, values, now, days))
    event = _event(kind, step, wanted, actor.account_id, role, row, change, values, now=now)
    body = {"id": str(row.id), "seq": event.seq, "status": change.target}
    if sent := once.keep(session, wanted.id, kind.flow.name, digest, body, now):
        return Taken(sent)
    _store(session, kind, row, event, change)
    _attach(session, kind, event, step, photos)
    session.flush()
    return Taken(Answer(body, is_new=True), row, event, values)


def take_by_clock(
    session: Session, kind: Kind, row: Any, action: str, values: Mapping[str, Any], now: datetime
) -> Any:
    """Take a step that nobody takes: the clock does. The caller holds the row's lock."""
    step = kind.flow.need(action, row.status)
    if SYSTEM not in step.roles:
        raise NotYourStep(f"{action} is for people", action=action)
    days = calendar(session, the_city(session), now)
    columns = rules.columns_of(kind.flow, step, row, values, actor_id=None, now=now)
    change = _change(kind, step, Setting(row, columns, values, now, days))
    wanted = StepRequest(uuid4(), action)
    event = _event(kind, step, wanted, None, SYSTEM, row, change, values, now=now)
    _store(session, kind, row, event, change)
    session.flush()
    return event


def locked(session: Session, kind: Kind, record_id: UUID, actor: Actor) -> Any:
    """Lock a record that the actor may see. Raises `NoRecord`."""
    found = session.scalar(
        scope.visible(select(kind.row), actor, kind.row)
        .where(kind.row.id == record_id)
        .with_for_update(of=kind.row)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NoRecord("no such record")
    return found


def _own(session: Session, kind: Kind, record_id: UUID, actor: Actor) -> Any:
    """Return the record of an id where the actor opened it: others are told nothing of it."""
    return session.scalar(
        scope.visible(select(kind.row), actor, kind.row).where(
            kind.row.id == record_id, kind.row.registrar_id == actor.account_id
        )
    )


def _with_copy(refused: Conflict, row: Any) -> Conflict:
    """Add the server's copy to a refusal, so that a client can show what holds."""
    if row is not None:
        refused.params["server"] = {
            "id": str(row.id), "number": row.number, "status": row.status, "seq": row.event_count,
        }  # fmt: skip
    return refused


def did(session: Session, kind: Kind, row: Any, actor: Actor) -> set[str]:
    """Return what the actor has done on a record so far."""
    log = kind.event
    return set(
        session.scalars(
            select(log.action).where(
                getattr(log, kind.parent) == row.id, log.actor_id == actor.account_id
            )
        )
    )


def rebuilt(session: Session, kind: Kind, record_id: UUID) -> dict[str, Any]:
    """Fold the events of a record: what its row has to hold. For tests and repair."""
    log = kind.event
    found: dict[str, Any] = {}
    for event in session.scalars(
        select(log).where(getattr(log, kind.parent) == record_id).order_by(log.seq)
    ):
        found = rules.apply(found, event, kind.flow.states[event.to_status])
    return found


def _digest(wanted: StepRequest, record_id: UUID, actor: Actor) -> bytes:
    return once.digest_of(
        str(record_id), wanted.action, dict(wanted.values), list(wanted.photos),
        actor_id=actor.account_id,
    )  # fmt: skip


def _values(
    kind: Kind, step: Step, wanted: StepRequest, days: Calendar, now: datetime
) -> dict[str, Any]:
    return read_all(
        kind.flow, step, wanted.values, photos=len(wanted.photos),
        today=days.local(now).date(), zone=days.zone,
    )  # fmt: skip


def _change(kind: Kind, step: Step, at: Setting) -> rules.Change:
    """Turn the clocks: which begin, which one runs now."""
    target = step.to(at.row.status if at.row is not None else "")
    limits = dict(at.row.limits) if at.row is not None else {}
    begun = {clock: _limit(kind, clock, at) for clock in step.starts}
    if step.extends is not None:
        kept = datetime.fromisoformat(limits[step.extends])
        begun[step.extends] = deadline(kept, kind.terms[step.extends], at.calendar)
    clock = kind.flow.states[target].clock
    if clock is not None and clock not in {**limits, **begun}:
        begun[clock] = _limit(kind, clock, at)
    made = {name: end.isoformat() for name, end in begun.items()}
    return rules.Change(
        target, dict(at.columns), made, {**limits, **made}.get(clock) if clock else None
    )


def _limit(kind: Kind, clock: str, at: Setting) -> datetime:
    own = kind.own_limits(clock, at)
    return own if own is not None else deadline(at.now, kind.terms[clock], at.calendar)


def _event(
    kind: Kind, step: Step, wanted: StepRequest, actor_id: int | None, role: str, row: Any,
    change: rules.Change, values: Mapping[str, Any], *, now: datetime,
) -> Any:  # fmt: skip
    """Write down who takes which step, from where, when and why."""
    shown = {name: value for name, value in values.items()
             if name not in ("note", "reason") and not kind.flow.fields[name].is_sealed}  # fmt: skip
    before = row.status if row is not None else ""
    return kind.event(
        **{kind.parent: row.id if row is not None else wanted.id},
        seq=(row.event_count if row is not None else 0) + 1,
        id=wanted.id,
        recorded_at=now,
        action=step.action,
        from_status=before,
        to_status=change.target,
        actor_id=actor_id,
        role=role,
        reason=values.get("reason"),
        note=values.get("note", ""),
        photos=list(wanted.photos),
        data={
            "values": shown,
            "set": change.columns,
            "limits": change.limits,
            "due": change.due,
            "flags": rules.flags_after(step, row, is_moved=change.target != before),
        },
    )


def _store(session: Session, kind: Kind, row: Any, event: Any, change: rules.Change) -> None:
    before = {"limits": row.limits}
    for name, value in rules.apply(before, event, kind.flow.states[change.target]).items():
        setattr(row, name, value)
    session.add(event)


def _photos(session: Session, hashes: tuple[str, ...]) -> list[Blob]:
    """Open and return photos that were stored before. Raises `UnknownPhoto`."""
    if not hashes:
        return []
    if len(hashes) > MOST_PHOTOS:
        raise UnknownPhoto(f"more than {MOST_PHOTOS} photos", field="photos")
    scope.open_photos(session, hashes)
    found = {blob.sha256: blob for blob in session.scalars(
        select(Blob).where(Blob.sha256.in_(hashes)))}  # fmt: skip
    if missing := set(hashes) - found.keys():
        raise UnknownPhoto(f"photo {min(missing)[:12]} was not sent", field="photos")
    return [found[sha256] for sha256 in dict.fromkeys(hashes)]


def _attach(session: Session, kind: Kind, event: Any, step: Step, photos: list[Blob]) -> None:
    """Tie photos to the record with the names of the copies that may be shown."""
    session.add_all(
        kind.photo(
            **{kind.parent: getattr(event, kind.parent)},
            id=session.scalar(select(func.gen_random_uuid())),
            event_seq=event.seq,
            part=step.photo_part,
            sha256=blob.sha256,
            public_sha256=blob.public_sha256,
            thumb_sha256=blob.thumb_sha256,
        )
        for blob in photos
    )
