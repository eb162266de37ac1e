"""Tables with a geometry: GeoJSON through our own parser; GeoPackage, Shapefile, DXF through GDAL."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import shapely

from gis.archives import MIB, Limits, check_archive
from gis.crs import CRS84_SRID, parse_crs
from gis.errors import GisError, UnknownCrs
from gis.guard import form, load_json
from gis.tables.encodings import fits, guess_encoding
from gis.tables.model import (
    BLOCK_ROWS,
    GUESSED,
    MOST_ROWS,
    Block,
    ReadAs,
    Table,
    names_of,
    text_of,
    unreadable,
)

LIMITS: Final = Limits(most_bytes=64 * MIB, most_unpacked=256 * MIB)
_SHAPE_PARTS: Final = (".shp", ".dbf", ".shx", ".prj", ".cpg")
#: Where the file is a drawing, this column divides it: each layer is a subject of its own.
_DRAWING_LAYER: Final = "Layer"
_CODE_PAGE: Final = re.compile(r"(\$DWGCODEPAGE\n *3\n)[^\n]+")
_CODE_PAGE_HEAD: Final = (
    "0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1015\n9\n$DWGCODEPAGE\n3\nANSI_936\n0\nENDSEC\n"
)
_VERSION: Final = re.compile(r"\$ACADVER\n *1\n(AC\d{4})")
#: From this version on a drawing is in UTF-8, whatever its head says.
_FIRST_UTF8: Final = "AC1021"


# --- GeoJSON --------------------------------------------------------------------------------


def open_geojson(path: Path, _how: ReadAs) -> Table:
    """Look at a GeoJSON document. Raises `UnreadableTable` and what `load_json` refuses."""
    data = path.read_bytes()
    if not data.strip():
        raise unreadable("empty", "the file is empty")
    if not fits(data, "utf-8-sig"):
        name, _ = guess_encoding(data)
        data = data.decode(name, errors="replace").encode()
    document = load_json(data)
    del data
    features = _features(document)
    if not features:
        raise unreadable("no_rows", "the document has no feature")
    names: dict[str, None] = {}
    for feature in features:
        given = feature.get("properties") if isinstance(feature, dict) else None
        names |= dict.fromkeys(str(key) for key in given) if isinstance(given, dict) else {}
    keys = list(names)
    has_id = any(isinstance(f, dict) and f.get("id") is not None for f in features)
    columns = names_of(["id", *keys] if has_id and "id" not in names else keys or ["id"])

    def blocks() -> Iterator[Block]:
        for start in range(0, len(features), BLOCK_ROWS):
            yield _block_of(features[start : start + BLOCK_ROWS], start, keys, len(columns))

    return Table(
        "geojson", columns, blocks, "utf-8", srid=_srid_stated(document), has_geometry=True
    )


def _features(document: Any) -> list[Any]:
    if not isinstance(document, dict):
        raise unreadable("not_geojson", "the document is no GeoJSON object")
    kind = document.get("type")
    if kind == "FeatureCollection" and isinstance(document.get("features"), list):
        found: list[Any] = document["features"]
        return found
    if kind == "Feature":
        return [document]
    if "coordinates" in document:
        return [{"type": "Feature", "geometry": document, "properties": {}}]
    raise unreadable("not_geojson", "the document is no GeoJSON object")


def _srid_stated(document: dict[str, Any]) -> int:
    """Read the member `crs` of old files; RFC 7946 knows WGS 84 alone."""
    stated = document.get("crs")
    if not isinstance(stated, dict):
        return CRS84_SRID
    properties = stated.get("properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    try:
        return parse_crs(str(name or "")).srid
    except UnknownCrs:
        return 0


def _block_of(features: list[Any], start: int, keys: list[str], width: int) -> Block:
    numbers = list(range(start + 1, start + 1 + len(features)))
    lines: list[list[str]] = []
    wkb: list[bytes | None] = []
    problems: dict[int, str] = {}
    for at, feature in enumerate(features):
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            problems[at] = "not_feature"
            lines.append([""] * width)
            wkb.append(None)
            continue
        given = feature.get("properties")
        given = given if isinstance(given, dict) else {}
        cells = [text_of(given.get(key)).strip() for key in keys]
        lines.append(cells if len(cells) == width else [text_of(feature.get("id")), *cells])
        shape = None
        if feature.get("geometry") is not None:
            try:
                shape = bytes(shapely.to_wkb(form(feature["geometry"])))
            except GisError:
                problems[at] = "bad_geometry"
        wkb.append(shape)
    columns = [list(column) for column in zip(*lines, strict=True)]
    return Block(numbers, columns, wkb, problems)


# --- Through GDAL ---------------------------------------------------------------------------


def open_gpkg(path: Path, how: ReadAs) -> Table:
    """Look at a GeoPackage. Raises `UnreadableTable`."""

    def blocks() -> Iterator[Block]:
        with _named(path, "table.gpkg") as named:
            yield from _open(named, how, "gpkg").blocks()

    with _named(path, "table.gpkg") as named:
        return replace(_open(named, how, "gpkg"), blocks=blocks)


@contextmanager
def _named(path: Path, name: str) -> Iterator[Path]:
    """Give a file the ending by which GDAL knows it; stores name files by their content."""
    with tempfile.TemporaryDirectory(prefix="tables-") as folder:
        link = Path(folder) / name
        link.symlink_to(path.resolve())
        yield link


def open_dxf(path: Path, how: ReadAs) -> Table:
    """Look at a drawing (DXF): its layers are offered like sheets. Raises `UnreadableTable`."""
    body = _drawing(path.read_bytes(), how.encoding)

    def blocks() -> Iterator[Block]:
        with tempfile.TemporaryDirectory(prefix="drawing-") as folder:
            target = Path(folder) / "drawing.dxf"
            target.write_bytes(body)
            yield from _open(target, GUESSED, "dxf", drawing_layer=how.sheet).blocks()

    with tempfile.TemporaryDirectory(prefix="drawing-") as folder:
        target = Path(folder) / "drawing.dxf"
        target.write_bytes(body)
        looked = _open(target, GUESSED, "dxf")
        layers = sorted({name for block in looked.blocks() for name in block.columns[0]})
    if how.sheet and how.sheet not in layers:
        raise unreadable("no_sheet", f"there is no layer {how.sheet[:40]}", sheet=how.sheet[:40])
    return Table(
        "dxf", looked.columns, blocks, sheet=how.sheet, sheets=tuple(layers), has_geometry=True,
        notes=("no_crs",),
    )  # fmt: skip


def _drawing(data: bytes, encoding: str) -> bytes:
    """Write a drawing in the code page that its head names: many programs write in another."""
    if data.isascii() or data.startswith(b"AutoCAD Binary DXF"):
        return data
    text = data.decode(encoding or guess_encoding(data)[0], errors="replace").replace("\r\n", "\n")
    version = _VERSION.search(text)
    if version and version[1] >= _FIRST_UTF8:
        return text.encode()
    text, found = _CODE_PAGE.subn(r"\g<1>ANSI_936", text, count=1)
    return (text if found else _CODE_PAGE_HEAD + text).encode("gb18030")


def open_shapes(path: Path, how: ReadAs) -> Table:
    """Look at the Shapefile in a zip archive. Raises `UnreadableTable` and `UnsafeArchive`."""
    with check_archive(path.read_bytes(), LIMITS) as archive:
        # Systems of the East write names in their own encoding, which zip takes for another.
        names = [name for name in archive.namelist() if not name.startswith("__MACOSX")]
        shapes = sorted(name for name in names if name.lower().endswith(".shp"))
        if not shapes:
            raise unreadable("no_shapes", "there is no .shp in the archive")
        stems = {PurePosixPath(name).stem: name for name in shapes}
        chosen = stems.get(how.sheet, shapes[0] if not how.sheet else "")
        if not chosen:
            raise unreadable(
                "no_sheet", f"there is no layer {how.sheet[:40]}", sheet=how.sheet[:40]
            )
        stem = chosen[: -len(".shp")].casefold()
        parts = {PurePosixPath(name).suffix.lower(): name for name in names
                 if PurePosixPath(name).with_suffix("").as_posix().casefold() == stem}  # fmt: skip
        if ".dbf" not in parts:
            raise unreadable("no_dbf", "the .dbf with the columns is missing")
        bodies = {end: archive.read(name) for end, name in parts.items() if end in _SHAPE_PARTS}
    return _shapes(bodies, how, PurePosixPath(chosen).stem, tuple(stems))


def _shapes(bodies: dict[str, bytes], how: ReadAs, name: str, names: tuple[str, ...]) -> Table:
    encoding = how.encoding or _dbf_encoding(bodies)
    notes = () if ".prj" in bodies else ("no_prj",)

    def unpacked(folder: str) -> Path:
        for end, body in bodies.items():
            (Path(folder) / f"table{end}").write_bytes(body)
        return Path(folder) / "table.shp"

    with tempfile.TemporaryDirectory(prefix="shapes-") as folder:
        looked = _open(unpacked(folder), ReadAs(encoding=encoding), "shp")

    def blocks() -> Iterator[Block]:
        with tempfile.TemporaryDirectory(prefix="shapes-") as folder:
            yield from _open(unpacked(folder), ReadAs(encoding=encoding), "shp").blocks()

    return Table(
        "shp", looked.columns, blocks, encoding, sheet=name, sheets=names,
        srid=looked.srid if ".prj" in bodies else 0, has_geometry=True, notes=notes,
    )  # fmt: skip


def _dbf_encoding(bodies: dict[str, bytes]) -> str:
    stated = bodies.get(".cpg", b"").decode("ascii", "ignore").strip().lower()
    if stated in ("utf-8", "utf8", "65001"):
        return "utf-8"
    if stated in ("gbk", "gb2312", "gb18030", "936", "cp936"):
        return "gb18030"
    if stated in ("big5", "950", "cp950"):
        return "big5"
    body = bodies[".dbf"]
    name, _ = guess_encoding(body[32:].replace(b"\0", b" "))
    return "gb18030" if name not in ("utf-8", "utf-8-sig") else "utf-8"


def _open(path: Path, how: ReadAs, kind: str, *, drawing_layer: str = "") -> Table:
    # Here, not above: pyogrio brings pandas, 1.4 s that no web process waits for.
    import pyogrio

    try:
        layers = tuple(str(row[0]) for row in pyogrio.list_layers(str(path)))
        if not layers:
            raise unreadable("empty", "the file has no layer")
        layer = how.sheet or layers[0]
        if layer not in layers:
            raise unreadable("no_sheet", f"there is no layer {layer[:40]}", sheet=layer[:40])
        facts = pyogrio.read_info(str(path), layer=layer, encoding=how.encoding or None)
    # GDAL answers a damaged file with whatever its driver happened to meet.
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError,
            RuntimeError) as error:  # fmt: skip
        if isinstance(error, GisError):
            raise
        raise unreadable("damaged", f"GDAL cannot read the file: {error}") from error
    has_geometry = facts["geometry_type"] is not None
    columns = names_of([str(name) for name in facts["fields"]] or ["(A)"])
    where = None
    if drawing_layer:
        where = f"{_DRAWING_LAYER} = '" + drawing_layer.replace("'", "''") + "'"

    def blocks() -> Iterator[Block]:
        return _gdal_blocks(path, layer, how.encoding, where, len(columns))

    return Table(
        kind, columns, blocks, how.encoding, sheet=layer, sheets=layers,
        srid=_srid_of(facts["crs"]), has_geometry=has_geometry,
        notes=() if facts["crs"] or not has_geometry else ("no_crs",),
    )  # fmt: skip


def _srid_of(crs: object) -> int:
    """Find the number of a system that a file states as a name or as WKT; 0 where it has none."""
    if not crs:
        return 0
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return parse_crs(str(crs)).srid
    except UnknownCrs:
        pass
    try:
        return int(CRS.from_user_input(str(crs)).to_epsg(min_confidence=60) or 0)
    except CRSError:
        return 0


def _gdal_blocks(
    path: Path, layer: str, encoding: str, where: str | None, width: int
) -> Iterator[Block]:
    import pyogrio

    first = 0
    while True:
        try:
            _, _, wkb, fields = pyogrio.raw.read(
                str(path), layer=layer, encoding=encoding or None, where=where,
                skip_features=first, max_features=BLOCK_ROWS, datetime_as_string=True,
            )  # fmt: skip
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError,
                pyogrio.errors.FeatureError, pyogrio.errors.FieldError, UnicodeDecodeError,
                RuntimeError) as error:  # fmt: skip
            raise unreadable("damaged", f"the file breaks off: {error}", row=first + 1) from error
        count = len(fields[0]) if len(fields) else (0 if wkb is None else len(wkb))
        if not count:
            return
        if first + count > MOST_ROWS:
            raise unreadable("rows", f"more than {MOST_ROWS} rows", most=MOST_ROWS)
        columns = [_texts(column) for column in fields] or [[""] * count] * width
        shapes = None if wkb is None else [None if one is None else bytes(one) for one in wkb]
        yield Block(list(range(first + 1, first + 1 + count)), columns, shapes)
        first += count


def _texts(column: Any) -> list[str]:
    values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    return [text_of(value).strip() for value in values]
