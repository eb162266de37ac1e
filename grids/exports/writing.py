"""Files of a selection, written or streamed.

Nothing is cut silently: rows are counted in the same snapshot that is read, and a stream
that ends with another number fails. Every file says who took it, when and under which number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from psycopg import Connection, sql

from gis import postgis
from gis.crs import CRS84
from gis.folium_map import Assets, MapLayer, map_html
from gis.formats import Field, write_gpkg
from gis.geojson import Tally, feature_collection
from gis.postgis import Batch, Where
from gis.workbooks import write_xlsx
from grids.errors import GridsError, Invalid
from grids.exports.levels import export_columns
from grids.exports.selection import Selection

#: A browser draws so many features from one file and stays usable.
MOST_ON_A_MAP: Final = 20_000
#: A workbook of so many rows opens on an office machine.
MOST_ON_A_SHEET: Final = 200_000
PIECE_BYTES: Final = 65_536
#: Column of a CSV that says who took it, when and under which number.
MARK_COLUMN: Final = "export_mark"

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


class TooManyForMap(Invalid):
    """More features than one map file can show; nothing is left out silently."""

    code = "export.too_many_for_map"


class TooManyForSheet(Invalid):
    """More rows than one sheet can show; nothing is left out silently."""

    code = "export.too_many_for_sheet"


class Incomplete(GridsError):
    """A stream ended with another number of rows than were counted."""

    code = "export.incomplete"


def geojson(
    conn: Connection[Any], wanted: Selection, expected: int, tally: Tally
) -> Iterator[bytes]:
    """Stream a selection as RFC 7946 GeoJSON, made by PostGIS, in constant memory.

    Raises `Incomplete` before the end of the document where rows are missing or too many.
    """
    texts = postgis.feature_texts(
        conn, wanted.source, within=wanted.within, where=wanted.where, crs=CRS84
    )
    members = {"watermark": wanted.mark.facts()} if wanted.mark else None
    yield from _complete(feature_collection(texts, tally, members=members), expected, tally)


def csv(conn: Connection[Any], wanted: Selection, expected: int, tally: Tally) -> Iterator[bytes]:
    """Stream a selection as CSV with a point for each row, in the system asked for.

    UTF-8 with a byte order mark, which spreadsheets need to see Chinese. CSV knows no
    comment that every reader passes over, so the mark is a column of its own.
    """
    wanted = _with_mark_column(wanted)
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
    kinds = {column.name: _KINDS[column.kind] for column in export_columns(wanted.layer)}
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
        metadata=_texts(wanted),
    )
    if rows != expected:
        raise Incomplete(f"{rows} rows were written, {expected} were counted")
    return rows


def xlsx(conn: Connection[Any], wanted: Selection, expected: int, path: Path, *, title: str) -> int:
    """Write a selection as a workbook; return the rows.

    Raises `TooManyForSheet` and `Incomplete`.
    """
    if expected > MOST_ON_A_SHEET:
        raise TooManyForSheet(
            f"{expected} rows are too many for one sheet, {MOST_ON_A_SHEET} are possible",
            rows=expected,
            most=MOST_ON_A_SHEET,
        )
    plain = _without_key(wanted)
    key = wanted.source.key
    rows = write_xlsx(
        path,
        title,
        map(_keyed(key), _batches(conn, plain)),
        columns=(key, *plain.source.columns),
        places=("lon", "lat") if wanted.crs.is_geographic else ("easting", "northing"),
        digits=7 if wanted.crs.is_geographic else 3,
        watermark=wanted.mark.text if wanted.mark else "",
        facts=_texts(wanted),
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
    watermark = wanted.mark.text if wanted.mark else ""
    if wanted.mark and wanted.mark.altered:
        note = f"{note} {wanted.mark.altered}"
    page = map_html([drawn], assets, title=title, note=note, lang=lang, watermark=watermark)
    return page.encode()


def _texts(wanted: Selection) -> dict[str, str] | None:
    return (
        {name: str(value) for name, value in wanted.mark.facts().items()} if wanted.mark else None
    )


def _with_mark_column(wanted: Selection) -> Selection:
    """Add the visible mark as a last column of every row."""
    if wanted.mark is None:
        return wanted
    columns = {**wanted.source.columns, MARK_COLUMN: sql.SQL("%(export_mark)s::text")}
    where = Where(wanted.where.text, {**wanted.where.values, "export_mark": wanted.mark.text})
    return replace(wanted, source=replace(wanted.source, columns=columns), where=where)


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
