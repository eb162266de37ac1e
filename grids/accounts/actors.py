"""Who acts: the roles, areas and department that hold now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grids.accounts.models import Account
from grids.accounts.roles import ROLES


@dataclass(frozen=True)
class Grant:
    """One role as it was given: where, in which department, for what."""

    role: str
    area_code: str
    department: str | None = None
    purpose: str = ""


@dataclass(frozen=True)
class Actor:
    """Who acts: the account with the roles, areas and department that hold now."""

    account_id: int
    name: str
    roles: frozenset[str]
    permissions: frozenset[str]
    areas: tuple[str, ...]  #: code prefixes; nothing outside them is seen
    department: str | None = None  #: set for department staff: only cases dispatched to it
    grants: tuple[Grant, ...] = ()  #: what the fields above were joined from

    def can(self, permission: str) -> bool:
        """Say whether one of the actor's roles grants the permission."""
        return permission in self.permissions

    def areas_for(self, permission: str) -> tuple[str, ...]:
        """Return the areas in which the actor may do one thing: those of the roles that grant it.

        Somebody who plans for the county and sits in one town's seat moves cases of that town.
        """
        if not self.can(permission):
            return ()
        if not self.grants:
            return self.areas
        return tuple(sorted({g.area_code for g in self.grants if permission in ROLES[g.role]}))


def actor_of(account: Account, at: datetime) -> Actor | None:
    """Join the assignments that hold at a moment; None where there is none.

    Department staff act for one department: the first assignment that names one.
    """
    return actor_from(account.id, account.name, account.assignments, at)


def actor_from(
    account_id: int, name: str, assignments: Iterable[Any], at: datetime
) -> Actor | None:
    """Join assignments, or rows with their columns, that hold at a moment; None without any."""
    held = [a for a in assignments if a.valid_from <= at and (not a.valid_to or at < a.valid_to)]
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
        grants=tuple(Grant(a.role, a.area_code, a.department_code, a.purpose) for a in held),
    )
