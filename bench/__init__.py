"""Repeatable timings: ours beside a baseline in the same run, so that ratios hold anywhere."""

from dataclasses import dataclass
from typing import Literal

#: Modules of this package, each with `run(scale) -> list[Result]`.
NAMES = (
    "link",
    "tiles",
    "items",
    "intake",
    "export",
    "audit",
    "secrets",
    "scope",
    "counts",
    "queue",
    "live",
    "roads",
    "servers",
    "responsibility",
    "registers",
    "addresses",
    "regrid",
    "exchange",
    "matching",
    "search",
)


@dataclass(frozen=True, slots=True)
class Result:
    """One figure of ours and of the baseline, measured in the same run."""

    name: str
    scale: float
    ours: float
    baseline: float
    unit: str
    goal: float  #: the ratio to reach
    better: Literal["higher", "lower"] = "higher"

    @property
    def ratio(self) -> float:
        """Ours over the baseline."""
        return self.ours / self.baseline if self.baseline else float("nan")

    @property
    def is_reached(self) -> bool:
        """Say whether the goal is met."""
        return self.ratio >= self.goal if self.better == "higher" else self.ratio <= self.goal
