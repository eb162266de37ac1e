"""Find the ground of a city from where things stand, where no border tells."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]

#: Side of the squares that are filled where something stands.
SQUARE_M = 50.0
#: How far ground reaches around a thing, and gaps that are closed, in squares.
REACH, CLOSED = 1, 6
#: A raster larger than this is drawn with larger squares.
MOST_SQUARES = 4_000_000
SMOOTH_M = 20.0
#: Water off the coast that still belongs to the city: piers and moorings stand in it.
SHORE_M = 200.0
_SIDE_STEP_M = 1.0


def ground_of(xy: Floats) -> BaseGeometry:
    """Draw the ground around metric points, shape (n, 2): near gaps closed, no holes."""
    if not len(xy):
        return shapely.MultiPolygon()
    low, high = xy.min(axis=0), xy.max(axis=0)
    side = max(SQUARE_M, float(np.sqrt(np.prod(high - low + 1.0) / MOST_SQUARES)))
    margin = REACH + CLOSED + 1
    at = ((xy - low) // side).astype(np.int64) + margin
    filled = np.zeros(tuple(at.max(axis=0) + margin + 1), dtype=bool)
    filled[at[:, 0], at[:, 1]] = True
    filled = ndimage.binary_dilation(filled, iterations=REACH)
    filled = ndimage.binary_closing(filled, iterations=CLOSED)
    filled = ndimage.binary_fill_holes(filled)
    united = _boxes(filled, low - margin * side, side)
    rounded = united.buffer(side, quad_segs=4).buffer(-side, quad_segs=4)
    return rounded.simplify(min(SMOOTH_M, side / 2))


def _boxes(filled: NDArray[np.bool_], origin: Floats, side: float) -> BaseGeometry:
    padded = np.pad(filled, ((0, 0), (1, 1))).astype(np.int8)
    column, start = np.nonzero(np.diff(padded, axis=1) == 1)
    _, stop = np.nonzero(np.diff(padded, axis=1) == -1)
    west = origin[0] + column * side
    south, north = origin[1] + start * side, origin[1] + stop * side
    united: BaseGeometry = shapely.union_all(shapely.box(west, south, west + side, north))
    return united


def without_sea(outline: BaseGeometry, coast: NDArray[np.object_]) -> BaseGeometry:
    """Cut the open sea off an outline; coast lines have the land on their left.

    A strip of `SHORE_M` stays, so that what stands on piers lies in the city.
    """
    inside = [line for line in coast if line.intersects(outline)]
    if not inside:
        return outline
    edges = shapely.union_all([outline.boundary, *inside], grid_size=0.001)
    parts = shapely.get_parts(shapely.polygonize([edges]))
    parts = parts[shapely.contains(outline, shapely.point_on_surface(parts))]
    sea = parts[_votes(parts, np.array(inside, dtype=object)) > 0]
    if not len(sea):
        return outline
    land = shapely.union_all([part for part in parts if not any(part is s for s in sea)])
    off_shore = shapely.union_all(sea).difference(land.buffer(SHORE_M))
    kept: BaseGeometry = outline.difference(off_shore)
    return kept


def _votes(parts: NDArray[np.object_], coast: NDArray[np.object_]) -> NDArray[np.int64]:
    """Count for each part the coast segments that have it on the right, less those on the left."""
    xy, line = shapely.get_coordinates(coast, return_index=True)
    follows = line[1:] == line[:-1]
    start, end = xy[:-1][follows], xy[1:][follows]
    length = np.hypot(*(end - start).T)
    start, end, length = start[length > 0], end[length > 0], length[length > 0]
    left = np.column_stack([start[:, 1] - end[:, 1], end[:, 0] - start[:, 0]]) / length[:, None]
    votes = np.zeros(len(parts), dtype=np.int64)
    tree = shapely.STRtree(parts)
    for side, vote in ((-left, 1), (left, -1)):
        probe = shapely.points((start + end) / 2 + side * _SIDE_STEP_M)
        _, part = tree.query(probe, "intersects")
        np.add.at(votes, part, vote)
    return votes
