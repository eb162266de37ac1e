"""Questions to the spot as people see them: asked by hand, listed, answered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import shapely
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.errors import Conflict, Invalid, NotFound
from grids.facts import statements
from grids.facts.asking import OFFERED, open_next
from grids.facts.models import Fact, FactCheck
from grids.facts.statements import Speaker
from grids.facts.survivorship import GROUND, PLACE, asks_ground
from grids.flows import once
from grids.flows.once import Answer
from grids.registers.changes import BadValue, read_value
from grids.registers.kinds import KINDS, Kind, Shown

LISTED: Final = 50
#: Asked by a person: before what sources say otherwise.
BY_HAND: Final = 9.0
#: A statement of its own: the entry is no longer there.
GONE: Final = "gone"
#: Where an entry has a state of being gone, that is what is said.
_GONE_AS: Final = {"component": ("state", "missing")}


class NoCheck(NotFound):
    """There is no such question, or it lies outside the caller's areas."""

    code = "check.none"


class CheckAnswered(Conflict):
    """Somebody else was faster."""

    code = "check.answered"


class NotAskable(Invalid):
    """The spot cannot tell this, or the entry lies in no grid."""

    code = "check.not_askable"


class BadAnswer(Invalid):
    """The answer fits neither the question nor the field; `field` names what."""

    code = "check.bad_answer"


@dataclass(frozen=True)
class Told:
    """What somebody on the spot says. `id` is made by the phone."""

    id: UUID
    kind: str  #: value, other, unknown, gone
    value: str = ""
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True)
class Open:
    """One open question with the entry that it is about."""

    check: FactCheck
    kind: Kind
    entry: Any
    lon: float
    lat: float


def field_of(register: str, field: str) -> Shown | None:
    """Return how a field is written; None for the place. Raises `NotAskable`."""
    if field == PLACE:
        return None
    found = next((fact for fact in KINDS[register].facts if fact.column == field), None)
    if found is None:
        raise NotAskable(f"{register} has no {field}", field="field")
    return found


def askable(kind: Kind) -> tuple[str, ...]:
    """Return the fields of a register that a steward may have asked."""
    given = [fact.column for fact in kind.facts
             if fact.is_editable and asks_ground(kind.table, fact.column)]  # fmt: skip
    return (*given, PLACE) if kind.name != "building" else tuple(given)


def ask(
    session: Session, kind: Kind, entry: Any, field: str, actor: Actor, *, now: datetime
) -> bool:
    """Ask the spot about a field of an entry that the caller has read in scope; False where asked."""
    if field not in askable(kind) or entry.grid_id is None or entry.valid_to is not None:
        raise NotAskable(f"nobody can tell {field} on the spot", field="field")
    statements.keep_before(session, kind.model.__table__, entry.id, (field,))
    said = statements.of_entry(session, kind.table, entry.id, (field,)).get(field, [])
    by_value: dict[str, dict[str, Any]] = {}
    for one in said:
        known = by_value.setdefault(one.fact.value, {
            "value": one.fact.value, "sources": [], "since": one.fact.observed_at.isoformat(),
        })  # fmt: skip
        known["sources"].append(one.fact.source)
    made = session.scalar(
        insert(FactCheck)
        .values(
            register=kind.table, entry_id=entry.id, field=field,
            candidates=list(by_value.values())[:OFFERED], weight=BY_HAND, why="asked",
            state="open", area_code=entry.area_code, grid_id=entry.grid_id, asked_at=now,
            asked_by=actor.account_id,
        )
        .on_conflict_do_nothing()
        .returning(FactCheck.id)
    )  # fmt: skip
    if made is not None:
        audit.record(
            session, "fact_asked", actor_id=actor.account_id,
            subject=f"{kind.table}:{entry.id}", detail={"field": field},
        )  # fmt: skip
    return made is not None


def open_checks(session: Session, actor: Actor, *, most: int = LISTED) -> list[Open]:
    """List the open questions of the caller's areas, the heaviest first."""
    rows = session.scalars(
        select(FactCheck)
        .where(scope.condition(actor, FactCheck), FactCheck.state == "open")
        .order_by(FactCheck.weight.desc(), FactCheck.asked_at, FactCheck.id)
        .limit(most)
    ).all()
    found: dict[tuple[str, int], tuple[Any, float, float]] = {}
    for register in {row.register for row in rows}:
        model = KINDS[register].model
        point = func.ST_PointOnSurface(model.geom)
        keys = [row.entry_id for row in rows if row.register == register]
        for entry, lon, lat in session.execute(
            select(model, func.ST_X(point), func.ST_Y(point)).where(
                scope.condition(actor, model), model.id.in_(keys)
            )
        ):
            found[register, entry.id] = (entry, lon, lat)
    return [
        Open(row, KINDS[row.register], *found[row.register, row.entry_id])
        for row in rows if (row.register, row.entry_id) in found
    ]  # fmt: skip


def count_open(session: Session, actor: Actor) -> int:
    """Count the open questions of the caller's areas."""
    statement = select(func.count()).select_from(FactCheck).where(FactCheck.state == "open")
    return int(session.scalar(scope.visible(statement, actor, FactCheck)) or 0)


def of_entry(session: Session, actor: Actor, register: str, entry_id: int) -> Sequence[FactCheck]:
    """Return the latest questions on an entry."""
    return session.scalars(
        select(FactCheck)
        .where(
            scope.condition(actor, FactCheck), FactCheck.register == register,
            FactCheck.entry_id == entry_id,
        )
        .order_by(FactCheck.id.desc())
        .limit(20)
    ).all()  # fmt: skip


def answer(
    session: Session, actor: Actor, check_id: int, told: Told, *, now: datetime, source_ip: str = ""
) -> Answer:
    """Take the answer of somebody on the spot: a statement from the ground, and what holds then.

    Sent again it is the same answer. Raises `NoCheck` outside of the caller's areas,
    `CheckAnswered` where another one was faster, and `BadAnswer`.
    """
    digest = once.digest_of(
        check_id, told.kind, told.value, told.lon, told.lat, actor_id=actor.account_id
    )
    if found := once.earlier(session, told.id, digest):
        return found
    check = session.scalar(
        select(FactCheck)
        .where(scope.condition(actor, FactCheck), FactCheck.id == check_id)
        .with_for_update()
    )
    if check is None:
        raise NoCheck("no such question")
    if check.state not in ("open", "waiting"):
        raise CheckAnswered("the question was answered")
    kind = KINDS[check.register]
    entry = session.scalar(
        select(kind.model)
        .where(scope.condition(actor, kind.model), kind.model.id == check.entry_id)
        .with_for_update()
    )
    if entry is None:
        raise NoCheck("no such entry")
    check.value = _value(check, kind, told)
    check.state, check.answer = "answered", told.kind
    check.answered_at, check.answered_by = now, actor.account_id
    body = {"id": str(told.id), "check": check.id}
    if sent := once.keep(session, told.id, "check", digest, body, now):
        return sent
    _say(session, kind, check, Speaker(GROUND, actor.account_id, f"check:{check.id}"), now)
    audit.record(
        session, "fact_checked", actor_id=actor.account_id, source_ip=source_ip,
        subject=f"{kind.table}:{check.entry_id}",
        detail={"field": check.field, "answer": told.kind, "area": check.area_code},
    )  # fmt: skip
    open_next(session, check.grid_id)
    return Answer(body, is_new=True)


def _value(check: FactCheck, kind: Kind, told: Told) -> str | None:
    """Return what an answer says of the field. Raises `BadAnswer`."""
    if told.kind in ("unknown", "gone"):
        return None
    if told.kind == "value":
        if told.value not in {one["value"] for one in check.candidates}:
            raise BadAnswer("not among the candidates", field="value")
        return told.value
    if told.kind != "other":
        raise BadAnswer(f"no such answer {told.kind[:20]!r}", field="answer")
    if check.field == PLACE:
        if told.lon is None or told.lat is None or not (-180 <= told.lon <= 180 and -90 <= told.lat <= 90):  # fmt: skip
            raise BadAnswer("no place", field="value")
        point = shapely.set_srid(shapely.Point(told.lon, told.lat), 4490)
        return str(shapely.to_wkb(point, hex=True, include_srid=True))
    fact = field_of(check.register, check.field)
    if fact is None or not told.value.strip():
        raise BadAnswer("an answer says something", field="value")
    try:
        value = read_value(kind, fact, told.value)
    except BadValue as error:
        raise BadAnswer(str(error), field="value") from error
    return str(value)


def _say(session: Session, kind: Kind, check: FactCheck, speaker: Speaker, now: datetime) -> None:
    table, field, value = kind.model.__table__, check.field, check.value
    if check.answer == "unknown":
        return
    if check.answer == "gone":
        if kind.table in _GONE_AS:
            field, value = _GONE_AS[kind.table]
        else:
            session.merge(Fact(
                register=kind.table, entry_id=check.entry_id, field=GONE, source=GROUND,
                value="yes", how=None, observed_at=now, confidence=statements.SURE[GROUND],
                batch_id=None, said_by=speaker.account_id, evidence=speaker.evidence,
            ))  # fmt: skip
            return
    statements.say(session, table, check.entry_id, field, str(value), speaker, now=now,
                   reason=f"check {check.id}")  # fmt: skip
    if seen := session.get(Fact, (kind.table, check.entry_id, GONE, GROUND)):
        # It is there after all.
        seen.value, seen.observed_at, seen.evidence = "no", now, speaker.evidence
