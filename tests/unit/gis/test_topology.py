import numpy as np
import pytest
import shapely

from bench.link import irregular_grids
from gis.errors import InvalidGeometry
from gis.measure import area_m2
from gis.topology import Finding, check_coverage, is_coverage

SRID = 4549


def names(shapes: object) -> list[str]:
    return [f"{at:04d}" for at in range(len(shapes))]  # type: ignore[arg-type]


def kinds(found: list[Finding]) -> list[tuple[str, tuple[str, ...]]]:
    return [(finding.kind, finding.names) for finding in found]


def box(west: float, east: float, south: float = 29.0, north: float = 29.1) -> shapely.Polygon:
    return shapely.box(west, south, east, north)


def test_an_irregular_coverage_has_nothing_to_report() -> None:
    shapes = irregular_grids(60, seed=1)
    parent = shapely.union_all(shapes)

    assert is_coverage(list(shapes))
    assert check_coverage(list(shapes), names(shapes), SRID, parent=parent) == []


def test_an_overlap_is_named_with_its_ground() -> None:
    west, east = box(120.0, 120.1), box(120.099, 120.2)

    found = check_coverage([west, east], ["1", "2"], SRID)

    assert kinds(found) == [("overlap", ("1", "2"))]
    assert found[0].area_m2 == pytest.approx(area_m2(west.intersection(east)), rel=1e-3)
    assert not is_coverage([west, east])


def test_a_hole_between_areas_is_a_gap_with_its_neighbours() -> None:
    frame = shapely.difference(box(120.0, 120.3, 29.0, 29.3), box(120.1, 120.2, 29.1, 29.2))
    west = shapely.intersection(frame, box(120.0, 120.15, 29.0, 29.3))
    east = shapely.intersection(frame, box(120.15, 120.3, 29.0, 29.3))

    found = check_coverage([west, east], ["1", "2"], SRID)

    assert kinds(found) == [("gap", ("1", "2"))]


def test_a_parent_shows_what_is_not_filled_and_what_sticks_out() -> None:
    parent = box(120.0, 120.2)
    shapes = [box(120.0, 120.1), box(120.15, 120.25)]

    found = check_coverage(shapes, ["1", "2"], SRID, parent=parent)

    assert kinds(found) == [("gap", ("1", "2")), ("outside", ("2",))]


def test_less_than_the_tolerance_is_left_alone() -> None:
    # 1e-9 degrees over 11 km of border: about 1 m2.
    shapes = [box(120.0, 120.1), box(120.1 - 1e-9, 120.2)]

    strict = check_coverage(shapes, ["1", "2"], SRID, tolerance_m2=0.5)
    lenient = check_coverage(shapes, ["1", "2"], SRID, tolerance_m2=5.0)

    assert [finding.kind for finding in strict] == ["overlap"]
    assert lenient == []


def test_a_thin_part_is_a_sliver() -> None:
    thin = shapely.MultiPolygon([box(120.0, 120.1), box(120.2, 120.200002)])

    assert kinds(check_coverage([thin], ["1"], SRID)) == [("sliver", ("1",))]


def test_a_broken_shape_is_reported_alone() -> None:
    bowtie = shapely.Polygon([(120, 29), (121, 30), (121, 29), (120, 30)])

    assert kinds(check_coverage([bowtie, box(120, 121)], ["1", "2"], SRID)) == [("invalid", ("1",))]


def test_shapes_and_names_must_match() -> None:
    with pytest.raises(InvalidGeometry):
        check_coverage([box(120, 121)], [], SRID)


def test_every_overlap_that_brute_force_sees_is_found() -> None:
    rng = np.random.default_rng(2)
    shapes = [shapely.Point(*rng.uniform([120, 29], [120.1, 29.1])).buffer(0.01) for _ in range(25)]
    expected = {
        (f"{a:04d}", f"{b:04d}")
        for a in range(25)
        for b in range(a + 1, 25)
        if shapes[a].intersection(shapes[b]).area > 1e-9
    }

    found = check_coverage(shapes, names(shapes), SRID)

    assert {finding.names for finding in found if finding.kind == "overlap"} == expected
