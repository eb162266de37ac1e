"""The queue: cases in order of their risk of being late, filtered, counted, page by page."""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, null, or_, select
from sqlalchemy.orm import Session, aliased

from grids import scope
from grids.accounts import Account, Actor
from grids.cells import Grid
from grids.codes import Category, Department
from grids.divisions import Area
from grids.errors import Invalid
from grids.incidents.lifecycle import OPEN, STATES, TERMINAL
from grids.incidents.models import Incident
from grids.incidents.roles import Placed

MOST_ROWS: Final = 500
RISKS: Final = ("late", "soon", "ok", "paused", "done")
#: The states in which it is a role's turn; a town's seat does the desk's work in its area.
TURNS: Final = {
    "intake": ("intake",),
    "shift_leader": ("shift_leader",),
    "dispatcher": ("dispatcher",),
    "town_seat": ("intake", "dispatcher"),
    "grid_leader": ("worker",),
}


class BadCursor(Invalid):
    """The place in the list does not come from an earlier page."""

    code = "incident.bad_cursor"


class BadFilter(Invalid):
    """A filter names something that does not exist."""

    code = "incident.bad_filter"


@dataclass(frozen=True)
class Filter:
    """What of the queue somebody wants to see. Empty means everything in their scope."""

    statuses: tuple[str, ...] = ()  #: states, or "open" or "done"
    stages: tuple[str, ...] = ()  #: S1 .. S8, H
    risks: tuple[str, ...] = ()
    area: str = ""  #: a code prefix: county, town, community or grid
    grid: str = ""  #: 15 digits
    category: str = ""  #: a prefix of the five digits
    text: str = ""  #: in number, text or address
    since: datetime | None = None
    until: datetime | None = None
    is_mine: bool = False  #: only where it is the caller's turn
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True)
class CaseRow:
    """One line of the queue; names in both languages, the face chooses."""

    id: UUID
    number: str
    category_code: str
    category_kind: str
    category_zh: str
    category_en: str
    address: str
    text: str
    channel: str
    urgency: str
    status: str
    risk: str
    area_code: str
    grid_code: str | None
    grid_name: str | None
    town_zh: str | None
    town_en: str | None
    community_zh: str | None
    community_en: str | None
    department_code: str | None
    department_zh: str | None
    department_en: str | None
    holder_id: int | None
    holder_name: str | None
    handler_id: int | None
    reported_at: datetime
    received_at: datetime
    stage_at: datetime
    due_at: datetime | None
    handling_due_at: datetime | None
    rework_count: int
    flags: dict[str, Any]
    lon: float
    lat: float

    def placed(self) -> Placed:
        """Return what decides who may act on the case."""
        return Placed(
            self.status, self.area_code, self.department_code, self.holder_id, self.handler_id
        )


@dataclass(frozen=True)
class Page:
    """A page of the queue, with counts over everything the filter lets through."""

    items: tuple[CaseRow, ...]
    next: str | None
    total: int
    by_status: dict[str, int] = field(default_factory=dict)
    by_risk: dict[str, int] = field(default_factory=dict)


def risk_at(now: datetime, model: Any = Incident) -> ColumnElement[str]:
    """Name the risk of being late at an instant: `soon` from half of the time on (5.5)."""
    at = literal(now)
    return case(
        (model.status.in_(TERMINAL), "done"),
        (or_(model.status == "suspended", model.due_at.is_(None)), "paused"),
        (model.due_at <= at, "late"),
        (model.due_at - at <= at - model.stage_at, "soon"),
        else_="ok",
    )


def rows_at(now: datetime) -> Select[*tuple[Any, ...]]:
    """Select lines of the queue: callers add scope, conditions, order and limit."""
    town, community, holder = aliased(Area), aliased(Area), aliased(Account)
    return (
        select(
            Incident.id,
            Incident.number,
            Incident.category_code,
            Category.kind.label("category_kind"),
            Category.name_zh.label("category_zh"),
            Category.name_en.label("category_en"),
            Incident.address,
            Incident.text,
            Incident.channel,
            Incident.urgency,
            Incident.status,
            risk_at(now).label("risk"),
            Incident.area_code,
            Grid.code.label("grid_code"),
            Grid.name.label("grid_name"),
            town.name_zh.label("town_zh"),
            town.name_en.label("town_en"),
            community.name_zh.label("community_zh"),
            community.name_en.label("community_en"),
            Incident.department_code,
            Department.name_zh.label("department_zh"),
            Department.name_en.label("department_en"),
            Incident.holder_id,
            holder.name.label("holder_name"),
            Incident.handler_id,
            Incident.reported_at,
            Incident.received_at,
            Incident.stage_at,
            Incident.due_at,
            Incident.handling_due_at,
            Incident.rework_count,
            Incident.flags,
            func.ST_X(Incident.geom).label("lon"),
            func.ST_Y(Incident.geom).label("lat"),
        )
        .join(Category, Category.id == Incident.category_id)
        .outerjoin(Grid, Grid.id == Incident.grid_id)
        .outerjoin(town, town.code == func.left(Incident.area_code, 9))
        .outerjoin(community, community.code == func.left(Incident.area_code, 12))
        .outerjoin(Department, Department.code == Incident.department_code)
        .outerjoin(holder, holder.id == Incident.holder_id)
    )


def list_cases(session: Session, actor: Actor, wanted: Filter, *, now: datetime) -> Page:
    """Return one page of the queue: what is due first comes first, done cases newest first.

    `total` and the counts cover the whole filter; the counts by state leave the filter by
    state out, and those by risk that by risk, so that a face can offer the others. Raises
    `BadFilter` and `BadCursor`.
    """
    limit = max(1, min(wanted.limit, MOST_ROWS))
    statuses = _statuses(wanted)
    by_pair = _count(session, actor, wanted, now)
    is_wanted = {
        pair: (not statuses or pair[0] in statuses, not wanted.risks or pair[1] in wanted.risks)
        for pair in by_pair
    }
    statement = rows_at(now).where(scope.condition(actor, Incident), *_conditions(wanted, actor))
    if statuses:
        statement = statement.where(Incident.status.in_(statuses))
    if wanted.risks:
        statement = statement.where(risk_at(now).in_(wanted.risks))
    if wanted.after:
        statement = statement.where(_beyond(wanted.after))
    ordered = statement.order_by(
        Incident.due_at.asc().nulls_last(), Incident.received_at.desc(), Incident.id
    )
    found = [CaseRow(**row) for row in session.execute(ordered.limit(limit + 1)).mappings()]
    by_status: Counter[str] = Counter()
    by_risk: Counter[str] = Counter()
    for (status, risk), count in by_pair.items():
        status_fits, risk_fits = is_wanted[status, risk]
        by_status[status] += count * risk_fits
        by_risk[risk] += count * status_fits
    return Page(
        items=tuple(found[:limit]),
        next=_cursor(found[limit - 1]) if len(found) > limit else None,
        total=sum(count for pair, count in by_pair.items() if all(is_wanted[pair])),
        by_status={status: count for status, count in by_status.items() if count},
        by_risk={risk: by_risk[risk] for risk in RISKS},
    )


def turn_of(actor: Actor) -> ColumnElement[bool]:
    """Say that it is the actor's turn: the state waits for the role, or the case names them."""
    waits = {turn for role in actor.roles for turn in TURNS.get(role, ())}
    parts: list[ColumnElement[bool]] = [
        and_(Incident.holder_id == actor.account_id, Incident.status.in_(OPEN))
    ]
    if waits:
        parts.append(Incident.status.in_(_held_by(*waits)))
    if "worker" in actor.roles:
        parts.append(and_(Incident.holder_id.is_(None), Incident.status.in_(_held_by("worker"))))
    if actor.department is not None:
        parts.append(
            and_(
                Incident.department_code == actor.department,
                Incident.status.in_(_held_by("handler")),
            )
        )
    return or_(*parts)


def _held_by(*roles: str) -> tuple[str, ...]:
    return tuple(code for code, state in STATES.items() if state.holder in roles and state.stage)


def _statuses(wanted: Filter) -> tuple[str, ...]:
    """Expand "open", "done" and stages to states. Raises `BadFilter`."""
    groups = {"open": OPEN, "done": TERMINAL}
    found: list[str] = []
    for word in wanted.statuses:
        if word not in STATES and word not in groups:
            raise BadFilter(f"no state {word!r}", field="status")
        found.extend(groups.get(word, (word,)))
    for stage in wanted.stages:
        states = [code for code, state in STATES.items() if state.stage == stage]
        if not states:
            raise BadFilter(f"no stage {stage!r}", field="stage")
        found.extend(states)
    if unknown := set(wanted.risks) - set(RISKS):
        raise BadFilter(f"no risk {min(unknown)!r}", field="risk")
    return tuple(dict.fromkeys(found))


def _conditions(wanted: Filter, actor: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions that neither state nor risk is part of."""
    found: list[ColumnElement[bool]] = []
    if wanted.area:
        found.append(scope.in_areas(Incident.area_code, (wanted.area,)))
    if wanted.grid:
        found.append(Incident.area_code == wanted.grid)
    if wanted.category:
        found.append(Incident.category_code.startswith(wanted.category, autoescape=True))
    if wanted.text:
        found.append(
            or_(
                Incident.number.startswith(wanted.text, autoescape=True),
                Incident.text.icontains(wanted.text, autoescape=True),
                Incident.address.icontains(wanted.text, autoescape=True),
            )
        )
    if wanted.since is not None:
        found.append(Incident.received_at >= wanted.since)
    if wanted.until is not None:
        found.append(Incident.received_at < wanted.until)
    if wanted.is_mine:
        found.append(turn_of(actor))
    return found


def _count(
    session: Session, actor: Actor, wanted: Filter, now: datetime
) -> dict[tuple[str, str], int]:
    """Count by state and risk over everything but the filters by state and risk."""
    risk = risk_at(now).label("risk")
    statement = (
        select(Incident.status, risk, func.count().label("n"))
        .where(scope.condition(actor, Incident), *_conditions(wanted, actor))
        .group_by(Incident.status, risk)
    )
    return {(row.status, row.risk): row.n for row in session.execute(statement)}


def _cursor(row: CaseRow) -> str:
    """Name the place after a row."""
    due = row.due_at.isoformat() if row.due_at else None
    place = json.dumps([due, row.received_at.isoformat(), str(row.id)])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _beyond(cursor: str) -> ColumnElement[bool]:
    """Say that a row comes after a place. Raises `BadCursor`."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        due_text, received_text, id_text = json.loads(text)
        due = datetime.fromisoformat(due_text).astimezone(UTC) if due_text else None
        received = datetime.fromisoformat(received_text).astimezone(UTC)
        after_id = UUID(id_text)
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise BadCursor("`after` is not from an earlier page", field="after") from error
    same_due = Incident.due_at.is_(None) if due is None else Incident.due_at == due
    later = (
        null().is_not(None)
        if due is None
        else or_(Incident.due_at > due, Incident.due_at.is_(None))
    )
    return or_(
        later,
        and_(same_due, Incident.received_at < received),
        and_(same_due, Incident.received_at == received, Incident.id > after_id),
    )
