"""A year of made-up tables of key population, so that the demonstration has something to show."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from grids.accounts import Account, Assignment
from grids.key_population.models import PopulationBatch, PopulationCount
from grids.key_population.publishing import publish_waiting
from grids.people import PeopleCount
from grids.people.counts_blur import SMALLEST

#: How many of a thousand residents, and how that grows in a year.
RATES: Final = {
    "KP01": (3.2, -0.08), "KP02": (2.1, 0.05), "KP03": (1.6, -0.12), "KP04": (4.1, 0.02),
    "KP05": (2.8, -0.05), "KP06": (31.0, 0.12), "KP07": (14.0, -0.15), "KP08": (42.0, 0.03),
    "KP09": (26.0, -0.1),
}  # fmt: skip
#: Kinds that are frequent enough to be given by community; the others come by town.
BY_COMMUNITY: Final = frozenset({"KP06", "KP07", "KP08", "KP09"})
MONTHS: Final = 12
TOWN, COMMUNITY = 9, 12


def fill(session: Session, now: datetime) -> int:
    """Load and publish twelve months, unless something was loaded; return how many rows.

    Needs the owner's role. The counts follow the published counts of people, not the register.
    """
    if session.scalar(text("SELECT 1 FROM population_batch LIMIT 1")):
        return 0
    loader = session.scalar(
        select(Assignment.account_id)
        .join(Account, Account.id == Assignment.account_id)
        .where(Assignment.role == "registrar")
        .limit(1)
    )
    people = session.execute(
        select(PeopleCount.area_code, PeopleCount.value).where(
            PeopleCount.measure == "people", PeopleCount.value.is_not(None)
        )
    ).all()
    if loader is None or not people:
        return 0
    total = 0
    for back in reversed(range(MONTHS)):
        month = _month(now.date(), back)
        rows = [
            {"category": kind, "period": month, "area_code": code, "count": count}
            for code, n in people
            for kind, count in _counts(code, n or 0, MONTHS - 1 - back)
        ]
        # The months were loaded one after the other; only the last is younger than an hour.
        batch = PopulationBatch(
            account_id=loader, uploaded_at=now - timedelta(hours=back), rows=len(rows)
        )
        session.add(batch)
        session.flush()
        if rows:
            session.execute(
                insert(PopulationCount), [{**row, "batch_id": batch.id} for row in rows]
            )
        total += len(rows)
    publish_waiting(session.connection(), now)
    return total


def _counts(code: str, people: int, months: int) -> list[tuple[str, int | None]]:
    """Make the counts of an area in a month: alike at every call, different by area and kind."""
    found: list[tuple[str, int | None]] = []
    for kind, (rate, growth) in RATES.items():
        if len(code) != (COMMUNITY if kind in BY_COMMUNITY else TOWN):
            continue
        chance = Random(f"{kind} {code}")  # noqa: S311 - a demonstration
        share = rate / 1000 * chance.uniform(0.5, 1.6) * (1 + growth * months / MONTHS)
        count = round(people * share)
        found.append((kind, count if count >= SMALLEST else None))
    return found


def _month(today: date, back: int) -> date:
    """Return the first day of a month that many before the last full one."""
    at = today.year * 12 + today.month - 2 - back
    return date(at // 12, at % 12 + 1, 1)
