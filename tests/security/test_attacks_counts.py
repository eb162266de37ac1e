"""Published counts withstand what breaks a threshold; every attack is shown to be able to win."""

import pytest

from tests.security.attacks.attackers import (
    ATTACKS,
    FEWEST_TRIES,
    MARGIN,
    Outcome,
    large_world,
    usual_world,
)
from tests.security.attacks.intervals import exposed
from tests.security.attacks.publishers import Fresh, Naive, Platform, Rounding
from tests.security.attacks.world import World, make_world

SMALL_CITY = {"towns": 2, "communities": 2, "grids": 3, "sizes": (1, 4, 9, 15, 40, 60)}


@pytest.fixture(scope="module")
def large() -> World:
    return large_world()


@pytest.fixture(scope="module")
def usual() -> World:
    return usual_world()


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_learns_no_more_than_the_prior(name: str, large: World, usual: World) -> None:
    found = ATTACKS[name](Platform(), usual if name == "unions" else large)

    assert found.tries >= FEWEST_TRIES
    assert found.recovered <= found.prior + MARGIN, found


@pytest.mark.parametrize("name", ATTACKS)
def test_the_same_attack_breaks_a_threshold_alone(name: str, large: World, usual: World) -> None:
    found = ATTACKS[name](Naive(), usual if name == "unions" else large)

    assert found.tries >= FEWEST_TRIES
    assert found.is_won, found


def test_made_up_people_break_rounding_alone(large: World) -> None:
    found: Outcome = ATTACKS["made-up people"](Rounding(), large)

    assert found.is_won, found


def test_averaging_breaks_noise_that_is_drawn_anew(large: World) -> None:
    found = ATTACKS["asked again"](Fresh(), large)

    assert found.recovered > found.prior + 2 * MARGIN, found


@pytest.mark.parametrize("seed", range(3))
def test_integer_programs_find_no_cell_narrower_than_ten(seed: int) -> None:
    city = make_world(seed, **SMALL_CITY)

    assert exposed(city.tree, Platform().publish(city)) == {}


def test_integer_programs_find_many_where_counts_are_exact() -> None:
    city = make_world(0, **SMALL_CITY)

    assert len(exposed(city.tree, Naive().publish(city), is_exact=True)) > 10


def test_a_new_layout_of_grids_gives_one_more_look_and_no_more(usual: World) -> None:
    """Grids are renamed between two publications: their people are drawn once more."""
    platform = Platform()
    first = platform.publish(usual)["people"]
    renamed = {
        code: f"{code[:12]}{int(code[12:]) + 500:03d}" if len(code) == 15 else code
        for code in usual.codes
    }
    moved = World(
        tuple(sorted(renamed.values())),
        {renamed[grid]: people for grid, people in usual.grids.items()},
    )
    second = Platform(chance=platform.chance).publish(moved)["people"]
    back = platform.publish(usual, 2)["people"]

    assert back == first  # who lays out and undoes sees the same numbers again
    assert any(second[renamed[code]] != first[code] for code in first if renamed[code] in second)
