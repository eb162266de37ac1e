"""Cut a city into blocks: the smallest pieces that roads, water and borders leave.

All shapes here are metric. Blocks come from one set of lines that meet only at their ends,
so that whatever is put together from blocks shares its edges exactly, with neither gap nor
overlap, on every level up to the county.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from gis.patchwork import common_sides

Shapes = NDArray[np.object_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Corners lie on a lattice this fine: lines that meet within it meet exactly.
PRECISION_M: Final = 0.0001
#: A dividing line overshoots the edge of its block, and what overshoots falls away.
_OVERSHOOT_M: Final = 0.1
#: A border this close to a barrier runs along it: noding moved it by less.
_ON_LINE_M: Final = 0.005
_DEEPEST: Final = 12

#: How strongly a line divides; borders of grids prefer the strong ones.
WEAK, STREET, MAIN_STREET, GREAT = 0.5, 1.0, 2.0, 4.0


@dataclass(frozen=True)
class Barriers:
    """Lines that divide a city, metric, and how strongly: `STREET` to `GREAT`."""

    lines: Shapes
    strength: Floats


@dataclass(frozen=True)
class Homes:
    """Where people live: metric points, shape (n, 2), and dwellings at each."""

    xy: Floats
    dwellings: Floats


@dataclass(frozen=True)
class Blocks:
    """The blocks of a city and their neighbourhood.

    `owner` is the index of the given area a block lies in, -1 in none of them. `pairs` lists
    neighbours once, lower index first, with the length of their common edge in metres and the
    mean strength of what runs along it.
    """

    polygons: Shapes
    owner: Ints
    dwellings: Floats
    area_m2: Floats
    centre: Floats
    perimeter_m: Floats
    pairs: Ints
    shared_m: Floats
    strength: Floats

    def __len__(self) -> int:
        """Count the blocks."""
        return len(self.polygons)


def lay_blocks(
    outline: BaseGeometry,
    areas: Shapes,
    barriers: Barriers,
    homes: Homes,
    *,
    most_dwellings: float,
) -> Blocks:
    """Cut an outline into blocks along barriers and the borders of areas.

    A block with more than `most_dwellings` is divided between its houses. `areas` may leave
    parts of the outline free and may be empty.
    """
    edges = _noded(np.concatenate([shapely.boundary(areas), [outline.boundary], barriers.lines]))
    polygons = _faces(edges, outline)
    at = locate(polygons, homes.xy)
    cuts = _dividing_lines(polygons, at, homes, most_dwellings)
    if len(cuts):
        polygons = _faces(_noded(np.concatenate([[edges], cuts])), outline)
        at = locate(polygons, homes.xy)
    pairs, shared_m, strength = _neighbours(polygons, barriers)
    centre = shapely.centroid(polygons)
    return Blocks(
        polygons=polygons,
        owner=locate(areas, inner_points(polygons)),
        dwellings=sums(at, homes.dwellings, len(polygons)),
        area_m2=shapely.area(polygons),
        centre=np.column_stack([shapely.get_x(centre), shapely.get_y(centre)]),
        perimeter_m=shapely.length(polygons),
        pairs=pairs,
        shared_m=shared_m,
        strength=strength,
    )


def sums(labels: Ints, weights: Floats, n: int) -> Floats:
    """Add up weights by label, for labels 0 to n - 1; negative labels are left out."""
    inside = labels >= 0
    return np.bincount(labels[inside], weights[inside], minlength=n).astype(np.float64)


def locate(polygons: Shapes, xy: Floats) -> Ints:
    """Give the lowest index of a polygon that holds each point, -1 where none does."""
    found = np.full(len(xy), len(polygons), dtype=np.int64)
    if len(polygons) and len(xy):
        point, polygon = shapely.STRtree(polygons).query(shapely.points(xy), "intersects")
        np.minimum.at(found, point, polygon)
    return np.where(found < len(polygons), found, -1)


def inner_points(polygons: Shapes) -> Floats:
    """Give a point inside each polygon, shape (n, 2)."""
    return shapely.get_coordinates(shapely.point_on_surface(polygons))


def _noded(lines: Shapes) -> BaseGeometry:
    """Break lines wherever they meet."""
    solid = lines[~shapely.is_empty(lines)]
    merged: BaseGeometry = shapely.unary_union(solid, grid_size=PRECISION_M)
    return merged


def _faces(edges: BaseGeometry, outline: BaseGeometry) -> Shapes:
    """List what the edges enclose inside the outline, always in the same order."""
    faces = shapely.get_parts(shapely.polygonize([edges]))
    shapely.prepare(outline)
    faces = faces[shapely.contains_xy(outline, inner_points(faces))]
    box = shapely.bounds(faces)
    return np.asarray(faces[np.lexsort(box.T[::-1])], dtype=object)


def _dividing_lines(polygons: Shapes, at: Ints, homes: Homes, most: float) -> Shapes:
    """Draw lines across blocks with too many dwellings."""
    inside = np.flatnonzero(at >= 0)
    order = inside[np.argsort(at[inside], kind="stable")]
    held = sums(at, homes.dwellings, len(polygons))
    starts = np.searchsorted(at[order], np.arange(len(polygons) + 1))
    cuts: list[BaseGeometry] = []
    for block in np.flatnonzero(held > most):
        mine = order[starts[block] : starts[block + 1]]
        _divide(polygons[block], homes.xy[mine], homes.dwellings[mine], most, cuts)
    made = np.empty(len(cuts), dtype=object)
    made[:] = cuts
    return made


def _divide(
    shape: BaseGeometry, xy: Floats, dwellings: Floats, most: float, cuts: list[BaseGeometry]
) -> None:
    """Halve a shape across its longer side, between houses, until each part is small enough."""
    if dwellings.sum() <= most or len(xy) < 2 or len(cuts) > 2**_DEEPEST:
        return
    middle = np.average(xy, axis=0, weights=dwellings)
    axis = _long_axis(xy - middle, dwellings)
    along = (xy - middle) @ axis
    cut = _gap(along, dwellings)
    if cut is None:
        return
    across = np.array([-axis[1], axis[0]])
    reach = 2 * np.hypot(*np.subtract(shape.bounds[2:], shape.bounds[:2]))
    through = middle + cut * axis
    line = shapely.LineString([through - reach * across, through + reach * across])
    pieces = shapely.get_parts(shapely.intersection(shape, line))
    cuts.extend(_longer(piece) for piece in pieces if piece.length > PRECISION_M)
    for side in (along < cut, along >= cut):
        half = _half(shape, through, axis if side[np.argmax(along)] else -axis, reach)
        _divide(half, xy[side], dwellings[side], most, cuts)


def _half(shape: BaseGeometry, through: Floats, axis: Floats, reach: float) -> BaseGeometry:
    across = np.array([-axis[1], axis[0]])
    corners = [
        through - reach * across,
        through + reach * across,
        through + reach * across + reach * axis,
        through - reach * across + reach * axis,
    ]
    part: BaseGeometry = shapely.intersection(shape, shapely.Polygon(corners))
    return part


def _long_axis(offsets: Floats, weights: Floats) -> Floats:
    spread = (offsets * weights[:, None]).T @ offsets
    axis: Floats = np.linalg.eigh(spread)[1][:, -1]
    # The sign of an eigenvector is free; fix it, so that the same city comes out each time.
    return axis if (axis[0], axis[1]) > (-axis[0], -axis[1]) else -axis


def _gap(along: Floats, weights: Floats) -> float | None:
    """Find the widest gap between houses in the middle fifth of the dwellings."""
    order = np.argsort(along, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    place = along[order]
    gaps = np.diff(place)
    middle = (share[:-1] >= 0.4) & (share[:-1] <= 0.6)
    if not middle.any():
        middle[np.argmin(np.abs(share[:-1] - 0.5))] = True
    best = int(np.argmax(np.where(middle, gaps, -1.0)))
    return None if gaps[best] <= 0 else float((place[best] + place[best + 1]) / 2)


def _longer(line: BaseGeometry) -> BaseGeometry:
    ends = shapely.get_coordinates(line)[[0, -1]]
    step = (ends[1] - ends[0]) / max(line.length, PRECISION_M) * _OVERSHOOT_M
    return shapely.LineString([ends[0] - step, ends[1] + step])


def _neighbours(polygons: Shapes, barriers: Barriers) -> tuple[Ints, Floats, Floats]:
    """List pairs of blocks with a common edge, its length and its mean strength."""
    first, second, ends = common_sides(polygons)
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    strength = _strengths(ends.mean(axis=1), barriers)
    key = first * len(polygons) + second
    unique, inverse = np.unique(key, return_inverse=True)
    shared = sums(inverse, length, len(unique))
    weighted = sums(inverse, length * strength, len(unique))
    pairs = np.column_stack(np.divmod(unique, max(len(polygons), 1))).astype(np.int64)
    return pairs, shared, weighted / np.maximum(shared, 1e-9)


def _strengths(middles: Floats, barriers: Barriers) -> Floats:
    """Give the strength of the strongest barrier along each place, `WEAK` where none runs."""
    strength = np.full(len(middles), WEAK)
    if len(barriers.lines) and len(middles):
        place, line = shapely.STRtree(barriers.lines).query(
            shapely.points(middles), "dwithin", distance=_ON_LINE_M
        )
        np.maximum.at(strength, place, barriers.strength[line])
    return strength
