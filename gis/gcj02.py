"""The shifts of commercial Chinese maps: WGS 84 to GCJ-02 to BD-09 and back.

Only for the edges, where a phone or a foreign map speaks them; nothing shifted is stored.
CGCS2000 counts as WGS 84 here: they differ by less than the shifts' own noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: Krassowsky 1940, whatever the map is in: the published shift is defined with it.
_AXIS_M: Final = 6_378_245.0
_ECCENTRICITY2: Final = 0.00669342162296594323
_BD_TURN: Final = np.pi * 3000.0 / 180.0
_BD_EAST, _BD_NORTH = 0.0065, 0.006
#: The rectangle outside which the published shift is zero: west, south, east, north.
CHINA_RECTANGLE: Final = (72.004, 0.8293, 137.8347, 55.8271)
_TOLERANCE_DEG: Final = 1e-9
_ROUNDS: Final = 30


def wgs84_to_gcj02(lonlat: ArrayLike) -> Floats:
    """Shift true places as GCJ-02 shows them.

    Parameters
    ----------
    lonlat : array_like, shape (n, 2) or (2,), float64
        Longitude, latitude in degrees.

    Returns
    -------
    ndarray, shape (n, 2), float64
        Unchanged outside `CHINA_RECTANGLE`; NaN stays NaN.

    Examples
    --------
    >>> wgs84_to_gcj02([120.0751, 29.3068]).round(5).tolist()
    [[120.07984, 29.30431]]
    >>> wgs84_to_gcj02([9.52, 47.14]).tolist(), wgs84_to_gcj02([]).shape
    ([[9.52, 47.14]], (0, 2))

    References
    ----------
    The closed form published as "eviltransform" (2010); no standard document gives it.
    """
    points = _points(lonlat)
    lon, lat = points[:, 0], points[:, 1]
    x, y = lon - 105.0, lat - 35.0
    phi = np.radians(lat)
    magic = 1 - _ECCENTRICITY2 * np.sin(phi) ** 2
    root = np.sqrt(magic)
    north = _north(x, y) * 180.0 / (_AXIS_M * (1 - _ECCENTRICITY2) / (magic * root) * np.pi)
    east = _east(x, y) * 180.0 / (_AXIS_M / root * np.cos(phi) * np.pi)
    shift = np.column_stack([east, north])
    shift[_is_outside(lon, lat)] = 0.0
    return points + shift


def gcj02_to_wgs84(lonlat: ArrayLike) -> Floats:
    """Find the true places behind GCJ-02, shape (n, 2), by iteration to 1e-9 degrees.

    >>> gcj02_to_wgs84([120.07984, 29.30431]).round(5).tolist()
    [[120.0751, 29.3068]]
    """
    return _inverse(wgs84_to_gcj02, _points(lonlat))


def gcj02_to_bd09(lonlat: ArrayLike) -> Floats:
    """Shift GCJ-02 places on to BD-09, shape (n, 2); unchanged outside the rectangle.

    >>> gcj02_to_bd09(wgs84_to_gcj02([120.0751, 29.3068])).round(5).tolist()
    [[120.0864, 29.31013]]
    """
    points = _points(lonlat)
    x, y = points[:, 0], points[:, 1]
    radius = np.hypot(x, y) + 2e-5 * np.sin(y * _BD_TURN)
    angle = np.arctan2(y, x) + 3e-6 * np.cos(x * _BD_TURN)
    shifted = np.column_stack(
        [radius * np.cos(angle) + _BD_EAST, radius * np.sin(angle) + _BD_NORTH]
    )
    return np.where(_is_outside(x, y)[:, None], points, shifted)


def bd09_to_gcj02(lonlat: ArrayLike) -> Floats:
    """Take the second shift of BD-09 off again, shape (n, 2), by iteration to 1e-9 degrees."""
    return _inverse(gcj02_to_bd09, _points(lonlat))


def wgs84_to_bd09(lonlat: ArrayLike) -> Floats:
    """Shift true places as BD-09 shows them, shape (n, 2)."""
    return gcj02_to_bd09(wgs84_to_gcj02(lonlat))


def bd09_to_wgs84(lonlat: ArrayLike) -> Floats:
    """Find the true places behind BD-09, shape (n, 2).

    >>> bd09_to_wgs84([120.0864, 29.31013]).round(4).tolist()
    [[120.0751, 29.3068]]
    """
    return gcj02_to_wgs84(bd09_to_gcj02(lonlat))


TO_WGS84: Final[dict[str, Callable[[ArrayLike], Floats]]] = {
    "gcj02": gcj02_to_wgs84,
    "bd09": bd09_to_wgs84,
}
"""The way home from each shifted system, by the word that `coord_source` keeps."""


def _points(lonlat: ArrayLike) -> Floats:
    return np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)


def _is_outside(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    west, south, east, north = CHINA_RECTANGLE
    return (lon < west) | (lon > east) | (lat < south) | (lat > north)


def _inverse(forward: Callable[[ArrayLike], Floats], shifted: Floats) -> Floats:
    guess = shifted.copy()
    for _ in range(_ROUNDS):
        # The shift changes by less than a hundredth of a step, so each round wins two digits.
        step = shifted - forward(guess)
        guess += step
        if not np.any(np.abs(step) > _TOLERANCE_DEG / 10):
            break
    return guess


def _north(x: Floats, y: Floats) -> Floats:
    return np.asarray(
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
        + _waves(x, 20.0, 6.0, 20.0, 2.0)
        + _waves(y, 20.0, 1.0, 40.0, 1 / 3)
        + _waves(y, 160.0, 1 / 12, 320.0, 1 / 30)
    )  # fmt: skip


def _east(x: Floats, y: Floats) -> Floats:
    return np.asarray(
        300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
        + _waves(x, 20.0, 6.0, 20.0, 2.0)
        + _waves(x, 20.0, 1.0, 40.0, 1 / 3)
        + _waves(x, 150.0, 1 / 12, 300.0, 1 / 30)
    )  # fmt: skip


def _waves(at: Floats, height: float, speed: float, height2: float, speed2: float) -> Floats:
    one, two = np.sin(at * speed * np.pi), np.sin(at * speed2 * np.pi)
    return np.asarray((height * one + height2 * two) * 2.0 / 3.0)
