"""The tree of areas as pages walk it: county, town, community, duty grid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.db import queries
from grids.divisions import Area

MOST_AREAS: Final = 2000


@dataclass(frozen=True)
class AreaNode:
    """One area of the tree with the box around it."""

    code: str
    level: int
    kind: str
    name_zh: str
    name_en: str
    bounds: tuple[float, float, float, float]
    has_children: bool


def area_names(session: Session, code: str) -> tuple[str, str]:
    """Return the Chinese and the English name of an area; empty where it is unknown."""
    row = session.execute(queries("areas")["area_one"], {"code": code}).first()
    return (row.name_zh, row.name_en) if row else ("", "")


def area_node(session: Session, code: str, *, on: date | None = None) -> AreaNode | None:
    """Return one area with its box, or a duty grid as the leaf that it is (or was, `on` a day)."""
    if len(code) == 15:
        low, high = scope.code_range(code)
        values = {"lo": low, "hi": high, "most": 1, "on": on}
        rows = session.execute(queries("areas")["grids_of_community"], values).all()
    else:
        rows = session.execute(queries("areas")["area_one"], {"code": code}).all()
    return _node(rows[0]) if rows else None


def areas_under(
    session: Session, actor: Actor, parent: str, *, on: date | None = None
) -> tuple[AreaNode, ...]:
    """List the areas right under a code; without one, those that the caller answers for.

    Under a community stand its duty grids, today's or those of a day. Areas outside the caller's scope are left out,
    except those on the way down to it.
    """
    if not parent:
        nodes = (area_node(session, code) for code in sorted(actor.areas) if code)
        return tuple(node for node in nodes if node) or _all_counties(session)
    if len(parent) == 12:
        low, high = scope.code_range(parent)
        values = {"lo": low, "hi": high, "most": MOST_AREAS, "on": on}
        rows = session.execute(queries("areas")["grids_of_community"], values).all()
    else:
        values = {"parent": parent, "most": MOST_AREAS}
        rows = session.execute(queries("areas")["area_children"], values).all()
    nodes_under = (_node(row) for row in rows)
    return tuple(node for node in nodes_under if _is_on_the_way(actor, node.code))


def _all_counties(session: Session) -> tuple[AreaNode, ...]:
    counties = select(Area.code).where(Area.level == 6, Area.valid_to.is_(None))
    codes = session.scalars(counties.order_by(Area.code)).all()
    nodes = (area_node(session, code) for code in codes)
    return tuple(node for node in nodes if node)


def _is_on_the_way(actor: Actor, code: str) -> bool:
    return any(code.startswith(area) or area.startswith(code) for area in actor.areas)


def _node(row: Any) -> AreaNode:
    return AreaNode(
        code=row.code,
        level=row.level,
        kind=row.kind,
        name_zh=row.name_zh,
        name_en=row.name_en,
        bounds=(row.west, row.south, row.east, row.north),
        has_children=row.has_children or row.level == 12,
    )
