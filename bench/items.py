"""Rows of a box as GeoJSON over HTTP, beside a bare Flask view on the same server.

Ours signs the caller in, limits rows to the areas of the caller, orders them by key for
paging and says whether more follow; the bare view does none of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg

from bench import Result
from bench.city import BenchCity, bench_city, best, rate, server

REQUESTS = 200
SIZES = (100, 1_000, 10_000)
GOALS = {100: 0.35, 1_000: 0.5, 10_000: 0.6}


def run(scale: float) -> list[Result]:
    """Time boxes that hold about 100, 1,000 and 10,000 components."""
    size = float(scale)
    ours: dict[int, float] = {}
    bare: dict[int, float] = {}
    with bench_city(size) as made:
        boxes = {n: boxes_of(made, n) for n in SIZES}
        with server(made) as port:
            for n, found in boxes.items():
                paths = [f"/api/layers/component/items?limit={n}&bbox={box}" for box in found]
                rate(port, paths[:8], made.headers)
                ours[n] = best(partial(_rate, port, paths, made.headers))
        with server(made, "bench.items_bare:create_bare_app()") as port:
            for n, found in boxes.items():
                paths = [f"/items?limit={n}&bbox={box}" for box in found]
                rate(port, paths[:8], {})
                bare[n] = best(partial(_rate, port, paths, {}))
    return [
        Result(f"items, {n:,} beside a bare view", size, ours[n], bare[n], "requests/s", GOALS[n])
        for n in SIZES
    ]


def _rate(port: int, paths: Sequence[str], headers: dict[str, str]) -> float:
    return rate(port, paths, headers)[0]


def boxes_of(made: BenchCity, n: int) -> list[str]:
    """Draw boxes around components that hold about `n` of them, the same in every run."""
    with made.connect() as conn:
        places = conn.execute(
            "SELECT ST_X(c), ST_Y(c) FROM (SELECT ST_Centroid(geom) AS c, id FROM component) AS t"
            " ORDER BY id"
        ).fetchall()
        draw = random.Random(n)
        count = max(8, REQUESTS * 100 // n)
        boxes = []
        for lon, lat in (draw.choice(places) for _ in range(count)):
            boxes.append(_box_around(conn, float(str(lon)), float(str(lat)), n))
    return boxes


def _box_around(conn: psycopg.Connection[Any], lon: float, lat: float, n: int) -> str:
    """Grow a box around a place until it holds `n` rows or the whole city."""
    half = 0.0005
    while half < 1:
        box = (lon - half, lat - half, lon + half, lat + half)
        row = conn.execute(
            "SELECT count(*) FROM component WHERE geom && ST_MakeEnvelope(%s, %s, %s, %s, 4490)",
            box,
        ).fetchone()
        if row is not None and row[0] >= n:
            break
        half *= 1.4
    return ",".join(f"{edge:.6f}" for edge in box)
