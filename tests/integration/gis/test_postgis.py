"""Statements over tables, on real PostGIS, read back by independent readers."""

import json
from typing import Any

import mapbox_vector_tile
import psycopg
import pytest
import shapely
from psycopg import sql

from gis.bbox import Bbox
from gis.crs import parse_crs, transform
from gis.postgis import (
    TableSource,
    TileLayer,
    Where,
    Within,
    batches,
    count,
    estimated_count,
    extent,
    feature_texts,
    items,
    layered_tile,
    tile_query,
    vector_tile,
    warm,
)
from gis.tiling import tile_at

SITE = TableSource("site", columns={"name": "name", "twice": sql.SQL("t.size * 2")}, tile_id="id")
FAST = TableSource("site", columns={"name": "name"}, geom_3857="geom_3857")
PLOT = TableSource("plot", columns={"name": "name"})
AWKWARD = 'a "quoted" \\ back\nline\ttab 网格'


@pytest.fixture
def conn(session: Any) -> psycopg.Connection[Any]:
    driver: psycopg.Connection[Any] = session.connection().connection.driver_connection
    driver.execute("""
        CREATE TEMP TABLE site (
          id bigint PRIMARY KEY, name text, size int, geom geometry(Point, 4490),
          geom_3857 geometry(Point, 3857) GENERATED ALWAYS AS (ST_Transform(geom, 3857)) STORED);
        CREATE INDEX ON site USING gist (geom);
        INSERT INTO site
        SELECT i, 'site ' || i, i, ST_SetSRID(ST_MakePoint(120 + i * 0.001, 29.3), 4490)
        FROM generate_series(1, 100) AS i;
        CREATE TEMP TABLE plot (id bigint PRIMARY KEY, name text, geom geometry(Polygon, 4490));
        INSERT INTO plot VALUES (1, 'clockwise', ST_ForcePolygonCW(
          ST_MakeEnvelope(120.01, 29.31, 120.02, 29.32, 4490))), (2, 'empty', NULL);
        ANALYZE site;
    """)
    driver.execute("UPDATE site SET name = %s WHERE id = 7", (AWKWARD,))
    return driver


def features(page: Any) -> list[dict[str, Any]]:
    return json.loads(page.collection)["features"]


def test_a_tile_holds_the_features_that_lie_in_it(conn: Any) -> None:
    tile = tile_at(120.05, 29.3, 14)
    inside = [i for i in range(1, 101) if tile.envelope.contains(120 + i * 0.001, 29.3)]

    decoded = mapbox_vector_tile.decode(vector_tile(conn, "sites", SITE, tile))

    found = {feature["id"]: feature["properties"] for feature in decoded["sites"]["features"]}
    assert set(inside) <= set(found)
    assert len(found) <= len(inside) + 2
    assert found[inside[0]] == {"name": f"site {inside[0]}", "twice": 2 * inside[0]}


def test_a_tile_is_the_same_from_the_stored_web_mercator_column(conn: Any) -> None:
    tile = tile_at(120.05, 29.3, 13)
    plain = TableSource("site", columns={"name": "name"})

    one, other = (
        mapbox_vector_tile.decode(vector_tile(conn, "sites", source, tile))["sites"]["features"]
        for source in (plain, FAST)
    )

    assert len(one) > 3
    key = lambda feature: feature["properties"]["name"]  # noqa: E731
    assert sorted(one, key=key) == sorted(other, key=key)


def test_a_tile_where_nothing_lies_is_empty(conn: Any) -> None:
    assert vector_tile(conn, "sites", SITE, tile_at(9.5, 47.1, 14)) == b""


def test_a_layered_tile_carries_each_layer_under_its_name(conn: Any) -> None:
    one_site = Where(sql.SQL("t.id = %(wanted)s"), {"wanted": 15})
    layers = [TileLayer("sites", SITE, one_site), TileLayer("plots", PLOT)]

    decoded = mapbox_vector_tile.decode(layered_tile(conn, layers, tile_at(120.015, 29.305, 12)))

    assert [f["id"] for f in decoded["sites"]["features"]] == [15]
    assert [f["properties"]["name"] for f in decoded["plots"]["features"]] == ["clockwise"]


@pytest.mark.parametrize(
    ("lon", "lat", "zoom"),
    [
        (120.05, 29.3, 0),
        (120.05, 29.3, 1),
        (179.99, -16.8, 1),
        (179.99, -16.8, 9),
        (-179.99, 66, 9),
    ],
)
@pytest.mark.parametrize("source", [SITE, FAST])
def test_a_tile_reaches_over_no_end_of_the_world(
    conn: Any, source: TableSource, lon: float, lat: float, zoom: int
) -> None:
    conn.execute(
        "INSERT INTO site VALUES (200, 'far', 1, ST_SetSRID(ST_MakePoint(%s, %s), 4490))",
        (lon, lat),
    )

    drawn = mapbox_vector_tile.decode(vector_tile(conn, "sites", source, tile_at(lon, lat, zoom)))

    assert "far" in [feature["properties"]["name"] for feature in drawn["sites"]["features"]]


def test_a_tile_holds_what_lies_in_its_buffer(conn: Any) -> None:
    tile = tile_at(120.05, 66.0, 10)
    edge = tile.envelope
    lat_m = (edge.north - edge.south) / 16
    near = [(edge.west - 0.02, 66.0), ((edge.west + edge.east) / 2, edge.north + 0.9 * lat_m),
            ((edge.west + edge.east) / 2, edge.south - 0.9 * lat_m)]  # fmt: skip
    for key, (lon, lat) in enumerate(near, start=300):
        conn.execute(
            "INSERT INTO site VALUES (%s, 'near', 1, ST_SetSRID(ST_MakePoint(%s, %s), 4490))",
            (key, lon, lat),
        )

    drawn = mapbox_vector_tile.decode(vector_tile(conn, "sites", SITE, tile))

    assert {feature["id"] for feature in drawn["sites"]["features"]} == {300, 301, 302}


@pytest.mark.parametrize("source", [SITE, FAST])
def test_a_tile_filter_uses_the_index_of_the_shape(conn: Any, source: TableSource) -> None:
    conn.execute("SET LOCAL enable_seqscan = off")
    statement = sql.SQL("EXPLAIN ") + tile_query([TileLayer("sites", source)])
    tile = tile_at(120.05, 29.3, 14)
    address = {"gis_z": tile.z, "gis_x": tile.x, "gis_y": tile.y}

    plan = "\n".join(row[0] for row in conn.execute(statement, address))

    assert "site_geom_idx" in plan


def test_pages_follow_each_other_without_gap_or_repeat(conn: Any) -> None:
    seen: list[int] = []
    after = None
    while True:
        page = items(conn, SITE, limit=30, after=after)
        seen += [feature["id"] for feature in features(page)]
        after = page.after
        if after is None:
            break

    assert seen == list(range(1, 101))


def test_a_page_that_ends_with_the_table_names_no_next(conn: Any) -> None:
    page = items(conn, SITE, limit=100)

    assert (page.count, page.after) == (100, None)


def test_texts_survive_page_and_stream_unchanged(conn: Any) -> None:
    streamed = [json.loads(text) for text in feature_texts(conn, SITE)]
    paged = features(items(conn, SITE, limit=100))

    assert sorted(streamed, key=lambda feature: feature["id"]) == paged
    assert paged[6]["properties"]["name"] == AWKWARD


@pytest.mark.parametrize("name", ["CRS84", "EPSG:4490", "EPSG:4549", "EPSG:3857"])
def test_a_box_finds_the_same_features_in_every_system(conn: Any, name: str) -> None:
    crs = parse_crs(name)
    corners = transform([[120.0095, 29.299], [120.0205, 29.301]], 4490, crs.srid)
    box = Within(Bbox(*corners.ravel().tolist()), crs.srid)

    page = items(conn, SITE, limit=100, within=box)

    assert [feature["id"] for feature in features(page)] == list(range(10, 21))
    assert count(conn, SITE, within=box) == 11


def test_polygons_leave_by_the_right_hand_rule(conn: Any) -> None:
    plots = features(items(conn, PLOT, limit=10))

    assert shapely.is_ccw(shapely.geometry.shape(plots[0]["geometry"]).exterior)
    assert plots[1]["geometry"] is None


def test_coordinates_leave_in_the_system_asked_for(conn: Any) -> None:
    page = items(conn, SITE, limit=1, crs=parse_crs("EPSG:4549"))

    expected = transform([[120.001, 29.3]], 4490, 4549)[0]
    assert features(page)[0]["geometry"]["coordinates"] == pytest.approx(expected, abs=0.001)


def test_a_condition_binds_its_values(conn: Any) -> None:
    where = Where(sql.SQL("t.name = %(name)s"), {"name": "x' OR 'a'='a"})

    assert count(conn, SITE, where=where) == 0
    assert list(feature_texts(conn, SITE, where=where)) == []


def test_batches_hold_every_row_once(conn: Any) -> None:
    found = list(batches(conn, SITE, size=33))

    assert [len(batch) for batch in found] == [33, 33, 33, 1]
    assert [key for batch in found for key in batch.keys] == list(range(1, 101))
    assert found[0].columns["twice"][:3] == [2, 4, 6]
    assert shapely.from_wkb(found[0].wkb[0]).x == pytest.approx(120.001)


def test_extent_surrounds_the_rows_and_is_none_without_any(conn: Any) -> None:
    nothing = Where(sql.SQL("false"))

    box = extent(conn, SITE)
    assert box is not None
    assert box.bounds == pytest.approx((120.001, 29.3, 120.1, 29.3))
    assert extent(conn, SITE, where=nothing) is None


def test_the_planners_estimate_is_near_the_count(conn: Any) -> None:
    assert estimated_count(conn, "site") == 100
    assert estimated_count(conn, "no_such_table") is None


def test_warming_a_connection_leaves_nothing_behind(conn: Any) -> None:
    warm(conn)

    assert count(conn, SITE) == 100
