"""Addresses: house numbers along streets, buildings of an estate, houses of a village."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from grids.synth.shapes import Floats, as_points, lines_of
from grids.synth.world import World

ESTATES = ("estate", "tower", "villas", "dorm")


@dataclass(frozen=True)
class Addresses:
    """One address per building, lists of n."""

    text: list[str]
    street: list[str | None]
    number: list[str | None]
    estate: list[str | None]
    building: list[str | None]
    points: Floats


def address_houses(world: World) -> Addresses:
    """Number all buildings as a city does.

    Along a street odd numbers stand left and even ones right of its direction, growing from
    its beginning; an estate numbers its buildings from north to south; a village by rows.
    """
    houses = world.houses
    middles = shapely.get_coordinates(shapely.centroid(houses.shapes))
    count = len(middles)
    street: list[str | None] = [None] * count
    number: list[str | None] = [None] * count
    estate: list[str | None] = [None] * count
    building: list[str | None] = [None] * count
    inner: dict[int, list[int]] = defaultdict(list)
    rural: dict[int, list[int]] = defaultdict(list)
    along: list[int] = []
    for k in range(count):
        block = world.blocks[houses.block[k]]
        if world.quarters[block.quarter].use == "village":
            rural[block.quarter].append(k)
        elif block.programme in ESTATES and not houses.on_front[k]:
            inner[int(houses.block[k])].append(k)
        else:
            along.append(k)
    for home, members in inner.items():
        for n, k in enumerate(_north_to_south(middles, members), 1):
            estate[k], building[k] = world.block_names[home], f"{n}幢"
    for home, members in rural.items():
        for n, k in enumerate(_north_to_south(middles, members), 1):
            estate[k], number[k] = world.quarters[home].name, f"{n}号"
    for k, name, n in _street_numbers(world, middles, np.array(along, dtype=np.int64)):
        street[k], number[k] = name, f"{n}号"
    text = [
        "".join(part for part in (street[k], estate[k], number[k], building[k]) if part)
        for k in range(count)
    ]
    return Addresses(text, street, number, estate, building, middles)


def _north_to_south(middles: Floats, members: list[int]) -> list[int]:
    rows = np.round(-middles[members, 1] / 25)
    order = np.lexsort((middles[members, 0], rows))
    return [members[k] for k in order]


def _street_numbers(
    world: World, middles: Floats, members: NDArray[np.int64]
) -> list[tuple[int, str, int]]:
    """Give each building the nearest named street and a number on its side of it."""
    net = world.net
    named = [k for k in net.roads() if net.names[k] and net.kinds[k] not in ("trunk", "track")
             and not net.is_bridge[k]]  # fmt: skip
    nearest = np.asarray(STRtree(net.lines[named]).nearest(as_points(middles[members])))
    groups: dict[str, list[int]] = defaultdict(list)
    for k, piece in zip(members.tolist(), nearest.tolist(), strict=True):
        groups[str(net.names[named[piece]])].append(k)
    pieces: dict[str, list[int]] = defaultdict(list)
    for k in named:
        pieces[str(net.names[k])].append(k)
    out: list[tuple[int, str, int]] = []
    for name, houses in sorted(groups.items()):
        parts = lines_of(shapely.line_merge(shapely.union_all(net.lines[pieces[name]])))
        out += _numbered(name, parts, houses, middles)
    return out


def _numbered(
    name: str, parts: list[shapely.LineString], houses: list[int], middles: Floats
) -> list[tuple[int, str, int]]:
    spots = shapely.points(middles[houses])
    lines = np.asarray(parts, dtype=object)
    part = np.argmin(np.array([shapely.distance(line, spots) for line in lines]), axis=0)
    mine = lines[part]
    at = shapely.line_locate_point(mine, spots)
    foot = shapely.get_coordinates(shapely.line_interpolate_point(mine, at))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(mine, at + 2.0))
    back = shapely.get_coordinates(shapely.line_interpolate_point(mine, np.maximum(at - 2.0, 0)))
    along, away = ahead - back, middles[houses] - foot
    is_right = along[:, 0] * away[:, 1] - along[:, 1] * away[:, 0] < 0
    out: list[tuple[int, str, int]] = []
    for side in (False, True):
        mine_here = np.flatnonzero(is_right == side)
        order = mine_here[np.lexsort((at[mine_here], part[mine_here]))]
        out += [(houses[k], name, 2 * n + (2 if side else 1)) for n, k in enumerate(order)]
    return out
