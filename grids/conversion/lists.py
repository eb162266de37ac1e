"""Whole lists of converted codes as a registrar sends them: every row good, or nothing is kept.

A list has the old number and the credit code of each entity, its name where the registrar gives it
and the day of the conversion. A refusal names rows, columns and reasons.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session
from stdnum.cn import uscc as credit_code

from gis.archives import Limits, SheetLimits, workbook_rows
from grids import audit, scope
from grids.accounts import Actor
from grids.conversion.models import REGISTRARS, CodeConversion
from grids.enterprises import Enterprise
from grids.errors import Invalid

MOST_BYTES: Final = 2 * 1024 * 1024
MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 20
MOST_CELL: Final = 200
#: Refusals that are listed; more are only counted.
LISTED: Final = 100
NEEDED: Final = ("old_number", "uscc")
#: Column heads, as registrars write them.
HEADS: Final[dict[str, str]] = {
    **dict.fromkeys(("old_number", "old", "旧码", "原码", "注册号", "原注册号", "工商注册号", "登记证号",
                     "原登记证号"), "old_number"),
    **dict.fromkeys(("uscc", "new", "新码", "统一社会信用代码", "社会信用代码", "信用代码"), "uscc"),
    **dict.fromkeys(("name", "名称", "企业名称", "单位名称", "主体名称"), "name"),
    **dict.fromkeys(("converted_on", "date", "转换日期", "换码日期", "换证日期"), "converted_on"),
}  # fmt: skip
_Key = TypeVar("_Key", str, int)
_XLSX: Final = b"PK\x03\x04"
#: Keys that one statement looks up.
_AT_ONCE: Final = 5_000


@dataclass(frozen=True)
class Refusal:
    """Why a row is not taken. `row` counts as a spreadsheet does; 0 is the file."""

    row: int
    reason: str
    column: str = ""


class RefusedList(Invalid):
    """A list of codes is not taken; nothing of it was kept."""

    code = "conversion.refused"

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        first = refusals[0]
        super().__init__(
            f"{len(refusals)} refusals, the first in row {first.row}: {first.reason}",
            field="list", refusals=len(refusals), row=first.row,
        )  # fmt: skip
        self.refusals = tuple(refusals[:LISTED])
        self.total = len(refusals)


@dataclass(frozen=True)
class ListRow:
    """One row of a list."""

    row: int
    old_number: str
    uscc: str
    name: str
    converted_on: date | None


@dataclass(frozen=True)
class Taken:
    """What a list has done: pairs that have a code now, were put right, had it before."""

    converted: int
    mended: int
    same: int


def load(
    session: Session, actor: Actor, data: bytes, registrar: str, *, on: date, source_ip: str
) -> Taken:
    """Take a list of a registrar over, whole or not at all.

    `on` is the day of rows that name none. Raises `RefusedList` with everything that is wrong,
    and `gis.errors.UnsafeArchive` for a workbook that would hold its reader.
    """
    if registrar not in REGISTRARS:
        raise RefusedList([Refusal(0, "no_registrar")])
    rows, refusals = _read(data, registrar, on)
    pairs = _pairs(session, actor, registrar, rows)
    refusals += _against_pairs(rows, pairs) + _against_others(session, rows, pairs)
    if refusals:
        raise RefusedList(sorted(refusals, key=lambda one: (one.row, one.column, one.reason)))
    done: Counter[str] = Counter()
    for one in rows:
        pair = pairs[one.old_number]
        done["same" if pair.uscc == one.uscc else "mended" if pair.uscc else "converted"] += 1
        if pair.uscc != one.uscc:
            pair.uscc, pair.converted_on = one.uscc, one.converted_on or pair.converted_on or on
    session.flush()
    taken = Taken(done["converted"], done["mended"], done["same"])
    audit.record(
        session, "code_list_taken", actor_id=actor.account_id, source_ip=source_ip,
        subject=f"code_conversion:{registrar}",
        detail={"registrar": registrar, "rows": len(rows), "changed": len(rows) - taken.same},
    )  # fmt: skip
    return taken


def _read(data: bytes, registrar: str, on: date) -> tuple[list[ListRow], list[Refusal]]:
    """Read the rows and what is wrong with each by itself. Raises `RefusedList` for the file."""
    lines = _lines(data)
    columns = _columns_of(next(lines, (1, [])))
    rows: list[ListRow] = []
    refusals: list[Refusal] = []
    for number, cells in lines:
        if any(cells):
            texts = {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}
            bad = list(_faults(number, texts, registrar, on))
            refusals += bad
            if not bad:
                rows.append(ListRow(number, texts["old_number"], texts["uscc"].upper(),
                                    texts.get("name", ""), _day(texts.get("converted_on", ""))))  # fmt: skip
    for name in NEEDED:
        seen: dict[str, int] = {}
        for one in rows:
            if seen.setdefault(getattr(one, name), one.row) != one.row:
                refusals.append(Refusal(one.row, "twice", name))
    if not rows and not refusals:
        refusals.append(Refusal(0, "empty"))
    return rows, refusals


def _faults(number: int, texts: Mapping[str, str], registrar: str, on: date) -> Iterator[Refusal]:
    """Tell what is wrong with a row by itself."""
    if any(len(text) > MOST_CELL for text in texts.values()):
        yield Refusal(number, "too_long")
    if not texts["old_number"]:
        yield Refusal(number, "no_old_number", "old_number")
    code = texts["uscc"].upper()
    if not credit_code.is_valid(code):
        yield Refusal(number, "bad_code" if code else "no_uscc", "uscc")
    elif code[0] != REGISTRARS[registrar]:
        yield Refusal(number, "other_registrar", "uscc")
    if told := texts.get("converted_on", ""):
        day = _day(told)
        if day is None or day > on:
            yield Refusal(number, "bad_day", "converted_on")


def _day(told: str) -> date | None:
    found = re.fullmatch(r"(\d{4})\s*[-/.年]?\s*(\d{1,2})\s*[-/.月]?\s*(\d{1,2})\s*日?", told)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def _pairs(
    session: Session, actor: Actor, registrar: str, rows: Sequence[ListRow]
) -> dict[str, CodeConversion]:
    """Lock and return the pairs of a list that lie in the caller's areas, by old number."""
    found: dict[str, CodeConversion] = {}
    for numbers in _parts([one.old_number for one in rows]):
        pairs = session.scalars(
            select(CodeConversion)
            .where(
                scope.condition(actor, CodeConversion), CodeConversion.registrar == registrar,
                CodeConversion.old_number.in_(numbers),
            )
            .order_by(CodeConversion.id)
            .with_for_update()
        )  # fmt: skip
        found |= {pair.old_number: pair for pair in pairs}
    return found


def _against_pairs(rows: Sequence[ListRow], pairs: Mapping[str, CodeConversion]) -> list[Refusal]:
    """Refuse what is not there, is called otherwise, or has a good code already."""
    refusals: list[Refusal] = []
    for one in rows:
        pair = pairs.get(one.old_number)
        if pair is None:
            refusals.append(Refusal(one.row, "unknown", "old_number"))
            continue
        if one.name and _bare(one.name) != _bare(pair.name):
            refusals.append(Refusal(one.row, "other_name", "name"))
        if pair.uscc and pair.uscc != one.uscc and pair.problem not in ("new_check", "new_kind"):
            refusals.append(Refusal(one.row, "has_other", "uscc"))
    return refusals


def _against_others(
    session: Session, rows: Sequence[ListRow], pairs: Mapping[str, CodeConversion]
) -> list[Refusal]:
    """Refuse codes of others. They are the whole country's: asked beyond the caller's areas."""
    codes = [one.uscc for one in rows]
    own = [pair.enterprise_id for pair in pairs.values() if pair.enterprise_id is not None]
    holders: dict[str, set[int]] = {}
    taken: dict[str, int] = {}
    register: dict[int, str | None] = {}
    for part in _parts(codes):
        held = select(Enterprise.uscc, Enterprise.id).where(Enterprise.uscc.in_(part))
        for code, key in session.execute(held):
            holders.setdefault(str(code), set()).add(key)
        told = select(CodeConversion.uscc, CodeConversion.id).where(CodeConversion.uscc.in_(part))
        taken |= {str(code): key for code, key in session.execute(told)}
    for keys in _parts(own):
        found = select(Enterprise.id, Enterprise.uscc).where(Enterprise.id.in_(keys))
        register |= {row.id: row.uscc for row in session.execute(found)}
    refusals: list[Refusal] = []
    for one in rows:
        pair = pairs.get(one.old_number)
        if pair is None:
            continue
        if (
            holders.get(one.uscc, set()) - {pair.enterprise_id}
            or taken.get(one.uscc, pair.id) != pair.id
        ):
            refusals.append(Refusal(one.row, "anothers", "uscc"))
        elif pair.enterprise_id is not None and register.get(pair.enterprise_id) not in (
            None,
            one.uscc,
        ):
            refusals.append(Refusal(one.row, "register_has_other", "uscc"))
    return refusals


def _parts(keys: Sequence[_Key]) -> Iterator[Sequence[_Key]]:
    for first in range(0, len(keys), _AT_ONCE):
        yield keys[first : first + _AT_ONCE]


def _bare(name: str) -> str:
    return re.sub(r"\s", "", name.translate({0xFF08: "(", 0xFF09: ")"}))


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a file with their numbers, cells as text. Raises `RefusedList`."""
    if len(data) > MOST_BYTES:
        raise RefusedList([Refusal(0, "too_large")])
    if data.startswith(_XLSX):
        sheets = SheetLimits(most_cells=(MOST_ROWS + 1) * MOST_COLUMNS, most_rows=MOST_ROWS + 1,
                             most_columns=MOST_COLUMNS, most_sheets=5)  # fmt: skip
        limits = Limits(most_bytes=MOST_BYTES, most_unpacked=32 * 1024 * 1024)
        rows: Iterator[Sequence[object]] = workbook_rows(data, limits=limits, sheets=sheets)
    else:
        rows = csv.reader(io.StringIO(_text_of(data), newline=""))
    try:
        for number, cells in enumerate(rows, start=1):
            if number > MOST_ROWS + 1 or len(cells) > MOST_COLUMNS:
                raise RefusedList([Refusal(number, "too_large")])
            yield number, [_cell(value) for value in cells]
    except csv.Error:
        raise RefusedList([Refusal(0, "unreadable")]) from None


def _text_of(data: bytes) -> str:
    """Decode a CSV file: UTF-8 with or without its mark, else GB18030 as offices write it."""
    for name in ("utf-8-sig", "gb18030"):
        try:
            if b"\x00" not in data:
                return data.decode(name)
        except UnicodeDecodeError:
            continue
    raise RefusedList([Refusal(0, "unreadable")])


def _cell(value: object) -> str:
    if isinstance(value, datetime | date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value).strip()


def _columns_of(head: tuple[int, list[str]]) -> dict[str, int]:
    """Find the columns by their heads; others are left alone. Raises `RefusedList`."""
    number, cells = head
    columns: dict[str, int] = {}
    for place, text in enumerate(cells):
        name = HEADS.get(text.lower().replace(" ", ""))
        if name in columns:
            raise RefusedList([Refusal(number, "column_twice", name)])
        if name:
            columns[name] = place
    missing = [Refusal(number, "no_column", name) for name in NEEDED if name not in columns]
    if missing:
        raise RefusedList(missing)
    return columns
