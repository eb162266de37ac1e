"""Put blocks together: grow regions from seeds, merge neighbours until each is large enough."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from grids.gridding.blocks import Blocks, Floats, Ints, Shapes, sums

#: A region below this share of the wanted size looks for a partner.
SMALL, TINY, NOTHING = 0.7, 0.35, 0.05
#: What two regions may come to together; a tiny one may go further than stay alone, and what
#: is next to nothing may go to anybody.
FULL, OVERFULL = 1.5, 2.2


@dataclass
class _Region:
    """A growing region: what it weighs and whom it borders."""

    weight: float
    perimeter_m: float
    border: dict[int, list[float]]  #: neighbour -> [shared metres, metres divided by strength]


def merge(blocks: Blocks, groups: Ints, weights: Floats, *, count: int | None = None) -> Ints:
    """Merge blocks of one group into regions that weigh about 1; return a label per block.

    Regions hang together, never cross from one group into another, prefer a long common edge
    and a weak line to a short edge and a strong line. With `count` the smallest go on merging
    until no more than so many are left. Labels count from 0 in the order of the first block.
    """
    regions = _start(blocks, groups, weights)
    parent = np.arange(len(blocks))
    heap = [(region.weight, at) for at, region in regions.items()]
    heapq.heapify(heap)
    while heap:
        weight, at = heapq.heappop(heap)
        region = regions.get(at)
        if region is None or region.weight != weight:
            continue
        forced = count is not None and len(regions) > count
        if weight >= SMALL and not forced:
            break
        partner = _partner(regions, region, forced=forced)
        if partner is None:
            continue
        kept, gone = sorted((at, partner))
        _join(regions, kept, gone)
        parent[gone] = kept
        heapq.heappush(heap, (regions[kept].weight, kept))
    return _numbered(_roots(parent))


def _start(blocks: Blocks, groups: Ints, weights: Floats) -> dict[int, _Region]:
    regions = {
        at: _Region(float(weights[at]), float(blocks.perimeter_m[at]), {})
        for at in range(len(blocks))
    }
    edges = zip(
        blocks.pairs.tolist(), blocks.shared_m.tolist(), blocks.strength.tolist(), strict=True
    )
    for (a, b), shared, strength in edges:
        if groups[a] == groups[b]:
            regions[a].border[b] = [shared, shared / strength]
            regions[b].border[a] = [shared, shared / strength]
    return regions


def _partner(regions: dict[int, _Region], region: _Region, *, forced: bool) -> int | None:
    limit = OVERFULL if region.weight < TINY else FULL
    anybody = forced or region.weight < NOTHING
    best, best_score = None, 0.0
    for other_at, (shared, soft) in region.border.items():
        other = regions[other_at]
        total = region.weight + other.weight
        # What a neighbour surrounds has nowhere else to go.
        enclosed = shared > 0.95 * region.perimeter_m
        if total > limit and not (anybody or enclosed):
            continue
        score = soft / min(region.perimeter_m, other.perimeter_m) / (0.3 + total)
        if score > best_score or (score == best_score and best is not None and other_at < best):
            best, best_score = other_at, score
    return best


def _join(regions: dict[int, _Region], kept: int, gone: int) -> None:
    a, b = regions[kept], regions.pop(gone)
    shared = b.border.pop(kept)[0]
    del a.border[gone]
    a.weight += b.weight
    a.perimeter_m += b.perimeter_m - 2 * shared
    for other, (metres, soft) in b.border.items():
        theirs = regions[other].border
        del theirs[gone]
        mine = a.border.setdefault(other, [0.0, 0.0])
        mine[0] += metres
        mine[1] += soft
        theirs[kept] = mine


def _roots(parent: NDArray[np.intp]) -> Ints:
    while True:
        upper = parent[parent]
        if (upper == parent).all():
            return upper.astype(np.int64)
        parent = upper


def _numbered(labels: Ints) -> Ints:
    """Count labels from 0 in the order in which they first appear."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def grow(blocks: Blocks, groups: Ints, seeds: Ints) -> Ints:
    """Give each block to the seed that reaches it first inside its group.

    `seeds` are block indices; the label of a block is the index of its seed. The way from
    block to block counts as long as the line between them is strong, so that regions end at
    rivers and main roads. Blocks that no seed reaches go to the nearest seed of their group;
    in a group without a seed the label is -1.
    """
    label = np.full(len(blocks), -1, dtype=np.int64)
    near = _ways(blocks, groups)
    heap = [(0.0, at, int(block)) for at, block in enumerate(seeds)]
    heapq.heapify(heap)
    while heap:
        cost, seed, block = heapq.heappop(heap)
        if label[block] >= 0:
            continue
        label[block] = seed
        for other, way in near[block]:
            if label[other] < 0:
                heapq.heappush(heap, (cost + way, seed, other))
    _adopt(blocks, groups, seeds, label)
    return label


def _ways(blocks: Blocks, groups: Ints) -> list[list[tuple[int, float]]]:
    near: list[list[tuple[int, float]]] = [[] for _ in range(len(blocks))]
    a, b = blocks.pairs.T if len(blocks.pairs) else np.empty((2, 0), dtype=np.int64)
    way = np.hypot(*(blocks.centre[a] - blocks.centre[b]).T) * blocks.strength
    inside = groups[a] == groups[b]
    for one, two, metres in zip(
        a[inside].tolist(), b[inside].tolist(), way[inside].tolist(), strict=True
    ):
        near[one].append((two, metres))
        near[two].append((one, metres))
    return near


def _adopt(blocks: Blocks, groups: Ints, seeds: Ints, label: Ints) -> None:
    for group in np.unique(groups[label < 0]):
        mine = np.flatnonzero(groups[seeds] == group) if len(seeds) else np.empty(0, dtype=int)
        if not len(mine):
            continue
        lost = np.flatnonzero((label < 0) & (groups == group))
        offset = blocks.centre[lost][:, None] - blocks.centre[seeds[mine]][None]
        label[lost] = mine[np.argmin((offset**2).sum(axis=2), axis=1)]


def spread_seeds(blocks: Blocks, members: Ints, n: int) -> Ints:
    """Choose `n` blocks in the middle of equally many dwellings each; the same every time."""
    xy = blocks.centre[members]
    weight = blocks.dwellings[members] + 1e-3 + blocks.area_m2[members] * 1e-6
    centres = _far_apart(xy, weight, n)
    for _ in range(25):
        nearest = ((xy[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        held = sums(nearest, weight, n)
        moved = (
            np.column_stack([sums(nearest, weight * axis, n) for axis in xy.T])
            / np.maximum(held, 1e-12)[:, None]
        )
        moved[held == 0] = centres[held == 0]
        if np.allclose(moved, centres, atol=1.0):
            break
        centres = moved
    return np.unique(members[((xy[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=0)])


def _far_apart(xy: Floats, weight: Floats, n: int) -> Floats:
    chosen = [int(np.argmax(weight))]
    reach = ((xy - xy[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(n - 1):
        chosen.append(int(np.argmax(reach * weight)))
        reach = np.minimum(reach, ((xy - xy[chosen[-1]]) ** 2).sum(axis=1))
    return xy[chosen]


def quotient(blocks: Blocks, labels: Ints) -> Blocks:
    """Look at labelled blocks as one block each; their polygons are left out."""
    n = int(labels.max(initial=-1)) + 1
    a, b = labels[blocks.pairs.T] if len(blocks.pairs) else np.empty((2, 0), dtype=np.int64)
    across = a != b
    low, high = np.minimum(a, b)[across], np.maximum(a, b)[across]
    key, inverse = np.unique(low * max(n, 1) + high, return_inverse=True)
    shared = sums(inverse, blocks.shared_m[across], len(key))
    weighted = blocks.shared_m[across] * blocks.strength[across]
    within = sums(a[~across], blocks.shared_m[~across], n)
    area = sums(labels, blocks.area_m2, n)
    centre = [sums(labels, axis * blocks.area_m2, n) for axis in blocks.centre.T]
    _, first = np.unique(labels, return_index=True)
    return Blocks(
        polygons=np.full(n, None, dtype=object),
        owner=blocks.owner[first],
        dwellings=sums(labels, blocks.dwellings, n),
        area_m2=area,
        centre=np.column_stack(centre) / np.maximum(area, 1e-9)[:, None],
        perimeter_m=sums(labels, blocks.perimeter_m, n) - 2 * within,
        pairs=np.column_stack(np.divmod(key, max(n, 1))).astype(np.int64),
        shared_m=shared,
        strength=sums(inverse, weighted, len(key)) / np.maximum(shared, 1e-9),
    )


def dissolve(blocks: Blocks, labels: Ints) -> Shapes:
    """Unite the blocks of each label from 0 up; edges stay exactly those of the blocks."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(int(labels.max(initial=-1)) + 2))
    made = np.empty(len(starts) - 1, dtype=object)
    for label in range(len(made)):
        made[label] = shapely.coverage_union_all(
            blocks.polygons[order[starts[label] : starts[label + 1]]]
        )
    return made


def reading_order(shapes: Sequence[shapely.Geometry] | Shapes) -> Ints:
    """Order shapes as codes run: by rows from north to south, west to east in each row."""
    given = np.asarray(shapes, dtype=object)
    centre = shapely.get_coordinates(shapely.centroid(given))
    box = shapely.bounds(given)
    height = max(float(np.median(box[:, 3] - box[:, 1])), 1e-9)
    row = np.floor((centre[:, 1].max() - centre[:, 1]) / height)
    return np.lexsort((centre[:, 0], row)).astype(np.int64)
