"""The same points to the same grids, done by others: sedonadb and PostGIS, in the run of `link`.

Each is given its data loaded and indexed, and what that took is not counted. PostGIS walks the
grids outside and looks their points up, the faster of its two orders (338,000 rows a second
against 39,000). sedonadb weighs 90 MB and nothing of the product uses it: where it is not
installed (`uv pip install sedonadb geoarrow-pyarrow`), its line is left out and that is said.
"""

from __future__ import annotations

import contextlib
import importlib.util
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from app import installation
from app.config import Settings
from bench.kept import empty_database
from gis.crs import STORAGE_SRID
from grids.bulk import copy_frame, driver
from grids.city import City, set_city
from grids.linking import relink

ROUNDS = 2
#: Joined pairs more than points: on shared borders a join answers once for each grid.
JOIN = """
    SELECT count(*) FROM (
      SELECT p.id, g.id FROM grid_version AS g CROSS JOIN LATERAL (
        SELECT id FROM component AS p WHERE ST_Covers(g.geom, p.geom) OFFSET 0) AS p) AS pair
"""


def sedona_s(points: NDArray[np.float64], shapes: NDArray[np.object_]) -> float | None:
    """Time the join of sedonadb; nothing where it is not installed."""
    if importlib.util.find_spec("sedonadb") is None:
        print("sedonadb is not installed: its line is left out")
        return None
    import sedonadb  # type: ignore[import-not-found, import-untyped, unused-ignore]

    engine = sedonadb.connect()
    crs = "EPSG:4326"  # the same numbers; 4490 is unknown to it
    grids = gpd.GeoDataFrame({"key": np.arange(len(shapes))}, geometry=shapes, crs=crs)
    places = gpd.GeoDataFrame(
        {"id": np.arange(len(points))}, geometry=shapely.points(points), crs=crs
    )
    engine.create_data_frame(grids).to_view("grids")
    engine.create_data_frame(places).to_view("places")
    join = (
        "SELECT p.id, g.key FROM places AS p JOIN grids AS g"
        " ON ST_Intersects(g.geometry, p.geometry)"
    )
    return _best(lambda: engine.sql(join).to_pandas())


@contextlib.contextmanager
def stored(
    points: NDArray[np.float64], shapes: NDArray[np.object_]
) -> Iterator[tuple[Settings, str]]:
    """Store the points as components and the grids as duty grids of an otherwise empty city."""
    with empty_database() as (settings, url), installation.owner_engine(settings) as engine:
        west, south = points.min(axis=0) - 0.01
        east, north = points.max(axis=0) + 0.01
        with Session(engine) as session, session.begin():
            city = City(
                name_zh="", name_en="", county_code="339901", metric_srid=4549,
                city_zone="Asia/Shanghai", west=float(west), south=float(south),
                east=float(east), north=float(north), attribution="",
            )  # fmt: skip
            set_city(session, city)
        with engine.begin() as connection:
            count = len(shapes)
            ids = np.arange(1, count + 1)
            codes = [f"339901{at:09d}" for at in range(count)]
            copy_frame(connection, "grid", {"id": ids, "code": codes, "name": codes})
            since = date(2026, 1, 1)
            copy_frame(connection, "grid_version", {
                "grid_id": ids, "valid": [Range(since, None)] * count, "households": [0] * count,
                "area_m2": [0.0] * count,
                "geom": [shapely.multipolygons([shape]) for shape in shapes],
            })  # fmt: skip
            _store_points(connection, points)
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("VACUUM ANALYZE")
        yield settings, url


def _store_points(connection: Connection, points: NDArray[np.float64]) -> None:
    conn = driver(connection)
    conn.execute("CREATE TEMP TABLE given (id bigint, lon float8, lat float8) ON COMMIT DROP")
    columns = {"id": np.arange(len(points)), "lon": points[:, 0], "lat": points[:, 1]}
    copy_frame(connection, "given", columns)
    conn.execute(
        "INSERT INTO component (identifier, code, geom, cell_id, area_code)"
        " SELECT id::text, '01037', ST_SetSRID(ST_MakePoint(lon, lat), %s), 0, '339901' FROM given",
        (STORAGE_SRID,),
    )


def postgis_s(url: str) -> float:
    """Time the join of PostGIS over the stored points and grids."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SET max_parallel_workers_per_gather = 0")
        return _best(lambda: conn.execute(JOIN).fetchone())


def written_s(settings: Settings, points: int) -> float:
    """Time linking every stored point and writing its three keys back, indexes included."""
    with installation.owner_engine(settings) as engine:
        started = time.perf_counter()
        with engine.begin() as connection:
            changed = relink(connection, on=date(2026, 1, 1) + timedelta(days=1),
                             tables=("component",))["component"]  # fmt: skip
        took = time.perf_counter() - started
        with engine.connect() as connection:
            linked = connection.execute(
                text("SELECT count(*) FROM component WHERE cell_id <> 0")
            ).scalar_one()
    if linked != points:
        raise AssertionError(f"{linked} of {points} points have their cell ({changed} changed)")
    return took


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
