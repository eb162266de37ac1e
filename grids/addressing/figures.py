"""Read the figures of an address: each with its word, or by what goes before it."""

from __future__ import annotations

import re
from typing import Final

from grids.addressing import grammar
from grids.addressing.levels import Level
from grids.addressing.reading import Claim, Reading

#: A word of letters: a name in pinyin, or abroad.
_LATIN: Final = re.compile(r"[^\W\d_\u3400-\u9fff]{4,}$")
#: Below an estate or a door figures say buildings, units and rooms.
_NARROW: Final = (
    Level.NUMBER, Level.ESTATE, Level.BUILDING, Level.UNIT, Level.FLOOR, Level.ROOM,
)  # fmt: skip
#: From here on a figure is the number of a room, below it a building or a unit: 5-602.
ROOM_FROM: Final = 100


def take_figures(reading: Reading) -> None:
    """Take the figures with their words, each by what goes before it."""
    for low, high in list(reading.gaps()):
        at = low
        while (found := grammar.NUMBERED.search(reading.text, at, high)) is not None:
            at = found.end() if found.end() > found.start() else found.end() + 1
            _take_number(reading, found)


def _take_number(reading: Reading, found: re.Match[str]) -> None:
    kind = found.lastgroup or ""
    said = {name: value for name, value in found.groupdict().items() if value is not None}
    start, end = found.span()
    last = reading.before(start)
    level = last.level if last else None
    if "lane" in said:
        number = said["lane"] + (f"{said['lane_no']}号" if "lane_no" in said else "")
        _put(reading, start, end, Level.NUMBER, number)
    elif "plate" in said:
        sub = said.get("sub") or said.get("sub2")
        if level is Level.ESTATE and reading.has(Level.NUMBER) and sub is None:
            _put(reading, start, end, Level.BUILDING, f"{said['plate']}幢")
        else:
            _put(reading, start, end, Level.NUMBER, _plate(said["plate"], sub))
    elif "annex" in said:
        _annex(reading, start, end, said["annex"], last)
    elif "building" in said:
        _put(reading, start, end, Level.BUILDING, f"{said['building']}幢")
    elif "unit" in said or "door" in said:
        _put(reading, start, end, Level.UNIT, f"{said.get('unit') or said.get('door')}单元")
    elif "floor" in said:
        _put(reading, start, end, Level.FLOOR, f"{said['floor']}层")
    elif "room" in said:
        _room(reading, start, end, said["room"], level)
    elif "hash" in said:
        wants = Level.NUMBER if level is Level.STREET else Level.BUILDING
        _put(reading, start, end, wants, said["hash"] + ("号" if wants is Level.NUMBER else "幢"))
    elif kind == "bare" or "bare" in said:
        _bare(reading, start, end, said["bare"].replace("/", "-"), last)


def _plate(main: str, sub: str | None) -> str:
    main = main.lstrip("0") or "0"
    return f"{main}-{sub.lstrip('0') or '0'}号" if sub else f"{main}号"


def _put(reading: Reading, start: int, end: int, level: Level, value: str) -> None:
    """Take a figure, what is said twice only once."""
    value = re.sub(r"(?<![A-Z0-9.])0+(?=\d)", "", value)
    reading.take(start, end, Level.NOTE if reading.has(level) else level, value)


def _annex(reading: Reading, start: int, end: int, annex: str, last: Claim | None) -> None:
    """Put 附3号 to the number before it."""
    if last is not None and last.level is Level.NUMBER and "-" not in last.value:
        reading.claims.remove(last)
        reading.take(last.start, end, Level.NUMBER, _plate(last.value.removesuffix("号"), annex))
    else:
        reading.take(start, end, Level.NOTE)


def _room(reading: Reading, start: int, end: int, said: str, level: Level | None) -> None:
    """Take 5-3-602室 apart where no building was named before."""
    pieces = said.split("-")
    if len(pieces) == 1 or level in (Level.UNIT, Level.FLOOR):
        _put(reading, start, end, Level.ROOM, f"{said}室")
        return
    _pieces(reading, start, end, pieces, level)


def _bare(reading: Reading, start: int, end: int, said: str, last: Claim | None) -> None:
    """Take figures without a word by what goes before them; elsewhere they are no address."""
    level = last.level if last else None
    pieces = said.split("-")
    if level is Level.STREET or (level is None and start and _is_street_like(reading, start)):
        _street_figures(reading, start, end, said, pieces)
    elif level is Level.ESTATE or (
        level is None and start and reading.text[:start].endswith(grammar.ESTATE_ENDS)
    ):
        _pieces(reading, start, end, pieces, Level.ESTATE)
    elif level in _NARROW:
        _pieces(reading, start, end, pieces, level)


def _is_street_like(reading: Reading, at: int) -> bool:
    before = reading.text[:at].rstrip("| ")
    return before.endswith((*grammar.STREET_ENDS[:8], "村")) or bool(_LATIN.search(before))


def _street_figures(
    reading: Reading, start: int, end: int, said: str, pieces: list[str]
) -> None:  # fmt: skip
    rest = reading.text[end : end + 1]
    if not said[0].isdigit() or rest in ("路", "街", "线", "年", "米", "公"):
        return
    value = _plate(pieces[0], pieces[1] if len(pieces) > 1 else None)
    _put(reading, start, end, Level.NUMBER, value)


def _pieces(reading: Reading, start: int, end: int, pieces: list[str], level: Level | None) -> None:
    """Give the figures of 5-3-602 their levels: the last is a room where it is long enough."""
    wanted = _levels_for(pieces, level)
    at = start
    for k, (piece, one) in enumerate(zip(pieces, wanted, strict=False)):
        stop = end if k == min(len(pieces), len(wanted)) - 1 else at + len(piece)
        word = {Level.BUILDING: "幢", Level.UNIT: "单元", Level.ROOM: "室", Level.NUMBER: "号"}[one]
        if stop > at:
            _put(reading, at, stop, one, f"{piece}{word}")
        at = stop + (1 if reading.text[stop : stop + 1] in "-/" and stop < end else 0)


def _levels_for(pieces: list[str], level: Level | None) -> list[Level]:
    figures = "".join(sign for sign in pieces[-1] if sign.isdigit())
    is_room = bool(figures) and int(figures) >= ROOM_FROM
    if level in (Level.BUILDING, Level.UNIT, Level.FLOOR):
        below = [Level.UNIT, Level.ROOM] if level is Level.BUILDING else [Level.ROOM]
        return [Level.ROOM] if len(pieces) == 1 else below[: len(pieces)]
    if len(pieces) >= 3:
        return [Level.BUILDING, Level.UNIT, Level.ROOM]
    if len(pieces) == 2:
        return [Level.BUILDING, Level.ROOM if is_room else Level.UNIT]
    return [Level.ROOM if is_room and level is not Level.ESTATE else Level.BUILDING]
