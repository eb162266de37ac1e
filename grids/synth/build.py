"""Build a simulated city and store it part by part, so that a build that was killed goes on."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time as clock
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from grids import counts, people, quality
from grids.base_numbers.sheet import keep
from grids.city import City, set_city
from grids.codes import Department
from grids.errors import Conflict, Invalid
from grids.gridding import store_cells, store_divisions, store_grids
from grids.linking import place_index
from grids.quality import alarms
from grids.secrets import Vault
from grids.synth import marks, store, store_cases
from grids.synth.cases import Events, Planted, happen
from grids.synth.divisions import Divided, divide
from grids.synth.docket import Docket, first_month, make_docket, store_links
from grids.synth.economy import store_economy
from grids.synth.history import Teller
from grids.synth.homes import Ints
from grids.synth.marks import Mark
from grids.synth.moves import told
from grids.synth.openings import Openings, calendar_of, crew_of
from grids.synth.parts import Site, Works, survey
from grids.synth.plan import CITY_ZONE, COUNTY, METRIC_SRID, NAME_EN, NAME_ZH, Plan, plan_for
from grids.synth.staff import hire
from grids.synth.store import Writer
from grids.synth.world import World, to_lonlat

#: The envelope of the checks reaches this far beyond the city, degrees.
MARGIN_DEG = 0.02
#: Divisions and grids hold since this long before the oldest case may have come in.
VALID_SINCE_YEARS = 2
#: From this scale on the parts are shared among processes; below, starting them costs more.
SHARED_FROM = 0.05
MOST_PROCESSES = 4
GROUND, LINKS = "ground", "links"

Progress = Callable[[str], None]


class CityExists(Conflict):
    """There is a city already, whole or half built; it is replaced only when that is asked for."""

    code = "synth.city_exists"


class NoCodes(Invalid):
    """The code lists must be loaded before a city is simulated."""

    code = "synth.no_codes"


@dataclass(frozen=True)
class SynthReport:
    """What was built: rows by table, what was planted, and a digest that a seed repeats."""

    scale: float
    seed: int
    today: date
    counts: dict[str, int]
    planted: dict[str, Any]
    digest: str
    seconds: float

    def write(self, path: Path) -> None:
        """Write the manifest as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(asdict(self), ensure_ascii=False, indent=1, default=str), encoding="utf-8"
        )


def build(
    owner_engine: Engine,
    *,
    scale: float,
    seed: int,
    vault: Vault,
    progress: Progress = lambda _: None,
    today: date,
    now: datetime | None = None,
    years: int = 1,
    replace: bool = False,
    manifest: Path | None = None,
    processes: int | None = None,
) -> SynthReport:
    """Fill the database with a simulated city; the same scale, seed and instant always alike.

    The years of incidents end at `now`, by default noon of `today` in the city's zone. Every
    part is written and marked in one transaction: a build of the same scale, seed and years
    that was cut off goes on with what is missing, and keeps the instant it was begun with.
    Owner role only. Raises `CityExists` where there is a city, or half of another one, and
    `replace` is not set, `NoCodes` before the code lists are loaded, and `ValueError` for an
    impossible scale.
    """
    started = clock.monotonic()
    until = now or datetime.combine(today, time(12), ZoneInfo(CITY_ZONE))
    with owner_engine.begin() as connection:
        plan, until = _opened(connection, plan_for(scale, seed, today, years), until, replace)
    progress("streets, blocks, buildings, people")
    site = survey(plan)
    works, events, planted = _ground(owner_engine, site, vault, until, progress)
    with _crowd(works, owner_engine, processes or _processes(plan)) as workers:
        _write(owner_engine, workers, works.first_parts(), progress)
        _write(owner_engine, workers, works.later_parts(), progress)
    progress("counts for the map")
    with owner_engine.begin() as connection:
        done = _finished(connection, works.docket, until, plan.today)
    report = SynthReport(
        scale=scale,
        seed=seed,
        today=plan.today,
        counts=_sum(mark.counts for mark in done),
        planted=_manifest(events, planted, works),
        digest=hashlib.sha256("".join(mark.digest for mark in done).encode()).hexdigest(),
        seconds=round(clock.monotonic() - started, 1),
    )
    if manifest is not None:
        report.write(manifest)
    return report


def is_unfinished(connection: Connection) -> bool:
    """Say whether a city is half built: the build that was cut off has to go on."""
    return bool(marks.read(connection))


def _opened(
    connection: Connection, plan: Plan, now: datetime, replace: bool
) -> tuple[Plan, datetime]:
    """Begin a city, or take up one that was cut off, with the instant it was begun with."""
    if connection.execute(text("SELECT 1 FROM department LIMIT 1")).first() is None:
        raise NoCodes("load the code lists first")
    wanted = {"scale": plan.scale, "seed": plan.seed, "years": plan.years}
    begun = marks.read(connection).get(marks.RUN)
    if begun is not None and not replace:
        if {name: begun.kept[name] for name in wanted} != wanted:
            raise CityExists("another city is half built")
        today = date.fromisoformat(begun.kept["today"])
        return (
            plan_for(plan.scale, plan.seed, today, plan.years),
            datetime.fromisoformat(begun.kept["now"]),
        )
    used = connection.execute(text("SELECT 1 FROM city UNION ALL SELECT 1 FROM incident LIMIT 1"))
    if used.first() is not None:
        if not replace:
            raise CityExists("there is a city already")
        store.wipe(connection)
    marks.begin(connection, {**wanted, "today": plan.today.isoformat(), "now": now.isoformat()})
    return plan, now


def _ground(
    owner_engine: Engine, site: Site, vault: Vault, now: datetime, progress: Progress
) -> tuple[Works, Events, Planted]:
    """Write what everything else stands on, and get the other parts ready."""
    with owner_engine.begin() as connection:
        mark = marks.read(connection).get(GROUND)
        if mark is None:
            mark = _write_ground(connection, site, progress)
            marks.add(connection, mark)
        progress("what happens in the city")
        keys = {name: _unpacked(*span) for name, span in mark.kept["keys"].items()}
        events, planted = happen(
            site.plan, site.world, site.dwellings, site.sites, site.components, site.built, now
        )
        index = place_index(connection, site.plan.today)
        lonlat = to_lonlat(events.xy)
        linked = index.link(lonlat)
        crew = crew_of(_staff(connection, site.plan, mark.kept["grids"]), keys["account"])
        openings = Openings(
            connection, site.plan, events, linked.area_code, site.addresses, crew,
            keys["component"],
        )  # fmt: skip
        teller = Teller(calendar_of(connection), crew, now)
        docket = make_docket(events, openings, teller, lonlat, linked, now)
    return Works(site, vault, index, keys, docket), events, planted


def _write_ground(connection: Connection, site: Site, progress: Progress) -> Mark:
    out, plan = Writer(connection), site.plan
    _set_space(connection, site.world)
    store.store_map(out, site.world)
    progress("towns, communities, duty grids")
    divided = divide(site.world, site.dwellings)
    _store_divided(connection, out, plan, divided)
    store_economy(out, plan, divided.divisions)
    keys = {table: out.ids(table, count) for table, count in site.sizes().items()}
    index = place_index(connection, plan.today)
    store.store_buildings(out, site.world, site.addresses, site.dwellings, site.built, index, keys)
    grids = [grid.code for grid in divided.grids]
    keys["account"] = store_cases.store_staff(out, plan, _staff(connection, plan, grids))
    for table in ("incident_event", "feed"):
        connection.execute(
            text("SELECT ensure_months(:table, CAST(:day AS date), :months)"),
            {"table": table, "day": first_month(plan), "months": 12 * plan.years + 4},
        )
    kept = {"keys": {name: _packed(ids) for name, ids in keys.items()}, "grids": grids}
    return Mark(GROUND, out.counts, out.digest(), kept)


def _staff(connection: Connection, plan: Plan, grids: list[str]) -> Any:
    departments = list(connection.scalars(select(Department.code).order_by(Department.sort)))
    return hire(plan, grids, departments)


def _packed(ids: Ints) -> list[int]:
    """Write reserved keys shortly: only the first may stand apart from the others."""
    return [int(ids[0]), int(ids[-1]), len(ids)] if len(ids) else [0, 0, 0]


def _unpacked(first: int, last: int, count: int) -> Ints:
    if not count:
        return np.empty(0, dtype=np.int64)
    return np.append([first], np.arange(last - count + 2, last + 1)).astype(np.int64)


def _processes(plan: Plan) -> int:
    """Choose how many processes write: the database needs as much of the machine as they do."""
    if plan.scale < SHARED_FROM:
        return 1
    return max(1, min(MOST_PROCESSES, os.cpu_count() or 1))


#: What a writing process works on; set before the processes are made, which inherit it.
_at_work: tuple[Works, Any] | None = None


@contextmanager
def _crowd(works: Works, owner_engine: Engine, processes: int) -> Iterator[Executor | None]:
    """Give processes that write parts, each over a connection of its own; None for one."""
    global _at_work
    _at_work = (works, owner_engine.url)
    try:
        if processes == 1:
            yield None
            return
        with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
            yield pool
    finally:
        _at_work = None


def _write(
    owner_engine: Engine, workers: Executor | None, names: list[str], progress: Progress
) -> None:
    """Write those of some parts that have no mark yet."""
    with owner_engine.begin() as connection:
        done = marks.read(connection)
    missing = [name for name in names if name not in done]
    written = map(_write_part, missing) if workers is None else workers.map(_write_part, missing)
    for k, name in enumerate(written, 1):
        if k % 10 == 0 or k == len(missing):
            progress(f"{name.partition(' ')[0]}, part {k} of {len(missing)}")


def _write_part(name: str) -> str:
    assert _at_work is not None
    works, url = _at_work
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    with engine.begin() as connection:
        out = works.write(name, connection)
        marks.add(connection, Mark(name, out.counts, out.digest(), {}))
    return name


def _finished(connection: Connection, docket: Docket, now: datetime, today: date) -> list[Mark]:
    """Write what looks at the whole city, remove the marks and return them."""
    out = Writer(connection)
    store_links(out, docket)
    store_cases.keep_numbers(connection, docket.per_day)
    done = marks.read(connection)
    connection.execute(text("ANALYZE"))
    counts.refresh(connection, now)
    people.publish_counts(connection, now)
    quality.run(connection, today)
    alarms.watch(connection, today, now)
    keep(connection, today.replace(day=1))
    marks.end(connection)
    done[LINKS] = Mark(LINKS, out.counts, out.digest(), {})
    return [done[name] for name in sorted(done)]


def _sum(tallies: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for tally in tallies:
        for table, rows in tally.items():
            total[table] = total.get(table, 0) + rows
    return total


def _set_space(connection: Connection, world: World) -> None:
    """Name the city and set its envelope, before any geometry comes in."""
    edge = to_lonlat(shapely.get_coordinates(world.boundary))
    west, south = np.floor((edge.min(axis=0) - MARGIN_DEG) * 1e3) / 1e3
    east, north = np.ceil((edge.max(axis=0) + MARGIN_DEG) * 1e3) / 1e3
    with Session(connection) as session:
        set_city(
            session,
            City(
                name_zh=NAME_ZH, name_en=NAME_EN, county_code=COUNTY, metric_srid=METRIC_SRID,
                city_zone=CITY_ZONE, west=float(west), south=float(south), east=float(east),
                north=float(north), attribution="",
            ),
        )  # fmt: skip
        session.flush()


def _store_divided(connection: Connection, out: Writer, plan: Plan, divided: Divided) -> None:
    since = plan.today - timedelta(days=366 * (plan.years + VALID_SINCE_YEARS))
    out.counts["area"] = store_divisions(
        connection, divided.divisions, metric_srid=METRIC_SRID, valid_from=since
    )
    ids = store_grids(connection, divided.grids, metric_srid=METRIC_SRID, valid_from=since)
    out.counts["grid"] = len(ids)
    out.counts["cell"] = store_cells(
        connection, divided.grids, ids, metric_srid=METRIC_SRID, on=plan.today
    )


def _manifest(events: Events, planted: Planted, works: Works) -> dict[str, Any]:
    """List what was planted, by case, for those who test whether it is found."""
    docket = works.docket

    def cases(cause: str) -> list[dict[str, Any]]:
        return [
            {"case": str(docket.openings.id(k)), "of": str(docket.openings.id(int(events.of[k])))}
            for k in np.flatnonzero(events.cause == cause).tolist()
        ]

    spots = to_lonlat(np.array([(spot["x"], spot["y"]) for spot in planted.hot_spots]))
    burned = np.flatnonzero(events.cause == "fire").tolist()
    return {
        "hot_spots": [
            {"lon": round(float(lon), 6), "lat": round(float(lat), 6),
             "radius_m": spot["radius_m"], "codes": spot["codes"]}
            for (lon, lat), spot in zip(spots, planted.hot_spots, strict=True)
        ],
        "person_events": told(works.site.past.events),
        "near_repeats": cases("repeat"),
        "duplicates": cases("duplicate"),
        "fire_odds": planted.fire_odds,
        "fires": [
            {"case": str(docket.openings.id(k)),
             "building": int(works.keys["building"][fire["building"]]),
             "factors": fire["factors"], "lon": round(float(docket.lonlat[k, 0]), 6),
             "lat": round(float(docket.lonlat[k, 1]), 6)}
            for k, fire in zip(burned, planted.fires, strict=True)
        ],
    }  # fmt: skip
