"""A year of incidents: what, where and when; hot spots, near repeats, duplicates and fires."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from grids.synth.business import Sites
from grids.synth.fittings import Components
from grids.synth.homes import Dwellings
from grids.synth.matters import (
    CHANNEL_SHARE,
    CHANNELS,
    FIRE,
    FIRE_ODDS,
    FIRE_SAYS,
    MATTERS,
    SEASONS,
    WEEKDAYS,
    hour_curve,
)
from grids.synth.plan import CITY_ZONE, Plan
from grids.synth.shapes import Floats
from grids.synth.world import World

Ints = NDArray[np.int64]
YEAR_DAYS = 365

HOT_SHARE, REPEAT_SHARE, DUPLICATE_SHARE, FIRE_SHARE = 0.20, 0.07, 0.025, 0.005
HOT_RADIUS_M, REPEAT_RADIUS_M, DUPLICATE_RADIUS_M = 55.0, 90.0, 9.0
REPEAT_DAYS = 6.0


@dataclass(frozen=True)
class Events:
    """What came to somebody's notice, arrays of n in the order of time.

    `cause` is plain, hot, repeat, duplicate or fire; `of` the index of the incident that it
    repeats or doubles, else -1; `component` the index of the component it is about, else -1.
    """

    code: NDArray[np.str_]
    xy: Floats
    at_s: Floats  #: seconds since the epoch
    channel: NDArray[np.str_]
    say: list[str]
    component: Ints
    building: Ints  #: nearest building
    cause: NDArray[np.str_]
    of: Ints


@dataclass(frozen=True)
class Planted:
    """What was hidden in the year, for those who look for it."""

    hot_spots: list[dict[str, Any]]
    fire_odds: dict[str, float]
    fires: list[dict[str, Any]]


@dataclass
class _Draft:
    """Incidents before they are sorted."""

    code: NDArray[np.str_]
    xy: Floats
    at_s: Floats
    component: Ints
    cause: NDArray[np.str_]
    of: Ints


def happen(
    plan: Plan, world: World, dwellings: Dwellings, sites: Sites, components: Components,
    built: Ints, now: datetime,
) -> tuple[Events, Planted]:  # fmt: skip
    """Let a year pass, up to now."""
    rng = plan.rng("incidents")
    total = plan.incidents
    fires = max(3, round(FIRE_SHARE * total))
    repeats, doubles = round(REPEAT_SHARE * total), round(DUPLICATE_SHARE * total)
    plain = total - fires - repeats - doubles
    days = _Days(plan, now)
    pools = _pools(world, dwellings, sites, components)
    draft = _plain(rng, plain, days, pools, components)
    spots = _heat(rng, plan, draft, pools)
    _follow(rng, draft, repeats, "repeat", days.last_s)
    fire, fire_list = _fires(rng, world, dwellings, sites, built, fires, days)
    _append(draft, fire)
    _follow(rng, draft, doubles, "duplicate", days.last_s)
    events = _sorted(rng, world, draft)
    return events, Planted(spots, FIRE_ODDS, fire_list)


class _Days:
    """The days of the year before now, with the weight of each in every season."""

    def __init__(self, plan: Plan, now: datetime) -> None:
        zone = ZoneInfo(CITY_ZONE)
        today = now.astimezone(zone).date()
        self.days = [today - timedelta(days=k) for k in range(YEAR_DAYS * plan.years, -1, -1)]
        midnight = datetime.combine(self.days[0], datetime.min.time(), zone)
        self.first_s = midnight.timestamp()
        self.last_s = now.timestamp() - 600.0
        week = np.array([WEEKDAYS[day.weekday()] for day in self.days])
        growth = np.linspace(0.93, 1.07, len(self.days))
        weather = plan.rng("weather").lognormal(0, 0.10, len(self.days))
        self._base = week * growth * weather
        self._month = np.array([day.month - 1 for day in self.days])

    def draw(self, rng: np.random.Generator, season: str, hours: str, count: int) -> Floats:
        """Draw instants by the curves of a season and of a day; all of them before now."""
        weight = self._base * np.array(SEASONS[season])[self._month]
        day = rng.choice(len(weight), count, p=weight / weight.sum())
        hour = rng.choice(24, count, p=hour_curve(hours)) + rng.uniform(0, 1, count)
        at = self.first_s + day * 86_400.0 + hour * 3_600.0
        late = at > self.last_s
        at[late] -= 86_400.0 * rng.integers(1, 8, int(late.sum()))
        return at


Pools = dict[str, tuple[Floats, Floats]]


def _pools(world: World, dwellings: Dwellings, sites: Sites, components: Components) -> Pools:
    """Gather places by name: points and how much happens at each."""
    rng = world.plan.rng("pools")
    middles = shapely.get_coordinates(shapely.centroid(world.houses.shapes))
    programme = np.array([world.blocks[k].programme for k in world.houses.block])
    use = np.array([q.use for q in world.quarters])[
        [world.blocks[k].quarter for k in world.houses.block]
    ]
    mood = rng.lognormal(0, 0.55, len(world.blocks))[world.houses.block]
    dense = np.where(programme == "urban_village", 2.2, np.where(programme == "old", 1.5, 1.0))
    pools: Pools = {"homes": (middles, dwellings.per_building * dense * mood + 0.01)}
    pools["shops"] = (sites.points, np.ones(len(sites.points)))
    rural = np.flatnonzero(use == "village")
    pools["villages"] = (middles[rural], mood[rural])
    trees = np.flatnonzero(components.code == "04002")
    pools["street"] = _points(components, trees)
    parks = np.flatnonzero(np.isin(components.code, ["04007", "01046", "04003"]))
    pools["parks"] = _points(components, parks)
    near = world.river.exterior.intersection(shapely.Point(0, 0).buffer(world.plan.core_m * 1.3))
    spots = [near.interpolate(at, normalized=True) for at in np.linspace(0, 1, 300)]
    pools["river"] = (shapely.get_coordinates(spots), np.ones(300))
    sites_xy = np.array([shapely.get_coordinates(b.area.representative_point())[0]
                         for b in world.blocks if b.programme in ("vacant", "factory")])  # fmt: skip
    pools["sites"] = (sites_xy, np.ones(len(sites_xy))) if len(sites_xy) else pools["street"]
    return pools


def _points(components: Components, which: Ints) -> tuple[Floats, Floats]:
    points = shapely.get_coordinates(shapely.centroid(components.shapes[which]))
    return points, np.ones(len(points))


def _plain(
    rng: np.random.Generator, count: int, days: _Days, pools: Pools, components: Components
) -> _Draft:
    share = np.array([matter.share for matter in MATTERS])
    which = rng.choice(len(MATTERS), count, p=share / share.sum())
    code = np.array([matter.code for matter in MATTERS])[which]
    xy = np.zeros((count, 2))
    at = np.zeros(count)
    part = np.full(count, -1, dtype=np.int64)
    for k, matter in enumerate(MATTERS):
        mine = np.flatnonzero(which == k)
        at[mine] = days.draw(rng, matter.season, matter.hours, len(mine))
        things = np.flatnonzero(components.code == matter.place)
        if matter.place.isdigit() and len(things):
            part[mine] = rng.choice(things, len(mine))
            xy[mine] = shapely.get_coordinates(shapely.centroid(components.shapes[part[mine]]))
            continue
        points, weight = pools.get(matter.place, pools["street"])
        if not len(points):
            points, weight = pools["homes"]
        spot = rng.choice(len(points), len(mine), p=weight / weight.sum())
        xy[mine] = points[spot] + rng.normal(0, 6.0, (len(mine), 2))
    return _Draft(code, xy, at, part, np.full(count, "plain", dtype="<U9"),
                  np.full(count, -1, dtype=np.int64))  # fmt: skip


def _heat(
    rng: np.random.Generator, plan: Plan, draft: _Draft, pools: Pools
) -> list[dict[str, Any]]:
    """Move a share of the incidents to a few hot spots, each with its own sorts and months."""
    points, weight = pools["homes"]
    count = max(4, plan.grids // 4)
    centres = points[rng.choice(len(points), count, p=weight / weight.sum())]
    reach = {matter.code: matter.reach for matter in MATTERS}
    pull = np.array([reach.get(c, 1.0) - 1.0 for c in draft.code.tolist()])
    movable = np.flatnonzero((draft.component < 0) & (pull > 0))
    hot = rng.choice(movable, min(len(movable), round(HOT_SHARE * len(draft.code))), replace=False,
                     p=pull[movable] / pull[movable].sum())  # fmt: skip
    kinds = np.unique(draft.code[hot])
    favourite = rng.choice(kinds, (count, 4))
    heat = rng.lognormal(0, 0.6, count)
    for code in kinds.tolist():
        mine = hot[draft.code[hot] == code]
        likes = heat * np.where((favourite == code).any(axis=1), 8.0, 0.25)
        home = rng.choice(count, len(mine), p=likes / likes.sum())
        draft.xy[mine] = centres[home] + rng.normal(0, HOT_RADIUS_M / 1.5, (len(mine), 2))
    draft.cause[hot] = "hot"
    return [
        {"x": round(float(x), 1), "y": round(float(y), 1), "radius_m": HOT_RADIUS_M,
         "codes": sorted(set(codes.tolist()))}
        for (x, y), codes in zip(centres.tolist(), favourite, strict=True)
    ]  # fmt: skip


def _follow(rng: np.random.Generator, draft: _Draft, count: int, cause: str, last_s: float) -> None:
    """Let incidents be followed by others of the same sort close by: repeats and doubles."""
    fit = np.flatnonzero((draft.cause != "repeat") & (draft.at_s < last_s - 86_400.0))
    if cause == "repeat":
        fit = fit[draft.component[fit] < 0]
    of = rng.choice(fit, count, replace=False)
    if cause == "repeat":
        delay = rng.exponential(REPEAT_DAYS * 86_400.0, count)
        shift = rng.normal(0, REPEAT_RADIUS_M / 1.5, (count, 2))
    else:
        delay = rng.uniform(240.0, 10_000.0, count)
        shift = rng.normal(0, DUPLICATE_RADIUS_M / 1.5, (count, 2))
    at = np.minimum(draft.at_s[of] + delay, last_s - rng.uniform(0, 3_600.0, count))
    more = _Draft(draft.code[of], draft.xy[of] + shift, at, draft.component[of],
                  np.full(count, cause, dtype="<U9"), of)  # fmt: skip
    _append(draft, more)


def _append(draft: _Draft, more: _Draft) -> None:
    draft.code = np.concatenate([draft.code, more.code])
    draft.xy = np.vstack([draft.xy, more.xy])
    draft.at_s = np.concatenate([draft.at_s, more.at_s])
    draft.component = np.concatenate([draft.component, more.component])
    draft.cause = np.concatenate([draft.cause, more.cause])
    draft.of = np.concatenate([draft.of, more.of])


def fire_factors(
    world: World, dwellings: Dwellings, sites: Sites, built: Ints
) -> dict[str, NDArray[np.bool_]]:
    """Say of every building which risk factors of a fire it has."""
    count = len(world.houses.shapes)
    let = np.bincount(dwellings.building[dwellings.use == "rental"], minlength=count)

    def holds(*kinds: str) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = np.bincount(
            sites.building[np.isin(sites.kind, kinds)], minlength=count
        ).astype(bool)
        return found

    is_house = world.houses.kinds == "house"
    programme = np.array([world.blocks[k].programme for k in world.houses.block])
    return {
        "let_by_the_room": (let >= 3) & is_house,
        "workshop_in_house": holds("workshop") & is_house,
        "catering": holds("restaurant"),
        "storage": holds("warehouse", "factory"),
        "built_before_1990": built < 1990,
        "urban_village": programme == "urban_village",
    }


def _fires(
    rng: np.random.Generator, world: World, dwellings: Dwellings, sites: Sites, built: Ints,
    count: int, days: _Days,
) -> tuple[_Draft, list[dict[str, Any]]]:  # fmt: skip
    """Set fires by the odds of `FIRE_ODDS`; a building that burned once burns more easily."""
    factors = fire_factors(world, dwellings, sites, built)
    odds = np.ones(len(built))
    for name, has in factors.items():
        odds *= np.where(has, FIRE_ODDS[name], 1.0)
    at = np.sort(days.draw(rng, "winter", "fire", count))
    middles = shapely.get_coordinates(shapely.centroid(world.houses.shapes))
    where = np.zeros(count, dtype=np.int64)
    for k in range(count):
        where[k] = rng.choice(len(odds), p=odds / odds.sum())
        if k < count - 1 and not (where[:k] == where[k]).any():
            odds[where[k]] *= FIRE_ODDS["burned_before"]
    fires = [
        {"building": int(b), "factors": [name for name, has in factors.items() if has[b]]}
        for b in where.tolist()
    ]
    draft = _Draft(np.full(count, FIRE), middles[where], at, np.full(count, -1, dtype=np.int64),
                   np.full(count, "fire", dtype="<U9"), np.full(count, -1, dtype=np.int64))  # fmt: skip
    return draft, fires


def _sorted(rng: np.random.Generator, world: World, draft: _Draft) -> Events:
    order = np.argsort(draft.at_s, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    count = len(order)
    code = draft.code[order]
    says = {matter.code: matter.say for matter in MATTERS} | {FIRE: FIRE_SAYS}
    pick = rng.random(count)
    xy = _inside(world, draft.xy[order])
    middles = shapely.get_coordinates(shapely.centroid(world.houses.shapes))
    channel = rng.choice(CHANNELS, count, p=CHANNEL_SHARE)
    channel[(draft.cause[order] == "duplicate") & (channel == "worker")] = "public"
    channel[code == FIRE] = "phone"
    of = draft.of[order]
    return Events(
        code=code,
        xy=xy,
        at_s=draft.at_s[order],
        channel=channel,
        say=[says[c][int(p * len(says[c]))] for c, p in zip(code.tolist(), pick, strict=True)],
        component=draft.component[order],
        building=cKDTree(middles).query(xy)[1].astype(np.int64),
        cause=draft.cause[order],
        of=np.where(of >= 0, place[of], -1),
    )


def _inside(world: World, xy: Floats) -> Floats:
    """Move what fell outside the city back onto its nearest house."""
    shapely.prepare(world.boundary)
    out = ~shapely.contains_xy(world.boundary.buffer(-2.0), xy[:, 0], xy[:, 1])
    middles = shapely.get_coordinates(shapely.centroid(world.houses.shapes))
    moved = xy.copy()
    moved[out] = middles[cKDTree(middles).query(xy[out])[1]]
    return moved
