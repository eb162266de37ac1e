"""The attacks. Each guesses one attribute of many targets and says how often it was right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from statistics import fmean

from grids.people.counts_blur import FINE, SMALL, Blur
from grids.people.counts_rule import Tree
from tests.security.attacks.publishers import Naive, Platform, Told
from tests.security.attacks.world import USUAL_SIZES, Person, World, make_person, make_world

#: How much better than the prior a guess may be (S34).
MARGIN = 0.05
FEWEST_TRIES = 300
Publisher = Naive | Platform


@dataclass(frozen=True)
class Outcome:
    """How an attack went against a publisher."""

    attack: str
    publisher: str
    tries: int
    recovered: float
    prior: float

    @property
    def is_safe(self) -> bool:
        return self.recovered <= self.prior + MARGIN

    @property
    def is_won(self) -> bool:
        return self.tries > 0 and self.recovered > self.prior + 4 * MARGIN


def outcome(attack: str, publisher: Publisher, guesses: list[tuple[bool, bool]]) -> Outcome:
    """Compare guesses with the truth, and with always guessing what is commoner."""
    truth = fmean(is_true for is_true, _ in guesses)
    right = fmean(is_true == guess for is_true, guess in guesses)
    return Outcome(attack, publisher.name, len(guesses), right, max(truth, 1 - truth))


def is_migrant(person: Person) -> bool:
    return person.residency == "migrant"


@cache
def chances(blur: Blur, count: int) -> Mapping[int, float]:
    """How likely each value of a count is: the attacker knows the rule, not the draw."""
    found: dict[int, float] = {}

    class Fixed(Random):
        shift = 0

        def randint(self, _low: int, _high: int) -> int:
            return self.shift

    fixed = Fixed()
    half = (blur.shifts - 1) // 2
    for fixed.shift in range(-half, half + 1):
        value = blur.value_of(count, fixed)
        found[value] = found.get(value, 0) + 1 / blur.shifts
    return found


def likelier(pairs: list[tuple[Blur, int, int, int]], coin: Random) -> bool:
    """Guess by likelihood: (blur, value, count if yes, count if no) of every value seen."""
    yes = no = 1.0
    for blur, value, if_yes, if_no in pairs:
        yes *= chances(blur, if_yes).get(value, 0.0)
        no *= chances(blur, if_no).get(value, 0.0)
    return coin.random() < 0.5 if yes == no else yes > no


def leaf_values(tree: Tree, told: Mapping[str, int]) -> dict[str, int]:
    """Find leaves by subtraction: a told area less its parts, where one part is unknown."""
    known = dict(told)
    has_changed = True
    while has_changed:
        has_changed = False
        for node, under in tree.children.items():
            missing = [child for child in under if child not in known]
            if node in known and len(missing) == 1:
                known[missing[0]] = known[node] - sum(known[c] for c in under if c in known)
                has_changed = True
            elif node not in known and not missing:
                known[node] = sum(known[child] for child in under)
                has_changed = True
    return known


# ---- the attacks


def circles(publisher: Publisher, world: World) -> Outcome:
    """Finding 8: two shapes around a target that differ by nobody else.

    Where no shape can be asked for, the nearest thing is two sets of areas that differ by
    the target's grid, less everybody there who is known.
    """
    coin, guesses = Random(1), []
    told = publisher.publish(world)
    tree = world.tree
    derived = leaf_values(tree, told["migrants"])
    for grid, people in world.grids.items():
        target, others = people[0], people[1:]
        known = sum(map(is_migrant, others))
        if isinstance(publisher, Naive):
            outer = publisher.in_shape(people, "migrants")
            inner = publisher.in_shape(others, "migrants")
            if outer is None or inner is None:
                continue
            guesses.append((is_migrant(target), outer - inner == 1))
        elif grid in derived:
            seen = [(SMALL, derived[grid], known + 1, known)]
            guesses.append((is_migrant(target), likelier(seen, coin)))
    return outcome("two circles", publisher, guesses)


def everybody_but_one(publisher: Publisher, world: World) -> Outcome:
    """Know everybody in the city but the target, and see every box that there is."""
    coin, guesses = Random(2), []
    told = publisher.publish(world)
    is_open = isinstance(publisher, Platform)
    leaves = (
        publisher.values()["migrants"] if is_open else leaf_values(world.tree, told["migrants"])
    )
    boxes = publisher.boxes_of_groups(world) if is_open else {}
    groups = {code: world.groups(code) for code in boxes}
    for grid, people in world.grids.items():
        target, known = people[0], sum(map(is_migrant, people[1:]))
        if grid not in leaves:
            continue
        if not is_open:
            guesses.append((is_migrant(target), leaves[grid] - known == 1))
            continue
        seen = [(SMALL, leaves[grid], known + 1, known)]
        for residency in ("migrant", "registered"):
            kind = replace(target, residency=residency).group
            rest = groups[grid[:12]][kind] - (target.residency == residency)
            is_it = residency == "migrant"
            seen.append((FINE, boxes[grid[:12]][kind], rest + is_it, rest + (not is_it)))
        guesses.append((is_migrant(target), likelier(seen, coin)))
    return outcome("everybody but one known, all boxes open", publisher, guesses)


def two_weeks(publisher: Publisher, world: World, *, others: int = 0) -> Outcome:
    """Differencing in time: the target moves in between two publications (S35).

    `others` come as well, of whom everything is known.
    """
    coin, chance, guesses = Random(3), Random(30), []
    before = world.with_people({grid: people[1:] for grid, people in world.grids.items()})
    newcomers = {grid: tuple(make_person(chance, 0.5) for _ in range(others))
                 for grid in world.grids}  # fmt: skip
    after = world.with_people(
        {grid: (*people, *newcomers[grid]) for grid, people in world.grids.items()}
    )
    first = leaf_values(world.tree, publisher.publish(before, 0)["migrants"])
    second = leaf_values(world.tree, publisher.publish(after, 1)["migrants"])
    for grid, people in world.grids.items():
        if grid not in first or grid not in second:
            continue
        known = sum(map(is_migrant, newcomers[grid]))
        change = second[grid] - first[grid]
        if isinstance(publisher, Naive):
            guess = change - known >= 1
        elif change == 0:
            guess = coin.random() < 0.5
        else:
            rest = sum(map(is_migrant, people[1:])) + known
            guess = likelier([(SMALL, second[grid], rest + 1, rest)], coin)
        guesses.append((is_migrant(people[0]), guess))
    name = f"two weeks, {others} others" if others else "two weeks, target alone"
    return outcome(name, publisher, guesses)


def asked_again(publisher: Publisher, world: World, weeks: int = 50) -> Outcome:
    """Averaging: read every publication of a year in which nothing changes."""
    coin, guesses = Random(4), []
    seen: dict[str, list[int]] = {}
    for week in range(weeks):
        for grid, value in leaf_values(
            world.tree, publisher.publish(world, week)["migrants"]
        ).items():
            seen.setdefault(grid, []).append(value)
    for grid, people in world.grids.items():
        if len(seen.get(grid, ())) < weeks:
            continue
        known = sum(map(is_migrant, people[1:]))
        mean = fmean(seen[grid])
        guess = mean > known + 0.5 if mean != known + 0.5 else coin.random() < 0.5
        guesses.append((is_migrant(people[0]), guess))
    return outcome(f"averaging {weeks} publications", publisher, guesses)


def made_up_people(publisher: Publisher, world: World) -> Outcome:
    """Rounding inversion: register one made-up migrant after another until a value turns."""
    coin, guesses = Random(5), []
    rounds = [leaf_values(world.tree, publisher.publish(world, 0)["migrants"])]
    fake = Person("migrant", "15-59", "family")
    for n in range(1, 6):
        with_fakes = world.with_people(
            {grid: (*people, *[fake] * n) for grid, people in world.grids.items()}
        )
        rounds.append(leaf_values(world.tree, publisher.publish(with_fakes, n)["migrants"]))
    for grid, people in world.grids.items():
        if any(grid not in found for found in rounds):
            continue
        known = sum(map(is_migrant, people[1:]))
        turned = next((n for n in range(1, 6) if rounds[n][grid] != rounds[0][grid]), None)
        if turned is None:
            guess = coin.random() < 0.5
        elif isinstance(publisher, Naive):
            # A value turns where the count passes a step of five.
            guess = (known + 1 + turned + 2) % 5 == 0 if publisher.name != "naive" else (
                rounds[0][grid] - known == 1)  # fmt: skip
        else:
            rest = known + turned
            guess = likelier([(SMALL, rounds[turned][grid], rest + 1, rest)], coin)
        guesses.append((is_migrant(people[0]), guess))
    return outcome("made-up people against rounding", publisher, guesses)


def unions_and_complements(publisher: Publisher, world: World) -> Outcome:
    """Add and subtract areas: the county less all other towns, less all other parts there."""
    coin, guesses = Random(6), []
    told = publisher.publish(world)["migrants"]
    tree = world.tree
    derived = leaf_values(tree, told)
    for grid, people in world.grids.items():
        around = tree.parent[grid]
        siblings = [one for one in tree.children[around] if one != grid]
        if around not in derived or any(one not in derived for one in siblings):
            continue
        value = derived[around] - sum(derived[one] for one in siblings)
        known = sum(map(is_migrant, people[1:]))
        if isinstance(publisher, Naive):
            guesses.append((is_migrant(people[0]), value - known == 1))
        else:
            guesses.append(
                (is_migrant(people[0]), likelier([(SMALL, value, known + 1, known)], coin))
            )
    return outcome("unions and complements of areas", publisher, guesses)


def crossed(publisher: Publisher, world: World) -> Outcome:
    """Key population against people: is the target, whom one knows to live there, in it?

    The attacker knows who else is, and sees the count of the kind beside the count of people.
    """
    coin, chance, guesses = Random(8), Random(80), []
    for people in world.grids.values():
        known = sum(p.is_key for p in people[1:])
        true = known + people[0].is_key
        if isinstance(publisher, Naive):
            if true < 10:
                continue
            guesses.append((people[0].is_key, true - known == 1))
        else:
            value = SMALL.value_of(true, chance)
            guesses.append((people[0].is_key, likelier([(SMALL, value, known + 1, known)], coin)))
    return outcome("key population crossed with people", publisher, guesses)


Attack = Callable[[Publisher, World], Outcome]

ATTACKS: dict[str, Attack] = {
    "circles": circles,
    "everybody but one": everybody_but_one,
    "two weeks": two_weeks,
    "two weeks among others": lambda p, w: two_weeks(p, w, others=30),
    "asked again": asked_again,
    "made-up people": made_up_people,
    "unions": unions_and_complements,
    "crossed": crossed,
}


def large_world(seed: int = 1) -> World:
    """A city with enough small grids that chance alone cannot make an attack look good."""
    return make_world(seed, towns=14, communities=40, grids=6)


def usual_world(seed: int = 1) -> World:
    """A city of 800 communities and about 1,700 grids of the usual size, half a million people."""
    return make_world(seed, towns=14, communities=57, grids=3, sizes=USUAL_SIZES)


def told_share(told: Told, world: World, measure: str, length: int) -> float:
    """Return the share of areas of a level that are withheld."""
    codes = [code for code in world.codes if len(code) == length]
    return 1 - sum(code in told[measure] for code in codes) / len(codes)
