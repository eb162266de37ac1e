"""A town gets new grids: drawn, approved by a second person, switched on a day."""

from datetime import date, datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest
import shapely
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from gis.topology import check_coverage
from grids.flows import taking
from grids.flows.taking import StepRequest
from grids.hazards import service as hazards
from grids.hazards.models import Hazard
from grids.incidents import projection, service
from grids.incidents.models import Incident
from grids.incidents.requests import Report
from grids.linking import FOLLOWERS, link_points, place_index
from grids.regrid import plans, switching
from grids.regrid.drawing import pieces_of
from grids.regrid.errors import (
    BadDay,
    CannotMerge,
    Faulty,
    Frozen,
    NoPlan,
    NothingToUndo,
    OtherCommunity,
    Outdated,
    SamePlanner,
)
from grids.regrid.wishes import Wishes
from tests.support.cases import MATTER, VAULT, make_photo
from tests.support.grids import COUNTY, NOW, OTHER_TOWN, SRID, TOWN, build_town, planner

TODAY = date(2026, 3, 4)
DAY = date(2026, 3, 10)
STAYS = Wishes(start="none")


@pytest.fixture
def people(session):
    build_town(session)
    return {name: planner(session, name) for name in ("drawer", "second")}


def drafted(session, people, wishes=STAYS, town=TOWN):
    plan = plans.ask(session, people["drawer"], town, "调整", wishes, on=TODAY, now=NOW)
    plans.draft(session, plan, lambda drawing: drawing, now=NOW)
    return plan


def approved(session, people, plan, on=DAY):
    plans.submit(session, people["drawer"], plan.id, now=NOW)
    return plans.approve(session, people["second"], plan.id, on, today=TODAY, now=NOW)


def switched(session, plan, on=DAY, now=NOW):
    return switching.switch(session, plan, plans.drawing_of(plan), on=on, now=now)


def grids_on(session, day, town=TOWN):
    rows = session.execute(
        text("SELECT g.code, ST_AsBinary(v.geom) AS shape FROM grid_version AS v"
             " JOIN grid AS g ON g.id = v.grid_id"
             " WHERE v.valid @> CAST(:day AS date) AND starts_with(g.code, :town)"
             " ORDER BY g.code"),
        {"day": day, "town": town},
    ).all()  # fmt: skip
    return {row.code: shapely.from_wkb(bytes(row.shape)) for row in rows}


def neighbours(drawing, one, other):
    """Patches of `one` that touch `other`."""
    a, b = drawing.fabric.patches.pairs.T
    at = np.concatenate([a[(drawing.labels[a] == one) & (drawing.labels[b] == other)],
                         b[(drawing.labels[b] == one) & (drawing.labels[a] == other)]])  # fmt: skip
    return np.unique(at)


def test_a_plan_leaves_no_trace_before_its_switch(session, people):
    before = session.execute(text("SELECT * FROM grid_version ORDER BY id")).all()
    cells = session.execute(text("SELECT cell_id, grid_id FROM cell ORDER BY 1")).all()
    plan = drafted(session, people)
    plans.split(session, people["drawer"], plan.id, 0, now=NOW)
    approved(session, people, plan)

    assert session.execute(text("SELECT * FROM grid_version ORDER BY id")).all() == before
    assert session.execute(text("SELECT cell_id, grid_id FROM cell ORDER BY 1")).all() == cells
    assert session.scalar(text("SELECT count(*) FROM grid")) == len(before)


def test_a_switch_splits_merges_and_moves(session, people):
    old = grids_on(session, DAY)
    plan = drafted(session, people)
    plans.split(session, people["drawer"], plan.id, 0, now=NOW)
    plans.merge(session, people["drawer"], plan.id, 6, 7, now=NOW)
    drawing = plans.drawing_of(plan)
    plans.move(session, people["drawer"], plan.id, neighbours(drawing, 3, 4)[:1].tolist(), 4,
               now=NOW)  # fmt: skip
    approved(session, people, plan)

    done = switched(session, plan)

    new = grids_on(session, DAY)
    assert grids_on(session, DAY - timedelta(days=1)) == old
    assert done.made == [f"{TOWN}001007"]  # never 001..006 again
    gone = set(old) - set(new)
    assert len(gone) == 1
    assert set(done.ended) == gone
    assert set(done.ended.values()) <= {f"{TOWN}002001", f"{TOWN}002002"} - gone
    untouched = [code for code in new if code in old and code not in done.opened]
    assert {f"{TOWN}002004", f"{TOWN}002006"} <= set(untouched)
    assert all(new[code].equals_exact(old[code], 0) for code in untouched)
    assert check_coverage(list(new.values()), list(new), SRID,
                          parent=shapely.union_all(list(old.values()))) == []  # fmt: skip
    assert {shape.geom_type for shape in new.values()} == {"MultiPolygon"}


def test_everything_is_linked_as_if_it_were_linked_anew(session, people):
    plan = drafted(session, people)
    for label in (0, 4, 8):
        plans.split(session, people["drawer"], plan.id, label, now=NOW)
    approved(session, people, plan)
    done = switched(session, plan)

    connection = session.connection()
    index = place_index(connection, DAY)
    for table in FOLLOWERS:
        rows = session.execute(
            text(f"SELECT ST_AsBinary(geom) AS shape, grid_id, area_code FROM {table} ORDER BY id")
        ).all()
        if rows:
            shapes = shapely.from_wkb(np.array([bytes(row.shape) for row in rows], dtype=object))
            found = index.link(link_points(shapes))
            assert [row.area_code for row in rows] == found.area_code.tolist(), table
            assert [row.grid_id for row in rows] == found.grid_id.tolist(), table
    assert done.linked["building"] > 20
    assert done.linked["household"] == done.linked["building"]
    astray = session.scalar(
        text("SELECT count(*) FROM household AS h JOIN dwelling AS d ON d.id = h.dwelling_id"
             " JOIN building AS b ON b.id = d.building_id"
             " WHERE (h.grid_id, h.area_code) IS DISTINCT FROM (b.grid_id, b.area_code)")
    )  # fmt: skip
    assert astray == 0


def test_cells_follow_their_middle_and_know_whether_they_are_whole(session, people):
    plan = drafted(session, people)
    plans.split(session, people["drawer"], plan.id, 1, now=NOW)
    approved(session, people, plan)
    assert switched(session, plan).cells > 0

    wrong = session.scalar(
        text("SELECT count(*) FROM cell AS c LEFT JOIN grid_version AS v"
             " ON v.grid_id = c.grid_id AND v.valid @> CAST(:day AS date)"
             " WHERE c.grid_id IS NOT NULL AND (v.id IS NULL"
             "  OR NOT ST_Covers(ST_Buffer(v.geom, 1e-8), ST_Centroid(c.geom))"
             "  OR c.is_whole AND NOT ST_Covers(ST_Buffer(v.geom, 1e-7), c.geom))"),
        {"day": DAY},
    )  # fmt: skip
    assert wrong == 0


def test_two_people_are_held_by_the_database_too(session, people):
    plan = drafted(session, people)
    plans.split(session, people["drawer"], plan.id, 0, now=NOW)
    plans.submit(session, people["drawer"], plan.id, now=NOW)

    with pytest.raises(SamePlanner):
        plans.approve(session, people["drawer"], plan.id, DAY, today=TODAY, now=NOW)
    with pytest.raises(IntegrityError, match="two_people"), session.begin_nested():
        session.execute(
            text("UPDATE grid_plan SET state = 'approved', approved_by = made_by,"
                 " starts_on = '2026-03-10' WHERE id = :id"), {"id": plan.id})  # fmt: skip
    with pytest.raises(BadDay):
        plans.approve(session, people["second"], plan.id, TODAY, today=TODAY, now=NOW)


def test_edits_name_what_is_wrong_and_change_nothing(session, people):
    plan = drafted(session, people, Wishes(start="none", frozen=(f"{TOWN}001002",)))
    drawer = people["drawer"]
    kept = plan.labels
    first_of_second = int(np.flatnonzero(plans.drawing_of(plan).labels == 6)[0])

    with pytest.raises(OtherCommunity):
        plans.move(session, drawer, plan.id, [first_of_second], 0, now=NOW)
    with pytest.raises(Frozen):
        plans.split(session, drawer, plan.id, 1, now=NOW)
    with pytest.raises(CannotMerge):
        plans.merge(session, drawer, plan.id, 0, 5, now=NOW)
    with pytest.raises(NothingToUndo):
        plans.undo(session, drawer, plan.id, now=NOW)
    with pytest.raises(Faulty):
        plans.submit(session, drawer, plan.id, now=NOW)
    with pytest.raises(NoPlan):
        plans.plan_of(session, planner(session, "far", OTHER_TOWN), plan.id)
    assert plan.labels == kept


def test_a_grid_in_two_pieces_is_not_approved(session, people):
    plan = drafted(session, people)
    drawing = plans.drawing_of(plan)
    inner = np.flatnonzero(drawing.labels == 5)
    touching = neighbours(drawing, 5, 0)
    alone = [at for at in inner.tolist() if at not in touching]
    plans.move(session, people["drawer"], plan.id, alone[:1], 0, now=NOW)

    assert plan.figures["scattered"]
    with pytest.raises(Faulty) as caught:
        plans.submit(session, people["drawer"], plan.id, now=NOW)
    assert caught.value.params["grid"]
    plans.undo(session, people["drawer"], plan.id, now=NOW)
    assert plan.figures["scattered"] == []
    assert plan.edit_no == 0


def test_a_split_gives_two_connected_halves_and_the_larger_keeps_the_name(session, people):
    plan = drafted(session, people)
    for label in range(12):
        plans.split(session, people["drawer"], plan.id, label, now=NOW)
    drawing = plans.drawing_of(plan)

    assert pieces_of(drawing.fabric, drawing.labels, drawing.count)[1].tolist() == [1] * 24
    held = np.bincount(drawing.labels, drawing.fabric.households)
    assert (held[:12] >= held[12:]).all()


def test_a_plan_of_yesterdays_grids_is_outdated(session, people):
    late = drafted(session, people)
    plans.split(session, people["drawer"], late.id, 3, now=NOW)
    first = drafted(session, people)
    plans.split(session, people["drawer"], first.id, 0, now=NOW)
    approved(session, people, late, DAY + timedelta(days=3))
    approved(session, people, first)
    switched(session, first)

    with pytest.raises(Outdated):
        switched(session, late, DAY + timedelta(days=3))
    with pytest.raises(BadDay):
        switched(session, late, DAY)


def case_at(session, person, x, y, now=NOW):
    wanted = Report(id=uuid4(), category=MATTER, lon=x, lat=y, text="垃圾满溢", urgency="C")
    service.submit(session, wanted, person, now=now, vault=VAULT)
    return wanted.id


def test_open_cases_and_work_follow_and_totals_stay(session, people):
    split_code = f"{TOWN}001001"
    worker = planner(session, "worker", split_code, "worker")
    plan = drafted(session, people)
    plans.split(session, people["drawer"], plan.id, 0, now=NOW)
    approved(session, people, plan)
    drawing = plans.drawing_of(plan)
    going = drawing.fabric.patches.polygons[drawing.labels == 12]
    staying = drawing.fabric.patches.polygons[drawing.labels == 0]
    cases = [case_at(session, worker, *shapely.get_coordinates(shapely.point_on_surface(s))[0])
             for s in (*going[:3], *staying[:2])]  # fmt: skip
    filed = totals(session)

    done = switched(session, plan)

    new_code = done.made[0]
    rows = [session.get_one(Incident, one, populate_existing=True) for one in cases]
    assert [row.area_code for row in rows] == [new_code] * 3 + [split_code] * 2
    assert done.cases == 3
    for row in rows:
        assert projection.rebuilt(session, row.id) == projection.of_row(row)
    assert totals(session) == filed == {split_code: 5}
    roles = session.execute(
        text("SELECT role, area_code FROM assignment WHERE account_id = :id ORDER BY id"),
        {"id": worker.account_id},
    ).all()
    assert [tuple(row) for row in roles] == [("worker", split_code), ("worker", new_code)]
    assert done.roles == 1


def totals(session):
    """Cases by the grid in whose version they were filed."""
    rows = session.execute(
        text("SELECT g.code, count(*) AS n FROM incident AS i JOIN grid_version AS v"
             " ON v.id = i.grid_version_id JOIN grid AS g ON g.id = v.grid_id GROUP BY 1")
    )  # fmt: skip
    return {row.code: row.n for row in rows}


def test_who_works_in_a_grid_that_ends_works_in_its_heir(session, people):
    workers = {n: planner(session, f"worker-{n}", f"{TOWN}001{n:03d}", "worker") for n in (1, 2)}
    plan = drafted(session, people)
    plans.merge(session, people["drawer"], plan.id, 0, 1, now=NOW)
    approved(session, people, plan)

    [(gone, heir)] = switched(session, plan).ended.items()

    mine = workers[int(gone[-3:])]
    areas = session.scalars(
        text("SELECT area_code FROM assignment WHERE account_id = :id ORDER BY id"),
        {"id": mine.account_id},
    ).all()
    assert areas == [gone, heir]


def test_a_case_of_the_first_minutes_gets_the_version_of_its_day(session, people):
    worker = planner(session, "worker", f"{TOWN}001001", "worker")
    plan = drafted(session, people)
    plans.split(session, people["drawer"], plan.id, 0, now=NOW)
    approved(session, people, plan)
    drawing = plans.drawing_of(plan)
    spot = shapely.point_on_surface(drawing.fabric.patches.polygons[drawing.labels == 12][0])
    early = datetime(2026, 3, 9, 16, 1, tzinfo=NOW.tzinfo)  # 00:01 of the day in the city
    case = case_at(session, worker, spot.x, spot.y, early)

    done = switched(session, plan, now=early + timedelta(seconds=30))

    row = session.get_one(Incident, case, populate_existing=True)
    assert row.area_code == done.made[0]
    assert totals(session) == {done.made[0]: 1}


def test_the_county_is_no_town(session, people):
    from grids.regrid.errors import NoGrids

    with pytest.raises(NoGrids):
        plans.ask(session, people["drawer"], COUNTY, "调整", STAYS, on=TODAY, now=NOW)


def test_open_hazards_follow_as_their_events_say(session, people):
    code = f"{TOWN}001001"
    worker = planner(session, "worker", code, "worker")
    plan = drafted(session, people)
    plans.split(session, people["drawer"], plan.id, 0, now=NOW)
    approved(session, people, plan)
    drawing = plans.drawing_of(plan)
    for label in (12, 0):
        spot = shapely.point_on_surface(drawing.fabric.patches.polygons[drawing.labels == label][0])
        wanted = StepRequest(
            id=uuid4(), action="report", photos=(make_photo(session),),
            values={"severity": "general", "text": "通道堆物", "point": [spot.x, spot.y]},
        )  # fmt: skip
        hazards.report(session, wanted, worker, now=NOW)

    done = switched(session, plan)

    rows = {row.area_code: row for row in session.scalars(select(Hazard))}
    assert (done.hazards, set(rows)) == (1, {code, done.made[0]})
    for row in rows.values():
        folded = taking.rebuilt(session, hazards.KIND, row.id)
        assert {name: getattr(row, name) for name in folded} == folded
