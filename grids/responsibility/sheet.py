"""Rules as a table (CSV) in and out: the whole draft at once, errors by line and column."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from grids import audit
from grids.accounts import Actor
from grids.responsibility.editing import Known, RuleInput, checked, fill, input_of
from grids.responsibility.errors import BadTable
from grids.responsibility.matrix import RuleRow, Selector, ties
from grids.responsibility.models import Rule
from grids.responsibility.versions import draft_of, remove_rules, require_whole_city, touch

COLUMNS: Final = ("kind", "category", "area", "owner", "band", "first", "last", "department",
                  "assisting", "why", "basis")  # fmt: skip
MOST_BYTES: Final = 4 * 1024 * 1024
MOST_ROWS: Final = 20_000
#: A spreadsheet takes a cell that begins so for a formula.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
MARK: Final = "﻿"


@dataclass(frozen=True)
class RowError:
    """What is wrong in one line of a table."""

    line: int
    column: str
    problem: str  #: unknown, empty, outside, before, same, too_long, tie, columns, encoding
    value: str = ""


def write_csv(rules: list[RuleRow]) -> str:
    """Write rules as a table that `read_csv` takes back, readable in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for rule in rules:
        given = input_of(rule)
        cells = [getattr(given, name) for name in COLUMNS]
        writer.writerow([_safe("|".join(c) if isinstance(c, tuple) else c) for c in cells])
    return MARK + out.getvalue()


def read_csv(data: bytes, known: Known, actor: Actor) -> list[tuple[Selector, RuleInput]]:
    """Read a table of rules. Raises `BadTable` with every line that is wrong."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _bad([RowError(1, "", "encoding")]) from None
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise _bad([RowError(1, name, "columns") for name in missing])
    errors: list[RowError] = []
    found: list[tuple[int, Selector, RuleInput]] = []
    for row in reader:
        line = reader.line_num
        given = _input_of(row)
        read = checked(given, known, actor)
        errors += [RowError(line, n, p, str(row.get(n) or "")) for n, p in read.problems.items()]
        if not read.problems:
            found.append((line, read.selector, given))
        if len(found) + len(errors) > MOST_ROWS:
            raise _bad([RowError(line, "", "too_long")])
    rows = [RuleRow(line, selector, given.department) for line, selector, given in found]
    errors += [RowError(b.id, "category", "tie", str(a.id)) for a, b in ties(rows)]
    if errors or not found:
        raise _bad(sorted(errors, key=lambda e: e.line) or [RowError(1, "", "empty")])
    return [(selector, given) for _, selector, given in found]


def replace_rules(
    session: Session, set_id: int, data: bytes, actor: Actor, *, now: datetime, source_ip: str = ""
) -> int:
    """Give a draft the rules of a table instead of its own; all or nothing. Returns how many."""
    require_whole_city(actor)
    draft = draft_of(session, set_id)
    wanted = read_csv(data, Known.of(session), actor)
    remove_rules(session, set_id)
    for selector, given in wanted:
        row = Rule(rule_set_id=set_id, changed_by=actor.account_id, changed_at=now)
        fill(row, selector, given)
        session.add(row)
    session.flush()
    touch(session, draft)
    audit.record(
        session, "rules_imported", actor_id=actor.account_id, subject=f"rules:{set_id}",
        source_ip=source_ip, detail={"rules": len(wanted)},
    )  # fmt: skip
    return len(wanted)


def _input_of(row: dict[str, str | None]) -> RuleInput:
    cells = {name: _plain(row.get(name) or "") for name in COLUMNS}
    assisting = tuple(filter(None, (code.strip() for code in cells.pop("assisting").split("|"))))
    return RuleInput(assisting=assisting, **cells)


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _plain(cell: str) -> str:
    """Take back what `_safe` put before a cell."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def _bad(errors: list[RowError]) -> BadTable:
    return BadTable(f"{len(errors)} errors", n=len(errors), rows=errors, field="table")
