"""Divisions, grids and cells reach the database as they were laid."""

from datetime import date

import numpy as np
import pytest
import shapely
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from gis.crs import to_metric
from grids.city import City, set_city
from grids.gridding import (
    Barriers,
    Homes,
    Layout,
    Name,
    Territory,
    lay_city,
    store_cells,
    store_divisions,
    store_grids,
)

SRID, DAY = 4549, date(2026, 1, 1)


@pytest.fixture
def laid(session: Session, connection: Connection) -> Layout:
    """A city of a square mile or so with a street every 150 m."""
    set_city(
        session,
        City(
            name_zh="试", name_en="Test", county_code="339901", metric_srid=SRID,
            city_zone="Asia/Shanghai", west=119.9, south=29.2, east=120.2, north=29.5,
        ),
    )  # fmt: skip
    x, y = to_metric([[120.0, 29.3]], SRID)[0]
    rng = np.random.default_rng(1)
    lines = np.empty(20, dtype=object)
    lines[:] = [
        shapely.LineString(
            [(x - 10, y + at), (x + 1510, y + at)]
            if axis
            else [(x + at, y - 10), (x + at, y + 1510)]
        )
        for axis in (0, 1)
        for at in range(75, 1500, 150)
    ]
    layout = lay_city(
        Territory(
            name=Name("试", "Test"),
            county_code="339901",
            outline=shapely.box(x, y, x + 1500, y + 1500),
            barriers=Barriers(lines, np.ones(20)),
            homes=Homes(rng.uniform(0, 1500, (900, 2)) + np.array([x, y]), np.full(900, 6.0)),
        )
    )
    store_divisions(connection, layout.divisions, metric_srid=SRID, valid_from=DAY)
    ids = store_grids(connection, layout.grids, metric_srid=SRID, valid_from=DAY)
    store_cells(connection, layout.grids, ids, metric_srid=SRID, on=DAY)
    return layout


def test_grids_carry_their_codes_and_tile_their_parents(
    laid: Layout, connection: Connection
) -> None:
    codes = connection.scalars(text("SELECT code FROM grid ORDER BY code")).all()
    gap = connection.scalar(
        text(
            "SELECT max(ST_Area(ST_SymDifference(a.geom, g.geom)::geography)) FROM area AS a JOIN"
            " (SELECT left(code, length_of) AS code, length_of, ST_Union(geom) AS geom"
            "  FROM grid JOIN grid_version ON grid_id = grid.id,"
            "       (VALUES (6), (9), (12)) AS l (length_of) GROUP BY 1, 2) AS g USING (code)"
        )
    )

    assert codes == sorted(grid.code for grid in laid.grids)
    assert gap < 0.5


def test_exteriors_run_counter_clockwise(laid: Layout, connection: Connection) -> None:
    assert connection.scalar(text("SELECT bool_and(ST_IsPolygonCCW(geom)) FROM grid_version"))


def test_cells_know_the_grid_of_their_middle_and_whether_it_holds_them(
    laid: Layout, connection: Connection
) -> None:
    wrong = connection.scalar(
        text(
            "SELECT count(*) FROM cell AS c LEFT JOIN grid_version AS v ON v.grid_id = c.grid_id"
            " WHERE c.cell_id <> cell_id_of(ST_Centroid(c.geom))"
            " OR (v.id IS NOT NULL AND NOT ST_Covers(v.geom, ST_Centroid(c.geom)))"
            # A side of a cell is straight in degrees: a millimetre decides nothing.
            " OR (c.is_whole AND ST_Area(ST_Difference(c.geom, v.geom)::geography) > 0.5)"
            " OR (NOT c.is_whole AND ST_Area(ST_Difference(c.geom, v.geom)::geography) < 1e-6)"
        )
    )
    total, whole = connection.execute(
        text("SELECT count(*), count(*) FILTER (WHERE is_whole) FROM cell")
    ).one()

    assert wrong == 0
    assert 225 <= total <= 256
    assert 0 < whole < total


def test_every_place_of_the_city_lies_in_a_cell(laid: Layout, connection: Connection) -> None:
    missing = connection.scalar(
        text(
            "SELECT ST_Area(ST_Difference(a.geom, (SELECT ST_Union(geom) FROM cell))::geography)"
            " FROM area AS a WHERE level = 6"
        )
    )

    assert missing < 0.5
