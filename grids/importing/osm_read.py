"""Stream an OpenStreetMap file: every element once, with its geometry, in bounded memory."""

from __future__ import annotations

import struct
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import osmium
from osmium.filter import KeyFilter
from osmium.geom import WKBFactory

from grids.errors import GridsError
from grids.importing.osm_rows import Element, rows_of
from grids.importing.osm_tags import KEYS

#: Larger files keep the places of their nodes on disk.
MEMORY_INDEX_BYTES = 300 * 2**20
#: Nodes that are looked at to find out where on Earth the city lies.
SAMPLE = 100_000
T = TypeVar("T")
_AREA_RELATIONS = ("multipolygon", "boundary")


class UnreadablePbf(GridsError):
    """The file is not an OpenStreetMap extract, or it ends before its end."""

    code = "import.unreadable_pbf"


class EmptyExtract(GridsError):
    """The file has no place in it that could make a city."""

    code = "import.empty"


@dataclass
class Losses:
    """What could not become a row, by table and reason."""

    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    ways_cut: int = 0  #: ways that lost nodes which the file does not have


def centre_of(path: Path) -> tuple[float, float]:
    """Find the middle of a file from its first nodes; raises `UnreadablePbf`, `EmptyExtract`."""

    def sample() -> Iterator[tuple[float, float]]:
        nodes: Iterator[Any] = iter(osmium.FileProcessor(str(path), osmium.osm.NODE))
        for node in islice(nodes, SAMPLE):
            if node.location.valid():
                yield node.location.lon, node.location.lat

    places = np.array(list(_guarded(path, sample)), dtype=np.float64).reshape(-1, 2)
    if not len(places):
        raise EmptyExtract(f"{path.name} has no node with a place", file=path.name)
    lon, lat = np.median(places, axis=0)
    return float(lon), float(lat)


def elements(path: Path, losses: Losses) -> Iterator[Element]:
    """Yield the elements that tags make interesting; raises `UnreadablePbf`.

    Ways lose the nodes that the file does not have; relations whose outline is not whole in
    the file are counted in `losses`, for the rows that they would have become.
    """
    with tempfile.TemporaryDirectory() as folder:
        storage = "flex_mem"
        if path.stat().st_size > MEMORY_INDEX_BYTES:
            storage = f"sparse_file_array,{folder}/nodes"

        def stream() -> Iterator[Element]:
            # Filters keep most nodes away from Python.
            processor = (
                osmium.FileProcessor(str(path))
                .with_locations(storage)
                .with_areas(KeyFilter(*KEYS))
                .with_filter(KeyFilter(*KEYS))
            )
            yield from _Reader(losses).read(processor)

        yield from _guarded(path, stream)


def _guarded(path: Path, stream: Callable[[], Iterator[T]]) -> Iterator[T]:
    try:
        yield from stream()
    except (RuntimeError, OSError) as problem:
        raise UnreadablePbf(
            f"{path.name} cannot be read as OpenStreetMap data: {problem}", file=path.name
        ) from problem


class _Reader:
    """Turns what osmium yields into elements."""

    def __init__(self, losses: Losses) -> None:
        self.losses = losses
        self.factory = WKBFactory()
        self.whole: set[int] = set()  #: relations that came as areas
        self.waiting: dict[int, dict[str, str]] = {}

    def read(self, processor: Any) -> Iterator[Element]:
        for thing in processor:
            if thing.is_node():
                element = self._node(thing)
            elif thing.is_way():
                element = self._way(thing)
            elif thing.is_area():
                element = None if thing.from_way() else self._area(thing)
            else:
                self._relation(thing)
                continue
            if element is not None:
                yield element
        for osm_id, tags in self.waiting.items():
            if osm_id not in self.whole:
                self._lose("relation", osm_id, tags, "outline not whole in the file")

    def _node(self, node: Any) -> Element | None:
        tags = dict(node.tags)
        if not node.location.valid():
            self._lose("node", node.id, tags, "no place")
            return None
        point = struct.pack("<BIdd", 1, 1, node.location.lon, node.location.lat)
        return Element("node", node.id, tags, point, None)

    def _way(self, way: Any) -> Element | None:
        tags = dict(way.tags)
        line: bytes | None
        try:
            line = bytes.fromhex(self.factory.create_linestring(way))
        except (osmium.InvalidLocationError, RuntimeError):
            line = self._rest_of(way)
        if line is None:
            self._lose("way", way.id, tags, "fewer than two places in the file")
            return None
        # The ring of a polygon is the line itself: only the head of the WKB differs.
        corners = struct.unpack_from("<I", line, 5)[0]
        outline = None
        if way.is_closed() and corners >= 4 and line[9:25] == line[-16:]:
            outline = struct.pack("<BII", 1, 3, 1) + line[5:]
        return Element("way", way.id, tags, line, outline)

    def _rest_of(self, way: Any) -> bytes | None:
        places = [(n.lon, n.lat) for n in way.nodes if n.location.valid()]
        kept = [at for n, at in enumerate(places) if n == 0 or at != places[n - 1]]
        if len(kept) < 2:
            return None
        self.losses.ways_cut += 1
        flat = [axis for at in kept for axis in at]
        return struct.pack(f"<BII{len(flat)}d", 1, 2, len(kept), *flat)

    def _area(self, area: Any) -> Element | None:
        tags = dict(area.tags)
        osm_id = area.orig_id()
        self.whole.add(osm_id)
        try:
            shape = bytes.fromhex(self.factory.create_multipolygon(area))
        except RuntimeError:
            self._lose("relation", osm_id, tags, "rings do not close")
            return None
        return Element("relation", osm_id, tags, shape, shape)

    def _relation(self, relation: Any) -> None:
        tags = dict(relation.tags)
        if tags.get("type") in _AREA_RELATIONS:
            self.waiting[relation.id] = tags
        else:
            self._lose("relation", relation.id, tags, "a relation without an outline")

    def _lose(self, kind: str, osm_id: int, tags: dict[str, str], reason: str) -> None:
        """Count the rows that an element would have become."""
        for table, _ in rows_of(Element(kind, osm_id, tags, b"", b"" if kind == "node" else b"x")):
            self.losses.skipped[table, reason] += 1
