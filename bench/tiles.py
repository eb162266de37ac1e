"""Vector tiles through the product's HTTP, beside the bare statement over the same tables.

Tiles are drawn for the first time in the first figure, and asked for once more in the second,
when the process still keeps them (by version, scope and filter).

The baseline is `ST_AsMVT` on a stored web mercator column from as many database connections
as there are clients: no sign-in, no scope, no tag, no HTTP. The third
figure asks with the tags of tiles that did not change.
"""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from psycopg import sql

from bench import Result
from bench.city import CLIENTS, BenchCity, bench_city, best, rate, server
from gis.bbox import Bbox
from gis.postgis import warm
from gis.tiling import Tile, tiles_over

TILES = 240
ZOOMS = (12, 13, 14, 15, 16)
#: Component tiles of the zooms where things stand alone, as the baseline's statement draws.
RAW = sql.SQL("""
    SELECT ST_AsMVT(f, 'component', 4096, 'geom', 'id') FROM (
      SELECT id, code, state,
             ST_AsMVTGeom(geom_3857, ST_TileEnvelope(%(z)s, %(x)s, %(y)s), 4096, 256) AS geom
      FROM component
      WHERE geom && ST_Transform(
        ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => 0.0625), 4490)) AS f""")
DEEP = (14, 15, 16)
GOAL_NEW, GOAL_KEPT, GOAL_AGAIN = 0.5, 1.0, 1.5
GOAL_SIZE = 1.0
LARGEST_BYTES = 500_000


def run(scale: float) -> list[Result]:
    """Time component tiles, mixed tiles of the base map, and tiles that did not change."""
    size = float(scale)
    with bench_city(size) as made:
        deep, mixed = addresses(made, DEEP), addresses(made, ZOOMS)
        raw = best(lambda: raw_rate(made, deep))
        with server(made) as port:
            paths = [f"/tiles/component/{tile.path}.mvt" for tile in deep]
            # Pools and imports are warm; these tiles are of another layer.
            rate(port, [f"/tiles/address/{tile.path}.mvt" for tile in deep[:60]], made.headers)
            ours = rate(port, paths, made.headers)[0]
            kept = best(lambda: rate(port, paths, made.headers)[0])
            first = answers(port, [(path, "") for path in paths], made)
            tags = [(path, row[2]) for path, row in zip(paths, first, strict=True)]
            again = best(lambda: again_rate(port, tags, made))
            base = [f"/tiles/base/{tile.path}.mvt" for tile in mixed]
            largest = max(row[1] for row in answers(port, [(path, "") for path in base], made))
    return [
        Result("tiles, new beside raw SQL", size, ours, raw, "tiles/s", GOAL_NEW),
        Result("tiles, kept beside raw SQL", size, kept, raw, "tiles/s", GOAL_KEPT),
        Result("tiles, unchanged beside new", size, again, ours, "tiles/s", GOAL_AGAIN),
        Result("tiles, largest of the base map", size, largest, LARGEST_BYTES, "bytes", GOAL_SIZE,
               "lower"),
    ]  # fmt: skip


def addresses(made: BenchCity, zooms: Sequence[int]) -> list[Tile]:
    """Draw tiles where components stand, the same ones in every run."""
    with made.connect() as conn:
        row = conn.execute(
            "SELECT ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b)"
            " FROM (SELECT ST_Extent(geom)::geometry AS b FROM component) AS e"
        ).fetchone()
    assert row is not None
    box = Bbox(*(float(str(edge)) for edge in row))
    everything = [tile for z in zooms for tile in tiles_over(box, z)]
    random.Random(1).shuffle(everything)
    return everything[:TILES]


def raw_rate(made: BenchCity, tiles: Sequence[Tile]) -> float:
    """Return how many tiles a second the bare statement gives."""
    connections = [made.connect() for _ in range(CLIENTS)]
    for conn in connections:
        warm(conn)

    def draw(client: int) -> None:
        for tile in tiles[client::CLIENTS]:
            connections[client].execute(RAW, {"z": tile.z, "x": tile.x, "y": tile.y}).fetchone()

    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(draw, range(CLIENTS)))
    took_s = time.perf_counter() - started
    for conn in connections:
        conn.close()
    return len(tiles) / took_s


def answers(
    port: int, asked: Sequence[tuple[str, str]], made: BenchCity
) -> list[tuple[int, int, str]]:
    """Ask for tiles one by one with a tag each; return status, size and tag."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    found = []
    for path, tag in asked:
        headers = {**made.headers, **({"If-None-Match": tag} if tag else {})}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        found.append((answer.status, len(body), answer.headers["ETag"]))
    connection.close()
    return found


def again_rate(port: int, asked: Sequence[tuple[str, str]], made: BenchCity) -> float:
    """Return how many unchanged tiles a second are answered."""
    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        shares = [asked[client::CLIENTS] for client in range(CLIENTS)]
        statuses = {row[0] for rows in pool.map(lambda s: answers(port, s, made), shares)
                    for row in rows}  # fmt: skip
    if statuses != {304}:
        raise RuntimeError(f"unchanged tiles were answered with {statuses}")
    return len(asked) / (time.perf_counter() - started)
