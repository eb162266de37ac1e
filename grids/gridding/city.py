"""Lay the divisions of a whole city: towns, communities and duty grids, all from its blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import shapely

from grids.gridding.blocks import (
    GREAT,
    Barriers,
    Blocks,
    Floats,
    Ints,
    Shapes,
    inner_points,
    lay_blocks,
    locate,
    sums,
)
from grids.gridding.communities import Level, Within, lay_communities
from grids.gridding.regions import dissolve, merge, quotient, reading_order
from grids.gridding.territory import (
    Division,
    DutyGrid,
    Known,
    Layout,
    Name,
    Sizes,
    Territory,
    TooManyGrids,
)

#: Sequence numbers that basic grids of a community may have (domain 2.4).
LAST_BASIC_GRID: Final = 799
#: A part without dwellings and smaller than this belongs to the nearest grid.
ISLET_M2: Final = 2_000.0


def lay_city(city: Territory) -> Layout:
    """Divide a city into towns, communities and duty grids; the same city always alike.

    Known towns and communities keep their borders; other land is divided around its places,
    as far as main roads and water. Grids follow every road, hold about `Sizes.grid` dwellings
    and cover each community wholly. Raises `TooManyGrids`.
    """
    barriers = _with_borders(city.barriers, _shapes(city.communities))
    blocks = lay_blocks(
        city.outline,
        _shapes(city.towns),
        barriers,
        city.homes,
        most_dwellings=1.25 * city.sizes.grid,
    )
    towns = lay_communities(
        blocks,
        np.zeros(len(blocks), dtype=np.int64),
        city.town_seeds,
        city.sizes.town,
        known=Within(blocks.owner, [town.name for town in city.towns]),
    )
    communities = lay_communities(
        blocks,
        towns.labels,
        city.community_seeds,
        city.sizes.community,
        known=_known_communities(city, blocks, towns),
        exact=city.sizes.exact_seeds,
    )
    labels = lay_grids(blocks, communities.labels, city.sizes)
    return _coded(city, blocks, towns, communities, labels)


def _shapes(known: Sequence[Known]) -> Shapes:
    made = np.empty(len(known), dtype=object)
    made[:] = [area.shape for area in known]
    return made


def _with_borders(barriers: Barriers, areas: Shapes) -> Barriers:
    lines = np.concatenate([barriers.lines, shapely.boundary(areas)])
    return Barriers(lines, np.r_[barriers.strength, np.full(len(areas), GREAT)])


def _known_communities(city: Territory, blocks: Blocks, towns: Level) -> Within:
    """Find the known communities; one that a town's border cuts stays in its larger part."""
    found = locate(_shapes(city.communities), inner_points(blocks.polygons))
    for label in np.unique(found[found >= 0]).tolist():
        mine = np.flatnonzero(found == label)
        town = np.argmax(np.bincount(towns.labels[mine], blocks.area_m2[mine]))
        found[mine[towns.labels[mine] != town]] = -1
    return Within(found, [community.name for community in city.communities])


def lay_grids(blocks: Blocks, communities: Ints, sizes: Sizes) -> Ints:
    """Put blocks together into duty grids inside communities; return a label per block."""
    weights = blocks.dwellings / sizes.grid + blocks.area_m2 / sizes.open_m2
    labels = merge(blocks, communities, weights, count=sizes.grids)
    return _islets(blocks, communities, labels)


def _islets(blocks: Blocks, groups: Ints, labels: Ints) -> Ints:
    """Give parts that are too small to be a grid of their own to the nearest one."""
    whole = quotient(blocks, labels)
    _, first = np.unique(labels, return_index=True)
    group = groups[first]
    islet = (whole.area_m2 < ISLET_M2) & (whole.dwellings == 0)
    target = np.arange(len(whole))
    for at in np.flatnonzero(islet):
        others = np.flatnonzero((group == group[at]) & ~islet)
        if len(others):
            offset = whole.centre[others] - whole.centre[at]
            target[at] = others[np.argmin((offset**2).sum(axis=1))]
    return np.unique(target[labels], return_inverse=True)[1].astype(np.int64)


def _coded(
    city: Territory, blocks: Blocks, towns: Level, communities: Level, grids: Ints
) -> Layout:
    """Give codes from north-west to south-east on each level, and names where there are none."""
    shapes = dissolve(blocks, grids)
    _, first = np.unique(grids, return_index=True)
    of_community = communities.labels[first]
    held = sums(grids, blocks.dwellings, len(shapes))
    divisions = [
        Division(city.county_code, "county", city.name, shapely.coverage_union_all(shapes))
    ]
    laid: list[DutyGrid] = []
    town_shapes = dissolve(blocks, towns.labels)
    community_shapes = dissolve(blocks, communities.labels)
    for t, town in enumerate(reading_order(town_shapes).tolist(), 1):
        code = f"{city.county_code}{t:03d}"
        name = towns.names[town] or city.name.numbered(t, "街道")
        if len(town_shapes) == 1 and not city.towns:
            name = city.name
        divisions.append(Division(code, "town", name, town_shapes[town]))
        inside = np.flatnonzero(communities.upper == town)
        order = inside[reading_order(community_shapes[inside])]
        for c, community in enumerate(order.tolist(), 1):
            lower = f"{code}{c:03d}"
            called = communities.names[community] or (
                name if len(order) == 1 else name.numbered(c, "社区")
            )
            divisions.append(Division(lower, "community", called, community_shapes[community]))
            laid += _coded_grids(lower, called, np.flatnonzero(of_community == community),
                                 shapes, held)  # fmt: skip
    return Layout(divisions, laid)


def _coded_grids(
    code: str, name: Name, members: Ints, shapes: Shapes, held: Floats
) -> list[DutyGrid]:
    if len(members) > LAST_BASIC_GRID:
        raise TooManyGrids(f"{code} has {len(members)} grids, codes end at {LAST_BASIC_GRID}",
                           area=code, limit=LAST_BASIC_GRID)  # fmt: skip
    order = members[reading_order(shapes[members])]
    return [
        DutyGrid(
            code=f"{code}{n:03d}",
            name=name.numbered(n, "网格").zh,
            dwellings=round(float(held[grid])),
            area_m2=float(shapes[grid].area),
            shape=shapes[grid],
        )
        for n, grid in enumerate(order.tolist(), 1)
    ]
