"""Versions of layers: what a tile's tag carries, so that an unchanged map costs no geometry."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import tuple_row

from grids.accounts import Actor
from grids.layers.access import scope_key
from grids.layers.model import Layer

#: Name of a layer's kept counts among the sources of its version.
COUNTED = "count."

# Sums grow with each of their terms, so that one number tells of any change.
_VERSION = """
    SELECT (SELECT coalesce(sum(no), 0) FROM source_version WHERE name = ANY(%(names)s))::text,
           CASE WHEN %(feed)s THEN (SELECT no FROM feed_state) ELSE 0 END::text,
           city_today(), greatest((SELECT max(changed_at) FROM source_version
                                   WHERE name = ANY(%(names)s)), %(started)s)
"""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def version_of(conn: Connection[Any], layer: Layer) -> tuple[str, datetime]:
    """Return the version of a layer and since when its data stand.

    It moves with every statement that changes a table of the layer, with its kept counts,
    for cases with the feed, and, where rows are valid from a day on, with the day.
    """
    names = [*layer.tables, COUNTED + layer.id]
    values = {"names": names, "feed": layer.follows_feed, "started": _LONG_AGO}
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(_VERSION, values).fetchone()
    assert row is not None
    no, feed, today, changed_at = row
    return f"{layer.fingerprint}.{no}.{feed}{_day(layer, today)}", changed_at


def _day(layer: Layer, today: date) -> str:
    return f".{today:%y%m%d}" if "grid_version" in layer.tables else ""


def tile_tag(layer: Layer, version: str, actor: Actor | None, *asked: str) -> str:
    """Make a strong tag of what is asked of a layer: equal tags mean equal bytes."""
    said = "\n".join((layer.id, version, scope_key(layer, actor), *asked))
    return hashlib.sha256(said.encode()).hexdigest()[:24]
