"""An extract becomes a city: rows, links, grids; a bad file changes nothing."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import osmium
import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from app.config import as_role
from grids.importing import ImportReport, import_osm
from grids.importing.osm_read import EmptyExtract, UnreadablePbf
from grids.importing.osm_rows import component_code
from grids.importing.replace import CITY_TABLES, CasesExist
from tests.support.database import Server
from tests.support.osm import Drawing, Tags, by_gdal, extract

COUNTY = "339901"
LOCATED = ("address", "building", "component", "facility", "premises")
LON, LAT = 120.0, 29.3


@pytest.fixture(scope="module")
def owner(server: Server, schema_template: str) -> Iterator[Engine]:
    """One database for all small maps: every import replaces what was there."""
    name = server.clone(schema_template, "osm")
    made = create_engine(as_role(server.url(name), "wangge_owner", "none"), poolclass=NullPool)
    try:
        yield made
    finally:
        made.dispose()
        server.drop(name)


@pytest.fixture(scope="module")
def liechtenstein(
    server: Server, schema_template: str
) -> Iterator[tuple[ImportReport, Engine, Path]]:
    """The whole state, imported once."""
    path = extract("liechtenstein")
    name = server.clone(schema_template, "li")
    engine = create_engine(as_role(server.url(name), "wangge_owner", "none"), poolclass=NullPool)
    try:
        yield import_osm(engine, path, COUNTY), engine, path
    finally:
        engine.dispose()
        server.drop(name)


def village() -> Drawing:
    """A street cross with houses, a pond, a shop, a school and street furniture."""
    map_ = Drawing()
    map_.line((LON - 0.01, LAT), (LON, LAT), (LON + 0.01, LAT), highway="secondary", name="东街",
              maxspeed="50", oneway="yes")  # fmt: skip
    map_.line((LON, LAT - 0.01), (LON, LAT), (LON, LAT + 0.01), highway="residential")
    map_.line((LON - 0.01, LAT + 0.004), (LON + 0.01, LAT + 0.004), railway="rail")
    map_.line((LON - 0.01, LAT + 0.006), (LON + 0.01, LAT + 0.006), waterway="stream", name="小溪")
    for n in range(8):
        east, north = LON + 0.0005 + 0.001 * (n % 4), LAT + 0.0005 + 0.001 * (n // 4)
        map_.square(east, north, 0.0002, building="house", addr__street="东街",
                    addr__housenumber=str(n + 1))  # fmt: skip
    map_.square(LON - 0.003, LAT - 0.003, 0.0004, building="apartments", building__levels="6",
                start_date="1998-05")  # fmt: skip
    map_.square(LON - 0.006, LAT - 0.006, 0.001, natural="water", name="池塘")
    map_.square(LON + 0.003, LAT - 0.006, 0.002, landuse="industrial")
    map_.square(LON - 0.006, LAT + 0.001, 0.001, amenity="school", name="小学", building="school")
    map_.node(LON + 0.0001, LAT + 0.0002, shop="convenience", name="小店")
    for n, tags in enumerate(
        [{"highway": "street_lamp"}, {"emergency": "fire_hydrant"}, {"natural": "tree"},
         {"amenity": "waste_basket"}, {"man_made": "manhole", "manhole": "drain"}]
    ):  # fmt: skip
        map_.node(LON + 0.0002 * n, LAT - 0.0002, **tags)
    map_.node(LON, LAT, place="village", name="东村", name__en="East Village", population="900")
    return map_


def counts(engine: Engine, query: str) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_a_small_map_becomes_rows_of_every_kind(owner: Engine, tmp_path: Path) -> None:
    path = village().write(tmp_path / "village.osm.pbf")

    report = import_osm(owner, path, COUNTY)

    assert {table: counted.stored for table, counted in report.tables.items()} == {
        "road": 3, "water": 2, "landuse": 1, "place": 1, "address": 8, "building": 10,
        "component": 5, "facility": 1, "premises": 1,
    }  # fmt: skip
    roads = counts(owner, "SELECT kind, rank, name, is_oneway, speed_kmh FROM road ORDER BY id")
    assert roads[0] == ("secondary", 3, "东街", True, 50)
    components = counts(owner, "SELECT identifier, code FROM component ORDER BY code")
    assert [code for _, code in components] == ["01003", "01013", "01037", "03005", "04002"]
    assert all(identifier == f"{COUNTY}{code}000001" for identifier, code in components)
    tall = counts(owner, "SELECT levels, built_year, dwellings FROM building"
                         " WHERE kind = 'apartments'")  # fmt: skip
    assert tall[0][:2] == (6, 1998)
    assert 30 <= tall[0][2] <= 120
    assert counts(owner, "SELECT count(*), count(DISTINCT a.text) FROM building AS b"
                         " JOIN address AS a ON a.id = b.address_id") == [(8, 8)]  # fmt: skip


def test_everything_that_stands_somewhere_has_cell_grid_and_area(
    owner: Engine, tmp_path: Path
) -> None:
    import_osm(owner, village().write(tmp_path / "village.osm.pbf"), COUNTY)

    for table in LOCATED:
        wrong = counts(
            owner,
            f"SELECT count(*) FROM {table} AS t, link_place(t.geom) AS l WHERE t.grid_id IS NULL"
            " OR (t.cell_id, t.grid_id, t.area_code)"
            " IS DISTINCT FROM (l.cell_id, l.grid_id, l.area_code)",
        )
        assert wrong == [(0,)], table
    homeless = counts(owner, "SELECT count(*) FROM building AS b LEFT JOIN cell AS c"
                             " ON c.cell_id = b.cell_id WHERE c.cell_id IS NULL")  # fmt: skip
    assert homeless == [(0,)]


def test_city_envelope_system_zone_and_name_come_from_the_data(
    owner: Engine, tmp_path: Path
) -> None:
    report = import_osm(owner, village().write(tmp_path / "village.osm.pbf"), COUNTY)

    city = counts(owner, "SELECT name_zh, name_en, metric_srid, city_zone, west < 119.99,"
                         " north > 29.31 FROM city")  # fmt: skip
    assert city == [("东村", "East Village", 4549, "Asia/Shanghai", True, True)]
    assert report.metric_srid == 4549


def test_what_refers_to_the_map_is_emptied_with_it(session):
    """A new table with a key into these belongs into `CITY_TABLES`: else no map can be replaced."""
    refers = text(
        "SELECT DISTINCT conrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' AND conparentid = 0 AND confrelid::regclass::text = ANY(:tables)"
    )

    found = set(session.scalars(refers, {"tables": list(CITY_TABLES)}))

    missing = " ".join(sorted(found - set(CITY_TABLES)))
    assert missing == ""


def test_importing_again_replaces_the_map(owner: Engine, tmp_path: Path) -> None:
    path = village().write(tmp_path / "village.osm.pbf")
    once = import_osm(owner, path, COUNTY)

    again = import_osm(owner, path, COUNTY)

    assert again.tables == once.tables
    assert counts(owner, "SELECT count(*) FROM building") == [(10,)]
    assert counts(owner, "SELECT count(*) FROM city") == [(1,)]
    elsewhere = Drawing()
    elsewhere.line((7.4, 43.7), (7.41, 43.71), highway="residential")
    import_osm(owner, elsewhere.write(tmp_path / "elsewhere.osm.pbf"), COUNTY)
    assert counts(owner, "SELECT count(*) FROM building") == [(0,)]
    assert counts(owner, "SELECT count(*), min(ST_X(ST_StartPoint(geom))) FROM road") == [(1, 7.4)]


def test_cases_are_never_lost_unasked(owner: Engine, tmp_path: Path) -> None:
    path = village().write(tmp_path / "village.osm.pbf")
    import_osm(owner, path, COUNTY)
    with owner.begin() as connection:
        add_incident(connection)

    with pytest.raises(CasesExist):
        import_osm(owner, path, COUNTY)

    assert counts(owner, "SELECT count(*) FROM building") == [(10,)]
    import_osm(owner, path, COUNTY, force=True)
    assert counts(owner, "SELECT count(*) FROM incident") == [(0,)]


def add_incident(connection: Connection) -> None:
    """Store a case; its place, cell and grid are filled in by the trigger."""
    connection.execute(
        text(
            "INSERT INTO category (kind, code, name_zh, name_en, search, valid_from, source)"
            " VALUES ('matter', '99999', '试', 'Test', '', '2026-01-01', 'test')"
        )
    )
    connection.execute(
        text(
            "INSERT INTO incident (id, number, category_id, category_code, channel, urgency,"
            " status, reported_at, received_at, stage_at, geom)"
            " SELECT gen_random_uuid(), '20300101-000001', id, code, 'public', 'C', 'reported',"
            " now(), now(), now(), ST_SetSRID(ST_MakePoint(120, 29.3), 4490)"
            " FROM category WHERE code = '99999'"
        )
    )


def truncated(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return path


def not_a_map(path: Path) -> Path:
    path.write_bytes(b"this is no map" * 100)
    return path


@pytest.mark.parametrize("spoil", [truncated, not_a_map])
def test_an_unreadable_file_changes_nothing(
    owner: Engine, tmp_path: Path, spoil: Callable[[Path], Path]
) -> None:
    import_osm(owner, village().write(tmp_path / "village.osm.pbf"), COUNTY)
    bad = spoil(village().write(tmp_path / "bad.osm.pbf"))

    with pytest.raises(UnreadablePbf) as refused:
        import_osm(owner, bad, COUNTY)

    assert refused.value.code == "import.unreadable_pbf"
    assert refused.value.params == {"file": "bad.osm.pbf"}
    assert counts(owner, "SELECT count(*) FROM building") == [(10,)]


def test_a_file_without_a_city_is_refused(owner: Engine, tmp_path: Path) -> None:
    nothing = Drawing()
    nothing.node(LON, LAT, note="nothing that we know")

    with pytest.raises(EmptyExtract):
        import_osm(owner, nothing.write(tmp_path / "nothing.osm.pbf"), COUNTY)


def test_broken_geometry_is_repaired_or_skipped_and_counted(owner: Engine, tmp_path: Path) -> None:
    map_ = village()
    map_.ring((LON, LAT), (LON + 0.001, LAT + 0.001), (LON + 0.001, LAT), (LON, LAT + 0.001),
              building="yes")  # fmt: skip
    map_.line((LON, LAT), (LON + 0.001, LAT), building="yes")
    map_.node(LON, LAT, building="yes")
    map_.way([1, 999_999], highway="service")
    map_.way([1, 2, 999_999], highway="service")
    map_.relation([("w", 999_999, "outer")], type="multipolygon", building="yes")

    report = import_osm(owner, map_.write(tmp_path / "broken.osm.pbf"), COUNTY)

    buildings, roads = report.tables["building"], report.tables["road"]
    assert (buildings.stored, buildings.repaired) == (11, 1)
    assert buildings.skipped == {
        "an open line, not an outline": 1,
        "a point, not an outline": 1,
        "outline not whole in the file": 1,
    }
    assert (roads.stored, roads.skipped) == (4, {"fewer than two places in the file": 1})
    assert report.ways_cut == 1
    assert counts(owner, "SELECT bool_and(ST_IsValid(geom)) FROM building") == [(True,)]


def test_known_borders_become_towns_and_cut_relations_do_no_harm(
    owner: Engine, tmp_path: Path
) -> None:
    map_ = village()
    border = {"type": "boundary", "boundary": "administrative", "admin_level": "8"}
    for name, west in (("West", LON - 0.011), ("East", LON)):
        ring = map_.ring((west, LAT - 0.011), (west + 0.011, LAT - 0.011),
                         (west + 0.011, LAT + 0.011), (west, LAT + 0.011))  # fmt: skip
        map_.relation([("w", ring, "outer")], name=name, **border)
    map_.relation([("w", 999_999, "outer")], name="Cut", **border)

    import_osm(owner, map_.write(tmp_path / "borders.osm.pbf"), COUNTY)

    towns = counts(owner, "SELECT code, name_zh FROM area WHERE level = 9 ORDER BY code")
    assert towns == [("339901001", "West"), ("339901002", "East")]


def test_a_courtyard_is_a_hole(owner: Engine, tmp_path: Path) -> None:
    map_ = village()
    outer = map_.square(LON + 0.004, LAT + 0.001, 0.001)
    inner = map_.square(LON + 0.0043, LAT + 0.0013, 0.0004)
    map_.relation([("w", outer, "outer"), ("w", inner, "inner")], type="multipolygon",
                  building="apartments")  # fmt: skip

    import_osm(owner, map_.write(tmp_path / "courtyard.osm.pbf"), COUNTY)

    rows = counts(owner, "SELECT source_id, source, ST_NumInteriorRings(ST_GeometryN(geom, 1))"
                         " FROM building WHERE source = 'osm:relation'")  # fmt: skip
    assert rows == [(-1, "osm:relation", 1)]


@dataclass(frozen=True)
class Direct:
    """What GDAL's reader finds: kind of element and number, by what it is to us."""

    buildings: set[tuple[str, int]]
    roads: set[tuple[str, int]]
    addresses: set[tuple[str, int]]
    components: dict[tuple[str, int], str]


@pytest.fixture(scope="module")
def direct() -> Direct:
    found = Direct(set(), set(), set(), {})
    path = extract("liechtenstein")
    for layer in ("points", "lines", "multipolygons"):
        for kind, number, tags in by_gdal(path, layer):
            note(found, (kind, number), tags)
    return found


def note(found: Direct, key: tuple[str, int], tags: Tags) -> None:
    if tags.get("building", "no") != "no":
        found.buildings.add(key)
    if key[0] == "way" and ("highway" in tags or "railway" in tags):
        found.roads.add(key)
    if "addr:housenumber" in tags:
        found.addresses.add(key)
    code = component_code(tags)
    if code:
        found.components[key] = code


def stored(engine: Engine, table: str) -> set[tuple[str, int]]:
    source = "'osm:way'" if table == "road" else "source"
    rows = counts(engine, f"SELECT substr({source}, 5), abs(source_id) FROM {table}")
    assert len(rows) == len(set(rows)), f"{table} has an element twice"
    return set(rows)


def outer_ways(path: Path) -> dict[int, set[int]]:
    """Ways in the outline of each relation. GDAL speaks of a relation without tags of its own
    as the building that its outer way is; we store that way.
    """
    return {
        relation.id: {member.ref for member in relation.members if member.type == "w"}
        for relation in osmium.FileProcessor(str(path), osmium.osm.RELATION)
    }


Imported = tuple[ImportReport, Engine, Path]


def test_every_road_and_address_of_the_extract_is_stored(
    liechtenstein: Imported, direct: Direct
) -> None:
    _, engine, _ = liechtenstein

    assert stored(engine, "road") == direct.roads
    assert stored(engine, "address") == direct.addresses


def test_every_building_of_the_extract_is_stored(liechtenstein: Imported, direct: Direct) -> None:
    report, engine, path = liechtenstein
    ours = stored(engine, "building")
    outlines = outer_ways(path)

    missing = direct.buildings - ours
    by_outer_way = {
        (kind, number) for kind, number in missing
        if kind == "relation" and any(("way", way) in ours for way in outlines[number])
    }  # fmt: skip
    nodes = {key for key in missing if key[0] == "node"}
    open_lines = {key for key in missing if key[0] == "way"}

    assert missing == by_outer_way | nodes | open_lines
    skipped = report.tables["building"].skipped
    assert len(nodes) == skipped["a point, not an outline"]
    assert len(open_lines) == skipped["an open line, not an outline"]
    members = {("way", way) for ways in outlines.values() for way in ways}
    assert ours - direct.buildings <= members
    assert len(ours) >= 8_990


def test_every_component_of_the_extract_is_stored_or_stands_abroad(
    liechtenstein: Imported, direct: Direct
) -> None:
    report, engine, path = liechtenstein
    ours = stored(engine, "component")
    outlines = outer_ways(path)

    missing = {
        (kind, number) for kind, number in set(direct.components) - ours
        if kind != "relation" or not any(("way", way) in ours for way in outlines[number])
    }  # fmt: skip

    assert len(missing) == report.tables["component"].skipped["beyond the city's border"]
    # What stands abroad are the towers of two power lines that run through the state.
    assert Counter(direct.components[key] for key in missing)["01047"] >= len(missing) - 2
    codes = dict(counts(engine, "SELECT code, count(*) FROM component GROUP BY code"))
    by_gdal_codes = Counter(code for key, code in direct.components.items() if key in ours)
    assert {code: n for code, n in codes.items() if abs(n - by_gdal_codes[code]) > 1} == {}


def test_everything_located_in_the_extract_has_cell_and_grid(liechtenstein: Imported) -> None:
    _, engine, _ = liechtenstein

    for table in LOCATED:
        bare = counts(engine, f"SELECT count(*) FROM {table} AS t LEFT JOIN cell AS c"
                              " ON c.cell_id = t.cell_id"
                              " WHERE t.grid_id IS NULL OR c.cell_id IS NULL")  # fmt: skip
        assert bare == [(0,)], table


def test_the_grids_of_the_extract_tile_their_communities(liechtenstein: Imported) -> None:
    report, engine, _ = liechtenstein

    worst = counts(
        engine,
        "SELECT max(abs(ST_Area(a.geom::geography) - g.m2)) FROM area AS a JOIN ("
        "  SELECT substr(g.code, 1, 12) AS code, sum(ST_Area(v.geom::geography)) AS m2"
        "  FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id GROUP BY 1) AS g"
        " USING (code)",
    )
    overlaps = counts(
        engine,
        "SELECT count(*) FROM grid_version AS a JOIN grid_version AS b"
        " ON a.id < b.id AND a.geom && b.geom AND ST_Relate(a.geom, b.geom, 'T********')"
        " WHERE ST_Area(ST_Intersection(a.geom, b.geom)::geography) > 0.5",
    )
    assert worst[0][0] < 0.5
    assert overlaps == [(0,)]
    assert report.towns == 11
    assert counts(engine, "SELECT bool_and(ST_IsValid(geom)) FROM grid_version") == [(True,)]


def test_dwellings_of_the_extract_fit_its_population(liechtenstein: Imported) -> None:
    _, engine, _ = liechtenstein

    homes = counts(engine, "SELECT sum(dwellings) FROM building")[0][0]
    in_grids = counts(engine, "SELECT sum(households) FROM grid_version")[0][0]

    # Between 37,000 and 40,000 people live in the state; 1.5 to 3 of them share a home.
    assert 37_000 / 3 < homes < 40_000 / 1.5
    assert in_grids == homes


@pytest.mark.parametrize("name", ["helsinki", "monaco", "poa"])
def test_other_extracts_become_cities_too(owner: Engine, name: str) -> None:
    path = extract(name)

    report = import_osm(owner, path, COUNTY)

    assert report.grids > 10
    assert report.tables["road"].stored > 2_000
    for table in LOCATED:
        assert counts(owner, f"SELECT count(*) FROM {table} WHERE grid_id IS NULL") == [(0,)]
