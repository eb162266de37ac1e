"""Check that areas are a coverage: no gap, no overlap, no sliver, nothing outside its parent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from gis.errors import InvalidGeometry
from gis.lattice import project_geometry

TOLERANCE_M2: Final = 0.5
"""What two neighbours may share or leave between them before anybody is told."""

SLIVER_WIDTH_M: Final = 1.0
"""A part with a mean width below this is the remainder of careless drawing."""

Kind = Literal["invalid", "overlap", "gap", "sliver", "outside"]


@dataclass(frozen=True)
class Finding:
    """One place where areas do not fit.

    Attributes
    ----------
    kind : str
        ``invalid``: a shape is broken; ``overlap``: two areas share ground; ``gap``:
        ground inside that no area has; ``sliver``: an area has a part thinner than
        `SLIVER_WIDTH_M`; ``outside``: an area leaves its parent.
    names : tuple of str
        The areas concerned; of a gap, those around it.
    area_m2 : float
        How much ground; 0 for `invalid`.
    geometry : BaseGeometry
        The ground itself, in the storage system; of `invalid`, the shape.
    """

    kind: Kind
    names: tuple[str, ...]
    area_m2: float
    geometry: BaseGeometry


def check_coverage(
    shapes: Sequence[BaseGeometry],
    names: Sequence[str],
    metric_srid: int,
    *,
    parent: BaseGeometry | None = None,
    tolerance_m2: float = TOLERANCE_M2,
) -> list[Finding]:
    """Find what keeps areas from being a coverage.

    Parameters
    ----------
    shapes : sequence of Polygon or MultiPolygon
        In the storage system.
    names : sequence of str
        Their codes.
    metric_srid : int
        System in which ground is measured, right to 0.1 % within its zone.
    parent : BaseGeometry or None
        The area that they fill together. Without it only gaps that areas enclose are seen.
    tolerance_m2 : float
        Gaps, overlaps and parts outside up to this are left alone.

    Returns
    -------
    list of Finding
        Empty for a good coverage; sorted by kind, then largest first. Broken shapes are
        reported alone: the rest cannot be asked of them.

    Examples
    --------
    >>> west, east = shapely.box(120.0, 29.0, 120.1, 29.1), shapely.box(120.09, 29.0, 120.2, 29.1)
    >>> [(found.kind, found.names) for found in check_coverage([west, east], ["1", "2"], 4549)]
    [('overlap', ('1', '2'))]
    >>> check_coverage([], [], 4549)
    []
    """
    if len(shapes) != len(names):
        raise InvalidGeometry(f"{len(shapes)} shapes and {len(names)} names do not match")
    array = np.empty(len(shapes), dtype=object)
    array[:] = list(shapes)
    broken = [
        Finding("invalid", (names[at],), 0.0, array[at])
        for at in np.flatnonzero(~shapely.is_valid(array) | shapely.is_empty(array)).tolist()
    ]
    if broken or not len(array):
        return broken
    found = [
        *_overlaps(array, names),
        *_gaps(array, names, parent),
        *_outside(array, names, parent),
    ]
    measured = [_measured(finding, metric_srid) for finding in found]
    kept = [finding for finding in measured if finding.area_m2 > tolerance_m2]
    kept += _slivers(array, names, metric_srid)
    return sorted(kept, key=lambda finding: (finding.kind, -finding.area_m2))


def is_coverage(shapes: Sequence[BaseGeometry]) -> bool:
    """Say whether areas meet only along whole sides, vertex on vertex: the strict sense.

    >>> is_coverage([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]), is_coverage([])
    (True, True)
    """
    return not len(shapes) or bool(shapely.coverage_is_valid(list(shapes)))


def _measured(finding: Finding, metric_srid: int) -> Finding:
    ground = float(project_geometry(finding.geometry, metric_srid).area)
    return Finding(finding.kind, finding.names, ground, finding.geometry)


def _overlaps(shapes: NDArray[np.object_], names: Sequence[str]) -> list[Finding]:
    # A strict coverage has none, and saying so is quicker than cutting every pair.
    if shapely.coverage_is_valid(shapes):
        return []
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared = shapely.intersection(shapes[one], shapes[other])
    wide = np.flatnonzero(shapely.area(shared) > 0)
    return [
        Finding("overlap", (names[one[at]], names[other[at]]), 0.0, _areas_only(shared[at]))
        for at in wide
    ]


def _areas_only(shape: BaseGeometry) -> BaseGeometry:
    parts = [part for part in shapely.get_parts(shape) if part.area > 0]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _gaps(
    shapes: NDArray[np.object_], names: Sequence[str], parent: BaseGeometry | None
) -> list[Finding]:
    together = shapely.union_all(shapes)
    if parent is not None:
        holes = list(shapely.get_parts(shapely.difference(parent, together)))
    else:
        rings = shapely.get_parts(together)
        holes = [shapely.Polygon(ring) for part in rings for ring in part.interiors]
    tree = shapely.STRtree(shapes)
    found = []
    for hole in holes:
        if hole.area > 0:
            around = sorted(names[at] for at in tree.query(hole, predicate="intersects"))
            found.append(Finding("gap", tuple(around), 0.0, hole))
    return found


def _outside(
    shapes: NDArray[np.object_], names: Sequence[str], parent: BaseGeometry | None
) -> list[Finding]:
    if parent is None:
        return []
    shapely.prepare(parent)
    beyond = np.flatnonzero(~shapely.covers(parent, shapes))
    rest = shapely.difference(shapes[beyond], parent)
    return [
        Finding("outside", (names[at],), 0.0, part)
        for at, part in zip(beyond.tolist(), rest, strict=True)
        if part.area > 0
    ]


def _slivers(shapes: NDArray[np.object_], names: Sequence[str], metric_srid: int) -> list[Finding]:
    parts, owner = shapely.get_parts(shapes, return_index=True)
    metric = project_parts(parts, metric_srid)
    width = 2 * shapely.area(metric) / shapely.length(metric)
    return [
        Finding("sliver", (names[owner[at]],), float(shapely.area(metric[at])), parts[at])
        for at in np.flatnonzero(width < SLIVER_WIDTH_M).tolist()
    ]


def project_parts(parts: NDArray[np.object_], metric_srid: int) -> NDArray[np.object_]:
    """Project many geometries of the storage system to metres at once."""
    projected = project_geometry(shapely.GeometryCollection(list(parts)), metric_srid)
    return np.asarray(shapely.get_parts(projected), dtype=object)
