"""From what was read to addresses: names, doors, neighbourhood, each with its share of the score."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from grids.addressing.levels import Level, Parsed
from grids.addressing.names import FoundName, How
from grids.addressing.normal import normal_text
from grids.addressing.parser import parse
from grids.addressing.places import Doors, Gazetteer, Key, Place, building_key, main_number

#: From here on, and this far ahead of the next, an answer is taken without asking anybody.
SURE, AHEAD = 0.86, 0.04
#: Below this nothing is offered.
POSSIBLE = 0.5
MOST: Final = 8
#: A word is looked through for a name in pieces of so many letters.
PIECE: Final = (3, 8)

OTHER_TOWN, OTHER_COMMUNITY, OTHER_STREET = 0.82, 0.88, 0.93
#: What agrees takes away this share of the doubt about a name.
AGREEING = 0.4
CANCELLED = 0.97
#: Each kilometre from where the asker stands counts this much, up to five.
PER_KM = 0.004

Kind = Literal["door", "building", "estate", "street", "interpolated"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that spoke for or against: a level, how it fits, what was said, what is."""

    level: Level
    how: str
    said: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that a text may mean. `address_id` is None for a point between two doors."""

    address_id: int | None
    code: str
    text: str
    kind: Kind
    score: float
    lon: float
    lat: float
    area_code: str
    state: str = "in_use"
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Match:
    """What became of a text."""

    parsed: Parsed
    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate | None:
        """The likeliest candidate."""
        return self.candidates[0] if self.candidates else None

    @property
    def verdict(self) -> Literal["sure", "uncertain", "none", "outside"]:
        """Say whether the best can be taken, must be confirmed, or there is none."""
        if self.parsed.is_outside:
            return "outside"
        if not self.candidates:
            return "none"
        best = self.candidates[0]
        next_score = self.candidates[1].score if len(self.candidates) > 1 else 0.0
        is_sure = best.score >= SURE and best.score - next_score >= AHEAD
        return "sure" if is_sure and best.address_id is not None else "uncertain"


@dataclass(frozen=True)
class Wanted:
    """What a text asks for, beside its names."""

    number: str
    building: str
    towns: tuple[str, ...]  #: codes
    communities: tuple[str, ...]
    names: tuple[str, ...]  #: streets and estates, as said
    near: tuple[float, float] | None = None
    area: str = ""


def match(
    text: str, gazetteer: Gazetteer, *, near: tuple[float, float] | None = None, area: str = ""
) -> Match:  # fmt: skip
    """Find the addresses that a text may mean, the likeliest first.

    `near` prefers what is close to a point (longitude, latitude); `area` limits to a code.
    """
    parsed = parse(text, gazetteer.vocabulary)
    is_learned, place = gazetteer.learned(text)
    if is_learned:
        known = (_candidate(place, "door", 1.0, (Reason(Level.POI, "learned"),)),) if place else ()
        return Match(parsed, known)
    if parsed.is_outside:
        return Match(parsed, ())
    wanted = _wanted(parsed, gazetteer, near, area)
    found = _by_names(parsed, gazetteer, wanted)
    return Match(parsed, _ranked(found))


def _wanted(
    parsed: Parsed, gazetteer: Gazetteer, near: tuple[float, float] | None, area: str
) -> Wanted:  # fmt: skip
    values = parsed.values
    codes: dict[Level, tuple[str, ...]] = {}
    for part in parsed.parts:
        if part.level in (Level.TOWN, Level.COMMUNITY) and part.is_known:
            named = gazetteer.vocabulary.areas.get(normal_text(part.value), ())
            codes.setdefault(part.level, tuple(one.code for one in named))
    names = tuple(part.value for part in parsed.parts if part.level in (Level.STREET, Level.ESTATE))
    return Wanted(
        values.get(Level.NUMBER, ""), values.get(Level.BUILDING, ""),
        codes.get(Level.TOWN, ()), codes.get(Level.COMMUNITY, ()), names, near, area,
    )  # fmt: skip


def _by_names(parsed: Parsed, gazetteer: Gazetteer, wanted: Wanted) -> list[Candidate]:
    """Look at the names as written; at what may be meant by them where that is not enough."""
    said = [part for part in parsed.parts if part.level in (Level.STREET, Level.ESTATE)]
    same = [one for part in said for one in gazetteer.names.same(part.value)]
    found = _at(same, gazetteer, wanted)
    if any(one.score >= SURE for one in found):
        return found
    words = said or [part for part in parsed.parts if part.level is Level.POI]
    if not said:
        words += [part for part in parsed.parts if part.level is Level.COMMUNITY]
    alike = [one for part in words for one in gazetteer.names.alike(part.value)]
    found += _at(alike, gazetteer, wanted)
    if found:
        return found
    others = [part for part in parsed.parts if part.level is Level.POI and part not in words]
    pieces = [one for part in (*words, *others) if not part.is_known
              for one in _pieces(part.value, gazetteer)]  # fmt: skip
    return _at(pieces, gazetteer, wanted)


def _pieces(word: str, gazetteer: Gazetteer) -> Iterator[FoundName]:
    """Look for a name inside of a longer word, its end first."""
    shortest, longest = PIECE
    for end in range(len(word), max(shortest, len(word) - longest) - 1, -1):
        for start in range(max(0, end - longest), end - shortest + 1):
            found = gazetteer.names.alike(word[start:end])
            if found and found[0].how in (How.SAME, How.RENAMED, How.SOUND, How.SHAPE):
                yield found[0]


def _at(hits: Iterable[FoundName], gazetteer: Gazetteer, wanted: Wanted) -> list[Candidate]:
    best: dict[Key, FoundName] = {}
    for hit in hits:
        key = hit.name.current
        if key not in best or hit.likeness > best[key].likeness:
            best[key] = hit
    doors = gazetteer.doors(best)
    return [
        one for key, hit in best.items() if key in doors
        for one in _weighed(hit, _doors(hit, doors[key], wanted), wanted)
    ]  # fmt: skip


Door = tuple[Place | Candidate, Kind, float, Reason]


def _doors(hit: FoundName, doors: Doors, wanted: Wanted) -> list[Door]:
    """Pick the doors at one name that fit, each with how well."""
    return _street(doors, wanted) if hit.name.is_street else _estate(doors, wanted)


def _street(doors: Doors, wanted: Wanted) -> list[Door]:
    if not wanted.number:
        return _whole(doors, Level.STREET, "street")
    said = wanted.number
    exact = doors.by_key.get(said)
    if exact:
        return _behind(exact, wanted, 1.0, Reason(Level.NUMBER, "same", said, said))
    main = main_number(said)
    if main is not None and ("-" in said or "弄" in said):
        wider = doors.by_key.get(f"{main}弄" if "弄" in said else f"{main}号")
        if wider:
            return _behind(wider, wanted, 0.84, Reason(Level.NUMBER, "main_number", said))
    between = _between(doors, main) if main is not None else None
    return [between] if between else []


def _behind(places: list[Place], wanted: Wanted, worth: float, reason: Reason) -> list[Door]:
    """Choose of what one plate leads to: the building that was said, else the plate itself."""
    if wanted.building:
        inner = [
            one for one in places if one.building and building_key(one.building) == wanted.building
        ]
        if inner:
            return [(one, "building", worth, reason) for one in inner]
    plain = [one for one in places if not one.building] or places
    kind: Kind = "door"
    return [(one, kind, worth, reason) for one in plain]


def _estate(doors: Doors, wanted: Wanted) -> list[Door]:
    if wanted.building:
        exact = doors.by_key.get(wanted.building)
        if exact:
            reason = Reason(Level.BUILDING, "same", wanted.building, wanted.building)
            return [(one, "building", 1.0, reason) for one in exact]
        missing = _whole(doors, Level.ESTATE, "estate")
        reason = Reason(Level.BUILDING, "missing", wanted.building)
        return [(one, kind, 0.6, reason) for one, kind, _, _ in missing]
    if wanted.number:
        stem = wanted.number.removesuffix("号")
        as_building = doors.by_key.get(f"{stem}幢")
        at_plate = [one for one in doors.places if one.number == wanted.number]
        if at_plate and len(wanted.names) > 1:
            return _whole(doors, Level.ESTATE, "estate")
        if as_building:
            reason = Reason(Level.BUILDING, "number_as_building", wanted.number, f"{stem}幢")
            return [(one, "building", 0.95, reason) for one in as_building]
    return _whole(doors, Level.ESTATE, "estate")


def _whole(doors: Doors, level: Level, kind: Kind) -> list[Door]:
    """Stand for all of a street or estate: its gate, its only door, or one in the middle."""
    gate = [one for one in doors.by_key.get("", ()) if kind == "estate"]
    if gate:
        return [(gate[0], "estate", 0.9, Reason(level, "whole"))]
    if len(doors.places) == 1:
        return [(doors.places[0], "door", 0.88, Reason(level, "only_door"))]
    places = sorted(doors.places, key=lambda one: (one.lon, one.lat))
    middle = places[len(places) // 2]
    shown = Candidate(
        None, "", _name_of(middle, kind), kind, 0.0, middle.lon, middle.lat, middle.area_code
    )
    return [(shown, kind, 0.55, Reason(level, "whole"))]


def _name_of(place: Place, kind: Kind) -> str:
    return (place.estate if kind == "estate" else place.street or place.estate) or place.text


def _between(doors: Doors, main: int) -> Door | None:
    """Put a door that is not in the register between its neighbours on the same side."""
    numbered = ((main_number(key), ones[0]) for key, ones in doors.by_key.items())
    side = sorted(
        (
            (number, one)
            for number, one in numbered
            if number is not None and number % 2 == main % 2
        ),
        key=lambda pair: pair[0],
    )
    below = [pair for pair in side if pair[0] < main]
    above = [pair for pair in side if pair[0] > main]
    if not below or not above:
        return None
    (low, first), (high, second) = below[-1], above[0]
    share = (main - low) / (high - low)
    lon = first.lon + share * (second.lon - first.lon)
    lat = first.lat + share * (second.lat - first.lat)
    street = first.street or first.estate or ""
    shown = Candidate(None, "", f"{street}{main}号", "interpolated", 0.0, lon, lat, first.area_code)
    return (
        shown,
        "interpolated",
        0.6,
        Reason(Level.NUMBER, "interpolated", f"{main}号", f"{low}-{high}"),
    )


def _weighed(hit: FoundName, doors: list[Door], wanted: Wanted) -> Iterator[Candidate]:
    level = Level.STREET if hit.name.is_street else Level.ESTATE
    named = Reason(level, hit.how.value, hit.name.text if hit.how is How.RENAMED else "",
                   hit.name.current[0])  # fmt: skip
    for place, kind, worth, reason in doors:
        if wanted.area and not place.area_code.startswith(wanted.area):
            continue
        factor, agreeing, reasons = _around(place, hit, wanted)
        doubt = (1 - hit.likeness) * (1 - AGREEING) ** agreeing
        score = (1 - doubt) * worth * factor
        if place.state == "cancelled":
            score *= CANCELLED
            reasons = (*reasons, Reason(Level.NUMBER, "cancelled"))
        if score >= POSSIBLE - 0.2:
            yield _candidate(place, kind, round(score, 4), (named, reason, *reasons))


def _around(
    place: Place | Candidate, hit: FoundName, wanted: Wanted
) -> tuple[float, int, tuple[Reason, ...]]:
    """Compare town, community, the other name and the place of the asker."""
    factor, agreeing = 1.0, 0
    reasons: list[Reason] = []
    for codes, level, other in (
        (wanted.towns, Level.TOWN, OTHER_TOWN),
        (wanted.communities, Level.COMMUNITY, OTHER_COMMUNITY),
    ):
        if not codes:
            continue
        if place.area_code.startswith(codes):
            agreeing += 1
            reasons.append(Reason(level, "agrees"))
        else:
            factor *= other
            reasons.append(Reason(level, "differs"))
    if isinstance(place, Place) and len(wanted.names) > 1:
        mine = {normal_text(name) for name in (place.street, place.estate) if name}
        others = [name for name in wanted.names if name != hit.name.text]
        if any(name in mine for name in others):
            agreeing += 1
        elif len(mine) > 1:
            factor *= OTHER_STREET
    if wanted.near is not None:
        factor *= 1 - PER_KM * min(5.0, _km(wanted.near, (place.lon, place.lat)))
    return factor, agreeing, tuple(reasons)


def _km(one: tuple[float, float], other: tuple[float, float]) -> float:
    east = (one[0] - other[0]) * 111.32 * math.cos(math.radians(one[1]))
    return math.hypot(east, (one[1] - other[1]) * 110.57)


def _candidate(
    place: Place | Candidate, kind: Kind, score: float, reasons: tuple[Reason, ...]
) -> Candidate:
    if isinstance(place, Candidate):
        return replace(place, score=score, reasons=reasons)
    return Candidate(
        place.id, place.code, place.text, kind, score, place.lon, place.lat, place.area_code,
        place.state, reasons,
    )  # fmt: skip


def _ranked(found: list[Candidate]) -> tuple[Candidate, ...]:
    """Put candidates in order, each address once, none below what is possible."""
    best: dict[tuple[int | None, str], Candidate] = {}
    for one in found:
        key = (one.address_id, "" if one.address_id is not None else one.text)
        if key not in best or one.score > best[key].score:
            best[key] = one
    kept = sorted(
        (one for one in best.values() if one.score >= POSSIBLE),
        key=lambda one: (-one.score, one.text, one.address_id or 0),
    )
    return tuple(kept[:MOST])
