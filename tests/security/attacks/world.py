"""A made-up register: areas, people of many kinds in duty grids, one target in each grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

from grids.people.counts_groups import AGE_BANDS, HOUSEHOLD_KINDS
from grids.people.counts_rule import Tree, tree_of

ROOT = "339901"
MEASURES = ("people", "migrants", "aged_60", "children", "households")


@dataclass(frozen=True)
class Person:
    """What a register knows of somebody, and whether they are in a key population."""

    residency: str
    band: str
    household: str
    is_key: bool = False

    @property
    def group(self) -> str:
        return f"{self.band} {self.residency} {self.household}"


@dataclass(frozen=True)
class World:
    """A city. The target of a grid is its first person; everybody else is known."""

    codes: tuple[str, ...]
    grids: Mapping[str, tuple[Person, ...]]

    @property
    def tree(self) -> Tree:
        return tree_of(self.codes, ROOT)

    def counts(self, grid: str) -> dict[str, int]:
        """Count the measures of a grid."""
        return measures_of(self.grids[grid])

    def groups(self, community: str) -> Counter[str]:
        """Count the kinds of a community."""
        return Counter(p.group for g, people in self.grids.items() if g.startswith(community)
                       for p in people)  # fmt: skip

    def with_people(self, grids: Mapping[str, tuple[Person, ...]]) -> World:
        return replace(self, grids={**self.grids, **grids})


def measures_of(people: tuple[Person, ...]) -> dict[str, int]:
    """Count what is published of a grid."""
    return {
        "people": len(people),
        "migrants": sum(p.residency == "migrant" for p in people),
        "aged_60": sum(p.band in ("60-79", "80+") for p in people),
        "children": sum(p.band in ("0-5", "6-14") for p in people),
        "households": len(people) // 3,
    }


def kinds_of(people: tuple[Person, ...]) -> Counter[str]:
    """Count residency and band, as the register's changes are judged."""
    return Counter(f"{p.residency} {p.band}" for p in people)


def make_person(chance: Random, share: float) -> Person:
    return Person(
        residency="migrant" if chance.random() < share else "registered",
        band=chance.choices(AGE_BANDS, (6, 10, 62, 18, 4))[0],
        household=chance.choices(HOUSEHOLD_KINDS, (80, 14, 6))[0],
        is_key=chance.random() < 0.5,
    )


#: How many people grids have: many small ones, so that there is something to protect.
SMALL_SIZES = (1, 4, 9, 15, 40, 150, 300)
#: A city as duty grids are laid out: about three hundred people each.
USUAL_SIZES = (120, 200, 260, 300, 300, 340, 420, 600)


def make_world(
    seed: int, *, towns: int = 6, communities: int = 12, grids: int = 5,
    sizes: tuple[int, ...] = SMALL_SIZES,
) -> World:  # fmt: skip
    """Build a city whose grids have the sizes given."""
    chance = Random(seed)
    codes, people = [ROOT], {}
    for community in _codes(towns, communities):
        codes += [code for code in (community[:9], community) if code not in codes]
        for at in range(1, chance.randint(1, grids) + 1):
            grid = f"{community}{at:03d}"
            codes.append(grid)
            share = chance.choice((0.1, 0.2, 0.4, 0.8))
            n = chance.choice(sizes)
            # The target's residency is a toss of a coin: the prior is one half.
            target = make_person(chance, 0.5)
            people[grid] = (target, *(make_person(chance, share) for _ in range(n)))
    return World(tuple(sorted(codes)), people)


def _codes(towns: int, communities: int) -> Iterator[str]:
    for town in range(1, towns + 1):
        for community in range(1, communities + 1):
            yield f"{ROOT}{town:03d}{community:03d}"
