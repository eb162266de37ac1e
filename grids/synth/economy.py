"""The economy of the county and its towns: every indicator over the simulated years.

Towns share in the county by their land and a share of their own; figures that add up do, to the
digit. A season, a trend and a little chance; the last period is not told yet, as in life.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np

from grids.gridding import Division
from grids.libraries.indicators import INDICATORS, MONTHS, Indicator
from grids.synth.plan import Plan
from grids.synth.store import Writer

#: The county at scale 1: what a period of an indicator comes to.
LEVEL: Final = {
    "gdp": 4_200_000, "gdp_growth": 5.4, "industry_output": 900_000, "investment": 420_000,
    "retail_sales": 560_000, "budget_revenue": 92_000, "tax_revenue": 121_000, "exports": 2_100_000,
    "electricity": 1_150, "new_enterprises": 2_600, "urban_income": 22_800, "rural_income": 12_100,
}  # fmt: skip
GROWTH: Final = 0.055
#: Days from the end of a period until its figure is known.
KNOWN_AFTER: Final = 18


def store_economy(out: Writer, plan: Plan, divisions: Sequence[Division]) -> None:
    """Write the figures of county and towns, period by period."""
    rng = plan.rng("economy")
    county = min(divisions, key=lambda one: len(one.code)).code
    towns = sorted((one for one in divisions if len(one.code) == 9), key=lambda one: one.code)
    shares = np.array([one.shape.area for one in towns]) ** 0.5 * rng.uniform(0.5, 1.6, len(towns))
    shares /= shares.sum()
    rows: list[tuple[Any, ...]] = []
    for one in INDICATORS:
        periods = 12 * plan.years // MONTHS[one.every]
        begin = one.begins(plan.today)
        for back in range(periods, 0, -1):
            period = one.before(begin, back)
            values = _values(rng, one, plan, period, shares)
            known = datetime.combine(_end(one, period) + timedelta(days=KNOWN_AFTER), time(4), UTC)
            if known.date() > plan.today:
                continue
            codes = [*(town.code for town in towns), county]
            rows += [(one.code, code, period, value, one.source, known)
                     for code, value in zip(codes, values, strict=True)]  # fmt: skip
    names = ("indicator", "area_code", "period", "value", "source", "recorded_at")
    out.put("macro_figure", dict(zip(names, zip(*rows, strict=True), strict=True)))


def _end(one: Indicator, period: date) -> date:
    return one.before(period, -1)


def _values(
    rng: np.random.Generator, one: Indicator, plan: Plan, period: date, shares: Any
) -> list[Decimal]:
    """Draw the towns' figures of a period and the county's after them."""
    places = Decimal(1).scaleb(-one.decimals)
    season = 1 + 0.12 * np.sin(2 * np.pi * (period.month - 4) / 12)
    if not one.adds_up:
        spread = 1.4 if one.unit == "percent" else 0.06 * LEVEL[one.code]
        drawn = LEVEL[one.code] + rng.normal(0, spread, len(shares))
        mean = float((drawn * shares).sum())
        return [Decimal(str(value)).quantize(places) for value in (*drawn.tolist(), mean)]
    years_back = (plan.today - period).days / 365.25
    total = LEVEL[one.code] * plan.scale * season * (1 - GROWTH) ** years_back
    drawn = total * shares * rng.uniform(0.94, 1.06, len(shares))
    towns = [Decimal(str(value)).quantize(places) for value in drawn.tolist()]
    return [*towns, sum(towns, Decimal(0))]
