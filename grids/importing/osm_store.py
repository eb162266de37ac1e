"""Move a staged map into the registers, linked to its grids."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Connection

from grids.bulk import copy_frame, driver
from grids.importing.osm_stage import BASE_MAP, LOCATED, Stage, staged_name
from grids.linking import PlaceIndex

#: Rows that are linked at once.
BATCH = 50_000
#: Six digits of sequence after county and class (domain 3.2).
LAST_SEQUENCE = 999_999

#: Each address plate that is drawn on the building itself; two conditions in one search of the
#: addresses would keep the index on their places from being used.
_JOINED = {
    "building": "LEFT JOIN address AS own ON own.source_id = s.source_id AND own.source = s.source",
}
#: Columns that are worked out while a table is filled. Addresses come before buildings and
#: buildings before premises, so that what lies inside finds what it lies in.
_WORKED_OUT = {
    "building": {
        "address_id": """coalesce(own.id, (
            SELECT a.id FROM address AS a
            WHERE ST_Covers(s.geom, a.geom) ORDER BY a.id LIMIT 1))""",
    },
    "premises": {
        "building_id": """(
            SELECT b.id FROM building AS b
            WHERE ST_Covers(b.geom, s.geom) ORDER BY b.area_m2, b.id LIMIT 1)""",
    },
    "component": {
        "identifier": "city_county() || s.code || lpad(s.sequence::text, 6, '0')",
    },
}


def store_base_map(connection: Connection) -> None:
    """Move roads, water, land use and places."""
    for table in BASE_MAP:
        _move(connection, table, sql.SQL("TRUE"))


def store_located(connection: Connection, index: PlaceIndex, stage: Stage) -> None:
    """Link and move addresses, buildings, components, facilities and premises."""
    _number_components(connection, stage)
    for table in LOCATED:
        _link(connection, table, index)
        _move(connection, table, sql.SQL("s.cell_id IS NOT NULL"))


def _number_components(connection: Connection, stage: Stage) -> None:
    """Count the components of each class; what six digits cannot number is left out."""
    run = driver(connection).execute
    run("ALTER TABLE staged_component ADD COLUMN sequence bigint")
    run(
        "UPDATE staged_component AS s SET sequence = n.sequence FROM ("
        "  SELECT id, row_number() OVER (PARTITION BY code ORDER BY id) AS sequence"
        "  FROM staged_component) AS n WHERE n.id = s.id"
    )
    full = run("DELETE FROM staged_component WHERE sequence > %s", (LAST_SEQUENCE,)).rowcount
    if full:
        tally = stage.tallies["component"]
        tally.skipped["the class has no number left"] += full
        tally.stored -= full


def _link(connection: Connection, table: str, index: PlaceIndex) -> None:
    """Write cell, grid and area beside the staged rows."""
    run = driver(connection).execute
    run(
        "CREATE TEMP TABLE staged_link (id bigint PRIMARY KEY, cell_id bigint, grid_id bigint,"
        ' area_code text COLLATE "C") ON COMMIT DROP'
    )
    for ids, lonlat in _points(connection, table):
        copy_frame(connection, "staged_link", {"id": ids, **index.link(lonlat).columns()})
    run(
        sql.SQL(
            "UPDATE {} AS s SET cell_id = l.cell_id, grid_id = l.grid_id, area_code = l.area_code"
            " FROM staged_link AS l WHERE l.id = s.id"
        ).format(staged_name(table))
    )
    run("DROP TABLE staged_link")


def _points(
    connection: Connection, table: str
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    query = sql.SQL(
        "SELECT id, link_lon, link_lat FROM {} WHERE id > %s ORDER BY id LIMIT %s"
    ).format(staged_name(table))
    after = -(2**63)
    while rows := driver(connection).execute(query, (after, BATCH)).fetchall():
        after = rows[-1][0]
        found = np.array([row[1:] for row in rows], dtype=np.float64)
        yield np.array([row[0] for row in rows], dtype=np.int64), found


def _move(connection: Connection, table: str, condition: sql.SQL) -> None:
    worked_out = _WORKED_OUT.get(table, {})
    names = [
        row[0]
        for row in driver(connection)
        .execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
            " AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            (table,),
        )
        .fetchall()
    ]
    values = [
        sql.SQL(worked_out[name])
        if name in worked_out
        else sql.SQL("s.{}").format(sql.Identifier(name))
        for name in names
    ]
    driver(connection).execute(
        sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} AS s {} WHERE {} ORDER BY s.id").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(values),
            staged_name(table),
            sql.SQL(_JOINED.get(table, "")),
            condition,
        )
    )
    # What is filled next looks things up in this table.
    driver(connection).execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))


def count_households(connection: Connection) -> None:
    """Write the dwellings of each grid's buildings into its version."""
    driver(connection).execute(
        "UPDATE grid_version AS v SET households = b.dwellings FROM ("
        "  SELECT g.id, coalesce(sum(b.dwellings), 0) AS dwellings"
        "  FROM grid AS g LEFT JOIN building AS b ON b.grid_id = g.id GROUP BY g.id) AS b"
        " WHERE b.id = v.grid_id"
    )


def gather_statistics(connection: Connection) -> None:
    """Tell the planner what the tables of the divisions hold now."""
    for table in ("area", "grid", "grid_version", "cell"):
        driver(connection).execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
