"""Dwellings, households and persons: who lives where, with numbers that nobody has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import shapely
from numpy.typing import NDArray

from grids.synth.names import person_names
from grids.synth.plan import COUNTY, Plan
from grids.synth.world import World

Ints = NDArray[np.int64]
Texts = NDArray[np.str_]

#: Square metres of floor per home, by kind of building.
FLOOR_M2 = {"apartments": 126.0, "house": 235.0, "dormitory": 48.0}
ROOMS_M2 = 62.0  #: in an urban village: most is let by the room or floor
VACANT = 0.09
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
    """Households and persons; person arrays are in the order of their households."""

    household_dwelling: Ints
    household_kind: Texts
    household: Ints  #: per person
    name: list[str]
    id_number: list[str]
    phone: list[str | None]
    birth: list[date]
    age_band: Texts
    relation: Texts
    residency: Texts
    moved_in: list[date]


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
    birth = _births(plan, rng, age)
    female = rng.random(len(owner)) < 0.49
    years = np.array([(plan.today - b).days / 365.25 for b in birth])
    stay = np.minimum(rng.exponential(np.where(from_elsewhere[owner], 2.6, 14.0)), years)
    return People(
        household_dwelling=lived,
        household_kind=kind,
        household=owner,
        name=person_names(rng, len(owner)),
        id_number=id_numbers(birth, female),
        phone=_phones(rng, age),
        birth=birth,
        age_band=_bands(years),
        relation=relation,
        residency=np.where(from_elsewhere[owner], "migrant", "registered"),
        moved_in=[plan.today - timedelta(days=int(s * 365.25)) for s in stay],
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


def _ages(rng: np.random.Generator, kind: Texts, place: Ints) -> tuple[NDArray[np.float64], Texts]:
    """Give a family head, spouse, children and parents; the others are of working age."""
    n = len(place)
    first = np.flatnonzero(place == 0)
    owner = np.cumsum(place == 0) - 1
    head = np.clip(rng.normal(46, 14, len(first)), 22, 90)[owner]
    spouse = np.clip(head - rng.normal(1.5, 3, n), 20, 92)
    child = np.clip(head - rng.normal(28, 4.5, n), 0.1, 55)
    parent = np.clip(head + rng.normal(26, 4, n), 48, 98)
    elder = rng.random(n) < 0.45
    role = np.select(
        [place == 0, place == 1, place == 2], ["head", "spouse", "child"],
        np.where(elder, "parent", "child"),
    )  # fmt: skip
    age = np.select(
        [role == "head", role == "spouse", role == "child"], [head, spouse, child], parent
    )
    mates = kind != "family"
    young = np.clip(rng.gamma(9, 3.4, n), 17, 62)
    return np.where(mates, young, age), np.where(
        mates, np.where(place == 0, "head", "non_relative"), role
    )


def _births(plan: Plan, rng: np.random.Generator, age: NDArray[np.float64]) -> list[date]:
    days = np.round(age * 365.25 + rng.uniform(0, 300, len(age))).astype(int)
    return [plan.today - timedelta(days=int(d)) for d in days]


def _bands(years: NDArray[np.float64]) -> Texts:
    return np.select(
        [years < 6, years < 15, years < 60, years < 80], ["0-5", "6-14", "15-59", "60-79"], "80+"
    )


def _phones(rng: np.random.Generator, age: NDArray[np.float64]) -> list[str | None]:
    """Draw numbers that begin with 12: no mobile network has them."""
    digits = rng.integers(0, 10**9, len(age))
    has = rng.random(len(age)) < np.clip((age - 8) / 9, 0, 0.93)
    return [f"12{d:09d}" if h else None for d, h in zip(digits.tolist(), has, strict=True)]


def id_numbers(birth: list[date], female: NDArray[np.bool_]) -> list[str]:
    """Make resident numbers of GB 11643: valid by check digit, of a county that does not exist.

    People born on one day get running numbers, odd for men, even for women.
    """
    seen: dict[tuple[date, bool], int] = {}
    stems: list[str] = []
    for day, is_female in zip(birth, female.tolist(), strict=True):
        n = seen.get((day, is_female), 0)
        seen[day, is_female] = n + 1
        stems.append(f"{COUNTY}{day:%Y%m%d}{2 * n + (2 if is_female else 1):03d}")
    digits = np.array([list(stem) for stem in stems], dtype=np.int64).reshape(-1, 17)
    return [stem + check for stem, check in zip(stems, CHECKS[digits @ WEIGHTS % 11], strict=True)]
