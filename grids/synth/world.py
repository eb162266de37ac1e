"""The ground plan of a simulated city, in metres: everything that a map shows of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from gis.crs import from_metric, to_metric
from grids.synth.blocks import (
    LANDUSE,
    Block,
    find_blocks,
    park_lakes,
    place_landmarks,
)
from grids.synth.fabric import Quarter, field_tracks, pave, quarters_of
from grids.synth.houses import Houses, build_houses, facing_south
from grids.synth.layout import lay_out
from grids.synth.names import Namer
from grids.synth.network import Bend, Network, weave
from grids.synth.plan import CENTRE_LAT, CENTRE_LON, METRIC_SRID, NAME_ZH, Plan
from grids.synth.settlements import Settlement, settle
from grids.synth.shapes import Floats, Geometries, boxes, largest, lines_of, polygons_of
from grids.synth.terrain import Terrain, shape_terrain

#: A reservoir keeps this far from the middle of a road.
VERGE_M = 34.0


@dataclass(frozen=True)
class Patch:
    """A stretch of water or of land of one use."""

    kind: str
    name: str | None
    shape: BaseGeometry


@dataclass(frozen=True)
class Road:
    """A stretch of road as the map stores it: one name, one kind, all junctions are vertices."""

    kind: str
    name: str | None
    is_bridge: bool
    line: LineString


@dataclass(frozen=True)
class Label:
    """A named place."""

    kind: str
    name: str
    rank: int
    x: float
    y: float


@dataclass(frozen=True)
class World:
    """The finished ground plan; metres around the centre of the city."""

    plan: Plan
    boundary: Polygon
    net: Network
    roads: list[Road]
    waters: list[Patch]
    land: list[Patch]
    labels: list[Label]
    quarters: list[Quarter]  #: with their areas on the bent map
    blocks: list[Block]
    block_names: list[str | None]  #: estates, parks, schools
    houses: Houses
    settlements: list[Settlement]
    river: Polygon
    namer: Namer


def make_world(plan: Plan) -> World:
    """Draw the ground plan of a city."""
    namer = Namer(plan.rng("names"))
    land = shape_terrain(plan)
    layout = lay_out(plan, land, namer)
    places = settle(plan, land, layout, namer)
    quarters = quarters_of(plan, land, layout, places)
    pave(plan, layout, quarters, namer)
    field_tracks(plan, land, layout, quarters)
    bend = Bend(plan)
    net = weave(layout, land.river, bend)
    land = _bent(land, bend, places, net)
    rails = [bend.shape(line) for line in layout.railway]
    quarters = [Quarter(q.use, q.name, largest(bend.shape(q.area)), q.angle) for q in quarters]
    return _furnish(plan, namer, land, net, rails, quarters, places, bend)


def _furnish(
    plan: Plan, namer: Namer, land: Terrain, net: Network,
    rails: list[BaseGeometry], quarters: list[Quarter], places: list[Settlement], bend: Bend,
) -> World:  # fmt: skip
    cuts = shapely.union_all([land.river.buffer(8), *(rail.buffer(11) for rail in rails),
                              *(brook.buffer(9) for brook in land.brooks),
                              *(pond.buffer(4) for pond in land.ponds)])  # fmt: skip
    areas = np.asarray([quarter.area for quarter in quarters], dtype=object)
    ground = find_blocks(net, quarters, areas, cuts, plan.rng("blocks"), land.river)
    station = _station_spot(net, rails, areas)
    blocks = place_landmarks(ground.blocks, quarters, plan.persons, station)
    lakes = park_lakes(blocks, plan.rng("lakes"))
    houses = build_houses(blocks, plan.rng("houses"))
    names = [_block_name(block, namer) for block in blocks]
    waters = _waters(land, lakes, blocks, names)
    patches = _land(plan, land, ground.green, ground.rural, blocks, names)
    roads = _roads(net) + [Road("rail", "示例铁路", False, line)
                           for rail in rails for line in lines_of(rail)]  # fmt: skip
    labels = _labels(plan, quarters, places, land, bend, blocks, names)
    return World(
        plan=plan, boundary=land.boundary, net=net, roads=roads, waters=waters, land=patches,
        labels=labels, quarters=quarters, blocks=blocks, block_names=names, houses=houses,
        settlements=places, river=land.river, namer=namer,
    )  # fmt: skip


def _bent(land: Terrain, bend: Bend, places: list[Settlement], net: Network) -> Terrain:
    """Bend the land as the streets were bent; ponds make way for houses, lakes for roads."""
    built = shapely.union_all([place.area.buffer(10) for place in places])
    roads = net.lines[net.roads()]
    tree = shapely.STRtree(roads)
    ponds = [largest(bend.shape(pond)) for pond in land.ponds if not pond.intersects(built)]
    lakes = [_beside(bend.shape(lake), roads, tree) for lake in land.reservoirs]
    whole = [largest(lake.buffer(-12).buffer(12)) for lake in lakes]
    return Terrain(
        boundary=largest(bend.shape(land.boundary)),
        river=largest(bend.shape(land.river)),
        river_axis=lines_of(bend.shape(land.river_axis))[0],
        brooks=[lines_of(bend.shape(line))[0] for line in land.brooks],
        forest=[largest(bend.shape(part)) for part in land.forest],
        ponds=[pond for pond in ponds if not len(tree.query(pond, "dwithin", 14))],
        reservoirs=[lake for lake in whole if lake.area > 6_000],
    )


def _beside(lake: BaseGeometry, roads: Geometries, tree: shapely.STRtree) -> BaseGeometry:
    """Take the roads that come near, and their verges, out of a lake."""
    near = roads[tree.query(lake, "dwithin", VERGE_M)]
    out: BaseGeometry = lake.difference(shapely.union_all(shapely.buffer(near, VERGE_M)))
    return out


def _station_spot(net: Network, rails: list[BaseGeometry], areas: Geometries) -> Floats | None:
    """Put the station where the railway meets a main road in the built-up area."""
    town = shapely.union_all(areas)
    main = shapely.union_all([net.lines[k] for k in net.roads() if net.kinds[k] == "primary"])
    for rail in rails:
        crossing = rail.intersection(main).intersection(town.buffer(40))
        if not crossing.is_empty:
            return _first_point(crossing)
        inside = rail.intersection(town)
        if inside.length > 200:
            return _first_point(inside.interpolate(0.5, normalized=True))
    return None


def _first_point(shape: BaseGeometry) -> Floats:
    xy: Floats = shapely.get_coordinates(shape)[0]
    return xy


def _block_name(block: Block, namer: Namer) -> str | None:
    if block.programme in ("estate", "tower", "villas"):
        return namer.estate()
    if block.programme == "dorm":
        return namer.street() + "人才公寓"
    if block.area.area < 3_000:
        return None
    ends = {"park": "公园", "hospital": "医院", "market": "市场", "cbd": "广场", "square": "广场",
            "warehouse": "物流园", "factory": "工业园"}  # fmt: skip
    if block.programme == "school":
        return namer.street() + ("中学" if block.area.area > 16_000 else "小学")
    if block.programme == "station":
        return "示例站"
    ending = ends.get(block.programme)
    return namer.street() + ending if ending else None


def _waters(
    land: Terrain, lakes: list[Polygon], blocks: list[Block], names: list[str | None]
) -> list[Patch]:
    parks = {id(block): name for block, name in zip(blocks, names, strict=True)
             if block.programme == "park"}  # fmt: skip
    out = [Patch("river", "示例江", land.river)]
    out += [Patch("stream", None, line) for line in land.brooks]
    for lake in lakes:
        home = next((b for b in blocks if id(b) in parks and b.area.contains(lake)), None)
        name = parks[id(home)] if home is not None else None
        out.append(Patch("lake", name.replace("公园", "湖") if name else None, lake))
    out += [Patch("pond", None, pond) for pond in land.ponds]
    out += [Patch("reservoir", f"第{k}水库" if k > 1 else "示例水库", lake)
            for k, lake in enumerate(land.reservoirs, 1)]  # fmt: skip
    return out


def _land(
    plan: Plan, land: Terrain, green: list[Polygon], rural: list[Polygon], blocks: list[Block],
    names: list[str | None],
) -> list[Patch]:  # fmt: skip
    rng = plan.rng("land")
    woods = shapely.union_all([*land.forest, *land.reservoirs])
    out: list[Patch] = []
    for face in rural:
        open_land = face.difference(woods) if face.intersects(woods) else face
        kind = ("farmland", "orchard", "meadow")[rng.choice(3, p=[0.8, 0.12, 0.08])]
        out += [Patch(kind, None, part) for part in polygons_of(open_land) if part.area > 300]
    out += [Patch("forest", None, part) for part in land.forest]
    out += [Patch("park", None, part) for part in green]
    for block, name in zip(blocks, names, strict=True):
        out.append(Patch(LANDUSE[block.programme], name, block.area))
        if block.programme == "school":
            out += _pitches(block)
    return out


def _pitches(block: Block) -> list[Patch]:
    """Lay a sports ground into the half of a school that its houses leave free."""
    angle = facing_south(block.angle)
    length, depth = (92.0, 52.0) if block.area.area > 14_000 else (52.0, 30.0)
    along = np.array([np.cos(angle), np.sin(angle)])
    centre = shapely.get_coordinates(block.area.centroid)[0]
    for share in (0.25, 0.2, 0.3):
        spot = centre - along * np.sqrt(block.area.area) * share
        pitch = boxes(spot[None], np.array([[length, depth]]), np.array([angle]))[0]
        if block.area.covers(pitch):
            return [Patch("pitch", None, pitch.buffer(-8).buffer(8))]
    return []


def _roads(net: Network) -> list[Road]:
    """Join pieces of one street to long roads, so that its name finds room on the map."""
    groups: dict[tuple[str, str, bool], list[int]] = defaultdict(list)
    for k in net.roads():
        groups[net.kinds[k], net.names[k] or "", net.is_bridge[k]].append(k)
    roads: list[Road] = []
    for (kind, name, is_bridge), members in sorted(groups.items()):
        merged = shapely.line_merge(shapely.union_all(net.lines[members]))
        roads += [Road(kind, name or None, is_bridge, line) for line in lines_of(merged)]
    return roads


def _labels(
    plan: Plan, quarters: list[Quarter], places: list[Settlement], land: Terrain, bend: Bend,
    blocks: list[Block], names: list[str | None],
) -> list[Label]:  # fmt: skip
    labels = [Label("city", NAME_ZH, 0, 0.0, 0.0)]
    for place in places:
        x, y = bend.points(shapely.get_coordinates(place.centre))[0]
        rank = 3 if place.kind == "town" else 5
        labels.append(Label(place.kind, place.name, rank, float(x), float(y)))
    for use, name in (("oldtown", "老城"), ("newtown", "新区"), ("industrial", "产业园")):
        shapes = [quarter.area for quarter in quarters if quarter.use == use]
        if shapes:
            spot = shapely.get_coordinates(shapely.union_all(shapes).centroid)[0]
            shift = 0.35 * np.sqrt(shapes[0].area) if use == "oldtown" else 0.0
            labels.append(Label("suburb", name, 5, float(spot[0]), float(spot[1] + shift)))
    hills = sorted(land.forest, key=lambda part: -part.area)[: max(2, len(places) // 8)]
    rng = plan.rng("labels")
    for hill in hills:
        top = hill.representative_point()
        word = "凤龙青翠云石金紫"[int(rng.integers(8))] + "屏峰岩台冠尖"[int(rng.integers(6))]
        labels.append(Label("locality", word + "山", 8, top.x, top.y))
    for block, called in zip(blocks, names, strict=True):
        if called and block.programme in ("park", "square", "hospital", "station", "market"):
            inner = block.area.representative_point()
            labels.append(Label("locality", called, 8, inner.x, inner.y))
    return labels


def centre_xy() -> Floats:
    """Return the centre of the city in the metric system, easting and northing."""
    middle: Floats = np.round(to_metric([[CENTRE_LON, CENTRE_LAT]], METRIC_SRID)[0])
    return middle


def to_lonlat(xy: Floats) -> Floats:
    """Turn metres around the centre, shape (n, 2), into longitude and latitude."""
    return from_metric(np.asarray(xy) + centre_xy(), METRIC_SRID)


def to_earth(shapes: Geometries | list[BaseGeometry]) -> Geometries:
    """Turn shapes in metres around the centre into the storage system, corner by corner."""
    given = np.asarray(shapes, dtype=object)
    return np.asarray(shapely.transform(given, to_lonlat), dtype=object)


Bools = NDArray[np.bool_]
