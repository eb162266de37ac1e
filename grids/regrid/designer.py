"""Draw a town's grids anew: even work, compact, in one piece, few households moved.

Each community is drawn by itself, for no grid crosses its border. From today's grids, or from
halves of halves, patches along borders change sides one by one wherever that makes the whole
better, at first now and then also where it does not (annealing), so that the search leaves
small dead ends. The same wishes on the same ground give the same grids.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from grids.gridding.blocks import sums
from grids.regrid.drawing import Added, Drawing, halves
from grids.regrid.errors import BadWish
from grids.regrid.fabric import COMMUNITY, Fabric, Floats, Ints

#: What one grid side (the root of its ground) of border weighs against balance.
BORDER: Final = 0.06
ROUNDS: Final = 60
#: How much worse a step may make the whole in the first round; falls to nothing.
HEAT: Final = 0.004
SEED: Final = 7


def design(drawing: Drawing) -> Drawing:
    """Draw what the wishes of a drawing ask for. Raises `BadWish` where there is no way."""
    if drawing.wishes.start == "none":
        return drawing
    communities = drawing.communities[drawing.fabric.patches.owner]
    wanted = _numbers(drawing, communities)
    for community, number in wanted.items():
        drawing = _community(drawing, np.flatnonzero(communities == community), community, number)
    return drawing


def _numbers(drawing: Drawing, communities: NDArray[np.str_]) -> dict[str, int]:
    """Say how many grids each community shall have, those included that stay as they are."""
    wishes = drawing.wishes
    names, at = np.unique(communities, return_inverse=True)
    today = {str(name): 0 for name in names}
    fixed = dict(today)
    for label, grid in enumerate(drawing.base):
        today[grid.code[:COMMUNITY]] += 1
        fixed[grid.code[:COMMUNITY]] += label in drawing.frozen
    if wishes.grids is None and wishes.households is None and wishes.start == "today":
        return today
    movable = ~np.isin(drawing.fabric.patches.owner, list(drawing.frozen))
    hours = sums(at[movable], drawing.hours[movable], len(names))
    patches = np.bincount(at[movable], minlength=len(names))
    least = (patches > 0).astype(np.int64)
    if wishes.households is not None:
        held = sums(at[movable], drawing.fabric.households[movable], len(names))
        number = np.maximum(np.rint(held / wishes.households).astype(np.int64), least)
    else:
        total = (wishes.grids or len(drawing.base)) - sum(fixed.values())
        if total < least.sum():
            raise BadWish(
                "each community needs a grid", field="grids", value=wishes.grids,
                least=int(least.sum()) + sum(fixed.values()),
            )  # fmt: skip
        number = least
        for _ in range(total - int(least.sum())):
            number[np.argmax(np.where(number < patches, hours / np.maximum(number, 1), -1.0))] += 1
    number = np.minimum(number, patches)
    return {str(name): int(number[k]) + fixed[str(name)] for k, name in enumerate(names)}


def _community(drawing: Drawing, members: Ints, community: str, number: int) -> Drawing:
    """Draw one community with a number of grids."""
    mine = members[~np.isin(drawing.labels[members], list(drawing.frozen))]
    free = number - len({int(k) for k in drawing.labels[members]} & drawing.frozen)
    if not len(mine) or free < 1:
        return drawing
    if drawing.wishes.start == "anew":
        drawing = _anew(drawing, mine, community, free)
    else:
        drawing = _counted(drawing, mine, free)
    return replace(drawing, labels=_settled(drawing, mine))


def _counted(drawing: Drawing, mine: Ints, number: int) -> Drawing:
    """Divide the heaviest grids, or join the lightest, until there are as many as wanted."""
    while True:
        present = np.unique(drawing.labels[mine])
        held = sums(drawing.labels, drawing.hours, drawing.count)[present]
        order = present[np.argsort(held, kind="stable")]
        if len(present) < number:
            divisible = [k for k in order.tolist() if (drawing.labels == k).sum() > 1]
            if not divisible:
                return drawing
            drawing = drawing.split(divisible[-1])
        elif len(present) > number:
            joined = _joined(drawing, order.tolist())
            if joined is None:
                return drawing
            drawing = joined
        else:
            return drawing


def _joined(drawing: Drawing, order: list[int]) -> Drawing | None:
    """Join the lightest grid that has a neighbour with the lightest of them."""
    a, b = drawing.labels[drawing.fabric.patches.pairs.T]
    for light in order:
        beside = set(a[b == light].tolist()) | set(b[a == light].tolist())
        for other in order:
            if other != light and other in beside:
                return drawing.merge(light, other)
    return None


def _anew(drawing: Drawing, mine: Ints, community: str, number: int) -> Drawing:
    """Draw a community from nothing; a grid keeps its name where most of its households stay."""
    part = np.zeros(len(mine), dtype=np.int64)
    _divide(drawing, mine, part, number)
    present = np.unique(drawing.labels[mine])
    # No more names than parts, and the other way round: the rest ends, or is added.
    kept = np.zeros((number, len(present)))
    np.add.at(kept, (part, np.searchsorted(present, drawing.labels[mine])),
              drawing.fabric.households[mine] + 1e-3)  # fmt: skip
    rows, columns = linear_sum_assignment(kept, maximize=True)
    name = np.full(number, -1, dtype=np.int64)
    name[rows] = present[columns]
    coming = np.flatnonzero(name < 0)
    name[coming] = drawing.count + np.arange(len(coming))
    labels = drawing.labels.copy()
    labels[mine] = name[part]
    added = (*drawing.added, *(Added(community) for _ in coming))
    return replace(drawing, labels=labels, added=added)


def _divide(drawing: Drawing, mine: Ints, part: Ints, number: int) -> None:
    """Number patches by halves of halves, whose work goes with the grids they are for."""
    stack = [(np.arange(len(mine)), 0, number)]
    while stack:
        inside, first, count = stack.pop()
        part[inside] = first
        if count > 1 and len(inside) > 1:
            left = count // 2
            half = halves(drawing.fabric, mine[inside], drawing.hours, share=left / count)
            stack.append((inside[half == 0], first, left))
            stack.append((inside[half == 1], first + left, count - left))


@dataclass
class _Search:
    """The patches of a community as plain lists, for a loop that moves one at a time."""

    label: list[int]
    home: list[int]
    hours: list[float]
    households: list[float]
    beside: list[list[tuple[int, float]]]
    load: dict[int, float]
    size: dict[int, int]
    mean: float
    side_m: float
    move_cost: float  #: of one household
    open: set[int]  #: labels that may change

    def gain(self, at: int, to: int) -> float:
        """Return how much better the whole is when a patch changes sides."""
        here, work = self.label[at], self.hours[at] / self.mean
        before = self.load[here] / self.mean - 1, self.load[to] / self.mean - 1
        balance = 2 * work * (before[0] - before[1]) - 2 * work * work
        shared_here = shared_there = 0.0
        for near, metres in self.beside[at]:
            if self.label[near] == here:
                shared_here += metres
            elif self.label[near] == to:
                shared_there += metres
        border = BORDER * (shared_there - shared_here) / self.side_m
        home = self.home[at]
        moved = self.households[at] * self.move_cost
        return balance + border + moved * ((home == to) - (home == here))

    def stays_whole(self, at: int) -> bool:
        """Say whether a grid hangs together without one of its patches."""
        here = self.label[at]
        ends = {near for near, _ in self.beside[at] if self.label[near] == here}
        if len(ends) < 2:
            return self.size[here] > 1 and bool(ends)
        start = next(iter(ends))
        ends.discard(start)
        seen, stack = {at, start}, [start]
        while stack and ends:
            for near, _ in self.beside[stack.pop()]:
                if near not in seen and self.label[near] == here:
                    seen.add(near)
                    ends.discard(near)
                    stack.append(near)
        return not ends

    def move(self, at: int, to: int) -> None:
        """Let a patch change sides."""
        here = self.label[at]
        self.load[here] -= self.hours[at]
        self.load[to] += self.hours[at]
        self.size[here] -= 1
        self.size[to] += 1
        self.label[at] = to

    def across(self, at: int) -> set[int]:
        """Return the grids on the other side of a patch's border."""
        here = self.label[at]
        return {self.label[near] for near, _ in self.beside[at]} & self.open - {here}


def _settled(drawing: Drawing, mine: Ints) -> Ints:
    """Let patches change sides until nothing gets better; return all labels."""
    search = _search(drawing, mine)
    if len(search.open) > 1:
        rng = np.random.default_rng(SEED)
        for heat in _heats():
            moved = 0
            chance = rng.random(len(mine))
            for at in rng.permutation(len(mine)).tolist():
                others = search.across(at)
                if not others:
                    continue
                gain, to = max((search.gain(at, other), -other) for other in others)
                least = heat * math.log(max(chance[at], 1e-12))
                if gain > max(least, -1.0) and gain != 0 and search.stays_whole(at):
                    search.move(at, -to)
                    moved += 1
            if not heat and not moved:
                break
    labels = drawing.labels.copy()
    labels[mine] = search.label
    return labels


def _heats() -> Iterator[float]:
    for n in range(ROUNDS):
        yield HEAT * (1 - n / (ROUNDS * 0.7)) if n < ROUNDS * 0.7 else 0.0


def _search(drawing: Drawing, mine: Ints) -> _Search:
    fabric: Fabric = drawing.fabric
    labels = drawing.labels[mine]
    place = np.full(len(fabric), -1, dtype=np.int64)
    place[mine] = np.arange(len(mine))
    a, b = place[fabric.patches.pairs.T]
    inside = (a >= 0) & (b >= 0)
    beside: list[list[tuple[int, float]]] = [[] for _ in mine]
    for one, two, metres in zip(a[inside].tolist(), b[inside].tolist(),
                                fabric.patches.shared_m[inside].tolist(), strict=True):  # fmt: skip
        beside[one].append((two, metres))
        beside[two].append((one, metres))
    hours: Floats = drawing.hours[mine]
    present = np.unique(labels).tolist()
    held = sums(labels, hours, drawing.count)
    number = max(len(present), 1)
    households = fabric.households[mine]
    return _Search(
        label=labels.tolist(),
        home=fabric.patches.owner[mine].tolist(),
        hours=hours.tolist(),
        households=households.tolist(),
        beside=beside,
        load={k: float(held[k]) for k in present},
        size={k: int((labels == k).sum()) for k in present},
        mean=max(float(hours.sum()) / number, 1e-9),
        side_m=math.sqrt(float(fabric.patches.area_m2[mine].sum()) / number),
        move_cost=drawing.wishes.move_cost / max(float(households.sum()) / number, 1e-9),
        open=set(present),
    )
