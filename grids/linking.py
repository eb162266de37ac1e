"""Link many places to their unit cell, duty grid and area: the bulk twin of `link_place`.

A point on a shared edge goes to the lower code. Outside every grid the deepest area that
covers the point answers: community, town, county, and at last the city's own county code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import psycopg
import shapely
from numpy.typing import ArrayLike, NDArray
from psycopg import sql
from sqlalchemy import Connection, text

from gis.link import OUTSIDE, GridIndex
from grids import rebuilding
from grids.bulk import copy_frame, driver
from grids.bulk_numbers import BIGINT, DOUBLE, read_numbers, write_numbers

#: Tables whose rows follow the grids of the day; an incident keeps those of its filing.
FOLLOWERS = (
    "address",
    "building",
    "enterprise",
    "premises",
    "component",
    "facility",
    "site",
    "pipe",
)
#: Rows that are read, linked and written at once.
BATCH = 500_000

_GRIDS = text("""
    SELECT g.id, g.code, ST_AsBinary(v.geom) AS shape
    FROM grid_version AS v JOIN grid AS g ON g.id = v.grid_id
    WHERE v.valid @> CAST(:day AS date)
      AND (CAST(:reach AS bytea) IS NULL OR v.geom && ST_GeomFromWKB(:reach, 4490))
    ORDER BY g.code
""")
_AREAS = text("""
    SELECT code, level, ST_AsBinary(geom) AS shape
    FROM area WHERE valid_to IS NULL ORDER BY level DESC, code
""")
_COLUMNS: Final = {
    "id": BIGINT, "lon": DOUBLE, "lat": DOUBLE, "cell_id": BIGINT, "grid_id": BIGINT, "area": BIGINT,
}  # fmt: skip
#: What is linked anew travels as numbers, the code of an area by its place in `code_number`.
_PREPARE: Final = """
    DROP TABLE IF EXISTS relinked, code_number;
    CREATE TEMP TABLE relinked (id bigint, cell_id bigint, grid_id bigint, area bigint)
      ON COMMIT DROP;
    CREATE TEMP TABLE code_number (no bigint PRIMARY KEY, code text COLLATE "C") ON COMMIT DROP
"""
_PRESENT: Final = sql.SQL("""
    SELECT p.id, ST_X(p.place), ST_Y(p.place), p.cell_id, p.grid_id, coalesce(c.no, -1)
    FROM (
      SELECT id, area_code, coalesce(cell_id, -1) AS cell_id, coalesce(grid_id, -1) AS grid_id,
        CASE WHEN GeometryType(geom) = 'POINT' THEN geom ELSE ST_PointOnSurface(geom) END AS place
      FROM {}
      WHERE id > %(after)s
        AND (%(reach)s::bytea IS NULL OR geom && ST_GeomFromWKB(%(reach)s::bytea, 4490))
        AND (%(grids)s::bigint[] IS NULL OR grid_id = ANY(%(grids)s::bigint[]))
      ORDER BY id LIMIT %(most)s
    ) AS p LEFT JOIN code_number AS c ON c.code = p.area_code
    ORDER BY p.id
""")
_UPDATE: Final = sql.SQL("""
    UPDATE {} AS t SET cell_id = r.cell_id, grid_id = nullif(r.grid_id, -1), area_code = c.code
    FROM relinked AS r JOIN code_number AS c ON c.no = r.area
    WHERE r.id = t.id
""")
_SPACE = text("SELECT city_srid() AS srid, city_county() AS county")

Texts = NDArray[np.object_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Linked:
    """Where places lie: three columns of a located table.

    `grid_id` is masked outside every grid, so that `copy_frame` writes NULL there.
    """

    cell_id: Ints
    grid_id: np.ma.MaskedArray[Any, np.dtype[np.int64]]
    area_code: Texts

    def columns(self) -> dict[str, Any]:
        """Return the three as columns for `grids.bulk.copy_frame`."""
        return {"cell_id": self.cell_id, "grid_id": self.grid_id, "area_code": self.area_code}


@dataclass(frozen=True)
class PlaceIndex:
    """The grids and areas of one day, ready to link any number of places."""

    grids: GridIndex
    grid_keys: Ints  #: growing
    area_shapes: NDArray[np.object_]  #: deepest level first, lower code first
    codes: Texts  #: of the grids, then of the areas, at last of the county

    def link(self, lonlat: ArrayLike) -> Linked:
        """Link places, longitude and latitude in the storage system, shape (n, 2)."""
        cell, grid, area = self.numbers(lonlat)
        return Linked(cell, np.ma.MaskedArray(grid, mask=grid == OUTSIDE), self.codes[area])

    def numbers(self, lonlat: ArrayLike) -> tuple[Ints, Ints, Ints]:
        """Link places: unit cells, duty grids or `OUTSIDE`, and positions in `codes`."""
        points = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
        found = self.grids.link(points)
        area = np.searchsorted(self.grid_keys, found.grid)
        outside = found.grid == OUTSIDE
        area[outside] = len(self.grid_keys) + self._deepest(points[outside])
        return found.cell_id, found.grid, area

    def _deepest(self, points: NDArray[np.float64]) -> Ints:
        """Return the position of the deepest area that covers each point; past the last, none."""
        rank = np.full(len(points), len(self.area_shapes), dtype=np.int64)
        places = np.asarray(shapely.points(points), dtype=object)
        boxes = shapely.bounds(self.area_shapes).reshape(-1, 4)
        for at, shape in enumerate(self.area_shapes):
            west, south, east, north = boxes[at]
            near = np.flatnonzero(
                (rank > at)
                & (points[:, 0] >= west)
                & (points[:, 0] <= east)
                & (points[:, 1] >= south)
                & (points[:, 1] <= north)
            )
            if len(near):
                shapely.prepare(shape)
                rank[near[shapely.covers(shape, places[near])]] = at
        return rank


def grid_index(connection: Connection, on: date) -> GridIndex:
    """Read the duty grids that are valid on a day into an index of points to grid ids."""
    return _read_grids(connection, on)[0]


def place_index(connection: Connection, on: date, *, within: Any = None) -> PlaceIndex:
    """Read the grids valid on a day and the areas into an index for linking.

    With `within`, a geometry in the storage system, grids whose box lies apart are left out.
    """
    grids, codes = _read_grids(connection, on, within)
    areas = connection.execute(_AREAS).all()
    county = connection.execute(_SPACE).one().county
    keys = sorted(codes)
    names = [*(codes[key] for key in keys), *(row.code for row in areas), county]
    return PlaceIndex(
        grids=grids,
        grid_keys=np.array(keys, dtype=np.int64),
        area_shapes=shapely.from_wkb(np.array([bytes(row.shape) for row in areas], dtype=object)),
        codes=np.array(names, dtype=object),
    )


def link(connection: Connection, lonlat: ArrayLike, *, on: date) -> Linked:
    """Link places by the grids of a day. For many calls keep one `place_index`."""
    return place_index(connection, on).link(lonlat)


def link_points(shapes: ArrayLike) -> NDArray[np.float64]:
    """Give the point that stands for each geometry, itself or one on its surface: (n, 2)."""
    given = np.asarray(shapes, dtype=object).reshape(-1)
    at = given.copy()
    wide = shapely.get_type_id(given) != 0
    at[wide] = shapely.point_on_surface(given[wide])
    return np.column_stack([shapely.get_x(at), shapely.get_y(at)])


def relink(
    connection: Connection,
    *,
    on: date,
    tables: Sequence[str] = FOLLOWERS,
    within: Any = None,
    grids: Sequence[int] | None = None,
) -> dict[str, int]:
    """Link stored rows again after the grids changed; return how many changed, by table.

    `within` is a shapely geometry in the storage system: only rows that touch its box are
    read. `grids` are keys: only rows that were linked to one of them are read.
    People follow the building they live in. Cases keep the grid of their filing.
    """
    index = place_index(connection, on, within=within)
    reach = {"reach": _wkb(within), "grids": None if grids is None else list(grids)}
    changed = {table: _relink_table(connection, index, table, reach) for table in tables}
    if "building" in tables:
        changed |= _relink_people(connection, reach["grids"])
    return changed


def _wkb(shape: Any) -> Any:
    return None if shape is None else shapely.to_wkb(shape)


def _read_grids(
    connection: Connection, on: date, within: Any = None
) -> tuple[GridIndex, dict[int, str]]:
    rows = connection.execute(_GRIDS, {"day": on, "reach": _wkb(within)}).all()
    shapes = shapely.from_wkb(np.array([bytes(row.shape) for row in rows], dtype=object))
    srid = connection.execute(_SPACE).one().srid
    codes = [row.code for row in rows]
    index = GridIndex([row.id for row in rows], codes, shapes.tolist(), srid)
    return index, {row.id: row.code for row in rows}


def _relink_table(
    connection: Connection, index: PlaceIndex, table: str, reach: dict[str, Any]
) -> int:
    conn, name = driver(connection), sql.Identifier(table)
    codes, number = np.unique(index.codes.astype(str), return_inverse=True)
    conn.execute(_PREPARE)
    copy_frame(connection, "code_number", {"no": range(len(codes)), "code": codes})
    stale = 0
    for rows in _batches(conn, name, reach):
        cell, grid, area = index.numbers(np.column_stack([rows["lon"], rows["lat"]]))
        linked = {"cell_id": cell, "grid_id": grid, "area": number[area]}
        changed = np.any([linked[key] != rows[key] for key in linked], axis=0)
        found = {"id": rows["id"], **linked}
        stale += write_numbers(
            conn, "relinked", {key: values[changed] for key, values in found.items()}
        )
    conn.execute("ANALYZE relinked, code_number")
    # The rows are changed in the order in which they lie only where all new keys fit in memory.
    conn.execute("SET LOCAL work_mem = '256MB'")
    if stale >= rebuilding.WORTH_FROM and rebuilding.may_rebuild(conn, table):
        with rebuilding.rebuilt(conn, table, ["cell_id", "grid_id", "area_code"]):
            return conn.execute(_UPDATE.format(name)).rowcount
    return conn.execute(_UPDATE.format(name)).rowcount


def _batches(
    conn: psycopg.Connection[Any], table: sql.Identifier, reach: dict[str, Any]
) -> Iterator[dict[str, NDArray[Any]]]:
    """Read keys, places and present links of a table by key, a batch at a time."""
    query, after = _PRESENT.format(table), -(2**63)
    while True:
        rows = read_numbers(conn, query, {"after": after, "most": BATCH, **reach}, _COLUMNS)
        if not len(rows["id"]):
            return
        after = int(rows["id"][-1])
        yield rows


_PEOPLE = {
    "household": """
        UPDATE household AS h
        SET cell_id = b.cell_id, grid_id = b.grid_id, area_code = b.area_code
        FROM dwelling AS d JOIN building AS b ON b.id = d.building_id
        WHERE d.id = h.dwelling_id
          AND (CAST(:grids AS bigint[]) IS NULL OR h.grid_id = ANY(CAST(:grids AS bigint[])))
          AND (h.cell_id, h.grid_id, h.area_code)
              IS DISTINCT FROM (b.cell_id, b.grid_id, b.area_code)
    """,
    "person": """
        UPDATE person AS p
        SET cell_id = h.cell_id, grid_id = h.grid_id, area_code = h.area_code
        FROM household AS h
        WHERE h.id = p.household_id
          AND (CAST(:grids AS bigint[]) IS NULL OR p.grid_id = ANY(CAST(:grids AS bigint[])))
          AND (p.cell_id, p.grid_id, p.area_code)
              IS DISTINCT FROM (h.cell_id, h.grid_id, h.area_code)
    """,
}


def _relink_people(connection: Connection, grids: list[int] | None) -> dict[str, int]:
    return {
        table: connection.execute(text(statement), {"grids": grids}).rowcount
        for table, statement in _PEOPLE.items()
    }
