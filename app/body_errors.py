"""What is wrong with a body of JSON, in the caller's language.

msgspec says it in English only; its sentences are few and stand here by their form.
"""

from __future__ import annotations

import re
from typing import Final

from app.i18n import translated

#: Form of a sentence -> key of its words. A group `wanted` or `got` names kinds: `str | null`.
FORMS: Final = tuple(
    (re.compile(form), f"error.body.{key}")
    for form, key in (
        (r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`", "kind"),
        (r"Object missing required field `(?P<name>[^`]*)`", "missing"),
        (r"Object contains unknown field `(?P<name>[^`]*)`", "no_such"),
        (r"Expected `(?P<wanted>[^`]+)` of length (?P<limit>[<>=]+ ?\d+).*", "length"),
        (r"Expected `(?P<wanted>[^`]+)` (?P<limit>[<>=]+ ?-?[\d.e+]+)", "range"),
        (r"Expected `str` matching regex (?P<form>.+)", "form"),
        (r"Invalid enum value (?P<value>.+)", "choice"),
        (r"Invalid RFC3339 encoded (?:datetime|time)", "instant"),
        (r"Expected `datetime` with a timezone component", "zone"),
        (r"Invalid RFC3339 encoded date", "date"),
        (r"Invalid UUID", "uuid"),
        (r"JSON is malformed: .*\(byte (?P<byte>\d+)\)", "json"),
        (r"Input data was truncated", "short"),
    )
)


def words_of(message: str) -> str:
    """Say a sentence of msgspec in the caller's language; as it stands where it is unknown.

    >>> words_of("a sentence of tomorrow")
    'a sentence of tomorrow'
    """
    for form, key in FORMS:
        found = form.fullmatch(message)
        if found:
            given = found.groupdict()
            for group in ("wanted", "got"):
                if group in given:
                    given[group] = _kinds(given[group])
            return translated(key, message, **given)
    return message


def _kinds(names: str) -> str:
    return " / ".join(translated(f"body_kind.{name}", name) for name in names.split(" | "))
