import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.geojson import Tally, feature_collection, geojson_stream, to_geojson

POINT = '{"type":"Point","coordinates":[120.1,29.3]}'


def document(pieces: Iterable[bytes]) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(b"".join(pieces))
    return whole


def test_a_stream_is_one_document_that_counts_its_features() -> None:
    tally = Tally()
    rows = [(at, POINT, {"name": f"井 {at}"}) for at in range(5_000)]

    pieces = list(geojson_stream(rows, tally))

    whole = document(pieces)
    assert len(pieces) > 2
    assert whole["numberReturned"] == tally.rows == len(whole["features"]) == 5_000
    assert tally.size == sum(map(len, pieces))


def test_ready_features_pass_unchanged() -> None:
    feature = b'{"type":"Feature","id":1,"geometry":null,"properties":{}}'

    assert document(feature_collection([feature, feature]))["features"] == [json.loads(feature)] * 2


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none()))
def test_properties_come_back_as_they_were(properties: dict[str, object]) -> None:
    whole = document(geojson_stream([(None, POINT, properties)]))

    assert whole["features"] == [
        {"type": "Feature", "geometry": json.loads(POINT), "properties": properties}
    ]


def test_instants_leave_as_text_and_missing_numbers_are_refused() -> None:
    whole = document(geojson_stream([(1, POINT, {"at": datetime(2030, 1, 1, tzinfo=UTC)})]))

    assert "2030-01-01" in json.dumps(whole)
    with pytest.raises(ValueError, match="JSON compliant"):
        list(geojson_stream([(1, POINT, {"bad": float("nan")})]))


def test_polygons_follow_the_right_hand_rule() -> None:
    holed = shapely.difference(shapely.box(0, 0, 4, 4), shapely.box(1, 1, 2, 2))

    written: Any = shapely.geometry.shape(json.loads(to_geojson(shapely.reverse(holed))))

    assert written.exterior.is_ccw
    assert not written.interiors[0].is_ccw


def test_coordinates_carry_seven_decimals() -> None:
    assert json.loads(to_geojson(shapely.Point(120.123456789, -0.00000001)))["coordinates"] == [
        120.1234568,
        0.0,
    ]


def test_an_empty_shape_is_null() -> None:
    assert to_geojson(shapely.Polygon()) == "null"
