"""The layer of pipes and cables in the ground: for those alone who work on them or above them."""

from __future__ import annotations

from typing import Final

from gis.postgis import TableSource, Where, raw
from grids.layers.model import Column, Layer, Style
from grids.layers.palette import swatches

#: No aggregate: even how many mains a square holds is for those who may see them.
PIPE: Final = Layer(
    id="pipe",
    group="city",
    shape="line",
    tables=("pipe",),
    source=TableSource(
        raw("(SELECT id, identifier, kind AS class, rank, depth_m, diameter_mm,"
            " owner_code, road, laid_year, cell_id, area_code, source, valid_from, geom, geom_3857"
            " FROM pipe WHERE valid_to IS NULL)"),
        geom_3857="geom_3857",
        tile_id="id",
    ),
    columns=(
        Column("identifier", level="L2", goes="rows"),
        Column("class", level="L2"),
        Column("rank", level="L2"),
        Column("depth_m", "number", level="L2"),
        Column("diameter_mm", "integer", level="L2"),
        Column("owner_code", level="L2", goes="rows"),
        Column("road", level="L2", goes="rows"),
        Column("laid_year", "integer", level="L2", goes="rows"),
        Column("area_code", goes="rows"),
        Column("source", goes="rows"),
        Column("valid_from", "date", goes="rows"),
    ),
    min_zoom=12,
    steps=(
        (12, Where(raw("t.rank = 'trunk'"))),
        (14, Where(raw("t.rank IN ('trunk', 'main')"))),
        (16, Where(raw("true"))),
    ),
    style=Style("line", swatches("water", "sewage", "gas", "heat", "power"), by="class",
                width_px=2),
    permission="pipe:view",
    class_filter="class",
)  # fmt: skip
