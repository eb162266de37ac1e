"""Addresses: house numbers along streets, buildings of an estate, houses of a village."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from grids.synth.names import FIRST, SECOND, unique_words
from grids.synth.shapes import Floats, as_points, lines_of
from grids.synth.world import World

#: This share of the streets had another name once.
RENAMED_SHARE = 0.03
ESTATES = ("estate", "tower", "villas", "dorm")


@dataclass(frozen=True)
class Addresses:
    """One address per building, lists of n; then the plates of the estates' gates."""

    text: list[str]
    street: list[str | None]
    number: list[str | None]
    estate: list[str | None]
    building: list[str | None]
    points: Floats
    gate: NDArray[np.int64]  #: which gate the building lies behind, -1 for none
    gates: list[tuple[str, str, str]]  #: street, number and name of each estate
    gate_points: Floats
    renamed: list[tuple[str, str, str]]  #: level, the name before, the name now


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
    gate = np.full(count, -1, dtype=np.int64)
    for nth, (home, members) in enumerate(inner.items()):
        gate[members] = nth
        for n, k in enumerate(_north_to_south(middles, members), 1):
            estate[k], building[k] = world.block_names[home], f"{n}幢"
    for home, members in rural.items():
        for n, k in enumerate(_north_to_south(middles, members), 1):
            estate[k], number[k] = world.quarters[home].name, f"{n}号"
    gate_points = _gates(world, list(inner))
    along += range(count, count + len(gate_points))
    plates: dict[int, tuple[str, str]] = {}
    places = np.vstack([middles, gate_points])
    for k, name, n in _street_numbers(world, places, np.array(along, dtype=np.int64)):
        plates[k] = name, f"{n}号"
        if k < count:
            street[k], number[k] = plates[k]
    text = [
        "".join(part for part in (street[k], estate[k], number[k], building[k]) if part)
        for k in range(count)
    ]
    for k in np.flatnonzero(gate >= 0).tolist():
        street[k], number[k] = plates[count + int(gate[k])]
    gates = [(*plates[count + n], str(world.block_names[home])) for n, home in enumerate(inner)]
    return Addresses(
        text, street, number, estate, building, middles, gate, gates, gate_points,
        _renamed(world, sorted({name for name, _ in plates.values()})),
    )  # fmt: skip


def _gates(world: World, homes: list[int]) -> Floats:
    """Set the gate of each estate where it is nearest to a named street."""
    if not homes:
        return np.empty((0, 2))
    named = world.net.lines[_numbered_roads(world)]
    areas = np.asarray([world.blocks[home].area for home in homes], dtype=object)
    nearest = np.asarray(STRtree(named).nearest(areas))
    return shapely.get_coordinates(
        shapely.get_point(shapely.shortest_line(areas, named[nearest]), 0)
    )


def _numbered_roads(world: World) -> list[int]:
    net = world.net
    return [k for k in net.roads() if net.names[k] and net.kinds[k] not in ("trunk", "track")
            and not net.is_bridge[k]]  # fmt: skip


def _renamed(world: World, streets: list[str]) -> list[tuple[str, str, str]]:
    """Give some streets a name that they had before; no street has it now."""
    rng = world.plan.rng("renamed")
    taken = set(streets)
    old = unique_words(rng, FIRST, SECOND, {name[:-1] for name in taken})
    chosen = rng.permutation(len(streets))[: max(1, round(RENAMED_SHARE * len(streets)))]
    return [("street", next(old) + streets[k][-1], streets[k]) for k in sorted(chosen.tolist())]


def _north_to_south(middles: Floats, members: list[int]) -> list[int]:
    rows = np.round(-middles[members, 1] / 25)
    order = np.lexsort((middles[members, 0], rows))
    return [members[k] for k in order]


def _street_numbers(
    world: World, middles: Floats, members: NDArray[np.int64]
) -> list[tuple[int, str, int]]:
    """Give each building the nearest named street and a number on its side of it."""
    net = world.net
    named = _numbered_roads(world)
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
