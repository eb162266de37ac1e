"""Publishers: the platform's, a naive one, and two that keep half of the rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from grids.people.counts_blur import FINE, ROUNDED_TO, SMALL, SMALLEST, Drawn, renewed
from grids.people.counts_groups import KINDS
from grids.people.counts_rule import publishable
from tests.security.attacks.world import MEASURES, Person, World, kinds_of

START = date(2026, 1, 5)
Told = dict[str, dict[str, int]]


@dataclass
class Naive:
    """Exact counts from ten upwards, of areas and of any shape that somebody draws."""

    name: str = "naive"

    def publish(self, world: World, week: int = 0) -> Told:
        tree = world.tree
        told: Told = {}
        for measure in MEASURES:
            sums = tree.sums({grid: world.counts(grid)[measure] for grid in world.grids})
            told[measure] = {code: n for code, n in sums.items() if n >= SMALLEST}
        return told

    def in_shape(self, people: tuple[Person, ...], measure: str) -> int | None:
        """Count a measure of the people in a drawn shape."""
        if len(people) < SMALLEST:
            return None
        return sum(p.residency == "migrant" for p in people) if measure == "migrants" else (
            len(people))  # fmt: skip


@dataclass
class Rounding(Naive):
    """Exact counts rounded to fives, always alike."""

    name: str = "rounding only"

    def publish(self, world: World, week: int = 0) -> Told:
        return {
            measure: {code: (n + 2) // ROUNDED_TO * ROUNDED_TO for code, n in found.items()}
            for measure, found in super().publish(world, week).items()
        }


@dataclass
class Fresh(Naive):
    """Noise that is drawn anew at every publication."""

    name: str = "fresh noise"
    chance: Random = field(default_factory=lambda: Random(11))

    def publish(self, world: World, week: int = 0) -> Told:
        return {
            measure: {code: SMALL.value_of(n, self.chance) for code, n in found.items()}
            for measure, found in super().publish(world, week).items()
        }


@dataclass
class Platform:
    """What the platform publishes: `grids.people`, with its draws kept from week to week."""

    name: str = "platform"
    chance: Random = field(default_factory=lambda: Random(7))
    drawn: dict[str, Drawn] = field(default_factory=dict)
    drawn_groups: dict[str, Drawn] = field(default_factory=dict)

    def publish(self, world: World, week: int = 0) -> Told:
        on = START + timedelta(weeks=week)
        for grid, people in world.grids.items():
            self.drawn[grid] = renewed(
                self.drawn.get(grid), kinds_of(people), world.counts(grid),
                blur=SMALL, on=on, chance=self.chance,
            )  # fmt: skip
        return publishable(world.tree, self.values())

    def values(self) -> dict[str, dict[str, int]]:
        """Lay open every box, told or not: more than anybody outside ever sees."""
        return {m: {leaf: one.values[m] for leaf, one in self.drawn.items()} for m in MEASURES}

    def boxes_of_groups(self, world: World) -> Mapping[str, Mapping[str, int]]:
        """Lay open every box of the groups, told or not."""
        for community in (code for code in world.codes if len(code) == 12):
            counts = world.groups(community)
            full = {kind: counts[kind] for kind in KINDS}
            self.drawn_groups[community] = renewed(
                self.drawn_groups.get(community), full, full,
                blur=FINE, on=START, chance=self.chance,
            )  # fmt: skip
        return {code: one.values for code, one in self.drawn_groups.items()}
