"""Buildings: rows along streets, slabs that face south, towers, halls, village houses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from grids.synth.blocks import Block
from grids.synth.shapes import Floats, Geometries, boxes, lines_of, polygons_of, rotation


@dataclass(frozen=True)
class Houses:
    """Buildings, arrays of n: footprint, block, kind, levels, whether it fronts a street."""

    shapes: Geometries
    block: NDArray[np.int64]
    kinds: NDArray[np.str_]
    levels: NDArray[np.int64]
    on_front: NDArray[np.bool_]
    angles: Floats


@dataclass(frozen=True)
class Lot:
    """Buildings of one sort in one block, before overlaps are removed."""

    centres: Floats
    sizes: Floats
    angles: Floats
    kind: str
    levels: NDArray[np.int64]
    on_front: bool = False


Builder = Callable[[Polygon, float, np.random.Generator], list[Lot]]


def build_houses(blocks: list[Block], rng: np.random.Generator) -> Houses:
    """Fill every block with buildings that lie inside it and do not overlap."""
    lots: list[Lot] = []
    owner: list[int] = []
    for k, block in enumerate(blocks):
        builder = BUILDERS.get(block.programme)
        made = builder(block.area, block.angle, rng) if builder else []
        lots += made
        owner += [k] * len(made)
    sizes = [len(lot.centres) for lot in lots]
    shapes = boxes(
        np.vstack([lot.centres for lot in lots]),
        np.vstack([lot.sizes for lot in lots]),
        np.concatenate([lot.angles for lot in lots]),
    )
    homes = np.repeat(owner, sizes)
    areas = np.asarray([block.area for block in blocks], dtype=object)
    shapely.prepare(areas)
    keep = shapely.covers(areas[homes], shapes)
    keep &= _apart(shapes, keep)
    return Houses(
        shapes=shapes[keep],
        block=homes[keep].astype(np.int64),
        kinds=np.repeat([lot.kind for lot in lots], sizes)[keep],
        levels=np.concatenate([lot.levels for lot in lots])[keep].astype(np.int64),
        on_front=np.repeat([lot.on_front for lot in lots], sizes)[keep],
        angles=np.concatenate([lot.angles for lot in lots])[keep],
    )


def _apart(shapes: Geometries, candidate: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep of overlapping buildings the one that was planned first."""
    which = np.flatnonzero(candidate)
    first, second = STRtree(shapes[which]).query(shapes[which], predicate="intersects")
    pairs = np.column_stack([which[first], which[second]])[first < second]
    keep = candidate.copy()
    for a, b in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
        if keep[a]:
            keep[b] = False
    return keep


def facing_south(angle: float) -> float:
    """Turn a block's direction by a right angle where its rows would not face south."""
    angle = (angle + np.pi / 2) % np.pi - np.pi / 2
    if angle > np.pi / 4:
        return angle - np.pi / 2
    return angle + np.pi / 2 if angle < -np.pi / 4 else angle


def rows(
    room: BaseGeometry, angle: float, rng: np.random.Generator, *, length: tuple[float, float],
    depth: tuple[float, float], gap: tuple[float, float], pitch: float,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Lay parallel rows of rectangles into a room, each row as far as the room reaches.

    Returns centres and sizes; rectangles at slanting sides may still stick out.
    """
    level = shapely.transform(room, lambda xy: xy @ rotation(-angle))
    west, south, east, north = level.bounds
    if north - south < depth[0]:
        return np.empty((0, 2)), np.empty((0, 2))
    count = max(1, int((north - south - depth[1]) // pitch) + 1)
    first = (south + north - (count - 1) * pitch) / 2
    middles = first + np.arange(count) * pitch
    offsets = np.array([-0.5, 0.0, 0.5]) * depth[1]
    ends = (middles[:, None] + offsets).ravel()
    lines = shapely.linestrings(
        np.stack([np.column_stack([np.full(len(ends), x), ends]) for x in (west - 1, east + 1)], 1)
    )
    shapely.prepare(level)
    inside = np.asarray(shapely.intersection(lines, level), dtype=object)
    centres: list[Floats] = []
    sizes: list[Floats] = []
    for k, y in enumerate(middles):
        for start, stop in _common(inside[3 * k : 3 * k + 3]):
            most = int((stop - start) / (length[0] + gap[0])) + 1
            long = rng.uniform(*length, most)
            stops = np.cumsum(long + rng.uniform(*gap, most))
            x = start + 0.2 + np.concatenate([[0.0], stops[:-1]]) + long / 2
            fits = x + long / 2 < stop - 0.1
            spare = stop - (x + long / 2)[fits].max() if fits.any() else 0.0
            deep = rng.uniform(*depth, most)
            centres.append(np.column_stack([x + spare / 2, np.full(most, y)])[fits])
            sizes.append(np.column_stack([long, deep])[fits])
    if not centres:
        return np.empty((0, 2)), np.empty((0, 2))
    return np.vstack(centres) @ rotation(angle), np.vstack(sizes)


def _common(lines: Geometries) -> list[tuple[float, float]]:
    """Intersect the stretches of parallel horizontal lines."""
    spans: list[tuple[float, float]] = [(-np.inf, np.inf)]
    for line in lines:
        here = [(part.bounds[0], part.bounds[2]) for part in lines_of(line)]
        spans = [(max(a, c), min(b, d)) for a, b in spans for c, d in here if min(b, d) > max(a, c)]
    return spans


def frontage(
    area: Polygon, rng: np.random.Generator, *, width: tuple[float, float],
    depth: tuple[float, float], gap: float, skip: float = 0.0,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Set rectangles along the sides of a block; return centres, sizes and angles."""
    ring = shapely.get_coordinates(shapely.orient_polygons(area).exterior.simplify(1.2))
    centres: list[Floats] = []
    sizes: list[Floats] = []
    angles: list[Floats] = []
    for a, b in pairwise(ring):
        side = float(np.hypot(*(b - a)))
        if side < width[0] * 1.3 or rng.random() < skip:
            continue
        most = int(side / (width[0] + gap)) + 1
        long = rng.uniform(*width, most)
        deep = rng.uniform(*depth, most)
        at = np.cumsum(long + gap) - gap - long / 2 + 0.8
        fits = at + long / 2 < side - 0.4
        along = (b - a) / side
        inward = np.array([-along[1], along[0]])
        spots = a + at[:, None] * along + (deep / 2 + 0.9)[:, None] * inward
        centres.append(spots[fits])
        sizes.append(np.column_stack([long, deep])[fits])
        angles.append(np.full(int(fits.sum()), np.arctan2(along[1], along[0])))
    if not centres:
        return np.empty((0, 2)), np.empty((0, 2)), np.empty(0)
    return np.vstack(centres), np.vstack(sizes), np.concatenate(angles)


def _front(
    area: Polygon, rng: np.random.Generator, kind: str, levels: tuple[int, int], *,
    width: tuple[float, float], depth: tuple[float, float], gap: float = 0.4, skip: float = 0.0,
) -> Lot:  # fmt: skip
    centres, sizes, angles = frontage(area, rng, width=width, depth=depth, gap=gap, skip=skip)
    return Lot(centres, sizes, angles, kind, rng.integers(*levels, len(centres)), on_front=True)


def _rows_in(
    area: Polygon, angle: float, rng: np.random.Generator, kind: str, levels: tuple[int, int], *,
    inset: float, length: tuple[float, float], depth: tuple[float, float],
    gap: tuple[float, float], pitch: float, same: bool = False,
) -> list[Lot]:  # fmt: skip
    """Fill what is left of a block behind its street front; rows wholly inside stay."""
    lots: list[Lot] = []
    for room in polygons_of(area.buffer(-inset, join_style="mitre")):
        centres, sizes = rows(room, angle, rng, length=length, depth=depth, gap=gap, pitch=pitch)
        angles = np.full(len(centres), angle)
        fits = shapely.covers(room, boxes(centres, sizes, angles))
        high = rng.integers(*levels, len(centres))
        if same:
            high[:] = rng.integers(*levels)
        lots.append(Lot(centres[fits], sizes[fits], angles[fits], kind, high[fits]))
    return lots


def _old(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    front = _front(area, rng, "house", (2, 4), width=(6, 13), depth=(8.5, 12.5), gap=0.3)
    inner = _rows_in(area, angle, rng, "house", (1, 4), inset=14.5, length=(7, 13),
                     depth=(8, 10.5), gap=(0.4, 3.5), pitch=13.0)  # fmt: skip
    return [front, *inner]


def _town(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    front = _front(area, rng, "house", (3, 6), width=(7, 12), depth=(11, 13), gap=0.3)
    inner = _rows_in(area, facing_south(angle), rng, "house", (2, 5), inset=17, length=(9, 13),
                     depth=(10, 12), gap=(0.5, 4), pitch=18.0)  # fmt: skip
    return [front, *inner]


def _shops(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    front = _front(area, rng, "retail", (3, 7), width=(14, 32), depth=(13, 18), gap=1.5)
    inner = _rows_in(area, angle, rng, "commercial", (4, 10), inset=27, length=(28, 46),
                     depth=(18, 26), gap=(12, 20), pitch=42)  # fmt: skip
    return [front, *inner]


def _estate(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    has_shops = rng.random() < 0.75 and area.area > 6_000
    lots = []
    if has_shops:
        lots.append(_front(area, rng, "retail", (2, 4), width=(16, 34), depth=(10, 12.5), gap=5,
                           skip=0.35))  # fmt: skip
    levels, pitch = ((5, 7), 27.0) if rng.random() < 0.62 else ((10, 13), 37.0)
    lots += _rows_in(area, facing_south(angle), rng, "apartments", levels,
                     inset=17 if has_shops else 4, length=(36, 56), depth=(11.5, 13.5),
                     gap=(9, 13), pitch=pitch, same=True)  # fmt: skip
    return lots


def _tower(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    shops = _front(area, rng, "retail", (2, 4), width=(22, 44), depth=(12, 15), gap=8, skip=0.45)
    towers = _rows_in(area, facing_south(angle), rng, "apartments", (17, 31), inset=21,
                      length=(27, 36), depth=(15, 18), gap=(18, 28), pitch=52)  # fmt: skip
    return [shops, *towers]


def _villas(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    return _rows_in(area, facing_south(angle), rng, "house", (2, 4), inset=6, length=(11, 15),
                    depth=(10, 13), gap=(7, 11), pitch=25)  # fmt: skip


def _urban_village(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    front = _front(area, rng, "house", (4, 6), width=(9, 12), depth=(11, 12.5), gap=0.3)
    inner = _rows_in(area, facing_south(angle), rng, "house", (4, 6), inset=18, length=(9, 12),
                     depth=(10.5, 12), gap=(0.3, 0.9), pitch=17.5)  # fmt: skip
    return [front, *inner]


def _village(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    return _rows_in(area, facing_south(angle + rng.normal(0, 0.03)), rng, "house", (2, 5), inset=1.5,
                    length=(8.5, 12.5), depth=(9.5, 12), gap=(0.4, 7.0), pitch=17.0)  # fmt: skip


def _factory(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    front = _front(area, rng, "office", (3, 6), width=(24, 42), depth=(12, 14), gap=60, skip=0.4)
    halls = _rows_in(area, angle, rng, "industrial", (1, 5), inset=20, length=(38, 78),
                     depth=(24, 34), gap=(9, 15), pitch=45)  # fmt: skip
    return [front, *halls]


def _warehouse(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    return _rows_in(area, angle, rng, "warehouse", (1, 3), inset=12, length=(60, 105),
                    depth=(34, 46), gap=(16, 24), pitch=62)  # fmt: skip


def _workshop(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    return _rows_in(area, angle, rng, "industrial", (1, 3), inset=4, length=(20, 34),
                    depth=(14, 20), gap=(5, 9), pitch=26)  # fmt: skip


def _dorm(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    return _rows_in(area, facing_south(angle), rng, "dormitory", (5, 8), inset=10, length=(46, 62),
                    depth=(13, 15), gap=(10, 14), pitch=30)  # fmt: skip


def _cbd(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    return _rows_in(area, angle, rng, "commercial", (8, 38), inset=9, length=(36, 58),
                    depth=(30, 44), gap=(16, 26), pitch=66)  # fmt: skip


def _office(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    return _rows_in(area, facing_south(angle), rng, "office", (5, 13), inset=14, length=(48, 74),
                    depth=(16, 20), gap=(14, 20), pitch=48)  # fmt: skip


def _school(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    south = facing_south(angle)
    ring = shapely.get_coordinates(area) @ rotation(-south)
    middle = float(np.median(ring[:, 0]))
    half = shapely.box(middle, ring[:, 1].min() - 5, ring[:, 0].max() + 5, ring[:, 1].max() + 5)
    turned = shapely.transform(half, lambda xy: xy @ rotation(south))
    lots: list[Lot] = []
    for part in polygons_of(area.intersection(turned)):
        lots += _rows_in(part, south, rng, "school", (3, 6), inset=5, length=(36, 54),
                         depth=(11, 13), gap=(8, 12), pitch=30)  # fmt: skip
    return lots


def _hospital(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    return _rows_in(area, facing_south(angle), rng, "hospital", (4, 16), inset=12, length=(54, 76),
                    depth=(20, 26), gap=(14, 18), pitch=48)  # fmt: skip


def _market(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    return _rows_in(area, angle, rng, "retail", (2, 5), inset=9, length=(52, 84), depth=(34, 46),
                    gap=(12, 16), pitch=58)  # fmt: skip


def _station(area: Polygon, angle: float, rng: np.random.Generator) -> list[Lot]:
    return _rows_in(area, angle, rng, "station", (2, 4), inset=8, length=(70, 110), depth=(26, 36),
                    gap=(30, 40), pitch=400)  # fmt: skip


BUILDERS: dict[str, Builder] = {
    "old": _old, "town": _town, "shops": _shops, "estate": _estate, "tower": _tower,
    "villas": _villas, "urban_village": _urban_village, "village": _village,
    "factory": _factory, "warehouse": _warehouse, "workshop": _workshop, "dorm": _dorm,
    "cbd": _cbd, "office": _office, "school": _school, "hospital": _hospital,
    "market": _market, "station": _station,
}  # fmt: skip
