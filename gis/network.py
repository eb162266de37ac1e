"""A road graph from lines: nodes where roads meet, edges with length and travel time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.spatial import KDTree
from shapely.geometry.base import BaseGeometry

from gis.errors import InvalidGeometry
from gis.measure import MPS_PER_KMH, geodesic_m

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPEEDS_KMH: Final[Mapping[str, float]] = {
    "motorway": 90,
    "trunk": 65,
    "primary": 50,
    "secondary": 42,
    "tertiary": 36,
    "unclassified": 30,
    "residential": 25,
    "living_street": 12,
    "service": 15,
    "track": 15,
    "pedestrian": 5,
    "footway": 5,
    "cycleway": 12,
    "path": 4,
    "steps": 2,
}
"""What an electric bicycle or a car makes in a town on a road of each class, stops included."""

DEFAULT_KMH: Final = 20.0
#: Vertices closer than this are the same place, degrees: 1 cm.
_SAME_PLACE: Final = 1e-7
_EARTH_M: Final = 6_371_008.8


@dataclass(frozen=True)
class RoadGraph:
    """Junctions and the pieces of road between them.

    Attributes
    ----------
    nodes : ndarray, shape (n, 2), float64
        Longitude and latitude of ends and junctions.
    tail, head : ndarray, shape (e,), int64
        Nodes of each edge in the direction of driving; a two-way piece is two edges.
    length_m, time_s : ndarray, shape (e,), float64
    line : ndarray, shape (e,), int64
        Which of the given lines an edge is a piece of.
    first, last : ndarray, shape (e,), int64
        The edge's vertices in `vertices`, from tail to head; `first > last` runs backwards.
    vertices : ndarray, shape (v, 2), float64
    """

    nodes: Floats
    tail: Ints
    head: Ints
    length_m: Floats
    time_s: Floats
    line: Ints
    first: Ints
    last: Ints
    vertices: Floats

    @cached_property
    def by_time(self) -> Any:
        """Sparse matrix of seconds from node to node, the quickest of parallel edges."""
        return self._matrix(self.time_s)

    @cached_property
    def by_length(self) -> Any:
        """Sparse matrix of metres from node to node, the shortest of parallel edges."""
        return self._matrix(self.length_m)

    def path(self, edge: int) -> Floats:
        """Give the vertices of an edge from tail to head, shape (k, 2)."""
        first, last = int(self.first[edge]), int(self.last[edge])
        if first <= last:
            return self.vertices[first : last + 1]
        return self.vertices[last : first + 1][::-1]

    def nearest(self, lonlat: ArrayLike) -> tuple[Ints, Floats]:
        """Find the node nearest to each place.

        Returns
        -------
        node : ndarray, shape (n,), int64
        away_m : ndarray, shape (n,), float64
            Straight distance on the sphere, metres.
        """
        points = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
        if not len(self.nodes):
            raise InvalidGeometry("the road graph is empty")
        if not len(points):
            return np.empty(0, dtype=np.int64), np.empty(0)
        chord, node = self._tree.query(_on_sphere(points))
        away = 2 * _EARTH_M * np.arcsin(np.minimum(chord / 2, 1.0))
        return np.asarray(node, dtype=np.int64), np.asarray(away)

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(_on_sphere(self.nodes))

    def _matrix(self, cost: Floats) -> Any:
        # A sparse matrix adds up what stands twice in one place, so only the best edge enters.
        order = np.lexsort((cost, self.head, self.tail))
        tail, head = self.tail[order], self.head[order]
        is_best = np.ones(len(order), dtype=bool)
        is_best[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
        count = len(self.nodes)
        return sparse.csr_matrix(
            (cost[order][is_best], (tail[is_best], head[is_best])), shape=(count, count)
        )


def build_graph(
    lines: Sequence[BaseGeometry],
    classes: Sequence[str] | None = None,
    oneway: ArrayLike | None = None,
    speeds_kmh: Mapping[str, float] = SPEEDS_KMH,
) -> RoadGraph:
    """Make a road graph.

    Parameters
    ----------
    lines : sequence of LineString
        In longitude and latitude. Roads meet where they share a vertex, an end or not;
        roads that only cross (a bridge) do not meet.
    classes : sequence of str or None
        Class of each line, a key of `speeds_kmh`; others take `DEFAULT_KMH`.
    oneway : array_like of int or None
        1 along the line, -1 against it, 0 both ways.

    Examples
    --------
    >>> cross = [shapely.LineString([(0, 0), (1, 0), (2, 0)]), shapely.LineString([(1, -1), (1, 0)])]
    >>> graph = build_graph(cross)
    >>> len(graph.nodes), len(graph.tail)
    (4, 6)
    >>> len(build_graph([]).nodes)
    0
    """
    vertices, line = _vertices(lines)
    place, is_node = _junctions(vertices, line)
    first, last = _pieces(line, is_node)
    piece_line = line[first]
    length = _lengths(vertices, line, first, last)
    direction = _given(oneway, len(lines))[piece_line]
    forward, backward = np.flatnonzero(direction >= 0), np.flatnonzero(direction <= 0)
    pieces = np.concatenate([forward, backward])
    starts = np.concatenate([first[forward], last[backward]])
    ends = np.concatenate([last[forward], first[backward]])
    used, number = np.unique(np.concatenate([place[starts], place[ends]]), return_inverse=True)
    where = np.empty(place.max(initial=-1) + 1, dtype=np.int64)
    where[place] = np.arange(len(place))
    speed = _speeds(classes, len(lines), speeds_kmh)[piece_line]
    return RoadGraph(
        nodes=vertices[where[used]],
        tail=number[: len(pieces)],
        head=number[len(pieces) :],
        length_m=length[pieces],
        time_s=(length / speed)[pieces],
        line=piece_line[pieces],
        first=starts,
        last=ends,
        vertices=vertices,
    )


def _vertices(lines: Sequence[BaseGeometry]) -> tuple[Floats, Ints]:
    array = np.empty(len(lines), dtype=object)
    array[:] = list(lines)
    xy, line = shapely.get_coordinates(array, return_index=True)
    keep = np.ones(len(xy), dtype=bool)
    keep[1:] = (line[1:] != line[:-1]) | (xy[1:] != xy[:-1]).any(axis=1)
    return xy[keep], line[keep].astype(np.int64)


def _junctions(vertices: Floats, line: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Number the distinct places; mark vertices that are an end or used more than once."""
    grid = np.round(vertices / _SAME_PLACE).astype(np.int64)
    _, place = np.unique(grid, axis=0, return_inverse=True)
    place = place.reshape(-1)
    uses = np.bincount(place, minlength=1)
    is_node = uses[place] > 1
    if len(line):
        is_end = np.ones(len(line), dtype=bool)
        is_end[1:-1] = (line[1:-1] != line[:-2]) | (line[1:-1] != line[2:])
        is_node |= is_end
    return place, is_node


def _pieces(line: Ints, is_node: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    cuts = np.flatnonzero(is_node)
    same_line = line[cuts[:-1]] == line[cuts[1:]]
    return cuts[:-1][same_line], cuts[1:][same_line]


def _lengths(vertices: Floats, line: Ints, first: Ints, last: Ints) -> Floats:
    if not len(vertices):
        return np.empty(0)
    step = geodesic_m(vertices[:-1], vertices[1:])
    step[line[:-1] != line[1:]] = 0.0
    total = np.concatenate([[0.0], np.cumsum(step)])
    return np.asarray(total[last] - total[first])


def _given(oneway: ArrayLike | None, count: int) -> Ints:
    if oneway is None:
        return np.zeros(count, dtype=np.int64)
    given = np.asarray(oneway, dtype=np.int64).reshape(-1)
    if len(given) != count:
        raise InvalidGeometry(f"{count} lines and {len(given)} directions do not match")
    return given


def _speeds(classes: Sequence[str] | None, count: int, speeds_kmh: Mapping[str, float]) -> Floats:
    names = classes if classes is not None else [""] * count
    if len(names) != count:
        raise InvalidGeometry(f"{count} lines and {len(names)} classes do not match")
    # OpenStreetMap calls the ramp of a class `<class>_link`.
    speeds = [speeds_kmh.get(name.removesuffix("_link"), DEFAULT_KMH) for name in names]
    return np.asarray(speeds, dtype=np.float64) * MPS_PER_KMH


def _on_sphere(lonlat: Floats) -> Floats:
    lon, lat = np.radians(lonlat[:, 0]), np.radians(lonlat[:, 1])
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
