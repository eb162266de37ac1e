"""What a layer panel says of a layer: how many rows the caller may see, and how old they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import tuple_row

from gis.postgis import count
from grids.accounts import Actor
from grids.layers.access import condition
from grids.layers.model import MAX_LEVEL, Layer
from grids.layers.tiles import KEPT_DIGITS
from grids.layers.versions import version_of


@dataclass(frozen=True)
class Facts:
    """State of a layer for one caller. `breaks` are classes of its counts, by level."""

    version: str
    as_of: datetime
    rows: int | None
    breaks: dict[str, list[int]]


_KEPT = sql.SQL("""
    SELECT coalesce(sum(t.n), 0)::bigint FROM layer_count AS t
    WHERE t.layer = %(layer)s AND t.level = %(level)s AND ({where})""")


def facts_of(conn: Connection[Any], layer: Layer, actor: Actor | None) -> Facts:
    """Read the state of a layer; rows are None where it has no table of its own."""
    version, changed_at = version_of(conn, layer)
    return Facts(version, changed_at, rows_of(conn, layer, actor), _breaks(conn, layer))


def rows_of(conn: Connection[Any], layer: Layer, actor: Actor | None) -> int | None:
    """Count the rows that the caller may see: from the kept counts where they know the scope."""
    if layer.source is None:
        return None
    where = condition(layer, actor)
    if layer.aggregate is None or layer.aggregate.is_live or _is_small(actor):
        return count(conn, layer.source, where=where)
    values = {**where.values, "layer": layer.id, "level": MAX_LEVEL}
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(_KEPT.format(where=where.text), values).fetchone()
    return int(row[0]) if row else 0


def _is_small(actor: Actor | None) -> bool:
    return actor is not None and any(len(code) > KEPT_DIGITS for code in actor.areas)


def _breaks(conn: Connection[Any], layer: Layer) -> dict[str, list[int]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(
            "SELECT breaks FROM layer_stat WHERE layer = %(layer)s", {"layer": layer.id}
        ).fetchone()
    return dict(row[0]) if row else {}
