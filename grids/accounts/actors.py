"""Who acts: the roles, areas and department that hold now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from grids.accounts.models import Account
from grids.accounts.roles import ROLES


@dataclass(frozen=True)
class Actor:
    """Who acts: the account with the roles, areas and department that hold now."""

    account_id: int
    name: str
    roles: frozenset[str]
    permissions: frozenset[str]
    areas: tuple[str, ...]  #: code prefixes; nothing outside them is seen
    department: str | None = None  #: set for department staff: only cases dispatched to it

    def can(self, permission: str) -> bool:
        """Say whether one of the actor's roles grants the permission."""
        return permission in self.permissions


def actor_of(account: Account, on: date) -> Actor | None:
    """Join the assignments that hold on a day; None where there is none.

    Department staff act for one department: the first assignment that names one.
    """
    return actor_from(account.id, account.name, account.assignments, on)


def actor_from(account_id: int, name: str, assignments: Iterable[Any], on: date) -> Actor | None:
    """Join assignments, or rows with their columns, that hold on a day; None without any."""
    held = [a for a in assignments if a.valid_from <= on and (not a.valid_to or on < a.valid_to)]
    if not held:
        return None
    roles = frozenset(a.role for a in held)
    return Actor(
        account_id=account_id,
        name=name,
        roles=roles,
        permissions=frozenset().union(*(ROLES[role] for role in roles)),
        areas=tuple(sorted({a.area_code for a in held})),
        department=next((a.department_code for a in held if a.department_code), None),
    )
