"""`gis.link` against PostGIS itself: every point, borders and corners included."""

from typing import Any

import numpy as np
import psycopg
import pytest
import shapely
from numpy.typing import NDArray

from bench.link import METRIC_SRID, irregular_grids, scattered
from gis.link import OUTSIDE, GridIndex

GRIDS = 170
POINTS = 60_000


@pytest.fixture(scope="module")
def shapes() -> NDArray[np.object_]:
    return irregular_grids(GRIDS, seed=5)


@pytest.fixture(scope="module")
def codes(shapes: NDArray[np.object_]) -> list[str]:
    return [f"{at:015d}" for at in np.random.default_rng(6).permutation(len(shapes))]


@pytest.fixture(scope="module")
def points(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Random places, every vertex of every border, and places between two vertices."""
    corners = shapely.get_coordinates(shapes)
    between = (corners[1:] + corners[:-1]) / 2
    third = corners[:-1] + (corners[1:] - corners[:-1]) / 3
    return np.vstack([scattered(POINTS, seed=7), corners, between, third])


def driver_of(session: Any) -> psycopg.Connection[Any]:
    driver: psycopg.Connection[Any] = session.connection().connection.driver_connection
    return driver


def covered_by(
    conn: psycopg.Connection[Any],
    shapes: NDArray[np.object_],
    codes: list[str],
    points: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Ask `ST_Covers` for the lowest code, grids outside: the fast direction of the join."""
    conn.execute('CREATE TEMP TABLE g (key int, code text COLLATE "C", geom geometry)')
    conn.execute("CREATE TEMP TABLE p (id int, geom geometry(Point, 4490))")
    with conn.cursor().copy("COPY g FROM STDIN") as copy:
        for key, (code, shape) in enumerate(zip(codes, shapes, strict=True)):
            copy.write_row(
                (
                    key,
                    code,
                    shapely.to_wkb(shapely.set_srid(shape, 4490), hex=True, include_srid=True),
                )
            )
    wkb = shapely.to_wkb(
        shapely.set_srid(shapely.points(points), 4490), hex=True, include_srid=True
    )
    with conn.cursor().copy("COPY p FROM STDIN") as copy:
        for row in enumerate(wkb):
            copy.write_row(row)
    conn.execute("CREATE INDEX ON p USING gist (geom)")
    conn.execute("ANALYZE p")
    rows = conn.execute("""
        SELECT DISTINCT ON (p.id) p.id, g.key
        FROM g CROSS JOIN LATERAL (
          SELECT id FROM p WHERE ST_Covers(g.geom, p.geom) OFFSET 0) AS p
        ORDER BY p.id, g.code""").fetchall()
    found = np.full(len(points), OUTSIDE)
    for place, key in rows:
        found[place] = key
    return found


def test_every_point_goes_where_st_covers_says(
    session: Any,
    shapes: NDArray[np.object_],
    codes: list[str],
    points: NDArray[np.float64],
) -> None:
    index = GridIndex(np.arange(len(shapes)), codes, list(shapes), METRIC_SRID)

    ours = index.link(points).grid

    theirs = covered_by(driver_of(session), shapes, codes, points)
    different = np.flatnonzero(ours != theirs)
    assert points[different].tolist() == []
    assert (theirs == OUTSIDE).any()


def test_cells_are_numbered_as_the_database_numbers_them(
    session: Any, points: NDArray[np.float64], shapes: NDArray[np.object_], codes: list[str]
) -> None:
    index = GridIndex(np.arange(len(shapes)), codes, list(shapes), METRIC_SRID)
    some = points[:20_000]

    ours = index.link(some).cell_id

    theirs = driver_of(session).execute(
        "SELECT cell_id_of(ST_SetSRID(ST_MakePoint(x, y), 4490))"
        " FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS u(x, y, n) ORDER BY n",
        (some[:, 0].tolist(), some[:, 1].tolist()),
    )
    assert ours.tolist() == [row[0] for row in theirs]
