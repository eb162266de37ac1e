"""Code lists: component and matter categories with their time limits, departments."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    UniqueConstraint,
    delete,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from grids.db import Base, identity
from grids.errors import Invalid

DEFAULT_SYSTEM = "GBT47678.5-2026"


class Department(Base):
    """A department (专业部门) that handles cases."""

    __tablename__ = "department"
    __level__ = "L1"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    sort: Mapped[int] = mapped_column(server_default="0")


class Category(Base):
    """A component (部件) or matter (事项) sub-class. Both use the same five digits."""

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("code_system", "kind", "code"),)
    __level__ = "L1"

    id: Mapped[int] = identity()
    code_system: Mapped[str] = mapped_column(server_default=DEFAULT_SYSTEM)
    kind: Mapped[str]  #: component, matter
    code: Mapped[str]
    parent: Mapped[str | None]  #: two digits of the class
    name_zh: Mapped[str]
    name_en: Mapped[str]
    search: Mapped[str]  #: pinyin and initials, for typing
    sort: Mapped[int] = mapped_column(server_default="0")
    is_common: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str]


class PopulationCategory(Base):
    """A kind of key population (特殊人群): counted per area, never held as persons."""

    __tablename__ = "population_category"
    __level__ = "L1"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    sort: Mapped[int] = mapped_column(server_default="0")
    source: Mapped[str]


class CategoryLimit(Base):
    """How long handling may take, by category: value and unit, as of a day."""

    __tablename__ = "category_limit"
    __table_args__ = (Index("category_limit_category_id_idx", "category_id"),)
    __level__ = "L1"

    id: Mapped[int] = identity()
    category_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("category.id"))
    urgency: Mapped[str]  #: A emergency, B urgent, C ordinary, D complex
    value: Mapped[float]
    unit: Mapped[str]  #: elapsed_hour, work_hour, work_day
    department_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    source: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Workday(Base):
    """A day that differs from the weekly rule: a public holiday or a make-up workday."""

    __tablename__ = "workday"
    __level__ = "L1"

    day: Mapped[date] = mapped_column(primary_key=True)
    is_workday: Mapped[bool]
    name: Mapped[str] = mapped_column(server_default="")


class BadCodeList(Invalid):
    """A row of a code list is wrong; the message names file, line and column."""

    code = "codes.bad_row"


#: File -> what a row needs. The order is that of loading: limits name categories.
FILES = ("departments.csv", "components.csv", "matters.csv", "local.csv", "limits.csv",
         "key_population.csv")  # fmt: skip
LIMIT_UNITS = frozenset({"elapsed_hour", "work_hour", "work_day"})
URGENCIES = frozenset("ABCD")


@dataclass(frozen=True)
class Loaded:
    """What a load of the code lists found and changed."""

    departments: int
    categories: int
    limits: int


def load(session: Session, folder: Path, *, on: date) -> Loaded:
    """Bring the code lists of a folder into the tables; loading again changes nothing.

    A category that is no longer listed stays, for old cases name it. Raises `BadCodeList`.
    """
    departments = [_department(*row) for row in _rows(folder / FILES[0])]
    _upsert(session, Department, departments, key=("code",))
    categories = [
        _category(path, line, row)
        for path in (folder / name for name in FILES[1:4])
        for path, line, row in _rows(path)
    ]
    _upsert(session, Category, categories, key=("code_system", "kind", "code"))
    limits = _load_limits(session, folder / FILES[4], on)
    kinds = [
        {**_department(path, line, row), "source": _need(path, line, row, "source")}
        for path, line, row in _rows(folder / FILES[5])
    ]
    _upsert(session, PopulationCategory, kinds, key=("code",))
    return Loaded(len(departments), len(categories), limits)


def _rows(path: Path) -> Iterator[tuple[Path, int, dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            yield path, line, row


def _need(path: Path, line: int, row: dict[str, str], column: str) -> str:
    value = row.get(column) or ""
    if not value:
        raise BadCodeList(
            f"{path.name}, line {line}: column {column} is empty",
            file=path.name,
            line=line,
            field=column,
        )
    return value


def _department(path: Path, line: int, row: dict[str, str]) -> dict[str, Any]:
    texts = {name: _need(path, line, row, name) for name in ("code", "name_zh", "name_en")}
    return {**texts, "sort": int(row["sort"] or 0)}


def _category(path: Path, line: int, row: dict[str, str]) -> dict[str, Any]:
    names = ("code_system", "kind", "code", "name_zh", "name_en", "source")
    texts = {name: _need(path, line, row, name) for name in names}
    return {
        **texts,
        "parent": row["parent"] or None,
        "search": search_key(texts["name_zh"], texts["name_en"]),
        "sort": line,
        "is_common": row["is_common"] == "1",
        "valid_from": date.fromisoformat(_need(path, line, row, "valid_from")),
        "valid_to": date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
    }


def search_key(name_zh: str, name_en: str) -> str:
    """Join what a name is found by: itself, its pinyin, its initials, the English name.

    >>> search_key("路灯", "street light")
    '路灯 ludeng ld street light'
    """
    # Here, not above: its dictionary takes half a second, and only those who load codes need it.
    from pypinyin import Style, lazy_pinyin

    pinyin = "".join(lazy_pinyin(name_zh))
    initials = "".join(lazy_pinyin(name_zh, style=Style.FIRST_LETTER))
    return f"{name_zh} {pinyin} {initials} {name_en}".lower()


def _load_limits(session: Session, path: Path, on: date) -> int:
    """Replace the limits of every category listed; a two-digit code is its class's default."""
    by_code = {row["code"]: (line, row) for _, line, row in _rows(path)}
    for code, (line, row) in by_code.items():
        if row["urgency"] not in URGENCIES or row["unit"] not in LIMIT_UNITS:
            raise BadCodeList(
                f"{path.name}, line {line}: urgency or unit of {code} is unknown",
                file=path.name,
                line=line,
                field="unit",
            )
    matters = session.scalars(select(Category).where(Category.kind == "matter")).all()
    wanted = [(m.id, by_code.get(m.code) or by_code.get(m.code[:2])) for m in matters]
    session.execute(delete(CategoryLimit))
    session.execute(
        insert(CategoryLimit),
        [
            {
                "category_id": category_id,
                "urgency": found[1]["urgency"],
                "value": float(found[1]["value"]),
                "unit": found[1]["unit"],
                "department_code": found[1]["department"],
                "source": found[1]["source"],
                "valid_from": on,
            }
            for category_id, found in wanted
            if found
        ],
    )
    return len(by_code)


def _upsert(
    session: Session, model: type[Base], rows: list[dict[str, Any]], *, key: tuple[str, ...]
) -> None:
    statement = insert(model).values(rows)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
    session.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))
