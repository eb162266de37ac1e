"""Ways by road in memory on a real map: how long to build, to ask, how much room, how true.

The straight line is the baseline of truth: how much longer the way by road takes than it would
straight, and how often the nearest by road is not the nearest straight.
"""

from __future__ import annotations

import ctypes
import gc
import statistics
import time
from pathlib import Path
from typing import Final

import numpy as np
import pyogrio
import shapely

from app.config import ROOT
from bench import Result
from gis.measure import geodesic_m
from gis.network import build_graph
from gis.reach import Reach
from grids.desk.roads import SPEEDS_KMH

EXTRACT: Final = ROOT.parent / "shared/data/osm/poa.osm.pbf"
PEOPLE: Final = 40
TURNS: Final = 40
LIMIT_MS: Final = 50.0
LIMIT_MB: Final = 300.0


def run(scale: float) -> list[Result]:
    """Build the roads of a city and ask for forty people's ways, again and again."""
    frame = pyogrio.read_dataframe(
        EXTRACT, layer="lines", columns=["highway"], where="highway IS NOT NULL"
    )
    frame = frame[frame.highway.str.removesuffix("_link").isin(SPEEDS_KMH.keys())]
    lines, kinds = list(frame.geometry), list(frame.highway)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # or what reading the file left behind would be used again
    before_mb = _resident_mb()
    started = time.perf_counter()
    reach = Reach(build_graph(lines, kinds, speeds_kmh=SPEEDS_KMH))
    reach.prepare()
    built_s = time.perf_counter() - started
    room_mb = _resident_mb() - before_mb
    chance = np.random.default_rng(41)
    vertices = shapely.get_coordinates(lines)
    spent, ratios, differs = [], [], 0
    for _ in range(max(4, round(TURNS * scale))):
        place = vertices[chance.integers(len(vertices))]
        people = place + chance.normal(0, 0.01, (PEOPLE, 2)) * (2.0, 1.0)
        started = time.perf_counter()
        minutes = reach.minutes((float(place[0]), float(place[1])), people)
        spent.append((time.perf_counter() - started) * 1000)
        straight = geodesic_m(people, np.tile(place, (PEOPLE, 1)))
        known = np.isfinite(minutes)
        ratios += list(minutes[known] / (straight[known] / (15 / 3.6) / 60))
        differs += int(np.argmin(minutes) != np.argmin(straight))
    turns = len(spent)
    return [
        Result(f"roads of a city, {len(reach.graph.tail)} pieces, built", scale, built_s, 60.0, "s",
               1.0, "lower"),
        Result("room in memory", scale, room_mb, LIMIT_MB, "MB", 1.0, "lower"),
        Result(f"ways of {PEOPLE} people, median", scale, statistics.median(spent), LIMIT_MS, "ms",
               1.0, "lower"),
        Result(f"ways of {PEOPLE} people, longest", scale, max(spent), LIMIT_MS, "ms", 2.0, "lower"),
        Result("time by road beside the straight line at 15 km/h, median", scale,
               statistics.median(ratios), 1.0, "times", float("inf"), "lower"),
        Result("the nearest by road is another than straight", scale, 100 * differs / turns, 100.0,
               "%", float("inf"), "lower"),
    ]  # fmt: skip


def _resident_mb() -> float:
    """Return what this process holds now; shapes live outside of Python's own memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
