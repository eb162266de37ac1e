"""What is told of one box: its count, moved by chance and rounded, kept until much has changed.

A *box* is the smallest thing that is counted: the people of one kind in one smallest area.
Everything that is ever told is a sum of boxes, so nobody can learn more than the values of
all boxes, whatever they add, subtract or ask again. Three rules make those values harmless:

- **Moved by chance.** A count is shifted by a number that is drawn evenly from an odd number
  of shifts around nought and then rounded to steps of five. The sum of many boxes stays true
  on average. One person more moves the chances of each value by one part in `shifts`.
- **No value below the floor.** All values of nought and less become one value, so that the
  width of what is possible behind a value is never below ten. The floor is such that empty
  boxes add up to nothing on average.
- **Kept.** A box keeps its value until about ten to twenty-four people have come, gone or
  changed their kind, or a year has passed: asking again averages nothing out, and between
  two publications no single registration shows (S35).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, sqrt
from random import Random
from typing import Final

#: The smallest count that is told (S34 of the acceptance list).
SMALLEST: Final = 10
ROUNDED_TO: Final = 5
#: A box stands for at least so many changes and at most twice as many and a half.
FEWEST_CHANGES, MOST_CHANGES = SMALLEST, 24
#: After this time a box is counted anew even if little has changed.
RENEWED_AFTER: Final = timedelta(weeks=52)
#: Sums may err; this many standard deviations are taken for granted.
SURE: Final = 3


@dataclass(frozen=True)
class Blur:
    """How far a box is moved: evenly by one of `shifts` whole numbers around nought.

    `shifts` is an odd multiple of `ROUNDED_TO`; `floor` stands for all values up to nought
    and makes an empty box nought on average.
    """

    shifts: int
    floor: int

    @property
    def reach(self) -> int:
        """Return how far a value may be from its count."""
        return (self.shifts - 1) // 2 + ROUNDED_TO // 2

    @property
    def deviation(self) -> float:
        """Return the standard deviation of a value."""
        return sqrt((self.shifts**2 - 1) / 12 + (ROUNDED_TO**2 - 1) / 12)

    def value_of(self, count: int, chance: Random) -> int:
        """Draw what is told of a count."""
        half = (self.shifts - 1) // 2
        moved = rounded(count + chance.randint(-half, half))
        return moved if moved > 0 else self.floor

    def bounds_of(self, value: int) -> tuple[int, int]:
        """Return which counts may stand behind the value of one box.

        >>> SMALL.bounds_of(30)
        (16, 44)
        >>> SMALL.bounds_of(-5)
        (0, 14)
        """
        return max(0, value - self.reach), max(0, value) + self.reach

    def least_told(self, boxes: int) -> int:
        """Return the smallest sum of so many boxes behind which at least ten people stand.

        >>> SMALL.least_told(1), SMALL.least_told(100)
        (25, 235)
        """
        error = min(self.reach * boxes, SURE * self.deviation * sqrt(boxes))
        return ceil((SMALLEST + error) / ROUNDED_TO) * ROUNDED_TO


#: For the few counts of every duty grid: of the people who live there one more moves the
#: chances by 4 %.
SMALL: Final = Blur(shifts=25, floor=-5)
#: For the many kinds that a community is divided into: by 2.3 %.
FINE: Final = Blur(shifts=45, floor=-10)


def rounded(count: int) -> int:
    """Round to the next step.

    >>> [rounded(n) for n in (-3, -2, 2, 3, 7)]
    [-5, 0, 0, 5, 5]
    """
    return (count + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO


@dataclass(frozen=True)
class Drawn:
    """What was drawn of a smallest area, and what was true then.

    `kinds` counts everybody once, by kind; it says how much has changed since. `values`
    is what is told of each measure. `lasts` is how many changes it outlives: nobody knows it.
    """

    drawn_on: date
    lasts: int
    kinds: Mapping[str, int]
    values: Mapping[str, int]


def changes(before: Mapping[str, int], after: Mapping[str, int]) -> int:
    """Count who came, went or changed their kind.

    >>> changes({"registered": 5, "migrant": 2}, {"registered": 4, "migrant": 3})
    2
    """
    return sum(abs(after.get(name, 0) - before.get(name, 0)) for name in {*before, *after})


def renewed(
    old: Drawn | None,
    kinds: Mapping[str, int],
    counts: Mapping[str, int],
    *,
    blur: Blur,
    on: date,
    chance: Random,
) -> Drawn:
    """Keep what was drawn of a smallest area, or draw all of its boxes anew together.

    A box alone is never renewed: that the one changed and the other did not would tell which.
    """
    if (
        old is not None
        and old.values.keys() == counts.keys()
        and changes(old.kinds, kinds) < old.lasts
        and on - old.drawn_on < RENEWED_AFTER
    ):
        return old
    return Drawn(
        drawn_on=on,
        lasts=chance.randint(FEWEST_CHANGES, MOST_CHANGES),
        kinds=dict(kinds),
        values={name: blur.value_of(counts[name], chance) for name in sorted(counts)},
    )
