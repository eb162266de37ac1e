"""Tell whether places that are declared as true ones are really GCJ-02 or BD-09.

The shift is half a kilometre in an unknown direction to whoever receives the data, and a
table of it looks quite normal. Beside things whose place is known (roads for addresses,
grid outlines for grids) it does not: unshifted, the places fall much nearer to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from gis.crs import to_metric
from gis.gcj02 import TO_WGS84
from gis.lattice import project_geometry

#: Fewer places than this agree with anything by chance.
FEWEST: Final = 20
#: Unshifting must bring the middle place this much nearer before anybody is warned.
NEARER: Final = 0.6
_MOST: Final = 2_000


@dataclass(frozen=True)
class ShiftVerdict:
    """How far places lie from known things, as given and unshifted.

    Attributes
    ----------
    likely : str
        ``wgs84``, ``gcj02`` or ``bd09``; ``unknown`` where there are too few places.
    as_given_m, if_gcj02_m, if_bd09_m : float
        Median distance to the nearest known thing, metres; NaN where unknown.
    """

    likely: str
    as_given_m: float
    if_gcj02_m: float
    if_bd09_m: float

    @property
    def is_shifted(self) -> bool:
        """Say whether somebody should be asked."""
        return self.likely in TO_WGS84


def looks_gcj02(
    points: ArrayLike, control: ArrayLike | Sequence[BaseGeometry], metric_srid: int
) -> ShiftVerdict:
    """Compare places with known things as given, and as if they were GCJ-02 or BD-09.

    Parameters
    ----------
    points : array_like, shape (n, 2), float64
        Longitude and latitude as they came; at most 2,000 are looked at, evenly chosen.
    control : array_like, shape (m, 2), or sequence of geometries
        Things that the places ought to be near, in the storage system: roads for addresses
        and incidents, outlines for buildings.
    metric_srid : int
        The city's metric system.

    Examples
    --------
    >>> looks_gcj02([], [], 4549).likely
    'unknown'
    """
    given = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    given = given[np.isfinite(given).all(axis=1)]
    known = _metric_control(control, metric_srid)
    if len(given) < FEWEST or not len(known):
        return ShiftVerdict("unknown", np.nan, np.nan, np.nan)
    sample = given[np.linspace(0, len(given) - 1, min(len(given), _MOST)).astype(np.int64)]
    tree = shapely.STRtree(known)
    as_given = _median_m(tree, sample, metric_srid)
    unshifted = {
        name: _median_m(tree, home(sample), metric_srid) for name, home in TO_WGS84.items()
    }
    best = min(unshifted, key=lambda name: unshifted[name])
    likely = best if unshifted[best] < NEARER * as_given else "wgs84"
    return ShiftVerdict(likely, as_given, unshifted["gcj02"], unshifted["bd09"])


def _metric_control(
    control: ArrayLike | Sequence[BaseGeometry], metric_srid: int
) -> NDArray[np.object_]:
    given = np.asarray(control)
    if given.dtype == object:
        made = [project_geometry(shape, metric_srid) for shape in given.reshape(-1)]
        return np.array(made, dtype=object)
    return np.asarray(shapely.points(to_metric(given, metric_srid)), dtype=object)


def _median_m(tree: shapely.STRtree, lonlat: NDArray[np.float64], metric_srid: int) -> float:
    _, distance = tree.query_nearest(
        shapely.points(to_metric(lonlat, metric_srid)), return_distance=True, all_matches=False
    )
    return float(np.median(distance))
