"""Bulk linking, the trigger's function and ST_Covers give one answer."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
import shapely
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from grids import rebuilding
from grids.bulk import copy_frame, driver
from grids.city import City, set_city
from grids.linking import link, place_index, relink

TODAY = date(2030, 1, 1)
WEST, SOUTH, STEP = 120.0, 29.3, 0.004


def bent_grids(n: int) -> list[shapely.Polygon]:
    """Lay n x n grids with crooked, exactly shared sides."""
    rng = np.random.default_rng(5)
    corners = np.stack(np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij"), axis=-1)
    nodes = corners + rng.uniform(-0.3, 0.3, corners.shape)
    nodes = nodes * STEP + [WEST, SOUTH]
    mids: dict[tuple[tuple[int, int], tuple[int, int]], np.ndarray] = {}

    def side(a: tuple[int, int], b: tuple[int, int]) -> list[np.ndarray]:
        low, high = sorted((a, b))
        if (low, high) not in mids:
            middle = (nodes[low] + nodes[high]) / 2
            mids[low, high] = middle + rng.uniform(-0.1, 0.1, 2) * STEP
        return [nodes[a], mids[low, high]]

    polygons = []
    for i in range(n):
        for j in range(n):
            ring = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)]
            path = [point for a, b in pairwise(ring) for point in side(a, b)]
            polygons.append(shapely.Polygon(path))
    return polygons


@pytest.fixture
def town(session: Session, connection: Connection) -> list[shapely.Polygon]:
    """A county with one town, one community and 36 grids that fill half of the community."""
    set_city(
        session,
        City(
            name_zh="试验区", name_en="Test", county_code="339901", metric_srid=4549,
            city_zone="Asia/Shanghai", west=119.9, south=29.2, east=120.2, north=29.5,
        ),
    )  # fmt: skip
    grids = bent_grids(6)
    county = shapely.box(119.95, 29.25, 120.10, 29.40)
    village = shapely.box(119.99, 29.29, 120.05, 29.35)
    copy_frame(
        connection,
        "area",
        {
            "code": ["339901", "339901001", "339901001001"],
            "parent_code": [None, "339901", "339901001"],
            "level": [6, 9, 12],
            "name_zh": ["县", "镇", "村"],
            "name_en": ["county", "town", "village"],
            "geom": [
                shapely.MultiPolygon([shape]) for shape in (county, county.buffer(-0.01), village)
            ],
        },
    )
    codes = [f"339901001001{n:03d}" for n in range(1, 37)]
    # Codes do not follow the order of the keys: the lower code must win, not the lower key.
    codes = [codes[(7 * n) % 36] for n in range(36)]
    copy_frame(connection, "grid", {"id": range(1, 37), "code": codes, "name": codes})
    copy_frame(
        connection,
        "grid_version",
        {
            "grid_id": range(1, 37),
            "valid": [Range(date(2020, 1, 1), None)] * 36,
            "households": [0] * 36,
            "area_m2": [1.0] * 36,
            "geom": [shapely.MultiPolygon([grid]) for grid in grids],
        },
    )
    return grids


def probes(grids: list[shapely.Polygon]) -> np.ndarray:
    """Points anywhere, on every vertex, on the middle of every side, on area borders."""
    rng = np.random.default_rng(11)
    anywhere = rng.uniform([119.94, 29.24], [120.11, 29.41], (1500, 2))
    inside = rng.uniform([WEST, SOUTH], [WEST + 6 * STEP, SOUTH + 6 * STEP], (3000, 2))
    vertices = np.concatenate([shapely.get_coordinates(grid) for grid in grids])
    middles = np.concatenate(
        [(c[:-1] + c[1:]) / 2 for c in (shapely.get_coordinates(grid) for grid in grids)]
    )
    borders = np.array([[119.95, 29.30], [120.05, 29.32], [119.96, 29.26], [119.99, 29.29]])
    return np.concatenate([anywhere, inside, vertices, middles, borders])


def in_database(connection: Connection, points: np.ndarray, query: str) -> list[tuple]:
    connection.execute(text("CREATE TEMP TABLE probe (n int, p geometry(Point, 4490))"))
    copy_frame(
        connection,
        "probe",
        {"n": np.arange(len(points)), "p": np.array(shapely.points(points))},
    )
    return [tuple(row) for row in connection.execute(text(query))]


def test_bulk_links_equal_the_trigger_function(
    town: list[shapely.Polygon], connection: Connection
) -> None:
    points = probes(town)

    found = link(connection, points, on=TODAY)

    expected = in_database(
        connection,
        points,
        "SELECT l.cell_id, l.grid_id, l.area_code FROM probe, link_place(p) AS l ORDER BY n",
    )
    ours = zip(found.cell_id.tolist(), found.grid_id.tolist(), found.area_code, strict=True)
    assert list(ours) == expected
    assert {len(code) for code in found.area_code} == {6, 9, 12, 15}


def test_bulk_links_equal_st_covers(town: list[shapely.Polygon], connection: Connection) -> None:
    points = probes(town)

    found = link(connection, points, on=TODAY)

    expected = in_database(
        connection,
        points,
        "SELECT (SELECT g.id FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id"
        " WHERE ST_Covers(v.geom, p) ORDER BY g.code LIMIT 1) FROM probe ORDER BY n",
    )
    assert [(grid,) for grid in found.grid_id.tolist()] == expected


def test_a_day_without_grids_falls_back_to_the_community(
    town: list[shapely.Polygon], connection: Connection
) -> None:
    middle = [WEST + STEP, SOUTH + STEP]

    found = link(connection, [middle, [120.19, 29.49]], on=date(2019, 1, 1))

    assert found.area_code.tolist() == ["339901001001", "339901"]
    assert found.grid_id.tolist() == [None, None]


def test_no_places_have_no_links(town: list[shapely.Polygon], connection: Connection) -> None:
    found = place_index(connection, TODAY).link([])

    assert [len(values) for values in found.columns().values()] == [0, 0, 0]


@pytest.mark.parametrize("least", [1, rebuilding.WORTH_FROM])
def test_rows_follow_when_grids_change(
    town: list[shapely.Polygon],
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    least: int,
) -> None:
    monkeypatch.setattr(rebuilding, "WORTH_FROM", least)
    before = described(connection, "facility")
    rng = np.random.default_rng(3)
    points = rng.uniform([119.99, 29.29], [120.05, 29.35], (400, 2))
    linked = link(connection, points, on=TODAY)
    copy_frame(
        connection,
        "facility",
        {"kind": ["school"] * 400, "geom": shapely.points(points), **linked.columns()},
    )
    connection.execute(text("UPDATE grid_version SET valid = '[2020-01-01,2029-01-01)'"
                            " WHERE grid_id <= 18"))  # fmt: skip

    changed = relink(connection, on=TODAY, tables=("facility",))

    lost = sum(1 for grid in linked.grid_id.tolist() if grid is not None and grid <= 18)
    assert changed == {"facility": lost}
    assert connection.scalar(
        text("SELECT count(*) FROM facility WHERE area_code = '339901001001'")
    ) == lost + sum(
        1
        for grid, code in zip(linked.grid_id.tolist(), linked.area_code, strict=True)
        if grid is None and len(code) == 12
    )
    assert relink(connection, on=TODAY, tables=("facility",)) == {"facility": 0}
    assert described(connection, "facility") == before


def described(connection: Connection, table: str) -> list[tuple[str, str]]:
    """Return the indexes, constraints and triggers of a table."""
    found = connection.execute(
        text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :t UNION ALL"
            " SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = CAST(:t AS regclass) UNION ALL"
            " SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger"
            " WHERE tgrelid = CAST(:t AS regclass) AND NOT tgisinternal ORDER BY 1, 2"
        ),
        {"t": table},
    )
    return [(row[0], row[1]) for row in found]


def test_what_must_be_unique_and_what_others_refer_to_come_back(connection: Connection) -> None:
    for table, column in (("component", "grid_id"), ("grid", "code")):
        before = described(connection, table)
        with rebuilding.rebuilt(driver(connection), table, [column]):
            while_changed = described(connection, table)
        assert described(connection, table) == before
        assert set(while_changed) < set(before)
        assert f"{table}_pkey" in dict(while_changed)


@pytest.mark.parametrize(("column", "is_there"), [("area_code", False), ("geom", True)])
def test_a_trigger_stays_where_its_column_changes(
    connection: Connection, column: str, is_there: bool
) -> None:
    before = described(connection, "component")
    with rebuilding.rebuilt(driver(connection), "component", [column]):
        while_changed = dict(described(connection, "component"))
    assert ("component_link_moved" in while_changed) is is_there
    assert "component_link_new" in while_changed
    assert described(connection, "component") == before


def test_who_does_not_own_a_table_keeps_its_indexes(connection: Connection) -> None:
    assert rebuilding.may_rebuild(driver(connection), "facility")
    connection.execute(text("SET LOCAL ROLE wangge_worker"))
    assert not rebuilding.may_rebuild(driver(connection), "facility")
