"""Take an address apart: known names first, then figures with their words, then what is left."""

from __future__ import annotations

import re
from typing import Final

from grids.addressing import grammar
from grids.addressing.figures import take_figures
from grids.addressing.known import agrees, take_bare_areas, take_names, take_regions
from grids.addressing.levels import REGION, Level, Parsed, Part
from grids.addressing.normal import normalise
from grids.addressing.reading import Reading, is_before_number
from grids.addressing.vocabulary import Vocabulary

NOTHING: Final = Vocabulary()
_RUN = re.compile(r"[^|()\[\]#/\u3400-\u9fff]*[^|()\[\]#/]+")
MOST_TURNS = 12


def parse(text: str, vocabulary: Vocabulary = NOTHING) -> Parsed:
    """Take a text apart; any text, also none at all, gives an answer.

    Names of areas, streets and estates come from the vocabulary, provinces, cities and counties
    elsewhere from the national list; the others are told by their endings and stay unknown.
    """
    reading = Reading(normalise(text))
    _notes(reading)
    take_regions(reading, vocabulary)
    take_names(reading, vocabulary)
    take_figures(reading)
    take_bare_areas(reading, vocabulary)
    _left(reading)
    return _parsed(text, reading, vocabulary)


def normal_form(text: str, vocabulary: Vocabulary = NOTHING) -> str:
    """Return one writing for all texts that say the same: the levels in their order.

    Taking the writing apart again gives the same writing. Words in a new order can read
    differently; then the smallest of the writings that follow one another stands for them all.
    """
    seen: list[str] = []
    while text not in seen and len(seen) < MOST_TURNS:
        seen.append(text)
        text = parse(text, vocabulary).joined
    return min(seen[seen.index(text) :]) if text in seen else text


def _notes(reading: Reading) -> None:
    for pattern in (grammar.NOTE, grammar.PHONE):
        for found in pattern.finditer(reading.text):
            if not any(c.start < found.end() and found.start() < c.end for c in reading.claims):
                reading.take(found.start(), found.end(), Level.NOTE)


def _left(reading: Reading) -> None:
    """Name what is left by its ending: outside of the vocabulary nothing is certain."""
    for low, high in list(reading.gaps()):
        for found in _RUN.finditer(reading.text, low, high):
            _run(reading, found.start(), found.end())


def _run(reading: Reading, start: int, end: int) -> None:
    for pattern, level in ((grammar.TOWN, Level.TOWN), (grammar.COMMUNITY, Level.COMMUNITY),
                           (grammar.VILLAGE, Level.COMMUNITY)):  # fmt: skip
        found = pattern.match(reading.text[start:end])
        if found is None or reading.has(level) or reading.has(Level.STREET):
            continue
        stop = start + found.end()
        is_house = level is Level.COMMUNITY and stop == end and is_before_number(reading, end)
        if pattern is grammar.VILLAGE and is_house:
            continue
        reading.take(start, stop, level)
        start = stop
    street = grammar.STREET.match(reading.text[start:end])
    if street is not None and not reading.has(Level.STREET):
        reading.take(start, start + street.end(), Level.STREET)
        start += street.end()
    if start < end:
        _rest(reading, start, end)


def _rest(reading: Reading, start: int, end: int) -> None:
    """Take the last words: an estate before its building, a street before its number, a place."""
    beside = grammar.BESIDE.search(reading.text, start, end)
    if beside is not None and beside.end() > beside.start():
        reading.take(beside.start(), beside.end(), Level.NOTE)
        if beside.start() == start:
            start = beside.end()
        else:
            end = beside.start()
    if start >= end:
        return
    said, following = reading.text[start:end], reading.after(end)
    if not any(sign.isalnum() for sign in said):
        return
    is_word = not said.isascii() or any(sign.isalpha() for sign in said)
    level = Level.POI
    if (
        following is not None
        and following.level is Level.BUILDING
        and not reading.has(Level.ESTATE)
    ):
        level = Level.ESTATE
    elif following is not None and following.level is Level.NUMBER:
        is_free = not reading.has(Level.STREET) and not reading.has(Level.ESTATE)
        if is_free:
            level = Level.STREET
    elif said.endswith(grammar.ESTATE_ENDS) and not reading.has(Level.ESTATE):
        level = Level.ESTATE
    if not is_word or (level is Level.POI and reading.has(Level.POI)):
        level = Level.NOTE
    reading.take(start, end, level)


def _parsed(text: str, reading: Reading, vocabulary: Vocabulary) -> Parsed:
    parts: list[Part] = []
    last = 0
    for claim in sorted(reading.claims, key=lambda one: one.start):
        start, end = reading.normal.span(claim.start, claim.end)
        start = max(start, last)
        if end > start and claim.value:
            parts.append(Part(claim.level, claim.value, start, end, claim.is_known))
            last = end
    outside = _is_outside(reading, vocabulary)
    return Parsed(text, tuple(parts), outside)


def _is_outside(reading: Reading, vocabulary: Vocabulary) -> bool:
    named = [one for one in reading.claims if one.level in REGION[:3] and one.is_known]
    if not named or not vocabulary.county_code:
        return False
    return not agrees(reading.region[:6], vocabulary.county_code)
