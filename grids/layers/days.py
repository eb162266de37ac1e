"""Layers as they were on a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from psycopg import sql

from grids.layers.model import Layer
from grids.layers.registry import GRID, GRIDS


def as_of(layer: Layer, day: date | None) -> Layer:
    """Return the layer as it was on a day: its grids, where it is made of them.

    Other layers show what is now, and are returned as they are.
    """
    if day is None or layer.id != GRID.id or layer.source is None:
        return layer
    then = sql.SQL(GRIDS).format(day=sql.SQL("{}::date").format(sql.Literal(day)))
    return replace(layer, source=replace(layer.source, table=then))
