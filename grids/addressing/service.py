"""The geocoder: from a text to standard addresses, from a point to the address there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.addressing.levels import Level
from grids.addressing.library import InMemory, LookedUp
from grids.addressing.match import Match, match
from grids.divisions import Area
from grids.scope import in_areas

#: An address further away does not name the place any more.
NEAR_M: Final = 150.0
MOST_NEAR: Final = 3


@dataclass(frozen=True, slots=True)
class Here:
    """A standard address near a point."""

    address_id: int
    code: str
    text: str
    distance_m: float
    is_inside: bool  #: the point lies in the building of this address
    lon: float
    lat: float
    area_code: str


_HERE = text("""
    WITH here AS (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4490) AS geom),
    inside AS (
      SELECT b.address_id FROM building AS b, here
      WHERE ST_Intersects(b.geom, here.geom) AND b.address_id IS NOT NULL
      ORDER BY b.area_m2, b.id LIMIT 1
    ), near AS (
      SELECT a.id FROM address AS a, here
      WHERE a.plate_state = 'in_use' ORDER BY a.geom <-> here.geom LIMIT :most
    ), found AS (SELECT address_id AS id, true AS is_inside FROM inside
                 UNION ALL SELECT id, false FROM near)
    SELECT DISTINCT ON (a.id) a.id AS address_id, a.code, a.text,
           ST_DistanceSphere(a.geom, here.geom) AS distance_m, f.is_inside,
           ST_X(a.geom) AS lon, ST_Y(a.geom) AS lat, a.area_code
    FROM found AS f JOIN address AS a USING (id), here ORDER BY a.id, f.is_inside DESC
""")
_LEVELS = {6: Level.COUNTY, 9: Level.TOWN, 12: Level.COMMUNITY}


def geocode(
    session: Session, words: str, *, near: tuple[float, float] | None = None, area: str = ""
) -> Match:  # fmt: skip
    """Find the addresses that a text may mean, the likeliest first, with the reasons.

    `near` prefers what is close to a point (longitude, latitude); `area` limits to a code.
    """
    return match(words, LookedUp.of(session), near=near, area=area)


def geocode_many(session: Session, texts: Iterable[str], *, area: str = "") -> Iterator[Match]:
    """Find the addresses of many texts, in their order, with the library in memory.

    For feeds: reading 400,000 addresses takes some seconds and about half a gigabyte, then a
    text costs less than a millisecond and no statement.
    """
    library = InMemory.of(session)
    for words in texts:
        yield match(words, library, area=area)


def addresses_at(session: Session, lon: float, lat: float) -> list[Here]:
    """Return the address whose building holds the point, then the nearest within `NEAR_M`."""
    rows = session.execute(_HERE, {"lon": lon, "lat": lat, "most": MOST_NEAR}).all()
    found = [Here(*row) for row in rows if row.is_inside or row.distance_m <= NEAR_M]
    return sorted(found, key=lambda one: (not one.is_inside, one.distance_m))


def filled(session: Session, area_code: str) -> dict[Level, str]:
    """Return the levels that follow from where a point lies: county, town, community."""
    codes = [area_code[:digits] for digits in _LEVELS if len(area_code) >= digits]
    rows = session.query(Area.code, Area.name_zh).filter(in_areas(Area.code, tuple(codes[:1])))
    names = {row.code: row.name_zh for row in rows.filter(Area.code.in_(codes))}
    return {_LEVELS[len(code)]: names[code] for code in codes if code in names}


def geocode_list(session: Session, texts: Iterable[str]) -> list[Match]:
    """Find the addresses of some hundred texts; each name is looked up once."""
    library = LookedUp.of(session)
    return [match(words, library) for words in texts]
