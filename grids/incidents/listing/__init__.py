"""The queue: cases in order of their risk of being late, filtered, counted, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.incidents.listing.counting import FACETS, Counts, count_cases
from grids.incidents.listing.filters import (
    RISKS,
    TURNS,
    BadFilter,
    Filter,
    case_pairs,
    is_open,
    reach_of,
    risk_at,
    statuses_of,
    turn_of,
    worded,
)
from grids.incidents.listing.paging import MOST_ROWS, BadCursor, page_of
from grids.incidents.listing.rows import CaseRow, rows_at
from grids.incidents.models import Incident

__all__ = [
    "FACETS",
    "MOST_ROWS",
    "RISKS",
    "TURNS",
    "BadCursor",
    "BadFilter",
    "CaseRow",
    "Counts",
    "Filter",
    "Page",
    "case_pairs",
    "cases_of",
    "count_cases",
    "is_open",
    "list_cases",
    "page_of",
    "reach_of",
    "risk_at",
    "rows_at",
    "statuses_of",
    "turn_of",
    "worded",
]


@dataclass(frozen=True)
class Page:
    """A page of the queue, with counts over everything the filter lets through."""

    items: tuple[CaseRow, ...]
    next: str | None
    total: int
    by_status: dict[str, int] = field(default_factory=dict)
    by_risk: dict[str, int] = field(default_factory=dict)
    is_exact: bool = True  #: false where counts over what is over are estimates


def list_cases(session: Session, actor: Actor, wanted: Filter, *, now: datetime) -> Page:
    """Return one page of the queue: what is due first comes first, done cases newest first.

    `total` and the counts cover the whole filter; the counts by state leave the filter by
    state out, and those by risk that by risk, so that a face can offer the others. Raises
    `BadFilter` and `BadCursor`.
    """
    items, place = page_of(session, actor, wanted, now=now)
    counts = count_cases(session, actor, wanted, now=now, facets=("status", "risk"))
    by_risk = counts.facets["risk"]
    return Page(
        items=items,
        next=place,
        total=counts.total,
        by_status=dict(counts.facets["status"]),
        by_risk={risk: by_risk.get(risk, 0) for risk in RISKS},
        is_exact=counts.is_exact,
    )


def cases_of(
    session: Session, actor: Actor, ids: Sequence[UUID], *, now: datetime
) -> list[CaseRow]:
    """Return the lines of these cases that the caller may see, in no order."""
    if not ids:
        return []
    asked = rows_at(now).where(scope.condition(actor, Incident), Incident.id.in_(ids))
    return [CaseRow(**row) for row in session.execute(asked).mappings()]
