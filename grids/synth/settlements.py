"""Towns and villages in the countryside, and the roads that tie them to the city."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from grids.synth.layout import Layout
from grids.synth.names import Namer
from grids.synth.plan import Plan
from grids.synth.shapes import Floats, blob, polygons_of
from grids.synth.terrain import Terrain


@dataclass(frozen=True)
class Settlement:
    """A town (镇) or a natural village outside the core."""

    kind: str  #: town, village
    name: str
    centre: Point
    area: Polygon
    angle: float  #: direction of its main street


def settle(plan: Plan, land: Terrain, layout: Layout, namer: Namer) -> list[Settlement]:
    """Found towns on the radial roads and villages between them, and connect the villages."""
    rng = plan.rng("settlements")
    wild = shapely.union_all([*land.forest, *land.reservoirs, land.river.buffer(45)])
    towns = _towns(plan, land, layout, wild, rng, namer)
    dry = shapely.union_all([wild, *(p.buffer(15) for p in land.ponds)])
    villages = _villages(plan, land, layout, dry, towns, rng, namer)
    _connect(layout, land, villages, rng)
    return towns + villages


def _towns(
    plan: Plan, land: Terrain, layout: Layout, wild: BaseGeometry, rng: np.random.Generator,
    namer: Namer,
) -> list[Settlement]:  # fmt: skip
    wanted = plan.towns - max(1, round(0.4 * plan.towns))
    radius = float(np.clip(0.21 * plan.core_m, 120, 620))
    outer = [
        street.line for street in layout.streets
        if street.kind in ("secondary", "tertiary") and not layout.core.intersects(street.line.interpolate(0.5, normalized=True))
    ]  # fmt: skip
    spots = [
        (line, at)
        for line in outer
        for at in np.arange(0, line.length, 120.0)
    ]  # fmt: skip
    towns: list[Settlement] = []
    near_edge = land.boundary.buffer(-radius * 1.15)
    passing = shapely.union_all(
        [s.line for s in layout.streets if s.kind == "trunk"] + layout.railway
    )
    for k in rng.permutation(len(spots)):
        line, at = spots[k]
        spot = line.interpolate(at)
        room = 2.6 * radius if plan.scale < 0.05 else 4.2 * radius
        clear = all(town.centre.distance(spot) > room for town in towns)
        if len(towns) == wanted or not clear:
            continue
        if not near_edge.contains(spot) or spot.distance(layout.core) < 1.5 * radius:
            continue
        if spot.distance(wild) > 0.6 * radius and spot.distance(passing) > 1.1 * radius:
            angle = _direction(line, at)
            area = blob(rng, spot.x, spot.y, radius * rng.uniform(0.85, 1.15), 0.08)
            towns.append(Settlement("town", namer.town() + "镇", spot, area, angle))
    return towns


def _direction(line: LineString, at: float) -> float:
    a, b = (shapely.get_coordinates(line.interpolate(max(0.0, at + d)))[0] for d in (-15, 15))
    return float(np.arctan2(b[1] - a[1], b[0] - a[0]))


def _villages(
    plan: Plan, land: Terrain, layout: Layout, wild: BaseGeometry, towns: list[Settlement],
    rng: np.random.Generator, namer: Namer,
) -> list[Settlement]:  # fmt: skip
    """Scatter villages over the open land, no two of them close together."""
    wanted = max(4, round(plan.communities * 1.15))
    taken = shapely.union_all([wild, layout.core.buffer(0.07 * plan.core_m + 60),
                               *(town.area.buffer(140) for town in towns)])  # fmt: skip
    open_land = land.boundary.buffer(-110).difference(taken.buffer(40))
    shapely.prepare(open_land)
    apart = 0.74 * np.sqrt(max(open_land.area, 1.0) / wanted)
    trunk = shapely.union_all(
        [s.line for s in layout.streets if s.kind == "trunk"] + layout.railway
    )
    west, south, east, north = land.boundary.bounds
    found: list[Settlement] = []
    places: list[Floats] = []
    for _ in range(wanted * 60):
        xy = np.array([rng.uniform(west, east), rng.uniform(south, north)])
        spot = Point(xy)
        if len(found) == wanted:
            break
        if not shapely.contains_xy(open_land, *xy) or spot.distance(trunk) < 130:
            continue
        if places and np.hypot(*(np.array(places) - xy).T).min() < apart:
            continue
        radius = float(np.clip(rng.lognormal(np.log(98), 0.28), 62, 185))
        area = blob(rng, float(xy[0]), float(xy[1]), radius, 0.16).difference(wild)
        parts = polygons_of(area)
        if parts:
            body = max(parts, key=lambda part: part.area)
            found.append(Settlement("village", namer.village(), spot, body, rng.uniform(-0.5, 0.5)))
            places.append(xy)
    return found


def _connect(
    layout: Layout, land: Terrain, villages: list[Settlement], rng: np.random.Generator
) -> None:
    """Lead a road from each village to the nearest road on its side of the river, then loops."""
    banks = polygons_of(land.boundary.difference(land.river.buffer(8)))
    roads = layout.roads()
    network = [roads.intersection(bank) for bank in banks]
    for village in sorted(villages, key=lambda v: v.centre.distance(roads)):
        home = next((k for k, bank in enumerate(banks) if bank.contains(village.centre)), None)
        if home is None or network[home].is_empty:
            continue
        way = _lane(village.centre, nearest_points(network[home], village.centre)[0], rng)
        layout.add("unclassified", village.name[:-1] + "线", way)
        network[home] = network[home].union(way)
    for k, village in enumerate(villages):
        others = [v for v in villages[k + 1 :] if v.centre.distance(village.centre) < 1100]
        for other in others[:2]:
            direct = LineString([village.centre, other.centre])
            blocked = direct.intersects(land.river) or _shadows(direct, layout)
            if not blocked and rng.random() < 0.5:
                layout.add("unclassified", None, _lane(village.centre, other.centre, rng))


def _shadows(way: LineString, layout: Layout) -> bool:
    """Say whether a road would run along one that is there already."""
    tube = way.buffer(45)
    return any(
        street.kind != "edge" and street.line.intersection(tube).length > 0.45 * way.length
        for street in layout.streets
        if street.line.distance(way) < 45
    )


def _lane(a: Point, b: Point, rng: np.random.Generator) -> LineString:
    """Draw a gently bent road between two points."""
    start, end = np.array([a.x, a.y]), np.array([b.x, b.y])
    length = float(np.hypot(*(end - start)))
    t = np.linspace(0, 1, max(2, int(length / 40)))[:, None]
    along = (end - start) / max(length, 1.0)
    bend = np.sin(np.pi * t) * rng.normal(0, 0.07) + np.sin(2 * np.pi * t) * rng.normal(0, 0.05)
    points = start + (end - start) * t + bend * length * np.array([-along[1], along[0]])
    points[0], points[-1] = start, end
    return LineString(points)
