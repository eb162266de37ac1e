"""Finding a category by code, name, pinyin or initials, in every list, in one fixed order."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from grids.codes.models import DEFAULT_SYSTEM, Category

LONGEST: Final = 40
#: Marks that pinyin may carry; ü is written v, u or ü.
TONES: Final = frozenset("\u0300\u0301\u0304\u030c\u0306")


@dataclass(frozen=True)
class Found:
    """A category that fits what was typed, and how well: 0 is best."""

    category: Category
    rank: int


def find(
    session: Session,
    words: str,
    *,
    on: date,
    systems: tuple[str, ...] = (),
    kinds: tuple[str, ...] = (),
    has_ended: bool = False,
    most: int = 50,
) -> list[Found]:
    """Find categories by code, Chinese or English name, pinyin or initials.

    Tones, spaces, brackets and case make no difference. The order is fixed: the very code or
    name, then beginnings, then what holds the words; the list in force before old ones, common
    categories before rare ones, then by code.
    """
    asked = normal(words)
    statement = select(Category).where(Category.parent.is_not(None))
    if systems:
        statement = statement.where(Category.code_system.in_(systems))
    if kinds:
        statement = statement.where(Category.kind.in_(kinds))
    if not has_ended:
        statement = statement.where(or_(Category.valid_to.is_(None), Category.valid_to > on))
    found = [
        Found(category, rank)
        for category in session.scalars(statement)
        if (rank := _rank(category, asked)) is not None
    ]
    found.sort(key=lambda one: _order(one, on))
    return found[:most]


def normal(words: str) -> str:
    """Write words as they are compared: half width, small, without tones, spaces and brackets.

    >>> normal(" Lù dēng ")
    'ludeng'
    """
    # ü keeps its sound: lü is lv in every input method.
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", words).lower())
    text = unicodedata.normalize("NFC", "".join(c for c in text if c not in TONES))
    text = text.replace("ü", "v")
    return "".join(c for c in text if c.isalnum())[:LONGEST]


def _rank(category: Category, asked: str) -> int | None:
    """Say how well a category fits; None where it does not."""
    if not asked:
        return 5
    keys = _keys(category)
    if asked in keys:
        return 0
    if any(key.startswith(asked) for key in keys):
        return 1
    name = normal(category.name_en)
    if name.startswith(asked):
        return 2
    if any(asked in key for key in keys[1:]):
        return 3
    return 4 if asked in name or _is_in_order(asked, category.name_zh) else None


def _keys(category: Category) -> list[str]:
    """Return the code, the spellings, the pinyin and the initials."""
    english = category.name_en.lower()
    spellings = category.search.removesuffix(english).split()
    return [category.code.lower(), *dict.fromkeys(normal(word) for word in spellings)]


def _is_in_order(asked: str, name: str) -> bool:
    """Say whether the characters stand in the name in this order, others between them."""
    if len(asked) < 2 or asked.isascii():
        return False
    rest = iter(normal(name))
    return all(character in rest for character in asked)


def _order(one: Found, on: date) -> tuple[object, ...]:
    category = one.category
    is_old = category.valid_to is not None and category.valid_to <= on
    return (one.rank, is_old, category.code_system != DEFAULT_SYSTEM, not category.is_common,
            category.code_system, category.kind != "matter", category.kind, category.code)  # fmt: skip
