import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.bbox import Bbox
from gis.crs import transform
from gis.errors import BadTile, NotFinite
from gis.tiling import MAX_LAT, Tile, tile_at, tiles_over

zooms = st.integers(0, 22)
lons, lats = st.floats(-180, 179.999999), st.floats(-85, 85)


@pytest.mark.parametrize("address", [(-1, 0, 0), (23, 0, 0), (0, 1, 0), (3, 8, 0), (3, 0, -1)])
def test_an_address_outside_the_pyramid_is_refused(address: tuple[int, int, int]) -> None:
    with pytest.raises(BadTile) as caught:
        Tile(*address)

    assert caught.value.code == "gis.bad_tile"


@given(lons, lats, zooms)
def test_the_tile_of_a_place_holds_it(lon: float, lat: float, z: int) -> None:
    box = tile_at(lon, lat, z).envelope.expanded(1e-9)

    assert box.contains(lon, lat)


@given(lons, lats, st.integers(1, 22))
def test_a_tile_is_one_of_its_parents_children(lon: float, lat: float, z: int) -> None:
    tile = tile_at(lon, lat, z)
    parent = tile.parent()

    assert parent is not None
    assert tile in parent.children()
    assert parent == tile_at(lon, lat, z - 1)


@pytest.mark.parametrize("tile", [Tile(12, 3414, 1698), Tile(3, 1, 6), Tile(0, 0, 0)])
def test_the_metric_envelope_is_the_projection_of_the_other(tile: Tile) -> None:
    west, south, east, north = tile.envelope.bounds
    corners = transform([[west, south], [east, north]], 4326, 3857)

    assert corners.ravel() == pytest.approx(tile.envelope_3857.bounds, abs=1e-6)


def test_places_beyond_the_square_fall_into_its_last_row() -> None:
    assert tile_at(0, 90, 3).y == 0
    assert tile_at(0, -90, 3).y == 7
    assert tile_at(180, 0, 3).x == 7
    assert pytest.approx(85.05112878) == MAX_LAT


def test_a_place_without_coordinates_has_no_tile() -> None:
    with pytest.raises(NotFinite):
        tile_at(float("nan"), 0, 3)


@given(lons, lats, st.floats(0, 0.3), st.integers(0, 10))
def test_the_tiles_over_a_box_are_those_that_meet_it(
    lon: float, lat: float, size: float, z: int
) -> None:
    box = Bbox(lon, lat, min(lon + size, 180), lat + size)
    tiles = set(tiles_over(box, z))

    assert len(tiles) == len(list(tiles_over(box, z)))
    assert tile_at(box.west, box.north, z) in tiles
    assert tile_at(box.east, box.south, z) in tiles
    assert all(
        tile.envelope.west <= box.east + 1e-9 and tile.envelope.south <= box.north + 1e-9
        for tile in tiles
    )
