"""Dwellings, households and persons: who lives where, with numbers that nobody has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import shapely
from numpy.typing import NDArray

from grids.synth.names import person_names
from grids.synth.plan import COUNTY, Plan
from grids.synth.world import World

Ints = NDArray[np.int64]
Codes = NDArray[np.int8]
Texts = NDArray[np.str_]

AGE_BANDS = ("0-5", "6-14", "15-59", "60-79", "80+")
AGE_EDGES = (6, 15, 60, 80)
ROLES = ("head", "spouse", "child", "parent", "non_relative")
HEAD, SPOUSE, CHILD, PARENT, NON_RELATIVE = range(5)
MOST_SERIAL = 999

#: Square metres of floor per home, by kind of building.
FLOOR_M2 = {"apartments": 126.0, "house": 235.0, "dormitory": 48.0}
ROOMS_M2 = 62.0  #: in an urban village: most is let by the room or floor
VACANT = 0.09
EPOCH = date(1970, 1, 1).toordinal()
#: Share of people who came from elsewhere, by use of the quarter; the city has many migrants.
MIGRANTS = {
    "oldtown": 0.38, "residential": 0.36, "newtown": 0.34, "industrial": 0.82, "town": 0.40,
    "village": 0.33,
}  # fmt: skip
WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
CHECKS = np.array(list("10X98765432"))


@dataclass(frozen=True)
class Dwellings:
    """Homes, arrays of n; `levels` is per building, fitted to the number of homes."""

    levels: Ints
    per_building: Ints
    building: Ints
    unit: list[str | None]
    floor: Ints
    room: list[str]
    use: Texts  #: owner, rental, vacant
    area_m2: NDArray[np.float64]


@dataclass(frozen=True)
class People:
    """Households and persons; person arrays are in the order of their households.

    What is text of a person is made when it is written (`identities`): two million names,
    numbers and phones took a gibibyte as Python's strings.
    """

    household_dwelling: Ints
    household_kind: Texts
    household: Ints  #: per person
    born: Ints  #: day, since the epoch
    serial: Ints  #: of the resident number: runs by day and sex, odd for men
    phone: Ints  #: nine digits after 12, -1 for none
    age_band: Codes  #: index into AGE_BANDS
    relation: Codes  #: index into ROLES
    is_migrant: NDArray[np.bool_]
    moved_in: Ints  #: day, since the epoch

    def __len__(self) -> int:
        """Count the persons."""
        return len(self.household)


@dataclass(frozen=True)
class Identities:
    """What is sealed of some persons."""

    name: list[str]
    id_number: list[str]
    phone: list[str | None]
    birth: list[str]  #: ISO day


def identities(plan: Plan, people: People, part: slice, stream: str = "people") -> Identities:
    """Make names, numbers, phones and days of birth of a part of the persons."""
    born = people.born[part]
    return Identities(
        name=person_names(plan.rng(f"{stream} {part.start}"), len(born)),
        id_number=id_numbers(born, people.serial[part]),
        phone=[f"12{n:09d}" if n >= 0 else None for n in people.phone[part].tolist()],
        birth=days_of(born).astype(str).tolist(),
    )


def days_of(since_epoch: Ints) -> NDArray[np.datetime64]:
    """Turn days since the epoch into dates."""
    return since_epoch.astype("datetime64[D]")


def build_dwellings(plan: Plan, world: World) -> Dwellings:
    """Fit the heights of the houses to the number of people and divide them into homes."""
    rng = plan.rng("dwellings")
    houses = world.houses
    area = shapely.area(houses.shapes)
    programme = np.array([world.blocks[k].programme for k in houses.block])
    per_home = np.select(
        [programme == "urban_village", *(houses.kinds == kind for kind in FLOOR_M2)],
        [ROOMS_M2, *FLOOR_M2.values()],
        np.inf,
    )
    floors = area * houses.levels / per_home
    wanted = plan.persons / 2.62 / (1 - VACANT)
    fixed = np.isin(houses.kinds, ["house", "dormitory"])
    spare = max(wanted - floors[fixed].sum(), 0.25 * wanted)
    factor = np.clip(spare / max(floors[~fixed].sum(), 1.0), 0.45, 1.9)
    levels = houses.levels.copy()
    flats = houses.kinds == "apartments"
    levels[flats] = np.maximum(3, np.round(levels[flats] * factor)).astype(np.int64)
    raw = area * levels / per_home
    raw *= np.clip(wanted / raw.sum(), 0.4, 1.4)  # homes are a little larger or smaller
    count = np.where(raw > 0, np.maximum(1, np.floor(raw + rng.uniform(0, 1, len(raw)))), 0)
    homes = count.astype(np.int64)
    return _divided(rng, area, levels, homes, programme, houses.kinds)


def _divided(
    rng: np.random.Generator, area: NDArray[np.float64], levels: Ints, homes: Ints,
    programme: Texts, kinds: Texts,
) -> Dwellings:  # fmt: skip
    building = np.repeat(np.arange(len(homes)), homes)
    first = np.cumsum(homes) - homes
    order = np.arange(len(building)) - first[building]
    per_floor = np.maximum(1, -(-homes // np.maximum(levels, 1)))[building]
    floor = order // per_floor + 1
    place = order % per_floor
    is_flat = kinds[building] == "apartments"
    units = np.where(is_flat, place // 2 + 1, 0)
    room = np.where(is_flat, floor * 100 + place % 2 + 1, floor * 100 + place + 1)
    dense = np.isin(programme[building], ["urban_village", "dorm"])
    let = rng.random(len(building)) < np.where(dense, 0.86, np.where(is_flat, 0.24, 0.22))
    empty = rng.random(len(building)) < VACANT
    return Dwellings(
        levels=levels,
        per_building=homes,
        building=building,
        unit=[f"{u}单元" if u else None for u in units.tolist()],
        floor=floor,
        room=[str(r) for r in room.tolist()],
        use=np.where(empty, "vacant", np.where(let, "rental", "owner")),
        area_m2=np.round((area * levels / np.maximum(homes, 1))[building], 1),
    )


def settle_people(plan: Plan, world: World, dwellings: Dwellings) -> People:
    """Fill the homes with exactly as many people as the plan has."""
    rng = plan.rng("people")
    lived = np.flatnonzero(dwellings.use != "vacant")
    quarter = np.array([world.blocks[k].quarter for k in world.houses.block])
    use = np.array([q.use for q in world.quarters])[quarter[dwellings.building[lived]]]
    is_let = dwellings.use[lived] == "rental"
    kind = np.where(is_let & (rng.random(len(lived)) < 0.42), "shared", "family")
    kind[world.houses.kinds[dwellings.building[lived]] == "dormitory"] = "collective"
    size = _sizes(plan, rng, kind)
    owner = np.repeat(np.arange(len(lived)), size)
    place = np.arange(len(owner)) - (np.cumsum(size) - size)[owner]
    age, relation = _ages(rng, kind[owner], place)
    share = np.array([MIGRANTS[u] for u in use]) * np.where(is_let, 2.1, 0.35)
    from_elsewhere = rng.random(len(lived)) < np.clip(share, 0.02, 0.97)
    today = plan.today.toordinal() - EPOCH
    born = today - np.round(age * 365.25 + rng.uniform(0, 300, len(age))).astype(np.int64)
    years = (today - born) / 365.25
    stay = np.minimum(rng.exponential(np.where(from_elsewhere[owner], 2.6, 14.0)), years)
    return People(
        household_dwelling=lived,
        household_kind=kind,
        household=owner,
        born=born,
        serial=serials(born, rng.random(len(owner)) < 0.49),
        phone=_phones(rng, age),
        age_band=np.searchsorted(AGE_EDGES, years, side="right").astype(np.int8),
        relation=relation,
        is_migrant=from_elsewhere[owner],
        moved_in=today - (stay * 365.25).astype(np.int64),
    )


def _sizes(plan: Plan, rng: np.random.Generator, kind: Texts) -> Ints:
    """Draw household sizes and correct them until they add up to the plan."""
    family = rng.choice(6, len(kind), p=[0.20, 0.30, 0.26, 0.15, 0.06, 0.03]) + 1
    shared = rng.choice(4, len(kind), p=[0.34, 0.36, 0.2, 0.1]) + 1
    bunk = rng.integers(2, 7, len(kind))
    size = np.select([kind == "shared", kind == "collective"], [shared, bunk], family)
    missing = plan.persons - int(size.sum())
    while missing:
        step = 1 if missing > 0 else -1
        free = np.flatnonzero((size < 12) if step > 0 else (size > 1))
        chosen = rng.choice(free, min(abs(missing), len(free)), replace=False)
        size[chosen] += step
        missing -= step * len(chosen)
    return size.astype(np.int64)


def _ages(rng: np.random.Generator, kind: Texts, place: Ints) -> tuple[NDArray[np.float64], Codes]:
    """Give a family head, spouse, children and parents; the others are of working age."""
    n = len(place)
    first = np.flatnonzero(place == 0)
    owner = np.cumsum(place == 0) - 1
    head = np.clip(rng.normal(46, 14, len(first)), 22, 90)[owner]
    spouse = np.clip(head - rng.normal(1.5, 3, n), 20, 92)
    child = _children(head, head - rng.normal(28, 4.5, n))
    parent = np.clip(head + rng.normal(26, 4, n), 48, 98)
    elder = rng.random(n) < 0.45
    role = np.select(
        [place == 0, place == 1, place == 2], [HEAD, SPOUSE, CHILD], np.where(elder, PARENT, CHILD)
    )
    age = np.select([role == HEAD, role == SPOUSE, role == CHILD], [head, spouse, child], parent)
    mates = kind != "family"
    young = np.clip(rng.gamma(9, 3.4, n), 17, 62)
    alone = np.where(place == 0, HEAD, NON_RELATIVE)
    return np.where(mates, young, age), np.where(mates, alone, role).astype(np.int8)


def _children(head: NDArray[np.float64], age: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread the children of young heads over the years since those were grown.

    They would all be newborn: a year had eight times the births of the year before. What an age
    is short of zero serves as chance, so that no other draw of the people moves.
    """
    chance = np.modf(np.abs(age) * 97)[0]
    return np.clip(np.where(age < 0.1, chance * (head - 18), age), 0.01, 55)


def _phones(rng: np.random.Generator, age: NDArray[np.float64]) -> Ints:
    """Draw the digits of numbers that begin with 12: no mobile network has them."""
    digits = rng.integers(0, 10**9, len(age))
    has = rng.random(len(age)) < np.clip((age - 8) / 9, 0, 0.93)
    return np.where(has, digits, -1)


def serials(born: Ints, female: NDArray[np.bool_]) -> Ints:
    """Number the people born on one day as GB 11643 does: odd for men, even for women.

    Raises `ValueError` where a day has more people than numbers.
    """
    group = born * 2 + female
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    is_first = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
    start = np.maximum.accumulate(np.where(is_first, np.arange(len(ordered)), 0))
    out = np.empty(len(born), dtype=np.int64)
    out[order] = 2 * (np.arange(len(ordered)) - start)
    out += np.where(female, 2, 1)
    if len(out) and out.max() > MOST_SERIAL:
        raise ValueError("more people were born on one day than there are numbers")
    return out


def id_numbers(born: Ints, serial: Ints) -> list[str]:
    """Make resident numbers of GB 11643: valid by check digit, of a county that does not exist.

    `born` are days since the epoch, `serial` the last three digits before the check.
    """
    days = [day.replace("-", "") for day in days_of(born).astype(str).tolist()]
    stems = [f"{COUNTY}{day}{n:03d}" for day, n in zip(days, serial.tolist(), strict=True)]
    digits = np.array([list(stem) for stem in stems], dtype=np.int64).reshape(-1, 17)
    return [stem + check for stem, check in zip(stems, CHECKS[digits @ WEIGHTS % 11], strict=True)]
