"""Points to duty grids: `gis.link` beside `geopandas.sjoin`, PostGIS and sedonadb, same points.

The baseline gets its points and grids as ready frames, and its building of geometries is
not counted; ours also numbers the unit cells. Both answers are compared point by point.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from bench import Result, link_peers
from gis.crs import STORAGE_SRID
from gis.link import OUTSIDE, GridIndex

#: The customer's city at scale 1; the issue asks for 300,000 points and 170 grids at least.
POINTS = 2_980_000
GRIDS = 1_700
LEAST_POINTS = 300_000
LEAST_GRIDS = 170
METRIC_SRID = 4549
WINDOW = (119.90, 29.10, 120.25, 29.40)
ROUNDS = 5
#: `./wangge bench` fails below this ratio: the registers ask for 5, the first release for 2.
GOAL, GOAL_SEDONA, GOAL_POSTGIS = 5.0, 2.5, 12.0
GOAL_WRITTEN_S = 60.0


def run(scale: float) -> list[Result]:
    """Time linking and building at a scale of the customer's city, and compare every answer."""
    size = float(scale)
    shapes = irregular_grids(max(LEAST_GRIDS, round(GRIDS * size)), seed=1)
    points = scattered(max(LEAST_POINTS, round(POINTS * size)), seed=2)
    keys = np.arange(1, len(shapes) + 1)
    codes = [f"339901001001{at:04d}" for at in np.random.default_rng(3).permutation(len(shapes))]

    started = time.perf_counter()
    index = GridIndex(keys, codes, list(shapes), METRIC_SRID)
    build_s = time.perf_counter() - started

    grids = gpd.GeoDataFrame({"key": keys, "code": codes}, geometry=shapes, crs=STORAGE_SRID)
    places = gpd.GeoDataFrame(geometry=shapely.points(points), crs=STORAGE_SRID)

    def ours() -> NDArray[np.int64]:
        return index.link(points).grid

    def baseline() -> gpd.GeoDataFrame:
        return gpd.sjoin(places, grids, how="left", predicate="intersects")

    check_equal(ours(), baseline(), len(points))
    ours_s, baseline_s = best_s(ours, ROUNDS), best_s(baseline, 2)
    count = len(points)
    sedona = link_peers.sedona_s(points, shapes)
    with link_peers.stored(points, shapes) as (settings, url):
        postgis = link_peers.postgis_s(url)
        written = link_peers.written_s(settings, count)
    rows = [
        Result("to geopandas", size, count / ours_s, count / baseline_s, "rows/s", GOAL),
        Result("to PostGIS", size, count / ours_s, count / postgis, "rows/s", GOAL_POSTGIS),
        Result("with build", size, build_s + ours_s, baseline_s, "s", 1.0, better="lower"),
        Result("memory", size, peak_mb(ours), peak_mb(baseline), "MB", 0.5, better="lower"),
        Result("keys written back", size, written, GOAL_WRITTEN_S, "s", 1.0, better="lower"),
    ]
    if sedona is not None:
        rows.append(
            Result("to sedonadb", size, count / ours_s, count / sedona, "rows/s", GOAL_SEDONA)
        )
    return rows


def check_equal(ours: NDArray[np.int64], joined: gpd.GeoDataFrame, points: int) -> None:
    """Stop the bench where an answer differs from the join's lowest code."""
    first = joined.sort_values("code", kind="stable").groupby(level=0)["key"].first()
    theirs = first.reindex(range(points)).fillna(OUTSIDE).to_numpy(dtype=np.int64)
    wrong = int((ours != theirs).sum())
    if wrong:
        raise AssertionError(f"{wrong} of {points} points are linked to another grid")


def best_s(work: Callable[[], object], rounds: int) -> float:
    """Time the fastest of some rounds: what the machine can do when nobody disturbs it."""
    times = []
    for _ in range(rounds):
        gc.collect()
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def peak_mb(work: Callable[[], object]) -> float:
    """Measure the most memory that Python and numpy hold more during the work."""
    gc.collect()
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def scattered(count: int, seed: int) -> NDArray[np.float64]:
    """Draw places in and a little around the window, half of them in clusters as people live."""
    rng = np.random.default_rng(seed)
    west, south, east, north = WINDOW
    spread = rng.uniform([west - 0.02, south - 0.02], [east + 0.02, north + 0.02], (count, 2))
    centres = rng.uniform([west, south], [east, north], (40, 2))
    clustered = centres[rng.integers(0, 40, count)] + rng.normal(0, 0.008, (count, 2))
    return np.where(rng.random((count, 1)) < 0.5, spread, clustered)


def irregular_grids(count: int, seed: int, bends: int = 6) -> NDArray[np.object_]:
    """Cut the window into about so many crooked polygons that share every vertex of a border.

    Cells of random centres get their borders bent by noise, each border once, so that
    neighbours still fit exactly.
    """
    rng = np.random.default_rng(seed)
    west, south, east, north = WINDOW
    window = shapely.box(*WINDOW)
    centres = shapely.MultiPoint(rng.uniform([west, south], [east, north], (count, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(centres, extend_to=window))
    rings = shapely.union_all(shapely.boundary(shapely.intersection(cells, window)))
    borders = shapely.get_parts(shapely.line_merge(shapely.node(rings)))
    bent = [_bent(border, bends, rng) for border in borders]
    return np.asarray(shapely.get_parts(shapely.polygonize(bent)), dtype=object)


def _bent(border: shapely.LineString, bends: int, rng: np.random.Generator) -> shapely.LineString:
    step = border.length / bends
    xy = shapely.get_coordinates(shapely.segmentize(border, step))
    west, south, east, north = WINDOW
    inside = (xy > [west + 1e-9, south + 1e-9]) & (xy < [east - 1e-9, north - 1e-9])
    is_inner = inside[:, 0] & inside[:, 1]
    is_inner[[0, -1]] = False
    return shapely.LineString(
        xy + np.where(is_inner[:, None], rng.normal(0, step / 8, xy.shape), 0)
    )
