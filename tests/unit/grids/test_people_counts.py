"""The rule of published counts: true on average, never too close, never too small."""

import itertools
import random
from datetime import date, timedelta

import numpy as np
import pytest

from grids.people.counts_blur import (
    FINE,
    RENEWED_AFTER,
    ROUNDED_TO,
    SMALL,
    SMALLEST,
    Blur,
    Drawn,
    renewed,
)
from grids.people.counts_groups import AGES, KINDS, groups, told_groups
from grids.people.counts_rule import (
    FEWEST_LEAVES,
    WHOLES,
    deepest,
    leaf_of,
    publishable,
    remainder_of,
    root_of,
    tree_of,
    unsafe,
)

ROOT = "339901"
ON = date(2026, 3, 4)
BLURS = pytest.mark.parametrize("blur", [SMALL, FINE], ids=["small", "fine"])


def city_of(seed: int, *, towns: int = 4, communities: int = 5, grids: int = 6) -> list[str]:
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


def values_of(codes: list[str], seed: int) -> dict[str, dict[str, int]]:
    """Draw people where they live, and what is told of them."""
    rng = np.random.default_rng(seed + 1)
    chance = random.Random(seed)
    own: dict[str, dict[str, int]] = {
        name: {} for name in ("people", "migrants", "aged_60", "children", "households")
    }
    for code in (code for code in codes if len(code) == 15):
        people = int(rng.choice([0, 3, 8, 12, 25, 60, 200, 400]) + rng.integers(0, 6))
        aged = int(rng.binomial(people, 0.2))
        counts = {
            "people": people,
            "migrants": int(rng.binomial(people, rng.choice([0.05, 0.5, 0.97]))),
            "aged_60": aged,
            "children": int(rng.binomial(people - aged, 0.2)),
            "households": people // 3,
        }
        for name, count in counts.items():
            own[name][code] = SMALL.value_of(count, chance)
    return own


@BLURS
def test_a_value_is_a_step_within_reach_and_never_below_the_floor(blur: Blur) -> None:
    chance = random.Random(1)

    for count in range(80):
        for value in {blur.value_of(count, chance) for _ in range(400)}:
            low, high = blur.bounds_of(value)
            assert value % ROUNDED_TO == 0
            assert value == blur.floor or value > 0
            assert low <= count <= high


@BLURS
def test_what_is_possible_behind_any_value_is_wider_than_the_smallest_count(blur: Blur) -> None:
    for value in (blur.floor, *range(ROUNDED_TO, 200, ROUNDED_TO)):
        low, high = blur.bounds_of(value)
        assert high - low >= SMALLEST


@BLURS
@pytest.mark.parametrize("count", [0, 3, 10, 40])
def test_values_are_true_on_average(blur: Blur, count: int) -> None:
    chance = random.Random(count)

    mean = sum(blur.value_of(count, chance) for _ in range(40_000)) / 40_000

    assert abs(mean - count) < 2


@BLURS
def test_one_person_more_moves_the_chances_by_one_part_in_the_shifts(blur: Blur) -> None:
    """The distance between what is told of n and of n + 1, counted out over all shifts."""
    half = (blur.shifts - 1) // 2
    for count in range(60):
        seen = []
        for true in (count, count + 1):
            told = [_told(blur, true, shift) for shift in range(-half, half + 1)]
            seen.append({value: told.count(value) / blur.shifts for value in told})
        apart = sum(abs(seen[0].get(v, 0) - seen[1].get(v, 0)) for v in {*seen[0], *seen[1]}) / 2
        assert apart <= 1 / blur.shifts + 1e-9


def _told(blur: Blur, count: int, shift: int) -> int:
    class Fixed(random.Random):
        def randint(self, _low: int, _high: int) -> int:
            return shift

    return blur.value_of(count, Fixed())


def test_a_leaf_keeps_its_values_until_enough_has_changed() -> None:
    chance = random.Random(5)
    kinds = {"registered 15-59": 100, "migrant 15-59": 30}
    old = renewed(None, kinds, {"people": 130}, blur=SMALL, on=ON, chance=chance)

    nine_more = {**kinds, "migrant 15-59": 39}
    many_more = {**kinds, "migrant 15-59": 30 + 25}

    assert SMALLEST <= old.lasts <= 24
    later = ON + timedelta(days=7)
    again = renewed(old, nine_more, {"people": 139}, blur=SMALL, on=later, chance=chance)
    assert again is old
    assert renewed(old, many_more, {"people": 155}, blur=SMALL, on=later, chance=chance) is not old


def test_a_year_renews_and_so_does_another_set_of_measures() -> None:
    chance = random.Random(5)
    old = Drawn(ON, 24, {"a": 5}, {"people": 25})

    after = renewed(old, {"a": 5}, {"people": 5}, blur=SMALL, on=ON + RENEWED_AFTER, chance=chance)
    wider = renewed(old, {"a": 5}, {"people": 5, "b": 1}, blur=SMALL, on=ON, chance=chance)

    assert after is not old
    assert set(wider.values) == {"people", "b"}


@pytest.mark.parametrize("seed", range(20))
def test_told_sums_add_up_and_are_large_enough(seed: int) -> None:
    codes = city_of(seed)
    values = values_of(codes, seed)
    tree = tree_of(codes, ROOT)
    told = publishable(tree, values)

    for measure, found in values.items():
        sums = tree.sums(found)
        for code, value in told[measure].items():
            assert value == sums[code]
            assert value % ROUNDED_TO == 0
            assert value >= SMALL.least_told(tree.leaves[code])


@pytest.mark.parametrize("seed", range(20))
def test_every_remainder_holds_two_areas_and_ten_people(seed: int) -> None:
    codes = city_of(seed)
    values = values_of(codes, seed)
    tree = tree_of(codes, ROOT)
    told = publishable(tree, values)

    for measure, node in itertools.product(told, tree.children):
        if node not in told[measure]:
            continue
        left = remainder_of(tree, set(told[measure]), node)
        sums = tree.sums(values[measure])
        assert not left.leaves or len(left.leaves) >= FEWEST_LEAVES
        assert not left.leaves or sum(sums[leaf] for leaf in left.leaves) >= SMALLEST


@pytest.mark.parametrize("seed", range(10))
def test_what_is_left_of_a_whole_is_enough(seed: int) -> None:
    codes = city_of(seed)
    told = publishable(tree_of(codes, ROOT), values_of(codes, seed))

    for whole, parts in WHOLES:
        for code in set.intersection(*(set(told[name]) for name in (whole, *parts))):
            left = told[whole][code] - sum(told[part][code] for part in parts)
            assert left >= SMALLEST, (whole, parts, code)


def test_a_single_small_child_takes_its_smallest_sister_with_it() -> None:
    tree = tree_of([ROOT, f"{ROOT}001", f"{ROOT}002", f"{ROOT}003"], ROOT)
    values = {"people": {f"{ROOT}001": 5, f"{ROOT}002": 45, f"{ROOT}003": 90}}

    assert publishable(tree, values)["people"] == {ROOT: 140, f"{ROOT}003": 90}


def test_without_the_second_step_subtraction_would_succeed() -> None:
    """The rule is needed: the threshold alone leaves the small child to be found."""
    tree = tree_of([ROOT, f"{ROOT}001", f"{ROOT}002"], ROOT)
    sums = tree.sums({f"{ROOT}001": 5, f"{ROOT}002": 90})

    large = {node for node, value in sums.items() if value >= SMALL.least_told(tree.leaves[node])}

    assert sums[ROOT] - sums[f"{ROOT}002"] == 5
    assert large == {ROOT, f"{ROOT}002"}
    assert unsafe(tree, sums, large) >= {f"{ROOT}002"}


def test_an_area_with_all_its_people_in_one_child_tells_only_one_of_both() -> None:
    tree = tree_of([ROOT, f"{ROOT}001", f"{ROOT}001001"], ROOT)

    told = publishable(tree, {"people": {f"{ROOT}001001": 200}})["people"]

    assert told == {ROOT: 200, f"{ROOT}001": 200, f"{ROOT}001001": 200}


def test_codes_find_their_place() -> None:
    tree = tree_of([ROOT, f"{ROOT}001", f"{ROOT}001*"], ROOT)

    assert root_of([f"{ROOT}001", ROOT]) == ROOT
    assert root_of(["33", "44"]) == ""
    assert leaf_of(tree, f"{ROOT}001") == f"{ROOT}001*"
    assert deepest(f"{ROOT}001002", {ROOT, f"{ROOT}001"}) == f"{ROOT}001"
    assert deepest("44", {ROOT}) is None


def test_groups_are_sums_of_boxes() -> None:
    tree = tree_of([ROOT, f"{ROOT}001", f"{ROOT}002"], ROOT)
    chance = random.Random(3)
    drawn = {
        leaf: renewed(None, {}, dict.fromkeys(KINDS, 60), blur=FINE, on=ON, chance=chance)
        for leaf in (f"{ROOT}001", f"{ROOT}002")
    }
    found = {(group, code): value for group, code, value in told_groups(tree, drawn, [*tree.order])}

    assert len(KINDS) == 30
    assert len(list(groups())) == len(AGES) * 3 * 4
    whole = found[("all", "all", "all"), ROOT]
    assert whole == sum(sum(one.values.values()) for one in drawn.values())
    children, adults, aged = (found[(age, "all", "all"), ROOT] for age in ("0-14", "15-59", "60+"))
    assert children + adults + aged == whole


def test_a_group_too_small_is_withheld() -> None:
    tree = tree_of([ROOT, f"{ROOT}001", f"{ROOT}002"], ROOT)
    drawn = {
        leaf: Drawn(ON, 10, {}, {**dict.fromkeys(KINDS, 200), "80+ migrant collective": 20})
        for leaf in (f"{ROOT}001", f"{ROOT}002")
    }

    found = {(group, code) for group, code, _ in told_groups(tree, drawn, [*tree.order])}

    assert (("80+", "migrant", "collective"), f"{ROOT}001") not in found
    assert (("80+", "registered", "family"), f"{ROOT}001") in found
