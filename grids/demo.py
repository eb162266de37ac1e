"""Sign-ins of a demonstration: one account per role with a random password, never a default."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from grids.accounts import NO_PASSWORD, Account, Assignment, Shift, assign, create_account
from grids.accounts.models import RecoveryCode, SecondFactor
from grids.accounts.passwords import draw, hash_of
from grids.accounts.staff import end_everything
from grids.cells import Grid
from grids.city import the_city
from grids.codes import Department
from grids.divisions import Area
from grids.incidents.lifecycle import STATES
from grids.incidents.models import Incident

#: States in which a case waits for the worker of its grid.
WORKER_S_TURN = tuple(code for code, state in STATES.items() if state.holder == "worker")
CITY_ROLES = (
    "commander",
    "intake",
    "shift_leader",
    "dispatcher",
    "planner",
    "registrar",
    "steward",
    "system_admin",
    "security_admin",
    "audit_admin",
)


TOWN = 9  #: digits of a town's code


@dataclass(frozen=True)
class DemoLogin:
    """A sign-in to print: what it may do and where."""

    role: str
    login: str
    password: str
    area: str
    department: str | None = None
    title: str = ""  #: of the department or town, as the code lists name it

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as they stand in `demo-logins.json`."""
        return asdict(self)


def create_demo_accounts(session: Session, *, now: datetime) -> list[DemoLogin]:
    """Make or renew the demonstration's accounts; every call draws new passwords.

    The worker and the leader get the busiest grid, the town seat its town; every other town has
    a seat and every department, those of the towns included, a handler, so that each case of
    the demonstration can be taken to its end.
    """
    county = the_city(session).county_code
    grid = busiest_grid(session) or county
    logins = [_login(session, role, county, now=now) for role in CITY_ROLES]
    town = _town(session, grid)
    logins += [_login(session, role, town, now=now) for role in ("town_seat", "mediator")]
    worker = _field_login(session, "worker", grid, now)
    leader = _field_login(session, "grid_leader", grid[:12], now)
    logins += [worker, leader]
    towns = _towns(session)
    logins += [
        _login(session, "town_seat", code, now=now, mark=code, title=name)
        for code, name in towns.items() if code != town
    ]  # fmt: skip
    for code, name in session.execute(
        select(Department.code, Department.name_zh).order_by(Department.sort)
    ):
        area = code[1:] if code[1:] in towns else county
        logins.append(_login(session, "handler", area, code, now=now, title=name))
    _on_duty_today(session, [worker.login, leader.login], now)
    return logins


def _login(
    session: Session, role: str, area: str, department: str | None = None, *, now: datetime,
    mark: str = "", title: str = "",
) -> DemoLogin:  # fmt: skip
    """Make the account of a role, or give it a new password and the present area.

    `mark` tells apart logins of one role that have no department.
    """
    words = ("demo", role.replace("_", "-"), (department or mark).lower())
    login = "-".join(filter(None, words))
    password = draw()
    account = session.scalar(select(Account).where(Account.login == login))
    if account is None:
        account = create_account(session, login=login, name=login, password=password)
    else:
        _renew(session, account, password, now)
        session.execute(delete(Assignment).where(Assignment.account_id == account.id))
    assign(session, account, role, area_code=area, department=department)
    return DemoLogin(role, login, password, area, department, title)


def _field_login(session: Session, role: str, area: str, now: datetime) -> DemoLogin:
    """Let the visitor act as the area's own simulated worker, whom its cases name.

    Simulated people have no password that could be typed; the one who is taken over gets the
    demonstration's login and is found by it the next time. An imported city has none of them.
    """
    login = f"demo-{role.replace('_', '-')}"
    account = session.scalar(
        select(Account)
        .join(Assignment, Assignment.account_id == Account.id)
        .where(
            or_(
                Account.login == login,
                (Account.password_hash == NO_PASSWORD)
                & (Assignment.role == role)
                & (Assignment.area_code == area),
            )
        )
        .order_by((Account.login == login).desc(), Account.id)
        .limit(1)
    )
    if account is None:
        return _login(session, role, area, now=now)
    password = draw()
    account.login = login
    _renew(session, account, password, now)
    return DemoLogin(role, login, password, account.assignments[0].area_code)


def _renew(session: Session, account: Account, password: str, now: datetime) -> None:
    """Open an account with a new password, whatever the last visitor has made of it."""
    account.password_hash, account.password_at, account.must_change = hash_of(password), now, False
    account.failed_count, account.locked_until, account.is_active = 0, None, True
    end_everything(session, account.id, now)
    session.execute(delete(SecondFactor).where(SecondFactor.account_id == account.id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))


def busiest_grid(session: Session) -> str | None:
    """Return the code of the grid where a worker has most to do now, else of the first grid."""
    return session.scalar(
        select(Grid.code)
        .outerjoin(Incident, (Incident.grid_id == Grid.id) & Incident.status.in_(WORKER_S_TURN))
        .group_by(Grid.code)
        .order_by(func.count(Incident.id).desc(), Grid.code)
        .limit(1)
    )


def _town(session: Session, code: str) -> str:
    """Return the town that a code lies in, or the code itself where there is none."""
    return session.scalar(select(Area.code).where(Area.code == code[:9])) or code


def _towns(session: Session) -> dict[str, str]:
    """Return the towns of the city with their names."""
    found = session.execute(
        select(Area.code, Area.name_zh)
        .where(func.length(Area.code) == TOWN, Area.valid_to.is_(None))
        .order_by(Area.code)
    )
    return {row.code: row.name_zh for row in found}


def are_known(session: Session, logins: list[str]) -> bool:
    """Say whether every login has its account: a city that was replaced took them along."""
    known = session.scalar(
        select(func.count()).select_from(Account).where(Account.login.in_(logins))
    )
    return known == len(logins)


def _on_duty_today(session: Session, logins: list[str], now: datetime) -> None:
    """Put the demonstration's outdoor people on duty for twelve hours."""
    ids = session.scalars(select(Account.id).where(Account.login.in_(logins))).all()
    session.execute(delete(Shift).where(Shift.account_id.in_(ids)))
    session.add_all(
        Shift(account_id=one, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=11))
        for one in ids
    )
