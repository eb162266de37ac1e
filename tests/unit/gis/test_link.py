"""`gis.link` against a slow second opinion: GEOS, every grid, every point."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.link import METRIC_SRID, irregular_grids, scattered
from gis.errors import InvalidGeometry
from gis.lattice import cell_ids
from gis.link import OUTSIDE, GridIndex

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]


def brute_force(codes: list[str], shapes: Shapes, points: Floats) -> NDArray[np.int64]:
    """The lowest code whose shape covers the point, by trying them all."""
    found = np.full(len(points), OUTSIDE)
    for at in sorted(range(len(codes)), key=lambda at: codes[at], reverse=True):
        shapely.prepare(shapes[at])
        found[shapely.intersects_xy(shapes[at], points[:, 0], points[:, 1])] = at
    return found


def index_of(codes: list[str], shapes: Shapes) -> GridIndex:
    return GridIndex(np.arange(len(shapes)), codes, list(shapes), METRIC_SRID)


def shuffled_codes(count: int, seed: int) -> list[str]:
    return [f"{at:015d}" for at in np.random.default_rng(seed).permutation(count)]


def different(codes: list[str], shapes: Shapes, points: Floats) -> list[list[float]]:
    """The points on which the index and the second opinion differ."""
    ours = index_of(codes, shapes).grids(points)
    wrong: list[list[float]] = points[ours != brute_force(codes, shapes, points)].tolist()
    return wrong


@pytest.fixture(scope="module")
def coverage() -> tuple[list[str], Shapes]:
    shapes = irregular_grids(120, seed=11)
    return shuffled_codes(len(shapes), 12), shapes


def test_random_points_go_where_brute_force_says(coverage: tuple[list[str], Shapes]) -> None:
    assert different(*coverage, scattered(40_000, seed=13)) == []


def test_points_on_shared_vertices_go_to_the_lower_code(
    coverage: tuple[list[str], Shapes],
) -> None:
    corners = shapely.get_coordinates(coverage[1])

    assert different(*coverage, corners) == []


def test_points_between_two_vertices_agree_with_brute_force(
    coverage: tuple[list[str], Shapes],
) -> None:
    corners = shapely.get_coordinates(coverage[1])
    halves = (corners[1:] + corners[:-1]) / 2
    nudged = np.nextafter(halves, 0)

    assert different(*coverage, np.vstack([halves, nudged])) == []


def test_points_exactly_on_a_straight_shared_edge_go_to_the_lower_code() -> None:
    squares = np.array(
        [shapely.box(120 + x / 8, 29 + y / 8, 120 + (x + 1) / 8, 29 + (y + 1) / 8)
         for y in range(3) for x in range(3)]
    )  # fmt: skip
    codes = shuffled_codes(9, 14)
    eighths = np.stack(np.meshgrid(np.arange(-4, 30), np.arange(-4, 30)), -1).reshape(-1, 2) / 64

    assert different(codes, squares, eighths + np.array([120.0, 29.0])) == []


def test_points_on_sloping_edges_of_exact_slope_go_to_the_lower_code() -> None:
    low, high = [120.0, 29.0], [120.5, 29.5]
    upper = shapely.Polygon([low, high, [120.0, 29.5]])
    lower = shapely.Polygon([low, [120.5, 29.0], high])
    along = np.linspace(0, 0.5, 65)[:, None] + np.array(low)

    answers = [
        index_of(codes, np.array([upper, lower])).grids(along) for codes in (["1", "2"], ["2", "1"])
    ]

    assert set(answers[0].tolist()) == {0}
    assert set(answers[1].tolist()) == {1}


def test_codes_are_compared_as_bytes_not_as_numbers() -> None:
    squares = np.array([shapely.box(120, 29, 121, 30), shapely.box(121, 29, 122, 30)])

    assert index_of(["9", "10"], squares).grids([121.0, 29.5]).tolist() == [1]


def test_overlapping_grids_give_the_lower_code_even_deep_inside() -> None:
    large, small = shapely.box(120, 29, 121, 30), shapely.box(120.4, 29.4, 120.4001, 29.6)
    shapes = np.array([large, small])
    points = np.random.default_rng(15).uniform([120.39, 29.39], [120.41, 29.61], (5_000, 2))
    within = np.random.default_rng(16).uniform([120.4, 29.4], [120.4001, 29.6], (5_000, 2))

    for codes in (["1", "2"], ["2", "1"]):
        assert different(codes, shapes, np.vstack([points, within])) == []


def test_holes_parts_and_gaps_are_respected() -> None:
    ring = shapely.Polygon(
        shapely.box(120, 29, 120.3, 29.3).exterior, [shapely.box(120.1, 29.1, 120.2, 29.2).exterior]
    )
    pair = shapely.MultiPolygon(
        [shapely.box(120.12, 29.12, 120.14, 29.14), shapely.box(120.5, 29.5, 120.6, 29.6)]
    )
    shapes = np.array([ring, pair])
    points = np.random.default_rng(17).uniform([119.9, 28.9], [120.7, 29.7], (20_000, 2))
    corners = shapely.get_coordinates(shapes)

    assert different(["1", "2"], shapes, np.vstack([points, corners])) == []


def test_a_needle_thinner_than_any_cell_is_found() -> None:
    needle = shapely.Polygon([(120, 29), (120.3, 29.3), (120.3, 29.300001)])
    rest = shapely.difference(shapely.box(119.9, 28.9, 120.4, 29.4), needle)
    shapes = np.array([needle, rest])
    inside = np.random.default_rng(18).dirichlet([1, 1, 1], 3_000) @ np.array(
        [(120, 29), (120.3, 29.3), (120.3, 29.300001)]
    )

    assert different(["1", "2"], shapes, inside) == []


def test_missing_and_absurd_coordinates_belong_nowhere(coverage: tuple[list[str], Shapes]) -> None:
    nan, inf = float("nan"), float("inf")
    points = [[nan, 29.2], [120.0, nan], [nan, nan], [inf, 29.2], [120.0, -inf], [500.0, 29.2]]

    linked = index_of(*coverage).link(points)

    assert linked.grid.tolist() == [OUTSIDE] * 6
    assert linked.cell_id[:5].tolist() == [-1] * 5


def test_no_points_and_no_grids_give_nothing() -> None:
    nothing = GridIndex([], [], [], METRIC_SRID)

    assert len(nothing) == 0
    assert nothing.link([]).grid.shape == (0,)
    assert nothing.link([[120.0, 29.0]]).grid.tolist() == [OUTSIDE]


def test_an_empty_shape_covers_nothing() -> None:
    shapes = np.array([shapely.Polygon(), shapely.box(120, 29, 121, 30)])

    assert index_of(["1", "2"], shapes).grids([[120.5, 29.5], [0.0, 0.0]]).tolist() == [1, OUTSIDE]


def test_keys_are_answered_whatever_they_are() -> None:
    index = GridIndex(
        [1 << 44, -5], ["2", "1"], [shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)], 32631
    )

    assert index.grids([[0.5, 0.5], [2.5, 0.5]]).tolist() == [1 << 44, -5]


def test_linking_gives_the_cells_of_the_lattice(coverage: tuple[list[str], Shapes]) -> None:
    points = scattered(5_000, seed=19)

    linked = index_of(*coverage).link(points)

    assert linked.cell_id.tolist() == cell_ids(points, METRIC_SRID).tolist()


def test_keys_codes_and_shapes_must_match() -> None:
    with pytest.raises(InvalidGeometry, match="do not match"):
        GridIndex([1], ["1", "2"], [shapely.box(0, 0, 1, 1)], METRIC_SRID)


@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 12),
    middle=st.sampled_from(
        [(120.07, 29.3), (-51.2, -30.0), (24.9, 60.2), (0.0, 0.0), (179.0, -17.0)]
    ),
    size=st.sampled_from([0.002, 0.1, 1.5]),
)
@settings(max_examples=40, deadline=None)
def test_any_set_of_shapes_anywhere_agrees_with_brute_force(
    seed: int, count: int, middle: tuple[float, float], size: float
) -> None:
    rng = np.random.default_rng(seed)
    centres = np.array(middle) + rng.uniform(-size, size, (count, 2))
    # Rounding makes shapes meet by chance, on edges and in corners.
    stars = [
        shapely.convex_hull(
            shapely.MultiPoint(
                np.round((centre + rng.normal(0, size / 3, (7, 2))) / size, 1) * size
            )
        )
        for centre in centres
    ]
    shapes = np.array(
        [star if star.geom_type == "Polygon" else shapely.Polygon() for star in stars]
    )
    points = np.array(middle) + rng.uniform(-2 * size, 2 * size, (2_000, 2))
    corners = shapely.get_coordinates(shapes)

    wrong = different(shuffled_codes(count, seed), shapes, np.vstack([points, corners]))
    edges = shapely.boundary(shapes)
    # A corner that rounding has put on a side of another shape lies on it for `ST_Covers`, whose
    # plain doubles ours are (`tests/integration`), and beside it for the exact GEOS.
    assert [one for one in wrong if not _is_on_a_side(edges, one)] == []


def _is_on_a_side(edges: Shapes, point: list[float]) -> bool:
    return bool((shapely.distance(edges, shapely.points(point)) < 1e-15).sum() > 1)
