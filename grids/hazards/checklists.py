"""Check-lists of inspections, as data: `data/codes/checklists.csv` (domain 8.2 to 8.5), and scores."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

FILE: Final = Path(__file__).parents[2] / "data/codes/checklists.csv"
ANSWERS: Final = ("ok", "failed", "na")
RED_BELOW, GREEN_ABOVE = 60, 80
#: Which list fits which kind of premises; the first is the one for all others.
DEFAULT_LIST: Final = "small_premises"
LIST_OF: Final = {
    "rental_house": "rental_house",
    "construction_site": "construction_site",
    "market": "market",
    "school": "school_surroundings",
    "kindergarten": "school_surroundings",
    "river": "river",
    "component_patrol": "component_patrol",
}

Colour = Literal["red", "yellow", "green", "none"]


@dataclass(frozen=True)
class Item:
    """One item of a check-list. `is_major` items make a major hazard and a red result."""

    checklist: str
    code: str
    zh: str
    en: str
    weight: int
    is_major: bool
    department: str


@dataclass(frozen=True)
class Result:
    """What a visit comes to."""

    score: int | None
    colour: Colour
    failed: tuple[Item, ...]


@cache
def lists() -> Mapping[str, tuple[Item, ...]]:
    """Read the check-lists, each in the order of the file."""
    found: dict[str, list[Item]] = {}
    with FILE.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            item = Item(
                row["checklist"], row["code"], row["name_zh"], row["name_en"],
                int(row["weight"]), row["is_major"] == "1", row["department"],
            )  # fmt: skip
            found.setdefault(item.checklist, []).append(item)
    return {name: tuple(items) for name, items in found.items()}


def list_for(premises_kind: str) -> str:
    """Return the check-list that fits a kind of premises."""
    return LIST_OF.get(premises_kind, DEFAULT_LIST)


def item_of(checklist: str | None, code: str | None) -> Item | None:
    """Return an item by its list and code; None where the list no longer has it."""
    return next((item for item in lists().get(checklist or "", ()) if item.code == code), None)


def result(checklist: str, answers: Mapping[str, str]) -> Result:
    """Score a visit: 100 x (1 - failed weight / applicable weight); a failed major item is red.

    The score is rounded down, so that nothing is lifted over a border.
    """
    items = lists()[checklist]
    failed = tuple(item for item in items if answers[item.code] == "failed")
    applies = sum(item.weight for item in items if answers[item.code] != "na")
    if not applies:
        return Result(None, "none", failed)
    lost = sum(item.weight for item in failed)
    score = 100 * (applies - lost) // applies
    if score < RED_BELOW or any(item.is_major for item in failed):
        return Result(score, "red", failed)
    return Result(score, "green" if score > GREEN_ABOVE else "yellow", failed)
