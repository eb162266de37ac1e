"""Statements over any table with a geometry: tiles, pages, streams, extent, count.

Identifiers come from a `TableSource` written in code, values are always bound. A question
is transformed to the stored system, never the stored column, so that its index is used;
systems are named by number, since the text form of `ST_Transform` costs 20 ms a row.
Fragments of a caller's WHERE speak of the table as `t`.
"""

from gis.postgis.features import (
    Batch,
    Page,
    batches,
    count,
    estimated_count,
    extent,
    feature_texts,
    items,
)
from gis.postgis.sheets import csv_rows
from gis.postgis.source import (
    EVERYTHING,
    Key,
    TableSource,
    Where,
    Within,
    raw,
    table_of,
    warm,
)
from gis.postgis.tiles import (
    TILE_BUFFER,
    TILE_EXTENT,
    TileLayer,
    drawn_tile,
    layered_tile,
    tile_query,
    vector_tile,
)

__all__ = [
    "EVERYTHING",
    "TILE_BUFFER",
    "TILE_EXTENT",
    "Batch",
    "Key",
    "Page",
    "TableSource",
    "TileLayer",
    "Where",
    "Within",
    "batches",
    "count",
    "csv_rows",
    "drawn_tile",
    "estimated_count",
    "extent",
    "feature_texts",
    "items",
    "layered_tile",
    "raw",
    "table_of",
    "tile_query",
    "vector_tile",
    "warm",
]
