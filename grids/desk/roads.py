"""The road graph that suggestions measure ways on: in memory, built in the background, versioned.

Grid workers walk and ride electric bicycles, so speeds are theirs and a one-way street does not
bind them: on foot beside the road. No place of a person is kept: the ways begin at the points
of their grids.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import psycopg
import shapely

from gis.network import build_graph
from gis.reach import Reach

log = logging.getLogger("wangge.roads")

#: What an electric bicycle makes in a town, stops included; on paths and steps it is pushed.
SPEEDS_KMH: Final = MappingProxyType(
    {
        "trunk": 18.0, "primary": 18.0, "secondary": 18.0, "tertiary": 18.0,
        "unclassified": 16.0, "residential": 15.0, "living_street": 10.0, "service": 12.0,
        "track": 10.0, "cycleway": 16.0, "pedestrian": 5.0, "footway": 5.0, "path": 4.5,
        "steps": 2.0,
    }
)  # fmt: skip
#: Asked again so often whether the base map has changed.
CHECK_S: Final = 600.0

VERSION: Final = """
    SELECT coalesce((SELECT sum(no) FROM source_version WHERE name = 'road'), 0)::text
      || '.' || coalesce((SELECT max(id) FROM road), 0)::text
"""
ROADS: Final = "SELECT kind, ST_AsBinary(geom) FROM road WHERE kind = ANY(%s) ORDER BY id"


@dataclass(frozen=True)
class Network:
    """The roads of one state of the base map."""

    version: str
    reach: Reach
    edges: int
    built_s: float


class Roads:
    """The network of this process: asked without waiting, built by a thread of its own."""

    def __init__(self) -> None:
        self._network: Network | None = None
        self._checked_at = -CHECK_S
        self._is_busy = False
        self._lock = threading.Lock()

    def network(self, connect: Callable[[], Any]) -> Network | None:
        """Return the network; None until it is built the first time.

        `connect` opens a connection as a context manager; it is called in the thread that
        builds, now and again every ten minutes.
        """
        with self._lock:
            is_due = time.monotonic() - self._checked_at > CHECK_S
            if is_due and not self._is_busy:
                self._is_busy = True
                threading.Thread(
                    target=self._look, args=(connect,), name="roads", daemon=True
                ).start()
            return self._network

    def _look(self, connect: Callable[[], Any]) -> None:
        try:
            with connect() as conn:
                found = load(conn, known=self._network)
            if found is not self._network:
                log.info("roads %s: %d pieces in %.1f s", found.version, found.edges, found.built_s)
            self._network = found
        except psycopg.Error as error:
            log.warning("the roads cannot be read (%s)", type(error).__name__)
        finally:
            with self._lock:
                self._checked_at = time.monotonic()
                self._is_busy = False


def load(conn: psycopg.Connection[Any], *, known: Network | None = None) -> Network:
    """Build the network from the base map; the known one where nothing has changed."""
    row = conn.execute(VERSION).fetchone()
    version = str(row[0]) if row else ""
    if known is not None and known.version == version:
        return known
    started = time.perf_counter()
    names = [name + ending for name in SPEEDS_KMH for ending in ("", "_link")]
    rows = conn.execute(ROADS, (names,)).fetchall()
    lines = shapely.from_wkb([bytes(row[1]) for row in rows])
    graph = build_graph(list(lines), [row[0] for row in rows], speeds_kmh=SPEEDS_KMH)
    reach = Reach(graph)
    reach.prepare()
    return Network(version, reach, len(graph.tail), time.perf_counter() - started)


#: One for the process.
ROAD_NETWORK: Final = Roads()
