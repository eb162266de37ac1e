"""The base map: what is drawn from which zoom on, so that a tile stays below 500 kB."""

from __future__ import annotations

from typing import Final

from gis.postgis import EVERYTHING, TableSource, Where, raw
from grids.layers.model import Layer, Part, Style

_NAMED: Final = {"kind": "kind", "name": "name"}


def _source(table: str, **more: str) -> TableSource:
    return TableSource(table, columns={**_NAMED, **more}, geom_3857="geom_3857")


# A square of two screen pixels at zoom z covers (156543 * cos(lat) / 2^z * 2)^2 m2; what is
# smaller cannot be told from a speck.
_LANDUSE: Final = (
    (7, Where(raw("t.area_m2 > 2000000"))),
    (10, Where(raw("t.area_m2 > 200000"))),
    (12, Where(raw("t.area_m2 > 20000"))),
    (13, Where(raw("t.area_m2 > 4000"))),
    (14, EVERYTHING),
)
_WATER: Final = (
    (7, Where(raw("t.area_m2 > 1000000"))),
    (10, Where(raw("t.area_m2 > 100000 OR (t.area_m2 IS NULL AND t.kind IN ('river', 'canal'))"))),
    (12, Where(raw("t.area_m2 > 5000 OR (t.area_m2 IS NULL AND t.kind IN ('river', 'canal'))"))),
    (13, EVERYTHING),
)
_ROADS: Final = (
    (6, Where(raw("t.rank <= 1"))),
    (8, Where(raw("t.rank <= 2"))),
    (10, Where(raw("t.rank <= 3"))),
    (11, Where(raw("t.rank <= 4"))),
    (12, Where(raw("t.rank <= 5"))),
    (13, Where(raw("t.rank <= 6"))),
    (14, Where(raw("t.rank <= 8"))),
    (15, EVERYTHING),
)
_BUILDINGS: Final = ((14, Where(raw("t.area_m2 > 150"))), (15, EVERYTHING))
_PLACES: Final = (
    (6, Where(raw("t.rank <= 1"))),
    (9, Where(raw("t.rank <= 3"))),
    (11, Where(raw("t.rank <= 5"))),
    (13, EVERYTHING),
)
_BOUNDARIES: Final = (
    (7, Where(raw("t.level = 6"))),
    (9, Where(raw("t.level IN (6, 9)"))),
    (13, EVERYTHING),
)

BASE: Final = Layer(
    id="base",
    group="base",
    shape="mixed",
    tables=("city", "landuse", "water", "road", "building", "place", "area"),
    permission=None,
    scope=None,
    style=Style("base"),
    is_exportable=False,
    is_default_on=True,
    parts=(
        Part("landuse", _source("landuse"), _LANDUSE),
        Part("water", _source("water"), _WATER),
        Part("roads", _source("road", rank="rank", is_bridge="is_bridge"), _ROADS),
        Part("buildings", _source("building", levels="levels"), _BUILDINGS),
        Part(
            "places",
            TableSource("place", columns={**_NAMED, "name_en": "name_en", "rank": "rank"}),
            _PLACES,
        ),
        Part(
            "boundaries",
            TableSource(
                raw("(SELECT level, geom FROM area WHERE valid_to IS NULL)"),
                columns={
                    "level": "level",
                    "kind": raw("CASE t.level WHEN 6 THEN 'county' WHEN 9 THEN 'town'"
                                " ELSE 'community' END"),
                },
            ),
            _BOUNDARIES,
        ),
    ),
)  # fmt: skip
