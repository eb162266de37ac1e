"""Provinces, cities and counties of the country, so that an address from elsewhere is known as one.

The names are those of the list that python-stdnum keeps for resident numbers. No county is
ever guessed from the look of a word: 小区, 园区 and 开发区 end like one and are none.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from grids.addressing.levels import Level

_PAST = re.compile(r"\[(\d*)-(\d*)\]")
_NAMED = re.compile(r'^\s*(\d+) (?:province|county)="([^"]*)"')
#: Endings that people leave out of provinces and cities.
_LONG = (
    "壮族自治区",
    "回族自治区",
    "维吾尔自治区",
    "特别行政区",
    "自治区",
    "自治州",
    "地区",
    "省",
    "市",
    "盟",
)
#: Lines of the list that are no names.
_NO_NAMES = (
    "市辖区",
    "县",
    "省直辖县级行政区划",
    "自治区直辖县级行政区划",
    "自治州直辖县级行政单位",
)
SHORTEST_ALONE = 3


@dataclass(frozen=True, slots=True)
class Region:
    """A province, city or county by its code of GB/T 2260."""

    code: str
    name: str
    level: Level


@cache
def regions() -> Mapping[str, tuple[Region, ...]]:
    """Return the regions that a name stands for, short names of provinces and cities included."""
    found: dict[str, dict[str, Region]] = {}

    def add(name: str, region: Region) -> None:
        found.setdefault(name, {})[region.code] = region

    for code, name in _lines():
        region = Region(code, name, _level(code))
        add(name, region)
        if region.level is Level.COUNTY:
            continue
        for ending in _LONG:
            short = name.removesuffix(ending)
            if short != name and len(short) >= 2:
                add(short, Region(code, name, region.level))
                break
    return {name: tuple(ones.values()) for name, ones in found.items()}


def _lines() -> list[tuple[str, str]]:
    """Read the list: each code with the names that it has had since 2000."""
    text = importlib.resources.files("stdnum.cn").joinpath("loc.dat").read_text("utf-8")
    out: list[tuple[str, str]] = []
    province = ""
    for line in text.splitlines():
        found = _NAMED.match(line)
        if found is None:
            continue
        code, names = found.groups()
        if len(code) == 2:
            province = code
        out += [(_full(province, code), name) for name in _current(names) if name not in _NO_NAMES]
    return out


def _full(province: str, code: str) -> str:
    return f"{code}0000" if len(code) == 2 else f"{province}{code}"


def _current(names: str) -> list[str]:
    """Split `[1981-1988]义乌县[1989-]义乌市` and keep what was true after the year 2000."""
    pieces = _PAST.split(names)
    if len(pieces) == 1:
        return [names.strip()]
    kept = []
    for k in range(1, len(pieces) - 2, 3):
        until, name = pieces[k + 1], pieces[k + 2].strip(" ,;")
        if name and (not until or int(until) >= 2000):
            kept.append(name)
    return kept


def _level(code: str) -> Level:
    if code.endswith("0000"):
        return Level.PROVINCE
    return Level.CITY if code.endswith("00") else Level.COUNTY
