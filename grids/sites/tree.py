"""The tree of the organisations: how many there are of each kind, and which have their site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.area_tree import AreaNode, areas_under
from grids.divisions import Area
from grids.sites.models import Site

#: What a tree has under a county, and under a town: digits of the code -> kinds.
LEVEL_KINDS: Final[dict[int, tuple[str, ...]]] = {
    9: ("street", "town", "zone"),
    12: ("community", "village"),
}


@dataclass(frozen=True)
class KindCount:
    """How many organisations of a kind there are, and how many of them have their site."""

    kind: str
    organisations: int
    sites: int


@dataclass(frozen=True)
class Node:
    """One organisation of the tree with its site, and what stands right under it."""

    area: AreaNode
    site: Site | None
    below: tuple[KindCount, ...]


def counts(session: Session, actor: Actor, area: str = "") -> tuple[KindCount, ...]:
    """Count the organisations in an area of the caller's scope, the area itself included."""
    return _by_area(session, actor, (area,), 0).get("", ())


def under(session: Session, actor: Actor, area: str) -> tuple[Node, ...]:
    """List the organisations right under an area; of a community there are none."""
    if len(area) >= 12:
        return ()
    nodes = [node for node in areas_under(session, actor, area) if node.level <= 12]
    if not nodes:
        return ()
    codes = tuple(node.code for node in nodes)
    sites = {
        site.org_code: site
        for site in session.scalars(
            select(Site).where(
                scope.condition(actor, Site), Site.org_code.in_(codes), Site.valid_to.is_(None)
            )
        )
    }
    below = _by_area(session, actor, codes, len(codes[0]))
    return tuple(
        Node(node, sites.get(node.code), _without(below.get(node.code, ()), node)) for node in nodes
    )


def _without(found: tuple[KindCount, ...], node: AreaNode) -> tuple[KindCount, ...]:
    """Leave an organisation's own kind out of what stands under it."""
    return tuple(one for one in found if one.kind not in LEVEL_KINDS.get(node.level, ()))


def _by_area(
    session: Session, actor: Actor, areas: Sequence[str], digits: int
) -> dict[str, tuple[KindCount, ...]]:
    """Count by kind for each of some codes of one length; 0 digits count them all together."""
    head = func.left(Area.code, digits)
    known = [kind for kinds in LEVEL_KINDS.values() for kind in kinds]
    # An area of an outside map may have no kind: its level says the most of it.
    kind = case(
        (Area.kind.in_(known), Area.kind),
        (Area.level == 9, literal("town")),
        else_=literal("community"),
    )
    rows = session.execute(
        select(head, kind, func.count(), func.count(Site.id))
        .outerjoin(Site, (Site.org_code == Area.code) & Site.valid_to.is_(None))
        .where(
            Area.level > 6,
            Area.valid_to.is_(None),
            scope.in_areas(Area.code, tuple(actor.areas)),
            scope.in_areas(Area.code, tuple(areas)),
        )
        .group_by(head, kind)
    ).all()
    found: dict[str, dict[str, KindCount]] = {}
    for code, word, organisations, n in rows:
        found.setdefault(code, {})[word] = KindCount(word, organisations, n)
    return {
        code: tuple(kinds[word] for word in known if word in kinds) for code, kinds in found.items()
    }
