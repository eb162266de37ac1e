"""The sites of the simulated city: each town, zone, community and village is met in a building."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from sqlalchemy import Connection, text

from grids.linking import PlaceIndex, link_points
from grids.synth.plan import Plan
from grids.synth.shapes import Floats, as_points
from grids.synth.store import Writer, known_from
from grids.synth.world import World, to_earth

#: Houses that a counter moves into before it takes any other.
PUBLIC: Final = ("government", "civic", "public", "office", "commercial", "retail")
NAMES: Final = {9: "社会治理中心", 12: "综合服务站"}
OFFICE: Final = "Mo-Fr 08:30-11:30,14:00-17:30"
#: Counters of villages: some open on three mornings only.
VILLAGE: Final = ("Mo-Fr 08:30-11:00,14:30-17:00", "Mo,We,Fr 08:30-11:30")

_ORGANISATIONS = text("""
    SELECT code, kind, name_zh, ST_X(ST_PointOnSurface(geom)), ST_Y(ST_PointOnSurface(geom))
    FROM area WHERE level > 6 AND valid_to IS NULL ORDER BY code
""")


@dataclass(frozen=True)
class Organisation:
    """One organisation of the tree, and the place that it takes where it has no building."""

    code: str
    kind: str
    name: str
    middle: tuple[float, float]  #: longitude, latitude


def store_sites(
    out: Writer, connection: Connection, plan: Plan, world: World, index: PlaceIndex,
    homes: Mapping[str, Any], addresses: Any,
) -> None:  # fmt: skip
    """Write one site per organisation; `homes` says where buildings lie, `addresses` their keys."""
    found = [
        Organisation(code, kind, name, (lon, lat))
        for code, kind, name, lon, lat in connection.execute(_ORGANISATIONS)
    ]
    houses = world.houses
    chosen = choose([one.code for one in found], homes["area_code"], houses.kinds,
                    shapely.get_coordinates(shapely.centroid(houses.shapes)))  # fmt: skip
    has_house = chosen >= 0
    points = np.array([one.middle for one in found])
    points[has_house] = link_points(to_earth(houses.shapes[chosen[has_house]]))
    open_rarely = plan.rng("sites").random(len(found)) < 0.3
    out.put("site", {
        "org_code": [one.code for one in found],
        "name": [one.name + NAMES[len(one.code)] for one in found],
        "kind": [one.kind for one in found],
        "hours": [hours_of(one.kind, bool(rare))
                  for one, rare in zip(found, open_rarely, strict=True)],
        # Numbers that begin with 12 belong to no network.
        "phone": [f"12579{n:06d}" for n in range(1, len(found) + 1)],
        "address_id": np.ma.masked_array(addresses[np.maximum(chosen, 0)], mask=~has_house),
        "valid_from": known_from(plan, len(found)), "geom": as_points(points),
        **index.link(points).columns(),
    })  # fmt: skip


def choose(codes: list[str], area_codes: Any, kinds: Any, middles: Floats) -> Any:
    """Choose a house for each organisation: a public one near the middle of its homes.

    Returns the index of the house, -1 where none stands there; none is taken twice.
    """
    grids = np.asarray(area_codes).astype("U15")
    cost = np.where(np.isin(np.asarray(kinds), PUBLIC), 0.0, 1e6)
    taken: set[int] = set()
    out = np.full(len(codes), -1)
    for digits in (9, 12):
        head = grids.astype(f"U{digits}")
        order = np.argsort(head, kind="stable")
        starts = head[order]
        for k, code in enumerate(codes):
            if len(code) != digits:
                continue
            low, high = np.searchsorted(starts, [code, code + "~"])
            here = order[low:high]
            here = here[[int(one) not in taken for one in here]] if len(taken) else here
            if not len(here):
                continue
            away = np.hypot(*(middles[here] - middles[here].mean(axis=0)).T)
            out[k] = here[int(np.argmin(away + cost[here]))]
            taken.add(int(out[k]))
    return out


def hours_of(kind: str, open_rarely: bool) -> str:
    """Say when the counter of an organisation is open."""
    if kind in ("street", "town", "zone"):
        return f"{OFFICE}; Sa 09:00-11:30"
    return VILLAGE[open_rarely] if kind == "village" else OFFICE
