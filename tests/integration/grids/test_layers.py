"""Everything that follows from an entry of the layer registry, for every layer."""

import math

import mapbox_vector_tile
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.bbox import Bbox
from gis.tiling import tile_at, tiles_over
from grids import counts, exports, layers
from grids.bulk import driver
from grids.errors import NotAllowed
from grids.layers import LAYERS, Layer
from grids.privileges import PRIVILEGES
from tests.support.maps import NOW, TOWNS, actor_in, layer, sql_count

EVERY = [pytest.param(one, id=one.id) for one in LAYERS]
WITH_ROWS = [pytest.param(one, id=one.id) for one in LAYERS if one.source is not None]
SCOPED = [pytest.param(one, id=one.id) for one in LAYERS if one.scope is not None]
COUNTED = [pytest.param(one, id=one.id) for one in LAYERS if one.aggregate is not None]
CITY = Bbox(120.0, 29.25, 120.2, 29.35)
PERSONAL = ("person", "household", "account", "incident_reporter", "sign_in_session")


def decoded(data: bytes) -> dict:
    return mapbox_vector_tile.decode(data) if data else {}


def tile_rows(session: Session, one: Layer, actor, z: int) -> list[dict]:
    """Collect a layer's features of all tiles of a zoom over the city, each once."""
    conn = driver(session.connection())
    found: dict = {}
    for tile in tiles_over(CITY, z):
        content = decoded(layers.tile_of(conn, one, tile, actor)).get(one.id, {"features": []})
        for nth, feature in enumerate(content["features"]):
            inside = is_inside(feature["geometry"], content["extent"])
            key = feature.get("id") or (tile, nth)
            if inside:
                found[key] = feature["properties"]
    return list(found.values())


def is_inside(geometry: dict, extent: int) -> bool:
    """Points in the buffer belong to the neighbour; lines and polygons may be in both."""
    if geometry["type"] != "Point":
        return True
    return all(0 <= value < extent for value in geometry["coordinates"])


@pytest.mark.parametrize("one", EVERY)
def test_no_layer_reads_a_table_of_persons_and_the_tile_role_reads_all_of_its_tables(
    one: Layer,
) -> None:
    assert not set(one.tables) & set(PERSONAL)
    assert set(one.tables) <= set(PRIVILEGES["wangge_tiles"])
    assert not set(PRIVILEGES["wangge_tiles"]) & set(PERSONAL)


@pytest.mark.parametrize("one", EVERY)
def test_columns_that_leave_are_open_ones(one: Layer) -> None:
    assert {column.level for column in one.open_columns} <= {"L1", "L2"}
    assert one.columns or one.parts


@pytest.mark.parametrize("one", EVERY)
def test_every_zoom_of_a_layer_gives_a_tile_that_can_be_read(mapped: Session, one: Layer) -> None:
    conn = driver(mapped.connection())
    names = {part.name for part in one.parts} or {one.id}

    seen = set()
    for z in range(19):
        data = layers.tile_of(conn, one, tile_at(120.05, 29.3, z), actor_in())
        seen |= set(decoded(data))

    assert seen == names


@pytest.mark.parametrize("one", WITH_ROWS)
def test_a_deep_tile_set_holds_the_very_rows_of_the_table(mapped: Session, one: Layer) -> None:
    actor = actor_in()
    listed = layers.page_of(driver(mapped.connection()), one, actor, limit=1000).count

    shown = tile_rows(mapped, one, actor, max(one.min_zoom, 13))

    if one.id == "area":
        assert {row["code"] for row in shown} == {*TOWNS, *(f"{code}001" for code in TOWNS)}
    elif one.shape in ("point", "mixed"):
        assert len(shown) == listed
    else:
        assert shown


@pytest.mark.parametrize("one", COUNTED)
def test_counts_below_the_smallest_zoom_sum_to_all_rows(mapped: Session, one: Layer) -> None:
    total = layers.rows_of(driver(mapped.connection()), one, actor_in())

    for z in range(one.aggregate.from_zoom, one.min_zoom):
        squares = tile_rows(mapped, one, actor_in(), z)
        assert sum(row["count"] for row in squares) == total, z
        assert all(row["class"] in row for row in squares)


@pytest.mark.parametrize("one", COUNTED)
def test_kept_counts_and_counts_at_request_time_agree(mapped: Session, one: Layer) -> None:
    community, grid = "339901001001", "339901001001001"
    z = one.min_zoom - 2

    kept = tile_rows(mapped, one, actor_in(community), z)
    live = tile_rows(mapped, one, actor_in(community, grid), z)

    assert sorted(row["count"] for row in kept) == sorted(row["count"] for row in live)
    assert kept


@pytest.mark.parametrize("one", SCOPED)
def test_a_town_sees_only_its_own_rows_in_tiles_lists_and_exports(
    mapped: Session, one: Layer
) -> None:
    conn = driver(mapped.connection())
    everybody, town = actor_in(), actor_in(TOWNS[0])
    source = exports.selection(one, everybody).source.table

    own = layers.page_of(conn, one, town, limit=1000)
    shown = tile_rows(mapped, one, town, 14)
    wanted = exports.selection(one, town)

    assert 0 < own.count < layers.page_of(conn, one, everybody, limit=1000).count
    assert exports.count(conn, wanted) == own.count == layers.rows_of(conn, one, town)
    assert TOWNS[1] not in own.text
    assert len(shown) <= len(tile_rows(mapped, one, everybody, 14))
    assert all(str(row.get("code", TOWNS[0])).startswith((TOWNS[0], "0")) for row in shown)
    assert source is not None


@pytest.mark.parametrize("one", SCOPED)
def test_without_an_area_of_ones_own_nothing_is_seen(mapped: Session, one: Layer) -> None:
    conn = driver(mapped.connection())
    nobody = actor_in("339999")

    assert layers.page_of(conn, one, nobody).count == 0
    assert layers.rows_of(conn, one, nobody) == 0
    assert all(not tile_rows(mapped, one, nobody, z) for z in (8, 14))


def test_department_staff_see_the_cases_dispatched_to_them(mapped: Session) -> None:
    conn = driver(mapped.connection())
    stranger = actor_in(department="D09")

    assert sql_count(mapped, "incident") == 4
    assert layers.page_of(conn, layer("incident"), stranger).count == 0
    assert tile_rows(mapped, layer("incident"), stranger, 14) == []


@pytest.mark.parametrize("one", EVERY)
def test_a_layer_asks_for_its_permission(one: Layer) -> None:
    nobody = actor_in(permissions=frozenset())

    if one.permission is None:
        assert layers.seen_layer(one.id, None) is one
    else:
        with pytest.raises(NotAllowed):
            layers.seen_layer(one.id, nobody)


@pytest.mark.parametrize("one", EVERY)
def test_a_change_of_any_of_its_tables_makes_a_new_version(mapped: Session, one: Layer) -> None:
    conn = driver(mapped.connection())
    before, _ = layers.version_of(conn, one)

    assert layers.version_of(conn, one)[0] == before
    for table in one.tables:
        mapped.execute(text(f"UPDATE {table} SET {first_column(mapped, table)}"))
        now, _ = layers.version_of(conn, one)
        assert now != before, table
        before = now


def first_column(session: Session, table: str) -> str:
    """Write an assignment that changes nothing."""
    name = session.scalar(
        text(
            "SELECT column_name FROM information_schema.columns WHERE table_name = :t"
            " AND is_generated = 'NEVER' AND column_name <> 'geom' ORDER BY ordinal_position LIMIT 1"
        ),
        {"t": table},
    )
    return f"{name} = {name}"


def test_new_counts_and_the_feed_make_new_versions(mapped: Session) -> None:
    conn = driver(mapped.connection())
    before = {one.id: layers.version_of(conn, one)[0] for one in LAYERS}

    counts.refresh(mapped.connection(), NOW)
    mapped.execute(text("UPDATE feed_state SET no = no + 1"))
    after = {one.id: layers.version_of(conn, one)[0] for one in LAYERS}

    changed = {name for name in before if before[name] != after[name]}
    assert changed == {one.id for one in LAYERS if one.aggregate is not None}


def test_the_base_map_shows_more_the_closer_one_looks(mapped: Session) -> None:
    conn = driver(mapped.connection())

    far = decoded(layers.tile_of(conn, layer("base"), tile_at(120.03, 29.305, 8), None))
    near = decoded(layers.tile_of(conn, layer("base"), tile_at(120.03, 29.305, 15), None))

    assert {f["properties"]["kind"] for f in far["roads"]["features"]} == {
        "motorway", "trunk", "primary",
    }  # fmt: skip
    assert len(near["roads"]["features"]) == 5
    assert "buildings" not in far


def test_a_tile_equals_a_statement_of_the_tests_own(mapped: Session) -> None:
    tile = tile_at(120.05, 29.3, 14)
    conn = driver(mapped.connection())

    content = decoded(layers.tile_of(conn, layer("component"), tile, actor_in()))["component"]

    box = tile.envelope_3857
    inside = [f for f in content["features"] if is_inside(f["geometry"], content["extent"])]
    expected = sql_count(
        mapped,
        "component",
        "ST_Transform(geom, 3857) && ST_MakeEnvelope(:w, :s, :e, :n, 3857)",
        w=box.west, s=box.south, e=box.east, n=box.north,
    )  # fmt: skip
    assert len(inside) == expected > 0
    places = mapped.execute(
        text("SELECT id, ST_X(ST_Transform(geom, 3857)) AS x, ST_Y(ST_Transform(geom, 3857)) AS y"
             " FROM component")
    )  # fmt: skip
    at = {row.id: (row.x, row.y) for row in places}
    step = box.width / content["extent"]
    for feature in inside:
        x, y = feature["geometry"]["coordinates"]
        true_x, true_y = at[feature["id"]]
        away_m = math.hypot(box.west + x * step - true_x, box.south + y * step - true_y)
        assert away_m < 2 * step


def test_classes_and_an_area_narrow_a_tile(mapped: Session) -> None:
    conn = driver(mapped.connection())
    tile = tile_at(120.05, 29.3, 8)

    data = layers.tile_of(
        conn, layer("component"), tile, actor_in(), area=TOWNS[0], classes=("01",)
    )

    counted = sum(f["properties"]["count"] for f in decoded(data)["component"]["features"])
    assert counted == sql_count(
        mapped, "component", "area_code LIKE :a AND left(code, 2) = '01'", a=f"{TOWNS[0]}%"
    )
