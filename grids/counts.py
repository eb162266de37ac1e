"""Kept counts of layers per square and class, and the versions of what maps are drawn from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from geoalchemy2 import Geometry, WKBElement
from psycopg import Connection as Driver
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import BigInteger, Connection, Index, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gis.postgis import table_of
from grids.bulk import driver
from grids.db import Base, code_column
from grids.layers import LAYERS, Layer
from grids.layers.model import MAX_LEVEL
from grids.layers.versions import COUNTED


class SourceVersion(Base):
    """How often a table of the map was changed; triggers keep it, the tags of tiles carry it."""

    __tablename__ = "source_version"
    __level__ = "L1"

    name: Mapped[str] = mapped_column(primary_key=True)  #: a table, or count.<layer>
    no: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime]


class LayerStat(Base):
    """How many rows a layer has, and the classes of its counts per square, by level."""

    __tablename__ = "layer_stat"
    __level__ = "L1"

    layer: Mapped[str] = mapped_column(primary_key=True)
    rows: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[datetime]
    breaks: Mapped[dict[str, Any]] = mapped_column(JSONB)


class LayerCount(Base):
    """How many things of a class stand in a square of 100 m * 2^level, by community."""

    __tablename__ = "layer_count"
    __table_args__ = (
        Index("layer_count_geom_idx", "layer", "level", "geom", postgresql_using="gist"),
    )
    __level__ = "L1"

    layer: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    cell_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    area_code: Mapped[str] = mapped_column(code_column(), primary_key=True)
    class_: Mapped[str] = mapped_column("class", primary_key=True)
    n: Mapped[int]
    x: Mapped[float]  #: where they stand on average, web mercator
    y: Mapped[float]
    geom: Mapped[WKBElement] = mapped_column(Geometry("POLYGON", srid=3857, spatial_index=False))


_FINEST: Final = sql.SQL("""
    INSERT INTO layer_count (layer, level, cell_id, area_code, class, n, x, y, geom)
    SELECT %(layer)s, 0, cell, area, class, n, ST_X(place), ST_Y(place), level_cell_box(cell, 0)
    FROM (
      SELECT cell, area, class, n,
             ST_Transform(ST_SetSRID(ST_MakePoint(lon, lat), {srid}), 3857) AS place
      FROM (
        SELECT t.cell_id AS cell, left(t.area_code, 12) AS area,
               coalesce({class_column}, 'other')::text AS class, count(*) AS n,
               avg(ST_X(ST_Centroid(t.{geom}))) AS lon, avg(ST_Y(ST_Centroid(t.{geom}))) AS lat
        FROM {table} AS t GROUP BY 1, 2, 3) AS counted) AS placed""")

_COARSER: Final = """
    INSERT INTO layer_count (layer, level, cell_id, area_code, class, n, x, y, geom)
    SELECT %(layer)s, %(level)s, cell, area_code, class, n, x, y,
           level_cell_box(cell, %(level)s)
    FROM (
      SELECT cell_at_level(cell_id, 1) AS cell, area_code, class, sum(n) AS n,
             sum(n * x) / sum(n) AS x, sum(n * y) / sum(n) AS y
      FROM layer_count WHERE layer = %(layer)s AND level = %(level)s - 1 GROUP BY 1, 2, 3
    ) AS counted"""

# Quantiles of what the squares of each level hold, so that a legend fits its zoom.
_BREAKS: Final = """
    SELECT level, percentile_disc(ARRAY[0, 0.2, 0.4, 0.6, 0.8, 1]) WITHIN GROUP (ORDER BY n)
    FROM (SELECT level, cell_id, sum(n) AS n FROM layer_count
          WHERE layer = %(layer)s GROUP BY level, cell_id) AS square GROUP BY level"""

_STAT: Final = """
    INSERT INTO layer_stat (layer, rows, counted_at, breaks)
    SELECT %(layer)s, coalesce(sum(n), 0), %(now)s, %(breaks)s
    FROM layer_count WHERE layer = %(layer)s AND level = 0
    ON CONFLICT (layer) DO UPDATE
    SET rows = excluded.rows, counted_at = excluded.counted_at, breaks = excluded.breaks"""

_VERSION: Final = """
    INSERT INTO source_version (name, no, changed_at) VALUES (%(name)s, 1, %(now)s)
    ON CONFLICT (name) DO UPDATE SET no = source_version.no + 1, changed_at = excluded.changed_at"""


def counted_layers() -> tuple[Layer, ...]:
    """List the layers whose squares are counted ahead."""
    return tuple(
        layer for layer in LAYERS if layer.aggregate is not None and not layer.aggregate.is_live
    )


def refresh(connection: Connection, now: datetime, layers: Iterable[Layer] | None = None) -> None:
    """Count the squares of layers anew and give every layer counted a new version.

    Imports and the simulator call it once at their end, the worker by night. Needs a role
    that may write the counts (owner or worker); commits nothing.
    """
    conn = driver(connection)
    for layer in counted_layers() if layers is None else layers:
        _count(conn, layer, now)
    for layer in LAYERS:
        if layer.follows_feed:
            conn.execute(_VERSION, {"name": COUNTED + layer.id, "now": now})


def _count(conn: Driver[Any], layer: Layer, now: datetime) -> None:
    assert layer.aggregate is not None
    assert layer.source is not None
    values: dict[str, Any] = {"layer": layer.id, "now": now}
    conn.execute("DELETE FROM layer_count WHERE layer = %(layer)s", values)
    column = layer.aggregate.class_column
    finest = _FINEST.format(
        table=table_of(layer.source),
        geom=sql.Identifier(layer.source.geom),
        srid=sql.Literal(layer.source.srid),
        class_column=sql.SQL("t.") + sql.Identifier(column) if isinstance(column, str) else column,
    )
    conn.execute(finest, values)
    for level in range(1, MAX_LEVEL + 1):
        conn.execute(_COARSER, {**values, "level": level})
    breaks = {str(level): steps for level, steps in conn.execute(_BREAKS, values).fetchall()}
    conn.execute(_STAT, {**values, "breaks": Jsonb(breaks)})
    conn.execute(_VERSION, {**values, "name": COUNTED + layer.id})
