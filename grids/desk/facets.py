"""Counts of the queue by facet, with the names of what is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.codes import Category, Department
from grids.divisions import Area
from grids.incidents.listing import Counts, Filter, count_cases, reach_of
from grids.incidents.listing.counting import Part

#: A part of the table for each reach of a filter: who looks at open cases is offered open states.
PARTS: Final[dict[str, tuple[Part, ...]]] = {
    "open": ("open",),
    "over": ("over",),
    "all": ("open", "over"),
}


@dataclass(frozen=True)
class Counted:
    """Counts, and the names of towns, categories and departments in both languages, by code."""

    counts: Counts
    names: Mapping[str, tuple[str, str]]


def counted(
    session: Session, actor: Actor, wanted: Filter, *, now: datetime, exact: bool = False
) -> Counted:
    """Count what a filter lets through by every facet. Raises `BadFilter`."""
    counts = count_cases(
        session, actor, wanted, now=now, parts=PARTS[reach_of(wanted)], exact=exact
    )
    towns, categories = counts.facets["town"], counts.facets["category"]
    names: dict[str, tuple[str, str]] = {}
    for statement in (
        select(Category.code, Category.name_zh, Category.name_en)
        .where(Category.code.in_(categories))
        .order_by(Category.valid_from),
        select(Department.code, Department.name_zh, Department.name_en).where(
            Department.code.in_(counts.facets["department"])
        ),
        select(Area.code, Area.name_zh, Area.name_en).where(Area.code.in_(towns)),
    ):
        names |= {code: (zh, en) for code, zh, en in session.execute(statement)}
    return Counted(counts, names)
