"""What the desk of a department or a town's seat shows beside the queue.

Figures of the month with the list behind each, what assists, what waits for a decision, and
for a town its grids with who is on duty. Every statement carries the caller's scope.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Account, Actor, Assignment, Shift
from grids.cells import Grid
from grids.incidents.lifecycle import OPEN
from grids.incidents.listing import CaseRow, rows_at
from grids.incidents.models import Incident, IncidentTask
from grids.responsibility.arbitration import arbitrations

MOST_ROWS: Final = 200
MOST_GRIDS: Final = 200
#: Flags of requests that wait for somebody's decision.
ASKED: Final = (
    "extend_asked", "defer_asked", "suspend_asked", "return_asked", "appeal_asked", "void_asked",
)  # fmt: skip
#: Lists that no filter of the queue can say.
LISTS: Final = ("assist", "asked", "disputed", "month_on_time", "month_late", "month_rework")


@dataclass(frozen=True)
class Month:
    """The month so far. Due: what was handled in it, and what should have been by now.

    A case whose lateness was exempted on appeal counts in neither.
    """

    due: int
    on_time: int
    late: int
    rework: int


@dataclass(frozen=True)
class GridDuty:
    """One grid of a town: open cases, late ones, and who is on duty."""

    code: str
    name: str
    open: int
    late: int
    on_duty: tuple[str, ...]


@dataclass(frozen=True)
class Invitation:
    """An arbitration in which the department is asked what it says."""

    id: int
    number: str
    address: str
    due_at: datetime


def month_start(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant of the month on the city's clock."""
    return now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month(session: Session, actor: Actor, *, now: datetime, zone: ZoneInfo) -> Month:
    """Count the month of the caller's cases."""
    since = month_start(now, zone)
    due, on_time = _due(since, now), _on_time()
    row = session.execute(
        select(
            func.count().filter(due),
            func.count().filter(due & on_time),
            func.count().filter(due & ~on_time),
            func.count().filter(due & (Incident.rework_count > 0)),
        ).where(scope.condition(actor, Incident), due)
    ).one()
    return Month(*row)


def listed(
    session: Session, actor: Actor, which: str, *, now: datetime, zone: ZoneInfo
) -> list[CaseRow]:
    """Return the cases behind a figure or of a list of its own, what is due first first."""
    found = session.execute(
        rows_at(now)
        .where(scope.condition(actor, Incident), _which(actor, which, now, zone))
        .order_by(Incident.due_at.asc().nulls_last(), Incident.received_at.desc(), Incident.id)
        .limit(MOST_ROWS)
    ).mappings()
    return [CaseRow(**row) for row in found]


def counts(session: Session, actor: Actor, *, now: datetime, zone: ZoneInfo) -> dict[str, int]:
    """Count the lists that are trays of the desk."""
    names = ("assist", "asked", "disputed")
    row = session.execute(
        select(*(func.count().filter(_which(actor, name, now, zone)) for name in names)).where(
            scope.condition(actor, Incident), Incident.status.in_(OPEN)
        )
    ).one()
    return dict(zip(names, row, strict=True))


def assisting(session: Session, actor: Actor, ids: list[UUID]) -> set[UUID]:
    """Say in which of these cases the caller's department only assists (协办)."""
    if actor.department is None or not ids:
        return set()
    wanted = (
        select(Incident.id)
        .where(Incident.id.in_(ids), _assists(actor.department))
        .where(scope.condition(actor, Incident))
    )
    return set(session.scalars(wanted))


def grids_of(session: Session, actor: Actor, *, now: datetime) -> list[GridDuty]:
    """Return the grids of the caller's areas with open and late cases and who is on duty."""
    grids = session.execute(
        select(Grid.code, Grid.name)
        .where(scope.in_areas(Grid.code, actor.areas))
        .order_by(Grid.code)
        .limit(MOST_GRIDS)
    ).all()
    work = {
        row.area_code: (row.n, row.late)
        for row in session.execute(
            select(
                Incident.area_code,
                func.count().label("n"),
                func.count().filter(Incident.due_at <= now).label("late"),
            )
            .where(scope.condition(actor, Incident), Incident.status.in_(OPEN))
            .group_by(Incident.area_code)
        )
    }
    people: dict[str, list[str]] = {}
    for row in session.execute(
        select(Assignment.area_code, Account.name)
        .join(Account, Account.id == Assignment.account_id)
        .where(
            Account.is_active,
            Assignment.role == "worker",
            scope.in_areas(Assignment.area_code, actor.areas),
            Assignment.valid_from <= now,
            or_(Assignment.valid_to.is_(None), Assignment.valid_to > now),
            exists(
                select(Shift.id).where(
                    Shift.account_id == Account.id, Shift.starts_at <= now, Shift.ends_at > now
                )
            ),
        )
        .order_by(Account.name)
    ):
        people.setdefault(row.area_code, []).append(row.name)
    return [
        GridDuty(code, name or code, *work.get(code, (0, 0)), tuple(people.get(code, ())))
        for code, name in grids
    ]


def grid_name(session: Session, actor: Actor, code: str) -> str | None:
    """Return the name of a grid in the caller's areas, else None."""
    found = session.execute(
        select(Grid.name).where(Grid.code == code, scope.in_areas(Grid.code, actor.areas))
    ).first()
    return (found.name or code) if found else None


def invitations(session: Session, actor: Actor) -> list[Invitation]:
    """Return the arbitrations that the caller's department has not spoken in yet."""
    if actor.department is None:
        return []
    return [
        Invitation(
            one.arbitration.id, one.case.number, one.case.address, one.arbitration.statements_due_at
        )
        for one in arbitrations(session, actor)
        if actor.department in one.arbitration.parties
        and all(said.department_code != actor.department for said in one.statements)
    ]


def level_of(session: Session, actor: Actor, incident_id: UUID) -> str | None:
    """Return the level that has a case now: grid, village, town or county."""
    column = getattr(Incident, "level", None)
    if column is None:
        return None
    wanted = select(column).where(Incident.id == incident_id)
    found: str | None = session.scalar(scope.visible(wanted, actor, Incident))
    return found


def _which(actor: Actor, which: str, now: datetime, zone: ZoneInfo) -> ColumnElement[bool]:
    since = month_start(now, zone)
    match which:
        case "assist":
            is_open = Incident.status.in_(OPEN)
            found: ColumnElement[bool] = is_open & (
                _assists(actor.department) if actor.department else false()
            )
            return found
        case "asked":
            return Incident.status.in_(OPEN) & or_(*(Incident.flags.has_key(f) for f in ASKED))
        case "disputed":
            return Incident.status == "disputed"
        case "month_on_time":
            return _due(since, now) & _on_time()
        case "month_late":
            return _due(since, now) & ~_on_time()
        case "month_rework":
            return _due(since, now) & (Incident.rework_count > 0)
        case _:
            return false()


def _due(since: datetime, now: datetime) -> ColumnElement[bool]:
    """Handled this month, or due this month and still open; not what an appeal exempted."""
    handled = and_(Incident.handled_at >= since, Incident.handled_at <= now)
    late_open = and_(
        Incident.handled_at.is_(None),
        Incident.handling_due_at >= since,
        Incident.handling_due_at <= now,
        Incident.status.in_(OPEN),
    )
    found: ColumnElement[bool] = or_(handled, late_open) & ~Incident.flags.has_key("exempt")
    return found


def _on_time() -> ColumnElement[bool]:
    found: ColumnElement[bool] = func.coalesce(
        Incident.handled_at <= Incident.handling_due_at, false()
    )
    return found


def _assists(department: str) -> Any:
    task = IncidentTask.__table__.alias("assisting_task")
    return exists(
        select(task.c.id).where(
            task.c.incident_id == Incident.id,
            task.c.department_code == department,
            task.c.part == "assist",
            task.c.replied_at.is_(None),
        )
    )
