"""Which sums of boxes may be told, so that no small group can be worked out from the others.

The values of the boxes (`grids.people.counts_blur`) are harmless each by itself. On top of
that a sum is told only where at least `SMALLEST` people stand behind it for certain, and by
subtraction nothing smaller may be left either: areas form a tree whose parents are the sums
of their children; of a told area, less all that is told inside it, the *remainder* is left.
Every remainder must hold at least two smallest areas and at least `SMALLEST` people; until it
does, the smallest told sum inside is withheld as well (complementary suppression).

The same holds for what told measures imply by subtraction of one another: residents who are
no migrants, adults below sixty. They are protected as counts that nobody publishes.

All of this is decided from the values, never from the true counts: that something is told or
withheld says nothing which the values would not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from grids.people.counts_blur import SMALL, SMALLEST, Blur

#: A sum of two numbers hides each of them; one alone hides nothing.
FEWEST_LEAVES: Final = 2
#: The rest of an area: who lives in it but in none of its parts.
REST: Final = "*"

#: A whole and parts of it that exclude each other: what is left of it is protected too. The
#: first part is the one that gives way.
WHOLES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("people", ("migrants",)),
    ("people", ("aged_60",)),
    ("people", ("children",)),
    ("people", ("children", "aged_60")),
)

Values = Mapping[str, int]


@dataclass(frozen=True)
class Tree:
    """Areas and their children. A leaf that stands for the rest of its parent is no area."""

    children: Mapping[str, tuple[str, ...]]
    root: str

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Every node, parents before their children."""
        found: list[str] = []
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            found.append(node)
            waiting.extend(self.children.get(node, ()))
        return tuple(found)

    @cached_property
    def parent(self) -> Mapping[str, str]:
        """The node above each node."""
        return {child: node for node, under in self.children.items() for child in under}

    @cached_property
    def leaves(self) -> Mapping[str, int]:
        """How many leaves each node holds, itself included."""
        found: dict[str, int] = {}
        for node in reversed(self.order):
            under = self.children.get(node, ())
            found[node] = sum(found[child] for child in under) if under else 1
        return found

    def sums(self, values: Values) -> dict[str, int]:
        """Add what the leaves have upwards."""
        found: dict[str, int] = {}
        for node in reversed(self.order):
            under = self.children.get(node, ())
            found[node] = sum(found[child] for child in under) if under else values.get(node, 0)
        return found


@dataclass(frozen=True)
class Remainder:
    """What is told right inside a told area, and the leaves that are not."""

    told: tuple[str, ...]
    leaves: tuple[str, ...]

    def is_safe(self, sums: Values) -> bool:
        """Say whether subtracting everything told leaves enough people in enough leaves."""
        if not self.leaves:
            return True
        people = sum(sums[leaf] for leaf in self.leaves)
        return len(self.leaves) >= FEWEST_LEAVES and people >= SMALLEST


def tree_of(codes: Iterable[str], root: str) -> Tree:
    """Build the tree of area codes: a code stands under its longest beginning among them.

    >>> tree_of(["33", "3301", "3302", "330101", "33*"], "33").children
    {'33': ('33*', '3301', '3302'), '3301': ('330101',)}
    """
    children: dict[str, list[str]] = {}
    path: list[str] = []
    for code in sorted({*codes, root}):
        while path and not code.startswith(path[-1]):
            path.pop()
        if path:
            children.setdefault(path[-1], []).append(code)
        path.append(code)
    return Tree({code: tuple(under) for code, under in children.items()}, root)


def root_of(codes: Iterable[str]) -> str:
    """Return the area that holds all others; empty, the whole installation, without one.

    >>> root_of(["3301", "33", "3302"]), root_of(["33", "44"])
    ('33', '')
    """
    ordered = sorted(codes)
    first = ordered[0] if ordered else ""
    return first if all(code.startswith(first) for code in ordered) else ""


def remainder_of(tree: Tree, told: set[str], node: str) -> Remainder:
    """Look inside an area down to what is told, and to leaves that are not."""
    inside: list[str] = []
    leaves: list[str] = []
    waiting = list(tree.children.get(node, ()))
    while waiting:
        one = waiting.pop()
        if one in told:
            inside.append(one)
        elif one in tree.children:
            waiting.extend(tree.children[one])
        else:
            leaves.append(one)
    return Remainder(tuple(inside), tuple(leaves))


def unsafe(tree: Tree, sums: Values, told: set[str]) -> set[str]:
    """Return what must be withheld as well, so that every remainder is safe."""
    told = set(told)
    dropped: set[str] = set()
    waiting = [node for node in tree.order if node in told]
    while waiting:
        node = waiting.pop()
        if node not in told:
            continue
        found = remainder_of(tree, told, node)
        if found.is_safe(sums):
            continue
        victim = min(found.told, key=lambda one: (sums[one], one), default=node)
        told.discard(victim)
        dropped.add(victim)
        # The remainder has grown; so has that of the area around, where this one gave way.
        waiting.append(node if victim != node else _told_above(tree, told, node))
    return dropped


def _told_above(tree: Tree, told: set[str], node: str) -> str:
    """Return the nearest told area around a node; empty where there is none."""
    above = tree.parent.get(node, "")
    while above and above not in told:
        above = tree.parent.get(above, "")
    return above


@dataclass(frozen=True)
class Measure:
    """The sums of one measure, and what may be told of it."""

    sums: dict[str, int]
    told: set[str]


def tellable(tree: Tree, values: Values, blur: Blur, *, boxes: int = 1) -> Measure:
    """Sum a measure upwards and decide what may be told of it by itself.

    `boxes` is how many boxes of each leaf are in the sum.
    """
    sums = tree.sums(values)
    large = {
        node
        for node in tree.order
        if not node.endswith(REST) and sums[node] >= blur.least_told(tree.leaves[node] * boxes)
    }
    return Measure(sums, large - unsafe(tree, sums, large))


def publishable(
    tree: Tree, values: Mapping[str, Values], blur: Blur = SMALL
) -> dict[str, dict[str, int]]:
    """Decide for every measure which areas are told, and with what number.

    Parameters
    ----------
    tree : Tree
        The areas and duty grids of the day; leaves may be the rest of an area (`REST`).
    values : mapping of measure to values of leaves
        What was drawn of each leaf (`counts_blur`).
    """
    measures = {name: tellable(tree, found, blur) for name, found in values.items()}
    while _protect_what_is_left(tree, measures):
        pass
    return {
        name: {node: found.sums[node] for node in tree.order if node in found.told}
        for name, found in measures.items()
    }


def _protect_what_is_left(tree: Tree, measures: Mapping[str, Measure]) -> bool:
    """Withhold parts until what is left of their whole is safe; say whether any gave way."""
    has_changed = False
    for whole, parts in WHOLES:
        if any(name not in measures for name in (whole, *parts)):
            continue
        involved = [measures[name] for name in (whole, *parts)]
        left = {
            node: involved[0].sums[node] - sum(part.sums[node] for part in involved[1:])
            for node in tree.order
        }
        implied = set.intersection(*(found.told for found in involved))
        small = {node for node in implied if left[node] < SMALLEST}
        drop = small | unsafe(tree, left, implied - small)
        if drop:
            giving = involved[1]
            giving.told.difference_update(drop)
            giving.told.difference_update(unsafe(tree, giving.sums, giving.told))
            has_changed = True
    return has_changed


def deepest(code: str, known: Iterable[str] | set[str]) -> str | None:
    """Return the deepest of the known areas that a code lies in.

    >>> deepest("339901001001001", {"339901", "339901001001"})
    '339901001001'
    """
    return next((c for c in (code[:n] for n in (15, 12, 9, 6) if n <= len(code)) if c in known),
                None)  # fmt: skip


def leaf_of(tree: Tree, code: str) -> str:
    """Return the leaf that people of an area belong to: the area, or the rest of it."""
    return f"{code}{REST}" if tree.children.get(code) else code


def told_or_none(codes: Sequence[str], told: Values) -> list[int | None]:
    """Line up what is told with the areas that are asked for."""
    return [told.get(code) for code in codes]
