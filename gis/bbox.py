"""Bounding boxes: read from a request, checked, and cut at the antimeridian."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import shapely
from shapely.geometry import Polygon

from gis.errors import BadBbox

_TEXT_LIMIT: Final = 400


@dataclass(frozen=True)
class Bbox:
    """A box between two meridians and two parallels; bounds belong to it.

    `west` > `east` means that it crosses the antimeridian (RFC 7946, 5.2). In a projected
    system the four numbers are metres and west is always the smaller.
    """

    west: float
    south: float
    east: float
    north: float

    @property
    def crosses_antimeridian(self) -> bool:
        """Say whether the box goes over 180 degrees."""
        return self.west > self.east

    @property
    def width(self) -> float:
        """Distance from west to east in the box's own unit."""
        return self.east - self.west + (360.0 if self.crosses_antimeridian else 0.0)

    @property
    def height(self) -> float:
        """Distance from south to north in the box's own unit."""
        return self.north - self.south

    def parts(self) -> tuple[Bbox, ...]:
        """Cut the box at the antimeridian: one box, or the two on either side.

        >>> [part.bounds for part in Bbox(170, -20, -170, 0).parts()]
        [(170, -20, 180.0, 0), (-180.0, -20, -170, 0)]
        """
        if not self.crosses_antimeridian:
            return (self,)
        return (
            Bbox(self.west, self.south, 180.0, self.north),
            Bbox(-180.0, self.south, self.east, self.north),
        )

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return (self.west, self.south, self.east, self.north)

    def contains(self, lon: float, lat: float) -> bool:
        """Say whether a place lies in the box or on its border; NaN lies nowhere."""
        if not self.south <= lat <= self.north:
            return False
        if self.crosses_antimeridian:
            return lon >= self.west or lon <= self.east
        return self.west <= lon <= self.east

    def expanded(self, margin: float) -> Bbox:
        """Grow the box by the same number of units on every side."""
        return Bbox(
            self.west - margin, self.south - margin, self.east + margin, self.north + margin
        )

    def polygons(self) -> list[Polygon]:
        """Give the box as one polygon, or two where it crosses the antimeridian."""
        return [shapely.box(*part.bounds) for part in self.parts()]


WORLD: Final = Bbox(-180.0, -90.0, 180.0, 90.0)


def parse_bbox(text: str | Sequence[object], *, geographic: bool = True) -> Bbox:
    """Read a bounding box of four or six numbers.

    Parameters
    ----------
    text : str or sequence
        ``west,south,east,north`` or, with heights, ``west,south,low,east,north,high``;
        heights are checked and dropped.
    geographic : bool
        Degrees: longitude within 180, latitude within 90, and west > east is a box over
        the antimeridian. Otherwise any finite numbers with west <= east.

    Raises
    ------
    BadBbox
        Naming what is wrong.

    Examples
    --------
    >>> parse_bbox("120.0,29.2,120.2,29.4")
    Bbox(west=120.0, south=29.2, east=120.2, north=29.4)
    >>> parse_bbox([120, 29, 0, 121, 30, 50]).bounds
    (120.0, 29.0, 121.0, 30.0)
    >>> parse_bbox("")
    Traceback (most recent call last):
    gis.errors.BadBbox: bbox has 0 numbers, needs 4 or 6
    """
    numbers = _numbers(text)
    if len(numbers) not in (4, 6):
        raise BadBbox(f"bbox has {len(numbers)} numbers, needs 4 or 6", count=len(numbers))
    if len(numbers) == 6:
        if numbers[2] > numbers[5]:
            raise BadBbox("bbox starts above where it ends", value=_shown(numbers))
        numbers = [*numbers[0:2], *numbers[3:5]]
    box = Bbox(*numbers)
    if box.south > box.north:
        raise BadBbox(
            f"bbox south {box.south:g} is above north {box.north:g}", value=_shown(numbers)
        )
    if geographic:
        _check_degrees(box)
    elif box.west > box.east:
        raise BadBbox(f"bbox west {box.west:g} is beyond east {box.east:g}", value=_shown(numbers))
    return box


def _numbers(text: str | Sequence[object]) -> list[float]:
    if isinstance(text, str):
        if len(text) > _TEXT_LIMIT:
            raise BadBbox(f"bbox is longer than {_TEXT_LIMIT} characters", value=text[:40])
        text = text.split(",") if text.strip() else []
    try:
        numbers = [float(str(part)) for part in text]
    except ValueError as problem:
        raise BadBbox("bbox holds something that is no number", value=str(text)[:80]) from problem
    if not all(map(math.isfinite, numbers)):
        raise BadBbox("bbox holds a number that is not finite", value=_shown(numbers))
    return numbers


def _check_degrees(box: Bbox) -> None:
    if max(abs(box.west), abs(box.east)) > 180 or max(abs(box.south), abs(box.north)) > 90:
        raise BadBbox(
            "bbox reaches beyond 180 degrees of longitude or 90 of latitude",
            value=_shown(box.bounds),
        )


def _shown(numbers: Iterable[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


def bbox_of(bounds: Iterable[tuple[float, float, float, float]]) -> Bbox | None:
    """Join boxes into the one around them all; None where there are none.

    >>> bbox_of([(0, 0, 1, 1), (2, -1, 3, 0)])
    Bbox(west=0, south=-1, east=3, north=1)
    >>> bbox_of([]) is None
    True
    """
    rows = list(bounds)
    if not rows:
        return None
    west, south, east, north = zip(*rows, strict=True)
    return Bbox(min(west), min(south), max(east), max(north))
