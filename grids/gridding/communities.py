"""Divide a city into towns and towns into communities, around the places that have names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grids.gridding.blocks import Blocks, Ints, locate, sums
from grids.gridding.regions import NOTHING, grow, merge, quotient, spread_seeds
from grids.gridding.territory import Name, Seed


@dataclass(frozen=True)
class Within:
    """Which known area each block lies in, -1 for none, and what the areas are called."""

    index: Ints
    names: Sequence[Name]


@dataclass(frozen=True)
class Level:
    """Labels of blocks on one level, and the name and the upper label of each label."""

    labels: Ints
    names: list[Name | None]
    upper: Ints


@dataclass(frozen=True)
class _Draft:
    """Labels on their way: `fixed` ones are known areas."""

    labels: Ints
    names: list[Name | None]
    fixed: NDArray[np.bool_]

    def dense(self) -> _Draft:
        """Leave out labels that no block has."""
        used, labels = np.unique(self.labels, return_inverse=True)
        return _Draft(labels.astype(np.int64), [self.names[at] for at in used], self.fixed[used])


def lay_communities(
    blocks: Blocks,
    groups: Ints,
    seeds: Sequence[Seed],
    dwellings: float,
    *,
    known: Within | None = None,
    exact: bool = False,
) -> Level:
    """Divide groups of blocks around named places, balanced by dwellings.

    The same rule makes towns of a city and communities of towns. Blocks in a known area
    stay in it. Places with few dwellings join a neighbour and places with many are divided,
    unless `exact`. A group without a place is divided by its dwellings alone.
    """
    inside = known.index if known else np.full(len(blocks), -1, dtype=np.int64)
    names: list[Name | None] = list(known.names) if known else []
    fixed = np.ones(len(names), dtype=bool)
    free = np.where(inside < 0, groups, -1)
    starts, started = _starts(blocks, free, seeds, dwellings)
    labels = np.where(inside < 0, grow(blocks, free, starts) + len(names), inside)
    draft = _Draft(labels, names + started, np.r_[fixed, np.zeros(len(started), dtype=bool)])
    if exact:
        draft = draft.dense()
    else:
        draft = _divide_large(blocks, _join_small(blocks, groups, draft, dwellings), dwellings)
    upper = np.zeros(len(draft.names), dtype=np.int64)
    upper[draft.labels] = groups
    return Level(draft.labels, draft.names, upper)


def _starts(
    blocks: Blocks, groups: Ints, seeds: Sequence[Seed], dwellings: float
) -> tuple[Ints, list[Name | None]]:
    """Choose the blocks to grow from: those of the places, else the middles of dwellings."""
    xy = np.array([(seed.x, seed.y) for seed in seeds], dtype=np.float64).reshape(-1, 2)
    starts: dict[int, Name | None] = {}
    for seed, block in zip(seeds, locate(blocks.polygons, xy).tolist(), strict=True):
        if block >= 0 and groups[block] >= 0:
            starts.setdefault(block, seed.name)
    seeded = {int(groups[block]) for block in starts}
    for group in np.unique(groups[groups >= 0]).tolist():
        if group not in seeded:
            members = np.flatnonzero(groups == group)
            n = max(1, round(float(blocks.dwellings[members].sum()) / dwellings))
            starts |= dict.fromkeys(spread_seeds(blocks, members, n).tolist())
    return np.array(list(starts), dtype=np.int64), list(starts.values())


def _join_small(blocks: Blocks, groups: Ints, draft: _Draft, dwellings: float) -> _Draft:
    """Join what holds less than about a third of the wanted dwellings to a neighbour.

    A known area takes only what is next to nothing, so that it keeps its border.
    """
    draft = draft.dense()
    whole = quotient(blocks, draft.labels)
    _, first = np.unique(draft.labels, return_index=True)
    weights = np.where(draft.fixed, 10.0, whole.dwellings / (0.5 * dwellings))
    joined = merge(whole, groups[first], weights)
    joined = _nearest(whole, groups[first], joined, weights < NOTHING)
    kept = int(joined.max(initial=-1)) + 1
    names: list[Name | None] = []
    fixed = np.zeros(kept, dtype=bool)
    for label in range(kept):
        parts = np.flatnonzero(joined == label)
        rank = np.lexsort((whole.dwellings[parts], draft.fixed[parts]))
        names.append(draft.names[parts[rank[-1]]])
        fixed[label] = draft.fixed[parts].any()
    return _Draft(joined[draft.labels], names, fixed)


def _nearest(whole: Blocks, groups: Ints, labels: Ints, lost: NDArray[np.bool_]) -> Ints:
    """Give regions that weigh next to nothing and found no neighbour to the nearest label."""
    labels = labels.copy()
    alone = np.bincount(labels)[labels] == 1
    for at in np.flatnonzero(lost & alone):
        others = np.flatnonzero((groups == groups[at]) & ~(lost & alone))
        if len(others):
            offset = whole.centre[others] - whole.centre[at]
            labels[at] = labels[others[np.argmin((offset**2).sum(axis=1))]]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _divide_large(blocks: Blocks, draft: _Draft, dwellings: float) -> _Draft:
    """Divide what holds about twice the wanted dwellings or more."""
    held = sums(draft.labels, blocks.dwellings, len(draft.names))
    labels, names = draft.labels.copy(), list(draft.names)
    for label in np.flatnonzero((held > 1.8 * dwellings) & ~draft.fixed).tolist():
        members = np.flatnonzero(labels == label)
        starts = spread_seeds(blocks, members, round(held[label] / dwellings))
        parts = grow(blocks, np.where(labels == label, label, -1), starts)[members]
        base = names[label]
        for part in np.unique(parts).tolist():
            name = base.numbered(part + 1, "片区") if base else None
            if part == 0:
                names[label] = name
            else:
                labels[members[parts == part]] = len(names)
                names.append(name)
    fixed = np.r_[draft.fixed, np.zeros(len(names) - len(draft.names), dtype=bool)]
    return _Draft(labels, names, fixed)
