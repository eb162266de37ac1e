"""Travel times between places over a road graph kept in memory: one place to many, limited.

Places lie beside roads, not on junctions: each is set onto the nearest piece of road, and the
way begins and ends there, with the walk from the place to the road counted too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csgraph

from gis.measure import MPS_PER_KMH, geodesic_m
from gis.network import RoadGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: On foot, from the door to the road.
WALK_MPS: Final = 5.0 * MPS_PER_KMH
#: A place farther from every road than this is reached by none.
FARTHEST_M: Final = 1_000.0


@dataclass(frozen=True)
class Snapped:
    """Places set onto pieces of road.

    Attributes
    ----------
    piece : ndarray, shape (n,), int64
        Edge of the graph; -1 where no road is near enough.
    share : ndarray, shape (n,), float64
        How far along the piece from its tail, 0 to 1.
    away_m : ndarray, shape (n,), float64
        From the place to the road, straight.
    """

    piece: Ints
    share: Floats
    away_m: Floats


@dataclass(frozen=True)
class Reach:
    """A road graph with an index of its pieces; read by many threads at once."""

    graph: RoadGraph

    @cached_property
    def _pieces(self) -> Ints:
        """One direction of each piece is enough to find it."""
        graph = self.graph
        low, high = np.minimum(graph.first, graph.last), np.maximum(graph.first, graph.last)
        _, kept = np.unique(np.column_stack([low, high]), axis=0, return_index=True)
        return np.sort(kept).astype(np.int64)

    @cached_property
    def _tree(self) -> tuple[Any, Any, float]:
        """Pieces as lines in degrees, squeezed so that a degree is as long both ways."""
        graph, pieces = self.graph, self._pieces
        middle = float(np.radians(graph.nodes[:, 1]).mean()) if len(graph.nodes) else 0.0
        squeeze = float(np.cos(middle))
        low = np.minimum(graph.first, graph.last)[pieces]
        high = np.maximum(graph.first, graph.last)[pieces]
        sizes = high - low + 1
        line = np.repeat(np.arange(len(pieces)), sizes)
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        vertices = graph.vertices[np.repeat(low, sizes) + within] * (squeeze, 1.0)
        lines = shapely.linestrings(vertices, indices=line)
        return shapely.STRtree(lines), lines, squeeze

    def prepare(self) -> None:
        """Build everything that the first question would have to wait for."""
        _ = self._tree, self.graph.by_time

    def snap(self, lonlat: ArrayLike) -> Snapped:
        """Set places onto the nearest pieces of road.

        Parameters
        ----------
        lonlat : array_like, shape (n, 2)
        """
        points = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
        count = len(points)
        piece, share = np.full(count, -1, dtype=np.int64), np.zeros(count)
        away = np.full(count, np.inf)
        if not count or not len(self._pieces):
            return Snapped(piece, share, away)
        tree, lines, squeeze = self._tree
        at = shapely.points(points * (squeeze, 1.0))
        near = tree.nearest(at)
        share = np.asarray(shapely.line_locate_point(lines[near], at, normalized=True))
        on_road = shapely.line_interpolate_point(lines[near], share, normalized=True)
        foot = shapely.get_coordinates(on_road) / (squeeze, 1.0)
        away = geodesic_m(points, foot)
        edge = self._pieces[near]
        # Lines run the way of the vertices; an edge that runs against it counts from the end.
        backward = self.graph.first[edge] > self.graph.last[edge]
        share = np.where(backward, 1.0 - share, share)
        return Snapped(np.where(away <= FARTHEST_M, edge, -1), share, away)

    def minutes(
        self, place: tuple[float, float], others: ArrayLike, *, limit_s: float = 3600.0
    ) -> Floats:
        """Measure how long the way from each of many places to one takes.

        The graph is taken as one that can be used both ways, as on foot and by bicycle.

        Returns
        -------
        ndarray, shape (n,), float64
            Minutes; infinity where there is no way within the limit.

        Examples
        --------
        >>> from gis.network import build_graph
        >>> road = shapely.LineString([(120.0, 29.0), (120.01, 29.0)])
        >>> reach = Reach(build_graph([road], ["residential"]))
        >>> reach.minutes((120.0, 29.0), [(120.01, 29.0), (121.0, 29.0)]).round(1).tolist()
        [2.3, inf]
        >>> reach.minutes((120.0, 29.0), []).tolist()
        []
        """
        here, there = self.snap([place]), self.snap(others)
        count = len(there.piece)
        if not count or here.piece[0] < 0:
            return np.full(count, np.inf)
        graph = self.graph
        ends, offsets = self._ends(here)
        times = np.atleast_2d(csgraph.dijkstra(graph.by_time, indices=ends[0], limit=limit_s))
        best = (times + offsets[0][:, None]).min(axis=0)
        far_ends, far_offsets = self._ends(there)
        seconds = (best[far_ends] + far_offsets).min(axis=1)
        same = there.piece == here.piece[0]
        along = np.abs(there.share - here.share[0]) * graph.time_s[np.maximum(there.piece, 0)]
        seconds = np.where(same, np.minimum(seconds, along), seconds)
        seconds += (here.away_m[0] + there.away_m) / WALK_MPS
        seconds[(there.piece < 0) | (seconds > limit_s)] = np.inf
        return np.asarray(seconds / 60.0)

    def _ends(self, at: Snapped) -> tuple[Ints, Floats]:
        """Return both ends of each piece and the seconds to them, shapes (n, 2)."""
        graph, piece = self.graph, np.maximum(at.piece, 0)
        ends = np.column_stack([graph.tail[piece], graph.head[piece]])
        whole = graph.time_s[piece]
        return ends, np.column_stack([at.share * whole, (1.0 - at.share) * whole])
