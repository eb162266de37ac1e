"""What somebody wants to take: a layer, an area, columns, a system and a format, all checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from psycopg import Connection

from gis import postgis
from gis.crs import CRS84, Crs, parse_crs
from gis.formats import CSV_MEDIA_TYPE, GPKG_MEDIA_TYPE
from gis.geojson import MEDIA_TYPE
from gis.postgis import TableSource, Where, Within
from gis.workbooks import XLSX_MEDIA_TYPE
from grids.accounts import Actor
from grids.errors import Invalid, NotAllowed
from grids.exports import marks
from grids.exports.levels import export_columns, level_of
from grids.exports.marks import Mark
from grids.layers import Layer, condition
from grids.layers.model import Level

Format = Literal["geojson", "gpkg", "csv", "xlsx", "html"]

FORMATS: Final[dict[str, tuple[str, str]]] = {
    "geojson": ("geojson", MEDIA_TYPE),
    "gpkg": ("gpkg", GPKG_MEDIA_TYPE),
    "csv": ("csv", CSV_MEDIA_TYPE),
    "xlsx": ("xlsx", XLSX_MEDIA_TYPE),
    "html": ("html", "text/html; charset=utf-8"),
}
PREVIEWED: Final = 20
#: Rows whose text is measured to estimate the size of the whole.
SAMPLED: Final = 200
#: Rows a second on two cores, measured by `bench/export.py`; for the estimate only.
ROWS_PER_S: Final = {
    "geojson": 100_000, "gpkg": 25_000, "csv": 100_000, "xlsx": 6_000, "html": 15_000,
}  # fmt: skip
#: A GeoPackage holds binary shapes and an index, CSV one point a row, XLSX is packed.
SIZE_OF_TEXT: Final = {"geojson": 1.0, "gpkg": 0.75, "csv": 0.55, "xlsx": 0.2, "html": 1.05}


class NotExportable(NotAllowed):
    """The layer cannot be taken away."""

    code = "export.not_allowed"


class BadFormat(Invalid):
    """There is no such format."""

    code = "export.bad_format"


class BadColumn(Invalid):
    """The layer has no such column, or it must not leave."""

    code = "export.bad_column"


class OnlyCrs84(Invalid):
    """GeoJSON and map files are in CRS84 only (RFC 7946, 4)."""

    code = "export.only_crs84"


@dataclass(frozen=True)
class Selection:
    """What is to be taken: every part was checked."""

    layer: Layer
    source: TableSource
    where: Where
    within: Within | None
    crs: Crs
    format: Format
    level: Level = "L1"
    mark: Mark | None = field(default=None, compare=False)

    @property
    def media_type(self) -> str:
        """Media type of the file."""
        return FORMATS[self.format][1]


@dataclass(frozen=True)
class Estimate:
    """How much a selection is, and its first rows."""

    rows: int
    size_bytes: int
    duration_s: float
    columns: tuple[str, ...]
    first: tuple[dict[str, Any], ...]
    features: str


def selection(
    layer: Layer,
    actor: Actor,
    *,
    format_name: str = "geojson",
    columns: tuple[str, ...] = (),
    area: str = "",
    within: Within | None = None,
    crs: str = "",
    classes: tuple[str, ...] = (),
) -> Selection:
    """Check what somebody wants to take; no columns means all that may leave.

    Raises `NotExportable`, `BadFormat`, `BadColumn`, `OnlyCrs84` and `gis.errors.UnknownCrs`.
    """
    if not layer.is_exportable or layer.source is None:
        raise NotExportable(f"layer {layer.id} cannot be exported", layer=layer.id)
    if format_name not in FORMATS:
        raise BadFormat(f"no format {format_name[:20]!r}", field="format", format=format_name[:20])
    offered = {column.name: column for column in export_columns(layer)}
    known = set(offered)
    if unknown := sorted(set(columns) - known):
        raise BadColumn(f"no column {unknown[0][:40]!r}", field="columns", column=unknown[0][:40])
    names = tuple(name for name in offered if name in columns) or tuple(
        column.name for column in layer.row_columns
    )
    system = parse_crs(crs) if crs else CRS84
    if format_name in ("geojson", "html") and system.srid != CRS84.srid:
        raise OnlyCrs84("GeoJSON is in CRS84 only (RFC 7946)", field="crs", format=format_name)
    return Selection(
        layer=layer,
        source=_source(layer, names),
        where=condition(layer, actor, area=area, classes=classes),
        within=within,
        crs=CRS84 if system.srid == CRS84.srid else system,
        format=format_name,  # type: ignore[arg-type]
        level=level_of(layer, names, actor),
    )


def _source(layer: Layer, names: tuple[str, ...]) -> TableSource:
    if layer.source is None:
        raise NotExportable(f"layer {layer.id} cannot be exported", layer=layer.id)
    columns = {c.name: c.taken_from for c in export_columns(layer) if c.name in names}
    return replace(layer.source, columns=columns)


def marked(wanted: Selection, mark: Mark) -> Selection:
    """Return the selection as one recipient gets it: with the mark in the file and its rows.

    Only points and instants are marked, and only above L1: what everybody may have needs no
    trace. A key that is empty leaves the rows as they are stored.
    """
    if wanted.level == "L1":
        return replace(wanted, mark=replace(mark, key=""))
    instants = {c.name for c in export_columns(wanted.layer) if c.kind == "instant"}
    source = replace(
        wanted.source,
        columns={
            name: marks.marked_instant(column) if name in instants else column
            for name, column in wanted.source.columns.items()
        },
        shown=marks.marked_point(wanted.source.geom) if wanted.layer.shape == "point" else None,
    )
    where = Where(wanted.where.text, {**wanted.where.values, marks.KEY_NAME: mark.key})
    return replace(wanted, source=source, where=where, mark=mark)


def count(conn: Connection[Any], wanted: Selection) -> int:
    """Count the rows of a selection exactly."""
    return postgis.count(conn, wanted.source, within=wanted.within, where=wanted.where)


def estimate(conn: Connection[Any], wanted: Selection) -> Estimate:
    """Count a selection, show its first rows and estimate size and time from some of them."""
    rows = count(conn, wanted)
    page = postgis.items(
        conn, wanted.source, limit=SAMPLED, within=wanted.within, where=wanted.where, crs=CRS84
    )
    features = json.loads(f"[{page.text}]")
    size = len(page.text.encode()) / max(1, page.count) * rows * SIZE_OF_TEXT[wanted.format]
    return Estimate(
        rows=rows,
        size_bytes=round(size),
        duration_s=round(rows / ROWS_PER_S[wanted.format] + 0.2, 1),
        columns=tuple(wanted.source.columns),
        first=tuple(
            {"id": feature["id"], **feature["properties"]} for feature in features[:PREVIEWED]
        ),
        features=page.collection,
    )
