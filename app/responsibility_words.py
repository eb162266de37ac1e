"""What the pages of responsibility say for codes: names of categories and places, instants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import g
from flask_babel import gettext as _
from sqlalchemy import or_, select

from app import faces
from app.incident_answers import named
from grids.codes import Category, Department
from grids.divisions import Area

#: A code is digits, with letters before them where it is a city's own.
CODE: Final = re.compile(r"[A-Z]{0,3}\d{2,15}")
#: What shipped rules rest on is a file; a reader is told what that file is.
SHIPPED_BASIS: Final = "data/codes/limits.csv"
PRECEDENT_BASIS: Final = re.compile(r"precedent (\d+)")


@dataclass(frozen=True)
class Pick:
    """A code that a form offers with its name. The kind says which list it stands on."""

    code: str
    name: str
    kind: str = ""

    @property
    def value(self) -> str:
        """Return what stands in the field: the code to be exact, the name to be read."""
        return f"{self.code} {self.name}"


def instant(text: str) -> datetime | None:
    """Read an instant of a form on the city's clock; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(faces.settings().city_zone))


def names_of() -> dict[str, str]:
    """Return the names of departments and areas by code, in the reader's language."""
    found = {
        row.code: named(row.name_zh, row.name_en) or row.code
        for model in (Department, Area)
        for row in g.session.execute(select(model.code, model.name_zh, model.name_en))
    }
    return {**found, "": _("responsibility.all")}


def category_names(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the names of categories by kind and code."""
    wanted = {code for _kind, code in pairs} - {""}
    found = g.session.execute(
        select(Category.kind, Category.code, Category.name_zh, Category.name_en).where(
            Category.code.in_(wanted), Category.code_system.not_like("CJT%")
        )
    )
    return {(r.kind, r.code): _titled(named(r.name_zh, r.name_en)) or r.code for r in found}


def categories_by_id(ids: Iterable[int]) -> dict[int, Category]:
    """Return categories by their key."""
    found = g.session.scalars(select(Category).where(Category.id.in_(set(ids))))
    return {one.id: one for one in found}


def title_of(one: Category | None) -> str:
    """Return the name of a category as the head of a row."""
    return _titled(named(one.name_zh, one.name_en)) if one else "–"


def _titled(text: str | None) -> str:
    return (text or "")[:1].upper() + (text or "")[1:]


def category_picks(on: date) -> list[Pick]:
    """Return every class and sub-class that a rule may name on a day."""
    found = g.session.execute(
        select(Category.kind, Category.code, Category.name_zh, Category.name_en)
        .where(
            Category.code_system.not_like("CJT%"),
            or_(Category.valid_to.is_(None), Category.valid_to > on),
        )
        .order_by(Category.kind.desc(), Category.code)
    )
    return [Pick(r.code, _titled(named(r.name_zh, r.name_en)), r.kind) for r in found]


def area_picks(names: dict[str, str]) -> list[Pick]:
    """Return every area that a rule may name, the wide ones first in each town."""
    codes = g.session.scalars(select(Area.code).order_by(Area.code)).all()
    return [Pick(code, names.get(code, code)) for code in codes]


def chosen(text: str, picks: Sequence[Pick], kind: str = "") -> Pick | None:
    """Read a field of codes and names; None where it is empty.

    Code and name, the name alone and the beginning of a code are all understood; what is
    neither is returned as it stands, so that the rules name it as wrong.
    """
    words = text.strip()
    if not words:
        return None
    likely = [one for one in picks if not kind or one.kind in ("", kind)]
    for one in likely:
        if words in (one.value, one.name):
            return one
    code = words.split()[0]
    return next((one for one in likely if one.code == code), None) or Pick(
        code if CODE.fullmatch(code) else words, "", kind
    )


def shown(code: str, picks: Sequence[Pick], kind: str = "") -> str:
    """Write a code as its field shows it."""
    one = next((p for p in picks if p.code == code and (not kind or p.kind in ("", kind))), None)
    return one.value if one else code


def basis_words(basis: str) -> str:
    """Write what a rule rests on: a document, the shipped list of categories, a precedent."""
    if basis == SHIPPED_BASIS:
        return str(_("responsibility.basis_list"))
    if found := PRECEDENT_BASIS.fullmatch(basis):
        return str(_("responsibility.basis_precedent", n=found[1]))
    return basis


def left(at: datetime, now: datetime) -> dict[str, Any]:
    """Say how long until an instant, with the colour of its urgency."""
    hours = (at - now).total_seconds() / 3600
    risk = "late" if hours < 0 else "soon" if hours < SOON_H else "ok"
    return {"risk": risk, "text": faces.left_words(at, risk, now)}


#: A quarrel is urgent in its last hours.
SOON_H: Final = 4
