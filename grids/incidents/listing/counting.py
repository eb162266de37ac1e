"""How many cases a filter lets through, by state, risk, channel, town, category, department.

Each facet is counted without its own choice, so that a face can offer the others; one pass
over the cases gives them all. Open cases are always counted one by one: there are tens of
thousands, in an index of their own. Among millions that are over the planner is asked first
what counting would cost; what is dear is estimated from every hundredth case, and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Executable, Select, and_, func, not_, select, true, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

from grids import scope
from grids.accounts import Actor
from grids.incidents.listing.filters import (
    TOWN_DIGITS,
    Filter,
    choices,
    conditions,
    is_open,
    risk_at,
)
from grids.incidents.models import IS_SAMPLE, Incident

FACETS: Final = ("status", "risk", "channel", "town", "category", "department", "urgency")
#: One case in so many stands in the sample.
SAMPLED: Final = 100
#: What the planner calls this much takes about a tenth of a second (docs/desk.md).
DEAREST: Final = 40_000.0

Part = Literal["open", "over"]


@dataclass(frozen=True)
class Counts:
    """How many cases, in all and by each value of each facet."""

    total: int
    facets: Mapping[str, Mapping[str, int]]
    is_exact: bool


def count_cases(
    session: Session,
    actor: Actor,
    wanted: Filter,
    *,
    now: datetime,
    facets: tuple[str, ...] = FACETS,
    parts: tuple[Part, ...] = ("open", "over"),
    exact: bool = False,
) -> Counts:
    """Count what a filter lets through, whole and by facet.

    `parts` says which cases are looked at: open ones, those that are over, or both. With
    `exact` nothing is estimated, whatever it takes. Raises `BadFilter`.
    """
    total, is_exact = 0, True
    found: dict[str, Counter[str]] = {facet: Counter() for facet in facets}
    for part in parts:
        statement = _statement(actor, wanted, now, facets, part)
        times = 1
        if part == "over" and not exact and cost_of(session, statement) > DEAREST:
            statement = _statement(actor, wanted, now, facets, part, is_sample=True)
            times, is_exact = SAMPLED, False
        for row in session.execute(statement).mappings():
            facet, value, count = _read(row, facets)
            if facet is None:
                total += count * times
            elif value is not None and count:
                found[facet][value] += count * times
    return Counts(total, {facet: dict(counts) for facet, counts in found.items()}, is_exact)


def _statement(
    actor: Actor,
    wanted: Filter,
    now: datetime,
    facets: tuple[str, ...],
    part: Part,
    *,
    is_sample: bool = False,
) -> Select[Any]:
    """Count by each facet in one pass; `n` follows every choice, `n_<facet>` all but its own."""
    chosen = choices(wanted, now)
    inner = select(
        Incident.status,
        risk_at(now).label("risk"),
        Incident.channel,
        func.left(Incident.area_code, TOWN_DIGITS).label("town"),
        Incident.category_code.label("category"),
        Incident.department_code.label("department"),
        Incident.urgency,
        *(condition.label(f"fits_{facet}") for facet, condition in chosen.items()),
    ).where(
        scope.condition(actor, Incident),
        is_open() if part == "open" else not_(is_open()),
        *conditions(wanted, actor),
    )
    if is_sample:
        inner = inner.where(IS_SAMPLE)
    rows = inner.subquery()
    fits: dict[str, ColumnElement[bool]] = {facet: rows.c[f"fits_{facet}"] for facet in chosen}
    columns = [rows.c[facet] for facet in facets]
    counts = [func.count().filter(and_(true(), *fits.values())).label("n")]
    counts += [
        func.count()
        .filter(and_(true(), *(fit for other, fit in fits.items() if other != facet)))
        .label(f"n_{facet}")
        for facet in chosen
        if facet in facets
    ]
    return select(func.grouping(*columns).label("set"), *columns, *counts).group_by(
        func.grouping_sets(*(tuple_(column) for column in columns), tuple_())
    )


def _read(row: Any, facets: tuple[str, ...]) -> tuple[str | None, str | None, int]:
    """Return facet, value and count of one line; the facet is None in the line of the total.

    A bit is clear in `set` where the line is grouped by that column, the first one leftmost.
    """
    bits = row["set"]
    for place, facet in enumerate(facets):
        if not bits >> (len(facets) - 1 - place) & 1:
            count = row.get(f"n_{facet}")
            return facet, row[facet], row["n"] if count is None else count
    return None, None, row["n"]


class _Explained(Executable, ClauseElement):
    """A statement that the planner is only asked about."""

    inherit_cache = False

    def __init__(self, statement: Select[Any]) -> None:
        self.statement = statement


@compiles(_Explained)
def _explain(element: _Explained, compiler: SQLCompiler, **more: Any) -> str:
    return "EXPLAIN (FORMAT JSON) " + compiler.process(element.statement, **more)


def cost_of(session: Session, statement: Select[Any]) -> float:
    """Return what the planner thinks a statement costs, in its own measure."""
    plan = session.execute(_Explained(statement)).scalar_one()
    return float(plan[0]["Plan"]["Total Cost"])
