"""Who is responsible for a case at a moment: one query, then a look-up in the compiled matrix.

A version that was put in force never changes, so each process keeps the last few compiled.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from grids.db import queries
from grids.responsibility.bands import bands_at
from grids.responsibility.errors import NobodyToOwn
from grids.responsibility.matrix import Matrix, Question, RuleRow, Selector
from grids.responsibility.models import Rule

#: The version in force, the one before, drafts that are looked at are not kept.
KEPT: Final = 8
_compiled: OrderedDict[UUID, Matrix] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Ruling:
    """Who leads, who assists, by which rule and why."""

    department_code: str
    assisting: tuple[str, ...] = ()
    rule_id: int | None = None  #: None where no matrix is in force yet
    why: str = ""
    set_id: int | None = None
    is_default: bool = False  #: no rule says more than "everything else"
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Explained:
    """A ruling with every rule that holds for the case: the first wins, the rest yields to it."""

    ruling: Ruling
    rules: tuple[RuleRow, ...]
    asked: Question


def owner_of(
    session: Session,
    *,
    category_id: int,
    area_code: str,
    asset_owner: str | None = None,
    at: datetime,
) -> Ruling:
    """Return who is responsible for a case; there is always exactly one answer.

    `asset_owner` is the department or kind of owner of the component, where it is known.
    Before a matrix is in force, the department of the category's limit is responsible.
    Raises `NobodyToOwn` where the code lists hold no department at all.
    """
    found = _question(session, category_id, at)
    matrix = _matrix(session, found)
    if matrix is not None:
        rule = matrix.winner(_asked(found, area_code, asset_owner))
        if rule is not None:
            return ruling_of(rule, found.set_id)
    return _usual(session, category_id)


def explain(
    session: Session,
    *,
    category_id: int,
    area_code: str,
    asset_owner: str | None = None,
    at: datetime,
    set_id: int | None = None,
) -> Explained:
    """Return the ruling with all rules that hold, in force or of a version that is named."""
    found = _question(session, category_id, at)
    asked = _asked(found, area_code, asset_owner)
    matrix = matrix_of(session, set_id) if set_id else _matrix(session, found)
    rules = tuple(matrix.matching(asked)) if matrix else ()
    ruling = ruling_of(rules[0], set_id or found.set_id) if rules else _usual(session, category_id)
    return Explained(ruling, rules, asked)


def ruling_of(rule: RuleRow, set_id: int | None) -> Ruling:
    """Write a rule as the answer to a question."""
    return Ruling(
        department_code=rule.department,
        assisting=rule.assisting,
        rule_id=rule.id,
        why=rule.why,
        set_id=set_id,
        is_default=rule.selector == Selector(),
        rank=rule.selector.rank,
    )


def matrix_of(session: Session, set_id: int) -> Matrix:
    """Compile the rules of a version as they are now."""
    return Matrix.of(rows_of(session.scalars(select(Rule).where(Rule.rule_set_id == set_id))))


def rows_of(rules: Iterable[Rule]) -> Iterable[RuleRow]:
    """Read rules of the table as the matrix knows them."""
    return (
        RuleRow(
            id=rule.id,
            selector=selector_of(rule),
            department=rule.department_code,
            assisting=tuple(rule.assisting),
            why=rule.why,
            basis=rule.basis,
        )
        for rule in rules
    )


def selector_of(rule: Rule) -> Selector:
    """Read which cases a stored rule is for. PostgreSQL writes the day after the last."""
    last = rule.days.upper
    return Selector(
        kind=rule.kind,
        category=rule.category,
        area=rule.area,
        owner=rule.owner,
        band=rule.band,
        first=rule.days.lower,
        last=last.fromordinal(last.toordinal() - 1) if last is not None else None,
    )


def _question(session: Session, category_id: int, at: datetime) -> Row[Any]:
    statement = queries("responsibility")["question"]
    return session.execute(statement, {"category_id": category_id, "at": at}).one()


def _asked(found: Row[Any], area_code: str, asset_owner: str | None) -> Question:
    return Question(
        kind=found.kind,
        category=found.code,
        area=area_code,
        day=found.local_at.date(),
        bands=bands_at(found.local_at.time(), is_workday=found.is_workday),
        owner=asset_owner or "",
    )


def _matrix(session: Session, found: Row[Any]) -> Matrix | None:
    """Return the matrix in force, compiled once in this process; None where none is in force."""
    if found.uid is None:
        return None
    if (known := _compiled.get(found.uid)) is not None:
        return known
    made = _compiled[found.uid] = matrix_of(session, found.set_id)
    while len(_compiled) > KEPT:
        _compiled.popitem(last=False)
    return made


def _usual(session: Session, category_id: int) -> Ruling:
    statement = queries("responsibility")["usual"]
    code = session.scalar(statement, {"category_id": category_id})
    if code is None:
        raise NobodyToOwn("the code lists hold no department")
    return Ruling(code, is_default=True)
