"""Vector tiles made by PostGIS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection, sql

from gis.crs import CRS84_SRID, STORAGE_SRID
from gis.postgis.source import (
    EVERYTHING,
    TableSource,
    Where,
    aliased,
    column_list,
    one,
    table_of,
    transformed,
)
from gis.tiling import Tile

TILE_EXTENT: Final = 4096
TILE_BUFFER: Final = 256
#: The buffer as a share of the tile, for the reach of the filter.
_MARGIN: Final = TILE_BUFFER / TILE_EXTENT
_TILE_REACH_3857 = sql.SQL("ST_TileEnvelope({z}, {x}, {y}, margin => {margin})")
#: In degrees a reach may pass the antimeridian, where a transform would come out on the other
#: side of the earth. Northwards a degree is more of web mercator, so as many are enough.
_TILE_REACH_DEGREES = sql.SQL("ST_Expand({envelope}, {degrees} / (1 << {z}))")
_ENVELOPE = sql.SQL("ST_TileEnvelope({z}, {x}, {y})")

_TILE: Final = sql.SQL("""(
    SELECT ST_AsMVT(feature, {name}, {extent}, 'geom'{feature_id}) FROM (
      SELECT {columns}ST_AsMVTGeom(
               {shape}, ST_TileEnvelope({z}, {x}, {y}), {extent}, {buffer}) AS geom
      FROM {table} AS t
      WHERE t.{indexed} && {reach} AND ({where})
    ) AS feature WHERE geom IS NOT NULL)""")


@dataclass(frozen=True)
class TileLayer:
    """One layer of a tile: its name, where its features come from, which of them."""

    name: str
    source: TableSource
    where: Where = EVERYTHING


def vector_tile(
    conn: Connection[Any],
    name: str,
    source: TableSource,
    tile: Tile,
    *,
    where: Where = EVERYTHING,
) -> bytes:
    """Encode one tile of a table as a Mapbox Vector Tile 2.1; empty bytes where nothing lies."""
    return layered_tile(conn, [TileLayer(name, source, where)], tile)


def layered_tile(conn: Connection[Any], layers: Sequence[TileLayer], tile: Tile) -> bytes:
    """Encode several tables as the layers of one tile, in one statement.

    Conditions that bind the same name must mean the same value by it.
    """
    if not layers:
        return b""
    values = {name: value for layer in layers for name, value in layer.where.values.items()}
    return drawn_tile(conn, tile_query(layers), tile, values)


def tile_query(layers: Sequence[TileLayer]) -> sql.Composed:
    """Compose the statement of a tile's layers; the address is bound when it runs.

    A caller that draws many tiles may keep it: composing takes longer than some tiles.
    """
    return sql.SQL("SELECT ") + sql.SQL(" || ").join(map(_tile_statement, layers))


def drawn_tile(
    conn: Connection[Any], query: sql.SQL | sql.Composed, tile: Tile, values: Mapping[str, object]
) -> bytes:
    """Run a statement of `tile_query` for one address."""
    bound = {**values, "gis_z": tile.z, "gis_x": tile.x, "gis_y": tile.y}
    return bytes(one(conn, query, bound)[0] or b"")


def _tile_statement(layer: TileLayer) -> sql.Composed:
    source = layer.source
    address = {axis: sql.Placeholder(f"gis_{axis}") for axis in "zxy"}
    shape: sql.Composable = sql.SQL("t.") + sql.Identifier(source.geom_3857 or source.geom)
    if source.geom_3857 is None:
        shape = transformed(shape, source.srid, 3857)
    columns = column_list(source)
    feature_id = sql.SQL("")
    if source.tile_id is not None:
        columns = [*columns, aliased(source.tile_id, "gis_id")]
        feature_id = sql.SQL(", 'gis_id'")
    return _TILE.format(
        **address,
        name=sql.Literal(layer.name),
        extent=sql.Literal(TILE_EXTENT),
        buffer=sql.Literal(TILE_BUFFER),
        feature_id=feature_id,
        columns=sql.SQL("").join(column + sql.SQL(", ") for column in columns),
        shape=shape,
        table=table_of(source),
        indexed=sql.Identifier(source.geom),
        reach=_reach(source, address),
        where=layer.where.text,
    )


def _reach(source: TableSource, address: Mapping[str, sql.Composable]) -> sql.Composable:
    """Compose the box, in the system of the indexed column, that a tile takes its rows from."""
    if source.srid in (STORAGE_SRID, CRS84_SRID):
        envelope = transformed(_ENVELOPE.format(**address), 3857, source.srid)
        degrees = sql.Literal(360 * _MARGIN)
        return _TILE_REACH_DEGREES.format(envelope=envelope, degrees=degrees, z=address["z"])
    reach = _TILE_REACH_3857.format(**address, margin=sql.Literal(_MARGIN))
    return transformed(reach, 3857, source.srid)
