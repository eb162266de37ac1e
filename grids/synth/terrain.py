"""What was there before the city: its limits, hills with forest, a river, brooks and ponds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from grids.synth.plan import Plan
from grids.synth.shapes import Floats, Waves, blob, largest, lines_of, polygons_of, ring, rotation


@dataclass(frozen=True)
class Terrain:
    """The land in metres around the centre. `river` is an area, `river_axis` its middle line."""

    boundary: Polygon
    river: Polygon
    river_axis: LineString
    brooks: list[LineString]
    forest: list[Polygon]
    ponds: list[Polygon]
    reservoirs: list[Polygon]


def shape_terrain(plan: Plan) -> Terrain:
    """Draw the land of a city."""
    rng = plan.rng("terrain")
    boundary = _boundary(plan, rng)
    axis = _river_axis(plan, rng)
    river = largest(axis.buffer(plan.river_m / 2).intersection(boundary))
    forest = _forest(plan, rng, boundary, axis)
    brooks = _brooks(plan, rng, boundary, axis)
    wet = shapely.union_all([axis.buffer(plan.river_m + 60), *(b.buffer(40) for b in brooks)])
    return Terrain(
        boundary=boundary,
        river=river,
        river_axis=max(lines_of(axis.intersection(boundary)), key=lambda part: part.length),
        brooks=brooks,
        forest=forest,
        ponds=_ponds(plan, rng, boundary, wet, forest),
        reservoirs=_reservoirs(plan, rng, boundary, wet, forest),
    )


def _boundary(plan: Plan, rng: np.random.Generator) -> Polygon:
    outline = Polygon(ring(rng, 1.0e3, square=2.3, angle=rng.uniform(0, np.pi), wobble=0.10))
    factor = np.sqrt(plan.area_m2 / outline.area)
    outline = Polygon(shapely.get_coordinates(outline) * factor)
    fray = Waves(rng, max(500.0, plan.radius_m * 0.22), 9)
    edge = shapely.get_coordinates(outline.segmentize(60.0))
    away = edge / np.hypot(edge[:, 0], edge[:, 1])[:, None]
    frayed = Polygon(edge + away * (fray(edge) * plan.radius_m * 0.045)[:, None]).buffer(0)
    scaled = largest(frayed)
    factor = np.sqrt(plan.area_m2 / scaled.area)
    return Polygon(shapely.get_coordinates(scaled.exterior) * factor)


def _river_axis(plan: Plan, rng: np.random.Generator) -> LineString:
    x = np.linspace(-1.5, 1.5, 220) * plan.radius_m
    turn = rng.uniform(0, 2 * np.pi, 3)
    wave = 2 * np.pi / plan.core_m
    y = (
        -0.36 * plan.core_m
        + 0.17 * plan.core_m * np.sin(0.42 * wave * x + turn[0])
        + 0.06 * plan.core_m * np.sin(0.95 * wave * x + turn[1])
        - 0.10 * plan.core_m * np.sin(0.21 * wave * x + turn[2])
    )
    return LineString(np.column_stack([x, y]) @ rotation(rng.uniform(-0.25, 0.25)))


def _forest(
    plan: Plan, rng: np.random.Generator, boundary: Polygon, axis: LineString
) -> list[Polygon]:
    """Cover the hills: where a height field is high, away from core and river."""
    step = max(45.0, plan.radius_m / 70)
    height = Waves(rng, max(1400.0, plan.radius_m * 0.8))
    detail = Waves(rng, max(420.0, plan.radius_m * 0.2))
    span = np.arange(-1.25 * plan.radius_m, 1.25 * plan.radius_m, step)
    gx, gy = (axis_.ravel() for axis_ in np.meshgrid(span, span))
    xy = np.column_stack([gx, gy])
    out = np.hypot(gx, gy)
    rise = (out - plan.core_m) / (plan.radius_m - plan.core_m)
    wet = shapely.distance(axis, shapely.points(xy)) / (0.35 * plan.radius_m)
    tall = height(xy) + 0.35 * detail(xy) + 1.1 * np.clip(rise, -1, 1) + 0.3 * np.clip(wet, 0, 1)
    high = (tall > 1.05) & (out > 1.18 * plan.core_m)
    if not high.any():
        return []
    cells = shapely.box(gx[high] - step / 2, gy[high] - step / 2,
                        gx[high] + step / 2, gy[high] + step / 2)  # fmt: skip
    hills: BaseGeometry = shapely.union_all(cells).buffer(step * 1.6).buffer(-step * 3.4)
    hills = hills.buffer(step * 1.9).simplify(step * 0.06).intersection(boundary)
    return [part for part in polygons_of(hills) if part.area > 20_000]


def _brooks(
    plan: Plan, rng: np.random.Generator, boundary: Polygon, axis: LineString
) -> list[LineString]:
    """Let brooks run from the edge of the land down to the river."""
    count = max(2, round(1.6 * (plan.radius_m / 1000) ** 0.8))
    wobble = Waves(rng, 700.0)
    brooks: list[LineString] = []
    for at in rng.permutation(np.linspace(0.06, 0.94, count + 2))[:count]:
        mouth = shapely.get_coordinates(
            axis.intersection(boundary).interpolate(at, normalized=True)
        )[0]
        side = 1 if rng.random() < 0.62 else -1
        turn = side * (np.pi / 2 + rng.uniform(-0.5, 0.5))
        reach = np.arange(0, 2.2 * plan.radius_m, 30.0)
        way = mouth + reach[:, None] * np.array([np.cos(turn), np.sin(turn)])
        sway = wobble(way) * np.minimum(reach, 900.0) * 0.16
        way = way + sway[:, None] * np.array([-np.sin(turn), np.cos(turn)])
        inside = lines_of(LineString(way).intersection(boundary))
        if not inside:
            continue
        brook = min(inside, key=lambda part: part.distance(Point(mouth)))
        middle = Point(0, 0).buffer(plan.core_m * 1.02)
        if brook.length > 300 and brook.intersection(middle).length < 0.9 * plan.core_m:
            brooks.append(brook)
    return brooks


def _ponds(
    plan: Plan, rng: np.random.Generator, boundary: Polygon, wet: BaseGeometry,
    forest: list[Polygon],
) -> list[Polygon]:  # fmt: skip
    """Dig fish ponds into the farmland."""
    ponds: list[Polygon] = []
    taken = shapely.union_all([wet, *forest, Point(0, 0).buffer(plan.core_m * 1.12)])
    count = max(3, round(plan.area_m2 / 900_000))
    for _ in range(count * 3):
        x, y = _somewhere(plan, rng)
        pond = blob(rng, x, y, rng.uniform(22, 62), 0.14)
        if boundary.contains(pond) and not taken.intersects(pond):
            ponds.append(pond)
            taken = taken.union(pond.buffer(60))
        if len(ponds) == count:
            break
    return ponds


def _reservoirs(
    plan: Plan, rng: np.random.Generator, boundary: Polygon, wet: BaseGeometry,
    forest: list[Polygon],
) -> list[Polygon]:  # fmt: skip
    """Dam valleys in the larger forests."""
    lakes: list[Polygon] = []
    for hill in sorted(forest, key=lambda part: -part.area)[: max(1, round(plan.area_m2 / 40e6))]:
        room = hill.buffer(-0.16 * np.sqrt(hill.area))
        if room.is_empty or hill.area < 400_000:
            continue
        spot = shapely.get_coordinates(largest(room).representative_point())
        radius = float(np.clip(0.13 * np.sqrt(hill.area), 60, 420))
        lake = blob(rng, spot[0][0], spot[0][1], radius, 0.22)
        if boundary.contains(lake) and not wet.intersects(lake):
            lakes.append(lake)
    return lakes


def _somewhere(plan: Plan, rng: np.random.Generator) -> Floats:
    out = plan.radius_m * np.sqrt(rng.uniform(0.1, 1))
    turn = rng.uniform(0, 2 * np.pi)
    return np.array([out * np.cos(turn), out * np.sin(turn)])
