"""Tile addresses of the web mercator pyramid (WebMercatorQuad): check, place, enumerate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gis.bbox import Bbox
from gis.errors import BadTile, NotFinite

MAX_ZOOM: Final = 22
"""Deepest level that is served: a tile is then 9.5 m wide at the equator."""

HALF_WORLD_M: Final = math.pi * 6378137.0
"""Half the width of the web mercator square, metres."""

MAX_LAT: Final = math.degrees(2 * math.atan(math.exp(math.pi)) - math.pi / 2)
"""Latitude where the web mercator square ends, 85.0511 degrees."""


@dataclass(frozen=True, order=True)
class Tile:
    """One tile: level, column from the west, row from the north.

    Raises `BadTile` when it is made with an address outside the pyramid, so that a
    `Tile` in hand is always a good one.

    >>> Tile(1, 2, 0)
    Traceback (most recent call last):
    gis.errors.BadTile: tile 1/2/0 lies outside its level: 2 columns and rows
    """

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not 0 <= self.z <= MAX_ZOOM:
            raise BadTile(f"zoom {self.z} is not within 0 and {MAX_ZOOM}", tile=self.path)
        if not (0 <= self.x < 1 << self.z and 0 <= self.y < 1 << self.z):
            raise BadTile(
                f"tile {self.path} lies outside its level: {1 << self.z} columns and rows",
                tile=self.path,
            )

    @property
    def path(self) -> str:
        """The address as it stands in a URL, ``z/x/y``."""
        return f"{self.z}/{self.x}/{self.y}"

    @property
    def envelope_3857(self) -> Bbox:
        """The tile's box in web mercator metres.

        >>> Tile(0, 0, 0).envelope_3857.east == HALF_WORLD_M
        True
        """
        size = 2 * HALF_WORLD_M / (1 << self.z)
        west = self.x * size - HALF_WORLD_M
        north = HALF_WORLD_M - self.y * size
        return Bbox(west, north - size, west + size, north)

    @property
    def envelope(self) -> Bbox:
        """The tile's box in degrees.

        >>> [round(edge, 3) for edge in Tile(12, 3414, 1701).envelope.bounds]
        [120.059, 29.075, 120.146, 29.152]
        """
        return Bbox(
            _lon(self.x, self.z),
            _lat(self.y + 1, self.z),
            _lon(self.x + 1, self.z),
            _lat(self.y, self.z),
        )

    def parent(self) -> Tile | None:
        """The tile of the level above that holds this one; None at the top."""
        return Tile(self.z - 1, self.x >> 1, self.y >> 1) if self.z else None

    def children(self) -> tuple[Tile, ...]:
        """The four tiles of the level below."""
        return tuple(
            Tile(self.z + 1, 2 * self.x + right, 2 * self.y + down)
            for down in (0, 1)
            for right in (0, 1)
        )


def tile_at(lon: float, lat: float, z: int) -> Tile:
    """Find the tile that holds a place; beyond the ends of the square the last row or column.

    >>> tile_at(120.0751, 29.3068, 12)
    Tile(z=12, x=3414, y=1698)
    """
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise NotFinite("a place without finite coordinates has no tile", value=f"{lon}, {lat}")
    if not 0 <= z <= MAX_ZOOM:
        raise BadTile(f"zoom {z} is not within 0 and {MAX_ZOOM}", tile=str(z))
    count = 1 << z
    phi = math.radians(min(MAX_LAT, max(-MAX_LAT, lat)))
    x = math.floor((lon + 180) / 360 * count)
    y = math.floor((1 - math.asinh(math.tan(phi)) / math.pi) / 2 * count)
    return Tile(z, min(count - 1, max(0, x)), min(count - 1, max(0, y)))


def tiles_over(box: Bbox, z: int) -> Iterator[Tile]:
    """Go through the tiles of a level that meet a box, row by row from the north-west.

    >>> len(list(tiles_over(Bbox(119.9, 29.1, 120.3, 29.5), 12)))
    30
    >>> [tile.path for tile in tiles_over(Bbox(170, -10, -170, 10), 1)]
    ['1/1/0', '1/1/1', '1/0/0', '1/0/1']
    """
    for part in box.parts():
        first = tile_at(part.west, part.north, z)
        last = tile_at(part.east, part.south, z)
        for y in range(first.y, last.y + 1):
            for x in range(first.x, last.x + 1):
                yield Tile(z, x, y)


def _lon(x: int, z: int) -> float:
    return x / (1 << z) * 360.0 - 180.0


def _lat(y: int, z: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / (1 << z)))))
