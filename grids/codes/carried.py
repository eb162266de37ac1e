"""What a category carries on a day: limits, questions, notices, conditions, targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from grids.codes.models import DEFAULT_SYSTEM, LOCAL_SYSTEM, Category, CategoryLimit, CategoryRule


@dataclass(frozen=True)
class Versioned:
    """A text in both languages, with where it comes from and since when it holds."""

    zh: str
    en: str
    source: str
    valid_from: date


@dataclass(frozen=True)
class Option:
    """One answer of a question; some lead to a limit of their own."""

    code: str
    zh: str
    en: str
    value: float | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Question:
    """What a reporter or worker is asked about a category."""

    name: str
    zh: str
    en: str
    options: tuple[Option, ...]
    is_required: bool

    def option(self, code: str) -> Option | None:
        """Return an answer by its code."""
        return next((option for option in self.options if option.code == code), None)


@dataclass(frozen=True)
class Target:
    """A step inside handling that has a limit of its own: on the spot, made safe, repaired."""

    name: str
    zh: str
    en: str
    value: float
    unit: str
    source: str


@dataclass(frozen=True)
class Carried:
    """Everything that a category carries on one day."""

    category: Category
    limits: tuple[CategoryLimit, ...]
    questions: tuple[Question, ...]
    notices: tuple[Versioned, ...]
    filing: Versioned | None
    closing: Versioned | None
    self_handling: Versioned | None  #: None: may not be closed on the spot
    targets: tuple[Target, ...]

    def answered(self, answers: Mapping[str, str]) -> tuple[tuple[Question, Option], ...]:
        """Return the questions that were answered with one of their answers."""
        pairs = ((one, one.option(answers.get(one.name, ""))) for one in self.questions)
        return tuple((question, option) for question, option in pairs if option is not None)

    def limit(
        self,
        urgency: str,
        answers: Mapping[str, str] | None = None,
        area_kinds: tuple[str, ...] = (),
    ) -> tuple[float, str] | None:
        """Return value and unit of handling: as an answer says, else as the category does.

        A limit of the kind of the area goes before the one of all areas.
        """
        for _, option in self.answered(answers or {}):
            if option.value is not None and option.unit is not None:
                return option.value, option.unit
        rows = {row.area_kind: row for row in self.limits if row.urgency == urgency}
        row = next((rows[kind] for kind in (*area_kinds, "") if kind in rows), None)
        return (row.value, row.unit) if row else None


def of(session: Session, category_id: int, on: date) -> Carried:
    """Return what a category carries on a day; its class's rows hold where it has none itself.

    Raises `sqlalchemy.exc.NoResultFound` where there is no such category.
    """
    return of_many(session, (category_id,), on)[category_id]


def of_code(session: Session, code: str, kind: str, on: date) -> Carried | None:
    """Return what the category of a code carries on a day; None where no list has it then."""
    found = session.scalar(
        select(Category.id)
        .where(Category.code == code, Category.kind == kind, *in_force(Category, on))
        .order_by(Category.valid_from.desc(), Category.id)
        .limit(1)
    )
    return of(session, found, on) if found is not None else None


def of_many(session: Session, ids: Iterable[int], on: date) -> dict[int, Carried]:
    """Return what several categories carry on a day, in three statements."""
    wanted = list(dict.fromkeys(ids))
    rows = {row.id: row for row in session.scalars(select(Category).where(Category.id.in_(wanted)))}
    if len(rows) < len(wanted):
        session.get_one(Category, next(one for one in wanted if one not in rows))
    parents = _parents(session, rows.values())
    homes = {*wanted, *(parent for chain in parents.values() for parent in chain)}
    rules: dict[int, list[CategoryRule]] = {}
    for rule in session.scalars(
        select(CategoryRule)
        .where(CategoryRule.category_id.in_(homes), *in_force(CategoryRule, on))
        .order_by(CategoryRule.sort, CategoryRule.name, CategoryRule.id)
    ):
        rules.setdefault(rule.category_id, []).append(rule)
    limits: dict[int, list[CategoryLimit]] = {}
    for limit in session.scalars(
        select(CategoryLimit)
        .where(CategoryLimit.category_id.in_(wanted), *in_force(CategoryLimit, on))
        .order_by(CategoryLimit.urgency)
    ):
        limits.setdefault(limit.category_id, []).append(limit)
    return {
        key: _carried(rows[key], limits.get(key, []), [rules.get(home, [])
                      for home in (key, *parents[key])])
        for key in wanted
    }  # fmt: skip


def in_force(model: Any, on: date) -> tuple[Any, ...]:
    """Say that a version holds on a day."""
    return model.valid_from <= on, or_(model.valid_to.is_(None), model.valid_to > on)


def classes_above(session: Session, category_id: int) -> tuple[tuple[str, str, str], ...]:
    """Return system, kind and code of a category and of the classes above it, the nearest first."""
    row = session.get_one(Category, category_id)
    above = _parents(session, (row,))[category_id]
    named = {one.id: one for one in session.scalars(select(Category).where(Category.id.in_(above)))}
    chain = (row, *(named[one] for one in above))
    return tuple((one.code_system, one.kind, one.code) for one in chain)


def parents_of(session: Session, category: Category) -> list[int]:
    """Return the keys of the classes above a category, the nearest first."""
    return _parents(session, (category,))[category.id]


def _parents(session: Session, rows: Iterable[Category]) -> dict[int, list[int]]:
    """Find the classes above each category, the nearest first."""
    heads = {
        (row.code_system, row.kind, row.code): row
        for row in session.execute(
            select(Category.id, Category.code_system, Category.kind, Category.code, Category.parent)
            .where(Category.code.in_(select(Category.parent).distinct()))
        )
    }  # fmt: skip
    found: dict[int, list[int]] = {}
    for row in rows:
        chain: list[int] = []
        parent = row.parent
        while parent is not None:
            systems = (row.code_system, DEFAULT_SYSTEM) if row.code_system == LOCAL_SYSTEM else (
                row.code_system,)  # fmt: skip
            head = next((heads[key] for home in systems
                         if (key := (home, row.kind, parent)) in heads), None)  # fmt: skip
            if head is None:
                break
            chain.append(head.id)
            parent = head.parent
        found[row.id] = chain
    return found


def _carried(
    category: Category, limits: list[CategoryLimit], levels: list[list[CategoryRule]]
) -> Carried:
    """Put together the rows of a category and, where it has none of a part, those above."""
    chosen: dict[tuple[str, str], CategoryRule] = {}
    for rows in levels:
        for row in rows:
            chosen.setdefault((row.part, row.name), row)

    def texts(part: str) -> tuple[Versioned, ...]:
        return tuple(
            Versioned(row.text_zh, row.text_en, row.source, row.valid_from)
            for row in chosen.values() if row.part == part
        )  # fmt: skip

    def one(part: str) -> Versioned | None:
        return next(iter(texts(part)), None)

    questions = sorted((row for row in chosen.values() if row.part == "question"),
                       key=lambda row: (row.sort, row.name))  # fmt: skip
    targets = sorted((row for row in chosen.values() if row.part == "target"),
                     key=lambda row: (row.sort, row.name))  # fmt: skip
    return Carried(
        category,
        tuple(limits),
        tuple(_question(row) for row in questions),
        texts("notice"),
        one("filing"),
        one("closing"),
        one("self_handling"),
        tuple(
            Target(row.name, row.text_zh, row.text_en, row.value or 0, row.unit or "", row.source)
            for row in targets
        ),
    )


def _question(row: CategoryRule) -> Question:
    options = tuple(Option(**option) for option in row.options)
    return Question(row.name, row.text_zh, row.text_en, options, row.is_required)
