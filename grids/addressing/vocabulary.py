"""The names that a city's addresses are made of, for the parser: areas, streets, estates, places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from grids.addressing.levels import Level
from grids.addressing.normal import normal_text

AREA_LEVELS: Final = {6: Level.COUNTY, 9: Level.TOWN, 12: Level.COMMUNITY}
TOWN_ENDS: Final = ("街道办事处", "街道", "镇", "乡", "开发区")
COMMUNITY_ENDS: Final = (
    "社区居委会",
    "居民委员会",
    "村民委员会",
    "社区",
    "居委会",
    "村委会",
    "村",
    "居",
)
LONGEST_NAME: Final = 24
SHORTEST_ALIAS: Final = 2


@dataclass(frozen=True, slots=True)
class AreaName:
    """A name of an area; an alias is another ending (X街道, X镇) or none."""

    code: str
    level: Level
    name: str  #: as the area tree writes it
    is_alias: bool = False
    is_bare: bool = False  #: without any ending: counts only where nothing else explains the word


@dataclass(frozen=True)
class Vocabulary:
    """Names in normal form. A street, estate or place maps to the levels that it is used on."""

    county_code: str = ""
    areas: Mapping[str, tuple[AreaName, ...]] = field(default_factory=dict)
    names: Mapping[str, frozenset[Level]] = field(default_factory=dict)

    @property
    def longest(self) -> int:
        """Letters of the longest name that is looked for."""
        return LONGEST_NAME


def area_names(rows: Iterable[tuple[str, str]]) -> dict[str, tuple[AreaName, ...]]:
    """Return every writing of the areas (code, name): their own, other endings, none."""
    found: dict[str, dict[str, AreaName]] = {}
    for code, name in rows:
        level = AREA_LEVELS.get(len(code))
        if level is None:
            continue
        for text, is_alias, is_bare in _writings(normal_text(name), level):
            named = AreaName(code, level, name, is_alias, is_bare)
            mine = found.setdefault(text, {})
            if code not in mine or (mine[code].is_alias and not is_alias):
                mine[code] = named
    # A name of its own goes before another area's alias.
    out = {}
    for text, by_code in found.items():
        own = [one for one in by_code.values() if not one.is_alias]
        out[text] = tuple(own or by_code.values())
    return out


def _writings(name: str, level: Level) -> Iterator[tuple[str, bool, bool]]:
    yield name, False, False
    if level is Level.COUNTY:
        return
    ends = TOWN_ENDS if level is Level.TOWN else COMMUNITY_ENDS
    ending = next((e for e in ends if name.endswith(e) and len(name) - len(e) >= 1), "")
    stem = name[: len(name) - len(ending)]
    if not ending or len(stem) < SHORTEST_ALIAS:
        return
    for other in ends:
        if other != ending and len(other) > 1 - (level is Level.TOWN or len(stem) > 1):
            yield stem + other, True, False
    yield stem, True, True
