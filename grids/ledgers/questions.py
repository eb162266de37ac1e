"""Questions and forms as values, and the check of an answer: one rule for phone, import and desk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from grids.ledgers import forbidden
from grids.ledgers.errors import BadAnswer, BadForm, Forbidden, PersonalText

TYPES: Final = ("choice", "many", "number", "date", "text", "photo", "place")
SUBJECTS: Final = (
    "building", "dwelling", "household", "enterprise", "premises", "component", "place",
)  # fmt: skip
LEVELS: Final = ("L1", "L2", "L3")
MOST_TEXT: Final = 500
LON, LAT = 180, 90
_SHA: Final = re.compile(r"[0-9a-f]{64}")
_KEY: Final = re.compile(r"[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)+")


@dataclass(frozen=True)
class Option:
    """One choice of a question; one with a photo asks for evidence."""

    code: str
    zh: str
    en: str
    needs_photo: bool = False


@dataclass(frozen=True)
class Question:
    """What is asked of one kind of subject, in one wording."""

    key: str
    no: int
    subject: str
    type: str
    zh: str
    en: str
    valid_days: int
    level: str
    hint_zh: str = ""
    hint_en: str = ""
    example: str = ""
    unit: str = ""
    options: tuple[Option, ...] = ()
    checks: Mapping[str, Any] = field(default_factory=dict)
    register: str | None = None

    @property
    def is_optional(self) -> bool:
        """Say whether a visit may leave it out."""
        return bool(self.checks.get("optional"))

    def option(self, code: object) -> Option | None:
        """Return a choice by its code."""
        return next((one for one in self.options if one.code == code), None)


@dataclass(frozen=True)
class Item:
    """One question of a form; `when` asks it only after certain answers to an earlier one."""

    question: Question
    when: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Form:
    """One version of a form, ready to be asked."""

    version_id: int
    form: str
    no: int
    line: str
    zh: str
    en: str
    subject: str
    kinds: tuple[str, ...]
    visit_days: int
    items: tuple[Item, ...]

    def fits(self, kind: str) -> bool:
        """Say whether the form is for subjects of a kind; one without kinds is for all."""
        return not self.kinds or kind in self.kinds


def require_sound(question: Question) -> None:
    """Raise `Forbidden` for what must not be collected, `BadForm` for a question that cannot be."""
    texts = [question.zh, question.en, question.hint_zh, question.hint_en, question.key]
    texts += [text for one in question.options for text in (one.zh, one.en)]
    found = forbidden.subject_of(*texts)
    if found:
        raise Forbidden(f"{question.key} asks for {found}", subject=found, field=question.key)
    is_known = question.type in TYPES and question.subject in SUBJECTS and question.level in LEVELS
    has_options = bool(question.options) == (question.type in ("choice", "many"))
    is_named = bool(_KEY.fullmatch(question.key) and question.zh and question.en)
    if not (is_known and has_options and is_named and question.valid_days > 0):
        raise BadForm(f"the question {question.key} is not complete", field=question.key)


def require_sound_form(form: Form) -> None:
    """Raise `BadForm` where a question stands twice, speaks of another subject or hangs in the air."""
    seen: set[str] = set()
    if not form.items:
        raise BadForm("a form has at least one question", field="items")
    for item in form.items:
        key = item.question.key
        is_loose = item.when is not None and item.when[0] not in seen
        if key in seen or item.question.subject != form.subject or is_loose:
            raise BadForm(f"{key} does not belong here", field=key)
        require_sound(item.question)
        seen.add(key)


def checked(question: Question, raw: Any) -> Any:
    """Return an answer as it is kept. Raises `BadAnswer` and `PersonalText`.

    Numbers are kept as numbers, days as ISO texts, choices as codes, a place as `[lon, lat]`.
    """
    try:
        value = _READERS[question.type](question, raw)
    except (TypeError, ValueError) as error:
        raise BadAnswer(f"{question.key}: {raw!r}", field=question.key) from error
    return value


def _choice(question: Question, raw: Any) -> str:
    found = question.option(raw)
    if found is None:
        raise ValueError(raw)
    return found.code


def _many(question: Question, raw: Any) -> list[str]:
    codes = raw if isinstance(raw, list | tuple) else [raw]
    given = {_choice(question, code) for code in codes}
    return [one.code for one in question.options if one.code in given]


def _number(question: Question, raw: Any) -> float | int:
    if isinstance(raw, bool):
        raise TypeError(raw)
    value = float(str(raw).strip())
    low, high = question.checks.get("min", 0), question.checks.get("max", 1e9)
    if not low <= value <= high:
        raise ValueError(raw)
    if value.is_integer():
        return int(value)
    if question.checks.get("whole"):
        raise ValueError(raw)
    return value


def _date(question: Question, raw: Any) -> str:  # noqa: ARG001 - one form for all readers
    return date.fromisoformat(str(raw).strip()).isoformat()


def _text(question: Question, raw: Any) -> str:
    value = str(raw).strip()
    pattern = question.checks.get("pattern")
    if not value or len(value) > question.checks.get("most", MOST_TEXT):
        raise ValueError(raw)
    if pattern and not re.fullmatch(pattern, value):
        raise ValueError(raw)
    if forbidden.holds_personal_number(value):
        raise PersonalText("a number of a person does not belong here", field=question.key)
    return value


def _photo(question: Question, raw: Any) -> str:  # noqa: ARG001
    value = str(raw)
    if not _SHA.fullmatch(value):
        raise ValueError(raw)
    return value


def _place(question: Question, raw: Any) -> list[float]:  # noqa: ARG001
    lon, lat = (float(part) for part in (raw.split(",") if isinstance(raw, str) else raw))
    if not (abs(lon) <= LON and abs(lat) <= LAT):
        raise ValueError(raw)
    return [round(lon, 7), round(lat, 7)]


_READERS: Final = {
    "choice": _choice, "many": _many, "number": _number, "date": _date, "text": _text,
    "photo": _photo, "place": _place,
}  # fmt: skip
