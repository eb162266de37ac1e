"""How good the registers of an area are: by rule, by area under it, by source, over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.people.counts_groups import DEEPEST
from grids.quality.models import QualityResult
from grids.quality.rules import DIMENSIONS, RULES, Rule

TREND_DAYS: Final = 60
MONTH: Final = timedelta(days=30)


@dataclass(frozen=True)
class Share:
    """How many were asked, how many failed."""

    checked: int = 0
    failed: int = 0

    @property
    def good(self) -> float | None:
        """Return the share that does not fail; None where nothing was asked."""
        return None if not self.checked else 1 - self.failed / self.checked


@dataclass(frozen=True)
class RuleRow:
    """A rule in an area: today, and a month before."""

    rule: Rule
    now: Share
    before: Share

    @property
    def is_over(self) -> bool:
        """Say whether more fail than may."""
        return self.now.checked > 0 and self.now.failed / self.now.checked > self.rule.limit


def last_day(session: Session) -> date | None:
    """Return the day of the last run."""
    return session.scalar(select(func.max(QualityResult.day)))


def by_rule(session: Session, actor: Actor, area: str, day: date) -> tuple[RuleRow, ...]:
    """Return every rule that was asked in an area of the caller's scope, in the list's order."""
    now = _sums(session, actor, (area,), day, QualityResult.rule)
    past = session.scalar(
        select(func.max(QualityResult.day)).where(
            scope.condition(actor, QualityResult), QualityResult.area_code == area,
            QualityResult.day <= day - MONTH,
        )
    )  # fmt: skip
    before = _sums(session, actor, (area,), past, QualityResult.rule) if past else {}
    return tuple(
        RuleRow(rule, now[(area, rule.name)], before.get((area, rule.name), Share()))
        for rule in RULES.values()
        if (area, rule.name) in now
    )


def dimensions(rows: Sequence[RuleRow]) -> dict[str, tuple[Share, Share]]:
    """Sum rules up by dimension: today and a month before."""
    return {
        name: (_total([row.now for row in rows if row.rule.dimension == name]),
               _total([row.before for row in rows if row.rule.dimension == name]))
        for name in DIMENSIONS
    }  # fmt: skip


def published(session: Session, actor: Actor, area: str, rules: Sequence[str]) -> float | None:
    """Return the share that some rules found good in an area on the last day; None without any."""
    day = last_day(session)
    found = _sums(session, actor, (area,), day, None, rules) if day else {}
    return found[(area, "")].good if found else None


def withheld(rows: Sequence[RuleRow], area: str) -> tuple[Rule, ...]:
    """Return the rules about residents of which nothing is told in an area: few, or none, fail."""
    told = {row.rule.name for row in rows}
    return tuple(rule for rule in RULES.values() if rule.is_counted and rule.name not in told
                 and len(area) <= DEEPEST)  # fmt: skip


def by_area(
    session: Session, actor: Actor, areas: Sequence[str], day: date, rules: Sequence[str]
) -> dict[str, Share]:
    """Return some areas with what some rules found in each."""
    found = _sums(session, actor, tuple(areas), day, None, rules)
    return {area: share for (area, _), share in found.items()}


def grids_of(
    session: Session, actor: Actor, area: str, day: date, rules: Sequence[str]
) -> dict[str, Share]:
    """Return the duty grids of an area with what some rules found: the figures of the map."""
    rows = session.execute(
        _select(actor, day, rules, QualityResult.area_code)
        .where(scope.in_areas(QualityResult.area_code, (area,)),
               func.length(QualityResult.area_code) == 15)
        .group_by(QualityResult.area_code)
    )  # fmt: skip
    return {code: Share(checked, failed) for code, checked, failed in rows}


def by_source(
    session: Session, actor: Actor, area: str, day: date, rules: Sequence[str]
) -> dict[str, Share]:
    """Return the sources of an area with what some rules found in each."""
    found = _sums(session, actor, (area,), day, QualityResult.source, rules)
    return {source: share for (_, source), share in found.items()}


def trend(
    session: Session, actor: Actor, area: str, day: date, rules: Sequence[str]
) -> tuple[tuple[date, Share], ...]:
    """Return what some rules found in an area on every day of the last two months, oldest first."""
    rows = session.execute(
        select(
            QualityResult.day, func.sum(QualityResult.checked), func.sum(QualityResult.failed)
        )
        .where(
            scope.condition(actor, QualityResult), QualityResult.area_code == area,
            QualityResult.day > day - timedelta(days=TREND_DAYS), QualityResult.day <= day,
            QualityResult.rule.in_(rules),
        )
        .group_by(QualityResult.day)
        .order_by(QualityResult.day)
    )  # fmt: skip
    return tuple((on, Share(checked, failed)) for on, checked, failed in rows)


def _sums(
    session: Session, actor: Actor, areas: tuple[str, ...], day: date, by: Any | None,
    rules: Sequence[str] = tuple(RULES),
) -> dict[tuple[str, str], Share]:  # fmt: skip
    groups = [QualityResult.area_code] + ([] if by is None else [by])
    rows = session.execute(
        _select(actor, day, rules, *groups)
        .where(QualityResult.area_code.in_(areas))
        .group_by(*groups)
    )
    return {
        (row[0], "" if by is None else row[1]): Share(row[-2], row[-1]) for row in rows
    }  # fmt: skip


def _select(actor: Actor, day: date, rules: Sequence[str], *groups: Any) -> Any:
    conditions: tuple[ColumnElement[bool], ...] = (
        scope.condition(actor, QualityResult),
        QualityResult.day == day,
        QualityResult.rule.in_(rules),
    )
    return select(
        *groups, func.sum(QualityResult.checked), func.sum(QualityResult.failed)
    ).where(*conditions)  # fmt: skip


def _total(shares: Sequence[Share]) -> Share:
    return Share(sum(one.checked for one in shares), sum(one.failed for one in shares))
