"""The great lines of the city: rings, radial roads, river banks, bridges, bypass, railway."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from grids.synth.names import Namer
from grids.synth.plan import Plan
from grids.synth.shapes import Floats, Waves, lines_of, ring, rotation
from grids.synth.terrain import Terrain

#: Full width of the road with its pavements, metres. `edge` is a border that is no road.
WIDTH_M = {
    "trunk": 34.0, "primary": 34.0, "secondary": 26.0, "tertiary": 19.0, "unclassified": 11.0,
    "residential": 12.0, "living_street": 5.5, "service": 5.0, "track": 4.0, "edge": 0.0,
}  # fmt: skip
#: Which zoom shows a road; the same scale as imported roads have.
RANK = {
    "trunk": 1, "primary": 2, "secondary": 3, "tertiary": 4, "unclassified": 5,
    "residential": 5, "living_street": 5, "rail": 2, "service": 7, "track": 8, "footway": 9,
}  # fmt: skip
SPEED_KMH = {
    "trunk": 80, "primary": 60, "secondary": 50, "tertiary": 40, "unclassified": 40,
    "residential": 30, "living_street": 15, "service": 15, "track": 15,
}  # fmt: skip
BANK_M = 24.0  #: from the water to the middle of the road along it


@dataclass(frozen=True)
class Street:
    """A planned street, before it is cut at its junctions."""

    kind: str
    name: str | None
    line: LineString


@dataclass
class Layout:
    """What has been planned so far; every step of the plan adds to it."""

    core: Polygon
    old_town: Polygon
    streets: list[Street] = field(default_factory=list)
    railway: list[LineString] = field(default_factory=list)

    def add(self, kind: str, name: str | None, shape: BaseGeometry | Floats) -> None:
        """Plan a street along a line, or along every line of a geometry."""
        geometry = LineString(shape) if isinstance(shape, np.ndarray) else shape
        self.streets += [Street(kind, name, line) for line in lines_of(geometry)]

    def roads(self) -> BaseGeometry:
        """All planned roads as one geometry."""
        return shapely.union_all([s.line for s in self.streets if s.kind != "edge"])


def lay_out(plan: Plan, land: Terrain, namer: Namer) -> Layout:
    """Plan the main roads of the core and of the countryside."""
    rng = plan.rng("layout")
    turn = rng.uniform(-0.2, 0.2)
    core = Polygon(ring(rng, plan.core_m, square=2.7, angle=turn, wobble=0.06))
    old_m = min(0.37 * plan.core_m, 780.0)
    old = Polygon(ring(rng, old_m, square=2.9, angle=turn + 0.05, wobble=0.05))
    layout = Layout(core, old)
    _rings(layout, plan, rng, turn)
    _radials(layout, plan, land, rng, turn, namer)
    _banks(layout, plan, land, namer)
    _bypass(layout, plan, land, rng)
    _railway(layout, plan, land, rng)
    layout.add("edge", None, land.boundary.exterior)
    layout.add("edge", None, land.river.exterior)
    layout.add("edge", None, land.river_axis)
    return layout


def _rings(layout: Layout, plan: Plan, rng: np.random.Generator, turn: float) -> None:
    _name_by_quarter(layout, "secondary", "环城", layout.old_town)
    _name_by_quarter(layout, "primary", "外环", layout.core)
    inner = np.sqrt(layout.old_town.area / np.pi)
    gaps = int((plan.core_m - inner) // 1150)
    for k in range(gaps):
        radius = inner + (plan.core_m - inner) * (k + 1) / (gaps + 1)
        between = Polygon(ring(rng, radius, square=2.8, angle=turn, wobble=0.05))
        _name_by_quarter(layout, "secondary", ["中环", "二环", "三环", "四环"][k % 4], between)


def _name_by_quarter(layout: Layout, kind: str, stem: str, area: Polygon) -> None:
    """Give the four sides of a ring road their names, as cities do."""
    xy = shapely.get_coordinates(area.exterior)
    side = np.floor((np.arctan2(xy[:, 1], xy[:, 0]) + np.pi / 4) / (np.pi / 2)).astype(int) % 4
    cuts = np.flatnonzero(np.diff(side)) + 1
    start = 0
    for stop in [*cuts.tolist(), len(xy) - 1]:
        if stop > start:
            layout.add(kind, f"{stem}{'东北西南'[side[start]]}路", xy[start : stop + 1])
        start = stop


def _radials(
    layout: Layout, plan: Plan, land: Terrain, rng: np.random.Generator, turn: float, namer: Namer
) -> None:
    count = 8 if plan.core_m > 900 else 6
    count += 4 if plan.core_m > 3500 else 0
    sway = Waves(rng, max(900.0, plan.core_m * 0.9))
    cross = [namer.arterial() for _ in range(2)]
    every = count // 4 if count % 4 == 0 else 2
    inner = np.sqrt(layout.old_town.area / np.pi)
    for k in range(count):
        is_axis = k % every == 0 and count % 4 == 0
        angle = turn + k * 2 * np.pi / count + (0 if is_axis else rng.normal(0, 0.07))
        reach = np.arange(0.0 if is_axis else inner * 0.9, 1.4 * plan.radius_m, 45.0)
        stray = 0.22 * sway(np.array([[angle * 4000, 0.0]]) + reach[:, None] * (0.0, 1.0))
        theta = angle + stray * np.clip((reach - inner) / plan.core_m, 0, 0.75)
        way = LineString(np.column_stack([np.cos(theta), np.sin(theta)]) * reach[:, None])
        if not is_axis:
            way = LineString(shapely.get_coordinates(way.difference(layout.old_town)))
        name = _radial_name(k, every, cross, is_axis, namer)
        kind = "primary" if is_axis else "secondary"
        layout.add(kind, name, way.intersection(layout.core))
        outside = way.intersection(land.boundary).difference(layout.core)
        layout.add("secondary" if is_axis else "tertiary", name, outside)


def _radial_name(k: int, every: int, cross: list[str], is_axis: bool, namer: Namer) -> str:
    if not is_axis:
        return namer.arterial() + "路"
    quarter = k // every
    return f"{cross[quarter % 2]}{'东北西南'[quarter % 4]}路"


def _banks(layout: Layout, plan: Plan, land: Terrain, namer: Namer) -> None:
    """Lead roads along both banks, and bridges across where the main roads leave a gap."""
    corridor = land.river_axis.buffer(plan.river_m / 2 + BANK_M, quad_segs=4)
    town = layout.core.buffer(5)
    crossing = layout.roads().intersection(land.river_axis)
    for line in lines_of(corridor.exterior.intersection(town)):
        if line.length < 150:
            continue
        middle = shapely.get_coordinates(line.interpolate(0.5, normalized=True))[0]
        nearest = land.river_axis.interpolate(land.river_axis.project(Point(middle)))
        side = "北" if middle[1] > nearest.y else "南"
        layout.add("secondary", f"江滨{side}路", line)
    for reach in lines_of(land.river_axis.intersection(town)):
        steps = max(1, int(reach.length // 620))
        for k in range(steps):
            at = (k + 0.5) / steps * reach.length
            spot = reach.interpolate(at)
            if not crossing.is_empty and crossing.distance(spot) < 230:
                continue
            _bridge(layout, plan, reach, at, namer)


def _bridge(layout: Layout, plan: Plan, reach: LineString, at: float, namer: Namer) -> None:
    a, b = (shapely.get_coordinates(reach.interpolate(at + d))[0] for d in (-10.0, 10.0))
    along = (b - a) / np.hypot(*(b - a))
    across = np.array([-along[1], along[0]]) * (plan.river_m / 2 + BANK_M + 2)
    spot = (a + b) / 2
    layout.add("secondary", namer.street() + "桥", np.array([spot - across, spot + across]))


def _bypass(layout: Layout, plan: Plan, land: Terrain, rng: np.random.Generator) -> None:
    """Take the trunk road past the city."""
    sway = Waves(rng, max(1500.0, plan.radius_m * 0.8))
    x = np.arange(-1.4, 1.4, 0.02) * plan.radius_m
    bow = 1.17 * plan.core_m - 0.36 * plan.radius_m * (x / plan.radius_m) ** 2
    y = bow + sway(np.column_stack([x, x * 0])) * 0.05 * plan.radius_m
    way = LineString(np.column_stack([x, y]) @ rotation(rng.uniform(0.15, 0.6)))
    layout.add("trunk", "绕城公路", way.intersection(land.boundary))


def _railway(layout: Layout, plan: Plan, land: Terrain, rng: np.random.Generator) -> None:
    x = np.arange(-1.4, 1.4, 0.01) * plan.radius_m
    y = 0.77 * plan.core_m + 0.22 * plan.radius_m * np.sin(x / plan.radius_m * 1.3 + 0.4) ** 2
    way = LineString(np.column_stack([x, y]) @ rotation(rng.uniform(-0.42, -0.18)))
    layout.railway += lines_of(way.intersection(land.boundary))
