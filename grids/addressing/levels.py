"""The twelve levels of a standard address (domain 10.4), and what was read of a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Level(StrEnum):
    """A level of an address, from the widest to the narrowest; then what is no level."""

    PROVINCE = "province"  #: 省
    CITY = "city"  #: 市
    COUNTY = "county"  #: 县(市区)
    TOWN = "town"  #: 镇街
    COMMUNITY = "community"  #: 村社
    STREET = "street"  #: 街路巷, and the natural village (自然村) whose houses are numbered
    NUMBER = "number"  #: 门牌号
    ESTATE = "estate"  #: 小区/院落/单位
    BUILDING = "building"  #: 楼幢
    UNIT = "unit"  #: 单元
    FLOOR = "floor"  #: 楼层
    ROOM = "room"  #: 户室
    POI = "poi"  #: the name of a place at the address, or words that are no address
    NOTE = "note"  #: what stands in brackets, telephone numbers, what is said twice


LEVELS: tuple[Level, ...] = tuple(Level)[:12]
#: What leads to the neighbourhood, and what names the door in it.
REGION = (Level.PROVINCE, Level.CITY, Level.COUNTY, Level.TOWN, Level.COMMUNITY)
ORDER = {level: k for k, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class Part:
    """One part that was understood; `start` and `end` are its place in the original."""

    level: Level
    value: str  #: normal form: 12号, 5幢, 3单元, 602室
    start: int
    end: int
    is_known: bool = False  #: a name of the city's own register or of the national list


@dataclass(frozen=True)
class Parsed:
    """An address string taken apart."""

    text: str  #: the original
    parts: tuple[Part, ...]  #: in the order of the text; they never overlap
    is_outside: bool = False  #: it names a province, city or county that is not ours

    @cached_property
    def values(self) -> Mapping[Level, str]:
        """The first value of each level."""
        found: dict[Level, str] = {}
        for part in self.parts:
            found.setdefault(part.level, part.value)
        return found

    @property
    def joined(self) -> str:
        """The levels in their order, one text."""
        values = self.values
        return "".join(values[level] for level in (*LEVELS, Level.POI) if level in values)
