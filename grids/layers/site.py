"""The layer of the sites where towns, zones, communities and villages are met."""

from __future__ import annotations

from typing import Final

from gis.postgis import TableSource, raw
from grids.layers.model import Aggregate, Column, Layer, Style
from grids.layers.palette import swatches

SITE: Final = Layer(
    id="site",
    group="divisions",
    shape="point",
    tables=("site",),
    source=TableSource(
        raw("(SELECT id, org_code, kind AS class, name, hours, phone, cell_id, area_code, source,"
            " valid_from, geom, geom_3857 FROM site WHERE valid_to IS NULL)"),
        geom_3857="geom_3857",
        tile_id="id",
    ),
    columns=(
        Column("class"),
        Column("name"),
        Column("org_code"),
        Column("hours"),
        Column("phone", goes="rows"),
        Column("area_code", goes="rows"),
        Column("source", goes="rows"),
        Column("valid_from", "date", goes="rows"),
    ),
    min_zoom=11,
    aggregate=Aggregate("class"),
    style=Style("circle", swatches("street", "town", "zone", "community", "village"), by="class",
                radius_px=6, label="name", label_zoom=14),
    class_filter="class",
)  # fmt: skip
