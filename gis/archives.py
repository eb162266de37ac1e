"""The front door for archives and workbooks from outside, judged before anything is unpacked.

A workbook of 652 KiB with 5 million cells held openpyxl for 230 s and 821 MiB, and 1 MiB of zip
holds a gigabyte of zeros. So the table of contents is read first: how many entries, how large
each says it is, where each lies. What passes is unpacked by readers that never read more of an
entry than its header says, so a header that lies costs no more than one that does not.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final
from zlib import error as ZlibError  # noqa: N812 - zlib names it like an instance

from openpyxl import load_workbook

from gis.errors import UnsafeArchive

MIB: Final = 1024 * 1024
#: Where a table of contents ends, and where the one of huge archives (ZIP64) is named.
_END: Final = b"PK\x05\x06"
_END_SIZE: Final = 22
_LONGEST_COMMENT: Final = 65_535
_HUGE: Final = b"PK\x06\x07"
_HUGE_SIZE: Final = 20
_LOCAL_HEADER: Final = 30
_SHORTEST_ENTRY: Final = 46
#: First bytes of packed formats; one archive in another is how small bombs become large.
_PACKED: Final = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf",
                  b"Rar!", b"\xd0\xcf\x11\xe0", b"\x28\xb5\x2f\xfd")  # fmt: skip
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DEVICE_NAMES: Final = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@dataclass(frozen=True)
class Limits:
    """What an archive may be; the defaults fit what an office sends."""

    most_bytes: int = 15 * MIB
    most_entries: int = 1_000
    most_unpacked: int = 64 * MIB
    #: Unpacked to packed; a sheet of numbers reaches 12, a sheet of one repeated text 40.
    most_ratio: int = 100
    #: Below this size an entry may shrink as it likes: a kilobyte of blanks is no bomb.
    free_bytes: int = MIB


@dataclass(frozen=True)
class SheetLimits:
    """How large the sheets of a workbook may be."""

    most_cells: int = 500_000
    most_rows: int = 100_000
    most_columns: int = 200
    most_sheets: int = 50


def check_archive(data: bytes, limits: Limits = Limits()) -> zipfile.ZipFile:
    """Open a zip whose contents are safe to unpack.

    Raises
    ------
    UnsafeArchive
        With `why`: ``size``, ``not_zip``, ``entries``, ``unpacked``, ``ratio``, ``nested``,
        ``name``, ``link``, ``encrypted``, ``method``, ``overlap`` or ``twice``.

    Examples
    --------
    >>> check_archive(b"no zip at all")
    Traceback (most recent call last):
    gis.errors.UnsafeArchive: the file is no zip archive
    """
    if len(data) > limits.most_bytes:
        raise _unsafe("size", f"{len(data)} bytes are too many, at most {limits.most_bytes}")
    _check_contents_table(data, limits)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise _unsafe("not_zip", "the archive is damaged") from error
    entries = archive.infolist()
    _check_sizes(entries, limits)
    _check_places(entries)
    seen: set[str] = set()
    for entry in entries:
        check_name(entry.filename)
        if entry.filename.casefold() in seen:
            raise _unsafe("twice", "two entries have the same name")
        seen.add(entry.filename.casefold())
        _check_kind(archive, entry)
    return archive


def check_name(name: str) -> None:
    """Refuse a name that would leave the folder it is unpacked to, on any system.

    >>> check_name("xl/worksheets/sheet1.xml")
    >>> check_name("a/../../etc/passwd")
    Traceback (most recent call last):
    gis.errors.UnsafeArchive: an entry has a name that leaves its folder
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    is_bad = (
        not name.strip()
        or len(name) > 255
        or "\\" in name
        or ":" in name
        or name.startswith("/")
        or any(part in ("..", "~") or part != part.rstrip(". ") for part in parts)
        or any(_DEVICE_NAMES.match(part) for part in parts)
        or any(ord(letter) < 32 or ord(letter) == 127 for letter in name)
    )
    if is_bad:
        raise _unsafe("name", "an entry has a name that leaves its folder")


def check_workbook(
    data: bytes,
    limits: Limits = Limits(),
    sheets: SheetLimits = SheetLimits(),
) -> None:
    """Refuse a workbook (XLSX) that would hold its reader: bombs, entities, endless sheets.

    Every part is unpacked once, in pieces, and counted; nothing of it is kept.

    Raises
    ------
    UnsafeArchive
        As `check_archive`, or with `why`: ``not_workbook``, ``entities``, ``encoding``,
        ``cells``, ``rows``, ``columns``, ``sheets`` or ``macros``.
    """
    with check_archive(data, limits) as archive:
        names = set(archive.namelist())
        if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
            raise _unsafe("not_workbook", "the file is no XLSX workbook")
        if any("vbaproject" in name.casefold() for name in names):
            raise _unsafe("macros", "the workbook holds macros")
        pages = [name for name in names if name.startswith("xl/worksheets/")]
        if len(pages) > 2 * sheets.most_sheets:
            raise _unsafe("sheets", f"more than {sheets.most_sheets} sheets")
        cells = 0
        for name in sorted(names):
            if name.endswith((".xml", ".rels", ".vml")):
                cells += _count_cells(archive, name, sheets, most=sheets.most_cells - cells)


def workbook_rows(
    data: bytes,
    *,
    limits: Limits = Limits(),
    sheets: SheetLimits = SheetLimits(),
) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the first sheet of a workbook that a stranger sent, as plain values.

    Formulas are read as what they last showed, links to other files are not followed.
    Raises `UnsafeArchive`, before the first row, for what `check_workbook` refuses.
    """
    check_workbook(data, limits, sheets)
    try:
        book: Any = load_workbook(
            io.BytesIO(data), read_only=True, data_only=True, keep_links=False, keep_vba=False
        )
        page = book.worksheets[0]
        # What the sheet says of its size is not believed: it would fill rows with nothing.
        page.reset_dimensions()
        rows = page.iter_rows(values_only=True)
        yield from rows
    except UnsafeArchive:
        raise
    # openpyxl answers a damaged workbook with whatever its parser happened to meet.
    except Exception as error:
        raise _unsafe("not_workbook", "the workbook is damaged") from error


# --- From the table of contents -------------------------------------------------------------


def _check_contents_table(data: bytes, limits: Limits) -> None:
    """Judge the number of entries before any reader makes an object of each."""
    at = len(data) - _END_SIZE
    if at < 0 or data[at : at + 4] != _END or data[-2:] != b"\0\0":
        at = data.rfind(_END, max(0, len(data) - _END_SIZE - _LONGEST_COMMENT))
    if at < 0 or len(data) < at + _END_SIZE:
        raise _unsafe("not_zip", "the file is no zip archive")
    entries = int.from_bytes(data[at + 10 : at + 12], "little")
    table = int.from_bytes(data[at + 12 : at + 16], "little")
    is_huge = data[max(0, at - _HUGE_SIZE) :].startswith(_HUGE)
    # The table's size bounds the entries, whatever their number claims to be.
    if is_huge or max(entries, table // (8 * _SHORTEST_ENTRY)) > limits.most_entries:
        raise _unsafe("entries", f"more than {limits.most_entries} entries")


def _check_sizes(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(entries) > limits.most_entries:
        raise _unsafe("entries", f"more than {limits.most_entries} entries")
    total = sum(entry.file_size for entry in entries)
    if total > limits.most_unpacked:
        raise _unsafe("unpacked", f"{total} bytes unpacked, at most {limits.most_unpacked}")
    for entry in entries:
        is_small = entry.file_size <= limits.free_bytes
        if not is_small and entry.file_size > limits.most_ratio * max(1, entry.compress_size):
            raise _unsafe("ratio", f"an entry unpacks to more than {limits.most_ratio} times")


def _check_places(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse entries that share their packed bytes: one megabyte would be unpacked often."""
    end = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        if entry.header_offset < end:
            raise _unsafe("overlap", "entries lie over each other")
        end = entry.header_offset + _LOCAL_HEADER + entry.compress_size


def _check_kind(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    mode = entry.external_attr >> 16
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_IFMT(mode) == 0):
        raise _unsafe("link", "an entry is a link or a device")
    if entry.flag_bits & _ENCRYPTED:
        raise _unsafe("encrypted", "the archive is encrypted")
    if entry.compress_type not in _METHODS:
        raise _unsafe("method", "an entry is packed in an unusual way")
    if entry.is_dir():
        return
    try:
        with archive.open(entry) as file:
            first = file.read(8)
    except (zipfile.BadZipFile, ZlibError, NotImplementedError, EOFError, ValueError) as error:
        raise _unsafe("not_zip", "the archive is damaged") from error
    if first.startswith(_PACKED):
        raise _unsafe("nested", "an archive lies in the archive")


# --- From the sheets ------------------------------------------------------------------------

_CELL: Final = re.compile(rb"<(?:\w+:)?c[\s/>]")
_ROW: Final = re.compile(rb"<(?:\w+:)?row[\s/>]")
_ADDRESS: Final = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,9})(\d{1,12})["']""")
_ENTITY: Final = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_PIECE: Final = 256 * 1024
#: Pieces overlap by more than the longest thing looked for.
_OVERLAP: Final = 64


def _count_cells(archive: zipfile.ZipFile, name: str, sheets: SheetLimits, *, most: int) -> int:
    """Count the cells of a part; refuse entities, far addresses and more cells than `most`."""
    is_sheet = name.startswith("xl/worksheets/")
    cells = rows = 0
    for piece, is_first in _pieces(archive, name):
        # UTF-16 would hide a declaration from a search for its bytes.
        if is_first and (piece[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in piece[:64]):
            raise _unsafe("encoding", "a part of the workbook is not in UTF-8")
        if _ENTITY.search(piece):
            raise _unsafe("entities", "a part of the workbook declares entities")
        if not is_sheet:
            continue
        cells += len(_CELL.findall(piece))
        rows += len(_ROW.findall(piece))
        if cells > most:
            raise _unsafe("cells", f"more than {sheets.most_cells} cells")
        if rows > sheets.most_rows:
            raise _unsafe("rows", f"more than {sheets.most_rows} rows")
        _check_addresses(piece, sheets)
    return cells


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[bytes, bool]]:
    """Yield a part in pieces, each cut where a tag begins, so that nothing is counted twice."""
    kept, is_first = b"", True
    try:
        with archive.open(name) as file:
            while read := file.read(_PIECE):
                text = kept + read
                cut = text.rfind(b"<", max(1, len(text) - _PIECE))
                cut = cut if cut > 0 else max(0, len(text) - _OVERLAP)
                yield text[:cut], is_first
                kept, is_first = text[cut:], False
                if len(kept) > 4 * _PIECE:
                    raise _unsafe("not_workbook", "a tag of the workbook never ends")
    except (zipfile.BadZipFile, ZlibError, EOFError, ValueError) as error:
        if isinstance(error, UnsafeArchive):
            raise
        raise _unsafe("not_zip", "the archive is damaged") from error
    yield kept, is_first


def _check_addresses(piece: bytes, sheets: SheetLimits) -> None:
    """Refuse a cell far out: readers fill everything before it."""
    for letters, digits in _ADDRESS.findall(piece):
        if int(digits) > sheets.most_rows:
            raise _unsafe("rows", f"more than {sheets.most_rows} rows")
        column = 0
        for letter in letters.upper():
            column = column * 26 + letter - ord("A") + 1
        if column > sheets.most_columns:
            raise _unsafe("columns", f"more than {sheets.most_columns} columns")


def _unsafe(why: str, message: str) -> UnsafeArchive:
    return UnsafeArchive(message, why=why)
