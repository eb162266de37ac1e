"""Precedents (先例): what was decided once, shown at the next like case, turned into a rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts import Actor
from grids.codes import Category
from grids.divisions import Area
from grids.incidents.models import Incident
from grids.responsibility.arbitration_models import Arbitration, Precedent
from grids.responsibility.editing import RuleInput, rival, save_rule
from grids.responsibility.errors import NoPrecedent
from grids.responsibility.matrix import Selector
from grids.responsibility.versions import new_draft

MOST: Final = 50
TOWN: Final = 9
COMMUNITY: Final = 12


@dataclass(frozen=True)
class Like:
    """A precedent with how like it is, 0 to 1, and in what: category, class, town, area_kind."""

    precedent: Precedent
    likeness: float
    same: tuple[str, ...]


def keep(
    session: Session, one: Arbitration, row: Incident, *, facts: str, now: datetime
) -> Precedent:
    """Make a decision an example: what, where in kind, who, why; no case, no person."""
    category = session.get_one(Category, one.category_id)
    area = session.scalar(
        select(Area)
        .where(func.starts_with(row.area_code, Area.code))
        .order_by(func.length(Area.code).desc())
        .limit(1)
    )
    made = Precedent(
        arbitration_id=one.id,
        kind=category.kind,
        category=category.code,
        area_code=row.area_code[:COMMUNITY],
        area_kind=area.kind if area else "",
        facts=facts,
        department_code=one.department_code or one.interim_code,
        assisting=list(one.assisting),
        refused=[code for code in one.parties if code != one.department_code],
        why=one.why,
        decided_by=one.decided_by,
        decided_at=now,
    )
    session.add(made)
    session.flush()
    return made


def precedents(session: Session, *, category_id: int, area_code: str, most: int = 5) -> list[Like]:
    """Return the decisions on the most like cases, the likest first.

    Only the same class counts as like: 0.5 for the sub-class (0.2 for the class), 0.3 for the
    town (0.15 more would be a guess), 0.2 for the same kind of area.
    """
    category = session.get(Category, category_id)
    if category is None:
        return []
    kind = session.scalar(select(Area.kind).where(Area.code == area_code[:COMMUNITY]))
    found = session.scalars(
        select(Precedent)
        .where(
            Precedent.kind == category.kind,
            func.starts_with(Precedent.category, category.parent or category.code),
            Precedent.ended_at.is_(None),
        )
        .order_by(Precedent.decided_at.desc())
        .limit(MOST)
    )
    like = [_likeness(one, category.code, area_code, kind) for one in found]
    return sorted(like, key=lambda one: (-one.likeness, -one.precedent.id))[:most]


def _likeness(one: Precedent, category: str, area_code: str, kind: str | None) -> Like:
    same, total = [], 0.2
    if one.category == category:
        same.append("category")
        total = 0.5
    else:
        same.append("class")
    if one.area_code[:TOWN] == area_code[:TOWN]:
        same.append("town")
        total += 0.3
    if kind and one.area_kind == kind:
        same.append("area_kind")
        total += 0.2
    return Like(one, round(total, 2), tuple(same))


def found(session: Session, *, words: str = "", department: str = "") -> list[Precedent]:
    """Search the precedents by words of facts and reasons, by category, by department."""
    statement = select(Precedent).order_by(Precedent.id.desc()).limit(MOST)
    for word in words.split()[:5]:
        names = select(Category.id).where(
            Category.kind == Precedent.kind,
            Category.code == Precedent.category,
            or_(
                Category.name_zh.icontains(word, autoescape=True),
                Category.name_en.icontains(word, autoescape=True),
            ),
        )
        statement = statement.where(
            or_(
                Precedent.facts.icontains(word, autoescape=True),
                Precedent.why.icontains(word, autoescape=True),
                Precedent.category.startswith(word, autoescape=True),
                names.exists(),
            )
        )
    if department:
        statement = statement.where(
            or_(Precedent.department_code == department, Precedent.refused.contains([department]))
        )
    return list(session.scalars(statement))


def to_draft(
    session: Session, precedent_id: int, actor: Actor, *, now: datetime, source_ip: str = ""
) -> int:
    """Turn a precedent into a rule of a new draft; return the draft.

    A rule that is there for the same cases is changed, not doubled.
    """
    one = session.get(Precedent, precedent_id, with_for_update=True)
    if one is None:
        raise NoPrecedent(f"no precedent {precedent_id}")
    title = session.scalar(
        select(Category.name_zh)
        .where(Category.kind == one.kind, Category.code == one.category)
        .order_by(Category.valid_from.desc())
        .limit(1)
    )
    name = f"先例 {one.id} · {title or one.category}"
    draft = new_draft(session, actor, name=name, now=now, source_ip=source_ip)
    town = one.area_code[:TOWN]
    there = rival(session, draft.id, Selector(one.kind, one.category, town), besides=None)
    given = RuleInput(
        kind=one.kind, category=one.category, area=town, department=one.department_code,
        assisting=tuple(one.assisting), why=one.why[:500], basis=f"precedent {one.id}",
    )  # fmt: skip
    save_rule(
        session, draft.id, given, actor, rule_id=there.id if there else None, now=now,
        source_ip=source_ip,
    )  # fmt: skip
    one.rule_set_id = draft.id
    audit.record(
        session, "precedent_to_rule", actor_id=actor.account_id, subject=f"precedent:{one.id}",
        source_ip=source_ip, detail={"draft": draft.id},
    )  # fmt: skip
    session.flush()
    return draft.id
