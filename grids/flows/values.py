"""Reading what was typed into a form: each kind of field has one strict reader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from grids.flows.errors import BadValue, MissingValue
from grids.flows.table import Field, Flow, Step

MOST_TERMS: Final = 12
MOST_PARTIES: Final = 12
FIRST_YEAR, LAST_YEAR = 2000, 2100
LINE: Final = re.compile(r"^(\d{4}-\d{1,2}-\d{1,2})\s*[:：,，、]?\s*(\S.*)$")


def read_all(
    flow: Flow, step: Step, typed: Mapping[str, Any], *, photos: int, today: date, zone: ZoneInfo
) -> dict[str, Any]:
    """Return the values of a step, checked. Raises `MissingValue` and `BadValue`.

    Values of fields that the step does not have are refused, not dropped.
    """
    allowed = set(step.fields)
    if unknown := sorted(name for name, value in typed.items() if value and name not in allowed):
        raise BadValue(f"{step.action} takes no {unknown[0]}", field=unknown[0])
    found = {
        name: read(flow.fields[name], step, typed[name], today=today, zone=zone)
        for name in step.fields
        if name != "photos" and typed.get(name)
    }
    for wanted in step.requires:
        names = wanted.split("|")
        if not any(name in found or (name == "photos" and photos) for name in names):
            raise MissingValue(f"{step.action} needs {wanted}", field=wanted, action=step.action)
    return found


def read(field: Field, step: Step, typed: Any, *, today: date, zone: ZoneInfo) -> Any:
    """Read one value. Raises `BadValue` naming the field."""
    options = step.reasons if field.name == "reason" else field.options
    match field.kind:
        case "line" | "text" | "premises" | "department" | "area":
            return _text(field, typed)
        case "choice":
            return _chosen(field, typed, options)
        case "day":
            return _day(field, typed, today).isoformat()
        case "instant":
            return _instant(field, typed, zone)
        case "number" | "account" | "term":
            return _whole(field, typed)
        case "terms":
            return _terms(field, typed, today)
        case "parties":
            return typed if isinstance(typed, list) else _bad(field, "parties come as a list")
        case "point":
            return _point(field, typed)
        case "photos":
            raise AssertionError("photos travel beside the values")


def _text(field: Field, typed: Any) -> str:
    text = str(typed).strip()
    if len(text) > field.most:
        _bad(field, f"more than {field.most} characters")
    return text


def _chosen(field: Field, typed: Any, options: tuple[str, ...]) -> str:
    if typed not in options:
        _bad(field, f"{str(typed)[:20]!r} is not one of the choices")
    return str(typed)


def _day(field: Field, typed: Any, today: date) -> date:
    try:
        day = date.fromisoformat(str(typed).strip())
    except ValueError:
        _bad(field, f"{str(typed)[:20]!r} is no day")
    if not FIRST_YEAR <= day.year <= LAST_YEAR or (field.is_future and day < today):
        _bad(field, f"{day} is not possible here")
    return day


def _instant(field: Field, typed: Any, zone: ZoneInfo) -> str:
    """Read an instant; one without a zone is on the city's clock."""
    try:
        at = datetime.fromisoformat(str(typed).strip())
    except ValueError:
        _bad(field, f"{str(typed)[:30]!r} is no time")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        _bad(field, f"{at} is not possible here")
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC).isoformat()


def _whole(field: Field, typed: Any) -> int:
    text = str(typed).strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        _bad(field, f"{text[:20]!r} is no number")
    number = int(text)
    if field.kind == "number" and number > field.most:
        _bad(field, f"more than {field.most}")
    return number


def _point(field: Field, typed: Any) -> list[float]:
    try:
        lon, lat = (float(part) for part in typed)
    except (TypeError, ValueError):
        _bad(field, "a place is a longitude and a latitude")
    return [lon, lat]


def _terms(field: Field, typed: Any, today: date) -> list[dict[str, str]]:
    """Read one term of an agreement a line: a day, then what is done by then."""
    lines = [line.strip() for line in str(typed).splitlines() if line.strip()]
    if len(lines) > MOST_TERMS:
        _bad(field, f"more than {MOST_TERMS} terms")
    found = []
    for line in lines:
        parts = LINE.match(line)
        if parts is None:
            raise BadValue("each line begins with a day: 2026-05-01 ...", field=field.name)
        year, month, day = parts[1].split("-")
        due = _day(field, f"{year}-{month:0>2}-{day:0>2}", today)
        found.append({"due_on": due.isoformat(), "text": parts[2][:500]})
    return sorted(found, key=lambda term: term["due_on"])


def _bad(field: Field, why: str) -> Any:
    raise BadValue(f"{field.name}: {why}", field=field.name)
