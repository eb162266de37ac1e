"""Cut areas along the lattice of unit cells into patches, and put patches together to new areas.

All patches come from one set of lines that meet only at their ends. So whatever is put
together from them shares its sides corner by corner, with neither gap nor overlap, and what
was the border of an area and stays one keeps its course: only new borders follow the lattice.
Everything is in the storage system; areas and lengths are metric.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.crs import from_metric, to_metric
from gis.lattice import CELL_M, cell_ids, col_row, project_geometry

Shapes = NDArray[np.object_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Corners lie on a lattice of 0.01 mm: lines that meet within it meet exactly, and an area that
#: is not cut keeps a border whose course differs by less.
_PRECISION_DEG: Final = 1e-10
#: What a border leaves of a cell and is smaller than this belongs to the patch beside it.
SMALL_M2: Final = 300.0


@dataclass(frozen=True)
class Patches:
    """Areas in pieces.

    Attributes
    ----------
    polygons : ndarray, shape (n,), of Polygon
        Storage system, always in the same order for the same areas.
    owner : ndarray, shape (n,), int64
        Index of the area that a patch is cut from.
    cell_id : ndarray, shape (n,), int64
        The cell that it lies in, all but bits below `SMALL_M2`.
    area_m2 : ndarray, shape (n,), float64
    centre : ndarray, shape (n, 2), float64
        Metric.
    pairs : ndarray, shape (m, 2), int64
        Neighbours with a common side, lower index first, each pair once.
    shared_m : ndarray, shape (m,), float64
        How long that side is.
    perimeter_m : ndarray, shape (n,), float64
    """

    polygons: Shapes
    owner: Ints
    cell_id: Ints
    area_m2: Floats
    centre: Floats
    pairs: Ints
    shared_m: Floats
    perimeter_m: Floats

    def __len__(self) -> int:
        """Count the patches."""
        return len(self.polygons)


def cut(areas: Shapes, metric_srid: int) -> Patches:
    """Cut areas that do not overlap into patches.

    Parameters
    ----------
    areas : ndarray, shape (k,), of Polygon or MultiPolygon
        Storage system. Ground that two of them share goes to the first.
    metric_srid : int
        The system that the lattice lies in.

    Examples
    --------
    >>> two = np.array([shapely.box(120, 29, 120.01, 29.01), shapely.box(120.01, 29, 120.02, 29.01)])
    >>> patches = cut(two, 4549)
    >>> bool(abs(patches.area_m2.sum() / 2157100 - 1) < 0.01), patches.owner.max().item()
    (True, 1)
    """
    faces, owner = _faces(areas, metric_srid)
    at = shapely.get_coordinates(shapely.point_on_surface(faces))
    cell = cell_ids(at, metric_srid)
    faces, owner, cell = _without_bits(faces, owner, cell, metric_srid)
    order = np.lexsort((*shapely.bounds(faces).T[:2], cell, owner))
    faces, owner, cell = faces[order], owner[order], cell[order]
    metric = shapely.transform(faces, lambda xy: to_metric(xy, metric_srid))
    pairs, shared = _neighbours(faces, metric_srid)
    centre = shapely.centroid(metric)
    return Patches(
        polygons=faces,
        owner=owner,
        cell_id=cell,
        area_m2=shapely.area(metric),
        centre=np.column_stack([shapely.get_x(centre), shapely.get_y(centre)]),
        pairs=pairs,
        shared_m=shared,
        perimeter_m=shapely.length(metric),
    )


def assemble(polygons: Shapes, labels: Ints, wanted: Ints) -> Shapes:
    """Unite the patches of each wanted label to a MultiPolygon, in the order of `wanted`.

    Exteriors run counter-clockwise. A label that no patch has gives an empty one.
    """
    order = np.argsort(labels, kind="stable")
    first = np.searchsorted(labels[order], wanted, "left")
    last = np.searchsorted(labels[order], wanted, "right")
    made = np.empty(len(wanted), dtype=object)
    for at, (start, end) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        united = shapely.coverage_union_all(polygons[order[start:end]])
        made[at] = shapely.multipolygons(shapely.get_parts(shapely.orient_polygons(united)))
    return made


def common_sides(polygons: Shapes) -> tuple[Ints, Ints, Floats]:
    """List the segments that two polygons of a coverage share: both indices, and the ends.

    Returns
    -------
    first, second : ndarray, shape (m,), int64
        The lower index first.
    ends : ndarray, shape (m, 2, 2), float64
    """
    rings, ring_block = shapely.get_rings(polygons, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    follows = ring[1:] == ring[:-1]
    ends = np.stack([xy[:-1][follows], xy[1:][follows]], axis=1)
    block: Ints = ring_block[ring[:-1][follows]].astype(np.int64)
    # The same segment runs the other way in the neighbour: bring both into one direction.
    swap = (ends[:, 0, 0] > ends[:, 1, 0]) | (
        (ends[:, 0, 0] == ends[:, 1, 0]) & (ends[:, 0, 1] > ends[:, 1, 1])
    )
    ends[swap] = ends[swap][:, ::-1]
    order = np.lexsort(ends.reshape(-1, 4).T)
    ends, block = ends[order], block[order]
    same = (ends[1:] == ends[:-1]).all(axis=(1, 2))
    sides = np.sort(np.stack([block[:-1][same], block[1:][same]]), axis=0)
    return sides[0], sides[1], ends[:-1][same]


def area_m2(shapes: Shapes, metric_srid: int) -> Floats:
    """Measure shapes of the storage system, right to 0.1 % within the zone."""
    return np.array([project_geometry(shape, metric_srid).area for shape in shapes], dtype=float)


def _faces(areas: Shapes, metric_srid: int) -> tuple[Shapes, Ints]:
    """List what borders and lattice enclose inside the areas, and in which of them it lies."""
    box = shapely.total_bounds(areas)
    lines = np.concatenate([shapely.boundary(areas), _lattice(box, metric_srid)])
    edges = shapely.unary_union(lines, grid_size=_PRECISION_DEG)
    faces = np.asarray(shapely.get_parts(shapely.polygonize([edges])), dtype=object)
    inside = shapely.point_on_surface(faces)
    face, area = shapely.STRtree(areas).query(inside, "intersects")
    owner = np.full(len(faces), len(areas), dtype=np.int64)
    np.minimum.at(owner, face, area)
    kept = owner < len(areas)
    return faces[kept], owner[kept]


def _lattice(box: Floats, metric_srid: int) -> Shapes:
    """Draw the lattice over a box: lines whose corners are those of the cells."""
    west, south, east, north = box.tolist()
    ring = np.array([[west, south], [east, south], [east, north], [west, north]])
    around = shapely.segmentize(shapely.LinearRing(ring), 0.001)
    col, row = col_row(cell_ids(shapely.get_coordinates(around), metric_srid)).T
    cols = np.arange(col.min() - 1, col.max() + 3) * CELL_M
    rows = np.arange(row.min() - 1, row.max() + 3) * CELL_M
    corners = np.stack(np.meshgrid(cols, rows, indexing="ij"), axis=-1)
    lonlat = from_metric(corners.reshape(-1, 2), metric_srid).reshape(corners.shape)
    lines = [*lonlat, *lonlat.transpose(1, 0, 2)]
    made = np.empty(len(lines), dtype=object)
    made[:] = [shapely.LineString(line) for line in lines]
    return made


def _without_bits(
    faces: Shapes, owner: Ints, cell: Ints, metric_srid: int
) -> tuple[Shapes, Ints, Ints]:
    """Join what is too small to be moved alone to the larger face beside it, in the same area."""
    metric = shapely.transform(faces, lambda xy: to_metric(xy, metric_srid))
    area = shapely.area(metric)
    pairs, shared = _neighbours(faces, metric_srid)
    beside: dict[int, list[tuple[float, int]]] = {}
    for (a, b), metres in zip(pairs.tolist(), shared.tolist(), strict=True):
        if owner[a] == owner[b]:
            beside.setdefault(a, []).append((metres, b))
            beside.setdefault(b, []).append((metres, a))
    into = np.arange(len(faces))
    for at in np.argsort(area, kind="stable")[: int((area < SMALL_M2).sum())].tolist():
        larger = [near for near in beside.get(at, ()) if (area[near[1]], near[1]) > (area[at], at)]
        if larger:
            into[at] = max(larger)[1]
    while (into[into] != into).any():
        into = into[into]
    kept = np.flatnonzero(into == np.arange(len(faces)))
    joined = np.flatnonzero(np.bincount(into, minlength=len(faces)) > 1)
    faces = faces.copy()
    for at in joined.tolist():
        faces[at] = shapely.coverage_union_all(faces[into == at])
    return faces[kept], owner[kept], cell[kept]


def _neighbours(polygons: Shapes, metric_srid: int) -> tuple[Ints, Floats]:
    """List pairs of polygons with a common side, and its length."""
    first, second, ends = common_sides(polygons)
    metric = to_metric(ends.reshape(-1, 2), metric_srid).reshape(ends.shape)
    length = np.hypot(*(metric[:, 1] - metric[:, 0]).T)
    key, inverse = np.unique(first * max(len(polygons), 1) + second, return_inverse=True)
    pairs = np.column_stack(np.divmod(key, max(len(polygons), 1))).astype(np.int64)
    return pairs, np.bincount(inverse, length, minlength=len(key)).astype(np.float64)
