"""Outlines that are not valid: what is wrong and where, and what they become when repaired."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

_AREAS: Final = (3, 6)
#: What GEOS says -> the kind of flaw.
_KINDS: Final = {
    "self-intersection": "crosses",
    "ring self-intersection": "touches",
    "hole lies outside shell": "hole_outside",
    "holes are nested": "holes_nested",
    "nested shells": "parts_nested",
    "nested holes": "holes_nested",
    "duplicate rings": "rings_twice",
    "interior is disconnected": "disconnected",
    "too few points in geometry component": "too_few",
    "ring is not closed": "too_few",
}
_REASON: Final = re.compile(
    r"(?P<words>[A-Za-z -]+?)\s*\[(?P<x>[-+0-9.e]+)\s+(?P<y>[-+0-9.e]+)", re.IGNORECASE
)


@dataclass(frozen=True)
class Flaw:
    """What is wrong with a shape, and the corner where it shows.

    Attributes
    ----------
    kind : str
        One of the values of the table above; ``other`` for what is not listed there.
    x, y : float
        In the system of the shape; of a shape without a corner to name, its first one.
    """

    kind: str
    x: float
    y: float


def flaw_of(shape: BaseGeometry) -> Flaw | None:
    """Say why a shape is not valid; None where it is.

    >>> flaw_of(shapely.from_wkt("POLYGON((0 0, 2 2, 2 0, 0 2, 0 0))"))
    Flaw(kind='crosses', x=1.0, y=1.0)
    >>> flaw_of(shapely.box(0, 0, 1, 1)) is None
    True
    """
    reason = str(shapely.is_valid_reason(shape))
    if reason == "Valid Geometry":
        return None
    found = _REASON.match(reason)
    if found is None:
        corners = shapely.get_coordinates(shape)[:1].tolist() or [[0.0, 0.0]]
        return Flaw("other", *corners[0])
    kind = _KINDS.get(found["words"].strip().lower(), "other")
    return Flaw(kind, float(found["x"]), float(found["y"]))


def repaired(shape: BaseGeometry) -> BaseGeometry | None:
    """Return the ground that an outline means: parts that cross become parts of their own.

    GEOS's MakeValid by "structure": ground that is drawn twice counts once, where "linework" would
    take it for none; a hole that lies outside becomes a part. None where no ground is left, and for
    what is no outline.

    >>> repaired(shapely.from_wkt("POLYGON((0 0, 2 2, 2 0, 0 2, 0 0))")).area
    2.0
    >>> repaired(shapely.from_wkt("POLYGON((0 0, 1 1, 0 0))")) is None
    True
    """
    if shapely.get_type_id(shape) not in _AREAS:
        return None
    made = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    parts = shapely.get_parts(shapely.get_parts(made))
    areas = parts[(shapely.get_type_id(parts) == _AREAS[0]) & ~shapely.is_empty(parts)]
    if not len(areas):
        return None
    whole: BaseGeometry = areas[0] if len(areas) == 1 else shapely.multipolygons(areas)
    return whole


def drawn(shape: BaseGeometry, *, most_corners: int) -> list[list[list[float]]]:
    """Return the rings of an outline as it is drawn, 7 decimals, thinned where it has many corners."""
    count = shapely.get_num_coordinates(shape)
    step = -(-count // most_corners)
    rings = []
    for part in shapely.get_parts(shape):
        for ring in shapely.get_rings(part):
            corners = shapely.get_coordinates(ring).round(7).tolist()
            rings.append(corners[::step] if len(corners) > 4 * step else corners)
    return rings
