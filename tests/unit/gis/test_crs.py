import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from gis.crs import (
    CRS84_URI,
    epsg,
    from_metric,
    metric_srid_for,
    parse_crs,
    to_metric,
    transform,
    transformer,
)
from gis.errors import NotFinite, UnknownCrs


@pytest.mark.parametrize(
    "name",
    ["CRS84", "crs:84", "OGC:CRS84", CRS84_URI, "urn:ogc:def:crs:OGC:1.3:CRS84", "[OGC:CRS84]"],
)
def test_every_name_of_crs84_is_longitude_first(name: str) -> None:
    crs = parse_crs(name)

    assert (crs.srid, crs.uri, crs.registry_yx) == (4326, CRS84_URI, False)


@pytest.mark.parametrize("srid", [4490, 4326, 3857, 4549, 32632])
@pytest.mark.parametrize(
    "form",
    [
        "EPSG:{}",
        "epsg:{}",
        "http://www.opengis.net/def/crs/EPSG/0/{}",
        "https://www.opengis.net/def/crs/EPSG/9.9.1/{}",
        "urn:ogc:def:crs:EPSG::{}",
        "urn:ogc:def:crs:EPSG:6.9:{}",
        "http://www.opengis.net/gml/srs/epsg.xml#{}",
        "[EPSG:{}]",
    ],
)
def test_every_form_of_a_name_means_the_number(form: str, srid: int) -> None:
    assert parse_crs(form.format(srid)).srid == srid


@pytest.mark.parametrize(
    ("srid", "is_yx"), [(4490, True), (4326, True), (4549, True), (3857, False), (32632, False)]
)
def test_the_registry_order_of_axes_is_known(srid: int, is_yx: bool) -> None:
    assert epsg(srid).registry_yx is is_yx


@pytest.mark.parametrize(
    "name",
    [
        "",
        "4490",
        "EPSG:",
        "EPSG:999999",
        "EPSG:5737",
        "EPSG:4479",
        "CRS84h",
        "'; DROP TABLE x",
        "+proj=longlat",
    ],
)
def test_what_no_map_can_use_is_refused(name: str) -> None:
    with pytest.raises(UnknownCrs) as caught:
        parse_crs(name)

    assert caught.value.code == "gis.unknown_crs"


@pytest.mark.parametrize("zone", range(21))
def test_each_chinese_zone_is_chosen_around_its_meridian(zone: int) -> None:
    srid, meridian = 4534 + zone, 75 + 3 * zone
    area = CRS.from_epsg(srid).area_of_use
    assert area is not None
    lat = (area.south + area.north) / 2

    assert metric_srid_for(meridian - 1.4, lat) == srid
    assert metric_srid_for(meridian + 1.4, lat) == srid
    assert to_metric([meridian, lat], srid)[0, 0] == pytest.approx(500_000, abs=0.01)


@pytest.mark.parametrize(
    ("lon", "lat", "srid"),
    [
        (105.85, 21.03, 32648),
        (106.9, 47.9, 32648),
        (139.7, 35.7, 32654),
        (-180.0, 10.0, 32601),
        (180.0, -10.0, 32760),
        (0.0, 0.0, 32631),
    ],
)
def test_other_cities_get_their_utm_zone(lon: float, lat: float, srid: int) -> None:
    assert metric_srid_for(lon, lat) == srid


def test_a_city_that_is_nowhere_has_no_system() -> None:
    with pytest.raises(NotFinite):
        metric_srid_for(float("nan"), 30.0)


@given(st.floats(118.5, 121.5), st.floats(24, 53))
def test_metres_and_degrees_are_inverse(lon: float, lat: float) -> None:
    back = from_metric(to_metric([lon, lat], 4549), 4549)

    assert back[0] == pytest.approx([lon, lat], abs=1e-9)


def test_wgs84_counts_as_cgcs2000() -> None:
    points = np.array([[120.07, 29.3], [9.5, 47.1]])

    assert transform(points, 4326, 4490) == pytest.approx(points, abs=1e-12)


def test_what_cannot_be_projected_is_nan() -> None:
    assert np.isnan(transform([[float("nan"), 1.0], [float("inf"), 1.0]], 4490, 3857)).all()


def test_a_transformation_is_built_once() -> None:
    assert transformer(4490, 4549) is transformer(4490, 4549)
