"""Lists of a register: by area, by words, by number, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.buildings import Address
from grids.enterprises import Enterprise
from grids.registers.kinds import Kind
from grids.search import holds

PAGE: Final = 50
LONGEST: Final = 80


@dataclass(frozen=True)
class Listed:
    """One page of a list, and the key that the next begins after; none at the end."""

    rows: tuple[Any, ...]
    next: int | None


def listed(
    session: Session, actor: Actor, kind: Kind, *, area: str = "", words: str = "", after: int = 0
) -> Listed:
    """List the entries of a register in an area of the caller's scope, by key.

    Words are looked for in what names an entry; a whole number or identifier finds its one.
    """
    model = kind.model
    statement = (
        select(model)
        .where(
            scope.condition(actor, model),
            scope.in_areas(model.area_code, (area,)),
            model.valid_to.is_(None),
            model.id > after,
            *_named(kind, words.strip()[:LONGEST]),
        )
        .order_by(model.id)
        .limit(PAGE + 1)
    )
    rows = session.scalars(statement).all()
    return Listed(tuple(rows[:PAGE]), rows[PAGE - 1].id if len(rows) > PAGE else None)


def _named(kind: Kind, words: str) -> list[ColumnElement[bool]]:
    if not words:
        return []
    model = kind.model
    if kind.number and words.isascii() and words.isalnum() and len(words) >= 17:
        return [getattr(model, kind.number) == words.upper()]
    column = getattr(model, kind.title[0])
    if model is Enterprise or kind.name == "address":
        return holds(column, words)
    return [func.coalesce(column, "").icontains(words, autoescape=True)]


def addresses(session: Session, actor: Actor, rows: Sequence[Any]) -> dict[int, str]:
    """Return the texts of the addresses that entries carry, by key."""
    keys = {row.address_id for row in rows if getattr(row, "address_id", None)}
    if not keys:
        return {}
    found = session.execute(
        select(Address.id, Address.text).where(
            scope.condition(actor, Address), Address.id.in_(keys)
        )
    )
    return {key: words for key, words in found}  # noqa: C416 - rows are no pairs
