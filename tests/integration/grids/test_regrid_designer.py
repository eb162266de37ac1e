"""The designer: even work, whole grids inside their community, few households moved."""

import numpy as np
import pytest
import shapely
from sqlalchemy import text

from gis.lattice import project_geometry
from gis.topology import check_coverage
from grids.regrid import plans
from grids.regrid.designer import design
from grids.regrid.drawing import Drawing, comparison
from grids.regrid.errors import BadWish
from grids.regrid.fabric import survey, unpack_labels
from grids.regrid.wishes import Wishes
from tests.integration.grids.test_regrid import DAY, TODAY, approved, grids_on, switched
from tests.support.grids import NOW, SRID, TOWN, build_town, planner


@pytest.fixture
def people(session):
    build_town(session)
    return {name: planner(session, name) for name in ("drawer", "second")}


@pytest.fixture
def ground(session, people):
    return survey(session.connection(), TOWN, on=TODAY, now=NOW, metric_srid=SRID)


def drawn(ground, **wishes):
    base, fabric = ground
    start = Drawing(base, (), fabric, fabric.patches.owner.copy(), Wishes(**wishes))
    return design(start)


def test_work_gets_more_even_and_grids_stay_whole_in_their_community(ground):
    done = drawn(ground, move_cost=0.1)

    told = comparison(done)
    assert told["after"]["hours_ratio"] < told["before"]["hours_ratio"] - 0.1
    assert told["scattered"] == []
    assert {grid["after"]["pieces"] for grid in told["grids"]} == {1}
    patches = done.fabric.patches
    assert (done.communities[done.labels] == done.communities[patches.owner]).all()
    assert sum(grid["after"]["households"] for grid in told["grids"]) == told["households"]


def test_moving_households_costs(ground):
    moved = [comparison(drawn(ground, move_cost=cost))["moved_households"] for cost in (0, 1)]

    assert moved[1] < moved[0]


def test_the_same_wishes_give_the_same_grids(ground):
    assert (drawn(ground).labels == drawn(ground).labels).all()


@pytest.mark.parametrize("start", ["today", "anew"])
@pytest.mark.parametrize("grids", [5, 12, 19])
def test_the_number_of_grids_is_reached(ground, start, grids):
    done = drawn(ground, start=start, grids=grids)

    told = comparison(done)
    assert told["after"]["grids"] == grids
    assert told["scattered"] == []


def test_a_target_of_households_decides_the_number(ground):
    done = drawn(ground, start="anew", households=400)

    told = comparison(done)
    assert abs(told["after"]["households_mean"] / 400 - 1) < 0.15


def test_names_stay_where_most_households_stay(ground):
    told = comparison(drawn(ground, start="anew"))

    assert all(grid["code"] for grid in told["grids"])  # as many as before: none is new
    assert told["moved_households"] < 0.75 * told["households"]


def test_frozen_grids_keep_every_patch(ground):
    frozen = (f"{TOWN}001002", f"{TOWN}002005")
    for start in ("today", "anew"):
        done = drawn(ground, start=start, frozen=frozen)
        labels = [k for k, grid in enumerate(done.base) if grid.code in frozen]
        owner = done.fabric.patches.owner
        assert (np.isin(owner, labels) == np.isin(done.labels, labels)).all()
        assert comparison(done)["scattered"] == []


@pytest.mark.parametrize(
    ("wishes", "field"),
    [({"grids": 0}, "grids"), ({"households": 5}, "households"), ({"move_cost": 2}, "move_cost"),
     ({"grids": 5, "households": 300}, "households"), ({"start": "maybe"}, "start")],
)  # fmt: skip
def test_wishes_out_of_range_name_their_field(wishes, field):
    with pytest.raises(BadWish) as caught:
        Wishes(**wishes)
    assert caught.value.params["field"] == field


def test_fewer_grids_than_communities_cannot_be(ground):
    with pytest.raises(BadWish):
        drawn(ground, start="anew", grids=1)


@pytest.mark.parametrize("start", ["today", "anew"])
def test_r48_designed_grids_leave_no_gap_and_share_no_ground(session, people, start):
    """R48: no gap and no overlap of more than 1 m2, found by the checker and by plain areas."""
    wishes = Wishes(start=start, grids=14)
    plan = plans.ask(session, people["drawer"], TOWN, "调整", wishes, on=TODAY, now=NOW)
    plans.draft(session, plan, design, now=NOW)
    approved(session, people, plan)
    switched(session, plan)

    whole = shapely.from_wkb(session.scalar(
        text("SELECT ST_AsBinary(geom) FROM area WHERE code = :town"), {"town": TOWN}
    ))  # fmt: skip
    made = grids_on(session, DAY)
    shapes = list(made.values())

    found = check_coverage(shapes, list(made), SRID, parent=whole, tolerance_m2=1.0)
    assert len(shapes) == 14
    assert [one for one in found if one.kind in ("gap", "overlap", "outside", "invalid")] == []
    metric = [project_geometry(shape, SRID) for shape in (whole, *shapes)]
    assert sum(shape.area for shape in metric[1:]) == pytest.approx(metric[0].area, abs=1)
    assert shapely.union_all(metric[1:]).area == pytest.approx(metric[0].area, abs=1)


def test_what_is_designed_can_be_switched(session, people):
    wishes = Wishes(start="anew", grids=10)
    plan = plans.ask(session, people["drawer"], TOWN, "调整", wishes, on=TODAY, now=NOW)
    plans.draft(session, plan, design, now=NOW)
    approved(session, people, plan)

    done = switched(session, plan)

    assert len(grids_on(session, DAY)) == 10
    assert len(done.ended) == 2
    assert np.unique(unpack_labels(plan.labels)).size == 10
