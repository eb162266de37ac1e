"""R48: outlines that are not valid name their flaw and its place, and keep the ground they mean."""

import pytest
import shapely

from gis.repair import drawn, flaw_of, repaired

BOW_TIE = "POLYGON((0 0, 4 4, 4 0, 0 4, 0 0))"
HOLE_OUTSIDE = "POLYGON((0 0, 4 0, 4 4, 0 4, 0 0), (6 6, 7 6, 7 7, 6 7, 6 6))"
RINGS_TWICE = "MULTIPOLYGON(((0 0, 4 0, 4 4, 0 4, 0 0)), ((0 0, 4 0, 4 4, 0 4, 0 0)))"
HOLE_TWICE = (
    "POLYGON((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1), (1 1, 2 1, 2 2, 1 2, 1 1))"
)
NESTED = "MULTIPOLYGON(((0 0, 4 0, 4 4, 0 4, 0 0)), ((1 1, 2 1, 2 2, 1 2, 1 1)))"


@pytest.mark.parametrize(
    ("wkt", "kinds", "area"),
    [
        (BOW_TIE, {"crosses"}, 8.0),
        (HOLE_OUTSIDE, {"hole_outside"}, 17.0),
        (RINGS_TWICE, {"rings_twice", "crosses"}, 16.0),
        (HOLE_TWICE, {"rings_twice", "crosses"}, 15.0),
        (NESTED, {"parts_nested"}, 16.0),
        ("POLYGON((0 0, 4 0, 4 4, 2 4, 2 2, 2 4, 0 4, 0 0))", {"crosses", "touches"}, 16.0),
    ],
)
def test_a_flaw_is_named_and_ground_is_kept(wkt: str, kinds: set[str], area: float) -> None:
    shape = shapely.from_wkt(wkt)

    flaw, made = flaw_of(shape), repaired(shape)

    assert flaw is not None
    assert flaw.kind in kinds
    corners = shapely.get_coordinates(shape)
    assert (corners.min(axis=0) <= (flaw.x, flaw.y)).all()
    assert (corners.max(axis=0) >= (flaw.x, flaw.y)).all()
    assert made is not None
    assert shapely.is_valid(made)
    assert shapely.get_type_id(made) in (3, 6)
    assert made.area == pytest.approx(area)


def test_what_encloses_nothing_and_what_is_no_outline_stay_as_they_are() -> None:
    assert repaired(shapely.from_wkt("POLYGON((0 0, 1 1, 2 2, 0 0))")) is None
    assert repaired(shapely.from_wkt("LINESTRING(1 1, 1 1)")) is None
    assert flaw_of(shapely.from_wkt("POLYGON((0 0, 1 1, 2 2, 0 0))")) is not None


def test_an_outline_is_drawn_with_every_ring_and_few_corners() -> None:
    round_one = shapely.Point(120, 29.3).buffer(0.01, quad_segs=500)
    holed = round_one.difference(shapely.box(120, 29.3, 120.001, 29.301))

    rings = drawn(holed, most_corners=100)

    assert len(rings) == 2
    assert len(rings[0]) <= 101
    assert len(rings[1]) == 5
