"""Quarters of the city and the local streets that cut them into blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon

from grids.synth.layout import BANK_M, Layout
from grids.synth.names import Namer
from grids.synth.plan import Plan
from grids.synth.settlements import Settlement
from grids.synth.shapes import (
    Floats,
    cut_up,
    enclosed,
    lines_of,
    main_direction,
    rotation,
)
from grids.synth.terrain import Terrain

#: use -> spacing of local streets along and across the main direction, metres
SPACING = {
    "residential": (205.0, 165.0), "newtown": (245.0, 195.0), "industrial": (330.0, 240.0),
    "town": (135.0, 105.0),
}  # fmt: skip


@dataclass(frozen=True)
class Quarter:
    """A part of the built-up area with one character."""

    use: str  #: oldtown, residential, newtown, industrial, town, village
    name: str
    area: Polygon
    angle: float


def quarters_of(
    plan: Plan, land: Terrain, layout: Layout, settlements: list[Settlement]
) -> list[Quarter]:
    """Tell the quarters apart: what main roads and river enclose, and the settlements."""
    rng = plan.rng("quarters")
    lines = [street.line for street in layout.streets]
    noded = shapely.union_all(lines, grid_size=0.05)
    faces = enclosed(noded)
    water = land.river_axis.buffer(plan.river_m / 2 + BANK_M * 0.9)
    smoke = rng.uniform(-0.25, 0.5)  # industry lies to the east, down the wind
    found: list[Quarter] = []
    for face in faces:
        inside = face.representative_point()
        if not layout.core.contains(inside) or water.contains(inside) or face.area < 2500:
            continue
        use = _use(plan, layout, land, face, smoke)
        found.append(Quarter(use, "", face, _street_angle(face)))
    found += [Quarter(place.kind, place.name, place.area, place.angle) for place in settlements]
    return found


def _use(plan: Plan, layout: Layout, land: Terrain, face: Polygon, smoke: float) -> str:
    middle = face.centroid
    if layout.old_town.contains(face.representative_point()):
        return "oldtown"
    turn = float(np.arctan2(middle.y, middle.x)) - smoke
    away = float(np.hypot(middle.x, middle.y)) / plan.core_m
    if abs((turn + np.pi) % (2 * np.pi) - np.pi) < 0.62 and away > 0.45:
        return "industrial"
    axis = land.river_axis
    below = axis.interpolate(axis.project(middle))
    return "newtown" if middle.y < below.y and away < 0.95 else "residential"


def _street_angle(face: Polygon) -> float:
    """Take the direction of the longest side; where it is long and straight, streets follow."""
    xy = shapely.get_coordinates(face.exterior.simplify(25))
    sides = np.diff(xy, axis=0)
    length = np.hypot(sides[:, 0], sides[:, 1])
    if length.max() > 0.3 * np.sqrt(face.area):
        side = sides[int(np.argmax(length))]
        return float(np.arctan2(side[1], side[0]))
    return main_direction(face)[0]


def pave(plan: Plan, layout: Layout, quarters: list[Quarter], namer: Namer) -> None:
    """Plan the local streets of every quarter."""
    rng = plan.rng("fabric")
    for quarter in quarters:
        if quarter.use == "oldtown":
            _old_lanes(layout, quarter, rng, namer)
        elif quarter.use == "village":
            _village_lanes(layout, quarter, rng)
        else:
            _grid(layout, quarter, rng, namer)


def _old_lanes(layout: Layout, quarter: Quarter, rng: np.random.Generator, namer: Namer) -> None:
    chords = cut_up(quarter.area, rng, target_m2=7_500, jitter=0.15)
    for k, chord in enumerate(chords):
        if k < 3:
            layout.add("tertiary", namer.street() + "街", chord)
        elif chord.length > 120:
            layout.add("residential", namer.street() + "街", chord)
        else:
            layout.add("living_street", namer.lane(), chord)


def _village_lanes(layout: Layout, quarter: Quarter, rng: np.random.Generator) -> None:
    layout.add("edge", None, quarter.area.exterior)
    for k, chord in enumerate(cut_up(quarter.area, rng, target_m2=4_200, jitter=0.12)):
        layout.add("residential" if k == 0 else "living_street", None, chord)


def _grid(layout: Layout, quarter: Quarter, rng: np.random.Generator, namer: Namer) -> None:
    if quarter.use == "town":
        layout.add("edge", None, quarter.area.exterior)
    along, across = SPACING[quarter.use]
    for turn, gap in ((0.0, across), (np.pi / 2, along)):
        for k, line in enumerate(_family(quarter, quarter.angle + turn, gap, rng)):
            is_main = k % 3 == 1 and line.length > 350
            kind = "tertiary" if is_main else "residential"
            layout.add(kind, namer.street() + ("路" if is_main or k % 2 else "街"), line)


def _family(
    quarter: Quarter, angle: float, gap: float, rng: np.random.Generator
) -> list[LineString]:
    """Draw parallel streets across a quarter, none of them close along its border."""
    turned = shapely.get_coordinates(quarter.area) @ rotation(-angle)
    (west, south), (east, north) = turned.min(axis=0), turned.max(axis=0)
    count = max(1, round((north - south) / gap))
    step = (north - south) / count
    lines: list[LineString] = []
    for k in range(1, count):
        y = south + k * step + rng.normal(0, 0.045 * gap)
        row: Floats = np.array([[west - 10, y], [east + 10, y]]) @ rotation(angle)
        lines += [
            part
            for part in lines_of(LineString(row).intersection(quarter.area))
            if part.length > 90 and _clearance(part, quarter.area) > 0.34 * gap
        ]
    return lines


def _clearance(line: LineString, area: Polygon) -> float:
    """Median distance of a street from the border of its quarter."""
    points = shapely.line_interpolate_point(line, np.linspace(0.15, 0.85, 9), normalized=True)
    return float(np.median(shapely.distance(points, area.exterior)))


def field_tracks(plan: Plan, land: Terrain, layout: Layout, quarters: list[Quarter]) -> None:
    """Cut the open land by farm tracks, the forest by borders that are no road."""
    rng = plan.rng("tracks")
    noded = shapely.union_all([s.line for s in layout.streets], grid_size=0.05)
    built = shapely.union_all([layout.core, land.river, *(q.area for q in quarters)])
    woods = shapely.union_all([*land.forest, *land.reservoirs])
    shapely.prepare(built)
    shapely.prepare(woods)
    for face in enclosed(noded):
        inside: Point = face.representative_point()
        if face.area < 160_000 or built.contains(inside):
            continue
        open_face = face.difference(woods.buffer(10))
        is_wooded = open_face.area < 0.35 * face.area
        target = 330_000.0 if is_wooded else 130_000.0
        for chord in cut_up(face, rng, target_m2=target, jitter=0.16):
            is_track = not is_wooded and not woods.intersects(chord)
            layout.add("track" if is_track else "edge", None, chord)
