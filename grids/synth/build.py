"""Build a simulated city and store it, all in one transaction."""

from __future__ import annotations

import json
import time as clock
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.orm import Session

from grids import counts, people
from grids.city import City, set_city
from grids.codes import Department
from grids.errors import Conflict, Invalid
from grids.gridding import store_cells, store_divisions, store_grids
from grids.linking import PlaceIndex, place_index
from grids.secrets import Vault
from grids.synth import store, store_cases
from grids.synth.addresses import Addresses, address_houses
from grids.synth.business import open_firms, rental_houses
from grids.synth.cases import Events, Planted, happen
from grids.synth.divisions import Divided, divide
from grids.synth.fittings import place_components, place_facilities
from grids.synth.history import Teller, number_in_order
from grids.synth.homes import Ints, build_dwellings, settle_people
from grids.synth.lives import Life
from grids.synth.openings import calendar_of, crew_of, openings_of
from grids.synth.plan import CITY_ZONE, COUNTY, METRIC_SRID, NAME_EN, NAME_ZH, Plan, plan_for
from grids.synth.staff import hire
from grids.synth.store import Writer
from grids.synth.world import World, make_world, to_lonlat
from grids.synth.years import built_years

#: The envelope of the checks reaches this far beyond the city, degrees.
MARGIN_DEG = 0.02
#: Divisions and grids hold since then: the oldest incident is a year old.
VALID_SINCE_DAYS = 3 * 366

Progress = Callable[[str], None]


class CityExists(Conflict):
    """There is a city already; it is replaced only when that is asked for."""

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
    replace: bool = False,
    manifest: Path | None = None,
) -> SynthReport:
    """Fill the database with a simulated city; the same scale, seed and instant always alike.

    The year of incidents ends at `now`, by default noon of `today` in the city's zone.
    Owner role only. Raises `CityExists` where there is a city and `replace` is not set,
    `NoCodes` before the code lists are loaded, and `ValueError` for an impossible scale.
    """
    started = clock.monotonic()
    plan = plan_for(scale, seed, today)
    until = now or datetime.combine(today, time(12), ZoneInfo(CITY_ZONE))
    with owner_engine.begin() as connection:
        _make_room(connection, replace=replace)
        out = Writer(connection)
        planted = _fill(connection, out, plan, vault, until, progress)
        progress("counts for the map")
        connection.execute(text("ANALYZE"))
        counts.refresh(connection, until)
        people.publish_counts(connection, until)
    report = SynthReport(
        scale, seed, today, out.counts, planted, out.digest(), round(clock.monotonic() - started, 1)
    )
    if manifest is not None:
        report.write(manifest)
    return report


def _make_room(connection: Connection, *, replace: bool) -> None:
    if connection.execute(text("SELECT 1 FROM department LIMIT 1")).first() is None:
        raise NoCodes("load the code lists first")
    used = connection.execute(text("SELECT 1 FROM city UNION ALL SELECT 1 FROM incident LIMIT 1"))
    if used.first() is None:
        return
    if not replace:
        raise CityExists("there is a city already")
    store.wipe(connection)


def _fill(
    connection: Connection, out: Writer, plan: Plan, vault: Vault, now: datetime,
    progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    progress("streets, blocks, buildings")
    world = make_world(plan)
    addresses, built = address_houses(world), built_years(world)
    dwellings = build_dwellings(plan, world)
    progress("towns, communities, duty grids")
    divided = divide(world, dwellings)
    _set_space(connection, world)
    store.store_map(out, world)
    index = _store_divided(connection, out, plan, divided)
    address_ids, building_ids, where = store.store_buildings(
        out, world, addresses, dwellings, built, index
    )
    progress("households and persons, sealed")
    residents = settle_people(plan, world, dwellings)
    store.store_people(out, vault, dwellings, residents, building_ids, where)
    progress("enterprises, premises, components")
    firms, sites = open_firms(plan, world)
    rentals = rental_houses(world, dwellings, addresses.text)
    store.store_firms(out, plan, vault, firms, sites, rentals, address_ids, building_ids, index)
    components = place_components(plan, world)
    component_ids = store.store_fittings(out, components, place_facilities(plan, world), index)
    progress("a year of incidents")
    events, planted = happen(plan, world, dwellings, sites, components, built, now)
    return _store_year(
        connection, out, plan, vault, now, events, planted, index,
        addresses=addresses, component_ids=component_ids, building_ids=building_ids,
        grids=[grid.code for grid in divided.grids],
    )  # fmt: skip


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


def _store_divided(connection: Connection, out: Writer, plan: Plan, divided: Divided) -> PlaceIndex:
    since = plan.today - timedelta(days=VALID_SINCE_DAYS)
    out.counts["area"] = store_divisions(
        connection, divided.divisions, metric_srid=METRIC_SRID, valid_from=since
    )
    ids = store_grids(connection, divided.grids, metric_srid=METRIC_SRID, valid_from=since)
    out.counts["grid"] = len(ids)
    out.counts["cell"] = store_cells(
        connection, divided.grids, ids, metric_srid=METRIC_SRID, on=plan.today
    )
    return place_index(connection, plan.today)


def _store_year(
    connection: Connection, out: Writer, plan: Plan, vault: Vault, now: datetime, events: Events,
    planted: Planted, index: PlaceIndex, *, addresses: Addresses, component_ids: Ints,
    building_ids: Ints, grids: list[str],
) -> dict[str, Any]:  # fmt: skip
    for table in ("incident_event", "feed"):
        connection.execute(
            text("SELECT ensure_months(:table, CAST(:day AS date), 16)"),
            {"table": table, "day": plan.today - timedelta(days=420)},
        )
    departments = list(connection.scalars(select(Department.code).order_by(Department.sort)))
    staff = hire(plan, grids, departments)
    account_ids = store_cases.store_staff(out, plan, staff)
    lonlat = to_lonlat(events.xy)
    linked = index.link(lonlat)
    crew = crew_of(staff, account_ids)
    openings = openings_of(
        connection, plan, events, linked.area_code, addresses, crew, component_ids
    )
    teller = Teller(plan.rng("lives"), calendar_of(connection), crew, now)
    lives = [
        teller.tell(opening, store_cases.instant(at))
        for opening, at in zip(openings, events.at_s.tolist(), strict=True)
    ]
    numbers = number_in_order(lives, calendar_of(connection))
    store_cases.store_cases(
        out, vault, lives, lonlat, linked, store_cases.grid_versions(connection, plan.today)
    )
    store_cases.store_reporters(out, vault, lives, plan.rng("reporters"))
    doubles = [(lives[k], lives[of]) for k, of in enumerate(events.of.tolist())
               if events.cause[k] == "duplicate"]  # fmt: skip
    store_cases.store_links(out, doubles)
    store_cases.keep_numbers(connection, numbers)
    return _manifest(events, planted, lives, lonlat, building_ids)


def _manifest(
    events: Events, planted: Planted, lives: list[Life], lonlat: np.ndarray[Any, Any],
    building_ids: Ints,
) -> dict[str, Any]:  # fmt: skip
    """List what was planted, by case number, for those who test whether it is found."""

    def cases(cause: str) -> list[dict[str, Any]]:
        return [
            {"case": str(lives[k].case.id), "of": str(lives[of].case.id)}
            for k, of in enumerate(events.of.tolist()) if events.cause[k] == cause
        ]  # fmt: skip

    spots = to_lonlat(np.array([(spot["x"], spot["y"]) for spot in planted.hot_spots]))
    burned = [k for k in range(len(lives)) if events.cause[k] == "fire"]
    return {
        "hot_spots": [
            {"lon": round(float(lon), 6), "lat": round(float(lat), 6),
             "radius_m": spot["radius_m"], "codes": spot["codes"]}
            for (lon, lat), spot in zip(spots, planted.hot_spots, strict=True)
        ],
        "near_repeats": cases("repeat"),
        "duplicates": cases("duplicate"),
        "fire_odds": planted.fire_odds,
        "fires": [
            {"case": str(lives[k].case.id), "building": int(building_ids[fire["building"]]),
             "factors": fire["factors"], "lon": round(float(lonlat[k, 0]), 6),
             "lat": round(float(lonlat[k, 1]), 6)}
            for k, fire in zip(burned, planted.fires, strict=True)
        ],
    }  # fmt: skip
