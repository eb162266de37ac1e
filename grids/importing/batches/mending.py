"""Cells that somebody puts right by hand on the page (更正): kept with the batch, judged alone.

A correction is a row of `import_mend`: who, when, what the cell said and what it says now. It holds
for the row and column of the file wherever that cell still says what was corrected, so a later check
of the whole file keeps it. The file itself is never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import shapely
from geoalchemy2.shape import to_shape
from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.tables import Block, Table
from gis.tables.model import MOST_CELL
from grids import audit
from grids.accounts import Account, Actor
from grids.errors import Invalid
from grids.importing.batches.models import ImportBatch, ImportMend, ImportRow
from grids.importing.batches.service import NotNow, require
from grids.importing.batches.settings import Settings, refuse_persons, settings_of
from grids.importing.batches.staging import HIDDEN, HIDDEN_RULES, NOTES, Stage
from grids.importing.batches.targets import Target
from grids.normal import Unfit, bare

#: So many rows stand on one page of corrections and are judged at once.
MOST_ROWS: Final = 200
BAD: Final = ("rejected", "held")
#: Format of a table of rows that are judged again: their shapes are as stored.
MENDED: Final = "mended"
_PLACE: Final = ("lon", "lat", "place", "wkt", "address")
#: A fault of a whole row -> the fields in which it can be put right; `*` stands for the target's code.
_BY_RULE: Final[dict[str, tuple[str, ...]]] = {
    "twice": ("own_id", "*"),
    "code_twice": ("*",),
    "same_entry": ("*", "own_id"),
    "entry_outside": ("*", "own_id"),
    "no_enterprise": ("enterprise_uscc",),
}
#: A fault of one field that may lie in another one just as well.
_WITH: Final = {"lon": ("lon", "lat"), "geom": _PLACE, "identifier": ("identifier", "code")}


class BadMend(Invalid):
    """A correction does not fit its row; `row` and `column` name where."""

    code = "import.bad_mend"


class NothingMended(Invalid):
    """No cell says anything else than it did."""

    code = "import.nothing_mended"


def wrong_fields(
    target: Target, settings: Settings, errors: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """Return the columns of a row in which its faults can be put right -> the first field of each.

    A fault of a value that was chosen for all rows, or of the file's own shape, has none.
    """
    found: dict[str, str] = {}
    for fault in errors:
        name = str(fault.get("field", ""))
        names = _BY_RULE.get(str(fault["rule"])) or _WITH.get(name, (name,))
        for one in names:
            field = target.code if one == "*" else one
            given = settings.mapping.get(field)
            if given is not None and given.column:
                found.setdefault(given.column, field)
    return found


def mend(
    session: Session, batch: ImportBatch, actor: Actor, target: Target,
    cells: Mapping[tuple[int, str], str], *, now: datetime,
) -> list[int]:  # fmt: skip
    """Keep what somebody wrote into wrong cells, by row and field; return the rows that changed.

    Raises `NotNow`, `BadMend` and `NothingMended`; then nothing is kept.
    """
    require(batch, "checked")
    if batch.cleared_at is not None:
        raise NotNow("the rows of the batch are gone", state="cleared")
    numbers = {number for number, _ in cells}
    if len(numbers) > MOST_ROWS:
        raise BadMend(f"more than {MOST_ROWS} rows", row=0, column="")
    settings = settings_of(batch.settings)
    rows = {row.number: row for row in _rows(session, batch, sorted(numbers))}
    changed: set[int] = set()
    for (number, field), text in cells.items():
        row = rows.get(number)
        wrong = wrong_fields(target, settings, row.errors or ()) if row else {}
        column = next((name for name, one in wrong.items() if one == field), None)
        if row is None or column is None:
            raise BadMend("no such cell is wrong", row=number, column=field[:40])
        was, became = str((row.raw or {}).get(column, "")), text.strip()
        if became == was or (was == HIDDEN and not became):
            continue
        _check(became, number, column)
        session.add(ImportMend(
            batch_id=batch.id, number=number, heading=column, was=was, became=became,
            mended_by=actor.account_id or None, mended_at=now,
        ))  # fmt: skip
        changed.add(number)
    if not changed:
        raise NothingMended("no cell was changed")
    batch.state, batch.refusal, batch.attempts = "checking", {}, 0
    audit.record(
        session, "import_mended", actor_id=actor.account_id or None,
        subject=f"import_batch:{batch.id}", detail={"rows": len(changed)},
    )  # fmt: skip
    session.flush()
    return sorted(changed)


def _check(text: str, number: int, column: str) -> None:
    if len(text) > MOST_CELL or "\0" in text:
        raise BadMend("a cell is not so long", row=number, column=column)
    try:
        refuse_persons(bare(text))
    except Unfit as error:
        # Refused before it is stored anywhere, not even as what somebody typed.
        raise BadMend("a number of a person", row=number, column=column) from error


def _rows(session: Session, batch: ImportBatch, numbers: Sequence[int]) -> Sequence[ImportRow]:
    return session.scalars(
        select(ImportRow)
        .where(
            ImportRow.batch_id == batch.id, ImportRow.number.in_(numbers),
            ImportRow.verdict.in_(BAD), ImportRow.state == "staged",
        )
        .order_by(ImportRow.number)
    ).all()  # fmt: skip


def mends_of(
    session: Session, batch: ImportBatch, *, most: int = 100_000
) -> list[tuple[ImportMend, str]]:
    """Return the corrections of a batch that the caller has read in scope, with who made them."""
    found = session.execute(
        select(ImportMend, Account.name)
        .outerjoin(Account, Account.id == ImportMend.mended_by)
        .where(ImportMend.batch_id == batch.id)
        .order_by(ImportMend.number, ImportMend.id)
        .limit(most)
    )
    return [(row[0], row[1] or "") for row in found]


class Mends:
    """The corrections of a batch, written into the blocks of its file before they are read."""

    def __init__(self, session: Session, batch: ImportBatch) -> None:
        self.of_row: dict[int, list[ImportMend]] = {}
        for one, _ in mends_of(session, batch):
            self.of_row.setdefault(one.number, []).append(one)

    @property
    def numbers(self) -> frozenset[int]:
        """Return the rows that were corrected."""
        return frozenset(self.of_row)

    def write(self, table: Table, block: Block) -> None:
        """Put each correction where the file still says what was corrected."""
        if not self.of_row:
            return
        places = {name: at for at, name in enumerate(table.columns)}
        for at, number in enumerate(block.numbers):
            for one in self.of_row.get(number, ()):
                cells = block.columns[places[one.heading]] if one.heading in places else None
                if cells is not None and (cells[at] == one.was or one.was == HIDDEN):
                    cells[at] = one.became


class Again:
    """Some rows of a batch, to be judged again from what they said and what was corrected."""

    def __init__(self, session: Session, batch: ImportBatch, numbers: Sequence[int]) -> None:
        settings = settings_of(batch.settings)
        self.rows = _rows(session, batch, numbers)
        self.numbers = [row.number for row in self.rows]
        self.columns = tuple(dict.fromkeys(
            given.column for given in settings.mapping.values() if given.column
        ))  # fmt: skip
        self.table = Table(MENDED, self.columns, lambda: iter(()))
        mends = Mends(session, batch)
        self.mended = {
            row.number: {one.heading for one in mends.of_row.get(row.number, ())}
            for row in self.rows
        }
        self._places = {given.column for name, given in settings.mapping.items() if name in _PLACE}
        has_shapes = bool(batch.look.get("has_geometry"))
        self.block = Block(
            self.numbers,
            [[str((row.raw or {}).get(name, "")) for row in self.rows] for name in self.columns],
            [self._shape(row) for row in self.rows] if has_shapes else None,
        )
        mends.write(self.table, self.block)

    def _shape(self, row: ImportRow) -> bytes | None:
        """Return the file's own shape where it was good; a place that was corrected goes first."""
        if row.geom is None or row.coord_source == "derived" or self._is_moved(row):
            return None
        return bytes(shapely.to_wkb(to_shape(row.geom)))

    def _is_moved(self, row: ImportRow) -> bool:
        return bool(self.mended[row.number] & self._places)

    def keep_faults(self, made: Stage) -> None:
        """Put back the faults of what was not corrected and is not in the row's words.

        That is a number of a person, which is blacked out there, and the file's own shape.
        """
        for at, row in enumerate(self.rows):
            kept = [
                fault for fault in row.errors or ()
                if (fault["rule"] in HIDDEN_RULES and fault["column"] not in self.mended[row.number])
                or (fault.get("field") == "geom" and fault["rule"] != "outside_area"
                    and self.block.wkb is not None and not self._is_moved(row))
            ]  # fmt: skip
            if kept:
                others = [one for one in made.errors[at] or () if one["rule"] != "no_place"]
                made.errors[at] = [*others, *kept]
                if any(one["rule"] not in NOTES for one in kept):
                    made.verdicts[at] = "rejected"
