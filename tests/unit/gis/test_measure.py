import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.crs import to_metric
from gis.measure import area_m2, bearing_deg, destination, geodesic_m, haversine_m, length_m

places = st.tuples(st.floats(-179, 179), st.floats(-80, 80))


def test_a_degree_of_the_meridian_is_as_the_series_has_it() -> None:
    # 111132.954 - 559.822 cos 2 phi + 1.175 cos 4 phi at 29.5 degrees.
    assert geodesic_m([120, 29], [120, 30])[0] == pytest.approx(110_844.07, abs=0.1)


@given(places, places)
def test_the_sphere_is_within_six_thousandths_of_the_ellipsoid(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    exact = geodesic_m(a, b)[0]

    assert haversine_m(a, b)[0] == pytest.approx(exact, rel=6e-3, abs=1e-3)


@given(places, st.floats(0, 359.9), st.floats(1, 100_000))
def test_going_and_measuring_agree(start: tuple[float, float], to: float, far: float) -> None:
    end = destination(start, to, far)

    assert geodesic_m(start, end)[0] == pytest.approx(far, abs=1e-5)
    turn = abs(bearing_deg(start, end)[0] - to)
    assert min(turn, 360 - turn) * far < 0.1


def test_one_place_is_measured_against_many() -> None:
    assert haversine_m([120, 29], [[120, 29], [121, 29], [122, 29]]).shape == (3,)
    assert geodesic_m([120, 29], [[120, 29], [121, 29]])[0] == 0


def test_a_missing_place_is_at_no_distance() -> None:
    assert np.isnan(haversine_m([120, float("nan")], [120, 29])).all()


def test_area_agrees_with_the_metric_system_near_its_meridian() -> None:
    shape = shapely.Point(120.0, 29.3).buffer(0.01)
    metric = shapely.transform(shape, lambda xy: to_metric(xy, 4549))

    assert area_m2(shape) == pytest.approx(metric.area, rel=1e-5)


def test_area_does_not_depend_on_the_way_round_and_leaves_holes_out() -> None:
    outer, hole = shapely.box(120, 29, 120.1, 29.1), shapely.box(120.02, 29.02, 120.04, 29.04)
    holed = shapely.difference(outer, hole)

    assert area_m2(holed) == pytest.approx(area_m2(outer) - area_m2(hole), rel=1e-9)
    assert area_m2(shapely.reverse(holed)) == pytest.approx(area_m2(holed))


def test_length_of_a_polygon_is_its_border() -> None:
    square = shapely.box(120, 29, 120.1, 29.1)

    assert length_m(square) == pytest.approx(length_m(square.exterior))
