"""From a staged map to a territory: borders that are known, places to grow around, barriers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from psycopg import sql
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

from gis.crs import from_metric, to_metric
from grids.bulk import driver
from grids.gridding import Barriers, Homes, Known, Name, Seed, Territory
from grids.importing.osm_rows import Element, english_name, local_name
from grids.importing.osm_stage import LOCATED, Stage, staged_name
from grids.importing.osm_tags import (
    COMMUNITY_PLACES,
    DIVIDERS,
    HOME_STREETS,
    TOWN_PLACES,
)
from grids.importing.outline import ground_of, without_sea

Floats = NDArray[np.float64]

#: Levels of administrative borders that can be towns, the likeliest first.
TOWN_LEVELS = (8, 9, 10, 7, 6)
#: A level is as good as another when it covers nearly as much of what stands in the city.
NEARLY = 0.9
#: A level with less than this has too many gaps to be used.
FEW = 0.25
#: From this share on the known borders are the city's: what stands beyond them is another's.
COMPLETE = 0.9
#: What stands this near to the border was drawn a little off and belongs to the city.
BORDER_REACH_M = 100.0
#: The map is drawn this far beyond the border.
SURROUNDINGS_M = 1_000.0
#: Ground around a thing that was drawn a little off.
BUMP_M = 20.0
#: With fewer homes than this on a map with streets, homes are supposed along the streets.
FEWEST_HOMES = 50
STREET_STEP_M, HOMES_PER_STEP = 25.0, 2.5
#: Water smaller than this does not divide anything.
LAKE_M2 = 10_000.0


@dataclass
class Borders:
    """The administrative areas of a file, in the storage system."""

    levels: list[int] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    chinese: list[str] = field(default_factory=list)  #: the Chinese name, else the local one
    shapes: list[BaseGeometry] = field(default_factory=list)

    def note(self, element: Element) -> None:
        """Keep an element that is an administrative area with a level and a name."""
        tags = element.tags
        level = tags.get("admin_level", "")
        if tags.get("boundary") != "administrative" or not level.isdigit() or not element.outline:
            return
        zh, en = local_name(tags), english_name(tags)
        if zh and en:
            self.levels.append(int(level))
            self.names.append(Name(zh, en))
            self.chinese.append(tags.get("name:zh-Hans") or tags.get("name:zh") or zh)
            self.shapes.append(shapely.make_valid(shapely.from_wkb(element.outline)))

    def of_level(self, level: int) -> list[int]:
        """List the areas of one level, always in the same order."""
        found = [at for at, here in enumerate(self.levels) if here == level]
        return sorted(found, key=lambda at: (self.names[at].zh, self.shapes[at].wkb))


def territory_of(
    stage: Stage,
    borders: Borders,
    *,
    county_code: str,
    name: Name | None,
    fallback: str,
) -> Territory:
    """Describe the staged city for `grids.gridding.lay_city`.

    Where known borders hold nearly everything, what stands beyond them leaves the stage.
    """
    connection, metric_srid = stage.connection, stage.metric_srid
    placed = to_metric(_link_points(connection), metric_srid)
    streets, kinds = _lines(connection, "road", metric_srid)
    level, coverage = _town_level(borders, placed, metric_srid)
    towns = _known(borders, level, metric_srid)
    if coverage >= COMPLETE:
        placed = _inside(stage, towns, placed)
    coast, _ = _lines(connection, "water", metric_srid, only=("coastline",))
    outline = without_sea(_outline(towns, placed, streets, coverage), coast)
    homes = _homes(connection, streets, kinds, metric_srid)
    places = _places(connection, metric_srid)
    return Territory(
        name=name or _city_name(borders, level, towns, places, fallback),
        county_code=county_code,
        outline=outline,
        barriers=_barriers(connection, streets, kinds, metric_srid),
        homes=homes,
        towns=towns,
        communities=_known(borders, _next_level(borders, level), metric_srid),
        town_seeds=[seed for kind, seed in places if kind in TOWN_PLACES],
        community_seeds=[seed for kind, seed in places if kind in COMMUNITY_PLACES],
    )


def _inside(stage: Stage, towns: Sequence[Known], placed: Floats) -> Floats:
    """Leave out what belongs to other cities; return where the rest stands."""
    known = shapely.union_all([town.shape for town in towns])
    reach = known.buffer(BORDER_REACH_M)
    limits = np.array([reach, known.buffer(SURROUNDINGS_M)], dtype=object)
    stage.leave_outside(*shapely.transform(limits, lambda xy: from_metric(xy, stage.metric_srid)))
    kept: Floats = placed[shapely.intersects_xy(reach, placed)]
    return kept


def _link_points(connection: Connection) -> Floats:
    """Read where everything located stands."""
    found = [np.empty((0, 2))]
    for table in LOCATED:
        query = sql.SQL("SELECT link_lon, link_lat FROM {}").format(staged_name(table))
        with driver(connection).cursor(binary=True) as cursor:
            rows = cursor.execute(query).fetchall()
        found.append(np.array(rows, dtype=np.float64).reshape(-1, 2))
    return np.concatenate(found)


def _lines(
    connection: Connection, table: str, metric_srid: int, only: Sequence[str] = tuple(DIVIDERS)
) -> tuple[NDArray[np.object_], list[str]]:
    """Read the lines of some kinds, metric; what runs underground divides nothing."""
    query = sql.SQL("""
        SELECT kind, ST_AsBinary(geom) FROM {}
        WHERE kind = ANY(%s) AND ST_Dimension(geom) = 1 {} ORDER BY id
    """).format(staged_name(table), sql.SQL("AND NOT is_tunnel" if table == "road" else ""))
    rows = driver(connection).execute(query, (list(only),)).fetchall()
    return _metric([row[1] for row in rows], metric_srid), [row[0] for row in rows]


def _metric(coded: Sequence[bytes], metric_srid: int) -> NDArray[np.object_]:
    shapes = shapely.from_wkb(np.array([bytes(wkb) for wkb in coded], dtype=object))
    made = shapely.transform(shapes, lambda xy: to_metric(xy, metric_srid))
    return np.asarray(made, dtype=object)


def _town_level(borders: Borders, placed: Floats, metric_srid: int) -> tuple[int | None, float]:
    """Choose the level whose areas hold most of what stands in the city; say how much."""
    coverage: dict[int, float] = {}
    points = shapely.points(placed)
    for level in TOWN_LEVELS:
        areas = borders.of_level(level)
        if len(areas) < 2 or not len(placed):
            continue
        shapes = _metric([borders.shapes[at].wkb for at in areas], metric_srid)
        held, _ = shapely.STRtree(shapes).query(points, "intersects")
        coverage[level] = len(np.unique(held)) / len(placed)
    best = max(coverage.values(), default=0.0)
    if best < FEW:
        return None, 0.0
    level = next(level for level in TOWN_LEVELS if coverage.get(level, -1.0) >= NEARLY * best)
    return level, coverage[level]


def _next_level(borders: Borders, level: int | None) -> int | None:
    deeper = sorted({here for here in borders.levels if level is not None and here > level})
    return deeper[0] if deeper else None


def _known(borders: Borders, level: int | None, metric_srid: int) -> list[Known]:
    if level is None:
        return []
    areas = borders.of_level(level)
    shapes = _metric([borders.shapes[at].wkb for at in areas], metric_srid)
    return [Known(borders.names[at], shape) for at, shape in zip(areas, shapes, strict=True)]


def _outline(
    towns: Sequence[Known], placed: Floats, streets: NDArray[np.object_], coverage: float
) -> BaseGeometry:
    """Unite the known towns with the ground of what stands outside of them."""
    if not towns:
        corners = shapely.get_coordinates(streets)
        return ground_of(np.concatenate([placed, corners]))
    known = shapely.union_all([town.shape for town in towns])
    shapely.prepare(known)
    outside = placed[~shapely.intersects_xy(known, placed)]
    if coverage >= COMPLETE:
        ground = shapely.union_all(shapely.buffer(shapely.points(outside), BUMP_M, quad_segs=2))
    else:
        ground = ground_of(outside)
    united: BaseGeometry = shapely.union_all([known, ground])
    return united


def _homes(
    connection: Connection, streets: NDArray[np.object_], kinds: Sequence[str], metric_srid: int
) -> Homes:
    rows = (
        driver(connection)
        .execute("SELECT link_lon, link_lat, dwellings FROM staged_building WHERE dwellings > 0")
        .fetchall()
    )
    found = np.array(rows, dtype=np.float64).reshape(-1, 3)
    if len(found) >= FEWEST_HOMES or not len(streets):
        return Homes(to_metric(found[:, :2], metric_srid), found[:, 2])
    lived = streets[np.isin(np.array(kinds, dtype=object), HOME_STREETS)]
    corners, line = shapely.get_coordinates(
        shapely.segmentize(lived, STREET_STEP_M), return_index=True
    )
    starts = np.r_[True, line[1:] != line[:-1]][: len(line)]
    return Homes(corners[~starts], np.full(int((~starts).sum()), HOMES_PER_STEP))


def _places(connection: Connection, metric_srid: int) -> list[tuple[str, Seed]]:
    """Read the named places, the most important first."""
    rows = (
        driver(connection)
        .execute(
            "SELECT kind, name, coalesce(name_en, name), ST_X(geom), ST_Y(geom)"
            " FROM staged_place ORDER BY rank, population DESC NULLS LAST, name, id"
        )
        .fetchall()
    )
    xy = to_metric([(row[3], row[4]) for row in rows], metric_srid)
    return [
        (kind, Seed(Name(zh, en), x, y))
        for (kind, zh, en, _, _), (x, y) in zip(rows, xy.tolist(), strict=True)
    ]


def _barriers(
    connection: Connection, streets: NDArray[np.object_], kinds: Sequence[str], metric_srid: int
) -> Barriers:
    rivers, names = _lines(connection, "water", metric_srid)
    rows = driver(connection).execute(
        "SELECT ST_AsBinary(geom) FROM staged_water"
        " WHERE ST_Dimension(geom) = 2 AND area_m2 > %s AND kind <> 'river' ORDER BY id",
        (LAKE_M2,),
    )
    lakes = shapely.boundary(_metric([row[0] for row in rows], metric_srid))
    strength = [DIVIDERS[kind] for kind in [*kinds, *names]] + [2.0] * len(lakes)
    return Barriers(np.concatenate([streets, rivers, lakes]), np.array(strength))


def _city_name(
    borders: Borders,
    level: int | None,
    towns: Sequence[Known],
    places: Sequence[tuple[str, Seed]],
    fallback: str,
) -> Name:
    """Take the name of the smallest area that holds all towns, else of the largest place."""
    if towns and level is not None:
        middle = shapely.union_all([borders.shapes[at] for at in borders.of_level(level)])
        holders = [
            at
            for at, here in enumerate(borders.levels)
            if here < level and borders.shapes[at].intersection(middle).area > 0.95 * middle.area
        ]
        if holders:
            holder = min(holders, key=lambda at: borders.shapes[at].area)
            return Name(borders.chinese[holder], borders.names[holder].en)
    return places[0][1].name if places else Name(fallback, fallback)
