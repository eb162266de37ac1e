"""The layer of hazards that are still open: places and premises, never persons."""

from __future__ import annotations

from typing import Final

from psycopg import sql

from gis.postgis import TableSource, raw
from grids.hazards.lifecycle import FLOW
from grids.layers.model import Aggregate, Column, Layer, Style
from grids.layers.palette import swatches

HAZARD: Final = Layer(
    id="hazard",
    group="cases",
    shape="point",
    tables=("hazard",),
    source=TableSource(
        sql.SQL("(SELECT id, number, severity, status, origin, item, place, due_at, opened_at,"
            " cell_id, area_code, geom FROM hazard WHERE status IN ({}))").format(
            sql.SQL(", ").join(sql.Literal(status) for status in FLOW.open_states)
        ),
        key="number",
    ),
    columns=(
        Column("id", level="L2", expression=raw("t.id::text"), goes="tiles"),
        Column("number", level="L2"),
        Column("severity"),
        Column("status"),
        Column("origin"),
        Column("item"),
        Column("place", level="L2", goes="rows"),
        Column("opened_at", "instant", goes="rows"),
        Column("due_at", "instant", goes="rows"),
        Column("area_code", goes="rows"),
    ),
    min_zoom=12,
    aggregate=Aggregate("severity"),
    style=Style("circle", swatches("general", "major"), by="severity", radius_px=6),
    # Departments see what was escalated to them in their list, not on the map of an area.
    permission="hazard:map",
    class_filter="severity",
)  # fmt: skip
