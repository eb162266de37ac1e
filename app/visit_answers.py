"""Visits as JSON and as words: one shape for the pages, the phone's package and the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from flask import g
from flask_babel import gettext as _

from app import faces
from app.i18n import translated
from grids.ledgers import rounds
from grids.ledgers.asking import Asked, Known
from grids.ledgers.questions import Form, Question
from grids.ledgers.rounds import Sheet
from grids.ledgers.subjects import Due, Subject

#: A form that should have been asked so many days ago is late, before that it is due.
LATE_DAYS: Final = 7
#: What each kind of subject looks like in a list.
SIGNS: Final = {
    "premises": "building-store", "enterprise": "briefcase", "building": "building",
    "household": "home", "dwelling": "home-2", "component": "bulb", "place": "school",
}  # fmt: skip


#: What every sheet says of a question in the same way.
OF_A_QUESTION: Final = (
    "type", "text", "hint", "unit", "example", "optional", "checks", "options",
)  # fmt: skip


class Words:
    """Names of kinds and grids for a number of subjects, asked for once."""

    def __init__(self, ones: Iterable[Subject]) -> None:
        ones = list(ones)
        self._classes = rounds.component_names(
            g.session, (one.kind for one in ones if one.subject == "component")
        )
        self._grids = rounds.grid_names(g.session, (one.area_code[:15] for one in ones))

    def kind(self, one: Subject) -> str:
        """Name what kind of thing it is."""
        return kind_word(one.subject, one.kind, self._classes)

    def grid(self, one: Subject) -> str:
        """Name the duty grid that it stands in."""
        return self._grids.get(one.area_code[:15], one.area_code)

    def name(self, one: Subject) -> str:
        """Name the thing, by its kind and key where it has no name."""
        return one.name.strip() or f"{self.kind(one)} {one.id}"


def kind_word(subject: str, kind: str, classes: Mapping[str, tuple[str, str]]) -> str:
    """Name a kind of subject in the reader's language."""
    if kind in classes:
        return faces.by_language(*classes[kind])
    return translated(f"kind.{kind}", translated(f"visit.subject.{subject}", kind))


def form_json(form: Form) -> dict[str, Any]:
    """Write a form's name."""
    return {
        "version": form.version_id, "form": form.form, "line": form.line,
        "name": faces.by_language(form.zh, form.en), "days": form.visit_days,
    }  # fmt: skip


def subject_json(one: Subject, words: Words) -> dict[str, Any]:
    """Write what is visited; homes have no point of their own."""
    return {
        "subject": one.subject, "id": one.id, "name": words.name(one), "kind": words.kind(one),
        "sign": SIGNS[one.subject], "grid": words.grid(one), "lon": one.lon, "lat": one.lat,
    }  # fmt: skip


def due_json(due: Due, words: Words, now: datetime) -> dict[str, Any]:
    """Write one line of the round: what, where, why, since when."""
    late = (now - due.since).days if due.since else None
    return {
        **subject_json(due.subject, words),
        "forms": [faces.by_language(form.zh, form.en) for form in due.forms],
        "since": due.since,
        "risk": "late" if late is not None and late > LATE_DAYS else "soon",
        "when": str(_("visit.due_never") if late is None else _("visit.due_today") if late < 1
                    else _("visit.due_days", n=late)),
        "distance_m": None if due.distance_m is None else round(due.distance_m),
    }  # fmt: skip


def sheet_json(sheet: Sheet, words: Words) -> dict[str, Any]:
    """Write a sheet with its questions, what is known, and what it will cost."""
    return {
        **subject_json(sheet.one, words),
        "forms": [form_json(form) for form in sheet.forms],
        "later": [form_json(form) for form in sheet.later],
        "items": [_item(item) for item in sheet.items],
        "asked": sheet.asked, "reused": sheet.reused, "apart": sheet.apart,
        "seconds": round(sheet.seconds),
    }  # fmt: skip


def package_json(sheets: Sequence[Sheet], words: Words) -> dict[str, Any]:
    """Write many sheets with each question once: a phone takes them over a weak network."""
    written = [sheet_json(one, words) for one in sheets]
    asked: dict[str, Any] = {}
    for one in written:
        for item in one["items"]:
            wording = {name: item.pop(name) for name in OF_A_QUESTION}
            asked.setdefault(f"{item['key']}.{item['no']}", wording)
    return {"sheets": written, "questions": asked}


def _item(item: Asked) -> dict[str, Any]:
    question = item.question
    return {
        "key": question.key,
        "no": question.no,
        "type": question.type,
        "text": faces.by_language(question.zh, question.en),
        "hint": faces.by_language(question.hint_zh, question.hint_en),
        "unit": question.unit,
        "example": question.example,
        "optional": question.is_optional,
        "checks": {name: question.checks[name] for name in ("min", "max", "whole", "most")
                   if name in question.checks},
        "options": [
            {"code": one.code, "text": faces.by_language(one.zh, one.en), "photo": one.needs_photo}
            for one in question.options
        ],
        "conditions": [[key, list(codes)] for key, codes in item.conditions],
        "forms": [faces.by_language(form.zh, form.en) for form in item.forms],
        "known": _known(question, item.known),
        "last": _known(question, item.last),
    }  # fmt: skip


def _known(question: Question, known: Known | None) -> dict[str, Any] | None:
    if known is None:
        return None
    return {
        "value": known.value, "words": value_words(question, known.value),
        "at": known.observed_at, "on": faces.day_words(known.observed_at.date()), "by": known.by,
    }  # fmt: skip


def value_words(question: Question, value: Any) -> str:
    """Write an answer as a reader of a ledger or a sheet sees it."""
    if value is None:
        return ""
    if question.type in ("choice", "many"):
        codes = value if isinstance(value, list) else [value]
        found = (question.option(code) for code in codes)
        words = [faces.by_language(one.zh, one.en) for one in found if one]
        return str(_("visit.comma")).join(words)
    if question.type == "number":
        return f"{value:,}{' ' + question.unit if question.unit else ''}"
    if question.type == "place" and isinstance(value, list):
        return f"{value[0]:.5f}, {value[1]:.5f}"
    if question.type == "photo":
        return str(_("visit.photo_taken"))
    return str(value)


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)
