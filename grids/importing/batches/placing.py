"""Where the rows of a table lie: from columns, pairs, WKT, shapes or addresses to the storage CRS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.coordtext import read_place
from gis.crs import STORAGE_SRID, to_metric, transform
from gis.gcj02 import TO_WGS84
from gis.guard import MAX_VERTICES
from gis.repair import Flaw, drawn, flaw_of, repaired
from grids.city import City
from grids.importing.batches.targets import Shapes
from grids.normal import Unfit, clean, figure

Floats = NDArray[np.float64]
#: Rule -> Source of the coordinates, as `coord_source` has it.
_SOURCES: Final = {"gcj02": "gcj02", "bd09": "bd09"}
_POINT, _POLYGON, _MULTIPOINT, _MULTIPOLYGON = 0, 3, 4, 6
_LONGEST_WKT: Final = 200_000
#: Corners of an outline in the preview of a repair, and outlines of a batch that are drawn there.
_DRAWN_CORNERS: Final = 400
DRAWN: Final = 50


@dataclass
class Placed:
    """The shapes of some rows in the storage system, and what is wrong where there is none."""

    shapes: NDArray[np.object_]
    problems: dict[int, Unfit] = field(default_factory=dict)  #: place in the block -> rule
    notes: dict[int, Unfit] = field(default_factory=dict)  #: the same of what was repaired


@dataclass
class Repairs:
    """Whether outlines that are not valid are repaired, and how many more are drawn for people."""

    is_on: bool = False
    left: int = DRAWN


@dataclass(frozen=True)
class Frame:
    """What places are read against: the city's envelope and the system that was stated."""

    west: float
    south: float
    east: float
    north: float
    metric_srid: int
    crs: str  #: EPSG:n, gcj02, bd09

    @classmethod
    def of(cls, city: City, crs: str) -> Frame:
        """Take the envelope of the city."""
        return cls(city.west, city.south, city.east, city.north, city.metric_srid, crs)

    @property
    def coord_source(self) -> str:
        """Say how the coordinates came, as registers keep it."""
        return _SOURCES.get(self.crs, "survey")

    def home(self, xy: Floats) -> Floats:
        """Bring coordinates of the stated system to the storage system; NaN where they cannot."""
        if self.crs in TO_WGS84:
            return np.asarray(TO_WGS84[self.crs](xy), dtype=np.float64)
        return transform(xy, int(self.crs.removeprefix("EPSG:")), STORAGE_SRID)

    def holds(self, lonlat: Floats) -> NDArray[np.bool_]:
        """Say which places are finite and within the city's envelope."""
        finite = np.asarray(np.isfinite(lonlat).all(axis=1), dtype=np.bool_)
        finite[finite] = self.inside(lonlat[finite])
        return finite

    def inside(self, lonlat: Floats) -> NDArray[np.bool_]:
        """Say which places lie within the city's envelope."""
        lon, lat = lonlat[:, 0], lonlat[:, 1]
        found: NDArray[np.bool_] = (
            (lon >= self.west) & (lon <= self.east) & (lat >= self.south) & (lat <= self.north)
        )
        return found


def of_columns(lon: Sequence[str], lat: Sequence[str], frame: Frame) -> Placed:
    """Read two columns of figures; a row where both are empty has no shape and no problem."""
    xy = np.full((len(lon), 2), np.nan)
    problems: dict[int, Unfit] = {}
    wanted = np.zeros(len(lon), dtype=bool)
    for at, pair in enumerate(zip(lon, lat, strict=True)):
        if not pair[0] and not pair[1]:
            continue
        wanted[at] = True
        try:
            xy[at] = float(pair[0]), float(pair[1])
        except ValueError:
            try:
                xy[at] = _angle(pair[0]), _angle(pair[1])
            except Unfit as error:
                problems[at] = error
    return _points(xy, wanted, problems, frame)


def _angle(text: str) -> float:
    """Read one coordinate: a figure with signs around it, or degrees, minutes and seconds."""
    if not text:
        raise Unfit("half_a_place")
    plain = clean(text).strip("EWNSewns东经西北纬南:° ")
    parts = plain.replace("°", " ").replace("度", " ").replace("′", " ").replace("'", " ")
    parts = parts.replace("分", " ").replace("″", " ").replace('"', " ").replace("秒", " ")
    figures = parts.split()
    if not 1 <= len(figures) <= 3:
        raise Unfit("not_a_coordinate")
    try:
        numbers = [figure(one) for one in figures]
    except Unfit:
        raise Unfit("not_a_coordinate") from None
    return float(sum(number / 60**at for at, number in enumerate(numbers)))


def of_pairs(texts: Sequence[str], frame: Frame) -> Placed:
    """Read a column of whole places, as people write them: the notation says the system."""
    xy = np.full((len(texts), 2), np.nan)
    problems: dict[int, Unfit] = {}
    wanted = np.zeros(len(texts), dtype=bool)
    bounds = (frame.west, frame.south, frame.east, frame.north)
    shifted = {"gcj02": "gcj02", "bd09": "bd09"}.get(frame.crs, "degrees")
    for at, text in enumerate(texts):
        if not text:
            continue
        wanted[at] = True
        found = read_place(text[:100], bounds, frame.metric_srid)
        ways = {one.notation: one for one in found}
        best = ways.get(shifted) or (found[0] if found else None)  # type: ignore[call-overload]
        if best is None:
            problems[at] = Unfit("not_a_coordinate")
        else:
            xy[at] = best.lon, best.lat
    return _points(xy, wanted, problems, Frame(*bounds, frame.metric_srid, f"EPSG:{STORAGE_SRID}"))


def of_wkt(texts: Sequence[str], frame: Frame, shapes: Shapes, repairs: Repairs) -> Placed:
    """Read a column of WKT."""
    made = np.full(len(texts), None, dtype=object)
    problems: dict[int, Unfit] = {}
    for at, text in enumerate(texts):
        if not text:
            continue
        body = text.partition(";")[2] if text.upper().startswith("SRID=") else text
        if len(text) > _LONGEST_WKT:
            problems[at] = Unfit("too_many_vertices")
            continue
        try:
            made[at] = shapely.from_wkt(body)
        except (shapely.errors.GEOSException, ValueError, TypeError):
            problems[at] = Unfit("not_wkt")
    return _checked(made, problems, frame, shapes, repairs)


def of_wkb(wkb: Sequence[bytes | None], frame: Frame, shapes: Shapes, repairs: Repairs) -> Placed:
    """Take the geometries that a file brings."""
    # A place that is NaN or infinite is found below; GEOS would warn of it on the way.
    with np.errstate(invalid="ignore"):
        made = np.asarray(
            shapely.from_wkb(np.array(wkb, dtype=object), on_invalid="ignore"), dtype=object
        )
    problems = {at: Unfit("damaged_shape") for at, one in enumerate(made)
                if one is None and wkb[at] is not None}  # fmt: skip
    return _checked(made, problems, frame, shapes, repairs)


def _points(
    xy: Floats, wanted: NDArray[np.bool_], problems: dict[int, Unfit], frame: Frame
) -> Placed:
    finite = np.isfinite(xy).all(axis=1)
    home = np.full_like(xy, np.nan)
    home[finite] = frame.home(xy[finite])
    good = frame.holds(home)
    for at in np.flatnonzero(wanted & ~good).tolist():
        if at not in problems:
            problems[at] = _cause(xy[at], frame)
    shapes = np.full(len(xy), None, dtype=object)
    if good.any():
        shapes[good] = shapely.points(home[good])
    return Placed(shapes, problems)


def _cause(given: Floats, frame: Frame) -> Unfit:
    """Say why a place is not taken, and what was probably meant."""
    x, y = (f"{value:.7g}" for value in given.tolist())
    if not np.isfinite(given).all():
        return Unfit("not_finite")
    if not given.any():
        return Unfit("null_island")
    turned = frame.home(given[None, ::-1])
    if np.isfinite(turned).all() and frame.inside(turned)[0]:
        return Unfit("swapped", x=x, y=y)
    is_degrees = abs(given[0]) <= 180 and abs(given[1]) <= 180
    if frame.crs in TO_WGS84 or frame.crs in ("EPSG:4326", "EPSG:4490"):
        if not is_degrees:
            return Unfit("not_degrees", x=x, y=y)
    elif is_degrees:
        return Unfit("degrees", x=x, y=y)
    return Unfit("outside", x=x, y=y)


def _checked(
    made: NDArray[np.object_], problems: dict[int, Unfit], frame: Frame, shapes: Shapes,
    repairs: Repairs,
) -> Placed:  # fmt: skip
    """Transform shapes and refuse what is not finite, outside, not valid or of another kind."""
    there = np.array([one is not None for one in made], dtype=bool)
    out = np.full(len(made), None, dtype=object)
    notes: dict[int, Unfit] = {}
    for at in np.flatnonzero(there).tolist():
        if at in problems:
            continue
        try:
            shape = _one(made[at], frame, shapes)
            flaw = None if shapely.is_valid(shape) else flaw_of(shape)
            if flaw is not None:
                shape, notes[at] = _repaired(shape, flaw, frame, repairs)
            out[at] = _as_stored(shape, shapes)
        except Unfit as error:
            problems[at] = error
    return Placed(out, problems, notes)


def _one(given: Any, frame: Frame, shapes: Shapes) -> Any:
    if given.is_empty:
        raise Unfit("empty_shape")
    if shapely.get_num_coordinates(given) > MAX_VERTICES:
        raise Unfit("too_many_vertices")
    flat = shapely.force_2d(given)
    kind = shapely.get_type_id(flat)
    if kind == _MULTIPOINT and shapely.get_num_geometries(flat) == 1:
        flat, kind = shapely.get_geometry(flat, 0), _POINT
    if (shapes == "point" and kind != _POINT) or (
        shapes == "outline" and kind not in (_POLYGON, _MULTIPOLYGON)
    ):
        raise Unfit("other_shape", found=flat.geom_type)
    xy = shapely.get_coordinates(flat)
    if not np.isfinite(xy).all():
        raise Unfit("not_finite")
    home = frame.home(xy)
    good = frame.holds(home)
    if not good.all():
        worst = int(np.argmin(good))
        raise _cause(xy[worst], frame)
    return shapely.set_coordinates(flat, home)


def _as_stored(shape: Any, shapes: Shapes) -> Any:
    is_single = shapely.get_type_id(shape) == _POLYGON
    return shapely.multipolygons([shape]) if shapes == "outline" and is_single else shape


def _repaired(shape: Any, flaw: Flaw, frame: Frame, repairs: Repairs) -> tuple[Any, Unfit]:
    """Return what a shape becomes, with what is told of it; refuse it unless repair was chosen.

    Either way both areas are told, and of the first ones both outlines: nobody repairs unseen.
    """
    found = repaired(shape)
    told: dict[str, Any] = {"flaw": flaw.kind, "lon": round(flaw.x, 6), "lat": round(flaw.y, 6)}
    if shapely.get_dimensions(shape) == 2:
        told["area_m2"] = _area_m2(shape, frame)
        told["repaired_m2"] = 0.0 if found is None else _area_m2(found, frame)
        if repairs.left > 0:
            repairs.left -= 1
            told["before"] = drawn(shape, most_corners=_DRAWN_CORNERS)
            told["after"] = [] if found is None else drawn(found, most_corners=_DRAWN_CORNERS)
    if found is None or not repairs.is_on:
        raise Unfit("not_valid", **told)
    return found, Unfit("repaired", **told)


def _area_m2(shape: Any, frame: Frame) -> float:
    # Both corner by corner: bending long sides first would mend half of what is not valid unseen.
    metric = shapely.transform(shape, lambda xy: to_metric(xy, frame.metric_srid))
    return round(float(metric.area), 1)
