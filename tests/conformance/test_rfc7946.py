"""GeoJSON that leaves the platform keeps RFC 7946, whichever door it leaves by."""

import json
from pathlib import Path

import jsonschema
import pytest
import shapely

from grids.exports import export_columns
from grids.layers import LAYERS, layer_of

SCHEMA = json.loads((Path(__file__).parent / "rfc7946.json").read_text())
ROWS = [one.id for one in LAYERS if one.source is not None]


@pytest.fixture
def documents(map_app, sign_in):
    """Return a layer as a list and as an export."""
    client = sign_in("commander")
    account = client.account_id
    from sqlalchemy import text

    def read(layer_id: str) -> list[dict]:
        listed = client.get(f"/api/layers/{layer_id}/items?limit=1000")
        # What reporters wrote leaves with an approval only; the rest for a purpose.
        columns = [c.name for c in export_columns(layer_of(layer_id)) if c.level < "L3"]
        exported = client.get(
            f"/api/export/{layer_id}.geojson",
            query_string={
                "columns": ",".join(columns), "reason": "planning", "note": "read by the standard"
            },
        )  # fmt: skip
        assert listed.mimetype == exported.mimetype == "application/geo+json"
        return [listed.json, json.loads(exported.data)]

    def allow(session) -> None:
        session.execute(
            text(
                "INSERT INTO assignment (account_id, role, area_code) VALUES (:a, 'planner', '339901')"
            ),
            {"a": account},
        )

    read.allow = allow
    return read


@pytest.mark.parametrize("layer_id", ROWS)
def test_3_every_document_is_a_feature_collection_without_a_crs_member(
    documents, mapped, layer_id
) -> None:
    documents.allow(mapped)

    for document in documents(layer_id):
        jsonschema.validate(document, SCHEMA)
        assert document["features"]


@pytest.mark.parametrize("layer_id", ["building", "grid", "cell", "area"])
def test_3_1_6_exterior_rings_run_counter_clockwise(documents, mapped, layer_id) -> None:
    documents.allow(mapped)

    for document in documents(layer_id):
        for feature in document["features"]:
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
            for part in shapely.get_parts(shape):
                assert part.exterior.is_ccw
                assert not any(hole.is_ccw for hole in part.interiors)


@pytest.mark.parametrize("layer_id", ["component", "building", "road"])
def test_4_coordinates_are_longitude_and_latitude_of_the_place(documents, mapped, layer_id) -> None:
    documents.allow(mapped)

    for document in documents(layer_id):
        for feature in document["features"]:
            west, south, east, north = shapely.from_geojson(json.dumps(feature["geometry"])).bounds
            assert 120.0 <= west <= east <= 120.2
            assert 29.25 <= south <= north <= 29.4


def test_11_2_coordinates_carry_no_false_precision(documents, mapped) -> None:
    documents.allow(mapped)

    for document in documents("component"):
        for feature in document["features"]:
            lon, lat = feature["geometry"]["coordinates"]
            assert (round(lon, 7), round(lat, 7)) == (lon, lat)
