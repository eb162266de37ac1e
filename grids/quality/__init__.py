"""Data quality: rules as data, what they find by grid, source and day, and alarms."""

from grids.quality.models import QualityAlarm, QualityResult
from grids.quality.rules import DIMENSIONS, RULES, NoRule, Rule, rule_of
from grids.quality.running import run

__all__ = [
    "DIMENSIONS",
    "RULES",
    "NoRule",
    "QualityAlarm",
    "QualityResult",
    "Rule",
    "rule_of",
    "run",
]
