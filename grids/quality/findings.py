"""The entries that fail a rule right now, and how many of an area do: asked of the registers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.quality import standing
from grids.quality.rules import RESIDENTS, STANDS, NoRule, Rule, rules_of

PAGE: Final = 50


@dataclass(frozen=True)
class Found:
    """One page of failing entries, and the key that the next begins after; none at the end."""

    rows: tuple[Any, ...]
    next: int | None


def failing(
    session: Session, actor: Actor, rule: Rule, *, today: date, area: str = "", after: int = 0
) -> Found:
    """List the entries of an area of the caller's scope that fail a rule, by key.

    Raises `NoRule` for a rule about residents: of them there is no list.
    """
    if rule.is_counted:
        raise NoRule(f"{rule.name} lists nobody")
    model = rule.model
    rows = session.scalars(
        select(model)
        .where(
            scope.condition(actor, model),
            scope.in_areas(model.area_code, (area,)),
            model.id > after,
            text(_failing(rule)),
        )
        .order_by(model.id)
        .limit(PAGE + 1),
        {"today": today},
    ).all()
    return Found(tuple(rows[:PAGE]), rows[PAGE - 1].id if len(rows) > PAGE else None)


def completeness(
    session: Session, actor: Actor, register: str, area: str, *, today: date
) -> float | None:
    """Return the share of answers that are not missing in a register of an area, live.

    Of residents it is what was last published. Returns None where nothing is asked or told.
    """
    rules = [rule for rule in rules_of(register) if rule.dimension == "complete"]
    if not rules:
        return None
    if register in RESIDENTS:
        return standing.published(session, actor, area, [rule.name for rule in rules])
    model = rules[0].model
    row = session.execute(
        select(
            *(text(_counted(rule.applies, f"n{no}")) for no, rule in enumerate(rules)),
            *(text(_counted(_failing(rule), f"b{no}")) for no, rule in enumerate(rules)),
        )
        .select_from(model)
        .where(
            scope.condition(actor, model),
            scope.in_areas(model.area_code, (area,)),
            text(STANDS[register]),
        ),
        {"today": today},
    ).one()  # fmt: skip
    checked, failed = sum(row[: len(rules)]), sum(row[len(rules) :])
    return None if not checked else 1 - failed / checked


def _failing(rule: Rule) -> str:
    return f"({STANDS[rule.register]}) AND ({rule.applies}) AND ({rule.fails})"


def _counted(condition: str, name: str) -> str:
    return f"count(*) FILTER (WHERE {condition}) AS {name}"
