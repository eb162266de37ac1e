"""What planners take away: a layer, an area, columns and a system, as a file or a stream.

Nothing is cut silently: rows are counted in the same snapshot that is read, and a stream
that ends with another number fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from psycopg import Connection

from gis import postgis
from gis.crs import CRS84, Crs, parse_crs
from gis.folium_map import Assets, MapLayer, map_html
from gis.formats import CSV_MEDIA_TYPE, GPKG_MEDIA_TYPE, Field, write_gpkg
from gis.geojson import MEDIA_TYPE, Tally, feature_collection
from gis.postgis import Batch, TableSource, Where, Within
from grids.accounts import Actor
from grids.errors import GridsError, Invalid, NotAllowed
from grids.layers import Layer, condition

Format = Literal["geojson", "gpkg", "csv", "html"]

FORMATS: Final[dict[str, tuple[str, str]]] = {
    "geojson": ("geojson", MEDIA_TYPE),
    "gpkg": ("gpkg", GPKG_MEDIA_TYPE),
    "csv": ("csv", CSV_MEDIA_TYPE),
    "html": ("html", "text/html; charset=utf-8"),
}
#: A browser draws so many features from one file and stays usable.
MOST_ON_A_MAP: Final = 20_000
PREVIEWED: Final = 20
PIECE_BYTES: Final = 65_536
#: Rows whose text is measured to estimate the size of the whole.
SAMPLED: Final = 200
#: Rows a second on two cores, measured by `bench/export.py`; for the estimate only.
ROWS_PER_S: Final = {"geojson": 100_000, "gpkg": 25_000, "csv": 100_000, "html": 15_000}
#: A GeoPackage holds binary shapes and an index, CSV one point a row.
SIZE_OF_TEXT: Final = {"geojson": 1.0, "gpkg": 0.75, "csv": 0.45, "html": 1.05}

_KINDS: Final[dict[str, Any]] = {
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "date": "date",
    "instant": "datetime",
    "text": "text",
}
_SHAPES: Final = {
    "point": "Point",
    "line": "LineString",
    "polygon": "MultiPolygon",
    "mixed": "Unknown",
}


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


class TooManyForMap(Invalid):
    """More features than one map file can show; nothing is left out silently."""

    code = "export.too_many_for_map"


class Incomplete(GridsError):
    """A stream ended with another number of rows than were counted."""

    code = "export.incomplete"


@dataclass(frozen=True)
class Selection:
    """What is to be taken: every part was checked."""

    layer: Layer
    source: TableSource
    where: Where
    within: Within | None
    crs: Crs
    format: Format

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
    known = {column.name for column in layer.row_columns}
    if unknown := sorted(set(columns) - known):
        raise BadColumn(f"no column {unknown[0][:40]!r}", field="columns", column=unknown[0][:40])
    system = parse_crs(crs) if crs else CRS84
    if format_name in ("geojson", "html") and system.srid != CRS84.srid:
        raise OnlyCrs84("GeoJSON is in CRS84 only (RFC 7946)", field="crs", format=format_name)
    return Selection(
        layer=layer,
        source=layer.chosen(columns) if columns else layer.rows,
        where=condition(layer, actor, area=area, classes=classes),
        within=within,
        crs=CRS84 if system.srid == CRS84.srid else system,
        format=format_name,  # type: ignore[arg-type]
    )


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


def geojson(
    conn: Connection[Any], wanted: Selection, expected: int, tally: Tally
) -> Iterator[bytes]:
    """Stream a selection as RFC 7946 GeoJSON, made by PostGIS, in constant memory.

    Raises `Incomplete` before the end of the document where rows are missing or too many.
    """
    texts = postgis.feature_texts(
        conn, wanted.source, within=wanted.within, where=wanted.where, crs=CRS84
    )
    yield from _complete(feature_collection(texts, tally), expected, tally)


def csv(conn: Connection[Any], wanted: Selection, expected: int, tally: Tally) -> Iterator[bytes]:
    """Stream a selection as CSV with a point for each row, in the system asked for.

    UTF-8 with a byte order mark, which spreadsheets need to see Chinese.
    """
    names = ("lon", "lat") if wanted.crs.is_geographic else ("easting", "northing")
    rows = postgis.csv_rows(
        conn,
        wanted.source,
        within=wanted.within,
        where=wanted.where,
        crs=wanted.crs,
        names=names,
    )
    yield from _complete(_in_pieces(rows, tally), expected, tally)


def _in_pieces(rows: Iterator[bytes], tally: Tally) -> Iterator[bytes]:
    piece = bytearray(b"\xef\xbb\xbf" + next(rows))
    for row in rows:
        piece += row
        tally.rows += 1
        if len(piece) >= PIECE_BYTES:
            tally.size += len(piece)
            yield bytes(piece)
            piece.clear()
    tally.size += len(piece)
    yield bytes(piece)


def gpkg(conn: Connection[Any], wanted: Selection, expected: int, path: Path) -> int:
    """Write a selection as a GeoPackage; return the rows. Raises `Incomplete`."""
    kinds = {column.name: _KINDS[column.kind] for column in wanted.layer.row_columns}
    names = _without_key(wanted).source.columns
    fields = [Field(name, kinds[name]) for name in names]
    key = wanted.source.key
    # The key is kept as a column of its own: `fid` belongs to the file.
    fields.insert(0, Field(key, "int" if key in ("id", "cell_id") and not wanted.layer.is_case
                           else "text"))  # fmt: skip
    rows = write_gpkg(
        path,
        wanted.layer.id,
        map(_keyed(key), _batches(conn, _without_key(wanted))),
        crs=wanted.crs,
        fields=fields,
        geometry_type="Polygon" if key == "cell_id" else _SHAPES[wanted.layer.shape],
    )
    if rows != expected:
        raise Incomplete(f"{rows} rows were written, {expected} were counted")
    return rows


def map_file(
    conn: Connection[Any],
    wanted: Selection,
    expected: int,
    assets: Assets,
    *,
    title: str,
    note: str,
    labels: dict[str, str],
    lang: str,
) -> bytes:
    """Draw a selection as one HTML file that loads nothing. Raises `TooManyForMap`."""
    if expected > MOST_ON_A_MAP:
        raise TooManyForMap(
            f"{expected} features are too many for one map file, {MOST_ON_A_MAP} are possible",
            rows=expected,
            most=MOST_ON_A_MAP,
        )
    tally = Tally()
    document = json.loads(b"".join(geojson(conn, wanted, expected, tally)))
    swatches = wanted.layer.style.swatches
    drawn = MapLayer(
        title,
        document,
        labels=labels,
        colour=swatches[0].light if swatches else "#0f5fa8",
        weight=wanted.layer.style.width_px,
        radius=wanted.layer.style.radius_px,
    )
    return map_html([drawn], assets, title=title, note=note, lang=lang).encode()


def _batches(conn: Connection[Any], wanted: Selection) -> Iterator[Batch]:
    return postgis.batches(
        conn, wanted.source, within=wanted.within, where=wanted.where, crs=wanted.crs
    )


def _without_key(wanted: Selection) -> Selection:
    """Leave the key out of the columns: files have it as their first one."""
    kept = {name: c for name, c in wanted.source.columns.items() if name != wanted.source.key}
    return replace(wanted, source=replace(wanted.source, columns=kept))


def _keyed(key: str) -> Any:
    def with_key(batch: Batch) -> Batch:
        return replace(batch, columns={key: batch.keys, **batch.columns})

    return with_key


def _complete(pieces: Iterator[bytes], expected: int, tally: Tally) -> Iterator[bytes]:
    """Hold back the last piece until the rows are counted: a cut file must not look whole."""
    held = b""
    for piece in pieces:
        if held:
            yield held
        held = piece
    if tally.rows != expected:
        raise Incomplete(f"{tally.rows} rows were read, {expected} were counted")
    yield held
