"""Lengths, areas and directions on the ellipsoid of CGCS2000."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]

GEOD: Final = Geod(a=6_378_137.0, rf=298.257222101)
_MEAN_RADIUS_M: Final = 6_371_008.8
MPS_PER_KMH: Final = 1 / 3.6
M2_PER_MU: Final = 2000 / 3
"""One mu (亩) in square metres."""


def haversine_m(a: ArrayLike, b: ArrayLike) -> Floats:
    """Measure great-circle distances between points, pair by pair.

    Parameters
    ----------
    a, b : array_like, shape (n, 2) or (2,), float64
        Longitude and latitude in degrees, in that order, in the same datum; one point
        against many is allowed.

    Returns
    -------
    ndarray, shape (n,), float64
        Metres. NaN where a coordinate is NaN. Up to 0.6 % off the ellipsoid;
        use `geodesic_m` where a threshold is legally binding.

    References
    ----------
    Sinnott, R. W. (1984). "Virtues of the Haversine". Sky and Telescope 68(2), p. 159.

    Examples
    --------
    >>> haversine_m([120.0, 29.0], [[120.0, 30.0], [120.0, 29.0]]).round(1).tolist()
    [111195.1, 0.0]
    >>> haversine_m([], []).shape
    (0,)
    """
    one, other = (np.radians(np.asarray(p, dtype=np.float64).reshape(-1, 2)) for p in (a, b))
    half = np.sin((other - one) / 2) ** 2
    chord = half[:, 1] + np.cos(one[:, 1]) * np.cos(other[:, 1]) * half[:, 0]
    return np.asarray(2 * _MEAN_RADIUS_M * np.arcsin(np.sqrt(np.minimum(chord, 1.0))))


def geodesic_m(a: ArrayLike, b: ArrayLike) -> Floats:
    """Measure distances on the ellipsoid, pair by pair, shapes as in `haversine_m`.

    Metres, right to a nanometre (Karney 2013); about 1 million pairs a second.

    >>> geodesic_m([120.0, 29.0], [120.0, 30.0]).round(3).tolist()
    [110844.074]
    >>> geodesic_m([], []).shape
    (0,)
    """
    return _inverse(a, b)[2]


def bearing_deg(a: ArrayLike, b: ArrayLike) -> Floats:
    """Give the direction in which `b` lies from `a`, degrees clockwise from north, 0 to 360.

    >>> bearing_deg([120.0, 29.0], [[120.0, 30.0], [120.0, 28.0]]).tolist()
    [0.0, 180.0]
    """
    return np.asarray(_inverse(a, b)[0] % 360.0)


def destination(start: ArrayLike, bearing: ArrayLike, distance_m: ArrayLike) -> Floats:
    """Go from points in given directions for given distances; shape (n, 2) in degrees.

    >>> destination([120.0, 29.0], 0.0, 110844.074).round(6).tolist()
    [[120.0, 30.0]]
    """
    points = np.asarray(start, dtype=np.float64).reshape(-1, 2)
    lon, lat, to, far = np.broadcast_arrays(
        points[:, 0],
        points[:, 1],
        np.asarray(bearing, dtype=np.float64),
        np.asarray(distance_m, dtype=np.float64),
    )
    if not lon.size:
        return np.empty((0, 2))
    x, y, _ = GEOD.fwd(lon.copy(), lat.copy(), to.copy(), far.copy())
    return np.column_stack([x, y])


def length_m(geometry: BaseGeometry) -> float:
    """Measure lines, or the borders of polygons, in metres on the ellipsoid.

    Every side is taken as the shortest way between its ends. Empty geometries and points
    measure 0.

    >>> length_m(shapely.LineString([[120, 29], [120, 30]])) // 1
    110844.0
    >>> length_m(shapely.LineString())
    0.0
    """
    if geometry.is_empty:
        return 0.0
    return float(GEOD.geometry_length(geometry))


def area_m2(geometry: BaseGeometry) -> float:
    """Measure polygons in square metres on the ellipsoid; holes are taken off.

    Rings may run either way round. Empty geometries, points and lines measure 0.

    >>> round(area_m2(shapely.box(120.0, 29.0, 120.001, 29.001)))
    10800
    >>> area_m2(shapely.Point(120, 29)), area_m2(shapely.Polygon())
    (0.0, 0.0)
    """
    if geometry.is_empty:
        return 0.0
    return abs(float(GEOD.geometry_area_perimeter(shapely.orient_polygons(geometry))[0]))


def _inverse(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats, Floats]:
    one, other = (np.asarray(p, dtype=np.float64).reshape(-1, 2) for p in (a, b))
    one, other = np.broadcast_arrays(one, other)
    if not len(one):
        nothing = np.empty(0)
        return nothing, nothing, nothing
    forth, back, far = GEOD.inv(
        one[:, 0].copy(), one[:, 1].copy(), other[:, 0].copy(), other[:, 1].copy()
    )
    return np.asarray(forth), np.asarray(back), np.asarray(far)
