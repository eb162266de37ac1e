"""Planners' files: GeoPackage and CSV written batch by batch, GeoPackage and GeoJSON read.

Writers take batches of columns (`gis.postgis.batches`) and hold one at a time. Readers
hand every geometry through the guard.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.bbox import Bbox
from gis.crs import CRS84, STORAGE_SRID, Crs, parse_crs, transform
from gis.errors import GisError, UnknownCrs, UnknownFormat
from gis.geojson import Feature, Refused, Tally, read_features
from gis.guard import MAX_VERTICES, shape
from gis.postgis import Batch

GPKG_MEDIA_TYPE: Final = "application/geopackage+sqlite3"
CSV_MEDIA_TYPE: Final = "text/csv; charset=utf-8"
_READ_BATCH: Final = 5_000
_SQLITE_MAGIC: Final = b"SQLite format 3\x00"
#: A cell that begins so is run as a formula by spreadsheets, the full-width twins included.
_FORMULA: Final = re.compile(r"^[\s]*[=+\-@＝＋－＠]|^[\t\r\n]")
_PLAIN_NUMBER: Final = re.compile(r"^[+-]?\d+(\.\d+)?$")

Kind = Literal["int", "float", "bool", "date", "datetime", "text"]
_DTYPES: Final[dict[str, Any]] = {
    "int": np.int64,
    "float": np.float64,
    "bool": np.bool_,
    "date": "datetime64[D]",
    "datetime": "datetime64[ms]",
    "text": object,
}


@dataclass(frozen=True)
class Field:
    """A column of a file: its name and what it holds."""

    name: str
    kind: Kind


def write_gpkg(
    path: Path,
    layer: str,
    batches: Iterable[Batch],
    *,
    crs: Crs = CRS84,
    fields: Sequence[Field] | None = None,
    geometry_type: str = "Unknown",
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Write batches as one layer of a GeoPackage; return the number of rows.

    Parameters
    ----------
    path : Path
        A new file, or one to which the layer is added.
    fields : sequence of Field or None
        Columns beside the key. None takes them from the first batch, where a column of
        nothing but None becomes text.
    geometry_type : str
        ``Point``, ``MultiPolygon``, ...; ``Unknown`` takes any.
    metadata : mapping of str to str
        Facts on the whole file, kept in its table `gpkg_metadata`.

    Notes
    -----
    Instants are written in UTC. Values that no column type holds (lists, objects) become
    JSON text. Without any row and with `fields`, the layer is there and empty.
    """
    rows = 0
    for batch in batches:
        if fields is None:
            fields = [Field(name, _kind_of(values)) for name, values in batch.columns.items()]
        _append(path, layer, batch, fields, crs=crs, geometry_type=geometry_type,
                is_first=not rows, metadata=metadata)  # fmt: skip
        rows += len(batch)
    if not rows and fields is not None:
        nothing = Batch([], [], {field.name: [] for field in fields})
        _append(path, layer, nothing, fields, crs=crs, geometry_type=geometry_type,
                is_first=True, metadata=metadata)  # fmt: skip
    return rows


def _append(
    path: Path,
    layer: str,
    batch: Batch,
    fields: Sequence[Field],
    *,
    crs: Crs,
    geometry_type: str,
    is_first: bool,
    metadata: Mapping[str, str] | None = None,
) -> None:
    # Here and below, not above: pyogrio brings pandas, 1.4 s that no web process waits for.
    import pyogrio

    columns = [_column(batch.columns[field.name], field.kind) for field in fields]
    pyogrio.raw.write(
        str(path),
        geometry=np.array(batch.wkb, dtype=object),
        field_data=[values for values, _ in columns],
        fields=[field.name for field in fields],
        field_mask=[mask for _, mask in columns],
        layer=layer,
        driver="GPKG",
        geometry_type=geometry_type,
        crs=f"EPSG:{crs.srid}",
        append=not is_first,
        dataset_metadata=dict(metadata) if metadata and is_first else None,
        # A reproducible file: the same rows give the same bytes but for their dates.
        layer_options=None if not is_first else {"SPATIAL_INDEX": "YES"},
        gdal_tz_offsets={f.name: np.full(len(batch), 100) for f in fields if f.kind == "datetime"},
    )


def _column(values: Sequence[object], kind: Kind) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    mask = np.array([value is None for value in values], dtype=bool)
    if kind == "text":
        return np.array([_text(value) for value in values], dtype=object), mask
    empty: object = {"date": date(1970, 1, 1), "datetime": datetime(1970, 1, 1)}.get(kind, 0)  # noqa: DTZ001
    given = [empty if value is None else _plain(value) for value in values]
    return np.array(given, dtype=_DTYPES[kind]), mask


def _plain(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return np.datetime64(int(value.timestamp() * 1000), "ms")
    return value


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.isoformat() if isinstance(value, date) else str(value)


def _kind_of(values: Sequence[object]) -> Kind:
    kinds: set[Kind] = {_kind_of_one(value) for value in values if value is not None}
    if kinds == {"int", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else "text"


def _kind_of_one(value: object) -> Kind:
    # Order matters: a bool is an int, a datetime is a date.
    known: tuple[tuple[type | tuple[type, ...], Kind], ...] = (
        (bool, "bool"),
        (int, "int"),
        ((float, Decimal), "float"),
        (datetime, "datetime"),
        (date, "date"),
    )
    return next((kind for types, kind in known if isinstance(value, types)), "text")


def csv_stream(
    batches: Iterable[Batch],
    *,
    geometry: Literal["none", "wkt", "xy"] = "xy",
    names: tuple[str, str] = ("lon", "lat"),
    key_name: str = "id",
    tally: Tally | None = None,
) -> Iterator[bytes]:
    """Write batches as CSV, batch by batch.

    UTF-8 with a byte order mark, which Excel needs to see Chinese. A text that a
    spreadsheet would run as a formula gets an apostrophe in front.

    Parameters
    ----------
    geometry : {"none", "wkt", "xy"}
        Nothing; a column `wkt`; or two columns with the point, and for lines and polygons
        a point on them.
    names : tuple of str
        Names of those two columns.
    """
    tally = tally if tally is not None else Tally()
    is_first = True
    for batch in batches:
        rows = zip(*(map(_cell, values) for values in batch.columns.values()), strict=True)
        plain = rows if batch.columns else iter([()] * len(batch))
        places = _places(batch.wkb, geometry)
        table = (
            (_cell(key), *row, *place)
            for key, row, place in zip(batch.keys, plain, places, strict=True)
        )
        heads = {"none": (), "wkt": ("wkt",), "xy": names}[geometry]
        head = [(key_name, *batch.columns, *heads)] if is_first else []
        piece = _csv_text([*head, *table], is_first=is_first)
        tally.rows += len(batch)
        tally.size += len(piece)
        is_first = False
        yield piece


def _csv_text(rows: Iterable[Sequence[object]], *, is_first: bool) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8-sig" if is_first else "utf-8")


def _places(wkb: Sequence[bytes | None], geometry: str) -> Iterable[tuple[object, ...]]:
    if geometry == "none":
        return [()] * len(wkb)
    shapes = shapely.from_wkb(np.array(wkb, dtype=object))
    if geometry == "wkt":
        texts = shapely.to_wkt(shapes, rounding_precision=7)
        return [("" if text is None else text,) for text in texts]
    points = shapely.point_on_surface(shapes)
    x, y = np.round(shapely.get_x(points), 7), np.round(shapely.get_y(points), 7)
    return [
        ("", "") if np.isnan(a) else (a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]


def _cell(value: object) -> object:
    text = _text(value) if not isinstance(value, int | float | Decimal) else value
    return safe_cell(text) if isinstance(text, str) else text


def safe_cell(text: str) -> str:
    """Make a text harmless for spreadsheets, which run what looks like a formula.

    >>> safe_cell("=HYPERLINK(1)"), safe_cell("-3.5"), safe_cell("")
    ("'=HYPERLINK(1)", '-3.5', '')
    """
    return f"'{text}" if _FORMULA.match(text) and not _PLAIN_NUMBER.match(text) else text


def read_gpkg(
    path: Path,
    envelope: Bbox,
    *,
    layer: str | None = None,
    max_vertices: int = MAX_VERTICES,
) -> Iterator[Feature | Refused]:
    """Read a layer of a GeoPackage that a stranger sent, row by row, through the guard.

    Geometries are transformed to the storage system. `layer` None is the first.

    Raises
    ------
    UnknownFormat
        Where the file is no GeoPackage or has no such layer.
    UnknownCrs
        Where the layer does not say its system.
    """
    srid = _srid_of(path, layer)
    first = 0
    while True:
        meta, _, wkb, columns = _read_batch(path, layer, first)
        if wkb is None or not len(wkb):
            return
        names = [str(name) for name in meta["fields"]]
        for at, raw in enumerate(wkb):
            values = {name: _value(column[at]) for name, column in zip(names, columns, strict=True)}
            yield _guarded(raw, values, first + at, srid, envelope, max_vertices)
        first += len(wkb)


def _guarded(
    raw: bytes | None,
    values: dict[str, Any],
    index: int,
    srid: int,
    envelope: Bbox,
    max_vertices: int,
) -> Feature | Refused:
    place = f"row[{index}].geometry"
    try:
        with np.errstate(invalid="ignore"):
            made = None if raw is None else shapely.from_wkb(raw, on_invalid="ignore")
        if made is not None and srid != STORAGE_SRID:
            made = shapely.transform(
                shapely.force_2d(made), lambda xy: transform(xy, srid, STORAGE_SRID)
            )
        checked = shape(made, envelope, max_vertices=max_vertices, place=place)
    except GisError as error:
        return Refused(index, None, error)
    return Feature(index, index, checked, values)


def _srid_of(path: Path, layer: str | None) -> int:
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    with path.open("rb") as file:
        if file.read(len(_SQLITE_MAGIC)) != _SQLITE_MAGIC:
            raise UnknownFormat("the file is no GeoPackage", name=path.name)
    try:
        name = pyogrio.read_info(str(path), layer=layer)["crs"]
    except (DataSourceError, DataLayerError) as problem:
        raise UnknownFormat(
            f"the file is no readable GeoPackage: {problem}", name=path.name
        ) from problem
    if name is None:
        raise UnknownCrs("the layer does not say its coordinate reference system", crs="")
    return parse_crs(str(name)).srid


def _read_batch(path: Path, layer: str | None, first: int) -> Any:
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        return pyogrio.raw.read(
            str(path), layer=layer, skip_features=first, max_features=_READ_BATCH
        )
    except (DataSourceError, DataLayerError) as problem:
        raise UnknownFormat(f"the file breaks off: {problem}", name=path.name) from problem


def _value(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else value.item()
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and np.isnan(value) else value


def _read_geojson(path: Path, envelope: Bbox) -> Iterator[Feature | Refused]:
    return read_features(path.read_bytes(), envelope)


READERS: Final[dict[str, Callable[[Path, Bbox], Iterator[Feature | Refused]]]] = {
    ".geojson": _read_geojson,
    ".json": _read_geojson,
    ".gpkg": read_gpkg,
}
"""Import formats by the end of the file's name."""


def read_file(path: Path, envelope: Bbox) -> Iterator[Feature | Refused]:
    """Read a file that a stranger sent by the end of its name; `UnknownFormat` for others."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UnknownFormat(f"files that end in {path.suffix!r} cannot be read", name=path.name)
    return reader(path, envelope)
