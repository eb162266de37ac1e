"""What must never pass the front door, and what must."""

import contextlib
import json
import time

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.bbox import Bbox
from gis.errors import KINDS, GisError
from gis.gcj02 import wgs84_to_bd09, wgs84_to_gcj02
from gis.geojson import Feature, Refused, read_features
from gis.guard import geometry, load_json, looks_gcj02, point, shape

CITY = Bbox(119.8, 29.0, 120.4, 29.6)
SQUARE = [[120.0, 29.1], [120.1, 29.1], [120.1, 29.2], [120.0, 29.2], [120.0, 29.1]]


def refusal(call: object, *args: object, **more: object) -> GisError:
    with pytest.raises(GisError) as caught:
        call(*args, **more)  # type: ignore[operator]
    return caught.value


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (29.3, 120.1, "gis.swapped"),
        (0, 0, "gis.null_island"),
        (500, 29.3, "gis.out_of_range"),
        (float("nan"), 29.3, "gis.not_finite"),
        (120.1, float("inf"), "gis.not_finite"),
        (10**400, 29.3, "gis.not_finite"),
        ("120.1", 29.3, "gis.not_finite"),
        (True, 29.3, "gis.not_finite"),
        (None, None, "gis.not_finite"),
    ],
)
def test_a_bad_place_is_refused_with_its_cause(lon: object, lat: object, code: str) -> None:
    error = refusal(point, lon, lat, CITY, place="position")

    assert error.code == code
    assert "position" in error.message


def test_a_swapped_place_names_both_readings() -> None:
    error = refusal(point, 29.3, 120.1, CITY)

    assert (error.params["lon"], error.params["lat"]) == (29.3, 120.1)
    assert "meant (120.1, 29.3)?" in error.message


def test_a_place_on_the_envelope_passes() -> None:
    assert point(119.8, 29.6, CITY).coords[0] == (119.8, 29.6)


@pytest.mark.parametrize(
    ("kind", "coordinates"),
    [
        ("Point", [120.0, 29.1]),
        ("MultiPoint", [[120.0, 29.1]]),
        ("LineString", SQUARE[:2]),
        ("MultiLineString", [SQUARE[:2], SQUARE[2:4]]),
        ("Polygon", [SQUARE]),
        ("MultiPolygon", [[SQUARE]]),
    ],
)
def test_every_kind_of_geometry_passes_unchanged(kind: str, coordinates: object) -> None:
    document = {"type": kind, "coordinates": coordinates}

    made = geometry(document, CITY)

    assert json.loads(shapely.to_geojson(made)) == document


def test_a_collection_passes() -> None:
    members = [
        {"type": "Point", "coordinates": [120.0, 29.1]},
        {"type": "Polygon", "coordinates": [SQUARE]},
    ]

    made = geometry({"type": "GeometryCollection", "geometries": members}, CITY)

    assert [part.geom_type for part in shapely.get_parts(made)] == ["Point", "Polygon"]


def test_heights_are_dropped() -> None:
    assert not geometry({"type": "Point", "coordinates": [120.0, 29.1, 7]}, CITY).has_z


BOWTIE = [[120.0, 29.1], [120.1, 29.2], [120.1, 29.1], [120.0, 29.2], [120.0, 29.1]]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (None, "gis.invalid_geometry"),
        ([], "gis.invalid_geometry"),
        ({}, "gis.invalid_geometry"),
        ({"type": "Circle", "coordinates": []}, "gis.invalid_geometry"),
        ({"type": ["Point"], "coordinates": [1, 2]}, "gis.invalid_geometry"),
        ({"type": "Point"}, "gis.invalid_geometry"),
        ({"type": "Point", "coordinates": "120,29"}, "gis.invalid_geometry"),
        ({"type": "Point", "coordinates": [120.0]}, "gis.invalid_geometry"),
        ({"type": "Point", "coordinates": [[120.0, 29.1]]}, "gis.invalid_geometry"),
        ({"type": "LineString", "coordinates": [[120.0, 29.1]]}, "gis.invalid_geometry"),
        ({"type": "Polygon", "coordinates": []}, "gis.invalid_geometry"),
        ({"type": "Polygon", "coordinates": SQUARE}, "gis.invalid_geometry"),
        ({"type": "Polygon", "coordinates": [SQUARE[:4]]}, "gis.invalid_geometry"),
        ({"type": "Polygon", "coordinates": [BOWTIE]}, "gis.invalid_geometry"),
        ({"type": "Polygon", "coordinates": [[]]}, "gis.invalid_geometry"),
        ({"type": "GeometryCollection"}, "gis.invalid_geometry"),
        ({"type": "LineString", "coordinates": [[120.0, 29.1], [None, 2]]}, "gis.not_finite"),
        ({"type": "LineString", "coordinates": [[120.0, 29.1], [29.2, 120.1]]}, "gis.out_of_range"),
        (
            {"type": "LineString", "coordinates": [[29.1, 120.0], [29.2, 120.1]]},
            "gis.swapped",
        ),
    ],
)
def test_a_bad_geometry_is_refused_with_its_cause(document: object, code: str) -> None:
    error = refusal(geometry, document, CITY, place="area")

    assert error.code == code
    assert "area" in error.message


def test_a_refusal_names_the_ring() -> None:
    hole = [[120.02, 29.12], [500, 29.12], [120.04, 29.14], [120.02, 29.12]]

    error = refusal(geometry, {"type": "Polygon", "coordinates": [SQUARE, hole]}, CITY)

    assert error.params["place"] == "geometry.coordinates[1]"


def test_a_kind_that_was_not_asked_for_is_refused() -> None:
    document = {"type": "Point", "coordinates": [120.0, 29.1]}

    assert refusal(geometry, document, CITY, kinds={"Polygon"}).code == "gis.invalid_geometry"


def test_vertices_are_counted_over_all_parts() -> None:
    line = [[120.0 + at / 1000, 29.1] for at in range(60)]
    document = {"type": "MultiLineString", "coordinates": [line, line]}

    assert refusal(geometry, document, CITY, max_vertices=119).code == "gis.too_many_vertices"
    assert geometry(document, CITY, max_vertices=120).geom_type == "MultiLineString"


def test_nested_collections_are_refused() -> None:
    document: dict[str, object] = {"type": "Point", "coordinates": [120.0, 29.1]}
    for _ in range(4):
        document = {"type": "GeometryCollection", "geometries": [document]}

    assert refusal(geometry, document, CITY).code == "gis.too_deep"


def test_the_body_that_kills_the_process_is_refused_within_a_second() -> None:
    nested = '{"type":"GeometryCollection","geometries":[' * 30_000 + "]}" * 30_000
    started = time.perf_counter()

    error = refusal(load_json, nested)

    assert error.code == "gis.too_deep"
    assert time.perf_counter() - started < 1


def test_brackets_in_texts_do_not_count_as_depth() -> None:
    document = {"text": "[" * 500 + '\\" {' * 500}

    assert load_json(json.dumps(document)) == document


@pytest.mark.parametrize("body", ['"' + '\\"' * 500_000, '"' * 999_999, "\\" * 1_000_000])
def test_measuring_depth_takes_linear_time(body: str) -> None:
    started = time.perf_counter()

    refusal(load_json, body)

    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1E+999", "9" * 400])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    assert refusal(load_json, f'{{"a": [{number}]}}').code == "gis.not_finite"


@pytest.mark.parametrize("body", [b"", b"{", b"nul", b"\xff\xfe{", b'{"a":}', b"[1,]", b"\x00"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    assert refusal(load_json, body).code == "gis.not_json"


def test_a_document_beyond_the_limit_is_refused() -> None:
    assert refusal(load_json, b"[1, 2, 3]", max_bytes=5).code == "gis.too_large"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)  # fmt: skip
def test_whatever_is_json_is_parsed_as_json_has_it(document: object) -> None:
    assert load_json(json.dumps(document)) == document


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(body: bytes) -> None:
    with contextlib.suppress(GisError):
        list(read_features(body, CITY))


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.fixed_dictionaries(
            {
                "type": st.sampled_from(["Point", "Polygon", "MultiPolygon", "GeometryCollection"]),
                "coordinates": inner,
                "geometries": inner,
            }
        )
    ),
    max_leaves=25,
)


@given(anything)
@settings(max_examples=300)
def test_no_document_raises_anything_but_a_refusal(document: object) -> None:
    with contextlib.suppress(GisError):
        assert geometry(document, CITY).is_valid


def test_bad_features_do_not_stop_the_good_ones() -> None:
    good = {"type": "Feature", "id": 5, "geometry": {"type": "Point", "coordinates": [120.1, 29.3]}}
    body = json.dumps({"type": "FeatureCollection", "features": [good, {}, 7, None, good]})

    found = list(read_features(body, CITY))

    assert [type(one) for one in found] == [Feature, Refused, Refused, Refused, Feature]
    assert [one.index for one in found] == [0, 1, 2, 3, 4]


def test_a_ready_geometry_is_checked_as_well() -> None:
    bowtie = shapely.Polygon(BOWTIE)
    with np.errstate(invalid="ignore"):
        nan = shapely.LineString([[120.0, 29.1], [float("nan"), 29.2]])

    assert refusal(shape, bowtie, CITY).code == "gis.invalid_geometry"
    assert refusal(shape, nan, CITY).code == "gis.not_finite"
    assert refusal(shape, shapely.Point(), CITY).code == "gis.invalid_geometry"
    assert not shape(shapely.Point(120.0, 29.1, 5.0), CITY).has_z


def roads(spacing: float = 0.0015) -> list[shapely.LineString]:
    """A town of crooked streets about 150 m apart."""
    rng = np.random.default_rng(1)
    lines = []
    for lon in np.arange(120.0, 120.06, spacing):
        lats = np.arange(29.25, 29.31, 0.0005)
        lines.append(
            shapely.LineString(np.column_stack([lon + rng.normal(0, 1e-4, len(lats)), lats]))
        )
    for lat in np.arange(29.25, 29.31, spacing):
        lons = np.arange(120.0, 120.06, 0.0005)
        lines.append(
            shapely.LineString(np.column_stack([lons, lat + rng.normal(0, 1e-4, len(lons))]))
        )
    return lines


def houses(lines: list[shapely.LineString], away_deg: float = 0.00015) -> np.ndarray:
    rng = np.random.default_rng(2)
    chosen = [lines[at] for at in rng.integers(0, len(lines), 300)]
    on_road = shapely.get_coordinates(
        [line.interpolate(rng.random(), normalized=True) for line in chosen]
    )
    return on_road + rng.normal(0, away_deg, on_road.shape)


@pytest.mark.parametrize(
    ("shift", "likely"),
    [(lambda xy: xy, "wgs84"), (wgs84_to_gcj02, "gcj02"), (wgs84_to_bd09, "bd09")],
)
def test_a_shift_shows_beside_known_roads(shift: object, likely: str) -> None:
    streets = roads()

    verdict = looks_gcj02(shift(houses(streets)), streets, 4549)  # type: ignore[operator]

    assert verdict.likely == likely
    assert verdict.is_shifted == (likely != "wgs84")


def test_few_places_prove_nothing() -> None:
    streets = roads()

    assert looks_gcj02(houses(streets)[:10], streets, 4549).likely == "unknown"


def test_every_kind_of_error_has_a_code_of_its_own() -> None:
    codes = [kind.CODE for kind in KINDS]

    assert len(set(codes)) == len(codes)
    assert all(code.startswith("gis.") for code in codes)
