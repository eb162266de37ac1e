"""Which counts of people may be told, so that no small one can be worked out from the others.

A count below `SMALLEST` is withheld, the others are told in steps of `ROUNDED_TO`. Areas form
a tree whose parents are the sums of their children, so subtraction tells of what is withheld:
of a told area, less all that is told inside it, the *remainder* is left. Every remainder must
hold at least two withheld leaves and at least `SMALLEST` people; until it does, the smallest
told count inside is withheld as well. More than the sum of a remainder cannot be learnt, since
each withheld leaf lies in the remainder of one told area only.

Told counts add up exactly. They are the steps between rounded running totals, so that each is
less than `ROUNDED_TO` away from the true one, however large the area is.

The same holds for what two told counts imply by subtraction of one another: residents who are
no migrants, adults below sixty. They are protected as counts that nobody publishes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: The smallest count that is told (S34 of the acceptance list).
SMALLEST: Final = 10
ROUNDED_TO: Final = 5
#: A sum of two numbers hides each of them; one alone hides nothing.
FEWEST_LEAVES: Final = 2

#: A whole and parts of it that exclude each other: what is left of it is protected too. The
#: first part is the one that gives way.
WHOLES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("people", ("migrants",)),
    ("people", ("aged_60",)),
    ("people", ("children",)),
    ("people", ("children", "aged_60")),
)

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Tree:
    """Areas and their children. A leaf that stands for the rest of its parent is no area."""

    children: Mapping[str, tuple[str, ...]]
    root: str

    def down(self) -> Iterable[str]:
        """Every node, parents before their children."""
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(self.children.get(node, ()))


@dataclass(frozen=True)
class Remainder:
    """What is told right inside a told area, and the leaves that are not."""

    told: tuple[str, ...]
    leaves: tuple[str, ...]

    def is_safe(self, totals: Counts) -> bool:
        """Say whether subtracting everything told leaves enough people in enough leaves."""
        if not self.leaves:
            return True
        people = sum(totals[leaf] for leaf in self.leaves)
        return len(self.leaves) >= FEWEST_LEAVES and people >= SMALLEST


def tree_of(codes: Iterable[str], root: str) -> Tree:
    """Build the tree of area codes: a code stands under its longest beginning among them.

    >>> tree_of(["33", "3301", "3302", "330101"], "33").children
    {'33': ('3301', '3302'), '3301': ('330101',)}
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


def add_rests(tree: Tree, own: Counts) -> tuple[Tree, dict[str, int]]:
    """Sum counts upwards; who lives in no child of an area becomes its unnamed child.

    `own` counts each person once, at the deepest area known. A rest of nobody is left out:
    there is nobody to protect.
    """
    totals: dict[str, int] = {}
    children = dict(tree.children)
    for node in reversed(list(tree.down())):
        under = tree.children.get(node, ())
        rest = own.get(node, 0)
        totals[node] = rest + sum(totals[child] for child in under)
        if under and rest:
            unnamed = f"{node}*"
            totals[unnamed] = rest
            children[node] = (*under, unnamed)
    return Tree(children, tree.root), totals


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


def unsafe(tree: Tree, totals: Counts, told: set[str]) -> set[str]:
    """Return what must be withheld as well, so that every remainder is safe."""
    told = set(told)
    dropped: set[str] = set()
    waiting = [node for node in tree.down() if node in told]
    while waiting:
        node = waiting.pop()
        if node not in told:
            continue
        found = remainder_of(tree, told, node)
        if found.is_safe(totals):
            continue
        victim = min(found.told, key=lambda one: (totals[one], one), default=node)
        told.discard(victim)
        dropped.add(victim)
        # The remainder has grown; so has that of the area around, where this one gave way.
        waiting.append(node if victim != node else _told_above(tree, told, node))
    return dropped


def _told_above(tree: Tree, told: set[str], node: str) -> str:
    """Return the nearest told area around a node; empty where there is none."""
    nearest = ""
    waiting = [(tree.root, "")]
    while waiting:
        one, above = waiting.pop()
        if one == node:
            nearest = above
        around = one if one in told else above
        waiting.extend((child, around) for child in tree.children.get(one, ()))
    return nearest


def shown_counts(tree: Tree, totals: Counts, told: set[str]) -> dict[str, int]:
    """Round what is told so that parts add up to their wholes.

    A walk through the tree keeps a running total; the count of an area is the difference of
    the rounded running totals after and before it.
    """
    shown: dict[str, int] = {}
    running = 0

    def walk(node: str) -> None:
        nonlocal running
        before = _rounded(running)
        found = remainder_of(tree, told, node)
        if node in told and node not in tree.children:
            running += totals[node]
        for child in sorted(found.told):
            walk(child)
        running += sum(totals[leaf] for leaf in found.leaves)
        if node in told:
            shown[node] = _rounded(running) - before

    walk(tree.root)
    return shown


def _rounded(count: int) -> int:
    return (count + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO


def publishable(
    codes: Sequence[str], root: str, own: Mapping[str, Counts]
) -> dict[str, dict[str, int | None]]:
    """Decide for every measure what is told of each area: a rounded count, or None.

    Parameters
    ----------
    codes : sequence of str
        The areas and duty grids of the day, the root among them.
    own : mapping of measure to counts
        Each person, household or dwelling counted once, at the deepest area known.
    """
    tree = tree_of(codes, root)
    grown = {measure: add_rests(tree, counts) for measure, counts in own.items()}
    told: dict[str, set[str]] = {}
    for measure, (with_rests, totals) in grown.items():
        large = {code for code in codes if totals.get(code, 0) >= SMALLEST}
        told[measure] = large - unsafe(with_rests, totals, large)
    while _protect_what_is_left(tree, own, grown, told):
        pass
    answer: dict[str, dict[str, int | None]] = {}
    for measure, (with_rests, totals) in grown.items():
        shown = shown_counts(with_rests, totals, told[measure])
        answer[measure] = {code: shown.get(code) for code in codes}
    return answer


def _protect_what_is_left(
    tree: Tree,
    own: Mapping[str, Counts],
    grown: Mapping[str, tuple[Tree, dict[str, int]]],
    told: dict[str, set[str]],
) -> bool:
    """Withhold parts until what is left of their whole is safe; say whether any gave way."""
    has_changed = False
    for whole, parts in WHOLES:
        if any(name not in own for name in (whole, *parts)):
            continue
        left_tree, left = add_rests(tree, _left_of(own[whole], [own[part] for part in parts]))
        implied = set.intersection(*(told[name] for name in (whole, *parts)))
        small = {node for node in implied if left[node] < SMALLEST}
        drop = small | unsafe(left_tree, left, implied - small)
        if drop:
            giving = parts[0]
            told[giving] -= drop
            told[giving] -= unsafe(*grown[giving], told[giving])
            has_changed = True
    return has_changed


def _left_of(whole: Counts, parts: Sequence[Counts]) -> dict[str, int]:
    codes = set(whole).union(*parts)
    return {code: whole.get(code, 0) - sum(part.get(code, 0) for part in parts) for code in codes}
