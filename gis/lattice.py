"""The lattice of unit cells (万米单元网格): 100 m squares in the city's metric system.

A cell's number packs its column and row: `(col + 2**20) << 21 | (row + 2**20)`, so that
numbers grow from west to east, then from south to north, and geometry is derived, never
stored. A cell owns its western and southern edge.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from gis.bbox import Bbox
from gis.crs import STORAGE_SRID, from_metric, to_metric, transformer
from gis.plane import Plane, plane_for

CELL_M: Final = 100.0
"""Side of a cell, metres."""

CELL_AREA_M2: Final = CELL_M * CELL_M

NOWHERE: Final = -1
"""The number of no cell: a coordinate is missing or cannot be projected."""

_BIAS: Final = 1 << 20
_ROW_BITS: Final = 21
_ROW_MASK: Final = (1 << _ROW_BITS) - 1

#: Below this a fit cannot pay for itself.
_FEW: Final = 512
#: Points this close to a cell's edge (5 mm, fifty times the proven error) are projected by PROJ.
_NEAR_EDGE: Final = 0.005 / CELL_M
#: Longest step along a straight line in degrees that stays straight in metres to 0.5 mm or so.
_STEP_DEG: Final = 0.001
_CHUNK: Final = 65_536


def cell_of_xy(x: ArrayLike, y: ArrayLike) -> NDArray[np.int64]:
    """Number the cells of metric places.

    Parameters
    ----------
    x, y : array_like, shape (n,), float64
        Easting and northing, metres.

    Returns
    -------
    ndarray, shape (n,), int64
        `NOWHERE` where a coordinate is not finite or beyond 104,857 km.

    Examples
    --------
    >>> col_row(cell_of_xy([500_000.0, 499_999.9], [3_242_400.0, 3_242_399.9])).tolist()
    [[5000, 32424], [4999, 32423]]
    >>> cell_of_xy([], []).shape
    (0,)
    """
    col = np.floor(np.atleast_1d(np.asarray(x, dtype=np.float64)) / CELL_M)
    row = np.floor(np.atleast_1d(np.asarray(y, dtype=np.float64)) / CELL_M)
    return _packed(col, row)


def cell_of_col_row(col: ArrayLike, row: ArrayLike) -> NDArray[np.int64]:
    """Pack columns and rows, integers of any shape, into cell numbers of the same shape.

    >>> col_row(cell_of_col_row([-3], [7])).tolist()
    [[-3, 7]]
    """
    cols = np.asarray(col, dtype=np.int64)
    return ((cols + _BIAS) << _ROW_BITS) | (np.asarray(row, dtype=np.int64) + _BIAS)


def col_row(cell_id: ArrayLike) -> NDArray[np.int64]:
    """Unpack cell numbers, shape (n,), into columns and rows, shape (n, 2).

    >>> col_row([]).shape
    (0, 2)
    """
    ids = np.atleast_1d(np.asarray(cell_id, dtype=np.int64))
    return np.column_stack([(ids >> _ROW_BITS) - _BIAS, (ids & _ROW_MASK) - _BIAS])


def cell_ids(lonlat: ArrayLike, metric_srid: int) -> NDArray[np.int64]:
    """Number the cells of many places, by arithmetic.

    Parameters
    ----------
    lonlat : array_like, shape (n, 2) or (2,), float64
        Longitude and latitude in the storage system.
    metric_srid : int
        The projected system that the lattice lies in.

    Returns
    -------
    ndarray, shape (n,), int64
        The same numbers as projecting each point with PROJ gives: a fitted polynomial
        answers where it cannot be wrong, PROJ within 5 mm of a cell's edge. `NOWHERE`
        where a coordinate is not finite or cannot be projected.

    Examples
    --------
    >>> cell_ids([[120.0751, 29.3068], [float("nan"), 29.0]], 4549).tolist()
    [2209661091504, -1]
    >>> cell_ids([], 4549).shape
    (0,)
    """
    points = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
    out = np.empty(len(points), dtype=np.int64)
    plane = _plane_over(points, metric_srid)
    for start in range(0, len(points), _CHUNK):
        chunk = points[start : start + _CHUNK]
        into = out[start : start + _CHUNK]
        if plane is None:
            into[:] = _exact(chunk, metric_srid)
        else:
            _fast(chunk, plane, metric_srid, into)
    return out


def _plane_over(points: NDArray[np.float64], metric_srid: int) -> Plane | None:
    if len(points) < _FEW:
        return None
    # A stray point must not cost the rest their speed: the fit covers the middle of the
    # sample, and what lies outside its box goes to PROJ.
    sample = points[:: max(1, len(points) // 4096)]
    sample = sample[np.isfinite(sample).all(axis=1)]
    if not len(sample):
        return None
    west, south = np.quantile(sample, 0.01, axis=0) - 0.05
    east, north = np.quantile(sample, 0.99, axis=0) + 0.05
    return plane_for(Bbox(float(west), float(south), float(east), float(north)), metric_srid)


def _fast(
    points: NDArray[np.float64], plane: Plane, metric_srid: int, into: NDArray[np.int64]
) -> None:
    lon = np.ascontiguousarray(points[:, 0])
    lat = np.ascontiguousarray(points[:, 1])
    cells = plane.project(lon, lat)
    cells *= 1 / CELL_M
    whole = np.floor(cells)
    with np.errstate(invalid="ignore"):
        cells -= whole
    box = plane.box
    # One comparison a side; whatever is not clearly right, NaN included, is asked of PROJ.
    sure = np.abs(cells - 0.5) < 0.5 - _NEAR_EDGE
    good = sure[0] & sure[1] & (lon >= box.west) & (lon <= box.east)
    good &= (lat >= box.south) & (lat <= box.north)
    ask = np.flatnonzero(~good)
    whole[:, ask] = 0.0
    indices = whole.astype(np.int64)
    into[:] = ((indices[0] + _BIAS) << _ROW_BITS) | (indices[1] + _BIAS)
    if len(ask):
        into[ask] = _exact(points[ask], metric_srid)


def _exact(points: NDArray[np.float64], metric_srid: int) -> NDArray[np.int64]:
    if not len(points):
        return np.empty(0, dtype=np.int64)
    x, y = transformer(STORAGE_SRID, metric_srid).transform(points[:, 0], points[:, 1])
    return cell_of_xy(x, y)


def _packed(col: NDArray[np.float64], row: NDArray[np.float64]) -> NDArray[np.int64]:
    good = (np.abs(col) < _BIAS) & (np.abs(row) < _BIAS)
    ids = cell_of_col_row(np.where(good, col, 0), np.where(good, row, 0))
    return np.where(good, ids, NOWHERE)


def cell_bounds(cell_id: ArrayLike) -> NDArray[np.float64]:
    """Give the metric boxes of cells.

    Returns
    -------
    ndarray, shape (n, 4), float64
        West, south, east, north in metres.

    Examples
    --------
    >>> cell_bounds(cell_of_col_row([5000], [32424])).tolist()
    [[500000.0, 3242400.0, 500100.0, 3242500.0]]
    """
    corner = col_row(cell_id) * CELL_M
    return np.column_stack([corner, corner + CELL_M])


def cell_centres(cell_id: ArrayLike, metric_srid: int) -> NDArray[np.float64]:
    """Give the middles of cells, shape (n,), as longitude and latitude, shape (n, 2)."""
    return from_metric(cell_bounds(cell_id)[:, :2] + CELL_M / 2, metric_srid)


def cell_polygons(cell_id: ArrayLike, metric_srid: int) -> NDArray[np.object_]:
    """Draw cells as polygons in the storage system.

    Returns
    -------
    ndarray, shape (n,), of shapely Polygon
        Four corners, counter-clockwise. A side is straight in degrees, 0.2 mm at most off
        the lattice's own straight line.

    Examples
    --------
    >>> cell_polygons([], 4549).shape
    (0,)
    """
    box = cell_bounds(cell_id)
    ring = box[:, [0, 1, 2, 1, 2, 3, 0, 3, 0, 1]].reshape(-1, 2)
    corners = from_metric(ring, metric_srid).reshape(-1, 5, 2)
    return np.asarray(shapely.polygons(corners), dtype=object).reshape(-1)


def neighbours(cell_id: int, reach: int = 1) -> NDArray[np.int64]:
    """List the cells around a cell, itself left out.

    Parameters
    ----------
    reach : int
        1 gives the eight cells that touch it, 2 the 24 within two steps.

    Examples
    --------
    >>> len(neighbours(int(cell_of_col_row(10, 10)))), len(neighbours(0, reach=0))
    (8, 0)
    """
    steps = np.arange(-reach, reach + 1)
    east, north = (axis.ravel() for axis in np.meshgrid(steps, steps))
    others = (east != 0) | (north != 0)
    middle = col_row(cell_id)[0]
    return cell_of_col_row(middle[0] + east[others], middle[1] + north[others])


def cells_covering(area: BaseGeometry, metric_srid: int) -> NDArray[np.int64]:
    """List the cells that share ground with an area in the storage system, sorted.

    An area that only touches a cell's edge does not take the cell; an empty area has none.
    Sides of the area are followed to 0.5 mm.
    """
    metric, ids, boxes = _candidates(area, metric_srid)
    if metric is None:
        return ids
    shared = shapely.intersects(metric, boxes) & ~shapely.touches(metric, boxes)
    return ids[shared]


def cells_inside(area: BaseGeometry, metric_srid: int) -> NDArray[np.int64]:
    """List the cells that lie wholly in an area in the storage system, sorted."""
    metric, ids, boxes = _candidates(area, metric_srid)
    return ids if metric is None else ids[shapely.covers(metric, boxes)]


def _candidates(
    area: BaseGeometry, metric_srid: int
) -> tuple[BaseGeometry | None, NDArray[np.int64], NDArray[np.object_]]:
    if area.is_empty:
        return None, np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
    metric = project_geometry(area, metric_srid)
    shapely.prepare(metric)
    west, south, east, north = np.floor(np.asarray(metric.bounds) / CELL_M).astype(np.int64)
    cols, rows = np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1), indexing="ij")
    ids = cell_of_col_row(cols.ravel(), rows.ravel())
    return metric, ids, np.asarray(shapely.box(*cell_bounds(ids).T), dtype=object)


def project_geometry(geometry: BaseGeometry, metric_srid: int) -> BaseGeometry:
    """Project a geometry of the storage system to metres, long sides bent as they must be."""
    finer = shapely.segmentize(geometry, _STEP_DEG)
    projected: BaseGeometry = shapely.transform(finer, lambda xy: to_metric(xy, metric_srid))
    return projected
