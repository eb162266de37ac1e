"""The report of a batch: which rows were not taken, where and why, as a table to be mended."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gis.formats import safe_cell
from grids import scope
from grids.accounts import Actor
from grids.enterprises import Enterprise
from grids.importing.batches.mending import mends_of
from grids.importing.batches.models import ImportBatch, ImportMend, ImportRow

_AT_ONCE: Final = 2_000
#: Writes a rule with what fills its text, in the language of the reader.
Words = Callable[[Mapping[str, Any]], str]
_BY_RULE: Final = text("""
    SELECT e ->> 'rule' AS rule, e ->> 'column' AS heading, count(*) AS n
    FROM import_row AS r, jsonb_array_elements(r.errors) AS e
    WHERE r.batch_id = :batch AND r.verdict IN ('rejected', 'held')
    GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT 100
""")


def by_rule(session: Session, batch: ImportBatch) -> list[tuple[str, str, int]]:
    """Count the faults of a batch that the caller has read in scope: rule, column, how many."""
    return [
        (row.rule, row.heading, row.n) for row in session.execute(_BY_RULE, {"batch": batch.id})
    ]


def matched(
    session: Session, actor: Actor, batch: ImportBatch, *, most: int
) -> tuple[int, int, list[tuple[ImportRow, str]]]:
    """Tell of a batch that the caller has read in scope what likeness has led to.

    Returns how many rows were taken for an entry, how many open pairs, and the first of the
    former with the names of their entries.
    """
    taken = ImportRow.match.has_key("entry")
    rows = (ImportRow.batch_id == batch.id, ImportRow.match.is_not(None))
    counts = session.execute(
        select(func.count().filter(taken), func.count().filter(~taken)).where(*rows)
    ).one()
    first = session.scalars(
        select(ImportRow).where(*rows, taken).order_by(ImportRow.number).limit(most)
    ).all()
    keys = [row.entry_id for row in first]
    names = dict[int, str](
        (row.id, row.name)
        for row in session.execute(
            select(Enterprise.id, Enterprise.name).where(
                scope.condition(actor, Enterprise), Enterprise.id.in_(keys)
            )
        )
    )
    return counts[0], counts[1], [(row, names.get(row.entry_id or 0, "")) for row in first]


def error_file(
    session: Session, batch: ImportBatch, heads: tuple[str, str, str, str, str], words: Words
) -> Iterator[str]:
    """Write every fault with its row, column, value, rule and reason, then what the row said.

    The columns of the file follow under their own names, so that the mended table can be sent
    again. What was repaired and what was put right by hand come last. Cells that a spreadsheet would run are made harmless.
    """
    mapped = {given.get("column") for given in batch.settings.get("mapping", {}).values()}
    columns = [name for name in batch.look.get("columns", ()) if name in mapped]
    yield "\ufeff" + _line([*heads, *columns])
    after = -1
    while True:
        rows = session.scalars(
            select(ImportRow)
            .where(
                ImportRow.batch_id == batch.id, ImportRow.number > after,
                ImportRow.verdict.in_(("rejected", "held")),
            )
            .order_by(ImportRow.number)
            .limit(_AT_ONCE)
        ).all()  # fmt: skip
        if not rows:
            break
        for row in rows:
            said = row.raw or {}
            for fault in row.errors or ():
                yield _line([
                    str(row.number), fault.get("column", ""), fault.get("value", ""), fault["rule"],
                    words(fault), *(said.get(column, "") for column in columns),
                ])  # fmt: skip
        after = rows[-1].number
        session.expunge_all()
    for row in _repaired(session, batch):
        for note in row.errors or ():
            yield _line([
                str(row.number), note.get("column", ""), "", note["rule"], words(note),
                *((row.raw or {}).get(column, "") for column in columns),
            ])  # fmt: skip
    for one, by in mends_of(session, batch):
        said = _said(session, one)
        yield _line([
            str(one.number), one.heading, one.was, "mended", words(told(one, by)),
            *(said.get(column, "") for column in columns),
        ])  # fmt: skip


def told(one: ImportMend, by: str) -> dict[str, Any]:
    """Return what fills the text of a correction."""
    return {"rule": "mended", "was": one.was, "became": one.became, "by": by, "at": one.mended_at}


def _repaired(session: Session, batch: ImportBatch) -> Sequence[ImportRow]:
    return session.scalars(
        select(ImportRow)
        .where(
            ImportRow.batch_id == batch.id, ImportRow.errors.contains([{"rule": "repaired"}]),
            ImportRow.verdict.in_(("new", "change", "same")),
        )
        .order_by(ImportRow.number)
    ).all()  # fmt: skip


def _said(session: Session, one: ImportMend) -> dict[str, Any]:
    row = session.get(ImportRow, (one.batch_id, one.number))
    return (row.raw if row is not None else None) or {}


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([safe_cell(cell) for cell in cells])
    return out.getvalue()
