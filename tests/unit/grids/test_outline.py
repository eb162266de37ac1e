"""The ground of a city without borders, its sea, and its time zone."""

import numpy as np
import pytest
import shapely

from grids.importing.outline import SHORE_M, ground_of, without_sea
from grids.importing.timezone import fixed_offset, zone_near


def lines(*paths: list[tuple[float, float]]) -> np.ndarray:
    made = np.empty(len(paths), dtype=object)
    made[:] = [shapely.LineString(path) for path in paths]
    return made


def test_ground_holds_every_point_with_room_around_it() -> None:
    rng = np.random.default_rng(6)
    points = rng.normal(0, 1500, (2000, 2))

    ground = ground_of(points)

    assert shapely.intersects_xy(ground, points).all()
    assert shapely.contains(ground.buffer(-15), shapely.points(points)).all()
    assert ground.is_valid


def test_near_clusters_are_one_ground_and_far_ones_are_not() -> None:
    rng = np.random.default_rng(7)
    cluster = rng.uniform(0, 500, (300, 2))

    near = ground_of(np.concatenate([cluster, cluster + np.array([700, 0])]))
    far = ground_of(np.concatenate([cluster, cluster + np.array([9000, 0])]))

    assert shapely.get_num_geometries(near) == 1
    assert shapely.get_num_geometries(far) == 2


def test_nothing_has_no_ground() -> None:
    assert ground_of(np.empty((0, 2))).is_empty


def test_the_sea_lies_on_the_right_of_the_coast() -> None:
    city = shapely.box(0, 0, 2000, 2000)
    # The coast runs north: land to the west of it, on its left.
    coast = lines([(1000, -500), (1000, 2500)])

    land = without_sea(city, coast)
    turned = without_sea(city, lines([(1000, 2500), (1000, -500)]))

    assert land.bounds == pytest.approx((0, 0, 1000 + SHORE_M, 2000))
    assert turned.bounds == pytest.approx((1000 - SHORE_M, 0, 2000, 2000))


def test_an_inland_city_keeps_its_ground() -> None:
    city = shapely.box(0, 0, 2000, 2000)

    assert without_sea(city, lines()).equals(city)
    assert without_sea(city, lines([(5000, 0), (5000, 100)])).equals(city)


@pytest.mark.parametrize(
    ("lon", "lat", "zone"),
    [
        (120.07, 29.31, "Asia/Shanghai"),
        (24.94, 60.17, "Europe/Helsinki"),
        (9.52, 47.14, "Europe/Zurich"),
        (-46.6, -23.5, "America/Sao_Paulo"),
    ],
)
def test_the_zone_is_that_of_the_nearest_principal_place(lon: float, lat: float, zone: str) -> None:
    assert zone_near(lon, lat) == zone


@pytest.mark.parametrize(
    ("lon", "zone"), [(120.0, "Etc/GMT-8"), (-51.0, "Etc/GMT+3"), (3.0, "Etc/GMT")]
)
def test_a_fixed_offset_has_the_sign_of_posix(lon: float, zone: str) -> None:
    assert fixed_offset(lon) == zone
