import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.bbox import WORLD, Bbox, bbox_of, parse_bbox
from gis.errors import BadBbox


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3",
        "1,2,3,4,5",
        "a,b,c,d",
        "120,30,121,29",
        "120,29,121,nan",
        "120,29,inf,30",
        "-181,0,0,1",
        "0,-91,1,0",
        "0,0,9,1,1,1",
        "1," * 500,
    ],
)
def test_a_malformed_box_is_refused(text: str) -> None:
    with pytest.raises(BadBbox) as caught:
        parse_bbox(text)

    assert caught.value.code == "gis.bad_bbox"


def test_metres_may_be_any_numbers_in_order() -> None:
    box = parse_bbox("500000,3242000,501000,3243000", geographic=False)

    assert box.width == 1000
    with pytest.raises(BadBbox):
        parse_bbox("2,0,1,1", geographic=False)


def test_a_box_over_the_antimeridian_has_two_parts() -> None:
    box = parse_bbox("178,-18,-178,-16")

    assert box.crosses_antimeridian
    assert box.width == 4
    assert [part.width for part in box.parts()] == [2, 2]
    assert len(box.polygons()) == 2


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_parts_hold_together_what_the_box_holds(lon: float, lat: float) -> None:
    box = Bbox(170, -20, -170, 20)

    assert box.contains(lon, lat) == any(part.contains(lon, lat) for part in box.parts())
    assert WORLD.contains(lon, lat)


def test_missing_coordinates_are_in_no_box() -> None:
    nan = float("nan")

    assert not WORLD.contains(nan, 0)
    assert not WORLD.contains(0, nan)
    assert not Bbox(170, -20, -170, 20).contains(nan, 0)


def test_joined_boxes_surround_each() -> None:
    assert bbox_of([(0, 1, 2, 3), (-1, 2, 0, 9)]) == Bbox(-1, 1, 2, 9)


def test_a_box_grows_on_every_side() -> None:
    assert Bbox(0, 0, 1, 1).expanded(1) == Bbox(-1, -1, 2, 2)
