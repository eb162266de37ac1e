"""Blocks between the streets, what each is used for, and the land use of the whole map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from grids.synth.fabric import Quarter
from grids.synth.layout import BANK_M, WIDTH_M
from grids.synth.network import Network
from grids.synth.shapes import Floats, Geometries, largest, main_direction, polygons_of

#: use of a quarter -> programme of a block -> share
PROGRAMMES: dict[str, dict[str, float]] = {
    "oldtown": {"old": 74, "shops": 12, "park": 3, "school": 3, "office": 3, "market": 2, "estate": 3},
    "residential": {"estate": 52, "tower": 12, "urban_village": 14, "shops": 6, "park": 6,
                    "school": 4, "market": 2, "office": 2, "vacant": 2},
    "newtown": {"tower": 40, "estate": 24, "cbd": 9, "shops": 5, "park": 8, "school": 5,
                "office": 3, "villas": 4, "vacant": 2},
    "industrial": {"factory": 74, "warehouse": 8, "dorm": 6, "vacant": 5, "park": 3, "shops": 4},
    "town": {"town": 60, "estate": 12, "shops": 10, "school": 5, "market": 4, "factory": 6, "park": 3},
    "village": {"village": 94, "vacant": 3, "workshop": 3},
}  # fmt: skip
#: programme -> kind of land use, in the words of OpenStreetMap
LANDUSE = {
    "old": "residential", "estate": "residential", "tower": "residential", "town": "residential",
    "villas": "residential", "urban_village": "residential", "village": "residential",
    "dorm": "residential", "shops": "retail", "market": "retail", "cbd": "commercial",
    "office": "commercial", "park": "park", "square": "park", "vacant": "grass",
    "factory": "industrial", "warehouse": "industrial", "workshop": "industrial",
    "school": "school", "hospital": "hospital", "station": "railway",
}  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A block without its streets. `on_edge` tells how far the next larger road may be."""

    programme: str
    quarter: int  #: index of the quarter it lies in
    area: Polygon
    angle: float  #: direction of its long side


@dataclass(frozen=True)
class Ground:
    """What lies between the streets."""

    blocks: list[Block]
    green: list[Polygon]  #: along the river banks
    rural: list[Polygon]  #: open land, cut by roads and tracks


def find_blocks(
    net: Network, quarters: list[Quarter], areas: Geometries, cuts: BaseGeometry,
    rng: np.random.Generator, river: BaseGeometry,
) -> Ground:  # fmt: skip
    """Sort the faces of the street network and take the streets out of the built ones.

    `areas` are the quarters' areas on the bent map, `cuts` what no building may touch:
    water and the railway.
    """
    inside = np.asarray(shapely.point_on_surface(net.faces), dtype=object)
    home = _home(inside, areas)
    wet = shapely.contains(river, inside)
    banks = river.buffer(BANK_M + 3)
    shapely.prepare(banks)
    roads = _Roads(net)
    ground = Ground([], [], [])
    for k, face in enumerate(net.faces):
        if wet[k]:
            continue
        if home[k] < 0:
            is_bank = face.length > 4.6 * np.sqrt(face.area) and shapely.contains(banks, inside[k])
            (ground.green if is_bank else ground.rural).append(face)
            continue
        room = roads.taken_out_of(face)
        if room.intersects(cuts):
            room = room.difference(cuts)
        for part in polygons_of(room):
            if part.area > 260:
                ground.blocks.append(_block(part, int(home[k]), quarters, rng))
    return ground


def _home(points: Geometries, areas: Geometries) -> NDArray[np.int64]:
    """Find the quarter of each face; settlements lie inside nothing else."""
    point, area = STRtree(areas).query(points, predicate="within")
    out = np.full(len(points), -1, dtype=np.int64)
    out[point] = area
    return out


class _Roads:
    """The ground that roads take, found quickly."""

    def __init__(self, net: Network) -> None:
        which = net.roads()
        widths = np.array([WIDTH_M[net.kinds[k]] / 2 + 1.2 for k in which])
        self._shapes = np.asarray(
            shapely.buffer(net.lines[which], widths, quad_segs=2, cap_style="flat"), dtype=object
        )
        self._tree = STRtree(self._shapes)

    def taken_out_of(self, face: BaseGeometry) -> BaseGeometry:
        near = self._tree.query(face, predicate="intersects")
        out: BaseGeometry = face.difference(shapely.union_all(self._shapes[near]))
        return out


def _block(area: Polygon, home: int, quarters: list[Quarter], rng: np.random.Generator) -> Block:
    use = quarters[home].use
    angle, length, width = main_direction(area)
    if area.area < 900 or width < 16 or area.area < 0.42 * length * width:
        small = "park" if area.area < 650 or use == "industrial" else "old"
        programme = "village" if use == "village" else small
    else:
        options = PROGRAMMES[use]
        share = np.array(list(options.values()), dtype=float)
        programme = list(options)[rng.choice(len(share), p=share / share.sum())]
    if programme in ("school", "market", "office", "cbd") and area.area < 4_000:
        programme = "shops" if use != "oldtown" else "old"
    if programme in ("tower", "villas") and area.area < 6_000:
        programme = "estate"
    return Block(programme, home, area, angle)


def place_landmarks(
    blocks: list[Block], quarters: list[Quarter], persons: int, station: Floats | None
) -> list[Block]:
    """Make sure that the city has what every city has: hospital, parks, square, seat, station."""
    wanted: list[tuple[str, tuple[str, ...], float, float]] = [
        ("office", ("newtown", "residential"), 18_000, 1),
        ("square", ("oldtown",), 6_000, 1),
        ("hospital", ("residential", "newtown"), 26_000, max(1, round(persons / 60_000))),
        ("park", ("newtown", "residential"), 70_000, max(1, round(persons / 45_000))),
        ("cbd", ("newtown",), 24_000, max(2, round(persons / 25_000))),
        ("market", ("residential", "oldtown", "newtown"), 15_000, max(1, round(persons / 30_000))),
        ("school", ("residential", "newtown", "oldtown", "town"), 20_000, max(2, round(persons / 9_000))),
    ]  # fmt: skip
    out = list(blocks)
    used: set[int] = set()
    if station is not None:
        spot = shapely.Point(station)
        near = min(
            range(len(out)),
            key=lambda k: out[k].area.distance(spot) - (out[k].area.area > 5000) * 80,
        )
        out[near] = Block("station", out[near].quarter, out[near].area, out[near].angle)
        used.add(near)
    for programme, uses, ideal, count in wanted:
        fit = [k for k, b in enumerate(out) if quarters[b.quarter].use in uses and k not in used]
        fit.sort(key=lambda k: (abs(np.log(out[k].area.area / ideal)), k))
        chosen: list[int] = []
        for k in fit:
            apart = all(out[k].area.distance(out[j].area) > 420 for j in chosen)
            if apart and len(chosen) < count:
                chosen.append(k)
        for k in chosen:
            out[k] = Block(programme, out[k].quarter, out[k].area, out[k].angle)
        used.update(chosen)
    return out


def park_lakes(blocks: list[Block], rng: np.random.Generator) -> list[Polygon]:
    """Dig a lake into every large park."""
    lakes = []
    for block in blocks:
        if block.programme != "park" or block.area.area < 22_000:
            continue
        room = largest(block.area.buffer(-0.14 * np.sqrt(block.area.area)))
        if room.is_empty:
            continue
        shore = room.buffer(-rng.uniform(4, 10)).buffer(14).simplify(1.0)
        if shore.is_empty:  # a long and narrow park
            continue
        keep = blob_inside(shore, rng)
        if not keep.is_empty:
            lakes.append(keep)
    return lakes


def blob_inside(room: BaseGeometry, rng: np.random.Generator) -> Polygon:
    """Draw a bay-rich shape inside a room."""
    x, y = shapely.get_coordinates(room.centroid)[0]
    r = 0.42 * np.sqrt(room.area)
    discs = [
        shapely.Point(x + rng.normal(0, r * 0.55), y + rng.normal(0, r * 0.4)).buffer(
            r * rng.uniform(0.35, 0.62)
        )
        for _ in range(5)
    ]
    shape = shapely.union_all(discs).buffer(r * 0.12).buffer(-r * 0.12)
    return largest(shape.intersection(room).simplify(0.8))
