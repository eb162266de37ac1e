"""The front door for geometry from outside: nothing reaches GEOS or a table unchecked.

A nested body of 1.3 MiB ends the process in `shapely.from_geojson`, and PostGIS stores NaN
and longitude 500 without a word. So a text is measured before it is parsed, coordinates are
checked as numbers before a geometry is made, and every refusal names the place and the cause.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from gis.bbox import Bbox
from gis.errors import (
    InvalidGeometry,
    NotFinite,
    NullIsland,
    OutOfRange,
    SwappedCoordinates,
    TooDeep,
    TooManyVertices,
)
from gis.jsontext import load_json
from gis.shift import ShiftVerdict, looks_gcj02

__all__ = ["ShiftVerdict", "geometry", "load_json", "looks_gcj02", "point", "shape"]

Floats = NDArray[np.float64]

MAX_COLLECTION_DEPTH: Final = 3
MAX_VERTICES: Final = 50_000
_LEVELS: Final = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}


@dataclass(frozen=True)
class _Path:
    """Vertices that belong together and where they stand in the document."""

    place: str
    xy: Floats


def point(lon: object, lat: object, envelope: Bbox, *, place: str = "point") -> Point:
    """Check one place and make a point of it.

    Parameters
    ----------
    lon, lat : object
        What came in; only finite numbers pass.
    envelope : Bbox
        Where the city can be, degrees.
    place : str
        Name of the field, for the message.

    Raises
    ------
    NotFinite, NullIsland, SwappedCoordinates, OutOfRange

    Examples
    --------
    >>> city = Bbox(119.8, 29.0, 120.4, 29.6)
    >>> point(120.1, 29.3, city)
    <POINT (120.1 29.3)>
    >>> point(29.3, 120.1, city)
    Traceback (most recent call last):
    gis.errors.SwappedCoordinates: point: (29.3, 120.1) looks exchanged, meant (120.1, 29.3)?
    """
    return Point(position(lon, lat, envelope, place=place))


def position(
    lon: object, lat: object, envelope: Bbox, *, place: str = "point"
) -> tuple[float, float]:
    """Check one place as `point` does and return its numbers, which most callers store as such."""
    x, y = _number(lon, place), _number(lat, place)
    box = envelope
    if not (box.west <= x <= box.east and box.south <= y <= box.north):
        # Crosses the antimeridian, or is wrong: the long way knows which.
        _check_range([_Path(place, np.array([[x, y]]))], envelope)
    return x, y


def geometry(
    document: object,
    envelope: Bbox,
    *,
    kinds: Collection[str] = (),
    max_vertices: int = MAX_VERTICES,
    place: str = "geometry",
) -> BaseGeometry:
    """Check a GeoJSON geometry object and make a geometry of it.

    Parameters
    ----------
    document : object
        A parsed geometry object. Parse texts with `load_json`.
    envelope : Bbox
        Where the city can be, degrees.
    kinds : collection of str
        Geometry types that are asked for; all where empty.
    place : str
        Name of the field, for the message.

    Returns
    -------
    BaseGeometry
        Two-dimensional (heights are dropped), not empty, valid, wholly in the envelope.

    Raises
    ------
    InvalidGeometry, TooDeep, TooManyVertices, NotFinite, NullIsland, SwappedCoordinates, OutOfRange

    Examples
    --------
    >>> city = Bbox(119.8, 29.0, 120.4, 29.6)
    >>> geometry({"type": "LineString", "coordinates": [[120.1, 29.3], [120.2, 29.3, 7]]}, city)
    <LINESTRING (120.1 29.3, 120.2 29.3)>
    >>> geometry({"type": "Point", "coordinates": []}, city)
    Traceback (most recent call last):
    gis.errors.InvalidGeometry: geometry.coordinates: a position has 2 or 3 numbers
    """
    reader = _Reader(max_vertices)
    clean = reader.geometry(document, place)
    found = str(clean["type"])
    if kinds and found not in kinds:
        raise InvalidGeometry(
            f"{place}: a {found} came, asked for is {' or '.join(sorted(kinds))}",
            place=place,
            kind=found,
        )
    _check_range(reader.paths, envelope)
    return _checked_valid(_made(clean, place), place)


def form(
    document: object, *, max_vertices: int = MAX_VERTICES, place: str = "geometry"
) -> BaseGeometry:
    """Check the form of a GeoJSON geometry object alone: its system is not known yet.

    Where it lies and whether it is valid is for `shape` to check, after it was transformed.
    """
    return _made(_Reader(max_vertices).geometry(document, place), place)


def shape(
    given: BaseGeometry | None,
    envelope: Bbox,
    *,
    max_vertices: int = MAX_VERTICES,
    place: str = "geometry",
) -> BaseGeometry:
    """Check a geometry that a file's reader has made already; as `geometry` otherwise.

    >>> shape(Point(120.1, 500.0), Bbox(119.8, 29.0, 120.4, 29.6))
    Traceback (most recent call last):
    gis.errors.OutOfRange: geometry: (120.1, 500) lies outside 119.8, 29, 120.4, 29.6
    >>> shape(None, Bbox(119.8, 29.0, 120.4, 29.6))
    Traceback (most recent call last):
    gis.errors.InvalidGeometry: geometry: there is none
    """
    if given is None or given.is_empty:
        raise InvalidGeometry(f"{place}: there is none", place=place)
    _check_count(place, int(shapely.get_num_coordinates(given)), max_vertices)
    flat = shapely.force_2d(given)
    xy = shapely.get_coordinates(flat)
    if not np.isfinite(xy).all():
        raise NotFinite(f"{place}: a coordinate is not finite", place=place)
    _check_range([_Path(place, xy)], envelope)
    return _checked_valid(flat, place)


@dataclass
class _Reader:
    """Checks the form of one geometry object; keeps its vertices with their place."""

    limit: int
    paths: list[_Path] = field(default_factory=list)
    count: int = 0

    def geometry(self, document: object, place: str, level: int = 0) -> dict[str, Any]:
        """Return a geometry object with nothing in it that was not checked."""
        if not isinstance(document, Mapping):
            raise InvalidGeometry(f"{place}: a geometry is an object with a type", place=place)
        kind = document.get("type")
        if kind == "GeometryCollection":
            return self.collection(document, place, level)
        if not isinstance(kind, str) or kind not in _LEVELS:
            raise InvalidGeometry(
                f"{place}.type: no geometry type is called {str(kind)[:40]!r}", place=place
            )
        coordinates = self.positions(document.get("coordinates"), kind, f"{place}.coordinates")
        return {"type": kind, "coordinates": coordinates}

    def collection(self, document: Mapping[Any, Any], place: str, level: int) -> dict[str, Any]:
        if level >= MAX_COLLECTION_DEPTH:
            raise TooDeep(
                f"{place}: collections are nested deeper than {MAX_COLLECTION_DEPTH}",
                depth=level + 1,
                limit=MAX_COLLECTION_DEPTH,
            )
        members = document.get("geometries")
        if not isinstance(members, list) or not members:
            raise InvalidGeometry(
                f"{place}.geometries: a list of geometries is missing", place=place
            )
        read = [
            self.geometry(member, f"{place}.geometries[{at}]", level + 1)
            for at, member in enumerate(members)
        ]
        return {"type": "GeometryCollection", "geometries": read}

    def positions(self, value: object, kind: str, place: str) -> Any:
        """Return nested coordinates of a type with the vertices as arrays."""
        if kind == "Point":
            return self.path([value], place, least=1)[0]
        if not isinstance(value, list) or not value:
            raise InvalidGeometry(f"{place}: a list of positions is missing", place=place)
        if _LEVELS[kind] == 1:
            return self.path(value, place, least=1 if kind == "MultiPoint" else 2)
        if kind == "Polygon":
            return [self.ring(ring, f"{place}[{at}]") for at, ring in enumerate(value)]
        part = kind.removeprefix("Multi")
        return [self.positions(one, part, f"{place}[{at}]") for at, one in enumerate(value)]

    def ring(self, value: object, place: str) -> Floats:
        xy = self.path(value, place, least=4)
        if (xy[0] != xy[-1]).any():
            raise InvalidGeometry(f"{place}: the ring is not closed", place=place)
        return xy

    def path(self, value: object, place: str, *, least: int) -> Floats:
        if not isinstance(value, list) or len(value) < least:
            raise InvalidGeometry(f"{place}: needs at least {least} positions", place=place)
        self.count += len(value)
        _check_count(place, self.count, self.limit)
        xy = np.empty((len(value), 2))
        for at, position in enumerate(value):
            if not isinstance(position, list | tuple) or not 2 <= len(position) <= 4:
                raise InvalidGeometry(f"{place}: a position has 2 or 3 numbers", place=place)
            xy[at] = [_number(position[0], place), _number(position[1], place)]
        self.paths.append(_Path(place, xy))
        return xy


def _number(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating):
        raise NotFinite(f"{place}: {str(value)[:40]!r} is not a number", place=place)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise NotFinite(f"{place}: {number} is not finite", place=place, value=str(number))
    return number


def _check_count(place: str, count: int, limit: int) -> None:
    if count > limit:
        raise TooManyVertices(
            f"{place}: more than {limit} vertices", place=place, count=count, limit=limit
        )


def _check_range(paths: list[_Path], envelope: Bbox) -> None:
    """Refuse vertices outside the envelope and say what is probably wrong with them."""
    for path in paths:
        outside = ~_within(path.xy[:, 0], path.xy[:, 1], envelope)
        if not outside.any():
            continue
        lon, lat = (float(number) for number in path.xy[np.argmax(outside)])
        facts = {"place": path.place, "lon": lon, "lat": lat}
        if lon == 0 and lat == 0:
            raise NullIsland(f"{path.place}: (0, 0) is no place, the device knew none", **facts)
        if _within(path.xy[:, 1], path.xy[:, 0], envelope).all():
            raise SwappedCoordinates(
                f"{path.place}: ({lon:g}, {lat:g}) looks exchanged, meant ({lat:g}, {lon:g})?",
                **facts,
            )
        bounds = ", ".join(f"{bound:g}" for bound in envelope.bounds)
        raise OutOfRange(
            f"{path.place}: ({lon:g}, {lat:g}) lies outside {bounds}", **facts, envelope=bounds
        )


def _within(lon: Floats, lat: Floats, envelope: Bbox) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (lat >= envelope.south) & (lat <= envelope.north)
    if envelope.crosses_antimeridian:
        return inside & ((lon >= envelope.west) | (lon <= envelope.east))
    return inside & (lon >= envelope.west) & (lon <= envelope.east)


def _made(clean: dict[str, Any], place: str) -> BaseGeometry:
    try:
        made: BaseGeometry = shapely.geometry.shape(clean)
    except (ValueError, shapely.errors.GEOSException) as problem:
        raise InvalidGeometry(f"{place}: {problem}", place=place) from problem
    return made


def _checked_valid(made: BaseGeometry, place: str) -> BaseGeometry:
    if not made.is_valid:
        reason = shapely.is_valid_reason(made)
        raise InvalidGeometry(f"{place}: not valid: {reason}", place=place, reason=reason)
    return made
