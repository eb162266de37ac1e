"""What was understood of an address, for pages and for answers in JSON."""

from __future__ import annotations

from typing import Any

from grids.addressing.levels import Parsed
from grids.addressing.match import Candidate, Match


def pieces(parsed: Parsed) -> list[dict[str, Any]]:
    """Divide the original text into what was understood and what lies between."""
    found: list[dict[str, Any]] = []
    at = 0
    for part in parsed.parts:
        if part.start > at:
            found.append({"text": parsed.text[at : part.start], "level": "", "value": ""})
        found.append({
            "text": parsed.text[part.start : part.end], "level": part.level.value,
            "value": part.value, "known": part.is_known,
        })  # fmt: skip
        at = part.end
    if at < len(parsed.text):
        found.append({"text": parsed.text[at:], "level": "", "value": ""})
    return found


def candidate_json(one: Candidate) -> dict[str, Any]:
    """Return a candidate; what lies between two doors has no id."""
    return {
        "id": None if one.address_id is None else str(one.address_id), "code": one.code,
        "text": one.text, "kind": one.kind, "score": round(one.score, 3), "lon": one.lon,
        "lat": one.lat, "area_code": one.area_code, "state": one.state,
        "reasons": [
            {"level": reason.level.value, "how": reason.how, "said": reason.said,
             "found": reason.found}
            for reason in one.reasons
        ],
    }  # fmt: skip


def match_json(match: Match) -> dict[str, Any]:
    """Return how a text was read and what it may mean."""
    return {
        "verdict": match.verdict,
        "outside": match.parsed.is_outside,
        "parts": [
            {"level": part.level.value, "value": part.value, "start": part.start, "end": part.end,
             "known": part.is_known}
            for part in match.parsed.parts
        ],
        "items": [candidate_json(one) for one in match.candidates],
    }  # fmt: skip
