"""Whom a step may name: workers of the place, and the department that is responsible."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from grids.accounts import Account, Assignment, Shift
from grids.codes import Category, Department
from grids.components import Component
from grids.incidents.lifecycle import FIELD
from grids.incidents.models import Incident
from grids.responsibility import Ruling, owner_of
from grids.responsibility.precedents import Like, precedents

MOST_WORKERS = 30
MOST_LIKE = 3


@dataclass(frozen=True)
class Candidate:
    """A worker or leader who could be named."""

    account_id: int
    name: str
    role: str
    is_on_duty: bool


def workers_near(session: Session, area_code: str, *, at: datetime) -> list[Candidate]:
    """Return workers and leaders whose area holds a place: on duty and nearest area first."""
    is_on_duty = exists(
        select(Shift.id).where(
            Shift.account_id == Account.id, Shift.starts_at <= at, Shift.ends_at > at
        )
    ).label("is_on_duty")
    found = session.execute(
        select(Account.id, Account.name, Assignment.role, is_on_duty)
        .join(Assignment, Assignment.account_id == Account.id)
        .where(
            Account.is_active,
            Assignment.role.in_(FIELD),
            func.starts_with(area_code, Assignment.area_code),
            or_(Assignment.valid_to.is_(None), Assignment.valid_to > at.date()),
        )
        .order_by(is_on_duty.desc(), func.length(Assignment.area_code).desc(), Account.name)
        .limit(MOST_WORKERS)
    )
    return [Candidate(row.id, row.name, row.role, row.is_on_duty) for row in found]


def responsible(session: Session, incident_id: UUID) -> Ruling | None:
    """Return whom the matrix names for a case as it stands: what dispatch proposes, and why.

    Only for a case that the caller has read in scope; None where there is no such case.
    """
    found = session.execute(
        select(Category.id, Incident.area_code, Incident.stage_at, Component.department_code)
        .join(Incident, Incident.category_id == Category.id)
        .outerjoin(Component, Component.id == Incident.component_id)
        .where(Incident.id == incident_id)
    ).first()
    if found is None:
        return None
    return owner_of(
        session,
        category_id=found.id,
        area_code=found.area_code,
        asset_owner=found.department_code,
        at=found.stage_at,
    )


def decided_alike(session: Session, incident_id: UUID) -> list[Like]:
    """Return what was decided on like cases that were argued about, the likest first.

    Only for a case that the caller has read in scope; a precedent itself names no case.
    """
    found = session.execute(
        select(Incident.category_id, Incident.area_code).where(Incident.id == incident_id)
    ).first()
    if found is None:
        return []
    return precedents(
        session, category_id=found.category_id, area_code=found.area_code, most=MOST_LIKE
    )


def departments(session: Session) -> list[Department]:
    """Return every department, in the order of the list."""
    return list(session.scalars(select(Department).order_by(Department.sort, Department.code)))
