"""Departments' ledgers (台账): rows made on demand from observations, as of any day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ARRAY, Text, and_, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.ledgers import forms, subjects
from grids.ledgers.asking import applies
from grids.ledgers.errors import BadForm, NoLedger
from grids.ledgers.models import Ledger, Observation, WorkLine
from grids.ledgers.questions import Question

PAGE: Final = 500
#: What a ledger may hold at most: service needs of homes (L3) are in none.
HIGHEST: Final = "L2"
#: A column's source begins with one of these: register, question, visit, failed items.
SOURCES: Final = ("r", "q", "m", "f")
OF_REGISTER: Final = ("name", "kind", "grid", "id")


@dataclass(frozen=True)
class Column:
    """One column: its heading, where it comes from, and the question if it is one."""

    zh: str
    en: str
    source: str
    name: str
    question: Question | None = None


@dataclass(frozen=True)
class Row:
    """One subject of a ledger: values in the order of the columns, as they are stored."""

    subject_id: int
    name: str
    area_code: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Narrowed:
    """Which rows of a ledger are wanted: an area, a kind, words of the name, one answer."""

    area: str = ""
    kind: str = ""
    words: str = ""
    question: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Cell:
    """One answer with when it was seen."""

    value: Any
    seen_at: datetime


def ledgers(session: Session, actor: Actor) -> Sequence[Ledger]:
    """List the ledgers that an actor may see: a department's staff those of its own lines."""
    wanted = select(Ledger).join(WorkLine, WorkLine.code == Ledger.line)
    if actor.department is not None:
        wanted = wanted.where(WorkLine.department_code == actor.department)
    return session.scalars(wanted.order_by(Ledger.sort, Ledger.code)).all()


def ledger(session: Session, actor: Actor, code: str) -> Ledger:
    """Return one ledger. Raises `NoLedger`, also for another department's."""
    found = next((one for one in ledgers(session, actor) if one.code == code), None)
    if found is None:
        raise NoLedger(f"no ledger {code}")
    return found


def named(session: Session, code: str) -> Ledger | None:
    """Return a ledger's row for its name, whoever asks."""
    return session.get(Ledger, code)


def columns(session: Session, found: Ledger) -> tuple[Column, ...]:
    """Return the columns of a ledger. Raises `BadForm` where one asks for what it may not hold."""
    known = {one.key: one for one in forms.questions(session, found.subject)}
    made = []
    for zh, en, text in found.columns:
        source, _colon, name = text.partition(":")
        question = known.get(name) if source == "q" else None
        is_known = question is not None if source == "q" else source in SOURCES
        if not is_known or (question and question.level > HIGHEST):
            raise BadForm(f"a ledger cannot have the column {text}", field=name)
        made.append(Column(zh, en, source, name, question))
    return tuple(made)


def level_of(made: Sequence[Column]) -> str:
    """Return the level of a ledger: the highest of its questions, L2 for what registers say."""
    return max((one.question.level for one in made if one.question), default=HIGHEST)


def count(
    session: Session, actor: Actor, found: Ledger, *, as_of: datetime,
    narrowed: Narrowed | None = None,
) -> int:  # fmt: skip
    """Count the subjects of a ledger."""
    made = columns(session, found)
    inner = _listed(session, actor, found, made, as_of, narrowed).subquery()
    return session.scalar(select(func.count()).select_from(inner)) or 0


def rows(
    session: Session, actor: Actor, found: Ledger, *, as_of: datetime, after: int = 0,
    most: int | None = None, narrowed: Narrowed | None = None, key: int | None = None,
) -> Iterator[Row]:  # fmt: skip
    """Give the rows of a ledger by the key of their subject, a few hundred at a time.

    A subject stands in the ledger once something of it was seen within the period. The latest
    answer before `as_of` counts; one whose condition no longer holds is left out. `key` asks for
    one subject alone.
    """
    made = columns(session, found)
    id_ = subjects.SOURCES[found.subject].key
    listed = _listed(session, actor, found, made, as_of, narrowed)
    if key is not None:
        listed = listed.where(id_ == key)
    conditions = _conditions(session, found.subject, as_of)
    left = most
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        page = session.execute(listed.where(id_ > after).order_by(id_).limit(size)).all()
        seen = _seen(session, actor, found, made, [row.id for row in page], as_of)
        for row in page:
            cells = _standing(seen.get(row.id, {}), conditions)
            yield Row(row.id, row.name, row.area_code, _values(made, row, cells))
        if len(page) < size:
            return
        after = page[-1].id
        left = None if left is None else left - len(page)


def _keys(session: Session, found: Ledger, made: Sequence[Column]) -> list[str]:
    """List the questions that a ledger reads, with all items of a check-list it counts."""
    lists = tuple(f"{one.name}." for one in made if one.source == "f")
    of_lists = [
        one.key for one in forms.questions(session, found.subject) if one.key.startswith(lists)
    ] if lists else []  # fmt: skip
    return sorted({*of_lists, *(one.name for one in made if one.source == "q")})


def _listed(
    session: Session, actor: Actor, found: Ledger, made: Sequence[Column], as_of: datetime,
    narrowed: Narrowed | None = None,
) -> Any:  # fmt: skip
    source = subjects.SOURCES[found.subject]
    seen = exists(
        select(Observation.id).where(
            scope.condition(actor, Observation), Observation.subject == found.subject,
            Observation.subject_id == source.key,
            Observation.question.in_(_keys(session, found, made)),
            Observation.observed_at <= as_of,
            Observation.observed_at > as_of - timedelta(days=found.period_days),
        )
    )  # fmt: skip
    wanted = subjects.rows(actor, found.subject).where(seen)
    if found.kinds:
        wanted = wanted.where(source.kind.in_(found.kinds))
    return _narrow(session, actor, found, made, as_of, wanted, narrowed or Narrowed())


def _narrow(
    session: Session, actor: Actor, found: Ledger, made: Sequence[Column], as_of: datetime,
    wanted: Any, by: Narrowed,
) -> Any:  # fmt: skip
    """Narrow the subjects of a ledger. Raises `BadForm` for a question that it does not have."""
    source = subjects.SOURCES[found.subject]
    if by.area:
        wanted = wanted.where(source.model.area_code.startswith(by.area, autoescape=True))
    if by.kind:
        wanted = wanted.where(source.kind == by.kind)
    if by.words:
        wanted = wanted.where(source.name.contains(by.words, autoescape=True))
    if not by.question:
        return wanted
    if by.question not in {one.name for one in made if one.source == "q"}:
        raise BadForm(f"the ledger has no question {by.question}", field=by.question)
    wanted = wanted.where(func.jsonb_exists(_latest(actor, found, by.question, as_of), by.answer))
    # The same rule as `_standing`: an answer whose condition no longer holds is not shown.
    keys = set(_keys(session, found, made))
    conditions = [
        one for one in _conditions(session, found.subject, as_of).get(by.question, ())
        if one[0] in keys
    ]  # fmt: skip
    if not conditions:
        return wanted
    parents = {key: _latest(actor, found, key, as_of) for key, _codes in conditions}
    holds = [
        func.jsonb_exists_any(parents[key], cast(list(codes), ARRAY(Text)))
        for key, codes in conditions
    ]
    return wanted.where(or_(and_(*(one.is_(None) for one in parents.values())), *holds))


def _latest(actor: Actor, found: Ledger, question: str, as_of: datetime) -> Any:
    """Select the latest answer to a question about the subject of the row."""
    return (
        select(Observation.value)
        .where(
            scope.condition(actor, Observation), Observation.subject == found.subject,
            Observation.subject_id == subjects.SOURCES[found.subject].key,
            Observation.question == question, Observation.observed_at <= as_of,
            Observation.observed_at > as_of - timedelta(days=found.period_days),
        )
        .order_by(Observation.observed_at.desc(), Observation.id.desc())
        .limit(1)
        .scalar_subquery()
    )  # fmt: skip


def _seen(
    session: Session, actor: Actor, found: Ledger, made: Sequence[Column], ids: Sequence[int],
    as_of: datetime,
) -> dict[int, dict[str, Cell]]:  # fmt: skip
    answers = session.execute(
        select(
            Observation.subject_id, Observation.question, Observation.value,
            Observation.observed_at,
        )
        .where(
            scope.condition(actor, Observation), Observation.subject == found.subject,
            Observation.subject_id.in_(ids), Observation.question.in_(_keys(session, found, made)),
            Observation.observed_at <= as_of,
            Observation.observed_at > as_of - timedelta(days=found.period_days),
        )
        .ext(distinct_on(Observation.subject_id, Observation.question))
        .order_by(
            Observation.subject_id, Observation.question, Observation.observed_at.desc(),
            Observation.id.desc(),
        )
    )  # fmt: skip
    cells: dict[int, dict[str, Cell]] = {}
    for row in answers:
        cells.setdefault(row.subject_id, {})[row.question] = Cell(row.value, row.observed_at)
    return cells


Conditions = Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]


def _conditions(session: Session, subject: str, as_of: datetime) -> Conditions:
    """Return when each question of the forms of a day applies; those that always do are left out."""
    found: dict[str, list[tuple[str, tuple[str, ...]] | None]] = {}
    for form in forms.live(session, forms.day_of(session, as_of), subject):
        for item in form.items:
            found.setdefault(item.question.key, []).append(item.when)
    return {
        key: tuple(when for when in given if when) for key, given in found.items() if all(given)
    }


def _standing(cells: Mapping[str, Cell], conditions: Conditions) -> dict[str, Cell]:
    values = {key: cell.value for key, cell in cells.items()}
    return {
        key: cell for key, cell in cells.items()
        if all(other not in values for other, _codes in conditions.get(key, ()))
        or applies(conditions.get(key, ()), values)
    }  # fmt: skip


def _values(made: Sequence[Column], row: Any, cells: Mapping[str, Cell]) -> tuple[Any, ...]:
    return tuple(_value(one, row, cells) for one in made)


def _value(one: Column, row: Any, cells: Mapping[str, Cell]) -> Any:
    if one.source == "q":
        cell = cells.get(one.name)
        return cell.value if cell else None
    if one.source == "m":
        return max((cell.seen_at for cell in cells.values()), default=None)
    if one.source == "f":
        return sum(
            cell.value == "failed" for key, cell in cells.items() if key.startswith(f"{one.name}.")
        )
    return {"name": row.name, "kind": row.kind, "grid": row.area_code, "id": row.id}[one.name]
