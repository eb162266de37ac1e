"""Lay the divisions of a whole city: towns, communities and duty grids, all from its blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from grids.errors import GridsError
from grids.gridding.blocks import (
    Barriers,
    Blocks,
    Floats,
    Homes,
    Ints,
    Shapes,
    lay_blocks,
    locate,
    sums,
)
from grids.gridding.regions import dissolve, grow, merge, quotient, reading_order, spread_seeds

#: Sequence numbers that basic grids of a community may have (domain 2.4).
LAST_BASIC_GRID = 799
#: A part without dwellings and smaller than this belongs to the nearest grid.
ISLET_M2 = 2_000.0


class TooManyGrids(GridsError):
    """A community would need more duty grids than its codes can number."""

    code = "gridding.too_many"


@dataclass(frozen=True)
class Name:
    """What a division is called, in Chinese or the local language, and in English."""

    zh: str
    en: str

    def numbered(self, n: int, word: str) -> Name:
        """Name the n-th part of this division; `word` is the Chinese word for such a part."""
        return Name(f"{self.zh}第{n}{word}" if _is_chinese(self.zh) else f"{self.zh} {n}",
                    f"{self.en} {n}")  # fmt: skip


@dataclass(frozen=True)
class Known:
    """A town whose border the map knows."""

    name: Name
    shape: BaseGeometry


@dataclass(frozen=True)
class Seed:
    """A named place that a town or a community may grow around."""

    name: Name
    x: float
    y: float


@dataclass(frozen=True)
class Sizes:
    """What each division should hold; `exact_seeds` makes one community of every seed."""

    town: float = 15_000.0  #: dwellings
    community: float = 2_000.0  #: dwellings
    grid: float = 300.0  #: dwellings
    open_m2: float = 3e6  #: open land counts as one grid
    grids: int | None = None  #: most grids in the whole city
    exact_seeds: bool = False


@dataclass(frozen=True)
class Territory:
    """What is known of a city before it is divided; all shapes metric."""

    name: Name
    county_code: str
    outline: BaseGeometry
    barriers: Barriers
    homes: Homes
    towns: Sequence[Known] = ()
    town_seeds: Sequence[Seed] = ()
    community_seeds: Sequence[Seed] = ()
    sizes: Sizes = field(default_factory=Sizes)


@dataclass(frozen=True)
class Division:
    """A county, town or community with its code."""

    code: str
    kind: str
    name: Name
    shape: BaseGeometry


@dataclass(frozen=True)
class DutyGrid:
    """A duty grid with its 15-digit code."""

    code: str
    name: str
    dwellings: int
    area_m2: float
    shape: BaseGeometry


@dataclass(frozen=True)
class Layout:
    """The divisions of a city. Shapes of one level tile those of the level above exactly."""

    divisions: list[Division]  #: county, towns, communities, in the order of their codes
    grids: list[DutyGrid]


@dataclass(frozen=True)
class _Level:
    """Labels of blocks on one level, and the name and the upper label of each label."""

    labels: Ints
    names: list[Name | None]
    upper: Ints


def lay_city(city: Territory) -> Layout:
    """Divide a city into towns, communities and duty grids; the same city always alike.

    Known towns keep their borders; land in none of them becomes towns around its places.
    Communities grow around places as far as main roads and water, grids follow every road,
    hold about `Sizes.grid` dwellings and cover each community wholly. Raises `TooManyGrids`.
    """
    known = np.array([town.shape for town in city.towns], dtype=object)
    blocks = lay_blocks(
        city.outline, known, city.barriers, city.homes, most_dwellings=1.25 * city.sizes.grid
    )
    towns = _towns(city, blocks)
    communities = _communities(city, blocks, towns)
    labels = lay_grids(blocks, communities.labels, city.sizes)
    return _coded(city, blocks, towns, communities, labels)


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


def _towns(city: Territory, blocks: Blocks) -> _Level:
    """Keep the known towns and make towns of the land that lies in none of them."""
    free = blocks.owner < 0
    labels = blocks.owner.copy()
    names: list[Name | None] = [town.name for town in city.towns]
    if free.any():
        made = lay_communities(blocks, np.where(free, 0, -1), city.town_seeds, city.sizes.town)
        labels[free] = len(names) + made.labels[free]
        names += made.names
    labels, names = _without_empty(labels, names)
    return _Level(labels, names, np.zeros(len(names), dtype=np.int64))


def _without_empty(labels: Ints, names: list[Name | None]) -> tuple[Ints, list[Name | None]]:
    used, dense = np.unique(labels, return_inverse=True)
    return dense.astype(np.int64), [names[at] for at in used]


def _communities(city: Territory, blocks: Blocks, towns: _Level) -> _Level:
    return lay_communities(
        blocks,
        towns.labels,
        city.community_seeds,
        city.sizes.community,
        exact=city.sizes.exact_seeds,
    )


def lay_communities(
    blocks: Blocks, groups: Ints, seeds: Sequence[Seed], dwellings: float, *, exact: bool = False
) -> _Level:
    """Divide groups of blocks (towns) around named places, balanced by dwellings.

    Group -1 is left out. Places with few dwellings join a neighbour and places with many are
    divided, unless `exact`. A group without a place is divided by its dwellings alone.
    """
    members = np.flatnonzero(groups >= 0)
    starts, names = _starts(blocks, groups, seeds, dwellings)
    labels = grow(blocks, np.where(groups < 0, -1, groups), starts)
    labels[groups < 0] = -1
    if not exact:
        labels, names = _join_small(blocks, groups, labels, names, dwellings)
        labels, names = _divide_large(blocks, labels, names, dwellings)
    upper = np.zeros(len(names), dtype=np.int64)
    upper[labels[members]] = groups[members]
    return _Level(labels, names, upper)


def _starts(
    blocks: Blocks, groups: Ints, seeds: Sequence[Seed], dwellings: float
) -> tuple[Ints, list[Name | None]]:
    xy = np.array([(seed.x, seed.y) for seed in seeds], dtype=np.float64).reshape(-1, 2)
    at = locate(blocks.polygons, xy)
    starts: dict[int, Name | None] = {}
    for seed, block in zip(seeds, at.tolist(), strict=True):
        if block >= 0 and groups[block] >= 0:
            starts.setdefault(block, seed.name)
    seeded = {int(groups[block]) for block in starts}
    for group in np.unique(groups[groups >= 0]).tolist():
        if group not in seeded:
            members = np.flatnonzero(groups == group)
            n = max(1, round(float(blocks.dwellings[members].sum()) / dwellings))
            starts |= dict.fromkeys(spread_seeds(blocks, members, n).tolist())
    return np.array(list(starts), dtype=np.int64), list(starts.values())


def _join_small(
    blocks: Blocks, groups: Ints, labels: Ints, names: list[Name | None], dwellings: float
) -> tuple[Ints, list[Name | None]]:
    """Join what holds less than about a third of the wanted dwellings to a neighbour."""
    shifted = np.where(labels < 0, len(names), labels)
    used, dense = np.unique(shifted, return_inverse=True)
    whole = quotient(blocks, dense)
    _, first = np.unique(dense, return_index=True)
    joined = merge(whole, groups[first], whole.dwellings / (0.5 * dwellings))
    kept: list[Name | None] = []
    number = np.full(len(used), -1, dtype=np.int64)
    for label in range(int(joined.max(initial=-1)) + 1):
        parts = np.flatnonzero((joined == label) & (used < len(names)))
        if len(parts):
            number[parts] = len(kept)
            kept.append(names[used[parts[np.argmax(whole.dwellings[parts])]]])
    return number[dense], kept


def _divide_large(
    blocks: Blocks, labels: Ints, names: list[Name | None], dwellings: float
) -> tuple[Ints, list[Name | None]]:
    """Divide what holds about twice the wanted dwellings or more."""
    held = sums(labels, blocks.dwellings, len(names))
    labels, names = labels.copy(), list(names)
    for label in np.flatnonzero(held > 1.8 * dwellings).tolist():
        members = np.flatnonzero(labels == label)
        starts = spread_seeds(blocks, members, round(held[label] / dwellings))
        parts = grow(blocks, np.where(labels == label, label, -1), starts)[members]
        base = names[label]
        for part in np.unique(parts).tolist():
            name = base.numbered(part + 1, "社区") if base else None
            if part == 0:
                names[label] = name
            else:
                labels[members[parts == part]] = len(names)
                names.append(name)
    return labels, names


def _coded(
    city: Territory, blocks: Blocks, towns: _Level, communities: _Level, grids: Ints
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


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
