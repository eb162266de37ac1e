"""A town of 120 grids redrawn and switched, with all that stands in it, on one core.

The town is a sixteenth of the customer's city: 67 km2, 40,000 dwellings, 130,000 persons,
37,000 components, 12,500 cases of a year. The baseline is the time that a redrawing may take.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from bench import Result
from bench.kept import empty_database
from gis.crs import from_metric, to_metric
from grids import accounts
from grids.accounts import Actor
from grids.bulk import copy_frame
from grids.city import City, set_city
from grids.db import engine
from grids.gridding import (
    Barriers,
    Homes,
    Known,
    Layout,
    Name,
    Sizes,
    Territory,
    lay_city,
    store_cells,
    store_divisions,
    store_grids,
)
from grids.gridding.store import to_storage
from grids.linking import link_points, place_index
from grids.regrid import plans, switching
from grids.regrid.designer import design
from grids.regrid.wishes import Wishes

MOST_S = 60.0
GRIDS, DWELLINGS, HOUSES, PERSONS = 120, 40_000, 10_000, 3
COMPONENTS, FIRMS, ADDRESSES, CASES = 37_000, 19_000, 20_000, 12_500
WIDE_M, HIGH_M, STREET_M = 9_000.0, 7_500.0, 240.0
SRID, COUNTY, TOWN, BEGIN = 4549, "339901", "339901001", date(2020, 1, 1)

PEOPLE = """
INSERT INTO dwelling (building_id, use) SELECT b.id, 'own' FROM building AS b,
generate_series(1, b.dwellings);
INSERT INTO household (dwelling_id, kind, cell_id, grid_id, area_code) SELECT d.id, 'family',
b.cell_id, b.grid_id, b.area_code FROM dwelling AS d JOIN building AS b ON b.id = d.building_id;
INSERT INTO person (household_id, name_sealed, id_number_sealed, id_number_index, birth_sealed,
age_band, relation, residency, cell_id, grid_id, area_code, moved_in_on) SELECT h.id, '', '', '',
'', '15-59', 'head', 'registered', h.cell_id, h.grid_id, h.area_code, '2025-01-01' FROM household
AS h, generate_series(1, :each)
"""
CASE = """
INSERT INTO incident (id, number, category_id, category_code, channel, urgency, status,
reported_at, received_at, stage_at, closed_at, event_count, level, cell_id, grid_id,
grid_version_id, area_code, coord_source, source, geom)
SELECT gen_random_uuid(), 'B' || n, c.id, c.code, 'worker', 'C',
CASE WHEN n % 80 = 0 THEN 'pending_file' ELSE 'closed' END, at, at, at,
CASE WHEN n % 80 = 0 THEN NULL ELSE at END, 1, 'county', l.cell_id, l.grid_id,
l.grid_version_id, l.area_code, 'gnss', 'worker', geom
FROM (SELECT row_number() OVER () AS n, geom, now() - n_days * interval '1 day' AS at
      FROM unnest(CAST(:shapes AS bytea[]), CAST(:days AS int[])) AS t (wkb, n_days),
      ST_GeomFromWKB(wkb, 4490) AS geom) AS p, link_place(p.geom) AS l,
(SELECT id, code FROM category ORDER BY id LIMIT 1) AS c
"""


def run(scale: float) -> list[Result]:
    """Survey, design, check and switch, in this order, on one core; `scale` is not asked."""
    with _one_core(), empty_database() as (settings, _):
        pool = engine(settings.owner_url, poolclass=NullPool)
        with Session(pool) as session, session.begin():
            _fill(session)
        with pool.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        with Session(pool) as session, session.begin():
            drawn_s, switched_s = _timed(session)
        pool.dispose()
    return [
        Result("redraw a town of 120 grids", scale, drawn_s, MOST_S, "s", 1.0, "lower"),
        Result("switch it, all rows linked", scale, switched_s, MOST_S, "s", 1.0, "lower"),
        Result("both", scale, drawn_s + switched_s, MOST_S, "s", 1.0, "lower"),
    ]


def _timed(session: Session) -> tuple[float, float]:
    drawer, second = (_planner(session, name) for name in ("drawer", "second"))
    today = datetime.now(UTC).date()
    now = datetime.now(UTC)
    began = time.perf_counter()
    plan = plans.ask(session, drawer, TOWN, "bench", Wishes(grids=GRIDS), on=today, now=now)
    plans.draft(session, plan, design, now=now)
    plans.submit(session, drawer, plan.id, now=now)
    drawn = time.perf_counter() - began
    figures = plan.figures
    print(
        f"{figures['after']['grids']} grids, {len(plans.drawing_of(plan).fabric)} patches;"
        f" most work over mean {figures['before']['hours_ratio']} -> "
        f"{figures['after']['hours_ratio']}; {figures['moved_households']} of"
        f" {figures['households']} households moved"
    )
    day = today + timedelta(days=1)
    plans.approve(session, second, plan.id, day, today=today, now=now)
    began = time.perf_counter()
    done = switching.switch(session, plan, plans.drawing_of(plan), on=day, now=now)
    switched = time.perf_counter() - began
    print(f"rows linked {done.linked}, cells {done.cells}, open cases {done.cases}")
    return drawn, switched


@contextlib.contextmanager
def _one_core() -> Iterator[None]:
    """Keep this process and the database that it starts on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _planner(session: Session, name: str) -> Actor:
    account = accounts.Account(login=name, name=name, password_hash="-")  # noqa: S106
    session.add(account)
    session.flush()
    accounts.assign(session, account, "steward", area_code=COUNTY)
    session.refresh(account)
    found = accounts.actor_of(account, datetime.now(UTC) + timedelta(minutes=1))
    assert found is not None
    return found


def _fill(session: Session) -> None:
    """Lay the town and put everything into it."""
    rng = np.random.default_rng(4)
    set_city(session, City(
        id=1, name_zh="样城", name_en="Sample City", county_code=COUNTY, metric_srid=SRID,
        city_zone="Asia/Shanghai", west=119.9, south=29.2, east=120.3, north=29.5,
    ))  # fmt: skip
    corner = to_metric([[120.0, 29.3]], SRID)[0]
    towns = rng.uniform([0.1, 0.1], [0.9, 0.9], (9, 2)) * [WIDE_M, HIGH_M]
    spread = rng.normal(0, 900, (HOUSES, 2)) + towns[rng.integers(0, 9, HOUSES)]
    houses = np.clip(spread, 5, [WIDE_M - 5, HIGH_M - 5]) + corner
    layout = _laid(corner, houses)
    connection = session.connection()
    store_divisions(connection, layout.divisions, metric_srid=SRID, valid_from=BEGIN)
    ids = store_grids(connection, layout.grids, metric_srid=SRID, valid_from=BEGIN)
    store_cells(connection, layout.grids, ids, metric_srid=SRID, on=BEGIN)
    index = place_index(connection, BEGIN)
    boxes = to_storage(shapely.box(*(houses - 5).T, *(houses + 5).T), SRID)
    copy_frame(connection, "building", {
        "kind": ["residential"] * HOUSES, "area_m2": [100.0] * HOUSES,
        "dwellings": [DWELLINGS // HOUSES] * HOUSES, "geom": boxes,
        **index.link(link_points(boxes)).columns(),
    })  # fmt: skip

    def places(n: int) -> tuple[Any, dict[str, Any]]:
        near = houses[rng.integers(0, HOUSES, n)] + rng.uniform(-40, 40, (n, 2))
        lonlat = from_metric(
            np.clip(near, corner + 1, corner + np.array([WIDE_M - 1, HIGH_M - 1])), SRID
        )
        return shapely.points(lonlat), index.link(lonlat).columns()

    for table, n, fixed in (
        ("component", COMPONENTS, {"code": "01037"}),
        ("enterprise", FIRMS, {"name": "B", "kind": "company", "industry": "F52"}),
        ("premises", FIRMS // 2, {"kind": "shop"}),
    ):
        shapes, links = places(n)
        columns: dict[str, Any] = {name: [value] * n for name, value in fixed.items()}
        if table == "component":
            columns["identifier"] = [f"B{k:016d}" for k in range(n)]
        copy_frame(connection, table, {**columns, "geom": shapes, **links})
    shapes, _ = places(ADDRESSES)
    session.execute(
        text("INSERT INTO address (text, geom) SELECT 'B', ST_GeomFromWKB(w, 4490)"
             " FROM unnest(CAST(:shapes AS bytea[])) AS w"),
        {"shapes": shapely.to_wkb(shapes).tolist()},
    )  # fmt: skip
    for statement in PEOPLE.split(";\n"):
        values = {"each": PERSONS} if ":each" in statement else {}
        session.execute(text(statement), values)
    shapes, _ = places(CASES)
    session.execute(text(CASE), {"shapes": shapely.to_wkb(shapes).tolist(),
                                 "days": rng.integers(0, 360, CASES).tolist()})  # fmt: skip


def _laid(corner: np.ndarray, houses: np.ndarray) -> Layout:
    """Divide the ground by streets as a map import would."""
    x, y = corner
    lines = [
        *(shapely.LineString([(x + at, y - 9), (x + at + 90, y + HIGH_M + 9)])
          for at in np.arange(STREET_M, WIDE_M, STREET_M)),
        *(shapely.LineString([(x - 9, y + at), (x + WIDE_M + 9, y + at + 70)])
          for at in np.arange(STREET_M, HIGH_M, STREET_M)),
    ]  # fmt: skip
    streets = np.empty(len(lines), dtype=object)
    streets[:] = lines
    ground = shapely.box(x, y, x + WIDE_M, y + HIGH_M)
    return lay_city(
        Territory(
            name=Name("样城", "Sample"), county_code=COUNTY, outline=ground,
            barriers=Barriers(streets, np.ones(len(streets))),
            homes=Homes(houses, np.full(len(houses), DWELLINGS / HOUSES)),
            towns=[Known(Name("样镇", "Sample town"), ground)],
            sizes=Sizes(community=2_000, grid=0.8 * DWELLINGS / GRIDS, grids=GRIDS,
                        open_m2=1e9),
        )
    )  # fmt: skip
