"""What a reporter may choose from: the categories of matters, the likely ones first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from grids.codes import DEFAULT_SYSTEM, LOCAL_SYSTEM, Category


@dataclass(frozen=True)
class Group:
    """A class of matters with its sub-classes."""

    head: Category
    members: tuple[Category, ...]


def matter_groups(session: Session, on: date, kind: str = "matter") -> list[Group]:
    """Return every matter that may be reported on a day, by class, in the order of the lists.

    The same for another kind, such as components.
    """
    rows = session.scalars(
        select(Category)
        .where(
            Category.kind == kind,
            Category.code_system.in_((DEFAULT_SYSTEM, LOCAL_SYSTEM)),
            or_(Category.valid_to.is_(None), Category.valid_to > on),
        )
        .order_by(Category.code_system, Category.sort)
    ).all()
    heads = {row.code: row for row in rows if row.parent is None}
    return [
        Group(head, tuple(row for row in rows if row.parent == code))
        for code, head in heads.items()
    ]


def likely_matters(
    session: Session, areas: tuple[str, ...], *, since: datetime, most: int
) -> Sequence[Category]:
    """Return the matters that were reported most in these areas, then the common ones."""
    counts = func.matters_reported(list(areas), since).table_valued("category_id", "n")
    return session.scalars(
        select(Category)
        .outerjoin(counts, counts.c.category_id == Category.id)
        .where(
            Category.kind == "matter",
            Category.parent.is_not(None),
            Category.valid_to.is_(None),
            or_(Category.is_common, counts.c.n > 0),
        )
        .order_by(counts.c.n.desc().nulls_last(), Category.is_common.desc(), Category.sort)
        .limit(most)
    ).all()
