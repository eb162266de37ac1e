"""One box for everything that has a place: cases, addresses, enterprises, grids, components,
areas, categories, and coordinates in any notation. Persons are never found here.

Names of areas, grids, places and categories answer to pinyin and its initials too, addresses and
enterprises to initials (`pinyin_initials`). Addresses and enterprises are found by pairs of
characters (`text_pairs`), for Chinese words are short; addresses by what the words may mean too
(`addressing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Text, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from gis.coordtext import read_place
from grids import scope
from grids.accounts import Actor
from grids.addressing.service import geocode
from grids.basemap import Place
from grids.buildings import Address
from grids.cells import TODAY, Grid, GridVersion
from grids.channels.numbers import case_number
from grids.city import City
from grids.codes import Category, find, search_key
from grids.components import Component
from grids.divisions import Area
from grids.enterprises import Enterprise
from grids.incidents.listing import is_open, worded
from grids.incidents.models import Incident

SHOWN: Final = 5
LONGEST: Final = 100
USCC_LENGTH: Final = 18
#: Two letters are the beginning of a third of all names.
LEAST_INITIALS: Final = 3
#: Of a common word so many matches are put in order; the rest would only make it slow.
WEIGHED: Final = 500
#: A bare serial number is looked for in the last days.
SERIAL_DAYS: Final = 7
SERIAL_DIGITS: Final = 6
PAIRS: Final[Any] = ARRAY(Text)
#: More than all lists together have.
MOST_LISTED: Final = 2000
#: What the desk calls what is found.
GROUPS: Final = {"incident": "case", "grid": "area", "place": "address"}


@dataclass(frozen=True)
class Hit:
    """One thing found: its kind, how to name it and where it is."""

    kind: str  #: incident, address, enterprise, grid, component, area, place, category, coordinate
    id: str
    name_zh: str
    name_en: str
    detail: str = ""
    lon: float | None = None
    lat: float | None = None


def search(session: Session, actor: Actor, words: str) -> list[Hit]:
    """Find what the words name in the caller's scope, a few of each kind.

    Areas, places and categories are found by name, pinyin or initials too.
    """
    words = words.strip()[:LONGEST]
    if not words:
        return []
    finders = (_incidents, _grids, _areas, _addresses, _enterprises, _components, _categories,
               _places)  # fmt: skip
    return [hit for find in finders for hit in find(session, actor, words)]


def _xy(model: Any) -> tuple[Any, Any]:
    point = func.ST_PointOnSurface(model.geom)
    return func.ST_X(point).label("lon"), func.ST_Y(point).label("lat")


def grouped(session: Session, actor: Actor, words: str) -> dict[str, list[Hit]]:
    """Find as `search` does, in groups as the desk shows them, coordinates and cases first.

    A case is found by its number, by the end of the number, and by words in it while it is open.
    """
    words = words.strip()[:LONGEST]
    found: dict[str, list[Hit]] = {}
    if not words:
        return found
    coordinates = list(_coordinates(session, words))
    hits = coordinates + ([] if coordinates else _cases_worded(session, actor, words))
    for hit in hits + ([] if coordinates else search(session, actor, words)):
        group = found.setdefault(GROUPS.get(hit.kind, hit.kind), [])
        if all(hit.id != other.id for other in group):
            group.append(hit)
    return {kind: group[: 2 * SHOWN] for kind, group in found.items()}


def _coordinates(session: Session, words: str) -> Iterator[Hit]:
    """Read the words as a place; the detail says in which notation."""
    city = session.scalar(select(City))
    if city is None or not any(sign.isdigit() for sign in words):
        return
    bounds = (city.west, city.south, city.east, city.north)
    for one in read_place(words, bounds, city.metric_srid):
        name = f"{one.lon:.6f}, {one.lat:.6f}"
        yield Hit(
            "coordinate", f"{one.notation}:{name}", name, name, one.notation, one.lon, one.lat
        )


def _incidents(session: Session, actor: Actor, words: str) -> list[Hit]:
    """Find cases by the beginning of the number, the public one, or its serial part of late."""
    words = case_number(words) or words
    if not actor.can("incident:view") or not words[:4].isdigit() or not words.isascii():
        return []
    low, high = scope.code_range(words)
    named: ColumnElement[bool] = (Incident.number >= low) & (Incident.number < high)
    if len(words) <= SERIAL_DIGITS and words.isdigit():
        named = or_(named, Incident.number.in_(_recent_numbers(session, words)))
    return _cases(session, actor, named, Incident.number.desc())


def _recent_numbers(session: Session, serial: str) -> list[str]:
    today = _today(session)
    days = (today - timedelta(days=ago) for ago in range(SERIAL_DAYS))
    return [f"{day:%Y%m%d}-{int(serial):0{SERIAL_DIGITS}d}" for day in days]


def _cases_worded(session: Session, actor: Actor, words: str) -> list[Hit]:
    """Find open cases by words in them, the newest first."""
    if not actor.can("incident:view") or len(words) < 2:
        return []
    return _cases(session, actor, [is_open(), *worded(words)], Incident.received_at.desc())


def _cases(session: Session, actor: Actor, named: Any, order: Any) -> list[Hit]:
    conditions = named if isinstance(named, list) else [named]
    rows = session.execute(
        select(Incident.id, Incident.number, Incident.address, *_xy(Incident))
        .where(scope.condition(actor, Incident), *conditions)
        .order_by(order)
        .limit(SHOWN)
    )
    return [
        Hit("incident", str(row.id), row.number, row.number, row.address, row.lon, row.lat)
        for row in rows
    ]


def holds(column: Any, words: str) -> list[Any]:
    """Say that a text holds the words: by their pairs, which have an index, then closely."""
    pairs = func.text_pairs(column, type_=PAIRS).contains(func.text_pairs(words, type_=PAIRS))
    return [pairs, column.icontains(words, autoescape=True)]


def spells(column: Any, words: str) -> list[Any]:
    """Say that a text holds words whose pinyin begins with these letters, and its figures."""
    initials = func.pinyin_initials(column, type_=Text())
    return holds(initials, words.lower())


def _is_spelt(words: str) -> bool:
    """Say whether words can be initials: letters and figures, a letter among the first two."""
    return (
        words.isascii() and words.isalnum() and len(words) >= LEAST_INITIALS
        and any(sign.isalpha() for sign in words[:2])
    )  # fmt: skip


def _addresses(session: Session, actor: Actor, words: str) -> list[Hit]:
    if len(words) < 2:
        return []
    named = spells(Address.text, words) if _is_spelt(words) else holds(Address.text, words)
    near = select(Address.id).where(scope.condition(actor, Address), *named).limit(WEIGHED)
    statement = (
        select(Address.id, Address.text, *_xy(Address))
        .where(Address.id.in_(near))
        .order_by(func.length(Address.text), Address.text)
        .limit(SHOWN)
    )
    held = [
        Hit("address", str(row.id), row.text, row.text, "", row.lon, row.lat)
        for row in session.execute(statement)
    ]
    meant = _meant(session, actor, words) if len(held) < SHOWN else []
    known = {hit.id for hit in held}
    return [*held, *(hit for hit in meant if hit.id not in known)][:SHOWN]


def _meant(session: Session, actor: Actor, words: str) -> list[Hit]:
    """Find the addresses that the words may mean: written otherwise, wrongly, by an old name."""
    return [
        Hit("address", str(one.address_id), one.text, one.text, "", one.lon, one.lat)
        for one in geocode(session, words).candidates
        if one.address_id is not None and scope.may_see(actor, one.area_code)
    ]


def _enterprises(session: Session, actor: Actor, words: str) -> list[Hit]:
    if not actor.can("enterprise:view") or len(words) < 2:
        return []
    is_code = len(words) == USCC_LENGTH and words.isalnum() and words.isascii()
    if is_code:
        named = [Enterprise.uscc == words.upper()]
    else:
        named = (spells if _is_spelt(words) else holds)(Enterprise.name, words)
    near = (
        select(Enterprise.id)
        .where(scope.condition(actor, Enterprise), Enterprise.valid_to.is_(None), *named)
        .limit(WEIGHED)
    )
    statement = (
        select(Enterprise.id, Enterprise.name, Enterprise.uscc, *_xy(Enterprise))
        .where(Enterprise.id.in_(near))
        .order_by(func.length(Enterprise.name), Enterprise.name)
        .limit(SHOWN)
    )
    return [
        Hit("enterprise", str(row.id), row.name, row.name, row.uscc or "", row.lon, row.lat)
        for row in session.execute(statement)
    ]


def _grids(session: Session, actor: Actor, words: str) -> list[Hit]:
    """Find duty grids by code, name or pinyin; shapes are read of those found only."""
    stands = GridVersion.valid.op("@>")(TODAY)
    rows = session.execute(
        select(Grid.code, Grid.name.label("name_zh"), literal("").label("name_en"))
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(stands, scope.in_areas(Grid.code, actor.areas))
        .order_by(func.length(Grid.name), Grid.code)
    )
    codes = [row.code for row in rows if row.code.startswith(words) or _is_named(row, words)]
    found = session.execute(
        select(Grid.code, Grid.name, *_xy(GridVersion))
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(stands, Grid.code.in_(codes[:SHOWN]))
        .order_by(func.length(Grid.name), Grid.code)
    )
    return [Hit("grid", row.code, row.name, row.name, row.code, row.lon, row.lat) for row in found]


def _components(session: Session, actor: Actor, words: str) -> list[Hit]:
    if len(words) < 6 or not words.isdigit():
        return []
    statement = (
        select(Component.identifier, Category.name_zh, Category.name_en, *_xy(Component))
        .outerjoin(
            Category,
            (Category.code_system == Component.code_system)
            & (Category.kind == "component")
            & (Category.code == Component.code),
        )
        .where(
            scope.condition(actor, Component),
            *_prefixed(Component.identifier, words),
        )
        .order_by(Component.identifier)
        .limit(SHOWN)
    )
    return [
        Hit("component", row.identifier, row.name_zh or row.identifier,
            row.name_en or row.identifier, row.identifier, row.lon, row.lat)
        for row in session.execute(statement)
    ]  # fmt: skip


def _areas(session: Session, actor: Actor, words: str) -> list[Hit]:
    """Find areas by code, name or pinyin; shapes are read of those found only."""
    rows = session.execute(
        select(Area.code, Area.name_zh, Area.name_en)
        .where(Area.valid_to.is_(None), scope.in_areas(Area.code, actor.areas))
        .order_by(Area.level, Area.code)
    )
    codes = [row.code for row in rows if row.code == words or _is_named(row, words)][:SHOWN]
    found = session.execute(
        select(Area.code, Area.name_zh, Area.name_en, *_xy(Area))
        .where(Area.valid_to.is_(None), Area.code.in_(codes))
        .order_by(Area.level, Area.code)
    )
    return [
        Hit("area", row.code, row.name_zh, row.name_en, row.code, row.lon, row.lat) for row in found
    ]


def _places(session: Session, _actor: Actor, words: str) -> list[Hit]:
    """Named places of the base map: public, but what lies outside the city is not in it."""
    rows = session.execute(
        select(Place.id, Place.name.label("name_zh"), Place.name_en, *_xy(Place)).order_by(
            Place.rank, Place.id
        )
    )
    named = [row for row in rows if _is_named(row, words)]
    return [
        Hit("place", str(row.id), row.name_zh, row.name_en or row.name_zh, "", row.lon, row.lat)
        for row in named[:SHOWN]
    ]


def _prefixed(column: Any, prefix: str) -> list[Any]:
    """Say that a code begins so, as a range: unlike LIKE it uses the index of the code."""
    low, high = scope.code_range(prefix)
    return [column >= low, column < high]


def _today(session: Session) -> date:
    zone = ZoneInfo(session.scalar(select(City.city_zone)) or "UTC")
    return datetime.now(zone).date()


def _is_named(row: Any, words: str) -> bool:
    return words.lower() in _key(row.name_zh, row.name_en or "")


@lru_cache(maxsize=20_000)
def _key(name_zh: str, name_en: str) -> str:
    return search_key(name_zh, name_en)


def _categories(session: Session, _actor: Actor, words: str) -> list[Hit]:
    found = categories(session, kind="matter", words=words)[:SHOWN]
    return [Hit("category", item.code, item.name_zh, item.name_en, item.code) for item in found]


def categories(session: Session, *, kind: str, words: str = "") -> list[Category]:
    """List the categories that a case or component can have, by code, name, pinyin or initials.

    The order is that of `codes.find`; without words that of the lists.
    """
    kinds = (kind,) if kind else ()
    found = find(session, words, on=_today(session), kinds=kinds, most=MOST_LISTED)
    categories = [one.category for one in found if one.category.valid_to is None]
    if not words.strip():
        categories.sort(key=lambda one: (one.kind, one.sort, one.code))
    return categories
