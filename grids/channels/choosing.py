"""Which categories an operator may choose, by words or by class, each with the class it is of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.codes import Category, find

EVERY: Final = 2000


@dataclass(frozen=True)
class Chosen:
    """A category with the names of its class."""

    category: Category
    class_zh: str
    class_en: str


def by_words(session: Session, words: str, *, on: date, most: int) -> list[Chosen]:
    """Return the categories that words name: a code, a name, pinyin or initials."""
    found = [one.category for one in find(session, words, on=on, most=most)]
    heads = _heads(session)
    return [_chosen(category, heads) for category in found]


def by_class(session: Session, on: date) -> list[tuple[Chosen, ...]]:
    """Return every category, those of a class together, matters before components."""
    heads = _heads(session)
    rows = [_chosen(one.category, heads) for one in find(session, "", on=on, most=EVERY)]
    rows.sort(key=lambda one: (one.category.kind != "matter", *_of(one), one.category.code))
    return [tuple(group) for _class, group in groupby(rows, key=_of)]


def _of(one: Chosen) -> tuple[str, str, str]:
    return one.category.kind, one.category.code_system, one.category.parent or ""


def _heads(session: Session) -> dict[tuple[str, str, str], Category]:
    heads = session.scalars(select(Category).where(Category.parent.is_(None)))
    return {(head.code_system, head.kind, head.code): head for head in heads}


def _chosen(category: Category, heads: dict[tuple[str, str, str], Category]) -> Chosen:
    head = heads.get((category.code_system, category.kind, category.parent or ""))
    return Chosen(category, head.name_zh if head else "", head.name_en if head else "")
