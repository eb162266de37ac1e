"""Build a city from any OpenStreetMap extract, in one transaction and bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from gis.crs import metric_srid_for
from grids import city as cities
from grids.addressing import quality
from grids.counts import refresh as refresh_counts
from grids.gridding import (
    Layout,
    Name,
    Territory,
    lay_city,
    store_cells,
    store_divisions,
    store_grids,
)
from grids.importing.osm_divide import Borders, territory_of
from grids.importing.osm_read import EmptyExtract, Losses, centre_of, elements
from grids.importing.osm_rows import rows_of
from grids.importing.osm_stage import TABLES, Stage
from grids.importing.osm_store import (
    count_households,
    gather_statistics,
    store_base_map,
    store_located,
)
from grids.importing.replace import clear_city, refuse_to_lose_cases
from grids.importing.timezone import zone_near
from grids.linking import place_index

Progress = Callable[[str], None]
Envelope = tuple[float, float, float, float]

ATTRIBUTION: Final = "© OpenStreetMap contributors, ODbL"
#: Degrees around everything that is stored; unit cells reach over the city's edge.
MARGIN_DEG: Final = 0.01
WORLD: Final[Envelope] = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True)
class TableReport:
    """What a file held for one table: found = stored + skipped."""

    stored: int
    skipped: dict[str, int]  #: reason -> rows
    repaired: int  #: of the stored, with a geometry that had to be made valid

    @property
    def found(self) -> int:
        """Rows that the file asked for."""
        return self.stored + sum(self.skipped.values())


@dataclass(frozen=True)
class ImportReport:
    """What an import made of a file."""

    name: Name
    metric_srid: int
    city_zone: str
    envelope: Envelope
    tables: dict[str, TableReport]
    towns: int
    communities: int
    grids: int
    cells: int
    ways_cut: int  #: ways that lost nodes which the file does not have
    seconds: float

    def lines(self) -> list[str]:
        """Write the report for a terminal."""
        laid = f"{self.towns} towns, {self.communities} communities, {self.grids} grids"
        space = f"{self.cells} cells, EPSG:{self.metric_srid}, {self.city_zone}"
        written = [f"{self.name.zh} / {self.name.en}: {laid}, {space}"]
        for table, counts in self.tables.items():
            skipped = "; ".join(f"{n} {reason}" for reason, n in sorted(counts.skipped.items()))
            written.append(
                f"{table}: {counts.stored} of {counts.found} stored"
                + (f", {counts.repaired} repaired" if counts.repaired else "")
                + (f", skipped: {skipped}" if skipped else "")
            )
        return written


def import_osm(
    owner_engine: Engine,
    path: Path,
    county_code: str,
    *,
    progress: Progress = lambda _line: None,
    name: Name | None = None,
    city_zone: str | None = None,
    envelope: Envelope | None = None,
    force: bool = False,
) -> ImportReport:
    """Replace the city's map by what a file holds; all or nothing.

    Name, time zone and envelope are derived from the data where they are not given. Raises
    `UnreadablePbf` and `EmptyExtract` for the file and `CasesExist` where cases would be
    lost, unless `force`; nothing is changed then.
    """
    started = perf_counter()
    lon, lat = centre_of(path)
    zone = city_zone or zone_near(lon, lat)
    with owner_engine.begin() as connection:
        refuse_to_lose_cases(connection, force=force)
        stage = Stage(connection, metric_srid_for(lon, lat), envelope)
        territory, losses = _read(stage, path, progress, county_code=county_code, name=name)
        progress("laying towns, communities and grids")
        layout = lay_city(territory)
        progress(f"storing {len(layout.grids)} grids and what lies in them")
        box = envelope or _around(stage)
        cells = _store(connection, stage, layout, _city(territory, stage, zone, box))
    return ImportReport(
        name=territory.name,
        metric_srid=stage.metric_srid,
        city_zone=zone,
        envelope=box,
        tables=_table_reports(stage, losses),
        towns=sum(1 for division in layout.divisions if len(division.code) == 9),
        communities=sum(1 for division in layout.divisions if len(division.code) == 12),
        grids=len(layout.grids),
        cells=cells,
        ways_cut=losses.ways_cut,
        seconds=perf_counter() - started,
    )


def _read(
    stage: Stage, path: Path, progress: Progress, *, county_code: str, name: Name | None
) -> tuple[Territory, Losses]:
    losses, borders = Losses(), Borders()
    for n, element in enumerate(elements(path, losses), 1):
        for table, row in rows_of(element):
            stage.add(table, row)
        borders.note(element)
        if n % 100_000 == 0:
            progress(f"{n} elements read")
    stage.finish()
    if not any(tally.stored for tally in stage.tallies.values()):
        raise EmptyExtract(f"{path.name} holds nothing that a city is made of", file=path.name)
    progress("finding borders, places and barriers")
    territory = territory_of(
        stage,
        borders,
        county_code=county_code,
        name=name,
        fallback=path.name.split(".")[0],
    )
    return territory, losses


def _around(stage: Stage) -> Envelope:
    west, south, east, north = stage.bounds.tolist()
    return west - MARGIN_DEG, south - MARGIN_DEG, east + MARGIN_DEG, north + MARGIN_DEG


def _city(territory: Territory, stage: Stage, zone: str, box: Envelope) -> cities.City:
    west, south, east, north = box
    return cities.City(
        name_zh=territory.name.zh,
        name_en=territory.name.en,
        county_code=territory.county_code,
        metric_srid=stage.metric_srid,
        city_zone=zone,
        west=west,
        south=south,
        east=east,
        north=north,
        attribution=ATTRIBUTION,
    )


def _store(connection: Connection, stage: Stage, layout: Layout, city: cities.City) -> int:
    """Empty the registers and fill them; return the number of unit cells."""
    today = _first_day(connection, city.city_zone)
    srid = stage.metric_srid
    clear_city(connection)
    with Session(connection) as session:
        cities.set_city(session, city)
        session.commit()  # of the session only: the connection's transaction goes on
    store_divisions(connection, layout.divisions, metric_srid=srid, valid_from=today)
    ids = store_grids(connection, layout.grids, metric_srid=srid, valid_from=today)
    cells = store_cells(connection, layout.grids, ids, metric_srid=srid, on=today)
    store_base_map(connection)
    store_located(connection, place_index(connection, today), stage)
    quality.refresh(connection, srid)
    count_households(connection)
    gather_statistics(connection)
    refresh_counts(connection, datetime.now(UTC))
    return cells


def _first_day(connection: Connection, zone: str) -> date:
    """Choose the day from which the grids are valid.

    Where the database's day is behind the city's, the earlier counts: its trigger must find
    the grids at once.
    """
    there: date = connection.execute(text("SELECT current_date")).scalar_one()
    here = datetime.now(ZoneInfo(zone)).date()
    return min(there, here)


def _table_reports(stage: Stage, losses: Losses) -> dict[str, TableReport]:
    reports = {}
    for table in TABLES:
        tally = stage.tallies[table]
        skipped = Counter(tally.skipped)
        for (lost, reason), n in losses.skipped.items():
            if lost == table:
                skipped[reason] += n
        reports[table] = TableReport(tally.stored, dict(skipped), tally.repaired)
    return reports
