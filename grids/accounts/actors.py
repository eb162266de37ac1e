"""Who acts: the roles, areas and department that hold now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
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

    def acting(self, permission: str) -> Actor:
        """Return the actor as far as the grants go that allow one thing: its roles and areas.

        A view narrows its caller by the permission it states, so that what one role may do is
        never done in the area of another.
        """
        held = [grant for grant in self.grants if permission in ROLES[grant.role]]
        if not held or len(held) == len(self.grants):
            return self
        return replace(
            self,
            roles=frozenset(grant.role for grant in held),
            areas=tuple(sorted({grant.area_code for grant in held})),
            department=next((grant.department for grant in held if grant.department), None),
            grants=tuple(held),
        )

    def holds(self, role: str, area_code: str) -> bool:
        """Say whether the actor has a role for a place."""
        if not self.grants:
            return role in self.roles
        return any(g.role == role and area_code.startswith(g.area_code) for g in self.grants)


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
