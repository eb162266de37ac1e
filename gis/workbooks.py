"""Tables as XLSX, written row by row: a sheet of any length in little memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from gis.formats import safe_cell
from gis.postgis import Batch

XLSX_MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Longest text that a cell takes.
MOST_IN_A_CELL: Final = 32_767


def write_xlsx(
    path: Path,
    title: str,
    batches: Iterable[Batch],
    *,
    columns: Sequence[str],
    places: tuple[str, str],
    digits: int = 7,
    watermark: str = "",
    facts: Mapping[str, str] | None = None,
) -> int:
    """Write batches as one sheet; return the number of rows.

    Parameters
    ----------
    columns : sequence of str
        Properties of the batches, in the order of the sheet.
    places : tuple of str
        Names of the last two columns: x and y of a point on each geometry.
    watermark : str
        Stands in the header and the footer of every printed page and in the properties.
    facts : mapping of str to str
        Names and values on a second sheet, such as who took the file.

    Notes
    -----
    A text that a spreadsheet would run as a formula gets an apostrophe in front and is
    stored as text. Instants are written as ISO texts, since a cell of Excel has no zone.
    """
    book, sheet = _book(title, (*columns, *places), watermark)
    rows = 0
    for batch in batches:
        points = _points(batch.wkb, digits)
        table = zip(*(batch.columns[name] for name in columns), strict=True)
        for values, point in zip(table if columns else [()] * len(batch), points, strict=True):
            sheet.append([*(_cell(sheet, value) for value in values), *point])
        rows += len(batch)
    _save(book, path, facts)
    return rows


def write_rows(
    path: Path,
    title: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    watermark: str = "",
    facts: Mapping[str, str] | None = None,
) -> int:
    """Write rows without a place as one sheet; return their number. Cells as in `write_xlsx`."""
    book, sheet = _book(title, heads, watermark)
    count = 0
    for values in rows:
        sheet.append([_cell(sheet, value) for value in values])
        count += 1
    _save(book, path, facts)
    return count


def _book(title: str, heads: Sequence[str], watermark: str) -> tuple[Any, Any]:
    from openpyxl import Workbook  # late: only who writes a workbook waits for it

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_name(title))
    sheet.freeze_panes = "A2"
    if watermark:
        _print_watermark(sheet, watermark)
        book.properties.creator = watermark
        book.properties.description = watermark
        book.properties.title = title
    sheet.append([_head(sheet, name) for name in heads])
    return book, sheet


def _save(book: Any, path: Path, facts: Mapping[str, str] | None) -> None:
    if facts:
        notes = book.create_sheet("about")
        for name, value in facts.items():
            notes.append([name, _cell(notes, value)])
    book.save(path)


def _sheet_name(title: str) -> str:
    return "".join(" " if char in "[]:*?/\\" else char for char in title)[:31] or "data"


def _print_watermark(sheet: Any, watermark: str) -> None:
    text = watermark.replace("&", "&&")[:200]
    sheet.oddHeader.center.text = text
    sheet.oddFooter.left.text = text
    sheet.oddFooter.right.text = "&P / &N"


def _head(sheet: Any, name: str) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cell = WriteOnlyCell(sheet, value=name)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, value: object) -> object:
    """Return what a cell takes: numbers and days as they are, everything else as text."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils.exceptions import IllegalCharacterError

    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    text = safe_cell(text)[:MOST_IN_A_CELL]
    try:
        cell = WriteOnlyCell(sheet, value=text)
    except IllegalCharacterError:
        cell = WriteOnlyCell(sheet, value="".join(c for c in text if c.isprintable()))
    # Never a formula, whatever the text begins with.
    cell.data_type = "s"
    return cell


def _points(wkb: Sequence[bytes | None], digits: int) -> list[tuple[object, object]]:
    places = shapely.point_on_surface(shapely.from_wkb(np.array(wkb, dtype=object)))
    x, y = np.round(shapely.get_x(places), digits), np.round(shapely.get_y(places), digits)
    return [
        (None, None) if np.isnan(a) else (a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]
