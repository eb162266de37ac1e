"""Guess the time zone of a place from the table of zones that comes with the tz database."""

from __future__ import annotations

import re
from importlib.resources import files

import numpy as np

from gis.measure import haversine_m

#: Sign, degrees, minutes and perhaps seconds: +4030, -0101423 (ISO 6709).
_ANGLE = re.compile(r"([+-])(\d{2,3})(\d{2})(\d{2})?(?=[+-]|$)")


def zone_near(lon: float, lat: float) -> str:
    """Name the zone whose principal place is nearest; near borders of zones it can be wrong.

    Where the table is missing, the zone is the fixed offset of the longitude.
    """
    table = files("tzdata").joinpath("zoneinfo", "zone1970.tab")
    if not table.is_file():
        return fixed_offset(lon)
    names, places = [], []
    for line in table.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            _, where, name, *_ = line.split("\t")
            names.append(name)
            places.append(_place(where))
    far = haversine_m(np.array(places), np.array([[lon, lat]] * len(places)))
    return names[int(np.argmin(far))]


def fixed_offset(lon: float) -> str:
    """Name the zone of whole hours at a longitude. Its sign is the other way round (POSIX)."""
    hours = round(lon / 15)
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"


def _place(text: str) -> tuple[float, float]:
    lat, lon = (
        float(sign + "1") * (int(degrees) + int(minutes) / 60 + int(seconds or 0) / 3600)
        for sign, degrees, minutes, seconds in _ANGLE.findall(text)
    )
    return lon, lat
