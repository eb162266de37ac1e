"""Tables as text: CSV, TSV and what else separates columns by a sign."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from gis.tables.encodings import ENCODINGS, guess_encoding, is_binary
from gis.tables.model import (
    HEAD_AMONG,
    MOST_CELL,
    Block,
    ReadAs,
    Table,
    blocks_of,
    head_among,
    names_of,
    unreadable,
)

DELIMITERS: Final = (",", "\t", ";", "|", "，")
#: A quote that never closes must not swallow the rest of the file as one cell.
_LONGEST_FIELD: Final = 65_536
_LINES: Final = 60


def open_delimited(path: Path, how: ReadAs) -> Table:
    """Look at a table of text. Raises `UnreadableTable`."""
    data = path.read_bytes()
    if not data.strip(b"\r\n\t ,;\xef\xbb\xbf"):
        raise unreadable("empty", "the file is empty")
    if is_binary(data):
        raise unreadable("binary", "the file is no text")
    encoding, is_whole = _encoding(data, how)
    del data
    notes = () if is_whole else ("mixed_encoding",)
    delimiter = how.delimiter or _delimiter(path, encoding)
    first = [cells for _, cells, _ in islice(_rows(path, encoding, delimiter), HEAD_AMONG + 1)]
    if not any(any(cells) for cells in first):
        raise unreadable("empty", "the file has no cell that is filled")
    head = how.head_row - 1 if how.head_row else head_among(first)
    if head >= len(first):
        raise unreadable("no_head", f"there is no row {how.head_row}", row=how.head_row)
    columns = names_of(first[head])

    def blocks() -> Iterator[Block]:
        rows = (row for row in _rows(path, encoding, delimiter) if row[0] > head + 1)
        return blocks_of(rows, len(columns))

    return Table("csv", columns, blocks, encoding, delimiter, head_row=head + 1, notes=notes)


def _encoding(data: bytes, how: ReadAs) -> tuple[str, bool]:
    if not how.encoding:
        return guess_encoding(data)
    if how.encoding not in ENCODINGS:
        raise unreadable("encoding", f"no encoding {how.encoding[:20]}")
    # A mark at the beginning is no letter of the first name.
    name = "utf-8-sig" if how.encoding == "utf-8" else how.encoding
    return name, data.decode(name, errors="replace").find("\ufffd") < 0


def _delimiter(path: Path, encoding: str) -> str:
    """Choose the sign that divides most lines into the same number of columns."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        lines = [line for line in islice(file, _LINES) if line.strip()]

    def score(sign: str) -> tuple[int, int]:
        counts = [line.count(sign) for line in lines]
        usual = max(set(counts), key=counts.count) if counts else 0
        return (counts.count(usual) if usual else 0, usual)

    return max(DELIMITERS, key=score)


def _rows(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Yield number, cells and what is wrong with the row as a whole."""
    csv.field_size_limit(_LONGEST_FIELD)
    number = 0
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        reader = csv.reader((line.replace("\0", "") for line in file), delimiter=delimiter)
        while True:
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise unreadable("quotes", f"row {number}: {error}", row=number) from error
            except UnicodeError as error:
                raise unreadable("encoding", f"row {number} cannot be read", row=number) from error
            problem = ""
            joined = "".join(cells)
            if not joined.isascii() and any("\udc80" <= sign <= "\udcff" for sign in joined):
                problem = "encoding"
                cells = [cell.encode("utf-8", "replace").decode() for cell in cells]
            if len(joined) > MOST_CELL:
                cells = [cell[:MOST_CELL] for cell in cells]
            yield number, [cell.strip() for cell in cells], problem
