"""The faulty rows of a batch as a small table: what each says, and which cells can be put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.data import import_words as words
from grids.importing.batches.mending import wrong_fields
from grids.importing.batches.models import ImportRow
from grids.importing.batches.settings import Settings
from grids.importing.batches.staging import HIDDEN
from grids.importing.batches.targets import Target

#: What is longer is no cell that a hand puts right: an outline in words.
_LONGEST = 1_000


@dataclass(frozen=True)
class Cell:
    """What a row says in a column; `name` is the field of the form where it can be put right."""

    text: str
    name: str = ""
    is_wrong: bool = False


@dataclass(frozen=True)
class Line:
    """A faulty row: its cells in the order of the columns, and what is wrong with it."""

    number: int
    verdict: str
    cells: tuple[Cell, ...]
    faults: tuple[tuple[Mapping[str, Any], str], ...]


@dataclass(frozen=True)
class Sheet:
    """Faulty rows under the columns that they were taken from."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def can_mend(self) -> bool:
        """Say whether any cell can be put right here."""
        return any(cell.name for line in self.lines for cell in line.cells)


def fault_sheet(
    rows: Sequence[ImportRow], target: Target, settings: Settings, heads: Sequence[str], *, can_mend: bool,
    typed: Mapping[tuple[int, str], str],
) -> Sheet:  # fmt: skip
    """Write faulty rows as a table under the heads of their file; `typed` is what somebody wrote and was refused."""
    taken = {given.column for given in settings.mapping.values()}
    columns = tuple(head for head in heads if head in taken)
    return Sheet(columns, tuple(_line(row, columns, target, settings, can_mend, typed)
                                for row in rows))  # fmt: skip


def _line(
    row: ImportRow, columns: tuple[str, ...], target: Target, settings: Settings, can_mend: bool,
    typed: Mapping[tuple[int, str], str],
) -> Line:  # fmt: skip
    wrong = wrong_fields(target, settings, row.errors or ())
    cells = []
    for column in columns:
        text = str((row.raw or {}).get(column, ""))
        field = wrong.get(column, "")
        has_input = can_mend and bool(field) and len(text) <= _LONGEST
        shown = (
            typed.get((row.number, field), "" if text == HIDDEN else text) if has_input else text
        )
        cells.append(
            Cell(shown, f"m.{row.number}.{field}" if has_input else "", is_wrong=bool(field))
        )
    faults = tuple((fault, words.rule(fault)) for fault in row.errors or ())
    return Line(row.number, row.verdict, tuple(cells), faults)
