"""The matrix itself, without a database: which of several rules wins, and why never two.

A rule selects cases by the owner of the asset, the category, the area, dates and a time band;
an empty selector takes everything. The order of specificity is total
(`docs/decisions/0011-which-rule-wins.md`): rules are compared by asset owner, then category,
then area, then dates, then band. Two rules that hold for the same case and tie in all five
select exactly the same cases; such a pair is refused when it is saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Final

from grids.responsibility.bands import BANDS

KINDS: Final = ("", "component", "matter", "social")
LONGEST_CATEGORY: Final = 12


@dataclass(frozen=True, slots=True)
class Selector:
    """Which cases a rule is for. Empty takes all; dates include both ends."""

    kind: str = ""  #: component, matter or social
    category: str = ""  #: class (two digits), sub-class (five), or any beginning of a code
    area: str = ""  #: county, town, community or grid, by its code
    owner: str = ""  #: who owns the asset
    band: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def is_dated(self) -> bool:
        """Say whether the rule holds on some days only."""
        return self.first is not None or self.last is not None

    @property
    def rank(self) -> int:
        """Return how specific the rule is; the database keeps the same number.

        >>> Selector().rank, Selector(kind="matter", category="06").rank
        (0, 50000)
        """
        category = 2 * len(self.category) + bool(self.kind)
        within = 10 * self.is_dated + BANDS.index(self.band)
        return 1_000_000 * bool(self.owner) + 10_000 * category + 100 * len(self.area) + within

    def takes(self, asked: Question) -> bool:
        """Say whether a case falls under the rule."""
        return (
            self.owner in ("", asked.owner)
            and self.kind in ("", asked.kind)
            and asked.category.startswith(self.category)
            and asked.area.startswith(self.area)
            and self.band in asked.bands
            and self.holds_on(asked.day)
        )

    def holds_on(self, day: date) -> bool:
        """Say whether a day lies between the dates."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def ties_with(self, other: Selector) -> bool:
        """Say whether some case would fall under both with nothing to choose between them."""
        return (
            (self.owner, self.kind, self.category, self.area, self.band, self.is_dated)
            == (other.owner, other.kind, other.category, other.area, other.band, other.is_dated)
        ) and not _apart(self, other)  # fmt: skip

    def covers(self, other: Selector) -> bool:
        """Say whether every case of the other falls under this one too."""
        return (
            self.owner in ("", other.owner)
            and self.kind in ("", other.kind)
            and other.category.startswith(self.category)
            and other.area.startswith(self.area)
            and self.band in ("", other.band)
            and (self.first is None or (other.first is not None and self.first <= other.first))
            and (self.last is None or (other.last is not None and other.last <= self.last))
        )


def _apart(one: Selector, other: Selector) -> bool:
    """Say whether no day lies in both."""
    first = max(one.first or date.min, other.first or date.min)
    last = min(one.last or date.max, other.last or date.max)
    return first > last


@dataclass(frozen=True, slots=True)
class Question:
    """One case as the matrix sees it."""

    kind: str
    category: str
    area: str
    day: date
    bands: frozenset[str] = frozenset({""})
    owner: str = ""


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule: for which cases, who leads, who assists, and why."""

    id: int
    selector: Selector
    department: str
    assisting: tuple[str, ...] = ()
    why: str = ""
    basis: str = ""


@dataclass(frozen=True)
class Matrix:
    """The rules of one version, laid out so that an answer takes a few look-ups."""

    rules: tuple[RuleRow, ...]
    _by_place: dict[tuple[str, str, str, str], tuple[RuleRow, ...]] = field(repr=False)
    _categories: tuple[int, ...] = field(repr=False)  #: lengths that occur, longest first
    _areas: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, rules: Iterable[RuleRow]) -> Matrix:
        """Lay out rules by what they select."""
        kept = tuple(sorted(rules, key=lambda rule: -rule.selector.rank))
        places: dict[tuple[str, str, str, str], list[RuleRow]] = {}
        for rule in kept:
            s = rule.selector
            places.setdefault((s.owner, s.kind, s.category, s.area), []).append(rule)
        return cls(
            kept,
            {place: tuple(found) for place, found in places.items()},
            tuple(sorted({len(r.selector.category) for r in kept}, reverse=True)),
            tuple(sorted({len(r.selector.area) for r in kept}, reverse=True)),
        )

    def winner(self, asked: Question) -> RuleRow | None:
        """Return the most specific rule for a case; None only where there is no default."""
        return next(self.matching(asked), None)

    def matching(self, asked: Question) -> Iterator[RuleRow]:
        """Yield the rules that hold for a case, the one that wins first."""
        owners = dict.fromkeys((asked.owner, ""))
        for owner in owners:
            for length in self._categories:
                for kind in (asked.kind, "") if length == 0 else (asked.kind,):
                    yield from self._within(owner, kind, length, asked)

    def _within(self, owner: str, kind: str, length: int, asked: Question) -> Iterator[RuleRow]:
        if len(asked.category) < length:
            return
        category = asked.category[:length]
        for reach in self._areas:
            if len(asked.area) < reach:
                continue
            for rule in self._by_place.get((owner, kind, category, asked.area[:reach]), ()):
                if rule.selector.band in asked.bands and rule.selector.holds_on(asked.day):
                    yield rule

    @property
    def default(self) -> RuleRow | None:
        """Return the rule that takes everything: the owner where nothing else says one."""
        return next((rule for rule in self.rules if rule.selector == Selector()), None)


def ties(rules: Iterable[RuleRow]) -> list[tuple[RuleRow, RuleRow]]:
    """Return the pairs of rules between which nothing decides."""
    places: dict[tuple[str, str, str, str, str], list[RuleRow]] = {}
    for rule in rules:
        s = rule.selector
        places.setdefault((s.owner, s.kind, s.category, s.area, s.band), []).append(rule)
    return [
        pair
        for found in places.values()
        for pair in combinations(found, 2)
        if pair[0].selector.ties_with(pair[1].selector)
    ]
