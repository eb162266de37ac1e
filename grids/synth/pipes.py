"""Pipes and cables of the simulated city: beside the middle of the streets, each in its trench."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from grids.linking import PlaceIndex, link_points
from grids.pipes import RANKS
from grids.synth.plan import Plan
from grids.synth.shapes import Geometries
from grids.synth.store import Writer, known_from
from grids.synth.world import World, to_earth

MAIN: Final = ("trunk", "primary", "secondary", "tertiary")
STREET: Final = (*MAIN, "unclassified", "residential", "living_street")


@dataclass(frozen=True)
class Trench:
    """How one network is laid: letters, owner, streets, metres left (+) of the middle and deep."""

    kind: str
    letters: str
    owner: str
    streets: tuple[str, ...]
    aside_m: float
    depth_m: float
    diameters_mm: tuple[int, int, int] | None  #: trunk, main, branch; none of a cable


#: Depths and distances as GB 50289 orders them: power and heat high, sewage deepest.
TRENCHES: Final = (
    Trench("water", "GS", "D07", STREET, 2.5, 1.0, (800, 400, 150)),
    Trench("sewage", "WS", "D01", STREET, -1.0, 2.4, (1000, 500, 300)),
    Trench("gas", "RQ", "D15", MAIN, -2.5, 1.1, (400, 200, 110)),
    Trench("heat", "RL", "D01", ("primary", "secondary"), 4.0, 0.8, (600, 300, 150)),
    Trench("power", "DL", "D10", MAIN, -4.5, 0.7, None),
)  # fmt: skip
RANK: Final = {"trunk": 0, "primary": 0, "secondary": 1, "tertiary": 1}
YEARS: Final = 30
LINE: Final = 1  #: as shapely numbers types
#: Shorter stretches are the insides of junctions.
SHORTEST_M: Final = 6.0


@dataclass(frozen=True)
class Laid:
    """The pipes of one network, arrays of n: streets of the network, lines in metres."""

    trench: Trench
    street: NDArray[np.int64]
    lines: Geometries


def lay_pipes(world: World) -> list[Laid]:
    """Lay every network under the streets that have it; bridges have none."""
    return [_laid(world, trench) for trench in TRENCHES]


def _laid(world: World, trench: Trench) -> Laid:
    net = world.net
    which = np.array(
        [k for k in net.roads() if net.kinds[k] in trench.streets and not net.is_bridge[k]],
        dtype=np.int64,
    )
    lines = np.asarray(
        shapely.offset_curve(net.lines[which], trench.aside_m, join_style="mitre"), dtype=object
    )
    # A sharp bend may fold a curve into several: such a corner is dug without this network.
    whole = (shapely.get_type_id(lines) == LINE) & (shapely.length(lines) > SHORTEST_M)
    whole &= shapely.is_simple(lines)
    return Laid(trench, which[whole], lines[whole])


def store_pipes(out: Writer, plan: Plan, world: World, index: PlaceIndex) -> None:
    """Write the pipes of every network."""
    rng = plan.rng("pipes")
    net = world.net
    since = plan.today.year - YEARS
    for laid in lay_pipes(world):
        trench, count = laid.trench, len(laid.street)
        if not count:
            continue
        rank = np.array([RANK.get(net.kinds[k], 2) for k in laid.street.tolist()])
        lines = to_earth(laid.lines)
        sizes = trench.diameters_mm
        out.put("pipe", {
            "identifier": [f"{trench.letters}{n:07d}" for n in range(1, count + 1)],
            "kind": [trench.kind] * count, "rank": np.array(RANKS, dtype=object)[rank].tolist(),
            "depth_m": np.round(trench.depth_m + rng.uniform(-0.2, 0.6, count), 2),
            "diameter_mm": [sizes[k] if sizes else None for k in rank.tolist()],
            "owner_code": [trench.owner] * count,
            "road": [net.names[k] for k in laid.street.tolist()],
            "laid_year": (since + rng.integers(YEARS, size=count)).tolist(),
            "geom": lines, "valid_from": known_from(plan, count),
            **index.link(link_points(lines)).columns(),
        })  # fmt: skip
