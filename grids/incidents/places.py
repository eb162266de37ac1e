"""The place of a report: checked at the front door, unshifted where it was declared shifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geoalchemy2 import WKTElement
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis import guard
from gis.bbox import Bbox
from gis.errors import GisError, OutOfRange, ShiftedCoordinates
from gis.gcj02 import TO_WGS84
from grids.city import City
from grids.db import STORAGE_SRID
from grids.divisions import Area
from grids.errors import Invalid
from grids.incidents.errors import OutsideCity

COORD_SOURCES: Final = ("gnss", "map_click", "survey", "derived", "gcj02", "bd09")


class UnknownCoordSource(Invalid):
    """The kind of coordinates is not one that is known."""

    code = "incident.unknown_coord_source"


@dataclass(frozen=True)
class Place:
    """A point in the storage system, and what came in where that was shifted."""

    lon: float
    lat: float
    raw: tuple[float, float] | None = None

    def element(self) -> WKTElement:
        """Return the point for a geometry column."""
        return WKTElement(f"POINT({self.lon!r} {self.lat!r})", srid=STORAGE_SRID)


def place_of(city: City, lon: float, lat: float, source: str) -> Place:
    """Return the place of a report or a step after the guard has seen it.

    Coordinates declared as GCJ-02 or BD-09 are unshifted and kept as they came as well.
    Raises `GisError` kinds: not finite, exchanged, (0, 0), outside, or outside while inside
    once unshifted (`ShiftedCoordinates`).
    """
    if source not in COORD_SOURCES:
        raise UnknownCoordSource(f"no coordinate source {source!r}", field="coord_source")
    try:
        return _checked(_envelope(city), lon, lat, source)
    except GisError as error:
        error.params.setdefault("field", "point")
        raise


def _checked(envelope: Bbox, lon: float, lat: float, source: str) -> Place:
    if source in TO_WGS84:
        true_lon, true_lat = _unshifted(lon, lat, source)
        guard.position(true_lon, true_lat, envelope)
        return Place(true_lon, true_lat, raw=(lon, lat))
    try:
        guard.position(lon, lat, envelope)
    except OutOfRange as outside:
        for shift in TO_WGS84:
            if _is_inside(envelope, *_unshifted(lon, lat, shift)):
                raise _shifted(shift) from outside
        raise
    return Place(lon, lat)


def require_inside(session: Session, place: Place, area_code: str) -> None:
    """Check that a place which no town covers still lies in the county.

    `link_place` gives the county's code to whatever no area covers. Raises `OutsideCity`, or
    `ShiftedCoordinates` where the unshifted place would lie inside.
    """
    if len(area_code) > 6 or _is_covered(session, place.lon, place.lat):
        return
    if place.raw is None:
        for shift in TO_WGS84:
            true_lon, true_lat = _unshifted(place.lon, place.lat, shift)
            if (true_lon, true_lat) != (place.lon, place.lat) and _is_covered(
                session, true_lon, true_lat
            ):
                raise _shifted(shift)
    raise OutsideCity("the place lies outside the city", field="point")


def _shifted(shift: str) -> ShiftedCoordinates:
    return ShiftedCoordinates(
        f"the place is outside the city, but inside if it is {shift}: say so in coord_source",
        shift=shift,
        field="point",
    )


def _unshifted(lon: float, lat: float, shift: str) -> tuple[float, float]:
    (true_lon, true_lat), *_ = TO_WGS84[shift]([[lon, lat]]).tolist()
    return true_lon, true_lat


def _envelope(city: City) -> Bbox:
    return Bbox(city.west, city.south, city.east, city.north)


def _is_inside(box: Bbox, lon: float, lat: float) -> bool:
    return box.west <= lon <= box.east and box.south <= lat <= box.north


def _is_covered(session: Session, lon: float, lat: float) -> bool:
    point = Place(lon, lat).element()
    covers = select(Area.code).where(Area.valid_to.is_(None), func.ST_Covers(Area.geom, point))
    return session.scalar(covers.limit(1)) is not None
