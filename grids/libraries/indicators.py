"""The indicators of the macro-economy: THE place where one is added.

Names stand in the catalogue `data` (`macro.<code>`), for the reader's language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

Every = Literal["month", "quarter", "year"]
#: Months of a period.
MONTHS: Final[dict[Every, int]] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Indicator:
    """One figure of the economy of an area."""

    code: str
    unit: str  #: 10k_cny (万元), percent, gwh (百万千瓦时), count, cny (元)
    every: Every
    source: str  #: who is answerable for it: statistics, finance, tax, customs, power, market
    least: float
    most: float
    decimals: int = 0
    #: Whether towns add up to the county; of a share or a mean they do not.
    adds_up: bool = True

    def begins(self, day: date) -> date:
        """Return the first day of the period that a day lies in."""
        months = MONTHS[self.every]
        return date(day.year, (day.month - 1) // months * months + 1, 1)

    def before(self, begin: date, periods: int = 1) -> date:
        """Return the first day of the period so many before."""
        month = begin.year * 12 + begin.month - 1 - periods * MONTHS[self.every]
        return date(month // 12, month % 12 + 1, 1)


INDICATORS: Final = (
    Indicator("gdp", "10k_cny", "quarter", "statistics", 0, 1e9),
    Indicator("gdp_growth", "percent", "quarter", "statistics", -50, 100, 1, adds_up=False),
    Indicator("industry_output", "10k_cny", "month", "statistics", 0, 1e9),
    Indicator("investment", "10k_cny", "month", "statistics", 0, 1e9),
    Indicator("retail_sales", "10k_cny", "month", "statistics", 0, 1e9),
    Indicator("budget_revenue", "10k_cny", "month", "finance", 0, 1e9),
    Indicator("tax_revenue", "10k_cny", "month", "tax", 0, 1e9),
    Indicator("exports", "10k_cny", "month", "customs", 0, 1e9),
    Indicator("electricity", "gwh", "month", "power", 0, 1e6, 1),
    Indicator("new_enterprises", "count", "month", "market", 0, 1e6),
    Indicator("urban_income", "cny", "quarter", "statistics", 0, 1e6, adds_up=False),
    Indicator("rural_income", "cny", "quarter", "statistics", 0, 1e6, adds_up=False),
)
BY_CODE: Final = {one.code: one for one in INDICATORS}
