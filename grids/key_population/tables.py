"""Read a table of counts that somebody sends: CSV or XLSX, whole or not at all.

The table has four columns: area, kind, month, count. Nothing of it is kept until every row
has been found good; a refusal names rows, columns and reasons, never what stood there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from gis.archives import Limits, SheetLimits, workbook_rows
from grids.errors import Invalid
from grids.key_population.identifiers import head_of_persons, kind_of, plain
from grids.people.counts_blur import SMALLEST

#: Small enough that the web server holds an upload in memory and writes no temporary file.
MOST_BYTES: Final = 480 * 1024
MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 20
MOST_CELL: Final = 60
MOST_COUNT: Final = 1_000_000
#: Refusals that are listed; more are only counted.
LISTED: Final = 50

COLUMNS: Final = ("area", "category", "period", "count")
#: Column heads, as departments write them.
HEADS: Final[dict[str, str]] = {
    **dict.fromkeys(("area", "area_code", "code", "区域", "区域代码", "区域编码", "网格编码",
                     "网格代码", "网格", "行政区划代码", "行政区划", "辖区代码", "编码"), "area"),
    **dict.fromkeys(("category", "kind", "类别", "人员类别", "特殊人群类别", "重点人群类别",
                     "分类", "类型"), "category"),
    **dict.fromkeys(("period", "month", "期间", "月份", "统计月份", "年月", "统计期间"), "period"),
    **dict.fromkeys(("count", "n", "number", "人数", "数量", "计数", "总数", "合计人数"), "count"),
}  # fmt: skip
_MONTH: Final = re.compile(r"(20\d\d)\s*[-/.年]?\s*(0?[1-9]|1[0-2])\s*月?(?:[-/.]0?1)?")
_COUNT: Final = re.compile(r"\d{1,7}(?:\.0+)?")
_FEW: Final = re.compile(rf"(?:<|＜|少于|不足|小于)\s*{SMALLEST}人?|-|–|—|")
_XLSX: Final = b"PK\x03\x04"


@dataclass(frozen=True)
class Refusal:
    """Why a cell or a row is not taken. `row` counts as a spreadsheet does; 0 is the file."""

    row: int
    column: str
    reason: str


class Refused(Invalid):
    """A table of counts is not taken; nothing of it was kept."""

    code = "counts.refused"

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        first = refusals[0]
        super().__init__(
            f"{len(refusals)} refusals, the first in row {first.row}: {first.reason}",
            field="file", refusals=len(refusals), row=first.row,
        )  # fmt: skip
        self.refusals = tuple(refusals[:LISTED])
        self.total = len(refusals)


@dataclass(frozen=True)
class CountRow:
    """One good row; `count` is None for fewer than ten."""

    row: int
    area: str
    category: str
    period: date
    count: int | None


def read_table(data: bytes, categories: Mapping[str, str], *, today: date) -> tuple[CountRow, ...]:
    """Read a table of counts.

    `categories` leads from every accepted way to write a kind to its code. Raises `Refused`
    with everything that is wrong, and `gis.errors.UnsafeArchive` for a workbook that would
    hold its reader.
    """
    if len(data) > MOST_BYTES:
        raise Refused([Refusal(0, "", "too_large")])
    lines = _lines(data)
    head = next(lines, None)
    if head is None:
        raise Refused([Refusal(0, "", "empty")])
    columns = _columns_of(head)
    refusals: list[Refusal] = []
    found: list[CountRow] = []
    for number, cells in lines:
        if not any(cells):
            continue
        bad = _marks(number, cells, columns, categories)
        row = None if bad else _row_of(number, cells, columns, categories, today, bad)
        refusals += bad
        if row is not None:
            found.append(row)
    refusals += _doubled(found) + _parents(found)
    if not found and not refusals:
        refusals.append(Refusal(0, "", "empty"))
    if refusals:
        raise Refused(sorted(refusals, key=lambda one: (one.row, one.column)))
    return tuple(found)


Line = tuple[int, list[str]]


def _lines(data: bytes) -> Iterator[Line]:
    """Yield the rows of a file with their numbers, cells as text."""
    if data.startswith(_XLSX):
        sheets = SheetLimits(most_cells=(MOST_ROWS + 1) * 5, most_rows=MOST_ROWS + 1,
                             most_columns=MOST_COLUMNS, most_sheets=5)  # fmt: skip
        limits = Limits(most_bytes=MOST_BYTES, most_unpacked=16 * 1024 * 1024)
        rows: Iterator[Sequence[object]] = workbook_rows(data, limits=limits, sheets=sheets)
    else:
        rows = csv.reader(io.StringIO(_text_of(data), newline=""))
    try:
        for number, cells in enumerate(rows, start=1):
            if number > MOST_ROWS + 1:
                raise Refused([Refusal(number, "", "too_many_rows")])
            if len(cells) > MOST_COLUMNS:
                raise Refused([Refusal(number, "", "too_many_columns")])
            yield number, [_cell(value) for value in cells]
    except csv.Error:
        raise Refused([Refusal(0, "", "unreadable")]) from None


def _text_of(data: bytes) -> str:
    """Decode a CSV file: UTF-8 with or without its mark, else GB18030 as offices write it."""
    if b"\x00" in data:
        raise Refused([Refusal(0, "", "unreadable")])
    for name in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    raise Refused([Refusal(0, "", "unreadable")])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return plain(str(value))


def _columns_of(head: Line) -> dict[str, int]:
    """Find the four columns by their heads; any other column is refused."""
    number, cells = head
    columns: dict[str, int] = {}
    refusals: list[Refusal] = []
    for place, text in enumerate(cells):
        name = HEADS.get(text.lower().replace(" ", ""))
        if name in columns:
            refusals.append(Refusal(number, letter(place), "column_twice"))
        elif name:
            columns[name] = place
        elif head_of_persons(text):
            refusals.append(Refusal(number, letter(place), "head_of_persons"))
        elif mark := kind_of(text):
            refusals.append(Refusal(number, letter(place), mark))
        elif text:
            refusals.append(Refusal(number, letter(place), "unknown_column"))
    refusals += [Refusal(number, "", f"no_{name}") for name in COLUMNS if name not in columns]
    if refusals:
        raise Refused(refusals)
    return columns


def letter(place: int) -> str:
    """Name a column as a spreadsheet does.

    >>> letter(0), letter(25)
    ('A', 'Z')
    """
    return chr(ord("A") + place) if place < 26 else str(place + 1)


def _marks(
    number: int, cells: list[str], columns: Mapping[str, int], categories: Mapping[str, str]
) -> list[Refusal]:
    """Refuse cells that look like a person; the code of a grid has fifteen digits too."""
    found = []
    for place, text in enumerate(cells):
        is_code = place == columns["area"] and re.fullmatch(r"\d{6}|\d{9}|\d{12}|\d{15}", text)
        is_kind = place == columns["category"] and text.lower() in categories
        mark = None if is_code or is_kind else kind_of(text)
        if mark:
            found.append(Refusal(number, letter(place), mark))
        elif len(text) > MOST_CELL:
            found.append(Refusal(number, letter(place), "cell_too_long"))
        elif text and place not in columns.values():
            found.append(Refusal(number, letter(place), "unknown_column"))
    return found


def _row_of(
    number: int, cells: list[str], columns: Mapping[str, int],
    categories: Mapping[str, str], today: date, bad: list[Refusal],
) -> CountRow | None:  # fmt: skip
    """Read one row; what is wrong is added to `bad`."""
    texts = {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}

    def refuse(name: str, reason: str) -> None:
        bad.append(Refusal(number, letter(columns[name]), reason))

    if not re.fullmatch(r"\d{6}|\d{9}|\d{12}|\d{15}", texts["area"]):
        refuse("area", "bad_area")
    category = categories.get(texts["category"].lower())
    if category is None:
        refuse("category", "bad_category")
    period = _period_of(texts["period"])
    if period is None:
        refuse("period", "bad_period")
    elif period > today:
        refuse("period", "future")
    count: int | None = None
    if _COUNT.fullmatch(texts["count"]):
        count = int(float(texts["count"]))
        if 0 < count < SMALLEST:
            refuse("count", "too_small")
        elif count > MOST_COUNT:
            refuse("count", "bad_count")
    elif not _FEW.fullmatch(texts["count"]):
        refuse("count", "bad_count")
    if bad or category is None or period is None:
        return None
    return CountRow(number, texts["area"], category, period, count or None)


def _period_of(text: str) -> date | None:
    found = _MONTH.fullmatch(text) or re.fullmatch(r"(20\d\d)(0[1-9]|1[0-2])", text)
    return date(int(found[1]), int(found[2]), 1) if found else None


def _doubled(rows: Sequence[CountRow]) -> list[Refusal]:
    """Refuse a second row of the same area, kind and month: it would be a list, not a count."""
    seen: set[tuple[str, str, date]] = set()
    found = []
    for row in rows:
        key = (row.area, row.category, row.period)
        if key in seen:
            found.append(Refusal(row.row, "", "twice"))
        seen.add(key)
    return found


def _parents(rows: Sequence[CountRow]) -> list[Refusal]:
    """Refuse an area with fewer people than its parts in the same table."""
    counts = {(row.area, row.category, row.period): row for row in rows}
    sums: dict[tuple[str, str, date], int] = {}
    for row in rows:
        above = next((row.area[:n] for n in (12, 9, 6) if n < len(row.area)
                      and (row.area[:n], row.category, row.period) in counts), None)  # fmt: skip
        if above is not None:
            key = (above, row.category, row.period)
            sums[key] = sums.get(key, 0) + (row.count or 0)
    return [
        Refusal(counts[key].row, "", "less_than_parts")
        for key, total in sums.items()
        if total > (counts[key].count or SMALLEST - 1)
    ]
