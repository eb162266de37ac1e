"""Tiles, lists, figures and search over HTTP, as the roles of the platform see them."""

import json
from contextlib import contextmanager

import mapbox_vector_tile
import psycopg
import pytest
from sqlalchemy import text

from app import reading
from app.config import as_role
from gis.tiling import tile_at
from grids.bulk import driver
from grids.people import publish_counts, publish_if_due
from grids.people.counts_blur import SMALL
from tests.support.maps import NOW, TOWNS, sql_count

NEAR = tile_at(120.05, 29.3, 14).path


def tile(client, layer: str, path: str = NEAR, **headers: str):
    return client.get(f"/tiles/{layer}/{path}.mvt", headers=headers)


def test_an_unchanged_tile_costs_no_look_at_geometry(map_app, sign_in, count_statements) -> None:
    client = sign_in("commander")
    first = tile(client, "component")
    count_statements()

    again = tile(client, "component", **{"If-None-Match": first.headers["ETag"]})

    assert first.status_code == 200
    assert first.mimetype == "application/vnd.mapbox-vector-tile"
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert not any("ST_AsMVT" in statement for statement in count_statements())


@pytest.fixture
def count_statements(map_app, mapped):
    """Return what the map's reader was asked since the last time."""
    seen: list[str] = []
    inner = map_app.extensions["make_reader"]

    class Watched:
        def __init__(self, conn) -> None:
            self.conn = conn

        def __getattr__(self, name):
            return getattr(self.conn, name)

        def cursor(self, *args, **kwargs):
            return WatchedCursor(self.conn, *args, **kwargs)

    class WatchedCursor(psycopg.Cursor):
        def execute(self, query, *more, **named):
            seen.append(query if isinstance(query, str) else query.as_string(self.connection))
            return super().execute(query, *more, **named)

    @contextmanager
    def reader():
        with inner() as conn:
            yield Watched(conn)

    def since() -> list[str]:
        found = list(seen)
        seen.clear()
        return found

    map_app.extensions["make_reader"] = reader
    return since


def test_a_change_of_the_table_changes_the_tag(map_app, sign_in, mapped) -> None:
    client = sign_in("commander")
    before = tile(client, "component").headers["ETag"]

    mapped.execute(
        text("UPDATE component SET state = 'damaged' WHERE id IN (SELECT min(id) FROM component)")
    )

    after = tile(client, "component", **{"If-None-Match": before})
    assert after.status_code == 200
    assert after.headers["ETag"] != before


def test_two_scopes_have_two_tags_and_two_contents(map_app, sign_in) -> None:
    west, east = sign_in("town_seat", area=TOWNS[0]), sign_in("town_seat", area=TOWNS[1])
    low = tile_at(120.1, 29.3, 9).path

    answers = [tile(one, "component", low) for one in (west, east)]
    counted = [
        sum(
            f["properties"]["count"]
            for f in mapbox_vector_tile.decode(a.data)["component"]["features"]
        )
        for a in answers
    ]

    assert answers[0].headers["ETag"] != answers[1].headers["ETag"]
    assert sum(counted) == 300
    assert all(counted)


def test_public_layers_may_be_kept_by_everybody_and_the_others_by_nobody(
    map_app, client, sign_in
) -> None:
    listed = sign_in("commander").get("/api/layers?all=1").json
    entry = next(one for one in listed if one["id"] == "base")
    path = entry["tiles"].replace("{z}/{x}/{y}", NEAR)

    kept = client.get(path)
    scoped = tile(sign_in("commander"), "grid")

    assert kept.status_code == 200
    assert "immutable" in kept.headers["Cache-Control"]
    assert kept.headers["Cache-Control"].startswith("public")
    assert scoped.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in scoped.headers["Vary"]
    assert set(mapbox_vector_tile.decode(kept.data)) >= {"roads", "boundaries"}


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("base/3/9/1", 404, "gis.bad_tile"),
        ("base/40/0/0", 404, "gis.bad_tile"),
        ("nothing/3/1/1", 404, "layer.unknown"),
        ("grid/3/1/1", 401, "sign_in.needed"),
    ],
)
def test_a_bad_address_is_told_as_a_problem(map_app, client, address, status, code) -> None:
    answer = client.get(f"/tiles/{address}.mvt")

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == code


def test_a_role_without_the_permission_is_refused(map_app, sign_in) -> None:
    answer = tile(sign_in("planner"), "enterprise")

    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")


def test_a_statement_that_takes_too_long_is_told_as_try_again(map_app, client, mapped) -> None:
    conn = driver(mapped.connection())

    @contextmanager
    def slow():
        with pytest.raises(psycopg.errors.QueryCanceled) as caught, conn.transaction():
            conn.execute("SET LOCAL statement_timeout = '1ms'; SELECT pg_sleep(1)")
        raise caught.value
        yield

    map_app.extensions["make_reader"] = slow
    answer = tile(client, "base")

    assert (answer.status_code, answer.json["code"]) == (503, "try_again")
    assert answer.headers["Retry-After"]


def test_the_real_pool_reads_with_the_map_role_and_is_warm(web_application) -> None:
    with web_application.app_context(), reading.reader() as conn:
        row = conn.execute(
            "SELECT current_user, current_setting('max_parallel_workers_per_gather'),"
            " current_setting('default_transaction_read_only')"
        ).fetchone()

        assert row == ("wangge_tiles", "0", "on")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT count(*) FROM person")
    web_application.extensions.pop("map_pool")[1].close()


def test_the_map_role_reaches_no_table_of_persons(admin_url) -> None:
    with psycopg.connect(as_role(admin_url, "wangge_tiles", "none"), autocommit=True) as conn:
        for table in ("person", "household", "incident_reporter", "account", "audit_event"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(
                    psycopg.sql.SQL("SELECT 1 FROM {}").format(psycopg.sql.Identifier(table))
                )


def test_pages_of_a_list_hold_every_row_once_and_say_how_many(map_app, sign_in, mapped) -> None:
    client = sign_in("commander")
    address, seen = "/api/layers/component/items?limit=70", []

    while address:
        page = client.get(address).json
        assert page["numberReturned"] == len(page["features"])
        seen += [feature["id"] for feature in page["features"]]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)

    assert len(seen) == len(set(seen)) == sql_count(mapped, "component")
    assert seen == sorted(seen)


#: The same box in four ways of writing it.
BOXES = [
    ("120.0,29.25,120.1,29.35", ""),
    ("120.0,29.25,120.1,29.35", "EPSG:4490"),
    ("29.25,120.0,29.35,120.1", "http://www.opengis.net/def/crs/EPSG/0/4490"),
    ("500000,3236890,509715,3248110", "EPSG:4549"),
    ("3236890,500000,3248110,509715", "urn:ogc:def:crs:EPSG::4549"),
    ("120.0,29.25,-5,120.1,29.35,900", ""),
]


@pytest.mark.parametrize(("bbox", "crs"), BOXES)
def test_a_box_finds_the_same_rows_whatever_the_order_of_its_axes(
    map_app, sign_in, mapped, bbox, crs
) -> None:
    answer = sign_in("commander").get(
        "/api/layers/component/items", query_string={"bbox": bbox, "bbox-crs": crs, "limit": 1000}
    )

    expected = sql_count(
        mapped, "component", "geom && ST_MakeEnvelope(120.0, 29.25, 120.1, 29.35, 4490)"
    )
    assert answer.json["numberReturned"] == expected > 100


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("bbox=1,2,3", "gis.bad_bbox"),
        ("bbox=1,2,3,nan", "gis.bad_bbox"),
        ("bbox=500,2,501,3", "gis.bad_bbox"),
        ("bbox=1,2,3,4&bbox-crs=EPSG:99999", "gis.unknown_crs"),
        ("limit=0", "request.bad_parameter"),
        ("limit=ten", "request.bad_parameter"),
        ("after='%3BDROP", "layer.bad_after"),
        ("area=33x", "layer.bad_area"),
    ],
)
def test_what_makes_no_sense_is_told_and_not_guessed(map_app, sign_in, query, code) -> None:
    answer = sign_in("commander").get(f"/api/layers/component/items?{query}")

    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_the_layer_list_counts_what_the_caller_may_see(map_app, sign_in) -> None:
    county = {one["id"]: one for one in sign_in("commander").get("/api/layers").json}
    town = {one["id"]: one for one in sign_in("town_seat", area=TOWNS[0]).get("/api/layers").json}

    assert county["component"]["count"] == 300
    assert 0 < town["component"]["count"] < 300
    assert "enterprise" not in {one["id"] for one in sign_in("planner").get("/api/layers").json}
    assert "person" not in json.dumps(county).lower()


def test_layers_speak_both_languages(map_app, sign_in) -> None:
    reader = sign_in("planner")

    chinese = {one["id"]: one["title"] for one in reader.get("/api/layers").json}
    reader.set_cookie("wangge_lang", "en")
    english = {one["id"]: one["title"] for one in reader.get("/api/layers").json}

    assert (chinese["area"], english["area"]) == ("镇街与社区", "Towns and communities")


def test_figures_cover_every_grid_and_their_classes_are_quantiles(map_app, sign_in, mapped) -> None:
    import mapclassify
    import numpy as np

    answer = sign_in("commander").get("/api/grids/choropleth?theme=components").json

    rng = np.random.default_rng(5)
    from grids.profiles import quantile_breaks

    many = sorted(rng.integers(0, 5000, 200).tolist())
    assert answer["total"] == len(answer["values"]) == 2
    assert sum(answer["values"].values()) == 300
    assert answer["method"] == "quantiles"
    assert quantile_breaks(many)[1:] == pytest.approx(mapclassify.Quantiles(many, k=5).bins)


def test_counts_of_people_are_those_published_or_withheld(map_app, sign_in, mapped) -> None:
    grids = ("339901001001001", "339901002001001")
    add_people(mapped, {grids[0]: 40, grids[1]: 4})
    publish_counts(mapped.connection(), NOW)

    values = sign_in("commander").get("/api/grids/choropleth?theme=people").json["values"]
    profile = sign_in("commander").get(f"/api/grids/{grids[1]}").json

    told = set(
        mapped.scalars(
            text(
                "SELECT area_code FROM people_count WHERE measure = 'people' AND value IS NOT NULL"
            )
        )
    )
    assert values[grids[1]] == "withheld"
    # Where chance lets the county be told, its other grid is withheld too.
    assert (values[grids[0]] == "withheld") == (grids[0] not in told)
    assert not {"339901", grids[0]} <= told
    assert profile["people"] == "withheld"


def add_people(session, counts: dict[str, int]) -> None:
    building = session.scalar(text("SELECT min(id) FROM building"))
    dwelling = session.scalar(
        text("INSERT INTO dwelling (building_id, use) VALUES (:b, 'rental') RETURNING id"),
        {"b": building},
    )
    for code, n in counts.items():
        household = session.scalar(
            text("INSERT INTO household (dwelling_id, kind, cell_id, area_code)"
                 " VALUES (:d, 'family', 1, :a) RETURNING id"),
            {"d": dwelling, "a": code},
        )  # fmt: skip
        session.execute(
            text("INSERT INTO person (household_id, name_sealed, id_number_sealed, id_number_index,"
                 " birth_sealed, age_band, relation, residency, cell_id, area_code, moved_in_on)"
                 " SELECT :h, '', '', '', '', '15-59', 'head', 'registered', 1, :a, '2025-01-01'"
                 " FROM generate_series(1, :n)"),
            {"h": household, "a": code, "n": n},
        )  # fmt: skip


def test_counts_are_published_once_a_week(mapped) -> None:
    connection = mapped.connection()
    add_people(mapped, {"339901001001001": 40, "339901002001001": 60})

    first = publish_if_due(connection, NOW)
    again = publish_if_due(connection, NOW.replace(day=8))
    later = publish_if_due(connection, NOW.replace(day=11))

    told = dict(
        mapped.execute(
            text("SELECT area_code, value FROM people_count WHERE measure = 'people'")
        ).all()
    )
    assert (first > 0, again, later > 0) == (True, 0, True)
    # Two grids and the rest of neither: each value lies within its reach of the truth.
    assert abs(told["339901"] - 100) <= 2 * SMALL.reach
    assert told["339901001001001"] is None or abs(told["339901001001001"] - 40) <= SMALL.reach


def test_a_profile_says_what_the_grid_holds(map_app, sign_in, mapped) -> None:
    code = "339901001001001"
    profile = sign_in("commander").get(f"/api/grids/{code}").json

    assert profile["components"] == sql_count(mapped, "component", "area_code = :c", c=code)
    assert profile["enterprises"] == sql_count(mapped, "enterprise", "area_code = :c", c=code)
    assert len(profile["trend"]) == 30
    assert {"components", "buildings", "enterprises", "premises"} == set(profile["lists"])
    assert len(profile["open_incidents"]) == 3


def test_grids_outside_ones_area_do_not_exist(map_app, sign_in) -> None:
    town = sign_in("town_seat", area=TOWNS[0])

    assert town.get("/api/grids/339901002001001").status_code == 404
    assert town.get("/api/grids/at?lon=120.15&lat=29.3").status_code == 404
    assert town.get("/api/grids/at?lon=120.05&lat=29.3").json["code"] == "339901001001001"


def test_the_tree_of_areas_ends_at_ones_own(map_app, sign_in) -> None:
    county, town = sign_in("commander"), sign_in("town_seat", area=TOWNS[0])

    assert [one["code"] for one in county.get("/api/areas").json] == ["339901"]
    assert [one["code"] for one in county.get("/api/areas?parent=339901").json] == [*TOWNS]
    assert [one["code"] for one in town.get("/api/areas").json] == [TOWNS[0]]
    assert [one["code"] for one in town.get("/api/areas?parent=339901").json] == [TOWNS[0]]
    assert county.get(f"/api/areas?parent={TOWNS[0]}001").json[0]["level"] == 15
