"""What the designer is asked for, and how work is weighed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from grids.regrid.errors import BadWish

#: Hours of a grid worker a year [D]: two visits of a household, one case, four of premises.
HOURS: Final = {"household": 0.5, "case": 0.7, "premises": 1.5}
MOST_HOURS: Final = 100.0
FEWEST_HOUSEHOLDS, MOST_HOUSEHOLDS = 50, 2000
MOST_GRIDS: Final = 2000
STARTS: Final = ("today", "anew", "none")


@dataclass(frozen=True)
class Wishes:
    """What a draft shall reach.

    `start`: from today's grids (`today`), drawn from nothing (`anew`), or today's grids left as
    they are for a hand to change (`none`). Of `grids` and `households` at most one is given;
    without both the number of grids stays. `move_cost` weighs a household that gets another
    grid against balance: 0 does not care, 1 moves only what helps much.
    """

    start: str = "today"
    grids: int | None = None  #: so many in the town
    households: int | None = None  #: about so many in each grid
    move_cost: float = 0.3
    frozen: tuple[str, ...] = ()  #: codes of grids that stay as they are
    hours: Mapping[str, float] = field(default_factory=lambda: dict(HOURS))

    def __post_init__(self) -> None:
        """Refuse what cannot be. Raises `BadWish`, which names the field."""
        if self.start not in STARTS:
            raise BadWish(f"start is one of {STARTS}", field="start", value=self.start)
        if self.grids is not None and self.households is not None:
            raise BadWish("either grids or households", field="households", value="")
        _within("grids", self.grids, 1, MOST_GRIDS)
        _within("households", self.households, FEWEST_HOUSEHOLDS, MOST_HOUSEHOLDS)
        _within("move_cost", self.move_cost, 0, 1)
        for name in HOURS:
            _within(f"hours_{name}", self.hours.get(name, HOURS[name]), 0, MOST_HOURS)

    def as_json(self) -> dict[str, Any]:
        """Return them as a plan keeps them."""
        return {**asdict(self), "frozen": list(self.frozen), "hours": dict(self.hours)}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Wishes:
        """Read what `as_json` wrote."""
        return cls(**{**kept, "frozen": tuple(kept.get("frozen", ()))})


def _within(name: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        raise BadWish(f"{name} lies between {least} and {most}", field=name, value=value,
                      least=least, most=most)  # fmt: skip
