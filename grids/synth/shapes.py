"""Shapes that the city is drawn with: waves, rounded rings, blobs, oriented boxes, splits."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import split

Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]


class Waves:
    """A smooth random field: a sum of plane waves, between about -1 and 1."""

    def __init__(self, rng: np.random.Generator, wavelength_m: float, count: int = 7) -> None:
        turn = rng.uniform(0, 2 * np.pi, count)
        number = 2 * np.pi / (wavelength_m * rng.uniform(0.7, 1.6, count))
        self._k = np.column_stack([np.cos(turn) * number, np.sin(turn) * number])
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._norm = np.sqrt(2 / count) / 1.6

    def __call__(self, xy: Floats) -> Floats:
        """Evaluate at points, shape (n, 2)."""
        out: Floats = np.sin(xy @ self._k.T + self._phase).sum(axis=1) * self._norm
        return out


def rotation(angle: float) -> Floats:
    """Matrix that turns row vectors by an angle: `points @ rotation(a)`."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s], [-s, c]])


def ring(
    rng: np.random.Generator, radius_m: float, *, square: float, angle: float, wobble: float
) -> Floats:
    """Draw a closed rounded ring around the origin, shape (n, 2), first point repeated.

    `square` 2 is a circle, 4 nearly a square; `wobble` is the share by which it strays.
    """
    count = max(48, int(radius_m / 12))
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    r = (np.abs(np.cos(turn)) ** square + np.abs(np.sin(turn)) ** square) ** (-1 / square)
    for order in (2, 3, 5):
        r = r * (1 + wobble / order * np.cos(order * turn + rng.uniform(0, 2 * np.pi)))
    points = np.column_stack([np.cos(turn), np.sin(turn)]) * (r * radius_m)[:, None]
    closed = np.vstack([points, points[:1]])
    return closed @ rotation(angle)


def blob(rng: np.random.Generator, x: float, y: float, radius_m: float, wobble: float) -> Polygon:
    """Draw a roundish polygon."""
    points = ring(rng, radius_m, square=2.0, angle=0.0, wobble=wobble)[::3]
    stretch = np.array([rng.uniform(0.85, 1.25), rng.uniform(0.8, 1.1)])
    return Polygon(points * stretch @ rotation(rng.uniform(0, np.pi)) + (x, y))


def boxes(centres: Floats, sizes: Floats, angles: Floats) -> Geometries:
    """Build oriented rectangles; all arrays have n rows, sizes are (length, depth)."""
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]])
    local = corners[None] * sizes[:, None, :]
    c, s = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x = local[..., 0] * c - local[..., 1] * s + centres[:, 0, None]
    y = local[..., 0] * s + local[..., 1] * c + centres[:, 1, None]
    out: Geometries = np.asarray(shapely.polygons(np.stack([x, y], axis=-1)), dtype=object)
    return out


def main_direction(polygon: BaseGeometry) -> tuple[float, float, float]:
    """Return angle, length and width of the smallest rectangle around a polygon."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(polygon))
    if len(corners) < 5:
        return 0.0, 0.0, 0.0
    sides = np.diff(corners[:3], axis=0)
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    long = int(np.argmax(lengths))
    angle = float(np.arctan2(sides[long, 1], sides[long, 0]))
    return angle, float(lengths[long]), float(lengths[1 - long])


def polygons_of(geometry: BaseGeometry | None) -> list[Polygon]:
    """List the polygons in a geometry, whatever its type."""
    if geometry is None:
        return []
    parts: list[Any] = shapely.get_parts(shapely.get_parts(geometry)).tolist()
    return [part for part in parts if isinstance(part, Polygon) and not part.is_empty]


def lines_of(geometry: BaseGeometry | None) -> list[LineString]:
    """List the lines in a geometry, whatever its type."""
    if geometry is None:
        return []
    parts: list[Any] = shapely.get_parts(shapely.get_parts(geometry)).tolist()
    return [part for part in parts if isinstance(part, LineString) and not part.is_empty]


def enclosed(lines: BaseGeometry) -> list[Polygon]:
    """List what noded lines enclose."""
    faces: list[Any] = shapely.get_parts(shapely.polygonize([lines])).tolist()
    return faces


def largest(geometry: BaseGeometry) -> Polygon:
    """Return the largest polygon of a geometry; an empty polygon where it has none."""
    return max(polygons_of(geometry), key=lambda part: part.area, default=Polygon())


def as_points(xy: Floats) -> Geometries:
    """Build points, shape (n,), from coordinates, shape (n, 2)."""
    out: Geometries = np.asarray(shapely.points(xy), dtype=object)
    return out


def as_multi(geometry: BaseGeometry) -> MultiPolygon:
    """Gather the polygons of a geometry into one multi-polygon."""
    return MultiPolygon(polygons_of(geometry))


def cut_up(
    polygon: Polygon, rng: np.random.Generator, *, target_m2: float, jitter: float
) -> list[LineString]:
    """Cut a polygon by chords across its long axis until its parts are of the wanted size.

    Returns the chords, longest cuts first. `jitter` is how far a chord turns, radians.
    """
    chords: list[LineString] = []
    waiting = [polygon]
    while waiting:
        part = waiting.pop()
        if part.area < target_m2 * rng.uniform(0.9, 1.9):
            continue
        chord = _chord(part, rng, jitter)
        if chord is None:
            continue
        pieces = polygons_of(split(part, chord))
        if len(pieces) < 2 or min(piece.area for piece in pieces) < 0.18 * target_m2:
            continue
        chords += [line for line in lines_of(chord.intersection(part)) if line.length > 8]
        waiting += pieces
    return chords


def _chord(part: Polygon, rng: np.random.Generator, jitter: float) -> LineString | None:
    angle, length, _width = main_direction(part)
    if length < 20:
        return None
    middle = shapely.get_coordinates(part.centroid)[0]
    along = np.array([np.cos(angle), np.sin(angle)])
    turned = angle + np.pi / 2 + rng.normal(0, jitter)
    across = np.array([np.cos(turned), np.sin(turned)])
    at = middle + along * length * rng.uniform(-0.08, 0.08)
    bend = along * length * rng.normal(0, jitter * 0.12)
    reach = across * length * 2
    return LineString([at - reach, at - reach * 0.02 + bend, at + reach])
