"""Making accounts and giving them roles."""

from __future__ import annotations

from sqlalchemy.orm import Session

from grids.accounts.models import Account, Assignment
from grids.accounts.passwords import HASHER, SHORTEST_PASSWORD, WeakPassword
from grids.accounts.roles import ROLES
from grids.errors import Invalid


class UnknownRole(Invalid):
    """There is no such role."""

    code = "account.unknown_role"


def create_account(session: Session, *, login: str, name: str, password: str) -> Account:
    """Add an account. Raises `WeakPassword` below 12 characters or where it holds the login."""
    if len(password) < SHORTEST_PASSWORD or login.lower() in password.lower():
        raise WeakPassword(
            f"the password needs {SHORTEST_PASSWORD} characters and not the login",
            length=SHORTEST_PASSWORD,
        )
    account = Account(login=login, name=name, password_hash=HASHER.hash(password))
    session.add(account)
    session.flush()
    return account


def assign(
    session: Session, account: Account, role: str, *, area_code: str, department: str | None = None
) -> Assignment:
    """Give an account a role in an area and, for department staff, a department."""
    if role not in ROLES:
        raise UnknownRole(f"no role {role!r}", role=role)
    assignment = Assignment(
        account_id=account.id, role=role, area_code=area_code, department_code=department
    )
    session.add(assignment)
    session.flush()
    return assignment
