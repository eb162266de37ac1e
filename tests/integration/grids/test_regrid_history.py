"""Whatever is split, merged, moved and switched: on every date each cell lies in one grid."""

from datetime import date, timedelta

import hypothesis.strategies as st
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from gis.lattice import cell_centres
from gis.topology import check_coverage
from grids.errors import GridsError
from grids.regrid import plans, switching
from grids.regrid.wishes import Wishes
from tests.support.grids import NOW, SRID, TOWN, build_town, planner

FIRST = date(2026, 3, 5)
EDITS = st.lists(
    st.tuples(st.sampled_from(("split", "merge", "move")), st.integers(0, 30),
              st.integers(0, 30), st.integers(0, 10_000)),
    min_size=1, max_size=5,
)  # fmt: skip
HISTORY = st.lists(st.tuples(st.integers(1, 40), EDITS), min_size=1, max_size=3)


@pytest.fixture
def town(session):
    build_town(session)
    return planner(session, "drawer"), planner(session, "second")


def edit(session, drawer, plan, one):
    """Make an edit that names grids and patches by chance; refused ones change nothing."""
    kind, a, b, patch = one
    drawing = plans.drawing_of(plan)
    a, b = a % drawing.count, b % drawing.count
    try:
        if kind == "split":
            plans.split(session, drawer, plan.id, a, now=NOW)
        elif kind == "merge":
            plans.merge(session, drawer, plan.id, a, b, now=NOW)
        else:
            # A patch on the border, to the grid across it: what a hand would paint.
            x, y = drawing.fabric.patches.pairs.T
            across = np.flatnonzero(drawing.labels[x] != drawing.labels[y])
            at = across[patch % len(across)]
            plans.move(session, drawer, plan.id, [int(x[at])], int(drawing.labels[y[at]]), now=NOW)
    except GridsError:
        return False
    return True


def grids_on(session, day):
    rows = session.execute(
        text("SELECT g.code, ST_AsBinary(v.geom) AS shape FROM grid_version AS v"
             " JOIN grid AS g ON g.id = v.grid_id"
             " WHERE v.valid @> CAST(:day AS date) AND starts_with(g.code, :town)"
             " ORDER BY g.code"),
        {"day": day, "town": TOWN},
    ).all()  # fmt: skip
    shapes = shapely.from_wkb(np.array([bytes(row.shape) for row in rows], dtype=object))
    return [row.code for row in rows], shapes


def play(session, town, history):
    """Take the town through plans; return the days on which it was switched."""
    drawer, second = town
    day, days = FIRST, []
    for gap, edits in history:
        day += timedelta(days=gap)
        plan = plans.ask(session, drawer, TOWN, "调整", Wishes(start="none"),
                         on=day - timedelta(days=1), now=NOW)  # fmt: skip
        plans.draft(session, plan, lambda drawing: drawing, now=NOW)
        for one in edits:
            edit(session, drawer, plan, one)
        try:
            plans.submit(session, drawer, plan.id, now=NOW)
        except GridsError:  # nothing was changed, or a grid lies in pieces
            plans.drop(session, drawer, plan.id, now=NOW)
            continue
        plans.approve(session, second, plan.id, day, today=FIRST, now=NOW)
        switching.switch(session, plan, plans.drawing_of(plan), on=day, now=NOW)
        days.append(day)
    return days


def test_every_cell_lies_in_one_grid_on_every_date(session, town):
    _, before = grids_on(session, FIRST)
    ground = shapely.union_all(before)
    cells = np.array(
        session.scalars(text("SELECT cell_id FROM cell WHERE grid_id IS NOT NULL"
                             " AND starts_with(area_code, :t)"), {"t": TOWN}).all()
    )  # fmt: skip
    points = shapely.points(cell_centres(cells, SRID))
    switches = []

    @settings(max_examples=12, deadline=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(HISTORY)
    def holds(history):
        savepoint = session.begin_nested()
        days = play(session, town, history)
        switches.extend(days)
        for day in {FIRST, *days, *(d - timedelta(days=1) for d in days),
                    *(d + timedelta(days=400) for d in days)}:  # fmt: skip
            codes, shapes = grids_on(session, day)
            held = np.bincount(shapely.STRtree(shapes).query(points, "within")[0],
                               minlength=len(cells))  # fmt: skip
            assert (held == 1).all(), day
            assert check_coverage(list(shapes), codes, SRID, parent=ground) == []
        if days:
            kept = session.scalar(
                text("SELECT count(*) FROM cell JOIN grid_version AS v ON v.grid_id = cell.grid_id"
                     " AND v.valid @> CAST(:day AS date) WHERE starts_with(area_code, :t)"),
                {"day": days[-1], "t": TOWN},
            )  # fmt: skip
            assert kept == len(cells)
        codes_used = session.scalar(text("SELECT count(*) = count(DISTINCT code) FROM grid"))
        assert codes_used
        savepoint.rollback()
        session.expire_all()

    holds()
    assert len(switches) > 8  # the search did change grids
