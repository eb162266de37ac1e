"""Roles given and taken away: what the security administrator does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.errors import ExclusionViolation
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from grids import audit
from grids.accounts.models import Account, Assignment
from grids.accounts.roles import ADMIN_ROLES, DEPARTMENT_ROLES, ROLES
from grids.accounts.staff import keep_an_administrator, locked_row
from grids.cells import Grid
from grids.codes import Department
from grids.divisions import Area
from grids.errors import Conflict, Invalid, NotFound

LONGEST_PURPOSE = 200
LENGTH_OF_COUNTY = 6


class UnknownRole(Invalid):
    """There is no such role."""

    code = "account.unknown_role"


class UnknownPlace(Invalid):
    """There is no such area or department, or the role needs one."""

    code = "account.unknown_place"


class BadPeriod(Invalid):
    """A grant ends before it begins, or has ended already."""

    code = "account.bad_period"


class RoleConflict(Conflict):
    """An administrator holds no other role, and nobody becomes one beside another role."""

    code = "account.role_conflict"


class NoGrant(NotFound):
    """There is no such grant, or it has ended."""

    code = "account.no_grant"


@dataclass(frozen=True)
class GrantRow:
    """One grant as lists show it."""

    id: int
    account_id: int
    login: str
    name: str
    role: str
    area_code: str
    department: str | None
    purpose: str
    valid_from: datetime
    valid_to: datetime | None
    granted_by: str | None  #: login of the giver; None: by the installation itself
    granted_at: datetime
    revoked_at: datetime | None
    is_held: bool  #: now


def assign(
    session: Session,
    account: Account,
    role: str,
    *,
    area_code: str,
    department: str | None = None,
    purpose: str = "",
) -> Assignment:
    """Give a role without a giver: set-up, imports and the demonstration.

    Raises `UnknownRole` or `RoleConflict`.
    """
    assignment = Assignment(
        account_id=account.id,
        role=role,
        area_code=area_code,
        department_code=department,
        purpose=purpose,
    )
    return _stored(session, assignment, datetime.now(UTC))


def grant(
    session: Session,
    account_id: int,
    role: str,
    *,
    area_code: str,
    by: int,
    now: datetime,
    department: str | None = None,
    purpose: str = "",
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    source_ip: str = "",
) -> Assignment:
    """Give a role in an area, for department staff in a department, for a purpose and a time.

    Raises `NoAccount`, `NotOneself`, `UnknownRole`, `UnknownPlace`, `BadPeriod` or
    `RoleConflict`.
    """
    locked_row(session, account_id, by)
    begins = valid_from or now
    _check_place(session, role, area_code, department)
    if valid_to is not None and (valid_to <= begins or valid_to <= now):
        raise BadPeriod("the grant ends before it begins", field="valid_to")
    if len(purpose) > LONGEST_PURPOSE:
        raise Invalid(f"at most {LONGEST_PURPOSE} characters", field="purpose")
    assignment = Assignment(
        account_id=account_id,
        role=role,
        area_code=area_code,
        department_code=department or None,
        purpose=purpose.strip(),
        valid_from=begins,
        valid_to=valid_to,
        granted_by=by,
        granted_at=now,
    )
    made = _stored(session, assignment, begins)
    detail = {"grant": made.id, "role": role, "area": area_code, "department": department}
    _note(session, "role_granted", account_id, by, source_ip, detail)
    return made


def revoke(
    session: Session, grant_id: int, *, by: int, now: datetime, source_ip: str = ""
) -> Assignment:
    """End a grant now; the row stays. Sessions lose the role with their next request.

    Raises `NoGrant`, `NotOneself` or `LastAdministrator`.
    """
    held = session.get(Assignment, grant_id, with_for_update=True, populate_existing=True)
    if held is None or (held.valid_to is not None and held.valid_to <= now):
        raise NoGrant(f"no grant {grant_id} to end")
    locked_row(session, held.account_id, by)
    if held.role in ADMIN_ROLES:
        keep_an_administrator(session, held.account_id, held.role, now)
    held.valid_to = max(now, held.valid_from)
    held.revoked_by, held.revoked_at = by, now
    session.flush()
    detail = {"grant": grant_id, "role": held.role, "area": held.area_code}
    _note(session, "role_revoked", held.account_id, by, source_ip, detail)
    return held


def grants_of(session: Session, account_id: int, *, now: datetime) -> list[GrantRow]:
    """Return every grant of an account, those that hold first, then the latest."""
    rows = _grants(session, now, Assignment.account_id == account_id)
    return sorted(rows, key=lambda row: (row.is_held, row.granted_at), reverse=True)


def expiring_grants(
    session: Session, *, now: datetime, within: timedelta = timedelta(days=30), limit: int = 200
) -> list[GrantRow]:
    """Return grants that hold now and end soon, the next one first."""
    rows = _grants(
        session,
        now,
        (Assignment.valid_to > now)
        & (Assignment.valid_to <= now + within)
        & (Assignment.valid_from <= now),
        limit=limit,
    )
    return sorted(rows, key=lambda row: row.valid_to or now)


def check_conflict(
    session: Session, account_id: int, role: str, begins: datetime, ends: datetime | None
) -> None:
    """Raise `RoleConflict` where the account holds a role beside which this one cannot stand."""
    others = session.scalars(
        select(Assignment.role).where(
            Assignment.account_id == account_id,
            Assignment.role != role,
            or_(Assignment.valid_to.is_(None), Assignment.valid_to > begins),
            Assignment.valid_from < ends if ends is not None else Assignment.id.is_not(None),
            or_(Assignment.valid_to.is_(None), Assignment.valid_to > Assignment.valid_from),
        )
    ).all()
    if any(role in ADMIN_ROLES or other in ADMIN_ROLES for other in others):
        raise _conflict(role)


def _stored(session: Session, assignment: Assignment, begins: datetime) -> Assignment:
    if assignment.role not in ROLES:
        raise UnknownRole(f"no role {assignment.role!r}", role=assignment.role, field="role")
    check_conflict(session, assignment.account_id, assignment.role, begins, assignment.valid_to)
    try:
        with session.begin_nested():
            session.add(assignment)
    except IntegrityError as error:  # somebody else granted at the same moment
        if isinstance(error.orig, ExclusionViolation):
            raise _conflict(assignment.role) from error
        raise
    return assignment


def _conflict(role: str) -> RoleConflict:
    return RoleConflict(f"{role} cannot stand beside another role", role=role, field="role")


def _check_place(session: Session, role: str, area_code: str, department: str | None) -> None:
    is_known = area_code.isdecimal() and (
        len(area_code) == LENGTH_OF_COUNTY
        or session.scalar(select(Area.code).where(Area.code == area_code)) is not None
        or session.scalar(select(Grid.code).where(Grid.code == area_code).limit(1)) is not None
    )
    if not is_known:
        raise UnknownPlace(f"no area {area_code!r}", field="area_code")
    if role in DEPARTMENT_ROLES and not department:
        raise UnknownPlace(f"the role {role} needs a department", field="department")
    if department and session.get(Department, department) is None:
        raise UnknownPlace(f"no department {department!r}", field="department")


def _grants(
    session: Session, now: datetime, condition: ColumnElement[bool], limit: int = 200
) -> list[GrantRow]:
    giver = aliased(Account)
    found = session.execute(
        select(Assignment, Account.login, Account.name, giver.login.label("giver"))
        .join(Account, Account.id == Assignment.account_id)
        .outerjoin(giver, giver.id == Assignment.granted_by)
        .where(condition)
        .order_by(func.coalesce(Assignment.valid_to, Assignment.granted_at), Assignment.id)
        .limit(limit)
    ).all()
    return [_row(row, now) for row in found]


def _row(row: Any, now: datetime) -> GrantRow:
    held: Assignment = row.Assignment
    is_held = held.valid_from <= now and (held.valid_to is None or now < held.valid_to)
    return GrantRow(
        id=held.id,
        account_id=held.account_id,
        login=row.login,
        name=row.name,
        role=held.role,
        area_code=held.area_code,
        department=held.department_code,
        purpose=held.purpose,
        valid_from=held.valid_from,
        valid_to=held.valid_to,
        granted_by=row.giver,
        granted_at=held.granted_at,
        revoked_at=held.revoked_at,
        is_held=is_held,
    )


def _note(
    session: Session, action: str, account_id: int, by: int, source_ip: str, detail: dict[str, Any]
) -> None:
    audit.record(
        session,
        action,
        actor_id=by,
        subject=f"account:{account_id}",
        source_ip=source_ip,
        detail=detail,
    )
