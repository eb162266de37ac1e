"""Towns, communities and duty grids of the simulated city, laid by the rules for real ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from grids.gridding import (
    GREAT,
    MAIN_STREET,
    STREET,
    Barriers,
    Division,
    DutyGrid,
    Homes,
    Known,
    Name,
    Seed,
    Sizes,
    Territory,
    lay_blocks,
    lay_city,
)
from grids.gridding.blocks import locate
from grids.gridding.regions import dissolve, grow
from grids.synth.homes import Dwellings
from grids.synth.names import english
from grids.synth.plan import COUNTY, NAME_EN, NAME_ZH
from grids.synth.shapes import Floats, as_points
from grids.synth.world import World, centre_xy

STRENGTH = {
    "trunk": GREAT, "primary": GREAT, "secondary": MAIN_STREET, "tertiary": MAIN_STREET,
    "unclassified": STREET, "residential": STREET, "living_street": STREET, "track": STREET,
    "edge": STREET,
}  # fmt: skip


#: What the name of a development zone ends in, which is administered as a street.
ZONE = "开发区街道"


@dataclass(frozen=True)
class Divided:
    """The divisions, in the metric system; codes are final."""

    divisions: list[Division]
    grids: list[DutyGrid]


def divide(world: World, dwellings: Dwellings) -> Divided:
    """Lay towns, communities and grids over the ground plan; as many as the plan has."""
    plan = world.plan
    middles = shapely.get_coordinates(shapely.centroid(world.houses.shapes))
    has_home = dwellings.per_building > 0
    homes = Homes(
        middles[has_home] + centre_xy(), dwellings.per_building[has_home].astype(np.float64)
    )
    outline = shapely.transform(world.boundary, lambda xy: xy + centre_xy())
    barriers = _barriers(world)
    seeds = _community_seeds(world, middles, dwellings)
    laid = lay_city(
        Territory(
            name=Name(NAME_ZH, NAME_EN),
            county_code=COUNTY,
            outline=outline,
            barriers=barriers,
            homes=homes,
            towns=_towns(outline, barriers, homes, _town_seeds(world)),
            community_seeds=seeds,
            sizes=Sizes(
                community=homes.dwellings.sum() / plan.communities,
                grid=1.05 * homes.dwellings.sum() / plan.grids,
                open_m2=plan.area_m2 / plan.communities * 1.6,
                grids=plan.grids,
                exact_seeds=True,
            ),
        )
    )
    return Divided(_typed(laid.divisions, homes, plan.urban), laid.grids)


ENDS = {ZONE: "zone", "街道": "street", "镇": "town"}


def _kind(one: Division) -> str:
    if len(one.code) == 12:
        return "village"
    return next((kind for end, kind in ENDS.items() if one.name.zh.endswith(end)), one.kind)


def _typed(divisions: list[Division], homes: Homes, urban: int) -> list[Division]:
    """Say what each division is: towns by their names, the most built-up of the rest communities.

    A village that has grown into the town calls itself 社区 too and keeps its committee; only
    so many as the plan has are communities by law.
    """
    typed = [replace(one, kind=_kind(one)) for one in divisions]
    named = [k for k, one in enumerate(typed) if one.name.zh.endswith("社区")]
    # Homes per square metre: dense quarters are communities first.
    tree = shapely.STRtree(as_points(homes.xy))
    dense = {
        k: homes.dwellings[tree.query(typed[k].shape, "contains")].sum() / typed[k].shape.area
        for k in named
    }
    for k in sorted(named, key=lambda k: (-dense[k], typed[k].code))[:urban]:
        typed[k] = replace(typed[k], kind="community")
    return typed


def _barriers(world: World) -> Barriers:
    lines = shapely.transform(world.net.lines, lambda xy: xy + centre_xy())
    strength = [STRENGTH[kind] for kind in world.net.kinds]
    return Barriers(np.asarray(lines, dtype=object), np.array(strength))


def _towns(
    outline: BaseGeometry, barriers: Barriers, homes: Homes, seeds: list[Seed]
) -> list[Known]:
    """Let towns grow around their seats until they meet, along roads and water."""
    none = np.empty(0, dtype=object)
    blocks = lay_blocks(outline, none, barriers, homes, most_dwellings=np.inf)
    at = locate(blocks.polygons, np.array([(seed.x, seed.y) for seed in seeds]))
    start, chosen = np.unique(at[at >= 0], return_index=True)
    labels = grow(blocks, np.zeros(len(blocks), dtype=np.int64), start)
    named = np.flatnonzero(at >= 0)[chosen]
    return [
        Known(seeds[k].name, shape)
        for k, shape in zip(named.tolist(), dissolve(blocks, labels), strict=True)
    ]


def _town_seeds(world: World) -> list[Seed]:
    """One town around each country town, streets (街道) and zones (开发区) around the core."""
    seeds = [_seed(label.name, label.x, label.y) for label in world.labels if label.kind == "town"]
    core = max(1, world.plan.towns - len(seeds))
    zones = min(core - 1, world.plan.zones)
    for k in range(core):
        turn = 2 * np.pi * (k + 0.35) / core
        out = 0.0 if core == 1 else 0.5 * world.plan.core_m
        end = ZONE if k >= core - zones else "街道"
        seeds.append(_seed(world.namer.town() + end, out * np.cos(turn), out * np.sin(turn)))
    return seeds


def _community_seeds(world: World, middles: Floats, dwellings: Dwellings) -> list[Seed]:
    """Villages with committees of their own, and communities where most homes stand."""
    villages = [label for label in world.labels if label.kind == "village"]
    homes_of = np.zeros(len(world.quarters))
    quarter = np.array([world.blocks[k].quarter for k in world.houses.block])
    np.add.at(homes_of, quarter, dwellings.per_building)
    size = {q.name: homes_of[k] for k, q in enumerate(world.quarters) if q.use == "village"}
    villages.sort(key=lambda label: (-size.get(label.name, 0.0), label.name))
    rural = min(len(villages), round(0.46 * world.plan.communities))
    seeds = [_seed(label.name, label.x, label.y) for label in villages[:rural]]
    is_urban = np.array([q.use != "village" for q in world.quarters])[quarter]
    weight = dwellings.per_building * is_urban
    for x, y in _spread(middles, weight.astype(np.float64), world.plan.communities - len(seeds)):
        seeds.append(_seed(world.namer.community() + "社区", x, y))
    return seeds


def _spread(points: Floats, weight: Floats, count: int) -> Floats:
    """Spread centres over weighted points (Lloyd's rule from a grid-like start)."""
    used = points[weight > 0]
    load = weight[weight > 0]
    order = np.lexsort((used[:, 1], np.round(used[:, 0] / 400)))
    start = np.linspace(0, 1, count + 2)[1:-1]
    share = np.cumsum(load[order]) / load.sum()
    centres = used[order[np.searchsorted(share, start)]].copy()
    for _ in range(25):
        nearest = np.argmin(((used[:, None] - centres[None]) ** 2).sum(axis=2), axis=1)
        total = np.bincount(nearest, load, minlength=count)
        for axis in (0, 1):
            moved = np.bincount(nearest, load * used[:, axis], minlength=count)
            centres[:, axis] = np.where(total > 0, moved / np.maximum(total, 1), centres[:, axis])
    return centres


def _seed(name: str, x: float, y: float) -> Seed:
    east, north = centre_xy() + np.array([x, y])
    return Seed(Name(name, english(name)), float(east), float(north))
