"""Read the names that are known: regions of the country, areas, streets and estates of the city."""

from __future__ import annotations

from grids.addressing.levels import ORDER, Level
from grids.addressing.reading import Reading, is_before_number
from grids.addressing.regions import SHORTEST_ALONE, Region, regions
from grids.addressing.vocabulary import LONGEST_NAME, AreaName, Vocabulary


def take_regions(reading: Reading, vocabulary: Vocabulary) -> None:
    """Read province, city and county where the text, or what follows a note, begins."""
    at = 0
    if reading.text.startswith("中国") and len(reading.text) > 2:
        at = 2
    while (found := _region_at(reading, vocabulary, at)) is not None:
        end, region, is_known = found
        if region.level is Level.NOTE:
            break
        said = reading.text[at:end]
        level = region.level
        if reading.has(level):
            reading.take(at, end, Level.NOTE, said)
        else:
            reading.take(at, end, level, region.name, is_known=is_known)
        reading.region = max(reading.region, region.code.rstrip("0"), key=len)
        at = end
        while at < len(reading.text) and reading.text[at] in "| -/":
            at += 1


def _region_at(
    reading: Reading, vocabulary: Vocabulary, at: int
) -> tuple[int, Region, bool] | None:
    """Return the longest name of a region at a place, ours before others."""
    known = regions()
    for end in range(min(len(reading.text), at + 12), at + 1, -1):
        said = reading.text[at:end]
        own = next((a for a in vocabulary.areas.get(said, ()) if a.level is Level.COUNTY), None)
        if own is not None:
            return end, Region(own.code, own.name, Level.COUNTY), True
        if said in vocabulary.names or said not in known:
            continue
        fits = [one for one in known[said] if agrees(one.code, reading.region)]
        ones = fits or list(known[said])
        mine = [one for one in ones if vocabulary.county_code.startswith(one.code.rstrip("0"))]
        region = (mine or ones)[0]
        if _counts(reading, said, region, end, at, is_fit=bool(fits)):
            return end, region, True
    return None


def agrees(code: str, region: str) -> bool:
    """Say whether one of two codes lies in the other."""
    plain = code.rstrip("0")
    return plain.startswith(region) or region.startswith(plain)


def _counts(
    reading: Reading, said: str, region: Region, end: int, at: int, *, is_fit: bool
) -> bool:  # fmt: skip
    """Say whether a word stands for a region here: 长春 in 长春路 does not."""
    is_first = at == 0 or not reading.region
    if said == region.name and len(said) >= SHORTEST_ALONE:
        return is_first or is_fit or region.level is Level.COUNTY
    if not is_first and said == region.name:
        return is_fit
    if said == region.name:
        return False
    rest = reading.text[end:]
    return any(
        one.level is not Level.PROVINCE and agrees(one.code, region.code.rstrip("0"))
        and (one.name == rest[:k] or (one.level is Level.CITY and region.level is Level.PROVINCE))
        and len(rest[:k]) >= 2
        for k in range(2, 9)
        for one in regions().get(rest[:k], ())
        if one.code != region.code and len(rest) >= k
    )  # fmt: skip


def take_names(reading: Reading, vocabulary: Vocabulary) -> None:
    """Take the known names, the longest at each place."""
    if not vocabulary.areas and not vocabulary.names:
        return
    for low, high in list(reading.gaps()):
        at = low
        while at < high:
            step = _name_at(reading, vocabulary, at, high)
            at = step or at + 1


def _is_inside_word(text: str, at: int) -> bool:
    """Say whether a place lies between two letters or figures of one word."""
    around = text[max(0, at - 1) : at + 1]
    return 0 < at < len(text) and around.isascii() and around.isalnum()


def _name_at(reading: Reading, vocabulary: Vocabulary, at: int, high: int) -> int:
    text = reading.text
    if _is_inside_word(text, at):
        return 0
    for end in range(min(high, at + LONGEST_NAME), at + 1, -1):
        said = text[at:end]
        levels = vocabulary.names.get(said)
        areas = [one for one in vocabulary.areas.get(said, ()) if not one.is_bare]
        if levels is None and not areas:
            continue
        if _is_inside_word(text, end):
            continue
        is_area = bool(areas) and not (reading.has(areas[0].level) and levels)
        if levels is None or (is_area and not _is_door_name(reading, end, levels)):
            _take_area(reading, at, end, areas)
        else:
            level = _level_of(levels)
            reading.take(at, end, Level.NOTE if _is_twice(reading, level, said) else level,
                         said, is_known=True)  # fmt: skip
        return end
    return 0


def _is_twice(reading: Reading, level: Level, said: str) -> bool:
    return any(one.level is level and one.value == said for one in reading.claims)


def _is_door_name(reading: Reading, end: int, levels: frozenset[Level]) -> bool:
    """Say whether a name of an area stands for the village whose houses are numbered here."""
    rest = reading.text[end : end + 4].lstrip("|- ")
    return bool(levels) and bool(rest[:1].isdigit() or (rest[:1] in "#ABCD" and rest))


def _level_of(levels: frozenset[Level]) -> Level:
    return min(levels, key=lambda one: ORDER[one])


def _take_area(reading: Reading, at: int, end: int, areas: list[AreaName]) -> None:
    area = areas[0]
    for one in areas:
        if agrees(one.code, reading.region):
            area = one
            break
    level = Level.NOTE if reading.has(area.level) else area.level
    said = reading.text[at:end] if level is Level.NOTE else area.name
    reading.take(at, end, level, said, is_known=True)
    if agrees(area.code, reading.region):
        reading.region = max(reading.region, area.code, key=len)


def take_bare_areas(reading: Reading, vocabulary: Vocabulary) -> None:
    """Take the stem of a town or community where nothing else explains the word."""
    for low, high in list(reading.gaps()):
        at = low
        while at < high - 1:
            for end in range(min(high, at + 8), at + 1, -1):
                areas = list(vocabulary.areas.get(reading.text[at:end], ()))
                is_whole = end == high or high - end >= 3
                if areas and areas[0].is_bare and is_whole and not reading.has(areas[0].level):
                    if end == high and is_before_number(reading, end):
                        continue
                    _take_area(reading, at, end, areas)
                    at = end
                    break
            else:
                break
    return
