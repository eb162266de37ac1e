"""Figures of the macro-economy: recorded for the areas of one period at once, read as of a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.divisions import Area
from grids.errors import Invalid, NotFound
from grids.libraries.indicators import BY_CODE, INDICATORS, Indicator
from grids.libraries.models import MacroFigure

#: Periods that a table shows, and over which its completeness is counted.
SHOWN: Final = 8
#: Digits of the codes that have figures: county and town.
LEVELS: Final = (6, 9)
LONGEST: Final = 20


class NoIndicator(NotFound):
    """There is no such indicator."""

    code = "macro.no_indicator"


class BadFigure(Invalid):
    """A figure is no number, is out of the indicator's bounds, or of an area without figures."""

    code = "macro.bad_figure"


class BadPeriod(Invalid):
    """No period of the indicator begins on this day, or it has not begun yet."""

    code = "macro.bad_period"


@dataclass(frozen=True)
class Known:
    """The figures of one indicator: area -> first day of the period -> what was known."""

    indicator: Indicator
    periods: tuple[date, ...]  #: oldest first
    figures: Mapping[str, Mapping[date, Decimal]]
    complete: float | None  #: share of areas and periods with a figure; none without areas


def indicator(code: str) -> Indicator:
    """Return an indicator. Raises `NoIndicator`."""
    found = BY_CODE.get(code)
    if found is None:
        raise NoIndicator(f"no indicator {code[:40]!r}")
    return found


def areas(session: Session, actor: Actor) -> Sequence[Area]:
    """Return the county and the towns of the caller's scope, by code."""
    return session.scalars(
        select(Area)
        .where(
            Area.valid_to.is_(None), func.length(Area.code).in_(LEVELS),
            scope.in_areas(Area.code, actor.areas),
        )
        .order_by(Area.code)
    ).all()  # fmt: skip


def known(
    session: Session, actor: Actor, one: Indicator, *, today: date, as_of: datetime | None = None
) -> Known:
    """Return the last periods of an indicator in the caller's scope, as known on a day."""
    periods = tuple(one.before(one.begins(today), n) for n in range(SHOWN, 0, -1))
    statement = (
        select(MacroFigure.area_code, MacroFigure.period, MacroFigure.value)
        .where(
            MacroFigure.indicator == one.code, MacroFigure.period.in_(periods),
            scope.in_areas(MacroFigure.area_code, actor.areas),
        )
        .order_by(MacroFigure.recorded_at, MacroFigure.id)
    )  # fmt: skip
    if as_of is not None:
        statement = statement.where(MacroFigure.recorded_at < as_of)
    figures: dict[str, dict[date, Decimal]] = {}
    for code, period, value in session.execute(statement):  # a later one replaces an earlier
        figures.setdefault(code, {})[period] = value
    wanted = len(areas(session, actor)) * len(periods)
    held = sum(map(len, figures.values()))
    return Known(one, periods, figures, held / wanted if wanted else None)


def completeness(session: Session, actor: Actor, *, today: date) -> float | None:
    """Return the share of figures that are there, over all indicators and their last periods."""
    shares = [known(session, actor, one, today=today).complete for one in INDICATORS]
    held = [share for share in shares if share is not None]
    return sum(held) / len(held) if held else None


def record(
    session: Session, actor: Actor, one: Indicator, period: date, given: Mapping[str, str],
    *, today: date, now: datetime, source_ip: str = "",
) -> int:  # fmt: skip
    """Record what areas have in a period; return how many figures are new or other than before.

    An empty text says nothing. All are taken or none. Raises `BadPeriod` and `BadFigure`.
    """
    if one.begins(period) != period or period > today:
        raise BadPeriod(f"{period} begins no {one.every}", field="period")
    codes = {area.code for area in areas(session, actor)}
    read = {code: _read(one, code, text, codes) for code, text in given.items() if text.strip()}
    before = _latest(session, one, period, sorted(read))
    news = {code: value for code, value in read.items() if before.get(code) != value}
    session.add_all(
        MacroFigure(
            indicator=one.code, area_code=code, period=period, value=value, source=one.source,
            recorded_at=now, recorded_by=actor.account_id,
        )
        for code, value in news.items()
    )  # fmt: skip
    if news:
        audit.record(
            session, "macro_recorded", actor_id=actor.account_id, subject=f"macro:{one.code}",
            source_ip=source_ip, detail={"period": period.isoformat(), "areas": len(news)},
        )  # fmt: skip
    return len(news)


def _latest(
    session: Session, one: Indicator, period: date, codes: Sequence[str]
) -> dict[str, Decimal]:
    rows = session.execute(
        select(MacroFigure.area_code, MacroFigure.value)
        .where(
            MacroFigure.indicator == one.code, MacroFigure.period == period,
            MacroFigure.area_code.in_(codes),
        )
        .order_by(MacroFigure.recorded_at, MacroFigure.id)
    )  # fmt: skip
    return {code: value for code, value in rows}  # noqa: C416 - rows are no pairs


def _read(one: Indicator, code: str, text: str, codes: set[str]) -> Decimal:
    """Read a figure as people write it. Raises `BadFigure`, which names the area."""
    try:
        value = Decimal(text.strip().replace(",", "").replace("，", "")[:LONGEST])
    except InvalidOperation:
        raise BadFigure("no number", field=f"v.{code}", area=code) from None
    if code not in codes or not value.is_finite() or not one.least <= value <= one.most:
        raise BadFigure(f"not between {one.least} and {one.most}", field=f"v.{code}", area=code)
    return round(value, one.decimals)
