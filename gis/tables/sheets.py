"""Tables as workbooks (XLSX): merged cells are filled, formulas read as what they last showed."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries

from gis.archives import MIB, Limits, SheetLimits, check_workbook
from gis.errors import UnsafeArchive
from gis.tables.model import (
    HEAD_AMONG,
    Block,
    ReadAs,
    Table,
    blocks_of,
    head_among,
    names_of,
    text_of,
    unreadable,
)

LIMITS: Final = Limits(most_bytes=32 * MIB, most_unpacked=160 * MIB)
SHEETS: Final = SheetLimits(most_cells=1_500_000, most_rows=150_000, most_columns=200)
_MERGED: Final = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*\bref=[\"']([A-Z]{1,3}\d+:[A-Z]{1,3}\d+)")
_MOST_MERGED: Final = 20_000
#: Rows that one merged cell may reach over: a column of a town's name, not a whole sheet.
_MOST_REACH: Final = 5_000

#: Row -> column -> the cell whose value it shows, both counted from 1.
Merged = dict[int, dict[int, tuple[int, int]]]


def open_workbook(path: Path, how: ReadAs) -> Table:
    """Look at a workbook. Raises `UnsafeArchive` for what would hold its reader."""
    data = path.read_bytes()
    check_workbook(data, LIMITS, SHEETS)
    book = _book(data)
    names = tuple(str(name) for name in book.sheetnames)
    filled = [page for page in book.worksheets if how.sheet in ("", page.title)]
    if not filled:
        raise unreadable("no_sheet", f"there is no sheet {how.sheet[:40]}", sheet=how.sheet[:40])
    for page in filled:
        merged = _merged(data, page)
        first = list(islice(_rows(page, merged), HEAD_AMONG + 1))
        if any(any(cells) for _, cells, _ in first):
            return _table(data, page.title, names, first, merged, how)
    raise unreadable("empty", "no sheet holds anything")


def _table(
    data: bytes, title: str, names: tuple[str, ...],
    first: list[tuple[int, list[str], str]], merged: Merged, how: ReadAs,
) -> Table:  # fmt: skip
    head = how.head_row - 1 if how.head_row else head_among([cells for _, cells, _ in first])
    if head >= len(first):
        raise unreadable("no_head", f"there is no row {how.head_row}", row=how.head_row)
    columns = names_of(first[head][1])

    def blocks() -> Iterator[Block]:
        page = _book(data)[title]
        rows = (row for row in _rows(page, merged) if row[0] > head + 1)
        return blocks_of(rows, len(columns))

    return Table(
        "xlsx", columns, blocks, sheet=title, sheets=names, head_row=head + 1,
        notes=("merged",) if any(row > head + 1 for row in merged) else (),
    )  # fmt: skip


def _book(data: bytes) -> Any:
    try:
        return load_workbook(
            io.BytesIO(data), read_only=True, data_only=True, keep_links=False, keep_vba=False
        )
    # openpyxl answers a damaged workbook with whatever its parser happened to meet.
    except Exception as error:
        raise unreadable("damaged", "the workbook is damaged") from error


def _rows(page: Any, merged: Merged) -> Iterator[tuple[int, list[str], str]]:
    # What the sheet says of its size is not believed: it would fill rows with nothing.
    page.reset_dimensions()
    shown: dict[tuple[int, int], str] = {}
    first = {where for cells in merged.values() for where in cells.values()}
    try:
        for number, values in enumerate(page.iter_rows(values_only=True), start=1):
            cells = [text_of(value).strip() for value in values]
            if first:
                _fill(number, cells, merged.get(number), first, shown)
            yield number, cells, ""
    except UnsafeArchive:
        raise
    # As above.
    except Exception as error:
        raise unreadable("damaged", "the workbook is damaged") from error


def _fill(
    number: int, cells: list[str], wanted: dict[int, tuple[int, int]] | None,
    first: set[tuple[int, int]], shown: dict[tuple[int, int], str],
) -> None:  # fmt: skip
    """Write into each cell of a merged range what its first cell shows."""
    for at, cell in enumerate(cells, start=1):
        if (number, at) in first:
            shown[number, at] = cell
    for at, where in (wanted or {}).items():
        cells += [""] * (at - len(cells))
        if not cells[at - 1]:
            cells[at - 1] = shown.get(where, "")


def _merged(data: bytes, page: Any) -> Merged:
    """Read the merged ranges of a sheet, which the streaming reader leaves out."""
    found: Merged = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        part = str(page._worksheet_path).lstrip("/")  # noqa: SLF001 - openpyxl has no other name for it
        body = archive.read(part)
    for ref in islice(_MERGED.finditer(body), _MOST_MERGED):
        west, north, east, south = range_boundaries(ref[1].decode())
        if None in (west, north, east, south) or south - north > _MOST_REACH or east - west > 200:
            continue
        for row in range(north, south + 1):
            for column in range(west, east + 1):
                if (row, column) != (north, west):
                    found.setdefault(row, {})[column] = (north, west)
    return found
