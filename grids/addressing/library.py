"""The city's library of addresses for the geocoder: whole in memory for feeds, by look-ups for one text.

Both ways hold the names (some thousands) in memory and read them again when a table changed;
one text then costs one look-up of the index of streets and estates.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from grids.addressing.levels import Level
from grids.addressing.models import AddressAlias
from grids.addressing.names import Name, NameIndex
from grids.addressing.parser import normal_form
from grids.addressing.places import Doors, Key, Place, keys_of, plain_name
from grids.addressing.vocabulary import Vocabulary, area_names

SOURCES: Final = ("address", "address_name", "area", "city")
#: Doors of this many names at most are read for one text.
MOST_NAMES: Final = 120

_VERSION = text(
    "SELECT coalesce(string_agg(name || ':' || no || ':' || xmin, ' ' ORDER BY name), '')"
    " FROM source_version WHERE name = ANY(:names)"
)
_NAMES = text("""
    SELECT DISTINCT street AS name, true AS is_street FROM address WHERE street IS NOT NULL
    UNION
    SELECT DISTINCT estate, street IS NULL AND building IS NULL FROM address
    WHERE estate IS NOT NULL
""")
_PLACE = """
    SELECT id, code, text, street, number, estate, building, ST_X(geom) AS lon, ST_Y(geom) AS lat,
           area_code, plate_state AS state
    FROM address
"""
_ALL = text(_PLACE)
_AT = text(_PLACE + " WHERE street = ANY(:names) OR estate = ANY(:names)")
_ONE = text(_PLACE + " WHERE id = :id")


@dataclass(frozen=True)
class Names:
    """The names of a city at one version of its tables."""

    version: str
    vocabulary: Vocabulary
    index: NameIndex
    raw: Mapping[str, tuple[str, ...]]  #: normal form -> as the table writes it


_kept: dict[str, Names] = {}


def names_of(session: Session) -> Names:
    """Return the names, read anew only where a table has changed."""
    bind = str(session.get_bind().engine.url)
    version = str(session.scalar(_VERSION, {"names": list(SOURCES)}))
    kept = _kept.get(bind)
    if kept is None or kept.version != version:
        kept = _kept[bind] = _read_names(session, version)
    return kept


def _read_names(session: Session, version: str) -> Names:
    levels: dict[str, set[Level]] = defaultdict(set)
    raw: dict[str, set[str]] = defaultdict(set)
    names: list[Name] = []
    for row in session.execute(_NAMES):
        name = plain_name(row.name, is_street=row.is_street)
        if len(name.text) < 2:
            continue
        levels[name.text].add(Level.STREET if row.is_street else Level.ESTATE)
        raw[name.text].add(row.name)
        names.append(name)
    current = {(name.text, name.is_street) for name in names}
    for row in session.execute(
        text("SELECT level, old, new FROM address_name WHERE level <> 'number' ORDER BY changed_on")
    ):
        for is_street in (True, False):
            old = plain_name(row.old, is_street=is_street, now=row.new)
            if old.current in current and (old.text, is_street) not in current:
                names.append(old)
                levels[old.text].add(Level.STREET if is_street else Level.ESTATE)
    areas = session.execute(text("SELECT code, name_zh FROM area WHERE valid_to IS NULL"))
    county = session.scalar(text("SELECT county_code FROM city LIMIT 1")) or ""
    vocabulary = Vocabulary(
        str(county), area_names((row.code, row.name_zh) for row in areas),
        {name: frozenset(found) for name, found in levels.items()},
    )  # fmt: skip
    return Names(
        version, vocabulary, NameIndex(names), {key: tuple(ones) for key, ones in raw.items()}
    )


def _place(row: RowMapping) -> Place:
    return Place(**row)


def alias_digest(normal: str) -> bytes:
    """Return what a learned text is known by: its normal form, hashed."""
    return hashlib.blake2b(normal.encode(), digest_size=16).digest()


@dataclass
class LookedUp:
    """The library for one text: doors are read when a name is asked for."""

    session: Session
    names_now: Names
    _read: dict[Key, Doors] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session) -> LookedUp:
        """Open the library of a session's city."""
        return cls(session, names_of(session))

    @property
    def vocabulary(self) -> Vocabulary:
        """The names, for the parser."""
        return self.names_now.vocabulary

    @property
    def names(self) -> NameIndex:
        """The names, for what is written wrongly."""
        return self.names_now.index

    def doors(self, keys: Iterable[Key]) -> Mapping[Key, Doors]:
        """Return the addresses at these names."""
        asked = list(keys)[:MOST_NAMES]
        missing = [key for key in asked if key not in self._read]
        if missing:
            raw = [name for key in missing for name in self.names_now.raw.get(key[0], ())]
            found = grouped(map(_place, self.session.execute(_AT, {"names": raw}).mappings()))
            for key in missing:
                self._read[key] = found.get(key, Doors())
        return {key: self._read[key] for key in asked if self._read[key].places}

    def learned(self, said: str) -> tuple[bool, Place | None]:
        """Say what somebody once said of a text."""
        alias = self.session.get(AddressAlias, alias_digest(normal_form(said, self.vocabulary)))
        if alias is None:
            return False, None
        row = self.session.execute(_ONE, {"id": alias.address_id}).mappings().one_or_none()
        return True, None if row is None else _place(row)


@dataclass
class InMemory:
    """The whole library in memory, for batches."""

    names_now: Names
    at: dict[Key, Doors]
    aliases: dict[bytes, Place | None]

    @classmethod
    def of(cls, session: Session) -> InMemory:
        """Read the library of a session's city."""
        names = names_of(session)
        places = [_place(row) for row in session.execute(_ALL).mappings()]
        by_id = {place.id: place for place in places}
        aliases = session.execute(select(AddressAlias.digest, AddressAlias.address_id))
        return cls(
            names, grouped(places), {row.digest: by_id.get(row.address_id) for row in aliases}
        )

    @property
    def vocabulary(self) -> Vocabulary:
        """The names, for the parser."""
        return self.names_now.vocabulary

    @property
    def names(self) -> NameIndex:
        """The names, for what is written wrongly."""
        return self.names_now.index

    def doors(self, keys: Iterable[Key]) -> Mapping[Key, Doors]:
        """Return the addresses at these names."""
        return {key: self.at[key] for key in keys if key in self.at}

    def learned(self, said: str) -> tuple[bool, Place | None]:
        """Say what somebody once said of a text."""
        if not self.aliases:
            return False, None
        digest = alias_digest(normal_form(said, self.vocabulary))
        return digest in self.aliases, self.aliases.get(digest)


def grouped(places: Iterable[Place]) -> dict[Key, Doors]:
    """Put addresses together by the names that they lie at."""
    found: dict[Key, Doors] = defaultdict(Doors)
    for place in places:
        for key, door in keys_of(place):
            found[key].add(place, door)
    return dict(found)
