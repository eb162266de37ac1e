"""Addresses as the geocoder reads them: by the name that they lie at, by their door."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Protocol

from grids.addressing.grammar import NUMBERED
from grids.addressing.names import Name, NameIndex
from grids.addressing.normal import normal_text
from grids.addressing.vocabulary import Vocabulary

#: A name and whether it is a street (or village), whose doors have numbers.
Key = tuple[str, bool]
_MAIN: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Place:
    """One standard address."""

    id: int
    code: str
    text: str
    street: str | None
    number: str | None
    estate: str | None
    building: str | None
    lon: float
    lat: float
    area_code: str
    state: str = "in_use"


@dataclass
class Doors:
    """All addresses at one name, by the key of their door."""

    by_key: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    places: list[Place] = field(default_factory=list)

    def add(self, place: Place, key: str) -> None:
        """Take one address."""
        self.places.append(place)
        self.by_key[key].append(place)


class Gazetteer(Protocol):
    """What the matching asks of a library of addresses."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The names, for the parser."""
        ...

    @property
    def names(self) -> NameIndex:
        """The names, for what is written wrongly."""
        ...

    def doors(self, keys: Iterable[Key]) -> Mapping[Key, Doors]:
        """Return the addresses at these names."""
        ...

    def learned(self, said: str) -> tuple[bool, Place | None]:
        """Say what somebody once said of a text: whether, and which address (None for none)."""
        ...


@lru_cache(maxsize=50_000)
def number_key(number: str | None) -> str:
    """Return the normal form of a door number: 12号, 12-1号, 257弄31号; empty for none."""
    if not number:
        return ""
    text = normal_text(number)
    found = NUMBERED.fullmatch(text)
    if found is None:
        return text
    said = found.groupdict()
    if said["lane"]:
        return said["lane"] + (f"{said['lane_no']}号" if said["lane_no"] else "")
    if said["plate"]:
        sub = said["sub"] or said["sub2"]
        return f"{said['plate']}-{sub}号" if sub else f"{said['plate']}号"
    return f"{said['bare'] or said['hash'] or text}号"


@lru_cache(maxsize=50_000)
def building_key(building: str | None) -> str:
    """Return the normal form of a building: 5幢 for 5栋, 5座, 5号楼, 5#; empty for none."""
    if not building:
        return ""
    text = normal_text(building)
    found = NUMBERED.fullmatch(text)
    if found is None:
        return text
    said = found.groupdict()
    word = said["building"] or said["hash"] or said["bare"] or (said["plate"] or "")
    return f"{word}幢" if word else text


def main_number(key: str) -> int | None:
    """Return the first number of a door: 12 of 12-1号."""
    found = _MAIN.match(key)
    return int(found.group()) if found else None


def keys_of(place: Place) -> Iterator[tuple[Key, str]]:
    """Yield the names that an address lies at, each with the key of its door there."""
    if place.street:
        yield (normal_text(place.street), True), number_key(place.number)
    if place.estate:
        is_village = not place.street and not place.building
        door = number_key(place.number) if is_village else building_key(place.building)
        yield (normal_text(place.estate), is_village), door


def plain_name(text: str, *, is_street: bool, now: str = "") -> Name:
    """Make a name of the index."""
    return Name(normal_text(text), is_street, normal_text(now) if now else "")
