"""What people call a place: the nearest address of a point, and the point of an address."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from grids.addressing.match import SURE
from grids.addressing.service import geocode
from grids.cells import Grid
from grids.divisions import Area

#: An address further away does not name the place any more.
NEAR_M = 150.0
#: Digits of a county.
WHOLE: Final = 6
#: How far off a place may be: a door of which the geocoder is sure, or something of its street.
DOOR_M, STREET_M = 30.0, 300.0


BOUNDS = text("""
    WITH shape AS (
      SELECT geom FROM area WHERE code = ANY(:codes) AND valid_to IS NULL
      UNION ALL
      SELECT v.geom FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id
      WHERE g.code = ANY(:codes) AND v.valid @> (SELECT city_today())
    ), box AS (SELECT ST_Extent(geom) AS box FROM shape)
    SELECT ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north
    FROM box
""")


#: What somebody answers for, as one shape: a phone asks it where there is no network. A metre and a
#: half is less than any phone knows of where it is.
OUTLINE = text("""
    WITH shape AS (
      SELECT geom FROM area WHERE code = ANY(:codes) AND valid_to IS NULL
      UNION ALL
      SELECT v.geom FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id
      WHERE g.code = ANY(:codes) AND v.valid @> (SELECT city_today())
    )
    SELECT ST_AsGeoJSON(ST_SimplifyPreserveTopology(ST_Union(geom), 0.000015), 6) FROM shape
""")


@dataclass(frozen=True)
class Nearby:
    """Where a point lies, in people's words."""

    address: str | None  #: the nearest one within `NEAR_M`
    distance_m: float | None
    area_code: str  #: deepest known: grid 15, community 12, town 9 or county 6 digits
    grid_name: str | None
    area_zh: str  #: town and community
    area_en: str


@dataclass(frozen=True)
class Found:
    """A place that a text names; `accuracy_m` is how far off it may be."""

    lon: float
    lat: float
    accuracy_m: float
    label_zh: str
    label_en: str


NEAR = text("""
    WITH here AS (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4490) AS geom)
    SELECT l.area_code, g.name AS grid_name, a.text AS address, a.distance_m
    FROM here CROSS JOIN LATERAL link_place(here.geom) AS l
    LEFT JOIN grid AS g ON g.id = l.grid_id
    LEFT JOIN LATERAL (
      SELECT near.text, ST_DistanceSphere(near.geom, here.geom) AS distance_m
      FROM address AS near ORDER BY near.geom <-> here.geom LIMIT 1
    ) AS a ON true
""")

# The deepest area whose name stands in the text; somewhere inside it, and how wide it is.
FIND_AREA = text("""
    SELECT name_zh, name_en, ST_X(p) AS lon, ST_Y(p) AS lat, sqrt(ST_Area(geom::geography)) AS wide
    FROM (
      SELECT name_zh, name_en, geom, level, ST_PointOnSurface(geom) AS p FROM area
      WHERE valid_to IS NULL AND level > 6
        AND (strpos(:words, name_zh) > 0 OR strpos(lower(:words), lower(name_en)) > 0)
      ORDER BY level DESC, length(name_zh) DESC, code LIMIT 1
    ) AS best
""")


def near(session: Session, lon: float, lat: float) -> Nearby:
    """Name the place of a point: the nearest address, the duty grid, town and community."""
    row = session.execute(NEAR, {"lon": lon, "lat": lat}).one()
    is_near = row.distance_m is not None and row.distance_m <= NEAR_M
    zh, en = area_names(session, row.area_code)
    return Nearby(
        address=row.address if is_near else None,
        distance_m=round(row.distance_m, 1) if is_near else None,
        area_code=row.area_code,
        grid_name=row.grid_name,
        area_zh=zh,
        area_en=en,
    )


def area_names(session: Session, code: str) -> tuple[str, str]:
    """Join the names of town and community of a code, in Chinese and in English."""
    codes = [code[:length] for length in (9, 12) if len(code) >= length]
    rows = session.scalars(select(Area).where(Area.code.in_(codes)).order_by(Area.level)).all()
    return "".join(row.name_zh for row in rows), ", ".join(row.name_en for row in reversed(rows))


def names_of(session: Session, codes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the names of grids and areas, in Chinese and in English, in the order of codes."""
    known = names_by_code(session, codes)
    return [known[code] for code in codes if code in known]


def names_by_code(session: Session, codes: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return the names of grids and areas, in Chinese and in English; unknown codes are left out."""
    areas = session.execute(
        select(Area.code, Area.name_zh, Area.name_en).where(Area.code.in_(codes))
    ).all()
    grids = session.execute(select(Grid.code, Grid.name).where(Grid.code.in_(codes))).all()
    known = {row.code: (row.name_zh, row.name_en) for row in areas}
    return known | {row.code: (row.name, row.name) for row in grids}


def bounds_of(session: Session, codes: tuple[str, ...]) -> tuple[float, float, float, float] | None:
    """Return west, south, east and north of grids and areas; None where none is known."""
    row = session.execute(BOUNDS, {"codes": list(codes)}).one()
    return None if row.west is None else (row.west, row.south, row.east, row.north)


def outline_of(session: Session, codes: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the shape of grids and areas as a geometry of GeoJSON (CGCS2000), simplified a little.

    Returns None where none is known, and where a whole county is meant: nothing lies elsewhere.
    """
    if any(len(code) <= WHOLE for code in codes):
        return None
    told = session.scalar(OUTLINE, {"codes": list(codes)})
    return json.loads(told) if told else None


def find(session: Session, words: str) -> Found | None:
    """Find the point that a text names: an address, else the town or village in it.

    Returns None where neither is known; whoever asked must then say more.
    """
    words = " ".join(words.split())
    if not words:
        return None
    found = geocode(session, words)
    best = found.best
    if best is not None:
        is_door = best.score >= SURE and best.kind in ("door", "building")
        accuracy_m = DOOR_M if is_door else STREET_M
        return Found(best.lon, best.lat, accuracy_m, best.text, best.text)
    if found.parsed.is_outside:
        return None
    area = session.execute(FIND_AREA, {"words": words}).one_or_none()
    if area is None:
        return None
    return _found(area, area.name_zh, area.name_en, float(area.wide) / 2)


def _found(row: Row[tuple[object, ...]], zh: str, en: str, accuracy_m: float) -> Found:
    return Found(row.lon, row.lat, accuracy_m, zh, en)
