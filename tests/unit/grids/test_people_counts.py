"""Published counts are attacked: linear programs, subtraction, and the areas they are about."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array

from grids.people_counts import (
    ROUNDED_TO,
    SMALLEST,
    WHOLES,
    Tree,
    add_rests,
    publishable,
    shown_counts,
    tree_of,
    unsafe,
)

#: A told count lies less than one step away from the true one.
ERROR = ROUNDED_TO - 1
ROOT = "339901"


def city_of(seed: int, *, towns: int = 2, communities: int = 3, grids: int = 4) -> list[str]:
    """Make codes of a county, its towns, communities and grids, not all of the same size."""
    rng = np.random.default_rng(seed)
    codes = [ROOT]
    for town in range(1, rng.integers(1, towns + 1) + 1):
        codes.append(f"{ROOT}{town:03d}")
        for community in range(1, rng.integers(1, communities + 1) + 1):
            codes.append(f"{ROOT}{town:03d}{community:03d}")
            last = rng.integers(1, grids + 1)
            codes += [f"{ROOT}{town:03d}{community:03d}{grid:03d}" for grid in range(1, last + 1)]
    return codes


def people_of(codes: list[str], seed: int) -> dict[str, dict[str, int]]:
    """Draw people where they live: mostly in grids, some few outside any."""
    rng = np.random.default_rng(seed + 1)
    own: dict[str, dict[str, int]] = {
        name: {} for name in ("people", "migrants", "aged_60", "children", "households")
    }
    for code in codes:
        if len(code) == 15:
            people = int(rng.choice([0, 3, 8, 12, 25, 60, 200]) + rng.integers(0, 6))
        elif len(code) == 12:
            people = int(rng.choice([0, 0, 2, 9, 15]))
        else:
            continue
        aged = int(rng.binomial(people, 0.2))
        own["people"][code] = people
        own["migrants"][code] = int(rng.binomial(people, rng.choice([0.05, 0.5, 0.97])))
        own["aged_60"][code] = aged
        own["children"][code] = int(rng.binomial(people - aged, 0.2))
        own["households"][code] = people // 3
    return own


class Attack:
    """What an attacker knows: sums along the tree, parts of wholes, and every told count."""

    def __init__(self, codes, own, told) -> None:
        self.index: dict[tuple[str, str], int] = {}
        self.equal: list[tuple[dict[int, float], float]] = []
        self.limits: list[tuple[float, float]] = []
        tree = tree_of(codes, ROOT)
        shapes = {measure: add_rests(tree, own[measure]) for measure in told}
        for measure, (grown, _) in shapes.items():
            for node in grown.down():
                value = told[measure].get(node)
                bounds = (0, None) if value is None else (max(0, value - ERROR), value + ERROR)
                self.add(measure, node, bounds)
            for node, under in grown.children.items():
                self.sum((measure, node), [(measure, child) for child in under])
        for whole, parts in WHOLES:
            left = "-".join((whole, *parts))
            for node in shapes[whole][0].down():
                members = [(part, node) for part in parts if (part, node) in self.index]
                self.add(left, node, (0, None))
                self.sum((whole, node), [*members, (left, node)])

    def add(self, measure: str, node: str, bounds) -> None:
        self.index[measure, node] = len(self.limits)
        self.limits.append(bounds)

    def sum(self, whole, parts) -> None:
        row = {self.index[whole]: 1.0}
        row.update({self.index[part]: -1.0 for part in parts})
        self.equal.append((row, 0.0))

    def matrix(self):
        cells = [(at, column, value) for at, (row, _) in enumerate(self.equal)
                 for column, value in row.items()]  # fmt: skip
        rows, columns, values = zip(*cells, strict=True)
        return coo_array((values, (rows, columns)), shape=(len(self.equal), len(self.limits)))

    def bounds_of(self, name, matrix) -> tuple[float, float]:
        ends = []
        for sign in (1, -1):
            aim = np.zeros(len(self.limits))
            aim[self.index[name]] = sign
            found = linprog(
                aim, A_eq=matrix, b_eq=np.zeros(len(self.equal)), bounds=self.limits, method="highs"
            )
            ends.append(np.inf if found.status == 3 else found.fun * sign)
            assert found.status in (0, 3), found.message
        return float(ends[0]), float(ends[1])


@pytest.mark.parametrize("seed", range(8))
def test_linear_programs_find_no_withheld_count_that_is_small_or_known_closely(seed: int) -> None:
    codes = city_of(seed)
    own = people_of(codes, seed)
    told = publishable(codes, ROOT, own)

    attack = Attack(codes, own, told)
    matrix = attack.matrix().tocsr()
    exposed = {}
    for measure, node in attack.index:
        if told.get(measure, {}).get(node) is not None:
            continue
        low, high = attack.bounds_of((measure, node), matrix)
        if high < SMALLEST or high - low < SMALLEST:
            exposed[measure, node] = (low, high)

    assert exposed == {}


@pytest.mark.parametrize("seed", range(25))
def test_subtracting_told_children_from_their_parent_leaves_nothing_or_enough(seed: int) -> None:
    codes = city_of(seed, towns=4, communities=5, grids=6)
    told = publishable(codes, ROOT, people_of(codes, seed))
    tree = tree_of(codes, ROOT)

    for measure, node in itertools.product(told, tree.children):
        under = {child: told[measure][child] for child in tree.children[node]}
        opened = [
            child for child, value in under.items() if value is None and child in tree.children
        ]
        if told[measure][node] is None or opened:
            continue
        rest = told[measure][node] - sum(value for value in under.values() if value is not None)
        assert rest == 0 or rest >= SMALLEST, (measure, node, rest)


@pytest.mark.parametrize("seed", range(20))
def test_told_counts_are_rounded_large_enough_and_near_the_truth(seed: int) -> None:
    codes = city_of(seed, towns=4, communities=6, grids=8)
    own = people_of(codes, seed)
    told = publishable(codes, ROOT, own)

    for measure, counts in own.items():
        _, totals = add_rests(tree_of(codes, ROOT), counts)
        for code, value in told[measure].items():
            if value is None:
                continue
            assert value % ROUNDED_TO == 0
            assert value >= SMALLEST
            assert totals[code] >= SMALLEST
            assert abs(value - totals[code]) <= ERROR


def test_a_single_small_child_takes_its_smallest_sister_with_it() -> None:
    codes = [ROOT, f"{ROOT}001", f"{ROOT}002", f"{ROOT}003"]
    own = {"people": {f"{ROOT}001": 4, f"{ROOT}002": 30, f"{ROOT}003": 90}}

    told = publishable(codes, ROOT, own)["people"]

    assert told == {ROOT: 125, f"{ROOT}001": None, f"{ROOT}002": None, f"{ROOT}003": 90}


def test_people_outside_every_grid_cannot_be_found_by_subtraction() -> None:
    codes = [ROOT, f"{ROOT}001", f"{ROOT}002"]
    own = {"people": {ROOT: 3, f"{ROOT}001": 40, f"{ROOT}002": 60}}

    told = publishable(codes, ROOT, own)["people"]

    assert told[ROOT] is not None
    assert [told[f"{ROOT}001"], told[f"{ROOT}002"]].count(None) == 1


def test_few_who_are_no_migrants_keep_the_count_of_migrants_back() -> None:
    codes = [ROOT, f"{ROOT}001", f"{ROOT}002"]
    own = {
        "people": {f"{ROOT}001": 100, f"{ROOT}002": 100},
        "migrants": {f"{ROOT}001": 97, f"{ROOT}002": 40},
    }

    told = publishable(codes, ROOT, own)

    assert told["people"] == {ROOT: 200, f"{ROOT}001": 100, f"{ROOT}002": 100}
    assert told["migrants"][f"{ROOT}001"] is None
    assert told["migrants"][f"{ROOT}002"] is None


def test_without_the_second_step_subtraction_would_succeed() -> None:
    """The attack itself works: leaving out the complementary step is noticed."""
    codes = [ROOT, f"{ROOT}001", f"{ROOT}002", f"{ROOT}003"]
    own = {"people": {f"{ROOT}001": 4, f"{ROOT}002": 30, f"{ROOT}003": 90}}
    tree, totals = add_rests(tree_of(codes, ROOT), own["people"])
    careless = {code for code in codes if totals[code] >= SMALLEST}

    shown = shown_counts(tree, totals, careless)

    assert unsafe(tree, totals, careless) == {f"{ROOT}002"}
    assert shown[ROOT] - shown[f"{ROOT}002"] - shown[f"{ROOT}003"] < SMALLEST


def test_nobody_anywhere_tells_nothing() -> None:
    assert publishable([ROOT], ROOT, {"people": {}}) == {"people": {ROOT: None}}
    assert Tree({}, ROOT).children == {}
