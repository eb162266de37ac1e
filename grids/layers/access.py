"""Who sees which layer and which of its rows, as a condition for every statement over it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from psycopg import sql
from sqlalchemy import ColumnElement, and_, literal_column, true
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import aliased

from gis.postgis import EVERYTHING, Where
from grids.accounts import Actor
from grids.errors import Invalid, NotAllowed
from grids.incidents.models import Incident
from grids.layers.model import Layer
from grids.layers.registry import LAYERS, layer_of
from grids.scope import condition as scope_of
from grids.scope import in_areas

#: Area codes have 6, 9, 12 or 15 digits; a prefix of them is as good.
LONGEST_CODE: Final = 18
_DIALECT: Final = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class NoArea(Invalid):
    """An area code is not made of digits."""

    code = "layer.bad_area"


def may_see(layer: Layer, actor: Actor | None) -> bool:
    """Say whether the caller's roles show a layer at all."""
    return layer.permission is None or (actor is not None and actor.can(layer.permission))


def layers_for(actor: Actor | None) -> tuple[Layer, ...]:
    """List the layers that a caller may see, in the order of the registry."""
    return tuple(layer for layer in LAYERS if may_see(layer, actor))


def seen_layer(layer_id: str, actor: Actor | None) -> Layer:
    """Return a layer. Raises `NoLayer`, or `NotAllowed` where the caller's roles hide it."""
    layer = layer_of(layer_id)
    if not may_see(layer, actor):
        raise NotAllowed(f"needs the permission {layer.permission}", permission=layer.permission)
    return layer


def condition(
    layer: Layer, actor: Actor | None, *, area: str = "", classes: tuple[str, ...] = (),
    is_boxed: bool = False,
) -> Where:  # fmt: skip
    """Limit a layer to what the caller may see and asks for; the only way to its rows.

    `area` is a code or the beginning of one; `is_boxed` as in `grids.scope.in_areas`. Raises
    `NoArea` for anything else.
    """
    checked_area(area)
    if layer.scope is not None and actor is None:
        raise NotAllowed("sign in first", permission=layer.permission)
    areas, department = (actor.areas, actor.department) if actor else ((), None)
    # A layer of areas is for everybody, but may be narrowed to those under one.
    narrowed = "code" if layer.scope is None and layer.id == "area" else layer.scope
    caller = (areas, department if layer.is_case else None) if layer.scope is not None else None
    return _condition(narrowed, caller, area, layer.class_filter, classes, is_boxed=is_boxed)


@lru_cache(maxsize=4096)
def _condition(
    column_name: str | None,
    caller: tuple[tuple[str, ...], str | None] | None,
    area: str,
    class_filter: str | None,
    classes: tuple[str, ...],
    *,
    is_boxed: bool,
) -> Where:
    """Compile a condition once: that takes longer than reading a small tile."""
    parts: list[ColumnElement[bool]] = []
    column: Any = literal_column(f't."{column_name}"')
    if caller is not None:
        areas, department = caller
        if department is None:
            parts.append(in_areas(column, areas, is_boxed=is_boxed))
        else:
            who = Actor(0, "", frozenset(), frozenset(), areas, department)
            parts.append(scope_of(who, aliased(Incident, name="t"), is_boxed=is_boxed))
    if area and column_name is not None:
        parts.append(in_areas(column, (area,), is_boxed=is_boxed))
    if classes and class_filter:
        parts.append(literal_column(f't."{class_filter}"').in_(classes))
    return compiled(and_(true(), *parts)) if parts else EVERYTHING


def compiled(expression: ColumnElement[bool]) -> Where:
    """Turn a condition of the one scope builder into a fragment for psycopg, values bound."""
    statement = expression.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return Where(sql.SQL(str(statement)), dict(statement.params))


def checked_area(area: str) -> str:
    """Return an area code that may stand in a statement. Raises `NoArea`."""
    if area and not (area.isascii() and area.isdecimal() and len(area) <= LONGEST_CODE):
        raise NoArea(f"area {area[:20]!r} is not a code of digits", field="area", area=area[:20])
    return area


def scope_key(layer: Layer, actor: Actor | None) -> str:
    """Name the scope of a caller: two callers with the same key get the same tile."""
    if layer.scope is None or actor is None:
        return ""
    department = actor.department if layer.is_case and actor.department else ""
    return ",".join(sorted(actor.areas)) + "/" + department
