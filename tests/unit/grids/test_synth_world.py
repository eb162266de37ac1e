"""The ground plan of the simulator: what a map of it must hold, for several seeds."""

from datetime import date

import numpy as np
import pytest
import shapely
from shapely import STRtree

from grids.synth.addresses import address_houses
from grids.synth.plan import plan_for
from grids.synth.world import World, make_world

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module", params=[1, 7, 23])
def world(request) -> World:
    return make_world(plan_for(0.004, request.param, TODAY))


def test_the_city_is_as_large_as_its_plan(world):
    assert world.boundary.area == pytest.approx(world.plan.area_m2, rel=0.02)


def test_roads_have_a_hierarchy_names_and_bridges(world):
    kinds = {road.kind for road in world.roads}

    assert {"trunk", "primary", "secondary", "tertiary", "residential", "rail"} <= kinds
    assert any(road.is_bridge for road in world.roads)
    main = [r for r in world.roads if r.kind in ("primary", "secondary") and not r.is_bridge]
    assert all(road.name for road in main)


def test_buildings_do_not_overlap_and_keep_off_streets_and_water(world):
    shapes = world.houses.shapes
    first, second = STRtree(shapes).query(shapes, predicate="intersects")
    pairs = np.column_stack([first, second])[first < second]
    shared = shapely.area(shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]]))
    roads = shapely.union_all([r.line for r in world.roads if r.kind != "rail"])

    assert len(shapes) > 300
    assert shared.sum() == pytest.approx(0, abs=1e-6)
    assert not shapely.intersects(shapes, roads).any()
    assert not shapely.intersects(shapes, world.river).any()


def test_every_bridge_crosses_the_river(world):
    over = world.river.buffer(1.0)

    assert all(over.contains(road.line) for road in world.roads if road.is_bridge)


def test_land_use_covers_what_stands_on_it(world):
    kinds = {patch.kind for patch in world.land}

    assert {"residential", "industrial", "park", "farmland", "forest", "school"} <= kinds
    assert all(patch.shape.is_valid and not patch.shape.is_empty for patch in world.land)


def test_almost_every_building_has_an_address_of_its_own(world):
    addresses = address_houses(world)

    assert len(set(addresses.text)) > 0.97 * len(addresses.text)
    assert all(addresses.text)


def test_the_same_seed_draws_the_same_plan():
    a, b = (make_world(plan_for(0.004, 5, TODAY)) for _ in range(2))

    assert shapely.equals_exact(a.houses.shapes, b.houses.shapes).all()
    assert [r.name for r in a.roads] == [r.name for r in b.roads]


def test_another_seed_draws_another_plan():
    a, b = (make_world(plan_for(0.004, seed, TODAY)) for seed in (5, 6))

    assert not a.boundary.equals(b.boundary)
