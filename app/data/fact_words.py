"""What sources say of a field, in the reader's words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from app import faces
from app.data.frame import source_words
from app.i18n import translated
from grids.facts.statements import Statement, point_of


@dataclass(frozen=True)
class Other:
    """A statement that does not hold."""

    value: str
    source: str
    since: str


@dataclass(frozen=True)
class Told:
    """Who says what is shown and since when, how many agree, and who says otherwise."""

    source: str
    since: str
    agreeing: int
    others: tuple[Other, ...]
    value: str


def told(said: Sequence[Statement], words: Callable[[str], str]) -> Told | None:
    """Word the statements on a field, the one that holds first; None where nobody has spoken."""
    if not said:
        return None
    first = said[0]
    others = [one for one in said[1:] if one.fact.value != first.fact.value]
    return Told(
        source_name(first), _since(first), len(said) - 1 - len(others),
        tuple(Other(words(one.fact.value) or str(_("fact.none")), source_name(one), _since(one))
              for one in others),
        words(first.fact.value),
    )  # fmt: skip


def source_name(one: Statement) -> str:
    """Name who says something: the source of tables, the spot, the desk, else where it is from."""
    source = one.fact.source
    return one.name or translated(f"fact.source.{source}", "") or source_words(source)


def place_words(value: str) -> str:
    """Write a place as its longitude and latitude."""
    lon, lat = point_of(value)
    return f"{lon:.6f}, {lat:.6f}"


def _since(one: Statement) -> str:
    zone = ZoneInfo(faces.settings().city_zone)
    return str(_("fact.since", day=faces.day_words(one.fact.observed_at.astimezone(zone).date())))
