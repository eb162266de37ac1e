"""Which reader a file needs: by its first bytes, and by its name where those do not say."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path, PurePath
from typing import Final

from gis.tables.database import open_sqlite
from gis.tables.delimited import open_delimited
from gis.tables.model import GUESSED, ReadAs, Table, unreadable
from gis.tables.sheets import open_workbook
from gis.tables.vector import open_dxf, open_geojson, open_gpkg, open_shapes

Reader = Callable[[Path, ReadAs], Table]

READERS: Final[dict[str, Reader]] = {
    "csv": open_delimited,
    "xlsx": open_workbook,
    "geojson": open_geojson,
    "gpkg": open_gpkg,
    "shp": open_shapes,
    "dxf": open_dxf,
    "sqlite": open_sqlite,
}
FORMATS: Final = tuple(READERS)
_SQLITE: Final = b"SQLite format 3\0"
_ZIP: Final = b"PK"
#: First bytes of what is often sent and cannot be read -> why.
_OTHERS: Final = (
    (b"\xd0\xcf\x11\xe0", "old_excel"),
    (b"%PDF", "pdf"),
    (b"Rar!", "packed"),
    (b"7z\xbc\xaf", "packed"),
    (b"\x1f\x8b", "packed"),
    (b"\xff\xd8\xff", "picture"),
    (b"\x89PNG", "picture"),
    (b"AC10", "dwg"),
    (b"{\\rtf", "document"),
    (b"<!DOCTYPE", "web_page"),
    (b"<html", "web_page"),
)
_TEXTS: Final = (".csv", ".tsv", ".txt", "")


def open_table(path: Path, name: str, how: ReadAs = GUESSED) -> Table:
    """Look at a file that a stranger sent; `name` is what it was called.

    Raises
    ------
    UnreadableTable
        With `why`, and `row` where it is known.
    UnsafeArchive, NotJson, TooDeep, TooLarge
        For what is built to hold its reader.
    """
    kind = format_of(path, name)
    return READERS[kind](path, how)


def format_of(path: Path, name: str) -> str:
    """Name the format of a file. Raises `UnreadableTable` for what cannot be read."""
    with path.open("rb") as file:
        head = file.read(4096)
    suffix = PurePath(name).suffix.lower()
    if not head:
        raise unreadable("empty", "the file is empty")
    for magic, why in _OTHERS:
        if head.lstrip()[: len(magic)].lower() == magic.lower():
            raise unreadable(why, f"the file is {why}")
    if head.startswith(_SQLITE):
        return "gpkg" if _is_gpkg(path) else "sqlite"
    if head.startswith(_ZIP):
        return _packed(path, suffix)
    if suffix in (".xlsx", ".gpkg", ".zip", ".db", ".sqlite"):
        raise unreadable("damaged", f"the file is called {suffix} and is none", suffix=suffix)
    if suffix in (".shp", ".dbf", ".shx"):
        raise unreadable("shapes_alone", "a Shapefile is sent as a zip of all its parts")
    if suffix == ".dxf":
        return "dxf"
    if suffix in (".geojson", ".json") or head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return "geojson"
    if suffix not in _TEXTS:
        raise unreadable(
            "format", f"files that end in {suffix[:12]} are not read", suffix=suffix[:12]
        )
    return "csv"


def _packed(path: Path, suffix: str) -> str:
    """Tell a workbook from an archive of shapes without unpacking anything."""
    try:
        with zipfile.ZipFile(path) as archive:
            is_workbook = "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        is_workbook = suffix == ".xlsx"
    return "xlsx" if is_workbook else "shp"


def _is_gpkg(path: Path) -> bool:
    try:
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as conn:
            found = conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'gpkg_contents'")
            return found.fetchone() is not None
    except sqlite3.DatabaseError as error:
        raise unreadable("damaged", "the database is damaged") from error
