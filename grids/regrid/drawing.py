"""A drawing: which grid each patch of a town belongs to, and what follows from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from grids.gridding.blocks import sums
from grids.regrid.errors import (
    BadEdit,
    CannotMerge,
    CannotSplit,
    Frozen,
    OtherCommunity,
)
from grids.regrid.fabric import COMMUNITY, BaseGrid, Fabric, Floats, Ints
from grids.regrid.wishes import Wishes

#: How often the two halves of a grid give each other what hangs on neither.
_ROUNDS: Final = 8


@dataclass(frozen=True)
class Added:
    """A grid that the plan adds: it has no code before the switch."""

    community: str
    name: str = ""


@dataclass(frozen=True)
class Drawing:
    """Grids of a town on its fabric.

    Label k is the k-th of today's grids, then the k-th added one. A label without a patch is a
    grid that ends.
    """

    base: list[BaseGrid]
    added: tuple[Added, ...]
    fabric: Fabric
    labels: Ints
    wishes: Wishes

    @property
    def count(self) -> int:
        """Return how many labels there are, those without a patch included."""
        return len(self.base) + len(self.added)

    @cached_property
    def communities(self) -> NDArray[np.str_]:
        """Return the community of each label, 12 digits."""
        return np.array(
            [grid.code[:COMMUNITY] for grid in self.base] + [one.community for one in self.added]
        )

    @cached_property
    def frozen(self) -> frozenset[int]:
        """Return the labels of the grids that stay as they are."""
        return frozenset(at for at, grid in enumerate(self.base) if grid.code in self.wishes.frozen)

    @cached_property
    def changed(self) -> Ints:
        """Return the labels whose ground is not that of today, in order."""
        owner, labels = self.fabric.patches.owner, self.labels
        moved = owner != labels
        return np.unique(np.concatenate([owner[moved], labels[moved]]))

    @cached_property
    def hours(self) -> Floats:
        """Return the yearly work on each patch."""
        return self.fabric.hours(dict(self.wishes.hours))

    def pieces(self, labels: Ints) -> Ints:
        """Count the pieces of each label, those left out that the ground itself forces on it.

        A community in two parts may have a grid in both: that counts as one piece.
        """
        patches = self.fabric.patches
        found = pieces_of(self.fabric, labels, self.count)[1]
        names, at = np.unique(self.communities[patches.owner], return_inverse=True)
        part = pieces_of(self.fabric, at.astype(np.int64), len(names))[0]
        over = np.unique(np.column_stack([labels, part]), axis=0)[:, 0]
        forced = np.bincount(over, minlength=self.count)
        return found - np.maximum(forced - 1, 0)

    def move(self, patches: Ints, to: int) -> Drawing:
        """Give patches to a grid. Raises `BadEdit`, `OtherCommunity` and `Frozen`."""
        self._require(to)
        if not len(patches) or patches.min() < 0 or patches.max() >= len(self.fabric):
            raise BadEdit("no such patch", what="patch")
        patches = np.unique(patches)
        there = self.communities[to]
        for label in np.unique(self.labels[patches]).tolist():
            if self.communities[label] != there:
                raise OtherCommunity(
                    f"{self.name_of(label)} lies in another community than {self.name_of(to)}",
                    grid=self.name_of(label), to=self.name_of(to),
                )  # fmt: skip
            if label != to:
                self._require(label)
        labels = self.labels.copy()
        labels[patches] = to
        return replace(self, labels=labels)

    def split(self, label: int) -> Drawing:
        """Divide a grid in two parts with about the same work; the larger part keeps its name.

        Raises `BadEdit`, `Frozen` and `CannotSplit`.
        """
        self._require(label)
        mine = np.flatnonzero(self.labels == label)
        if len(mine) < 2:
            raise CannotSplit(f"{self.name_of(label)} is one patch", grid=self.name_of(label))
        half = halves(self.fabric, mine, self.hours)
        kept = sums(half, self._size[mine], 2)
        going = mine[half == int(np.argmin(kept))]
        labels = self.labels.copy()
        labels[going] = self.count
        added = (*self.added, Added(str(self.communities[label])))
        return replace(self, labels=labels, added=added)

    def merge(self, one: int, other: int) -> Drawing:
        """Make one grid of two; that of the larger part stays, of equals the lower code.

        Raises `BadEdit`, `Frozen`, `OtherCommunity` and `CannotMerge`.
        """
        for label in (one, other):
            self._require(label)
        first, second = (np.flatnonzero(self.labels == label) for label in (one, other))
        if one == other or not len(first) or not len(second):
            raise BadEdit("two grids are merged", what="grid")
        if self.communities[one] != self.communities[other]:
            raise OtherCommunity("grids of two communities", grid=self.name_of(one),
                                 to=self.name_of(other))  # fmt: skip
        a, b = self.labels[self.fabric.patches.pairs.T]
        if not (((a == one) & (b == other)) | ((a == other) & (b == one))).any():
            raise CannotMerge("the grids do not touch", grid=self.name_of(one),
                              to=self.name_of(other))  # fmt: skip
        low, high = sorted((one, other))
        size = sums(self.labels, self._size, self.count)
        stays, goes = (high, low) if size[high] > size[low] else (low, high)
        labels = self.labels.copy()
        labels[labels == goes] = stays
        return replace(self, labels=labels)

    def name_of(self, label: int) -> str:
        """Return the code of a grid, or of an added one its community and number: +1."""
        if label < len(self.base):
            return self.base[label].code
        return f"{self.communities[label]}+{label - len(self.base) + 1}"

    @property
    def _size(self) -> Floats:
        """What decides which part of a grid is the larger: households, then ground."""
        return self.fabric.households + self.fabric.patches.area_m2 * 1e-9

    def _require(self, label: int) -> None:
        if not 0 <= label < self.count:
            raise BadEdit("no such grid", what="grid")
        if label in self.frozen:
            raise Frozen(f"{self.name_of(label)} stays as it is", grid=self.name_of(label))


def pieces_of(fabric: Fabric, labels: Ints, count: int) -> tuple[Ints, Ints]:
    """Return the connected piece of each patch, and how many pieces each label has."""
    a, b = fabric.patches.pairs.T
    same = labels[a] == labels[b]
    n = len(fabric)
    graph = coo_array((np.ones(int(same.sum()), dtype=np.int8), (a[same], b[same])), shape=(n, n))
    _, piece = connected_components(graph, directed=False)
    _, first = np.unique(piece, return_index=True)
    return piece.astype(np.int64), np.bincount(labels[first], minlength=count).astype(np.int64)


def halves(fabric: Fabric, members: Ints, weights: Floats, *, share: float = 0.5) -> Ints:
    """Divide connected patches across their longer side: 0 or 1 for each of `members`.

    Both parts hang together; the first has about that share of the weight.
    """
    xy = fabric.patches.centre[members]
    weight = weights[members] + fabric.patches.area_m2[members] * 1e-9
    offset = xy - np.average(xy, axis=0, weights=weight)
    axis = np.linalg.eigh((offset * weight[:, None]).T @ offset)[1][:, -1]
    along = offset @ (axis if tuple(axis) > tuple(-axis) else -axis)
    order = np.argsort(along, kind="stable")
    running = np.cumsum(weight[order])
    first = int(np.clip(np.searchsorted(running, running[-1] * share) + 1, 1, len(members) - 1))
    half = np.ones(len(members), dtype=np.int64)
    half[order[:first]] = 0
    return _tied(fabric, members, half)


def _tied(fabric: Fabric, members: Ints, half: Ints) -> Ints:
    """Give what hangs on neither half's main piece to the other half."""
    for _ in range(_ROUNDS):
        labels = np.full(len(fabric), -1, dtype=np.int64)
        labels[members] = half
        piece = pieces_of(fabric, np.where(labels < 0, 2, labels), 3)[0][members]
        loose = np.zeros(len(members), dtype=bool)
        for side in (0, 1):
            mine = half == side
            size = np.bincount(piece[mine])
            loose |= mine & (piece != np.argmax(size))
        if not loose.any():
            break
        # One side at a time: pieces of both that lie beside each other would only swap.
        side = 0 if (loose & (half == 0)).any() else 1
        half = np.where(loose & (half == side), 1 - side, half)
    return half


@dataclass(frozen=True)
class Figures:
    """What one grid holds."""

    households: int
    hours: float
    cases: int
    premises: int
    area_m2: float
    compactness: float  #: 1 for a circle (Polsby-Popper)
    pieces: int  #: 1, unless the community itself lies in several parts


def figures_of(drawing: Drawing, labels: Ints) -> list[Figures | None]:
    """Return what each label holds; None without a patch."""
    fabric, count = drawing.fabric, drawing.count
    patches = fabric.patches
    a, b = patches.pairs.T
    inner = labels[a] == labels[b]
    perimeter = sums(labels, patches.perimeter_m, count)
    perimeter -= 2 * sums(labels[a[inner]], patches.shared_m[inner], count)
    area = sums(labels, patches.area_m2, count).tolist()
    columns = [sums(labels, values, count).tolist() for values in
               (fabric.households, drawing.hours, fabric.cases, fabric.premises)]  # fmt: skip
    pieces = drawing.pieces(labels)
    held = np.bincount(labels, minlength=count)
    return [
        Figures(round(columns[0][k]), round(columns[1][k], 1), round(columns[2][k]),
                round(columns[3][k]), round(area[k], 1),
                round(float(4 * np.pi * area[k] / max(perimeter[k], 1.0) ** 2), 3),
                int(pieces[k]))
        if held[k] else None
        for k in range(count)
    ]  # fmt: skip


def comparison(drawing: Drawing) -> dict[str, Any]:
    """Compare the drawing with today, grid by grid and for the town, as a plan keeps it."""
    before = figures_of(drawing, drawing.fabric.patches.owner)
    after = figures_of(drawing, drawing.labels)
    changed = set(drawing.changed.tolist())
    moved = drawing.labels != drawing.fabric.patches.owner
    joined = sums(drawing.labels[moved], drawing.fabric.households[moved], drawing.count)
    grids = [
        {
            "label": k,
            "code": drawing.base[k].code if k < len(drawing.base) else None,
            "name": drawing.base[k].name
            if k < len(drawing.base)
            else drawing.added[k - len(drawing.base)].name,
            "community": str(drawing.communities[k]),
            "is_changed": k in changed,
            "is_frozen": k in drawing.frozen,
            "joined": round(joined[k]),  #: households that come from another grid
            "before": asdict(old) if (old := before[k]) else None,
            "after": asdict(new) if (new := after[k]) else None,
        }
        for k in range(drawing.count)
        if before[k] or after[k]
    ]
    return {
        "grids": grids,
        "moved_households": round(float(drawing.fabric.households[moved].sum())),
        "households": round(float(drawing.fabric.households.sum())),
        "before": _spread(before),
        "after": _spread(after),
        "changed": len(changed),
        "scattered": [
            drawing.name_of(k) for k in sorted(changed)
            if (new := after[k]) and new.pieces > max(1, before[k].pieces if before[k] else 1)
        ],
    }  # fmt: skip


def _spread(figures: list[Figures | None]) -> dict[str, Any]:
    """Return how evenly grids are loaded: the highest over the mean."""
    held = [one for one in figures if one]
    hours = np.array([one.hours for one in held])
    households = np.array([one.households for one in held])
    return {
        "grids": len(held),
        "hours_mean": round(float(hours.mean()), 1),
        "hours_max": round(float(hours.max()), 1),
        "hours_ratio": round(float(hours.max() / max(hours.mean(), 1e-9)), 3),
        "households_mean": round(float(households.mean()), 1),
        "households_ratio": round(float(households.max() / max(households.mean(), 1e-9)), 3),
        "compactness": round(float(np.mean([one.compactness for one in held])), 3),
    }
