"""What another system sends as a case: every field judged, every fault named at once."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as made
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from grids.errors import Invalid
from grids.incidents.lifecycle import URGENCIES
from grids.incidents.places import COORD_SOURCES
from grids.incidents.requests import LONGEST_LINE, LONGEST_TEXT, MOST_PHOTOS

LONGEST_ID: Final = 100
AHEAD: Final = timedelta(minutes=10)
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Problem:
    """One fault of one field; the words stand under `error.<code>`."""

    field: str
    code: str
    params: Mapping[str, Any] = made(default_factory=dict)


class BadCase(Invalid):
    """What was sent is no case; `problems` names each field."""

    code = "channel.bad_case"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.code}" for p in problems))
        self.problems = problems


@dataclass(frozen=True)
class SentCase:
    """A case as its sender knows it."""

    id: str
    text: str = ""
    category: str = ""
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    coord_source: str = "gnss"
    urgency: str | None = None
    reported_at: datetime | None = None
    photos: tuple[str, ...] = ()
    name: str = ""
    phone: str = ""


class _Fault(Exception):
    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


def read(document: Any, *, now: datetime) -> SentCase:
    """Read what was sent. Raises `BadCase` with every fault in it."""
    if not isinstance(document, dict):
        raise BadCase([Problem("$", "channel.not_object")])
    problems: list[Problem] = []
    found: dict[str, Any] = {}
    for name, value in document.items():
        rule = _RULES.get(name)
        if rule is None:
            problems.append(Problem(str(name)[:60], "channel.unknown_field"))
        elif value is not None:
            try:
                found[name] = rule(value)
            except _Fault as fault:
                problems.append(Problem(name, fault.code, fault.params))
    problems += _together(document, found, now)
    if problems:
        raise BadCase(problems)
    contact = found.pop("contact", {})
    return SentCase(**{**found, **contact})


def digest(document: Mapping[str, Any]) -> bytes:
    """Digest what was sent, whatever the order of its fields; absent and null are the same."""
    plain = {name: value for name, value in document.items() if value is not None}
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _together(
    document: Mapping[str, Any], found: Mapping[str, Any], now: datetime
) -> list[Problem]:
    """Judge what follows from several fields."""
    problems = []
    if document.get("id") is None:
        problems.append(Problem("id", "channel.missing"))
    has_words = document.get("text") or document.get("photos")
    if not has_words:
        problems.append(Problem("text", "channel.missing"))
    has = {name: document.get(name) is not None for name in ("lon", "lat")}
    if has["lon"] != has["lat"]:
        problems.append(Problem("lat" if has["lon"] else "lon", "channel.missing"))
    if not any(has.values()) and not document.get("address"):
        problems.append(Problem("address", "channel.no_place"))
    at = found.get("reported_at")
    if at is not None and at > now + AHEAD:
        problems.append(Problem("reported_at", "channel.ahead"))
    return problems


def _text(most: int, *, least: int = 0) -> Callable[[Any], str]:
    def rule(value: Any) -> str:
        if not isinstance(value, str):
            raise _Fault("channel.not_text")
        words = value.strip()
        if len(words) > most:
            raise _Fault("channel.too_long", most=most)
        if len(words) < least:
            raise _Fault("channel.missing")
        if "\0" in words or any("\ud800" <= letter <= "\udfff" for letter in words):
            raise _Fault("channel.not_text")
        return words

    return rule


def _degrees(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Fault("channel.not_number")
    if not -180 <= value <= 180:
        raise _Fault("channel.not_degrees")
    return float(value)


def _one_of(choices: tuple[str, ...]) -> Callable[[Any], str]:
    def rule(value: Any) -> str:
        if value not in choices:
            raise _Fault("channel.not_choice", choices=", ".join(choices))
        return str(value)

    return rule


def _instant(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _Fault("channel.not_instant")
    return at.astimezone(UTC)


def _photos(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(
        isinstance(one, str) and _HASH.fullmatch(one) for one in value
    ):
        raise _Fault("channel.not_hashes")
    if len(value) > MOST_PHOTOS:
        raise _Fault("channel.too_many", most=MOST_PHOTOS)
    return tuple(value)


def _contact(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or value.keys() - {"name", "phone"}:
        raise _Fault("channel.not_contact")
    return {name: _text(40)(words) for name, words in value.items() if words is not None}


_RULES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "id": _text(LONGEST_ID, least=1),
    "text": _text(LONGEST_TEXT),
    "category": _text(60),
    "address": _text(LONGEST_LINE),
    "lon": _degrees,
    "lat": _degrees,
    "coord_source": _one_of(COORD_SOURCES),
    "urgency": _one_of(URGENCIES),
    "reported_at": _instant,
    "photos": _photos,
    "contact": _contact,
}
#: What a case may have, in the order of the documentation.
FIELDS: Final = tuple(_RULES)
