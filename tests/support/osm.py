"""OpenStreetMap files for tests: small ones written here, real ones read by another reader."""

import re
from collections.abc import Iterator
from pathlib import Path

import osmium
import pyogrio
import pytest
from osmium.osm.mutable import Node, Relation, Way

from app.config import ROOT

EXTRACTS = ROOT.parent / "shared/data/osm"
_HSTORE = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')

Tags = dict[str, str]


def extract(name: str) -> Path:
    """Return the path of a real extract, or skip the test that needs it."""
    path = EXTRACTS / f"{name}.osm.pbf"
    if not path.exists():
        pytest.skip(f"the real extract {path.name} is not on this machine (shared/data/osm)")
    return path


class Drawing:
    """A small map in the making: nodes, ways and relations with numbers from 1."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.ways: list[Way] = []
        self.relations: list[Relation] = []

    def node(self, lon: float, lat: float, **tags: str) -> int:
        self.nodes.append(Node(id=len(self.nodes) + 1, location=(lon, lat), tags=keys(tags)))
        return len(self.nodes)

    def line(self, *places: tuple[float, float], **tags: str) -> int:
        refs = [self.node(*place) for place in places]
        return self.way(refs, **tags)

    def ring(self, *places: tuple[float, float], **tags: str) -> int:
        refs = [self.node(*place) for place in places]
        return self.way([*refs, refs[0]], **tags)

    def square(self, lon: float, lat: float, side: float, **tags: str) -> int:
        corners = ((lon, lat), (lon + side, lat), (lon + side, lat + side), (lon, lat + side))
        return self.ring(*corners, **tags)

    def way(self, refs: list[int], **tags: str) -> int:
        self.ways.append(Way(id=len(self.ways) + 1, nodes=refs, tags=keys(tags)))
        return len(self.ways)

    def relation(self, members: list[tuple[str, int, str]], **tags: str) -> int:
        number = len(self.relations) + 1
        self.relations.append(Relation(id=number, members=members, tags=keys(tags)))
        return number

    def write(self, path: Path) -> Path:
        with osmium.SimpleWriter(str(path)) as writer:
            for node in self.nodes:
                writer.add_node(node)
            for way in self.ways:
                writer.add_way(way)
            for relation in self.relations:
                writer.add_relation(relation)
        return path


def keys(tags: Tags) -> Tags:
    """Write `addr__street` as `addr:street`."""
    return {key.replace("__", ":"): value for key, value in tags.items()}


def by_gdal(path: Path, layer: str) -> Iterator[tuple[str, int, Tags]]:
    """Read a layer with GDAL's own reader: kind of element, number, tags."""
    frame = pyogrio.read_dataframe(path, layer=layer, read_geometry=False, use_arrow=False)
    for row in frame.to_dict("records"):
        tags = {key: value for key, value in row.items() if isinstance(value, str)}
        other = tags.pop("other_tags", "")
        osm_id, way_id = tags.pop("osm_id", None), tags.pop("osm_way_id", None)
        tags |= {unescaped(key): unescaped(value) for key, value in _HSTORE.findall(other)}
        kind = {"points": "node", "lines": "way"}.get(layer, "way" if way_id else "relation")
        yield kind, int(way_id or osm_id or 0), tags


def unescaped(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\")
