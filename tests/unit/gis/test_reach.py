"""Ways by road from place to place, against a graph in which every place is a junction."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.measure import geodesic_m
from gis.network import RoadGraph, build_graph
from gis.reach import FARTHEST_M, WALK_MPS, Reach

ORIGIN = np.array((120.0, 29.0))
STEP = 0.002  # about 200 m
PLACES = st.tuples(st.floats(0, 5), st.floats(0, 5))


def town(kept: list[bool]) -> list[shapely.LineString]:
    """A raster of 6 x 6 junctions with some of its streets."""
    streets = [((x, y), (x + dx, y + dy)) for x in range(6) for y in range(6)
               for dx, dy in ((1, 0), (0, 1)) if x + dx < 6 and y + dy < 6]  # fmt: skip
    return [
        shapely.LineString(ORIGIN + np.array(street) * STEP)
        for street, is_there in zip(streets, kept, strict=False)
        if is_there
    ]


def plain_minutes(
    streets: list[shapely.LineString], here: np.ndarray, there: np.ndarray, speed_mps: float
) -> float:
    """Cut the streets at the feet of both places and walk the whole graph (Floyd, Warshall)."""
    squeeze = np.cos(np.radians(29.005))
    flat = [shapely.transform(street, lambda xy: xy * (squeeze, 1)) for street in streets]
    feet, walks, cuts = [], 0.0, {n: list(s.coords) for n, s in enumerate(streets)}
    for place in (here, there):
        point = shapely.Point(place * (squeeze, 1))
        near = min(range(len(flat)), key=lambda n: flat[n].distance(point))
        share = flat[near].project(point, normalized=True)
        foot = tuple(shapely.get_coordinates(streets[near].interpolate(share, normalized=True))[0])
        away = float(geodesic_m(place[None], np.array([foot]))[0])
        if away > FARTHEST_M:
            return np.inf
        walks += away / WALK_MPS
        cuts[near].append(foot)
        feet.append(foot)
    nodes = sorted({tuple(np.round(xy, 9)) for line in cuts.values() for xy in line})
    number = {node: n for n, node in enumerate(nodes)}
    cost = np.full((len(nodes), len(nodes)), np.inf)
    np.fill_diagonal(cost, 0)
    for line in cuts.values():
        for a, b in pairwise(sorted(tuple(np.round(xy, 9)) for xy in line)):
            spent = float(geodesic_m(np.array([a]), np.array([b]))[0]) / speed_mps
            one, two = number[a], number[b]
            cost[one, two] = cost[two, one] = min(cost[one, two], spent)
    for k in range(len(nodes)):
        cost = np.minimum(cost, cost[:, [k]] + cost[[k], :])
    ends = [number[tuple(np.round(foot, 9))] for foot in feet]
    return float((cost[ends[0], ends[1]] + walks) / 60)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=60, max_size=60), PLACES, PLACES)
def test_times_are_those_of_a_graph_cut_at_both_places(
    kept: list[bool], one: tuple[float, float], two: tuple[float, float]
) -> None:
    streets = town(kept)
    if not streets:
        return
    here, there = ORIGIN + np.array(one) * STEP, ORIGIN + np.array(two) * STEP
    reach = Reach(build_graph(streets, ["residential"] * len(streets)))

    found = reach.minutes((here[0], here[1]), [there])[0]
    plain = plain_minutes(streets, here, there, 25 / 3.6)

    if np.isinf(plain) or np.isinf(found):
        assert found == plain
    else:
        # Two streets may be equally near: then the walks are equal, the ways a street apart.
        assert found == pytest.approx(plain, abs=0.75)


@pytest.fixture
def road() -> RoadGraph:
    """One street of about 970 m."""
    return build_graph([shapely.LineString([(120.0, 29.0), (120.01, 29.0)])], ["residential"])


def test_on_one_street_the_way_is_along_it_not_round_its_end(road: RoadGraph) -> None:
    minutes = Reach(road).minutes((120.004, 29.0), [(120.005, 29.0)])

    assert minutes[0] * 60 * 25 / 3.6 == pytest.approx(97.4, abs=1)


def test_what_lies_off_every_road_or_beyond_the_limit_is_not_reached(road: RoadGraph) -> None:
    reach = Reach(road)

    assert np.isinf(reach.minutes((120.0, 29.0), [(120.0, 29.02)])[0])
    assert np.isinf(reach.minutes((120.0, 29.02), [(120.0, 29.0)])[0])
    assert np.isinf(reach.minutes((120.0, 29.0), [(120.01, 29.0)], limit_s=60)[0])


def test_two_parts_of_a_town_without_a_bridge_do_not_reach_each_other() -> None:
    banks = [shapely.LineString([(120.0, y), (120.01, y)]) for y in (29.0, 29.003)]

    minutes = Reach(build_graph(banks, ["residential"] * 2)).minutes(
        (120.005, 29.0), [(120.005, 29.003), (120.006, 29.0)]
    )

    assert np.isinf(minutes[0])
    assert np.isfinite(minutes[1])


def test_a_city_without_roads_reaches_nobody() -> None:
    assert np.isinf(Reach(build_graph([])).minutes((120.0, 29.0), [(120.0, 29.0)])[0])
