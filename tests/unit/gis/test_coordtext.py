"""Places as people write them: every notation is read back as the place it was written from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.coordtext import read_place
from gis.crs import to_metric
from gis.gcj02 import wgs84_to_bd09, wgs84_to_gcj02

CITY = (120.0, 29.2, 120.3, 29.5)
SRID = 4549  # CGCS2000, three degrees, 120 E without its number
PLACES = st.tuples(st.floats(120.0, 120.3), st.floats(29.2, 29.5))


def dms(value: float, marks: str = "°′″") -> str:
    whole = round(value * 3600 * 1000)
    degrees, rest = divmod(whole, 3600 * 1000)
    minutes, rest = divmod(rest, 60 * 1000)
    return f"{degrees}{marks[0]}{minutes}{marks[1]}{rest / 1000:.3f}{marks[2]}"


@given(PLACES)
def test_every_notation_is_read_back(place: tuple[float, float]) -> None:
    lon, lat = place
    east, north = to_metric([place], SRID)[0]
    gcj, bd = wgs84_to_gcj02([place])[0], wgs84_to_bd09([place])[0]
    written = {
        f"{lon:.7f},{lat:.7f}": "degrees",
        f"{lat:.7f}，{lon:.7f}": "degrees",
        f"{lat:.7f} {lon:.7f}": "degrees",
        f"东经{lon:.7f}° 北纬{lat:.7f}°": "dms",
        f"E{lon:.7f}, N{lat:.7f}": "degrees",
        f"({lon:.7f}; {lat:.7f})": "degrees",
        f"{dms(lon)}E {dms(lat)}N": "dms",
        f"北纬{dms(lat, '度分秒')} 东经{dms(lon, '度分秒')}": "dms",
        f"{east:.3f}, {north:.3f}": "metric",
        f"{north:.3f} {east:.3f}": "metric",
        f"{40_000_000 + east:.3f}, {north:.3f}": "metric",
        f"GCJ02: {gcj[0]:.7f},{gcj[1]:.7f}": "gcj02",
        f"高德 {gcj[1]:.7f},{gcj[0]:.7f}": "gcj02",
        f"百度：{bd[0]:.7f},{bd[1]:.7f}": "bd09",
        f"wgs84 {lon:.7f},{lat:.7f}": "degrees",
    }

    for text, notation in written.items():
        found = read_place(text, CITY, SRID)
        assert found, text
        if not text.startswith("东经"):
            assert found[0].notation == notation, text
        near = 2e-5 if notation in ("gcj02", "bd09") else 1e-6
        assert (found[0].lon, found[0].lat) == pytest.approx((lon, lat), abs=near), text


def test_a_bare_pair_is_offered_as_a_commercial_maps_too() -> None:
    here, shifted = read_place("120.1,29.3", CITY, SRID)

    away = np.array((here.lon - shifted.lon, here.lat - shifted.lat))
    assert (here.notation, shifted.notation) == ("degrees", "gcj02")
    assert 0.003 < np.abs(away).max() < 0.01


@pytest.mark.parametrize(
    "text",
    ["", "88", "中山路88号", "20260301-000123", "0.5,0.5", "139.7,35.6", "1,2,3", "120.1", "e30,n40",
     "120.1,29.3,", "nan,nan", "1e999,29.3", "33990101001000001", "120°", "9" * 90, "999999999,999999999"],
)  # fmt: skip
def test_what_is_no_place_near_the_city_is_none(text: str) -> None:
    assert read_place(text, CITY, SRID) == []


@given(st.text(max_size=120))
def test_any_text_is_read_without_harm(text: str) -> None:
    for one in read_place(text, CITY, SRID):
        assert 119 < one.lon < 121.5
        assert 28 < one.lat < 30.5
