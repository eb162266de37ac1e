import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from gis.bbox import Bbox
from gis.lattice import (
    CELL_AREA_M2,
    NOWHERE,
    cell_bounds,
    cell_centres,
    cell_ids,
    cell_of_col_row,
    cell_of_xy,
    cell_polygons,
    cells_covering,
    cells_inside,
    col_row,
    neighbours,
    project_geometry,
)
from gis.measure import area_m2
from gis.plane import plane_for

#: Middle of a city and its metric system: China, Liechtenstein, Helsinki, Porto Alegre.
CITIES = [(120.07, 29.3, 4549), (9.55, 47.15, 32632), (24.9, 60.2, 32635), (-51.2, -30.0, 32722)]


def by_proj(points: np.ndarray, srid: int) -> list[int]:
    """The lattice's definition, with PROJ for every point."""
    x, y = Transformer.from_crs(4490, srid, always_xy=True).transform(points[:, 0], points[:, 1])
    col, row = np.floor(x / 100).astype(int), np.floor(y / 100).astype(int)
    ids: list[int] = ((col + 2**20) << 21 | (row + 2**20)).tolist()
    return ids


@given(st.integers(-(2**20) + 1, 2**20 - 1), st.integers(-(2**20) + 1, 2**20 - 1))
def test_packing_and_unpacking_are_inverse(col: int, row: int) -> None:
    assert col_row(cell_of_col_row(col, row)).tolist() == [[col, row]]


@pytest.mark.parametrize(("lon", "lat", "srid"), CITIES)
def test_a_city_of_points_gets_the_cells_that_proj_gives(lon: float, lat: float, srid: int) -> None:
    points = np.random.default_rng(1).uniform(
        [lon - 0.3, lat - 0.3], [lon + 0.3, lat + 0.3], (60_000, 2)
    )

    assert cell_ids(points, srid).tolist() == by_proj(points, srid)


def test_points_around_cell_edges_get_the_cells_that_proj_gives() -> None:
    rng = np.random.default_rng(2)
    corners = np.round(rng.uniform([480_000, 3_220_000], [540_000, 3_260_000], (20_000, 2)), -2)
    lon, lat = Transformer.from_crs(4549, 4490, always_xy=True).transform(
        *(corners + rng.normal(0, 1e-3, corners.shape)).T
    )
    points = np.column_stack([lon, lat])

    assert cell_ids(points, 4549).tolist() == by_proj(points, 4549)


def test_stray_points_do_not_change_their_neighbours() -> None:
    points = np.random.default_rng(3).uniform([119.9, 29.1], [120.3, 29.5], (5_000, 2))
    points[[7, 70, 700]] = [[float("nan"), 29.0], [9.5, 47.1], [float("inf"), 0.0]]

    ids = cell_ids(points, 4549)

    good = np.setdiff1d(np.arange(5_000), [7, 700])
    assert ids[[7, 700]].tolist() == [NOWHERE, NOWHERE]
    assert ids[good].tolist() == by_proj(points[good], 4549)


@pytest.mark.parametrize(("lon", "lat", "srid"), CITIES)
def test_the_fitted_projection_stays_within_a_millimetre_of_proj(
    lon: float, lat: float, srid: int
) -> None:
    plane = plane_for(Bbox(lon - 0.8, lat - 0.8, lon + 0.8, lat + 0.8), srid)
    points = np.random.default_rng(4).uniform(
        [lon - 0.8, lat - 0.8], [lon + 0.8, lat + 0.8], (50_000, 2)
    )

    assert plane is not None
    x, y = Transformer.from_crs(4490, srid, always_xy=True).transform(points[:, 0], points[:, 1])
    off = np.hypot(*(plane.project(points[:, 0].copy(), points[:, 1].copy()) - [x, y]))
    assert off.max() < 1e-3


@pytest.mark.parametrize(
    "box",
    [
        Bbox(100, 20, 120, 40),
        Bbox(179.5, -17, -179.5, -16),
        Bbox(float("nan"), 0, 1, 1),
        Bbox(-95, 89, -94, 90.5),
    ],
)
def test_no_fit_is_offered_where_it_would_not_hold(box: Bbox) -> None:
    plane = plane_for(box, 4549)

    assert plane is None or plane.error_m < 1e-4


def test_every_place_lies_in_the_bounds_of_its_cell() -> None:
    x, y = np.random.default_rng(5).uniform(-1e6, 1e6, (2, 1_000))

    west, south, east, north = cell_bounds(cell_of_xy(x, y)).T

    assert ((west <= x) & (x < east) & (south <= y) & (y < north)).all()


def test_a_cell_drawn_as_a_polygon_has_a_hectare_and_runs_counter_clockwise() -> None:
    ids = cell_ids([[120.0751, 29.3068], [119.0, 29.0]], 4549)

    shapes = cell_polygons(ids, 4549)

    assert shapely.is_ccw(shapely.get_exterior_ring(shapes)).all()
    assert [area_m2(shape) for shape in shapes] == pytest.approx([CELL_AREA_M2] * 2, rel=5e-4)
    assert cell_ids(cell_centres(ids, 4549), 4549).tolist() == ids.tolist()


def test_neighbours_are_the_cells_that_touch() -> None:
    middle = int(cell_of_col_row(100, 200))

    around = col_row(neighbours(middle))

    assert sorted(map(tuple, around - [100, 200])) == [
        (a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)
    ]


def test_cells_of_an_area_agree_with_cutting_every_cell() -> None:
    area = shapely.Point(120.05, 29.3).buffer(0.004)
    metric = project_geometry(area, 4549)
    every = cells_covering(shapely.box(*area.bounds), 4549)
    shared = [shapely.box(*bounds).intersection(metric).area for bounds in cell_bounds(every)]

    covering, inside = cells_covering(area, 4549), cells_inside(area, 4549)

    assert set(covering) == {cell for cell, m2 in zip(every, shared, strict=True) if m2 > 0}
    assert set(inside) == {
        cell for cell, m2 in zip(every, shared, strict=True) if m2 > CELL_AREA_M2 - 1e-6
    }
    assert 0 < len(inside) < len(covering)


def test_an_area_of_whole_cells_is_covered_by_them_alone() -> None:
    ids = cell_of_col_row([5000, 5001], [32424, 32424])
    area = shapely.union_all(cell_polygons(ids, 4549)).buffer(-1e-9)

    assert cells_covering(area, 4549).tolist() == ids.tolist()


def test_an_empty_area_has_no_cells() -> None:
    assert cells_covering(shapely.Polygon(), 4549).tolist() == []
    assert cells_inside(shapely.Polygon(), 4549).tolist() == []


@given(lon=st.floats(118.5, 121.5), lat=st.floats(25, 40))
@settings(max_examples=50, deadline=None)
def test_one_point_alone_gets_the_same_cell_as_in_a_crowd(lon: float, lat: float) -> None:
    crowd = np.random.default_rng(6).normal([lon, lat], 0.01, (600, 2))
    crowd[300] = [lon, lat]

    assert cell_ids([lon, lat], 4549)[0] == cell_ids(crowd, 4549)[300]
