"""The first wall: the one query builder, who may see which rows.

A select over a model that knows an `area_code` goes through `visible` before it runs. The
scope is a set of ranges on the code (`lo <= code < hi`, bytewise order), so it is an index
condition; beside a small box it is a filter. Department staff see the cases dispatched to them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, any_, false, inspect, literal, or_, true
from sqlalchemy.dialects.postgresql import ARRAY

from grids.accounts import Actor
from grids.incidents.models import Incident


def code_range(prefix: str) -> tuple[str, str]:
    """Return the half-open range of codes that begin with the prefix.

    >>> code_range("339901001")
    ('339901001', '339901002')
    >>> code_range("19")
    ('19', '1:')
    """
    return prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)


def in_areas(
    column: Any, prefixes: tuple[str, ...], *, is_boxed: bool = False
) -> ColumnElement[bool]:
    """Say that a code lies in one of the areas; an empty prefix is the whole installation.

    `is_boxed` tells that a small box picks the rows: then no index of codes is of use, and the
    planner, which takes the two for independent, is not offered one.
    """
    if "" in prefixes:
        return true()
    if not prefixes:
        return false()
    if is_boxed:
        given = literal(list(prefixes), ARRAY(Text))
        begins: ColumnElement[bool] = column.op("^@", is_comparison=True)(any_(given))
        return begins
    ranges = (code_range(prefix) for prefix in prefixes)
    return or_(*((column >= low) & (column < high) for low, high in ranges))


def visible(statement: Select[Any], actor: Actor, model: Any) -> Select[Any]:
    """Limit a select to the rows of `model` that the actor may see."""
    return statement.where(condition(actor, model))


def condition(actor: Actor, model: Any, *, is_boxed: bool = False) -> ColumnElement[bool]:
    """Return the scope of an actor as a condition on `model`, for statements built otherwise."""
    place = in_areas(model.area_code, actor.areas, is_boxed=is_boxed)
    if _entity(model) is Incident and actor.department is not None:
        given: ColumnElement[bool] = model.involved.contains([actor.department])
        return place & given
    # A model may narrow its rows further than the area does: by department, by taking part.
    seen_by = getattr(_entity(model), "seen_by", None)
    return place if seen_by is None else place & seen_by(model, actor)


def may_see(actor: Actor, area_code: str) -> bool:
    """Say whether a place lies in one of the actor's areas (for single codes, not for lists)."""
    return any(area_code.startswith(prefix) for prefix in actor.areas)


def _entity(model: Any) -> Any:
    """Return the mapped class behind a model or an alias of it."""
    return inspect(model).mapper.class_
