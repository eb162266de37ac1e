"""Three years of births, arrivals, moves, departures and deaths, up to the present city.

The present is given (`homes`): exactly as many residents as planned, each in a home. The years
are told backwards from it. Of one home that stands empty today a household moved out, whose
present home was empty until then, and so on: each former home is a real one, and nobody lived
there with somebody else. Who died or left is kept beside the residents for two years, as the
register keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from grids.synth.homes import (
    AGE_EDGES,
    CHILD,
    EPOCH,
    NON_RELATIVE,
    PARENT,
    Dwellings,
    Ints,
    People,
    serials,
)
from grids.synth.plan import Plan

Flags = NDArray[np.bool_]

YEARS: Final = 3
YEAR: Final = 365
#: Share of the households that move within the city in a year.
MOVING: Final = 0.08
#: Share of the residents that die, and that leave the city, in a year.
DYING: Final = 0.0075
LEAVING: Final = 0.0100
#: Who left longer ago is no longer kept (`grids.retention`); some days less, for the nights to come.
KEPT_DAYS: Final = 2 * YEAR - 30
BIRTH, MOVE_IN, MOVE, MOVE_OUT, DEATH = range(5)
KINDS: Final = ("birth", "move_in", "move", "move_out", "death")
#: Who tells of which kind, and how many days later it is recorded at most.
SOURCES: Final = ("health", "police", "worker", "police", "civil")
LATEST: Final = (30, 20, 45, 60, 14)
_SPAN: Final = 1 << 20  #: more than there are days since the epoch
STAYS: Final = int(np.iinfo(np.int64).max)  #: the day on which nobody leaves


@dataclass(frozen=True)
class Moves:
    """Moves of whole households, arrays of m, in the order of the household and the day.

    The household as it was before move k has the number `households + k`: another row, in the
    dwelling that it left.
    """

    households: int
    household: Ints
    day: Ints  #: since the epoch
    left: Ints  #: dwelling

    def row_before(self, household: Ints, day: Ints) -> Ints:
        """Return the numbers of households as they stood on the eve of days."""
        return self._row(household, day, "left")

    def row_after(self, household: Ints, day: Ints) -> Ints:
        """Return the numbers of households as they stood on days, after a move of that day."""
        return self._row(household, day, "right")

    def _row(self, household: Ints, day: Ints, side: Literal["left", "right"]) -> Ints:
        wanted = household * _SPAN + np.minimum(day, _SPAN - 1)
        at = np.searchsorted(self.household * _SPAN + self.day, wanted, side=side)
        inside = np.minimum(at, max(len(self.day) - 1, 0))
        is_next = (at < len(self.day)) & (
            self.household[inside] == household if len(self.day) else False
        )
        return np.where(is_next, self.households + at, household)


@dataclass(frozen=True)
class Events:
    """What happened to people, arrays of n, in the order of the person and the day."""

    person: Ints  #: residents first, then those who left
    kind: Ints
    day: Ints
    came_from: Ints  #: number of a household, -1 for none
    since: Ints  #: day since when they lived there, -1 for none
    goes_to: Ints  #: -1 for none


@dataclass(frozen=True)
class Past:
    """Three years of a city, and the people who no longer live there."""

    moves: Moves
    gone: People  #: `household` is that of today, even where it lived elsewhere then
    row: Ints  #: number of the household row of each person, those who are gone behind
    since: Ints  #: day on which each came into the home of that row
    out: Ints  #: day on which each left the city for good, `STAYS` for residents
    events: Events


def remember(plan: Plan, dwellings: Dwellings, people: People) -> Past:
    """Tell what happened to the people of a city in the three years before today."""
    rng = plan.rng("past")
    today = plan.today.toordinal() - EPOCH
    begin = today - YEARS * YEAR
    homes = len(people.household_kind)
    settled = np.full(homes, STAYS)
    arrived = _arrivals(people, begin)
    np.minimum.at(settled, people.household, arrived)
    moves = _household_moves(rng, dwellings, people, settled, begin)
    gone, left_on, has_died = _leavers(rng, plan, people, settled, today)
    household = np.concatenate([people.household, gone.household])
    arrived = np.concatenate([arrived, gone.moved_in])
    out = np.concatenate([np.full(len(people), STAYS), left_on])
    born = np.concatenate([people.born, gone.born])
    events = _events(moves, household, arrived, out, born, has_died, len(people), begin)
    return Past(
        moves, gone, moves.row_before(household, out), _last_stay(events, arrived), out, events
    )


def _arrivals(people: People, begin: int) -> Ints:
    """Return the days on which residents came: born here where a parent lived here, else later."""
    first = np.full(len(people.household_kind), STAYS)
    grown = people.relation != CHILD
    np.minimum.at(first, people.household[grown], people.moved_in[grown])
    here_since = first[people.household]
    is_new = people.born >= begin
    is_native = is_new & (people.born > here_since)
    arrived = np.where(is_native, people.born, people.moved_in)
    # A small child did not live here before those it came with.
    later = is_new & ~is_native & (here_since < STAYS)
    return np.where(later, np.maximum(arrived, np.maximum(here_since, people.born)), arrived)


def _household_moves(
    rng: np.random.Generator, dwellings: Dwellings, people: People, settled: Ints, begin: int
) -> Moves:  # fmt: skip
    homes = len(settled)
    chosen, days = [], []
    for year in range(YEARS):
        start = begin + year * YEAR
        able = np.flatnonzero((people.household_kind != "collective") & (settled < start))
        wanted = min(round(MOVING * homes), len(able))
        chosen.append(rng.choice(able, wanted, replace=False))
        days.append(start + rng.integers(1, YEAR, wanted))
    household, day = np.concatenate(chosen), np.concatenate(days)
    order = np.argsort(day, kind="stable")
    empty = np.flatnonzero(dwellings.use == "vacant")
    left = np.empty(len(order), dtype=np.int64)
    if len(order) and not len(empty):
        household, day, left, order = household[:0], day[:0], left[:0], order[:0]
    lives_in = people.household_dwelling.tolist()
    hole = int(rng.choice(empty)) if len(empty) else -1
    for at in order[::-1].tolist():
        mover = int(household[at])
        left[at] = hole
        hole, lives_in[mover] = lives_in[mover], hole
    order = np.lexsort((day, household))
    return Moves(homes, household[order], day[order], left[order])


def _leavers(
    rng: np.random.Generator, plan: Plan, people: People, settled: Ints, today: int
) -> tuple[People, Ints, Flags]:
    """Draw who died or left in the years that are kept, each once of a household of today."""
    dead = round(DYING * plan.persons * KEPT_DAYS / YEAR)
    away = round(LEAVING * plan.persons * KEPT_DAYS / YEAR)
    start = today - KEPT_DAYS
    families = np.flatnonzero((people.household_kind == "family") & (settled < start))
    others = np.flatnonzero(settled < start)
    dead, away = dead if len(families) else 0, away if len(others) else 0
    household = np.concatenate([
        rng.choice(families, dead) if dead else families[:0],
        rng.choice(others, away) if away else others[:0],
    ])  # fmt: skip
    count = dead + away
    order = np.argsort(household, kind="stable")  # parts of the city take them by household
    household, has_died = household[order], order < dead
    left_on = start + rng.integers(1, KEPT_DAYS, count)
    # A tenth die before they are old; who leaves is of working age.
    age = np.where(
        has_died,
        np.where(rng.random(count) < 0.1, rng.uniform(1, 65, count), rng.normal(80, 9, count)),
        np.clip(rng.gamma(9, 3.6, count), 17, 66),
    )
    born = left_on - (np.clip(age, 1, 104) * 365.25).astype(np.int64)
    stayed = (rng.exponential(np.where(has_died, 24.0, 2.4)) * 365.25).astype(np.int64) + 30
    earliest = np.maximum(born, settled[household] + 1)
    arrived = np.clip(left_on - stayed, earliest, left_on - 1)
    is_female = np.concatenate([people.serial % 2 == 0, rng.random(count) < 0.49])
    digits = rng.integers(0, 10**9, count)
    kind = people.household_kind[household]
    relation = np.where(
        kind != "family", NON_RELATIVE, np.where(has_died & (age > 45), PARENT, CHILD)
    )
    gone = People(
        household_dwelling=people.household_dwelling,
        household_kind=people.household_kind,
        household=household,
        born=born,
        serial=serials(np.concatenate([people.born, born]), is_female)[len(people) :],
        phone=np.where((age > 8) & (rng.random(count) < 0.8), digits, -1),
        age_band=np.searchsorted(AGE_EDGES, (today - born) / 365.25, side="right").astype(np.int8),
        relation=relation.astype(np.int8),
        is_migrant=np.where(has_died, rng.random(count) < 0.1, rng.random(count) < 0.8),
        moved_in=arrived,
    )
    return gone, left_on, has_died


def _events(
    moves: Moves, household: Ints, arrived: Ints, out: Ints, born: Ints,
    has_died: Flags, residents: int, begin: int,
) -> Events:  # fmt: skip
    """List the events of everybody: arrival, the moves of the household meanwhile, the end."""
    came = np.flatnonzero(arrived >= begin)
    went = np.arange(residents, len(household))
    mover, of_move = _members(moves, household, arrived, out)
    person = np.concatenate([came, mover, went])
    kind = np.concatenate([
        np.where(arrived[came] == born[came], BIRTH, MOVE_IN),
        np.full(len(mover), MOVE),
        np.where(has_died, DEATH, MOVE_OUT),
    ])  # fmt: skip
    day = np.concatenate([arrived[came], moves.day[of_move], out[went]])
    nobody = np.full(len(came), -1)
    came_from = np.concatenate([
        nobody, moves.households + of_move, moves.row_before(household[went], out[went])
    ])  # fmt: skip
    goes_to = np.concatenate([
        moves.row_after(household[came], arrived[came]),
        moves.row_after(household[mover], moves.day[of_move]),
        np.full(len(went), -1),
    ])  # fmt: skip
    order = np.lexsort((day, person))
    person, kind, day = person[order], kind[order], day[order]
    # Since when they lived where they come from: the day of the event before, or the arrival.
    follows = np.append(False, person[1:] == person[:-1])[: len(person)]
    since = np.where(follows, np.roll(day, 1), arrived[person])
    comes = came_from[order] < 0
    return Events(person, kind, day, came_from[order], np.where(comes, -1, since), goes_to[order])


def _members(moves: Moves, household: Ints, arrived: Ints, out: Ints) -> tuple[Ints, Ints]:
    """Pair the moves with who lived in the household then: persons and moves."""
    first = np.searchsorted(moves.household, household, side="left")
    last = np.searchsorted(moves.household, household, side="right")
    times = last - first
    person = np.repeat(np.arange(len(household)), times)
    of_move = np.repeat(first - (np.cumsum(times) - times), times) + np.arange(int(times.sum()))
    day = moves.day[of_move]
    lives_there = (arrived[person] < day) & (day < out[person])
    return person[lives_there], of_move[lives_there]


def _last_stay(events: Events, arrived: Ints) -> Ints:
    """Return the day on which each came into the last home."""
    since = arrived.copy()
    moved = events.kind == MOVE
    np.maximum.at(since, events.person[moved], events.day[moved])
    return since


def told(events: Events) -> dict[str, dict[str, int]]:
    """Count the events by kind and year, for the manifest."""
    year = (events.day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)) + 1970
    return {
        name: {
            str(one): int(((events.kind == code) & (year == one)).sum())
            for one in np.unique(year).tolist()
        }
        for code, name in enumerate(KINDS)
    }
