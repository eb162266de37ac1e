"""Shortest ways over a road graph: routes, travel times, who is nearest."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csgraph

from gis.errors import NoRoute
from gis.network import RoadGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Route:
    """A way from one node to another.

    Attributes
    ----------
    nodes : ndarray, shape (k,), int64
    edges : ndarray, shape (k - 1,), int64
    length_m, time_s : float
    path : ndarray, shape (m, 2), float64
        Longitude and latitude along the way, ready for a LineString where m > 1.
    """

    nodes: Ints
    edges: Ints
    length_m: float
    time_s: float
    path: Floats


def travel_times(
    graph: RoadGraph, sources: ArrayLike, *, limit_s: float = np.inf, to_sources: bool = False
) -> Floats:
    """Measure the quickest way between some nodes and all nodes.

    Parameters
    ----------
    sources : array_like, shape (s,), int
        Nodes.
    limit_s : float
        What lies farther is infinity; a small limit is much quicker.
    to_sources : bool
        Time of the way to the sources instead of from them: for a unit that drives to
        an incident, where one-way streets matter.

    Returns
    -------
    ndarray, shape (s, n), float64
        Seconds; infinity where there is no way.
    """
    nodes = np.atleast_1d(np.asarray(sources, dtype=np.int64))
    if not len(nodes):
        return np.empty((0, len(graph.nodes)))
    matrix = graph.by_time.T.tocsr() if to_sources else graph.by_time
    return np.asarray(csgraph.dijkstra(matrix, indices=nodes, limit=limit_s))


def nearest_source(graph: RoadGraph, sources: ArrayLike) -> tuple[Ints, Floats]:
    """Assign every node to the source from which it is reached soonest, in one pass.

    Returns
    -------
    source : ndarray, shape (n,), int64
        Place in `sources`; -1 where no source reaches the node.
    time_s : ndarray, shape (n,), float64
    """
    nodes = np.atleast_1d(np.asarray(sources, dtype=np.int64))
    count = len(graph.nodes)
    if not len(nodes):
        return np.full(count, -1), np.full(count, np.inf)
    time, _, origin = csgraph.dijkstra(
        graph.by_time, indices=nodes, min_only=True, return_predecessors=True
    )
    order = np.argsort(nodes, kind="stable")
    at = np.searchsorted(nodes[order], np.maximum(origin, 0))
    found = order[np.minimum(at, len(order) - 1)]
    return np.where(np.isfinite(time), found, -1), np.asarray(time)


def route(graph: RoadGraph, start: int, end: int) -> Route:
    """Find the quickest way from node to node; `NoRoute` where there is none."""
    time, before = csgraph.dijkstra(graph.by_time, indices=start, return_predecessors=True)
    if not np.isfinite(time[end]):
        raise NoRoute(f"no road leads from node {start} to node {end}", start=start, end=end)
    nodes = [end]
    while nodes[-1] != start:
        nodes.append(int(before[nodes[-1]]))
    nodes.reverse()
    edges = [_quickest(graph, a, b) for a, b in pairwise(nodes)]
    parts = [graph.path(edge)[1:] for edge in edges]
    path = np.concatenate([graph.nodes[[start]], *parts])
    used = np.asarray(edges, dtype=np.int64)
    return Route(
        nodes=np.asarray(nodes, dtype=np.int64),
        edges=used,
        length_m=float(graph.length_m[used].sum()),
        time_s=float(graph.time_s[used].sum()),
        path=path,
    )


def _quickest(graph: RoadGraph, tail: int, head: int) -> int:
    between = np.flatnonzero((graph.tail == tail) & (graph.head == head))
    return int(between[np.argmin(graph.time_s[between])])
