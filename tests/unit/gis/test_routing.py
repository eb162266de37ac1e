"""The road graph and its ways, against sums by hand and an all-pairs second opinion."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from gis.errors import InvalidGeometry, NoRoute
from gis.measure import geodesic_m, length_m
from gis.network import DEFAULT_KMH, RoadGraph, build_graph
from gis.routing import nearest_source, route, travel_times

LINE = shapely.LineString


def town(size: int = 6) -> RoadGraph:
    """Streets of `size` by `size` crossings, every second one faster."""
    along = np.arange(size) / 1000
    lines = [LINE([(120 + x, 29 + y) for x in along]) for y in along]
    lines += [LINE([(120 + x, 29 + y) for y in along]) for x in along]
    return build_graph(lines, ["primary", "residential"] * size)


def floyd(graph: RoadGraph) -> np.ndarray:
    """All pairs by the textbook's three loops over a dense matrix."""
    count = len(graph.nodes)
    best = np.full((count, count), np.inf)
    np.fill_diagonal(best, 0)
    for tail, head, cost in zip(graph.tail, graph.head, graph.time_s, strict=True):
        best[tail, head] = min(best[tail, head], cost)
    for middle in range(count):
        best = np.minimum(best, best[:, [middle]] + best[[middle], :])
    return best


def test_roads_meet_at_ends_and_at_shared_vertices_but_not_where_they_only_cross() -> None:
    main = LINE([(0, 0), (1, 0), (2, 0)])
    meets_inside = LINE([(1, 0), (1, 1)])
    bridge = LINE([(1.5, -1), (1.5, 1)])

    graph = build_graph([main, meets_inside, bridge])

    assert len(graph.nodes) == 6
    assert len(graph.tail) == 2 * 4


def test_a_vertex_that_nobody_shares_is_no_node() -> None:
    graph = build_graph([LINE([(0, 0), (1, 1), (2, 0)])])

    assert len(graph.nodes) == 2
    assert graph.length_m[0] == pytest.approx(length_m(LINE([(0, 0), (1, 1), (2, 0)])))
    assert graph.path(0).tolist() == [[0, 0], [1, 1], [2, 0]]
    assert graph.path(1).tolist() == [[2, 0], [1, 1], [0, 0]]


def test_a_road_that_crosses_itself_is_cut_at_the_crossing() -> None:
    graph = build_graph([LINE([(0, 0), (1, 0), (2, 1), (1, 1), (1, 0), (1, -1)])])

    assert len(graph.nodes) == 3


def test_speed_follows_the_class_and_links_count_as_it() -> None:
    lines = [LINE([(0, 0), (0, 1)])] * 3

    graph = build_graph(lines, ["primary", "primary_link", "no such class"])

    kmh = graph.length_m / graph.time_s * 3.6
    assert kmh == pytest.approx([50, 50, DEFAULT_KMH] * 2)


def test_a_oneway_street_is_driven_one_way() -> None:
    lines = [LINE([(0, 0), (0, 1)]), LINE([(0, 1), (0, 2)])]

    graph = build_graph(lines, oneway=[1, -1])

    ends = [
        (graph.nodes[a].tolist(), graph.nodes[b].tolist())
        for a, b in zip(graph.tail, graph.head, strict=True)
    ]
    assert ends == [([0, 0], [0, 1]), ([0, 2], [0, 1])]


def test_of_two_roads_between_the_same_crossings_the_quicker_counts() -> None:
    straight, bent = LINE([(0, 0), (0, 1)]), LINE([(0, 0), (1, 0.5), (0, 1)])

    graph = build_graph([bent, straight])
    way = route(graph, 0, 1)

    assert way.length_m == pytest.approx(length_m(straight))
    assert travel_times(graph, [0])[0, 1] == pytest.approx(way.time_s)


def test_a_route_is_as_quick_as_the_times_say_and_runs_without_a_break() -> None:
    graph = town()
    times = travel_times(graph, [0])[0]

    for end in range(len(graph.nodes)):
        way = route(graph, 0, end)
        assert way.time_s == pytest.approx(times[end])
        assert way.path[0].tolist() == graph.nodes[0].tolist()
        assert way.path[-1].tolist() == graph.nodes[end].tolist()
        assert geodesic_m(way.path[:-1], way.path[1:]).sum() == pytest.approx(way.length_m)


def test_times_agree_with_all_pairs_by_three_loops() -> None:
    graph = town()

    times = travel_times(graph, np.arange(len(graph.nodes)))

    assert times == pytest.approx(floyd(graph))


def test_unconnected_places_have_no_route() -> None:
    graph = build_graph([LINE([(0, 0), (0, 1)]), LINE([(5, 5), (5, 6)])])

    with pytest.raises(NoRoute):
        route(graph, 0, 2)
    assert np.isinf(travel_times(graph, [0])[0, 2])


def test_times_to_sources_respect_oneway_streets() -> None:
    graph = build_graph([LINE([(0, 0), (0, 1)])], oneway=[1])

    assert np.isinf(travel_times(graph, [0], to_sources=True)[0, 1])
    assert np.isfinite(travel_times(graph, [1], to_sources=True)[0, 0])


@given(seed=st.integers(0, 1_000), count=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_every_node_goes_to_the_source_that_is_soonest_there(seed: int, count: int) -> None:
    graph = town(5)
    sources = np.random.default_rng(seed).choice(len(graph.nodes), count, replace=False)
    times = travel_times(graph, sources)

    source, time_s = nearest_source(graph, sources)

    assert time_s == pytest.approx(times.min(axis=0))
    assert times[source, np.arange(len(graph.nodes))] == pytest.approx(times.min(axis=0))


def test_a_node_that_no_source_reaches_has_none() -> None:
    graph = build_graph([LINE([(0, 0), (0, 1)]), LINE([(5, 5), (5, 6)])])

    assert nearest_source(graph, [0])[0].tolist() == [0, 0, -1, -1]
    assert nearest_source(graph, [])[0].tolist() == [-1] * 4
    assert travel_times(graph, []).shape == (0, 4)


def test_the_nearest_node_is_the_nearest_by_brute_force() -> None:
    graph = town()
    places = np.random.default_rng(3).uniform([119.99, 28.99], [120.01, 29.01], (200, 2))

    node, away = graph.nearest(places)

    every = np.array([geodesic_m(place, graph.nodes) for place in places])
    assert away == pytest.approx(every.min(axis=1), rel=6e-3)
    assert every[np.arange(200), node] == pytest.approx(every.min(axis=1), rel=6e-3)


def test_an_empty_graph_knows_no_nearest_node() -> None:
    with pytest.raises(InvalidGeometry):
        build_graph([]).nearest([[120, 29]])


def test_lines_classes_and_directions_must_match() -> None:
    with pytest.raises(InvalidGeometry):
        build_graph([LINE([(0, 0), (0, 1)])], ["a", "b"])
    with pytest.raises(InvalidGeometry):
        build_graph([LINE([(0, 0), (0, 1)])], oneway=[])


def test_the_matrix_of_lengths_has_the_shortest_ways() -> None:
    graph = town()

    metres = csgraph.dijkstra(graph.by_length, indices=0)

    corner = int(graph.nearest([[120.005, 29.005]])[0][0])
    assert metres[corner] == pytest.approx(
        geodesic_m([120, 29], [120.005, 29])[0] + geodesic_m([120, 29], [120, 29.005])[0], rel=1e-3
    )
