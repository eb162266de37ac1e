"""Every layer that the platform can show. A new layer is one entry here.

No layer holds persons: they are counted (`grids.people`), never placed on a map.
"""

from __future__ import annotations

from typing import Final

from psycopg import sql

from gis.postgis import TableSource, Where, raw
from grids.errors import NotFound
from grids.incidents.lifecycle import OPEN
from grids.layers.base import BASE
from grids.layers.hazard import HAZARD
from grids.layers.model import Aggregate, Column, Layer, Style
from grids.layers.palette import OTHER, swatches
from grids.layers.pipe import PIPE
from grids.layers.site import SITE

_UPDATED: Final = (
    Column("area_code", goes="rows"),
    Column("source", goes="rows"),
    Column("valid_from", "date", goes="rows"),
)

AREA: Final = Layer(
    id="area",
    group="divisions",
    shape="polygon",
    tables=("area",),
    source=TableSource(
        raw("(SELECT code, parent_code, level, kind, name_zh, name_en, geom FROM area"
            " WHERE valid_to IS NULL AND level > 6)"),
        key="code",
    ),
    columns=(
        Column("code"),
        Column("name_zh"),
        Column("name_en"),
        Column("level", "integer"),
        Column("kind"),
        Column("parent_code", goes="rows"),
    ),
    min_zoom=7,
    steps=((7, Where(raw("t.level = 9"))), (12, Where(raw("t.level IN (9, 12)")))),
    style=Style("outline", swatches("9", "12"), by="level", width_px=1.4, label="name",
                label_zoom=9),
    permission=None,
    scope=None,
)  # fmt: skip

#: The grids of a day: today's, or those of the day that `as_of` names.
GRIDS: Final = (
    "(SELECT g.id, g.code, g.name, g.kind, v.households, v.area_m2,"
    " g.code AS area_code, v.valid, v.geom"
    " FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id WHERE v.valid @> {day})"
)

GRID: Final = Layer(
    id="grid",
    group="divisions",
    shape="polygon",
    tables=("grid", "grid_version"),
    source=TableSource(
        sql.SQL(GRIDS).format(day=raw("(SELECT city_today())")),
        key="code",
        tile_id="id",
    ),
    columns=(
        Column("code"),
        Column("name"),
        Column("kind"),
        Column("households", "integer"),
        Column("area_m2", "number", expression=raw("round(t.area_m2::numeric)::float8")),
        Column("valid_from", "date", expression=raw("lower(t.valid)"), goes="rows"),
    ),
    min_zoom=7,
    style=Style("outline", swatches("basic", "exclusive"), by="kind", width_px=1, label="name",
                label_zoom=15),
    permission="grid:view",
    is_default_on=True,
)  # fmt: skip

CELL: Final = Layer(
    id="cell",
    group="divisions",
    shape="polygon",
    tables=("cell",),
    source=TableSource("cell", key="cell_id"),
    columns=(
        Column("cell_id", "integer"),
        Column("is_whole", "boolean"),
        Column("area_code", goes="rows"),
    ),
    min_zoom=14,
    aggregate=Aggregate(raw("'cell'")),
    style=Style("outline", swatches("cell"), width_px=0.6),
    permission="grid:view",
)

BUILDING: Final = Layer(
    id="building",
    group="places",
    shape="polygon",
    tables=("building",),
    source=TableSource(
        raw("(SELECT id, name, kind, levels, height_m, built_year, dwellings, area_m2, cell_id,"
            " area_code, source, valid_from, geom, geom_3857,"
            " CASE WHEN kind IN ('residential', 'apartments', 'house', 'detached', 'terrace',"
            "   'dormitory') THEN 'residential'"
            " WHEN kind IN ('industrial', 'warehouse', 'factory') THEN 'industrial'"
            " WHEN kind IN ('commercial', 'retail', 'office', 'hotel', 'supermarket')"
            "   THEN 'commercial'"
            " WHEN kind IN ('school', 'hospital', 'public', 'civic', 'university', 'church',"
            "   'kindergarten', 'government') THEN 'public'"
            " ELSE 'other' END AS class"
            " FROM building WHERE valid_to IS NULL)"),
        geom_3857="geom_3857",
        tile_id="id",
    ),
    columns=(
        Column("class"),
        Column("kind"),
        Column("name"),
        Column("levels", "integer"),
        Column("height_m", "number", goes="rows"),
        Column("built_year", "integer", goes="rows"),
        Column("dwellings", "integer"),
        Column("area_m2", "number", goes="rows"),
        *_UPDATED,
    ),
    min_zoom=14,
    aggregate=Aggregate("class"),
    style=Style("fill", swatches("residential", "industrial", "commercial", "public", OTHER),
                by="class", opacity=0.75, label="name", label_zoom=17),
    class_filter="class",
)  # fmt: skip

ADDRESS: Final = Layer(
    id="address",
    group="places",
    shape="point",
    tables=("address",),
    source=TableSource(
        raw("(SELECT id, text, street, number, estate, building, cell_id, area_code, source,"
            " valid_from, geom, geom_3857 FROM address WHERE valid_to IS NULL)"),
        geom_3857="geom_3857",
        tile_id="id",
    ),
    columns=(
        Column("text"),
        Column("street", goes="rows"),
        Column("number"),
        Column("estate", goes="rows"),
        Column("building", goes="rows"),
        *_UPDATED,
    ),
    min_zoom=15,
    aggregate=Aggregate(raw("'address'")),
    style=Style("circle", swatches("address"), radius_px=3, label="number", label_zoom=17),
)  # fmt: skip

ROAD: Final = Layer(
    id="road",
    group="places",
    shape="line",
    tables=("road",),
    source=TableSource("road", geom_3857="geom_3857", tile_id="id"),
    columns=(
        Column("kind"),
        Column("rank", "integer"),
        Column("name"),
        Column("is_oneway", "boolean"),
        Column("is_bridge", "boolean", goes="rows"),
        Column("is_tunnel", "boolean", goes="rows"),
        Column("speed_kmh", "integer", goes="rows"),
        Column("length_m", "number", goes="rows"),
    ),
    min_zoom=9,
    steps=(
        (9, Where(raw("t.rank <= 3"))),
        (11, Where(raw("t.rank <= 4"))),
        (12, Where(raw("t.rank <= 5"))),
        (13, Where(raw("t.rank <= 6"))),
        (14, Where(raw("t.rank <= 8"))),
        (15, Where(raw("true"))),
    ),
    style=Style("line", swatches("road"), width_px=2, label="name", label_zoom=15),
    scope=None,
)

COMPONENT: Final = Layer(
    id="component",
    group="city",
    shape="mixed",
    tables=("component", "category"),
    source=TableSource(
        raw("(SELECT c.id, c.identifier, c.code, left(c.code, 2) AS class, k.name_zh, k.name_en,"
            " c.name, c.state, c.department_code, c.cell_id, c.area_code, c.source, c.valid_from,"
            " c.geom, c.geom_3857"
            " FROM component AS c LEFT JOIN category AS k"
            "   ON k.code_system = c.code_system AND k.kind = 'component' AND k.code = c.code"
            " WHERE c.valid_to IS NULL AND c.state <> 'removed')"),
        geom_3857="geom_3857",
        tile_id="id",
    ),
    columns=(
        Column("identifier", goes="rows"),
        Column("class"),
        Column("code"),
        Column("name_zh"),
        Column("name_en"),
        Column("state"),
        Column("name", goes="rows"),
        Column("department_code", goes="rows"),
        *_UPDATED,
    ),
    min_zoom=14,
    aggregate=Aggregate("class"),
    style=Style("circle", swatches("01", "02", "03", "04", "05"), by="class", radius_px=4,
                label="name", label_zoom=18),
    class_filter="class",
)  # fmt: skip

FACILITY: Final = Layer(
    id="facility",
    group="city",
    shape="point",
    tables=("facility",),
    source=TableSource(
        raw("(SELECT id, kind, name, cell_id, area_code, source, valid_from, geom, geom_3857,"
            " CASE WHEN kind IN ('school', 'kindergarten', 'university', 'library', 'culture')"
            "   THEN 'education'"
            " WHEN kind IN ('hospital', 'clinic', 'pharmacy', 'social_facility') THEN 'health'"
            " WHEN kind IN ('fire_station', 'police', 'shelter', 'ambulance_station')"
            "   THEN 'safety'"
            " WHEN kind IN ('government', 'office', 'court', 'community_centre', 'post_office',"
            "   'grid_station') THEN 'service'"
            " ELSE 'other' END AS class"
            " FROM facility WHERE valid_to IS NULL)"),
        geom_3857="geom_3857",
        tile_id="id",
    ),
    columns=(Column("class"), Column("kind"), Column("name"), *_UPDATED),
    min_zoom=12,
    aggregate=Aggregate("class"),
    style=Style("circle", swatches("education", "health", "safety", "service", OTHER),
                by="class", radius_px=5, label="name", label_zoom=15),
    class_filter="class",
)  # fmt: skip

ENTERPRISE: Final = Layer(
    id="enterprise",
    group="economy",
    shape="point",
    tables=("enterprise",),
    source=TableSource(
        raw("(SELECT id, uscc, name, kind, industry, status, staff, registered_on, cell_id,"
            " area_code, source, valid_from, geom, geom_3857,"
            " CASE WHEN industry = 'A' THEN 'primary'"
            " WHEN industry BETWEEN 'B' AND 'E' THEN 'industry'"
            " WHEN industry IN ('F', 'H') THEN 'trade'"
            " ELSE 'services' END AS class"
            " FROM enterprise WHERE valid_to IS NULL AND status <> 'closed')"),
        geom_3857="geom_3857",
        tile_id="id",
    ),
    columns=(
        Column("class"),
        Column("name", level="L2"),
        Column("industry"),
        Column("kind"),
        Column("status"),
        Column("uscc", level="L2", goes="rows"),
        Column("staff", "integer", level="L2", goes="rows"),
        Column("registered_on", "date", goes="rows"),
        *_UPDATED,
    ),
    min_zoom=14,
    aggregate=Aggregate("class"),
    style=Style("circle", swatches("industry", "trade", "services", "primary"), by="class",
                radius_px=4, label="name", label_zoom=17),
    permission="enterprise:view",
    is_requestable=True,
    class_filter="class",
)  # fmt: skip

PREMISES: Final = Layer(
    id="premises",
    group="economy",
    shape="point",
    tables=("premises", "enterprise"),
    source=TableSource(
        raw("(SELECT p.id, p.kind, p.name, p.floor_area_m2, e.uscc, e.name AS enterprise,"
            " p.cell_id, p.area_code, p.source, p.valid_from, p.geom, p.geom_3857,"
            " CASE WHEN p.kind IN ('restaurant', 'cafe', 'bar') THEN 'catering'"
            " WHEN p.kind IN ('hotel', 'rental_house') THEN 'lodging'"
            " WHEN p.kind IN ('workshop', 'warehouse', 'factory', 'fuel', 'hazardous', 'farm')"
            "   THEN 'production'"
            " WHEN p.kind IN ('shop', 'market', 'supermarket', 'mall') THEN 'shop'"
            " WHEN p.kind IN ('beauty', 'entertainment', 'internet_cafe', 'sports', 'training',"
            "   'clinic') THEN 'leisure'"
            " ELSE 'other' END AS class"
            " FROM premises AS p LEFT JOIN enterprise AS e ON e.id = p.enterprise_id"
            " WHERE p.valid_to IS NULL)"),
        geom_3857="geom_3857",
        tile_id="id",
    ),
    columns=(
        Column("class"),
        Column("kind"),
        Column("name", level="L2"),
        Column("floor_area_m2", "number", goes="rows"),
        Column("enterprise", level="L2", goes="rows"),
        Column("uscc", level="L2", goes="rows"),
        *_UPDATED,
    ),
    min_zoom=14,
    aggregate=Aggregate("class"),
    style=Style("circle", swatches("shop", "catering", "lodging", "production", "leisure", OTHER),
                by="class", radius_px=4, label="name", label_zoom=17),
    permission="enterprise:view",
    is_requestable=True,
    class_filter="class",
)  # fmt: skip

INCIDENT: Final = Layer(
    id="incident",
    group="cases",
    shape="point",
    tables=(),
    source=TableSource(
        sql.SQL("(SELECT i.id, i.number, i.category_code, k.name_zh, k.name_en, i.status, i.urgency,"
            " i.channel, i.address, i.text, i.department_code, i.received_at, i.stage_at, i.due_at,"
            " i.cell_id, i.area_code, i.involved, i.geom"
            " FROM incident AS i JOIN category AS k ON k.id = i.category_id"
            " WHERE i.status IN ({}))").format(
            sql.SQL(", ").join(sql.Literal(status) for status in OPEN)
        ),
    ),
    columns=(
        Column("id", level="L2", expression=raw("t.id::text"), goes="tiles"),
        Column("number", level="L2"),
        Column("category_code"),
        Column("name_zh"),
        Column("name_en"),
        Column("status"),
        Column("urgency"),
        Column("due_s", "integer", goes="tiles",
               expression=raw("extract(epoch FROM t.due_at)::bigint")),
        Column("channel", goes="rows"),
        Column("address", level="L2", goes="rows"),
        # What reporters wrote may name people: it leaves by an approved export only.
        Column("text", level="L3", goes="rows"),
        Column("department_code", goes="rows"),
        Column("received_at", "instant", goes="rows"),
        Column("due_at", "instant", goes="rows"),
        Column("area_code", goes="rows"),
    ),
    min_zoom=11,
    aggregate=Aggregate("urgency", is_live=True),
    style=Style("circle", swatches("A", "B", "C", "D"), by="urgency", radius_px=6),
    permission="incident:view",
    is_requestable=True,
    is_default_on=True,
    follows_feed=True,
    is_case=True,
    class_filter="status",
)  # fmt: skip

LAYERS: Final = (
    BASE, AREA, GRID, CELL, BUILDING, ADDRESS, ROAD,
    COMPONENT, FACILITY, SITE, PIPE, ENTERPRISE, PREMISES, INCIDENT, HAZARD,
)  # fmt: skip

_BY_ID: Final = {layer.id: layer for layer in LAYERS}


class NoLayer(NotFound):
    """There is no such layer, or it is not for the caller."""

    code = "layer.unknown"


def layer_of(layer_id: str) -> Layer:
    """Return a layer by its id. Raises `NoLayer`."""
    found = _BY_ID.get(layer_id)
    if found is None:
        raise NoLayer(f"no layer {layer_id!r}", layer=layer_id[:40])
    return found
