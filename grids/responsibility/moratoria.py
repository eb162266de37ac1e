"""Moratoria (暂缓期): in an area, for a class, for a time, cases rest, and everybody is told so.

Set by who answers for the area, with a reason and the office that approved it; ended early by
a note. A case in it is neither refused nor lost: desk and reporter read until when it rests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import String, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from grids import audit, scope
from grids.accounts import Actor
from grids.city import the_city
from grids.codes import Category
from grids.divisions import Area
from grids.responsibility.errors import BadMoratorium, MoratoriumOver, NoMoratorium
from grids.responsibility.matrix import KINDS
from grids.responsibility.models import Moratorium

MOST = 200
LONGEST_TEXT = 500
LONGEST_DAYS = 366


@dataclass(frozen=True)
class Wanted:
    """A moratorium as it is asked for."""

    kind: str
    category: str
    area: str
    begins_at: datetime
    ends_at: datetime
    reason: str
    public_note: str
    approved_by: str
    document: str = ""


def moratorium_of(
    session: Session, category_id: int, area_code: str, at: datetime
) -> Moratorium | None:
    """Return the moratorium that a case of this category and place falls under, else None.

    Where several hold, the one for the narrowest category, then the smallest area.
    """
    found: Moratorium | None = session.scalar(
        select(Moratorium)
        .join(Category, Category.id == category_id)
        .where(
            Moratorium.valid.op("@>")(at),
            or_(Moratorium.kind == "", Moratorium.kind == Category.kind),
            func.starts_with(Category.code, Moratorium.category),
            func.starts_with(cast(literal(area_code), String), Moratorium.area),
        )
        .order_by(
            func.length(Moratorium.category).desc(),
            (Moratorium.kind != "").desc(),
            func.length(Moratorium.area).desc(),
            Moratorium.id,
        )
        .limit(1)
    )
    return found


def touching(actor: Actor) -> ColumnElement[bool]:
    """Say that a moratorium holds in an area of the actor, or in one around it."""
    around = [func.starts_with(literal(code), Moratorium.area) for code in actor.areas if code]
    return or_(scope.in_areas(Moratorium.area, actor.areas), *around)


def moratoria(session: Session, actor: Actor, *, now: datetime) -> list[Moratorium]:
    """List what the actor may see: those that hold and will hold first, then what is over."""
    is_over = func.upper(Moratorium.valid) <= now
    return list(
        session.scalars(
            select(Moratorium)
            .where(touching(actor))
            .order_by(is_over, func.upper(Moratorium.valid).desc(), Moratorium.id.desc())
            .limit(MOST)
        )
    )


def set_moratorium(
    session: Session, wanted: Wanted, actor: Actor, *, now: datetime, source_ip: str = ""
) -> Moratorium:
    """Let cases of a class in an area rest; without an area, in the whole city.

    Raises `BadMoratorium` naming the field.
    """
    wanted = replace(wanted, area=wanted.area or the_city(session).county_code)
    _check(session, wanted, actor, now)
    made = Moratorium(
        kind=wanted.kind,
        category=wanted.category,
        area=wanted.area,
        valid=Range(wanted.begins_at, wanted.ends_at, bounds="[)"),
        reason=wanted.reason.strip(),
        public_note=wanted.public_note.strip(),
        approved_by=wanted.approved_by.strip(),
        document=wanted.document.strip(),
        set_by=actor.account_id,
        set_at=now,
    )
    session.add(made)
    session.flush()
    _record(session, "moratorium_set", made, actor, source_ip)
    return made


def end_moratorium(
    session: Session, moratorium_id: int, actor: Actor, *, note: str, now: datetime,
    source_ip: str = "",
) -> Moratorium:  # fmt: skip
    """End a moratorium before its time. Raises `NoMoratorium` and `MoratoriumOver`."""
    found: Moratorium | None = session.scalar(
        select(Moratorium)
        .where(Moratorium.id == moratorium_id, scope.in_areas(Moratorium.area, actor.areas))
        .with_for_update()
    )
    if found is None:
        raise NoMoratorium(f"no moratorium {moratorium_id}")
    upper = found.valid.upper
    if found.ended_at is not None or upper is None or upper <= now:
        raise MoratoriumOver(f"moratorium {moratorium_id} is over")
    if not note.strip():
        raise BadMoratorium("say why it ends early", field="note", problem="empty")
    begins = found.valid.lower
    # One that has not begun is kept as a moment: it held for nobody.
    first = begins if begins is not None and begins < now else now
    found.valid = Range(first, now, bounds="[]" if first == now else "[)")
    found.ended_by, found.ended_at, found.end_note = actor.account_id, now, note.strip()
    session.flush()
    _record(session, "moratorium_ended", found, actor, source_ip)
    return found


def _check(session: Session, wanted: Wanted, actor: Actor, now: datetime) -> None:
    """Refuse what is missing or wrong, each at its field."""
    for name in ("reason", "public_note", "approved_by"):
        text = getattr(wanted, name).strip()
        if not text or len(text) > LONGEST_TEXT:
            raise _bad(name, "empty" if not text else "too_long")
    if wanted.kind not in KINDS or (wanted.category and not wanted.kind):
        raise _bad("category", "unknown")
    if wanted.category and not _has_category(session, wanted):
        raise _bad("category", "unknown")
    if not scope.may_see(actor, wanted.area):
        raise _bad("area", "outside")
    known = select(Area.code).where(Area.code == wanted.area)
    if len(wanted.area) < 15 and wanted.area and session.scalar(known) is None:
        raise _bad("area", "unknown")
    if wanted.ends_at <= max(now, wanted.begins_at):
        raise _bad("ends_at", "before")
    if (wanted.ends_at - wanted.begins_at).days > LONGEST_DAYS:
        raise _bad("ends_at", "too_long")


def _has_category(session: Session, wanted: Wanted) -> bool:
    found = session.scalar(
        select(Category.id)
        .where(and_(Category.kind == wanted.kind, func.starts_with(Category.code, wanted.category)))
        .limit(1)
    )
    return found is not None


def _bad(name: str, problem: str) -> BadMoratorium:
    return BadMoratorium(f"{name}: {problem}", field=name, problem=problem)


def _record(session: Session, action: str, made: Moratorium, actor: Actor, source_ip: str) -> None:
    audit.record(
        session, action, actor_id=actor.account_id, subject=f"moratorium:{made.id}",
        source_ip=source_ip, detail={"area": made.area, "category": f"{made.kind}{made.category}"},
    )  # fmt: skip
