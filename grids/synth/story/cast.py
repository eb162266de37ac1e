"""Who takes the steps of a tale: the simulated staff, completed by the posts that it lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session, selectinload

from grids.accounts import NO_PASSWORD, Account, Actor, Assignment, actor_of
from grids.city import the_city
from grids.codes import Department
from grids.responsibility.seed import town_department
from grids.synth.names import person_names

#: Staff of the simulator have been in office for longer than any tale.
IN_OFFICE: Final = timedelta(days=800)
TAKEN_OVER: Final = ("demo-worker", "demo-grid-leader")
COMMANDERS, MEDIATORS, HANDLERS = 2, 2, 2


def _ours() -> ColumnElement[bool]:
    """Simulated staff, and the two that a demonstration of before has taken over."""
    return or_(Account.password_hash == NO_PASSWORD, Account.login.in_(TAKEN_OVER))


class Cast:
    """Everybody who acts, by role and area; the same person for the same question."""

    def __init__(self, session: Session, rng: np.random.Generator, now: datetime) -> None:
        self.county = the_city(session).county_code
        self._complete(session, rng, now)
        self._by_role: dict[str, list[Actor]] = defaultdict(list)
        for account in session.scalars(
            select(Account)
            .where(_ours(), Account.is_active)
            .options(selectinload(Account.assignments))
            .order_by(Account.id)
            .execution_options(populate_existing=True)
        ):
            actor = actor_of(account, now)
            if actor is None:
                continue
            for role in actor.roles:
                self._by_role[role].append(actor)

    def departments(self) -> list[str]:
        """Return the departments of the city that have handlers, in their order."""
        found = dict.fromkeys(one.department for one in self._by_role["handler"])
        return [code for code in found if code and code.startswith("D")]

    def everybody(self, role: str) -> list[Actor]:
        """Return all holders of a role."""
        return self._by_role[role]

    def find(
        self, who: str, area: str, k: int = 0, *, department: str | None = None,
        besides: Iterable[int] = (),
    ) -> Actor:  # fmt: skip
        """Return the k-th holder of a role for a place; a 2 behind it is the one after.

        Raises `LookupError` where the city has nobody for it.
        """
        role, more = (who[:-1], 1) if who.endswith("2") else (who, 0)
        fitting = [
            one for one in self._by_role[role]
            if area.startswith(one.areas) and department in (None, one.department)
            and one.account_id not in set(besides)
        ]  # fmt: skip
        if not fitting:
            raise LookupError(f"no {role} for {area} {department or ''}")
        return fitting[(k + more) % len(fitting)]

    def _complete(self, session: Session, rng: np.random.Generator, now: datetime) -> None:
        """Add commanders, mediators of each town and handlers of departments without any."""
        towns = sorted({
            code[:9] for code in session.scalars(
                select(Assignment.area_code).where(Assignment.role == "town_seat"))
        })  # fmt: skip
        posts: list[tuple[str, str, str, str | None]] = [
            (f"commander-{n}", "commander", self.county, None) for n in range(1, COMMANDERS + 1)
        ]
        posts += [(f"m{town}-{n}", "mediator", town, None)
                  for town in towns for n in range(1, MEDIATORS + 1)]  # fmt: skip
        known = set(session.scalars(select(Department.code)))
        staffed = set(session.scalars(
            select(Assignment.department_code)
            .join(Account, Account.id == Assignment.account_id)
            .where(_ours(), Assignment.role == "handler")))  # fmt: skip
        own = {town_department(town): town for town in towns}
        posts += [
            (f"{code.lower()}-{n}", "handler", own.get(code, self.county), code)
            for code in sorted(known - staffed) for n in range(1, HANDLERS + 1)
        ]  # fmt: skip
        there = set(session.scalars(select(Account.login)))
        posts = [post for post in posts if post[0] not in there]
        names = person_names(rng, len(posts))
        for (login, role, area, department), name in zip(posts, names, strict=True):
            account = Account(login=login, name=name, password_hash=NO_PASSWORD)
            account.assignments.append(
                Assignment(
                    role=role, area_code=area, department_code=department,
                    valid_from=now - IN_OFFICE,
                )
            )  # fmt: skip
            session.add(account)
        session.flush()
        simulated = select(Account.id).where(_ours())
        session.execute(
            update(Assignment)
            .where(Assignment.account_id.in_(simulated), Assignment.valid_from > now - IN_OFFICE)
            .values(valid_from=now - IN_OFFICE)
            .execution_options(synchronize_session=False)
        )
