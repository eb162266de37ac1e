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
BATCH = 50_000

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
_IS_STALE: Final = sql.SQL("""
    r.id = t.id AND (t.cell_id, t.grid_id, t.area_code)
        IS DISTINCT FROM (r.cell_id, r.grid_id, r.area_code)
""")
_STALE: Final = sql.SQL("SELECT count(*) FROM {} AS t, relinked AS r WHERE {}")
_UPDATE: Final = sql.SQL("""
    UPDATE {} AS t SET cell_id = r.cell_id, grid_id = r.grid_id, area_code = r.area_code
    FROM relinked AS r WHERE {}
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
    grid_codes: dict[int, str]
    area_codes: Sequence[str]  #: deepest level first, lower code first
    area_shapes: NDArray[np.object_]
    county_code: str

    def link(self, lonlat: ArrayLike) -> Linked:
        """Link places, longitude and latitude in the storage system, shape (n, 2)."""
        points = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
        found = self.grids.link(points)
        outside = found.grid == OUTSIDE
        codes = np.empty(len(points), dtype=object)
        unique, inverse = np.unique(found.grid, return_inverse=True)
        names = np.array([self.grid_codes.get(int(key), "") for key in unique], dtype=object)
        if len(points):
            codes[:] = names[inverse]
        codes[outside] = self._areas(points[outside])
        return Linked(found.cell_id, np.ma.MaskedArray(found.grid, mask=outside), codes)

    def _areas(self, points: NDArray[np.float64]) -> Texts:
        """Name the deepest area that covers each point, else the county."""
        rank = np.full(len(points), len(self.area_codes), dtype=np.int64)
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
        return np.array([*self.area_codes, self.county_code], dtype=object)[rank]


def grid_index(connection: Connection, on: date) -> GridIndex:
    """Read the duty grids that are valid on a day into an index of points to grid ids."""
    return _read_grids(connection, on)[0]


def place_index(connection: Connection, on: date, *, within: Any = None) -> PlaceIndex:
    """Read the grids valid on a day and the areas into an index for linking.

    With `within`, a geometry in the storage system, grids whose box lies apart are left out.
    """
    grids, codes = _read_grids(connection, on, within)
    areas = connection.execute(_AREAS).all()
    return PlaceIndex(
        grids=grids,
        grid_codes=codes,
        area_codes=[row.code for row in areas],
        area_shapes=shapely.from_wkb(np.array([bytes(row.shape) for row in areas], dtype=object)),
        county_code=connection.execute(_SPACE).one().county,
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
    connection.execute(text("DROP TABLE IF EXISTS relinked"))
    connection.execute(
        text(
            "CREATE TEMP TABLE relinked (id bigint PRIMARY KEY, cell_id bigint, grid_id bigint,"
            ' area_code text COLLATE "C") ON COMMIT DROP'
        )
    )
    for ids, shapes in _batches(connection, table, reach):
        linked = index.link(link_points(shapes))
        copy_frame(connection, "relinked", {"id": ids, **linked.columns()})
    conn = driver(connection)
    conn.execute("ANALYZE relinked")
    name = sql.Identifier(table)
    update = _UPDATE.format(name, _IS_STALE)
    if (
        _count(conn, _STALE.format(name, _IS_STALE)) >= rebuilding.WORTH_FROM
        and rebuilding.may_rebuild(conn, table)
    ):  # fmt: skip
        with rebuilding.rebuilt(conn, table, ["grid_id"]):
            return conn.execute(update).rowcount
    return conn.execute(update).rowcount


def _count(conn: psycopg.Connection[Any], statement: sql.Composed) -> int:
    row = conn.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _batches(
    connection: Connection, table: str, reach: dict[str, Any]
) -> Iterator[tuple[list[int], NDArray[np.object_]]]:
    """Read keys and geometries of a table by key, a batch at a time."""
    query = sql.SQL("""
        SELECT id, ST_AsBinary(geom) FROM {}
        WHERE id > %(after)s
          AND (%(reach)s::bytea IS NULL OR geom && ST_GeomFromWKB(%(reach)s::bytea, 4490))
          AND (%(grids)s::bigint[] IS NULL OR grid_id = ANY(%(grids)s::bigint[]))
        ORDER BY id LIMIT %(most)s
    """).format(sql.Identifier(table))
    after = -(2**63)
    while True:
        rows = (
            driver(connection).execute(query, {"after": after, "most": BATCH, **reach}).fetchall()
        )
        if not rows:
            return
        after = rows[-1][0]
        shapes = shapely.from_wkb(np.array([bytes(row[1]) for row in rows], dtype=object))
        yield [row[0] for row in rows], shapes


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
