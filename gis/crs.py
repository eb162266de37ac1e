"""Coordinate reference systems: the one of storage, the metric one of a city, names and axes.

Everywhere in this package x is the longitude or easting and y the latitude or northing,
whatever the registry says; `Crs.registry_yx` keeps the fact for interfaces that must
follow the registry.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from gis.errors import NotFinite, UnknownCrs

STORAGE_SRID: Final = 4490
"""CGCS2000, longitude first: what every geometry column stores."""

CRS84_SRID: Final = 4326
"""The number under which PostGIS and GDAL know CRS84's datum."""

CRS84_URI: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

#: 3-degree Gauss-Krueger zones of CGCS2000 without zone prefix: 75, 78, ... 135 degrees east.
_GK_FIRST_SRID: Final = 4534
_GK_FIRST_MERIDIAN: Final = 75
_GK_ZONES: Final = 21

_EPSG_NAMES: Final = re.compile(
    r"""(?ix)^(?:
        epsg:+(?P<short>\d{4,6})
      | https?://www\.opengis\.net/def/crs/epsg/[\d.]+/(?P<uri>\d{4,6})
      | https?://www\.opengis\.net/gml/srs/epsg\.xml\#(?P<gml>\d{4,6})
      | urn:ogc:def:crs:epsg:[\d.]*:(?P<urn>\d{4,6})
      | \[epsg:(?P<curie>\d{4,6})\]
    )$"""
)
_CRS84_NAMES: Final = re.compile(
    r"""(?ix)^(?:
        (?:ogc:)?crs:?84
      | \[ogc:crs84\]
      | https?://www\.opengis\.net/def/crs/ogc/[\d.]+/crs84
      | urn:ogc:def:crs:ogc:[\d.]*:crs84
    )$"""
)


@dataclass(frozen=True)
class Crs:
    """A coordinate reference system that somebody named.

    Attributes
    ----------
    srid : int
        EPSG number; CRS84 has the number of its datum, 4326.
    uri : str
        The OGC name, as `Content-Crs` and `crs` members carry it.
    registry_yx : bool
        True where the registry puts latitude or northing first. Formats that ignore the
        registry (GeoJSON, PostGIS, Shapefile) stay x, y.
    is_geographic : bool
        True for degrees, False for metres.
    """

    srid: int
    uri: str
    registry_yx: bool
    is_geographic: bool


CRS84: Final = Crs(CRS84_SRID, CRS84_URI, registry_yx=False, is_geographic=True)


def parse_crs(text: str) -> Crs:
    """Read the name of a coordinate reference system.

    Parameters
    ----------
    text : str
        ``CRS84``, ``EPSG:4490``, an OGC URI, a URN or a safe CURIE.

    Raises
    ------
    UnknownCrs
        Where the name is not understood, PROJ does not know the number, or the system is
        not a two-dimensional geographic or projected one.

    Examples
    --------
    >>> parse_crs("EPSG:4549").srid
    4549
    >>> parse_crs("http://www.opengis.net/def/crs/OGC/1.3/CRS84").registry_yx
    False
    >>> parse_crs("urn:ogc:def:crs:EPSG::4326").registry_yx
    True
    >>> parse_crs("")
    Traceback (most recent call last):
    gis.errors.UnknownCrs: coordinate reference system '' is not known
    """
    name = text.strip()
    if _CRS84_NAMES.match(name):
        return CRS84
    found = _EPSG_NAMES.match(name)
    if found is None:
        raise UnknownCrs(f"coordinate reference system {name[:80]!r} is not known", crs=name[:80])
    return epsg(int(next(number for number in found.groups() if number)))


@lru_cache(maxsize=64)
def epsg(srid: int) -> Crs:
    """Look up the facts of an EPSG number; `UnknownCrs` where a map cannot use it."""
    try:
        known = CRS.from_epsg(srid)
    except CRSError as problem:
        raise UnknownCrs(f"EPSG:{srid} is not known", crs=f"EPSG:{srid}") from problem
    if len(known.axis_info) != 2 or not (known.is_geographic or known.is_projected):
        raise UnknownCrs(f"EPSG:{srid} is not a two-dimensional map system", crs=f"EPSG:{srid}")
    return Crs(
        srid=srid,
        uri=f"http://www.opengis.net/def/crs/EPSG/0/{srid}",
        registry_yx=known.axis_info[0].direction.lower() == "north",
        is_geographic=known.is_geographic,
    )


def metric_srid_for(lon: float, lat: float) -> int:
    """Choose the projected system in metres for a city.

    Parameters
    ----------
    lon, lat : float
        A place in the middle of the city, degrees.

    Returns
    -------
    int
        In China the CGCS2000 3-degree Gauss-Krueger zone without zone prefix (4534 to
        4554) whose registered area holds the place; elsewhere WGS 84 / UTM (326xx north,
        327xx south). "In China" is the registry's rectangle of the zone, which borders
        follow only roughly; both families are metric and conformal, so nothing breaks there.

    Examples
    --------
    >>> metric_srid_for(120.07, 29.31), metric_srid_for(114.06, 22.55)
    (4549, 4547)
    >>> metric_srid_for(9.52, 47.14), metric_srid_for(-51.2, -30.0)
    (32632, 32722)
    """
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise NotFinite("the middle of the city is not a finite place", value=f"{lon}, {lat}")
    zone = math.floor((lon - _GK_FIRST_MERIDIAN + 1.5) / 3)
    if 0 <= zone < _GK_ZONES:
        south, north = _latitudes_of(_GK_FIRST_SRID + zone)
        if south <= lat <= north:
            return _GK_FIRST_SRID + zone
    utm = min(60, max(1, math.floor((lon + 180) / 6) + 1))
    return (32600 if lat >= 0 else 32700) + utm


@cache
def _latitudes_of(srid: int) -> tuple[float, float]:
    area = CRS.from_epsg(srid).area_of_use
    return (area.south, area.north) if area else (90.0, -90.0)


@lru_cache(maxsize=64)
def transformer(source_srid: int, target_srid: int) -> Transformer:
    """Build once the transformation between two systems; x, y order on both sides.

    WGS 84 and CGCS2000 differ by decimetres at most and PROJ takes them as the same.
    """
    epsg(source_srid), epsg(target_srid)
    return Transformer.from_crs(source_srid, target_srid, always_xy=True)


def transform(points: ArrayLike, source_srid: int, target_srid: int) -> NDArray[np.float64]:
    """Transform points from one system to another.

    Parameters
    ----------
    points : array_like, shape (n, 2) or (2,), float64
        x, y.

    Returns
    -------
    ndarray, shape (n, 2), float64
        x, y; NaN where a coordinate is NaN or outside what the projection can do.

    Examples
    --------
    >>> transform([[120.0, 29.3]], 4490, 4549).round(2).tolist()
    [[500000.0, 3242520.8]]
    >>> transform([], 4490, 4549).shape
    (0, 2)
    """
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if source_srid == target_srid or not len(xy):
        return xy.copy()
    x, y = transformer(source_srid, target_srid).transform(xy[:, 0], xy[:, 1])
    out = np.column_stack([x, y])
    out[~np.isfinite(out).all(axis=1)] = np.nan
    return out


def to_metric(lonlat: ArrayLike, metric_srid: int) -> NDArray[np.float64]:
    """Project stored longitude and latitude, shape (n, 2), to metres, shape (n, 2)."""
    return transform(lonlat, STORAGE_SRID, metric_srid)


def from_metric(xy: ArrayLike, metric_srid: int) -> NDArray[np.float64]:
    """Turn metres, shape (n, 2), back into stored longitude and latitude, shape (n, 2)."""
    return transform(xy, metric_srid, STORAGE_SRID)
