"""Collect rows in temporary tables, a batch at a time, with geometry made valid."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Connection

from gis.crs import to_metric
from grids.bulk import copy_frame, driver, reserve_ids
from grids.importing.dwellings import estimate
from grids.linking import link_points

Shapes = NDArray[np.object_]
Columns = dict[str, Any]

BATCH: Final = 10_000
LOCATED: Final = ("address", "building", "component", "facility", "premises")
BASE_MAP: Final = ("road", "water", "landuse", "place")
TABLES: Final = (*BASE_MAP, *LOCATED)
_POINTS: Final = ("place", "address", "facility", "premises")
_POLYGONS: Final = ("building", "landuse")
_SHAPE: Final = sql.SQL("ST_GeomFromWKB(%(shape)s, 4490)")
_LINE, _POLYGON, _MULTIPOLYGON = 1, 3, 6


@dataclass
class Tally:
    """Rows of one table: what was found and what became of it."""

    stored: int
    skipped: Counter[str]
    repaired: int


class Stage:
    """Temporary tables beside the real ones; what is staged changes nothing yet."""

    def __init__(
        self,
        connection: Connection,
        metric_srid: int,
        envelope: tuple[float, float, float, float] | None = None,
    ) -> None:
        self.connection = connection
        self.envelope = envelope
        self.metric_srid = metric_srid
        self.tallies = {table: Tally(0, Counter(), 0) for table in TABLES}
        self._waiting: dict[str, list[Columns]] = defaultdict(list)
        self.bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
        for table in TABLES:
            _create(connection, table)

    def add(self, table: str, row: Columns) -> None:
        """Take one row; it reaches the database with its batch."""
        waiting = self._waiting[table]
        waiting.append(row)
        if len(waiting) >= BATCH:
            self._flush(table)

    def finish(self) -> None:
        """Send what is still waiting."""
        for table in TABLES:
            self._flush(table)

    def leave_outside(self, reach: shapely.Geometry, surroundings: shapely.Geometry) -> None:
        """Leave out what stands outside of `reach` and what is drawn outside of `surroundings`.

        Rivers and land are cut off there: one river may run on through half a country.
        """
        lonlat = sql.SQL("ST_SetSRID(ST_MakePoint(link_lon, link_lat), 4490)")
        for table in TABLES:
            place, limit = (lonlat, reach) if table in LOCATED else (sql.SQL("geom"), surroundings)
            query = sql.SQL("DELETE FROM {} WHERE NOT ST_Intersects({}, {})").format(
                staged_name(table), place, _SHAPE
            )
            gone = driver(self.connection).execute(query, {"shape": shapely.to_wkb(limit)}).rowcount
            if gone:
                self.tallies[table].skipped["beyond the city's border"] += gone
                self.tallies[table].stored -= gone
        for table in ("water", "landuse"):
            query = sql.SQL("""
                UPDATE {} SET (geom, area_m2) = (
                  SELECT CASE WHEN ST_Dimension(geom) = 2 THEN ST_Multi(cut) ELSE cut END,
                         CASE WHEN ST_Dimension(geom) = 2 THEN ST_Area(cut::geography) END
                  FROM (SELECT ST_CollectionExtract(
                          ST_Intersection(geom, {}), ST_Dimension(geom) + 1) AS cut) AS c)
                WHERE NOT ST_Covers({}, geom)
            """).format(staged_name(table), _SHAPE, _SHAPE)
            driver(self.connection).execute(query, {"shape": shapely.to_wkb(surroundings)})
        self.bounds = self._extent()

    def _extent(self) -> NDArray[np.float64]:
        """Measure the box of everything that is staged."""
        boxes = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT ST_Extent(geom)::geometry AS box FROM {}").format(staged_name(table))
            for table in TABLES
        )
        row = driver(self.connection).execute(
            sql.SQL(
                "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)"
                " FROM (SELECT ST_Extent(box) AS e FROM ({}) AS t) AS b"
            ).format(boxes)
        )
        return np.array(row.fetchone(), dtype=np.float64)

    def _flush(self, table: str) -> None:
        rows = self._waiting.pop(table, [])
        if not rows:
            return
        shapes = shapely.from_wkb(np.array([row["geom"] for row in rows], dtype=object))
        shapes, reasons = self._fit(table, shapes)
        tally = self.tallies[table]
        tally.skipped.update(reason for reason in reasons if reason)
        kept = [n for n, reason in enumerate(reasons) if not reason]
        if not kept:
            return
        columns: Columns = {
            name: [rows[n][name] for n in kept] for name in rows[0] if name != "geom"
        }
        columns["geom"] = shapes[kept]
        self._measure(table, columns)
        box = shapely.total_bounds(columns["geom"])
        self.bounds[:2] = np.minimum(self.bounds[:2], box[:2])
        self.bounds[2:] = np.maximum(self.bounds[2:], box[2:])
        columns["id"] = reserve_ids(self.connection, table, len(kept))
        tally.stored += copy_frame(self.connection, f"staged_{table}", columns)

    def _fit(self, table: str, shapes: Shapes) -> tuple[Shapes, list[str]]:
        """Bring shapes to the type of the table; name the reason where that is impossible."""
        drawn = shapely.get_type_id(shapes)
        reasons = np.full(len(shapes), "", dtype=object)
        broken = ~shapely.is_valid(shapes) & (drawn != _LINE)
        shapes = shapes.copy()
        shapes[broken] = [_polygonal(shapely.make_valid(shape)) for shape in shapes[broken]]
        self.tallies[table].repaired += int(broken.sum())
        if table in _POLYGONS:
            flat = ~np.isin(shapely.get_type_id(shapes), (_POLYGON, _MULTIPOLYGON))
            reasons[flat] = [_not_an_outline(kind) for kind in drawn[flat].tolist()]
            shapes[~flat] = [
                shapely.multipolygons(shapely.get_parts(shape)) for shape in shapes[~flat]
            ]
        reasons[shapely.is_empty(shapes) | shapely.is_missing(shapes)] = "an outline without area"
        reasons[(drawn == _LINE) & (shapely.length(shapes) == 0)] = "a line without length"
        if self.envelope is not None:
            reasons[_outside(shapes, self.envelope) & (reasons == "")] = "outside the envelope"
        if table in _POINTS:
            good = reasons == ""
            shapes[good] = shapely.points(link_points(shapes[good]))
        return shapes, reasons.tolist()

    def _measure(self, table: str, columns: Columns) -> None:
        shapes = columns["geom"]
        if table in LOCATED:
            at = link_points(shapes)
            columns["link_lon"], columns["link_lat"] = at[:, 0], at[:, 1]
            columns["coord_source"] = [
                "map_click" if source == "osm:node" else "derived" for source in columns["source"]
            ]
        if table in _POINTS or table == "component":
            return
        metric = shapely.transform(shapes, lambda xy: to_metric(xy, self.metric_srid))
        if table == "road":
            columns["length_m"] = shapely.length(metric)
            return
        area = shapely.area(metric)
        columns["area_m2"] = np.where(area > 0, area, np.nan)
        if table == "building":
            facts = zip(
                columns["kind"], area.tolist(), columns["levels"], columns.pop("flats"), strict=True
            )
            columns["dwellings"] = [estimate(*fact) for fact in facts]


def _outside(shapes: Shapes, envelope: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    box = shapely.bounds(shapes)
    low, high = np.array(envelope[:2]), np.array(envelope[2:])
    return np.asarray((box[:, :2] < low).any(axis=1) | (box[:, 2:] > high).any(axis=1))


def _not_an_outline(kind: int) -> str:
    return "a point, not an outline" if kind == 0 else "an open line, not an outline"


def _polygonal(shape: shapely.Geometry) -> shapely.Geometry:
    """Keep the areas of what `make_valid` gives; lines and points have no ground."""
    parts = shapely.get_parts(shape, return_index=False)
    deeper = shapely.get_parts(parts)
    areas = deeper[shapely.get_type_id(deeper) == _POLYGON]
    made: shapely.Geometry = areas[0] if len(areas) == 1 else shapely.multipolygons(areas)
    return made


def _create(connection: Connection, table: str) -> None:
    staged = staged_name(table)
    statements = [
        sql.SQL("DROP TABLE IF EXISTS {}").format(staged),
        sql.SQL("CREATE TEMP TABLE {} (LIKE {} INCLUDING DEFAULTS) ON COMMIT DROP").format(
            staged, sql.Identifier(table)
        ),
    ]
    if table in LOCATED:
        # The links are known only when the grids are laid.
        statements.append(
            sql.SQL(
                "ALTER TABLE {} ALTER cell_id DROP NOT NULL, ALTER area_code DROP NOT NULL,"
                " ADD COLUMN link_lon float8, ADD COLUMN link_lat float8"
            ).format(staged)
        )
    if table == "address":
        # The database gives codes when the rows are moved.
        statements.append(sql.SQL("ALTER TABLE {} ALTER code DROP NOT NULL").format(staged))
    if table == "component":
        statements.append(sql.SQL("ALTER TABLE {} ALTER identifier DROP NOT NULL").format(staged))
    for statement in statements:
        driver(connection).execute(statement)


def staged_name(table: str) -> sql.Identifier:
    """Name the temporary twin of a table."""
    return sql.Identifier(f"staged_{table}")
