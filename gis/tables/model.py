"""What every reader of tables gives: a head, and blocks of columns of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from gis.errors import UnreadableTable

BLOCK_ROWS: Final = 10_000
MOST_COLUMNS: Final = 200
MOST_ROWS: Final = 2_000_000
#: Longer texts of one cell are no value of a register.
MOST_CELL: Final = 4_000
#: Rows among which the head is looked for.
HEAD_AMONG: Final = 20
#: Spreadsheets keep fifteen digits of a number: what is longer was cut before we saw it.
_EXACT: Final = 10**15


@dataclass(frozen=True)
class ReadAs:
    """How to read a file, where somebody says so; what is empty is guessed.

    Attributes
    ----------
    encoding, delimiter : str
        Of a text table.
    sheet : str
        Sheet of a workbook, layer of a geographic file, table of a database.
    head_row : int
        Row of the column names as a spreadsheet counts; 0 guesses.
    srid : int
        The system of the coordinates; 0 takes what the file says.
    """

    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    head_row: int = 0
    srid: int = 0


GUESSED: Final = ReadAs()
"""Nothing is said: everything is guessed."""


@dataclass(frozen=True)
class Block:
    """Some rows of a table, column by column.

    Attributes
    ----------
    numbers : list of int
        Number of each row as a spreadsheet counts; features count from 1.
    columns : list of list of str
        As many as the table has names; an empty cell is "".
    wkb : list of bytes or None
        The geometry of each row, where the format carries one.
    problems : dict of int to str
        Place in the block -> what is wrong with the whole row.
    """

    numbers: list[int]
    columns: list[list[str]]
    wkb: list[bytes | None] | None = None
    problems: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class Table:
    """A file that was looked at: what it is, what was guessed, and a way to read its rows.

    Attributes
    ----------
    srid : int
        The system that the file states; 0 where it states none.
    notes : tuple of str
        What a person should know of how it was read: ``merged``, ``no_prj``, ``mixed_encoding``...
    """

    format: str
    columns: tuple[str, ...]
    blocks: Callable[[], Iterator[Block]]
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    head_row: int = 0
    srid: int = 0
    has_geometry: bool = False
    notes: tuple[str, ...] = ()


def unreadable(why: str, message: str, **more: object) -> UnreadableTable:
    """Make the refusal of a file as a whole."""
    return UnreadableTable(message, why=why, **more)


def text_of(value: Any) -> str:
    """Write a typed cell as text, so that every format gives the same.

    >>> text_of(3.0), text_of(None), text_of(date(2026, 1, 2)), text_of(91330100123456789.0)
    ('3', '', '2026-01-02', '9.13301001234568e+16')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:MOST_CELL]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)[:MOST_CELL]


def _number(value: float) -> str:
    if value != value:
        return ""
    if abs(value) >= _EXACT:
        return f"{value:.15g}" if abs(value) >= 10**16 else f"{value:.14e}"
    return str(int(value)) if value.is_integer() else repr(value)


def names_of(head: Sequence[str]) -> tuple[str, ...]:
    """Name the columns: an empty one by its letter, a name that comes twice with a number.

    >>> names_of(["名称", "", "名称"])
    ('名称', '(B)', '名称 2')
    """
    if not any(cell.strip() for cell in head):
        raise unreadable("no_head", "no row names the columns")
    cells = [" ".join(cell.split())[:80] for cell in head]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > MOST_COLUMNS:
        raise unreadable("columns", f"more than {MOST_COLUMNS} columns", most=MOST_COLUMNS)
    seen: dict[str, int] = {}
    names = []
    for at, cell in enumerate(cells):
        name = cell or f"({letter(at)})"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return tuple(names)


def letter(at: int) -> str:
    """Name a column as a spreadsheet does: 0 is A, 26 is AA.

    >>> letter(0), letter(26), letter(701)
    ('A', 'AA', 'ZZ')
    """
    out = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        out = chr(ord("A") + rest) + out
    return out


def head_among(rows: Sequence[Sequence[str]]) -> int:
    """Find the row that names the columns: the first of those with the most different words.

    Titles above it fill one cell or two; rows below it hold numbers, which are no names.

    >>> head_among([["企业名单", ""], ["名称", "员工"], ["某店", "12"]])
    1
    """
    best, score = 0, -1
    for at, row in enumerate(rows[:HEAD_AMONG]):
        words = {cell.strip() for cell in row if cell.strip() and not _is_figure(cell)}
        if len(words) > score:
            best, score = at, len(words)
    return best


def _is_figure(cell: str) -> bool:
    try:
        float(cell.strip().rstrip("%"))
    except ValueError:
        return cell.strip().replace("-", "").replace("/", "").replace(":", "").isdecimal()
    return True


def blocks_of(
    rows: Iterable[tuple[int, Sequence[str], str]], width: int, *, size: int = BLOCK_ROWS
) -> Iterator[Block]:
    """Gather rows of (number, cells, problem) into blocks; blank rows are left out.

    A row that is shorter than the head is filled up; one that is longer says so.
    """
    numbers: list[int] = []
    lines: list[Sequence[str]] = []
    problems: dict[int, str] = {}
    total = 0
    for number, cells, problem in rows:
        if not problem and not any(cells):
            continue
        total += 1
        if total > MOST_ROWS:
            raise unreadable("rows", f"more than {MOST_ROWS} rows", most=MOST_ROWS)
        kept = list(cells[:width])
        if len(kept) < width:
            kept += [""] * (width - len(kept))
        if problem or any(cells[width:]):
            problems[len(numbers)] = problem or "cells_many"
        numbers.append(number)
        lines.append(kept)
        if len(numbers) == size:
            yield _block(numbers, lines, width, problems)
            numbers, lines, problems = [], [], {}
    if numbers:
        yield _block(numbers, lines, width, problems)


def _block(
    numbers: list[int], lines: list[Sequence[str]], width: int, problems: dict[int, str]
) -> Block:
    columns = [list(column) for column in zip(*lines, strict=True)] if width else []
    return Block(numbers, columns, None, problems)
