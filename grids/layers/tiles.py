"""A layer's vector tiles: features from its smallest zoom on, counts per square below it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from psycopg import Connection, sql
from psycopg.rows import tuple_row

from gis.postgis import (
    EVERYTHING,
    TILE_BUFFER,
    TILE_EXTENT,
    TileLayer,
    Where,
    drawn_tile,
    table_of,
    tile_query,
)
from gis.tiling import Tile
from grids.accounts import Actor
from grids.layers.access import condition
from grids.layers.model import Layer, level_at, where_at
from grids.layers.registry import layer_of

#: From here on a tile is smaller than any town: its box picks the rows, not the code.
CLOSE_ZOOM: Final = 12
#: Kept counts know areas down to the community; a smaller scope is counted from the rows.
KEPT_DIGITS: Final = 12


def tile_of(
    conn: Connection[Any],
    layer: Layer,
    tile: Tile,
    actor: Actor | None,
    *,
    area: str = "",
    classes: tuple[str, ...] = (),
) -> bytes:
    """Encode one tile of a layer as the caller may see it; empty bytes where nothing is.

    `area` (the beginning of a code) and `classes` narrow it further.
    """
    if layer.parts:
        is_empty = not any(where_at(part.steps, tile.z) for part in layer.parts)
        return b"" if is_empty else drawn_tile(conn, _query(layer.id, tile.z, ""), tile, {})
    if tile.z < layer.min_zoom:
        return _counts(conn, layer, tile, actor, Asked(area, classes))
    step = where_at(layer.steps, tile.z)
    if step is None:
        return b""
    is_boxed = tile.z >= CLOSE_ZOOM
    scope = condition(layer, actor, area=area, classes=classes, is_boxed=is_boxed)
    return drawn_tile(conn, _query(layer.id, tile.z, scope.text.as_string()), tile, scope.values)


@lru_cache(maxsize=1024)
def _query(layer_id: str, z: int, scope: str) -> sql.SQL:
    """Compose the statement of a layer and zoom once; only the address changes with a tile."""
    layer = layer_of(layer_id)
    if layer.parts:
        steps = ((part, where_at(part.steps, z)) for part in layer.parts)
        drawn = [TileLayer(part.name, part.source, where) for part, where in steps if where]
    else:
        step = where_at(layer.steps, z) or EVERYTHING
        text = sql.SQL("({}) AND ({})").format(sql.SQL(scope), step.text)
        drawn = [TileLayer(layer.id, layer.tile_rows, Where(text))]
    return sql.SQL(tile_query(drawn).as_string())


@dataclass(frozen=True)
class Asked:
    """What of a layer somebody wants to see."""

    area: str
    classes: tuple[str, ...]


def _counts(
    conn: Connection[Any],
    layer: Layer,
    tile: Tile,
    actor: Actor | None,
    asked: Asked,
) -> bytes:
    """Draw counts per square: `count` in all, one number per class, `class` the greatest."""
    if layer.aggregate is None or tile.z < layer.aggregate.from_zoom:
        return b""
    codes = (*(actor.areas if actor else ()), asked.area)
    deepest = max(map(len, codes))
    if layer.aggregate.is_live or deepest > KEPT_DIGITS:
        rows, values = _counted_now(layer, tile, actor, asked)
    else:
        rows, values = _counted_before(layer, tile, actor, asked)
    statement = _COUNT_TILE.format(
        rows=rows,
        name=sql.Literal(layer.id),
        extent=sql.Literal(TILE_EXTENT),
        buffer=sql.Literal(TILE_BUFFER),
        **_address(tile),
    )
    with conn.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(statement, values).fetchone()
    return bytes(found[0] or b"") if found else b""


# A JSON object becomes one property for each of its keys. A sign stands where the things of
# its square stand on average, so that it belongs to one tile only.
_COUNT_TILE: Final = sql.SQL("""
    SELECT ST_AsMVT(sign, {name}, {extent}, 'geom') FROM (
      SELECT count, class, classes,
             ST_AsMVTGeom(ST_SetSRID(ST_MakePoint(x, y), 3857), ST_TileEnvelope({z}, {x}, {y}),
                          {extent}, {buffer}) AS geom
      FROM (
        SELECT sum(n)::int AS count, (array_agg(class ORDER BY n DESC, class))[1] AS class,
               jsonb_object_agg(class, n) AS classes,
               sum(n * x) / sum(n) AS x, sum(n * y) / sum(n) AS y
        FROM ({rows}) AS counted GROUP BY cell
      ) AS squares
    ) AS sign WHERE geom IS NOT NULL""")

_KEPT: Final = sql.SQL("""
    SELECT t.cell_id AS cell, t.class, sum(t.n)::int AS n,
           sum(t.n * t.x) / sum(t.n) AS x, sum(t.n * t.y) / sum(t.n) AS y
    FROM layer_count AS t
    WHERE t.layer = %(layer)s AND t.level = %(level)s
      AND t.geom && ST_TileEnvelope({z}, {x}, {y}, margin => 0.0625) AND ({where})
    GROUP BY t.cell_id, t.class""")

# The rows of every square that reaches into the tile are needed, also those outside the tile.
_NOW: Final = sql.SQL("""
    SELECT cell, class, n, ST_X(place) AS x, ST_Y(place) AS y FROM (
      SELECT cell, class, n,
             ST_Transform(ST_SetSRID(ST_MakePoint(lon, lat), {srid}), 3857) AS place
      FROM (
        SELECT cell_at_level(t.cell_id, %(level)s) AS cell,
               coalesce({class_column}, 'other')::text AS class, count(*)::int AS n,
               avg(ST_X(ST_Centroid(t.{geom}))) AS lon, avg(ST_Y(ST_Centroid(t.{geom}))) AS lat
        FROM {table} AS t
        WHERE t.{geom} && {reach} AND ({where}) GROUP BY 1, 2) AS live) AS placed
    WHERE level_cell_box(cell, %(level)s) && ST_TileEnvelope({z}, {x}, {y}, margin => 0.0625)""")


def _counted_before(
    layer: Layer, tile: Tile, actor: Actor | None, asked: Asked
) -> tuple[sql.Composed, dict[str, object]]:
    kept = replace(layer, class_filter="class" if layer.class_filter else None)
    where = (
        condition(kept, actor, area=asked.area, classes=asked.classes)
        if layer.scope
        else EVERYTHING
    )
    values = {**where.values, "layer": layer.id, "level": level_at(tile.z)}
    return _KEPT.format(where=where.text, **_address(tile)), values


def _counted_now(
    layer: Layer, tile: Tile, actor: Actor | None, asked: Asked
) -> tuple[sql.Composed, dict[str, object]]:
    assert layer.aggregate is not None
    source = layer.rows
    level = level_at(tile.z)
    where = condition(layer, actor, area=asked.area, classes=asked.classes)
    box = tile.envelope_3857
    # A square of 100 m * 2^level is wider in web mercator by 1 / cos(latitude).
    margin = 100 * 2**level / math.cos(math.radians(tile.envelope.north)) / box.width
    class_column = layer.aggregate.class_column
    reach = sql.SQL("ST_Transform(ST_TileEnvelope({z}, {x}, {y}, margin => {margin}), {srid})")
    statement = _NOW.format(
        class_column=sql.SQL("t.") + sql.Identifier(class_column)
        if isinstance(class_column, str)
        else class_column,
        table=table_of(source),
        geom=sql.Identifier(source.geom),
        srid=sql.Literal(source.srid),
        where=where.text,
        reach=reach.format(
            margin=sql.Literal(margin + 0.0625),
            srid=sql.Literal(source.srid),
            **_address(tile),
        ),
        **_address(tile),
    )
    return statement, {**where.values, "level": level}


def _address(tile: Tile) -> dict[str, sql.Literal]:
    return {axis: sql.Literal(getattr(tile, axis)) for axis in "zxy"}
