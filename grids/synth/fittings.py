"""City components (部件) along streets and in parks, and public facilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grids.synth.layout import WIDTH_M
from grids.synth.plan import COUNTY, Plan
from grids.synth.shapes import Floats, Geometries, as_points
from grids.synth.world import World

Texts = NDArray[np.str_]

MAIN = ("trunk", "primary", "secondary")
TOWN = ("primary", "secondary", "tertiary", "residential")
ALL = (*TOWN, "trunk", "living_street", "unclassified")
RURAL = ("unclassified", "living_street", "track")


@dataclass(frozen=True)
class Sort:
    """A sort of component: how many, along which roads, where across them.

    `across` is the place between the middle of the road (0) and its edge (1); above 1 it
    stands on the pavement's far side.
    """

    code: str
    share: float
    roads: tuple[str, ...]
    across: float


#: What stands along streets, in parts of all components.
SORTS = (
    Sort("01037", 21.0, ALL, 0.93), Sort("04002", 24.0, TOWN, 0.88),
    Sort("01004", 9.0, TOWN, 0.72), Sort("01002", 6.5, ALL, 0.25), Sort("01003", 6.0, TOWN, 0.4),
    Sort("01001", 3.0, TOWN, 0.8), Sort("01005", 2.0, TOWN, 0.85), Sort("01007", 3.0, TOWN, 0.82),
    Sort("01011", 1.5, ("secondary", "tertiary", "residential"), 0.6),
    Sort("03005", 4.0, ALL, 0.95), Sort("01013", 2.2, ALL, 0.97), Sort("02010", 3.5, ALL, 0.96),
    Sort("02012", 1.2, TOWN, 1.02), Sort("01027", 1.0, TOWN, 1.0), Sort("01030", 3.2, RURAL, 1.2),
    Sort("01031", 1.2, RURAL, 1.1), Sort("02021", 2.0, MAIN, 0.9), Sort("01050", 0.9, MAIN, 0.98),
    Sort("02004", 0.6, ("primary", "secondary", "tertiary"), 0.98), Sort("02025", 0.0, MAIN, 1.0),
    Sort("01048", 0.6, ALL, 1.05), Sort("01060", 0.3, MAIN, 1.0), Sort("03006", 0.5, MAIN, 1.02),
    Sort("03008", 0.4, TOWN, 1.0), Sort("01077", 0.4, MAIN, 0.95), Sort("01042", 0.1, MAIN, 1.0),
)  # fmt: skip
JUNCTION_LIGHTS = "02014"
IN_PARKS = (("04007", 0.8), ("01046", 0.3), ("01038", 0.4), ("04006", 0.05), ("04003", 0.8))
AT_ESTATES = (("01075", 0.5), ("01054", 0.5), ("01059", 0.3), ("03004", 0.2))
DEPARTMENTS = {
    "01013": "D09", "01005": "D10", "01030": "D10", "01048": "D10", "01007": "D11",
    "01027": "D11", "01031": "D11", "01011": "D15", "01050": "D13", "01": "D01", "02": "D04",
    "03": "D02", "04": "D05", "05": "D03",
}  # fmt: skip


@dataclass(frozen=True)
class Components:
    """Components, arrays of n, in the order of their identifiers."""

    code: Texts
    identifier: list[str]
    state: Texts
    department: list[str]
    shapes: Geometries


@dataclass(frozen=True)
class Facilities:
    """Public facilities, arrays of n."""

    kind: list[str]
    name: list[str]
    points: Floats


def place_components(plan: Plan, world: World) -> Components:
    """Set up as many components as the plan has, each sort at even distances."""
    rng = plan.rng("components")
    codes: list[str] = []
    shapes: list[BaseGeometry] = []

    def add(code: str, places: Floats) -> None:
        codes.extend([code] * len(places))
        shapes.extend(as_points(places).tolist())

    areas = _areas(world)
    for code, shape in areas[: max(4, plan.components // 20)]:
        codes.append(code)
        shapes.append(shape)
    add(JUNCTION_LIGHTS, _junctions(world)[: plan.components // 20])
    spots = [(code, _in_blocks(world, rng, ("park", "square"), plan, share))
             for code, share in IN_PARKS]  # fmt: skip
    spots += [(code, _in_blocks(world, rng, ("estate", "tower", "villas"), plan, share))
              for code, share in AT_ESTATES]  # fmt: skip
    for code, places in spots:
        add(code, places)
    rest = plan.components - len(codes)
    share = np.array([sort.share for sort in SORTS])
    counts = np.floor(rest * share / share.sum()).astype(int)
    counts[0] += rest - counts.sum()
    for sort, count in zip(SORTS, counts.tolist(), strict=True):
        add(sort.code, _along(world, rng, sort, count))
    order = np.argsort(np.array(codes), kind="stable")
    sorts = np.array(codes)[order]
    state = rng.choice(
        ["intact", "damaged", "missing", "abandoned"], len(sorts), p=[0.972, 0.019, 0.005, 0.004]
    )
    return Components(
        code=sorts,
        identifier=_identifiers(sorts),
        state=state,
        department=[DEPARTMENTS.get(c) or DEPARTMENTS[c[:2]] for c in sorts.tolist()],
        shapes=np.asarray(shapes, dtype=object)[order],
    )


def _identifiers(code: Texts) -> list[str]:
    """Number components inside their sub-class: county 6, code 5, sequence 6 (GB/T 47678.5)."""
    seen: dict[str, int] = {}
    out: list[str] = []
    for one in code.tolist():
        seen[one] = seen.get(one, 0) + 1
        out.append(f"{COUNTY}{one}{seen[one]:06d}")
    return out


def _along(world: World, rng: np.random.Generator, sort: Sort, count: int) -> Floats:
    """Spread a sort evenly along its roads, left and right in turn."""
    net = world.net
    which = [k for k in net.roads() if net.kinds[k] in sort.roads and not net.is_bridge[k]]
    if not which or not count:
        return np.empty((0, 2))
    lines = net.lines[which]
    length = shapely.length(lines)
    ends = np.cumsum(length)
    at = (np.arange(count) + rng.uniform(0.2, 0.8, count)) * ends[-1] / count
    piece = np.minimum(np.searchsorted(ends, at), len(which) - 1)
    along = at - (ends[piece] - length[piece])
    margin = np.minimum(8.0, length[piece] / 3)
    along = np.clip(along, margin, length[piece] - margin)
    here = shapely.get_coordinates(shapely.line_interpolate_point(lines[piece], along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines[piece], along + 1.0))
    back = shapely.get_coordinates(
        shapely.line_interpolate_point(lines[piece], np.maximum(along - 1.0, 0.0))
    )
    way = ahead - back
    way /= np.hypot(way[:, 0], way[:, 1])[:, None]
    half = np.array([WIDTH_M[net.kinds[which[k]]] / 2 for k in piece.tolist()])
    side = np.where(np.arange(count) % 2, 1.0, -1.0) * (half * sort.across)
    return here + np.column_stack([-way[:, 1], way[:, 0]]) * side[:, None]


def _junctions(world: World) -> Floats:
    """Find the corners of crossings of main streets, where traffic lights stand."""
    net = world.net
    main = [k for k in net.roads() if net.kinds[k] in ("primary", "secondary", "tertiary")]
    ends = np.vstack([
        shapely.get_coordinates(shapely.get_point(net.lines[main], at)) for at in (0, -1)
    ])  # fmt: skip
    flat, counts = np.unique(np.round(ends, 1), axis=0, return_counts=True)
    nodes = flat[counts >= 3]
    order = np.argsort(np.hypot(nodes[:, 0], nodes[:, 1]), kind="stable")
    corners = np.array([[11.0, 11.0], [-11.0, 11.0], [-11.0, -11.0], [11.0, -11.0]])
    lights: Floats = (nodes[order][:, None, :] + corners[None]).reshape(-1, 2)
    return lights


def _in_blocks(
    world: World, rng: np.random.Generator, programmes: tuple[str, ...], plan: Plan, share: float
) -> Floats:
    """Draw places on open ground in blocks of some programmes."""
    blocks = [b.area for b in world.blocks if b.programme in programmes]
    count = round(plan.components * share / 100)
    if not blocks or not count:
        return np.empty((0, 2))
    area = np.array([b.area for b in blocks])
    home = np.sort(rng.choice(len(blocks), count, p=area / area.sum()))
    out = np.empty((count, 2))
    for k, block in enumerate(home.tolist()):
        inner = blocks[block]
        west, south, east, north = inner.bounds
        for _ in range(12):
            out[k] = rng.uniform(west, east), rng.uniform(south, north)
            if shapely.contains_xy(inner, *out[k]):
                break
        else:
            out[k] = shapely.get_coordinates(inner.representative_point())[0]
    return out


def _areas(world: World) -> list[tuple[str, BaseGeometry]]:
    """Register what is no point: green spaces (A), bridges (A), railings along main roads (L)."""
    net = world.net
    out: list[tuple[str, BaseGeometry]] = [
        ("02009", road.line.buffer(WIDTH_M[road.kind] / 2, cap_style="flat"))
        for road in world.roads
        if road.is_bridge
    ]
    out += [("04013", b.area) for b in world.blocks if b.programme in ("park", "square")]
    out += [("02017", net.lines[k]) for k in net.roads()
            if net.kinds[k] == "primary" and not net.is_bridge[k] and net.lines[k].length > 120]  # fmt: skip
    return out


#: kind -> (name, programmes where it stands, one per how many persons)
FACILITIES: dict[str, tuple[str, tuple[str, ...], int]] = {
    "clinic": ("社区卫生服务站", ("estate", "old", "shops", "town", "village"), 4_500),
    "kindergarten": ("幼儿园", ("estate", "tower", "town", "old"), 5_500),
    "police": ("派出所", ("office", "shops", "old", "town"), 20_000),
    "fire_station": ("消防站", ("office", "factory", "shops", "town"), 40_000),
    "government": ("便民服务中心", ("office", "town", "shops"), 16_000),
    "community_centre": ("党群服务中心", ("estate", "old", "village", "town"), 2_600),
    "library": ("城市书房", ("cbd", "shops", "park", "estate"), 20_000),
    "nursing_home": ("敬老院", ("estate", "town", "village"), 25_000),
    "toilets": ("公共厕所", ("park", "old", "shops", "village"), 2_000),
    "shelter": ("应急避难场所", ("park", "school", "square"), 8_000),
    "bus_station": ("公交首末站", ("shops", "estate", "town"), 22_000),
    "fuel": ("加油站", ("factory", "shops", "warehouse"), 16_000),
}  # fmt: skip


def place_facilities(plan: Plan, world: World) -> Facilities:
    """Set up facilities where people live; schools, hospitals and parks stand in their blocks."""
    rng = plan.rng("facilities")
    kinds: list[str] = []
    names: list[str] = []
    points: list[Floats] = []

    def add(kind: str, name: str, shape: BaseGeometry) -> None:
        kinds.append(kind)
        names.append(name)
        points.append(shapely.get_coordinates(shape.representative_point())[0])

    own = {"school": "school", "hospital": "hospital", "station": "station",
           "market": "market", "park": "park"}  # fmt: skip
    for block, name in zip(world.blocks, world.block_names, strict=True):
        if block.programme in own and name:
            add(own[block.programme], name, block.area)
    for kind, (word, programmes, each) in FACILITIES.items():
        fit = [b for b in world.blocks if b.programme in programmes and b.area.area > 1_200]
        count = min(len(fit), max(1, round(plan.persons / each)))
        middles = shapely.get_coordinates([b.area.centroid for b in fit])
        for k in _far_apart(middles, rng, count):
            quarter = world.quarters[fit[k].quarter].name
            add(kind, (quarter or world.namer.community()) + word, fit[k].area)
    return Facilities(kinds, names, np.vstack(points))


def _far_apart(places: Floats, rng: np.random.Generator, count: int) -> list[int]:
    """Choose places one after the other, each far from those chosen."""
    if not len(places):
        return []
    chosen = [int(rng.integers(len(places)))]
    away = np.hypot(*(places - places[chosen[0]]).T)
    while len(chosen) < count:
        chosen.append(int(np.argmax(away * rng.uniform(0.6, 1.0, len(away)))))
        away = np.minimum(away, np.hypot(*(places - places[chosen[-1]]).T))
    return chosen
