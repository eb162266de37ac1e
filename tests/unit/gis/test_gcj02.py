import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.gcj02 import (
    bd09_to_gcj02,
    bd09_to_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)
from gis.measure import geodesic_m

PLACE = [120.0751, 29.3068]
chinese = st.tuples(st.floats(74, 134), st.floats(18, 53))


def test_the_shift_of_a_known_place_is_as_published() -> None:
    assert wgs84_to_gcj02(PLACE)[0] == pytest.approx([120.07984, 29.30431], abs=5e-6)
    assert wgs84_to_bd09(PLACE)[0] == pytest.approx([120.08640, 29.31013], abs=5e-6)
    assert geodesic_m(PLACE, wgs84_to_gcj02(PLACE))[0] == pytest.approx(537, abs=1)


@given(chinese)
def test_the_way_back_is_right_to_a_billionth_of_a_degree(place: tuple[float, float]) -> None:
    assert gcj02_to_wgs84(wgs84_to_gcj02(place))[0] == pytest.approx(place, abs=1e-9)
    assert bd09_to_gcj02(gcj02_to_bd09(place))[0] == pytest.approx(place, abs=1e-9)
    assert bd09_to_wgs84(wgs84_to_bd09(place))[0] == pytest.approx(place, abs=1e-9)


@given(chinese)
def test_the_shift_is_never_more_than_a_kilometre(place: tuple[float, float]) -> None:
    assert 10 < geodesic_m(place, wgs84_to_gcj02(place))[0] < 1_100


@pytest.mark.parametrize("place", [[9.52, 47.14], [24.9, 60.2], [-51.2, -30.0], [139.7, 35.7]])
def test_outside_the_rectangle_nothing_is_shifted(place: list[float]) -> None:
    for step in (wgs84_to_gcj02, gcj02_to_wgs84, wgs84_to_bd09, bd09_to_wgs84):
        assert step(place).tolist() == [place]


def test_missing_places_stay_missing_and_spoil_nobody() -> None:
    shifted = gcj02_to_wgs84([[float("nan"), 29.0], PLACE])

    assert np.isnan(shifted[0]).any()
    assert shifted[1].tolist() == gcj02_to_wgs84(PLACE)[0].tolist()


def test_many_places_are_shifted_as_one_alone() -> None:
    many = np.random.default_rng(1).uniform([100, 25], [120, 40], (1_000, 2))

    assert wgs84_to_gcj02(many)[500].tolist() == wgs84_to_gcj02(many[500])[0].tolist()
