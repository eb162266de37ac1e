"""A whole layer as a file: ours beside geopandas and GDAL over the same table, in the same run.

GeoJSON of ours is streamed over HTTP with sign-in, scope, count and audit; geopandas reads
the table into memory and writes a file, GDAL (by pyogrio) writes frames it is handed.
"""

from __future__ import annotations

import http.client
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pyogrio
from sqlalchemy import create_engine

from app.config import as_role
from bench import Result
from bench.city import BenchCity, bench_city, server

logging.getLogger("pyogrio").setLevel(logging.WARNING)

COLUMNS = "id, identifier, code, state, name, department_code, area_code, source, geom"
GOAL_GEOJSON, GOAL_GDAL, GOAL_GPKG = 3.0, 2.0, 0.5
ROUNDS = 2


def run(scale: float) -> list[Result]:
    """Time GeoJSON and GeoPackage of all components."""
    size = float(scale)
    with bench_city(size) as made, tempfile.TemporaryDirectory(prefix="wangge-export-") as folder:
        out = Path(folder)
        with server(made) as port:
            rows = download(port, made, "geojson")
            ours = rows / least_s(lambda: download(port, made, "geojson"))
            gpkg = rows / least_s(lambda: download(port, made, "gpkg"))
        frame = read_frame(made)
        if len(frame) != rows:
            raise RuntimeError(f"we gave {rows} rows, the table has {len(frame)}")
        plain = rows / least_s(lambda: geopandas_file(made, out / "plain.geojson"))
        gdal = rows / least_s(lambda: gdal_file(frame, out / "gdal.geojson", "GeoJSON"))
        gdal_gpkg = rows / least_s(lambda: geopandas_gpkg(made, out))
    return [
        Result("export, GeoJSON beside geopandas", size, ours, plain, "rows/s", GOAL_GEOJSON),
        Result("export, GeoJSON beside GDAL's writer", size, ours, gdal, "rows/s", GOAL_GDAL),
        Result("export, GeoPackage beside geopandas", size, gpkg, gdal_gpkg, "rows/s", GOAL_GPKG),
    ]


def download(port: int, made: BenchCity, ending: str) -> int:
    """Take the layer over HTTP; return the rows that the server counted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=900)
    connection.request("GET", f"/api/export/component.{ending}", headers=made.headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.read()[:200]!r}")
    while answer.read(1 << 20):
        pass
    connection.close()
    return int(answer.headers["X-Row-Count"])


def read_frame(made: BenchCity) -> gpd.GeoDataFrame:
    """Read the table as planners do with geopandas."""
    url = as_role(made.url, "wangge_tiles", "none").replace(
        "postgresql://", "postgresql+psycopg://"
    )
    pool = create_engine(url)
    frame = gpd.read_postgis(
        f"SELECT {COLUMNS} FROM component WHERE valid_to IS NULL AND state <> 'removed'",  # noqa: S608
        pool,
        geom_col="geom",
    )
    pool.dispose()
    return frame


def geopandas_file(made: BenchCity, path: Path) -> None:
    """Read and write with geopandas."""
    read_frame(made).to_crs(4326).to_file(path, driver="GeoJSON", engine="pyogrio")


def geopandas_gpkg(made: BenchCity, folder: Path) -> None:
    """Read and write a GeoPackage with geopandas."""
    path = folder / "plain.gpkg"
    path.unlink(missing_ok=True)
    read_frame(made).to_file(path, driver="GPKG", engine="pyogrio")


def gdal_file(frame: gpd.GeoDataFrame, path: Path, driver: str) -> None:
    """Write a frame that is in memory already."""
    pyogrio.write_dataframe(frame.to_crs(4326), path, driver=driver)


def least_s(act: Callable[[], object]) -> float:
    """Return the shortest time of some rounds."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return min(times)
