"""Coordinates as people write them: decimal or sexagesimal, either order, metric, shifted.

A text names a place in one or two ways: what a commercial map of China shows is shifted
(GCJ-02, BD-09), and a bare pair of figures does not say which it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from gis.crs import from_metric
from gis.gcj02 import bd09_to_wgs84, gcj02_to_wgs84

Notation = Literal["degrees", "dms", "metric", "gcj02", "bd09"]
Bounds = tuple[float, float, float, float]

LONGEST: Final = 100
#: Degrees around the city in which a place still counts as meant.
MARGIN: Final = 0.5

_NUMBER: Final = r"[-+]?\d+(?:\.\d+)?"
_PAIR: Final = re.compile(rf"({_NUMBER})\s*[°度]?\s*(?:[,，;；/、\s])\s*({_NUMBER})\s*[°度]?")
_DMS: Final = re.compile(
    r"(\d{1,3})\s*[°度]\s*(?:(\d{1,2}(?:\.\d+)?)\s*['′’分]\s*)?(?:(\d{1,2}(?:\.\d+)?)\s*(?:\"|″|”|''|秒)\s*)?"
)
_EAST: Final = re.compile(r"东经|[eE]|经度|lon(?:gitude)?\s*[:=：]?", re.IGNORECASE)
_NORTH: Final = re.compile(r"北纬|[nN]|纬度|lat(?:itude)?\s*[:=：]?", re.IGNORECASE)
_SHIFTED: Final = (
    ("gcj02", re.compile(r"^\s*(?:gcj-?02|火星|高德|amap)\s*[:：]?\s*", re.IGNORECASE)),
    ("bd09", re.compile(r"^\s*(?:bd-?09(?:ll)?|百度|baidu)\s*[:：]?\s*", re.IGNORECASE)),
    ("degrees", re.compile(r"^\s*(?:wgs-?84|cgcs-?2000|国家2000)\s*[:：]?\s*", re.IGNORECASE)),
)


@dataclass(frozen=True)
class Reading:
    """One way to read a text: a place in longitude and latitude, and how it was written."""

    lon: float
    lat: float
    notation: Notation


def read_place(text: str, bounds: Bounds, metric_srid: int) -> list[Reading]:
    """Read the place that a text names, near a city.

    Parameters
    ----------
    bounds : west, south, east, north
        Of the city, degrees; what lies farther than half a degree from it is not meant.
    metric_srid : int
        The city's own zone, for figures in metres (either order, with or without its number).

    Returns
    -------
    list of Reading
        The likeliest first; empty where the text is no place. A bare pair of degrees is read
        as it stands and, second, as a commercial map's.

    Examples
    --------
    >>> city = (120.0, 29.2, 120.3, 29.5)
    >>> [(r.lon, r.lat, r.notation) for r in read_place("29.3, 120.05", city, 4549)][:1]
    [(120.05, 29.3, 'degrees')]
    >>> [round(r.lon, 4) for r in read_place("东经120°3′0″ 北纬29°18′", city, 4549)]
    [120.05]
    >>> read_place("中山路 88 号", city, 4549)
    []
    """
    text = text.strip()[:LONGEST]
    said: str | None = None
    for name, head in _SHIFTED:
        if head.match(text):
            said, text = name, head.sub("", text, count=1)
            break
    if (found := _dms(text, bounds)) is not None:
        return [Reading(*found, "dms")]
    match = _PAIR.fullmatch(_bare(text))
    if match is None:
        return []
    first, second = float(match[1]), float(match[2])
    if max(abs(first), abs(second)) > 180:
        return _metric(first, second, bounds, metric_srid)
    pair = _in_order(first, second, bounds)
    if pair is None:
        return []
    if said is not None:
        return [_unshifted(pair, said)]
    return [Reading(*pair, "degrees"), _unshifted(pair, "gcj02")]


def _bare(text: str) -> str:
    """Take the words for east and north off a pair of figures."""
    return _NORTH.sub("", _EAST.sub("", text.strip("()（）[] "))).strip()


def _in_order(first: float, second: float, bounds: Bounds) -> tuple[float, float] | None:
    """Return the pair as longitude and latitude, whichever order lies near the city."""
    return next(
        (pair for pair in ((first, second), (second, first)) if _is_near(*pair, bounds)), None
    )


def _is_near(lon: float, lat: float, bounds: Bounds) -> bool:
    west, south, east, north = bounds
    return west - MARGIN <= lon <= east + MARGIN and south - MARGIN <= lat <= north + MARGIN


def _dms(text: str, bounds: Bounds) -> tuple[float, float] | None:
    """Read two angles in degrees, minutes and seconds."""
    if "°" not in text and "度" not in text:
        return None
    angles = [
        int(degrees) + float(minutes or 0) / 60 + float(seconds or 0) / 3600
        for degrees, minutes, seconds in _DMS.findall(text)
    ]
    return _in_order(angles[0], angles[1], bounds) if len(angles) == 2 else None


def _metric(first: float, second: float, bounds: Bounds, metric_srid: int) -> list[Reading]:
    """Read metres of the city's zone; an easting may begin with the number of the zone."""
    for east, north in ((first, second), (second, first)):
        for easting in {east, east % 1_000_000}:
            if not (0 < easting < 1_000_000 and 0 < north < 10_000_000):
                continue
            lon, lat = from_metric(np.array([[easting, north]]), metric_srid)[0]
            if np.isfinite(lon) and _is_near(float(lon), float(lat), bounds):
                return [Reading(round(float(lon), 8), round(float(lat), 8), "metric")]
    return []


def _unshifted(pair: tuple[float, float], said: str) -> Reading:
    if said == "degrees":
        return Reading(*pair, "degrees")
    turned = gcj02_to_wgs84([pair]) if said == "gcj02" else bd09_to_wgs84([pair])
    lon, lat = (round(float(value), 8) for value in np.asarray(turned)[0])
    return Reading(lon, lat, "gcj02" if said == "gcj02" else "bd09")
