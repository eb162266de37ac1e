"""Homes that an address may mean: buildings by the geocoder, and the dwellings in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids.addressing import service
from grids.addressing.levels import Level
from grids.buildings import Address, Building, Dwelling

LONGEST: Final = 120
MOST_BUILDINGS: Final = 4
MOST_DWELLINGS: Final = 400
#: Less likely than this beside the best is not offered.
BEHIND_BEST: Final = 0.25


@dataclass(frozen=True)
class Dwellings:
    """A building with an address and its dwellings: id, unit, floor and room of each."""

    address: str
    homes: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Found:
    """What an address may mean; `said` is the dwelling that it names itself."""

    buildings: tuple[Dwellings, ...]
    said: int | None


def find(session: Session, words: str) -> Found:
    """Return the homes that an address may mean, the likeliest building first.

    Dwellings have no residents here: nothing says who lives where.
    """
    match = service.geocode(session, words[:LONGEST])
    best = max((one.score for one in match.candidates), default=0.0)
    wanted = list(
        dict.fromkeys(
            one.address_id
            for one in match.candidates
            if one.address_id is not None and one.score >= best - BEHIND_BEST
        )
    )[:MOST_BUILDINGS]
    rows = session.execute(
        select(Address.id, Address.text, Dwelling.id, Dwelling.unit, Dwelling.floor, Dwelling.room)
        .join(Building, Building.address_id == Address.id)
        .join(Dwelling, Dwelling.building_id == Building.id)
        .where(Address.id.in_(wanted), Building.valid_to.is_(None))
        .order_by(
            func.array_position(wanted, Address.id), Dwelling.building_id, Dwelling.unit,
            Dwelling.floor, Dwelling.room, Dwelling.id,
        )
        .limit(MOST_DWELLINGS)
    ).all()  # fmt: skip
    room = match.parsed.values.get(Level.ROOM, "").rstrip("室")
    unit = match.parsed.values.get(Level.UNIT, "").removesuffix("单元")
    told: dict[int, list[tuple[int, str]]] = {}
    texts: dict[int, str] = {}
    said = None
    for address, plate, key, in_unit, floor, in_room in rows:
        texts[address] = plate
        told.setdefault(address, []).append((key, words_of(in_unit, floor, in_room)))
        is_said = bool(room) and in_room == room
        if said is None and is_said and unit in ("", (in_unit or "").removesuffix("单元")):
            said = key
    return Found(tuple(Dwellings(texts[key], tuple(homes)) for key, homes in told.items()), said)


def words_of(unit: str | None, floor: int | None, room: str | None) -> str:
    """Name a dwelling within its building as a door plate does."""
    parts = []
    if unit:
        parts.append(unit if unit.endswith("单元") else f"{unit}单元")
    if floor is not None:
        parts.append(f"{floor}层")
    if room:
        parts.append(room)
    return " ".join(parts) or "·"
