"""Reading records: pages by risk of being late, one record with its history and next steps."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Account, Actor
from grids.codes import Department
from grids.flows import rules
from grids.flows.errors import BadValue, NoRecord
from grids.flows.table import Flow, Step
from grids.flows.taking import Kind

MOST_ROWS: Final = 100
RISKS: Final = ("late", "soon", "ok", "paused", "done")


@dataclass(frozen=True)
class Wanted:
    """What of a kind somebody wants to see. Empty means everything in their scope."""

    tray: str = ""  #: turn, open, done, or empty
    risks: tuple[str, ...] = ()
    text: str = ""
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True)
class Listed:
    """One line of a list: the row, its risk, the names of who has it."""

    row: Any
    risk: str
    holder: str | None
    department: tuple[str, str] | None


@dataclass(frozen=True)
class Page:
    """A page of a list; `next` names the place after its last line."""

    items: tuple[Listed, ...]
    next: str | None
    total: int


@dataclass(frozen=True)
class Told:
    """One event with the name of who took the step."""

    event: Any
    actor: str | None


@dataclass(frozen=True)
class Record:
    """Everything a page shows of one record."""

    row: Any
    risk: str
    holder: str | None
    department: tuple[str, str] | None
    log: tuple[Told, ...] = ()
    photos: tuple[Any, ...] = ()
    steps: tuple[Step, ...] = field(default=())


def risk_at(kind: Kind, now: datetime) -> ColumnElement[str]:
    """Name the risk of being late at an instant: `soon` from half of the time on (5.5)."""
    row, at = kind.row, literal(now)
    terminal = [code for code, state in kind.flow.states.items() if state.is_terminal]
    return case(
        (row.status.in_(terminal), "done"),
        (row.due_at.is_(None), "paused"),
        (row.due_at <= at, "late"),
        (row.due_at - at <= at - row.stage_at, "soon"),
        else_="ok",
    )


def page(
    session: Session, kind: Kind, actor: Actor, wanted: Wanted, *, now: datetime,
    more: Sequence[ColumnElement[bool]] = (),
) -> Page:  # fmt: skip
    """Return one page: what is due first comes first. Raises `BadValue` for a false place."""
    row, risk = kind.row, risk_at(kind, now)
    where = [scope.condition(actor, row), *_conditions(kind, actor, wanted, risk), *more]
    holder = select(Account.name).where(Account.id == row.holder_id).scalar_subquery()
    asked = (
        select(row, risk.label("risk"), holder.label("holder"), Department.name_zh,
               Department.name_en)
        .outerjoin(Department, Department.code == row.department_code)
        .where(*where)
    )  # fmt: skip
    if wanted.after:
        asked = asked.where(_beyond(row, wanted.after))
    limit = max(1, min(wanted.limit, MOST_ROWS))
    found = session.execute(
        asked.order_by(row.due_at.asc().nulls_last(), row.opened_at.desc(), row.id).limit(limit + 1)
    ).all()
    items = tuple(_listed(line) for line in found[:limit])
    return Page(
        items,
        _place(found[limit - 1][0]) if len(found) > limit else None,
        session.scalar(select(func.count()).select_from(row).where(*where)) or 0,
    )


def record(session: Session, kind: Kind, actor: Actor, record_id: UUID, *, now: datetime) -> Record:
    """Return one record in the actor's scope with its history. Raises `NoRecord`."""
    row = kind.row
    holder = select(Account.name).where(Account.id == row.holder_id).scalar_subquery()
    found = session.execute(
        select(row, risk_at(kind, now).label("risk"), holder.label("holder"),
               Department.name_zh, Department.name_en)
        .outerjoin(Department, Department.code == row.department_code)
        .where(scope.condition(actor, row), row.id == record_id)
    ).first()  # fmt: skip
    if found is None:
        raise NoRecord("no such record")
    line, log, photo = _listed(found), kind.event, kind.photo
    events = session.execute(
        select(log, Account.name)
        .outerjoin(Account, Account.id == log.actor_id)
        .where(getattr(log, kind.parent) == record_id)
        .order_by(log.seq)
    ).all()
    photos = session.scalars(
        select(photo).where(getattr(photo, kind.parent) == record_id)
        .order_by(photo.event_seq, photo.id)
    ).all()  # fmt: skip
    done = {event.action for event, _ in events if event.actor_id == actor.account_id}
    return Record(
        line.row, line.risk, line.holder, line.department,
        tuple(Told(event, name) for event, name in events), tuple(photos),
        tuple(rules.possible(kind.flow, line.row, actor, done)),
    )  # fmt: skip


def photo_name(session: Session, kind: Kind, actor: Actor, sha256: str) -> str | None:
    """Return the name of a copy where it belongs to a record in the actor's scope."""
    photo, row = kind.photo, kind.row
    return session.scalar(
        select(literal(sha256))
        .select_from(photo)
        .join(row, row.id == getattr(photo, kind.parent))
        .where(
            or_(photo.public_sha256 == sha256, photo.thumb_sha256 == sha256),
            scope.condition(actor, row),
        )
        .limit(1)
    )


def holders(flow: Flow, *roles: str) -> tuple[str, ...]:
    """Return the states that wait for one of the roles."""
    wanted = set(roles)
    return tuple(code for code, s in flow.states.items() if wanted & set(s.holder.split("|")))


def _conditions(
    kind: Kind, actor: Actor, wanted: Wanted, risk: ColumnElement[str]
) -> list[ColumnElement[bool]]:
    row, found = kind.row, []
    if wanted.tray in ("open", "turn"):
        found.append(row.status.in_(kind.flow.open_states))
    elif wanted.tray == "done":
        found.append(row.status.not_in(kind.flow.open_states))
    if wanted.tray == "turn":
        found.append(_turn(kind, actor))
    if wanted.risks:
        found.append(risk.in_(wanted.risks))
    if wanted.text:
        found.append(row.number.icontains(wanted.text, autoescape=True))
    return found


def _turn(kind: Kind, actor: Actor) -> ColumnElement[bool]:
    """Say that the record waits for the actor: for the role, the department or the person."""
    row, flow = kind.row, kind.flow
    parts: list[ColumnElement[bool]] = [
        and_(row.holder_id == actor.account_id, row.status.in_(holders(flow, "named")))
    ]
    waits = holders(flow, *(role for role in actor.roles if role != "handler"))
    parts.append(row.status.in_(waits))
    if actor.department is not None:
        parts.append(
            and_(row.department_code == actor.department, row.status.in_(holders(flow, "handler")))
        )
    return or_(*parts)


def _listed(line: Any) -> Listed:
    row, risk, holder, zh, en = line
    return Listed(row, risk, holder, (zh, en) if zh else None)


def _place(row: Any) -> str:
    due = row.due_at.isoformat() if row.due_at else None
    place = json.dumps([due, row.opened_at.isoformat(), str(row.id)])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _beyond(row: Any, cursor: str) -> ColumnElement[bool]:
    """Say that a row comes after a place. Raises `BadValue`."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        due_text, opened_text, id_text = json.loads(text)
        due = datetime.fromisoformat(due_text).astimezone(UTC) if due_text else None
        opened = datetime.fromisoformat(opened_text).astimezone(UTC)
        after_id = UUID(id_text)
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise BadValue("`after` is not from an earlier page", field="after") from error
    behind = or_(row.opened_at < opened, and_(row.opened_at == opened, row.id > after_id))
    if due is None:
        return and_(row.due_at.is_(None), behind)
    return or_(row.due_at > due, row.due_at.is_(None), and_(row.due_at == due, behind))
