"""Reads what the designer of forms sends: a draft with its questions in order, and one question."""

from __future__ import annotations

import re
from typing import Any, Final

from grids.ledgers.errors import BadForm
from grids.ledgers.forms import Draft
from grids.ledgers.loading import read_options
from grids.ledgers.models import FormVersion
from grids.ledgers.questions import Option, Question

_FORM: Final = re.compile(r"[a-z][a-z0-9_]{2,40}")
LONGEST: Final = 200
MOST_ITEMS: Final = 120
FIRST, LAST = 0, 10_000

Item = tuple[str, int, tuple[str, tuple[str, ...]] | None]


def draft_of(form: Any, before: FormVersion | None, newest: dict[str, int]) -> Draft:
    """Read a draft. `newest` has the number of the newest wording of each question.

    Raises `BadForm`, naming the field.
    """
    code = before.form if before else form.get("form", "").strip()
    if not _FORM.fullmatch(code):
        raise BadForm("a form needs a code of small letters", field="form")
    return Draft(
        form=code,
        line=form.get("line", ""),
        zh=form.get("zh", "").strip()[:LONGEST],
        en=form.get("en", "").strip()[:LONGEST],
        subject=before.subject if before else form.get("subject", ""),
        kinds=tuple(form.getlist("kind"))[:MOST_ITEMS],
        visit_days=_whole(form.get("visit_days", ""), "visit_days"),
        items=_items(form, before, newest),
        note=form.get("note", "").strip()[:500],
    )


def _items(form: Any, before: FormVersion | None, newest: dict[str, int]) -> tuple[Item, ...]:
    """Put the questions that stay into their order, then those that are new."""
    removed, fresh = set(form.getlist("remove")), set(form.getlist("newest"))
    kept: list[tuple[int, int, Item]] = []
    for place, item in enumerate(before.items if before else ()):
        key, no = item["key"], item["no"]
        if key in removed:
            continue
        at = form.get(f"at.{key}", "")
        no = newest.get(key, no) if key in fresh else no
        when = _condition(form.getlist(f"when.{key}"), key)
        kept.append((_whole(at, key) if at else place + 1, place, (key, no, when)))
    kept.sort(key=lambda one: one[:2])
    there = {item[0] for _at, _place, item in kept}
    added: list[Item] = [
        (key, newest[key], None) for key in dict.fromkeys(form.getlist("add"))
        if key in newest and key not in there
    ]  # fmt: skip
    return tuple([item for _at, _place, item in kept] + added)[:MOST_ITEMS]


def _condition(values: list[str], key: str) -> tuple[str, tuple[str, ...]] | None:
    """Read answers `other=code` of one earlier question. Raises `BadForm` for two questions."""
    pairs = [value.partition("=") for value in values if "=" in value]
    if not pairs:
        return None
    if len({other for other, _sign, _code in pairs}) > 1:
        raise BadForm(f"the condition of {key} names two questions", field=key)
    return pairs[0][0], tuple(code for _other, _sign, code in pairs)


def question_of(form: Any, before: Question | None, subject: str) -> Question:
    """Read one question. Raises `BadForm`, naming the field."""
    kind = before.type if before else form.get("type", "")
    return Question(
        key=before.key if before else form.get("key", "").strip()[:LONGEST],
        no=0,
        subject=before.subject if before else subject,
        type=kind,
        zh=form.get("zh", "").strip()[:LONGEST],
        en=form.get("en", "").strip()[:LONGEST],
        valid_days=_whole(form.get("valid_days", ""), "valid_days"),
        level=form.get("level", "L2"),
        hint_zh=form.get("hint_zh", "").strip()[:LONGEST],
        hint_en=form.get("hint_en", "").strip()[:LONGEST],
        example=form.get("example", "").strip()[:LONGEST],
        unit=form.get("unit", "").strip()[:20],
        options=_options(form.get("options", "")) if kind in ("choice", "many") else (),
        checks=_checks(form, kind),
    )


def _options(text: str) -> tuple[Option, ...]:
    """Read choices, one a line: `code=中文/English`, a star behind the code where it needs a photo."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = read_options("|".join(line.replace("|", " ") for line in lines))
    codes = [one.code for one in found]
    is_whole = all(one.code and one.zh and one.en for one in found)
    if not is_whole or len(set(codes)) != len(codes) or len(codes) < 2:
        raise BadForm("choices are written code=中文/English, one a line", field="options")
    return found


def _checks(form: Any, kind: str) -> dict[str, Any]:
    checks: dict[str, Any] = {"optional": True} if form.get("optional") else {}
    if kind == "number":
        for name in ("min", "max"):
            if text := form.get(name, "").strip():
                try:
                    checks[name] = float(text)
                except ValueError:
                    raise BadForm(f"{name} is no number", field=name) from None
        if form.get("whole"):
            checks["whole"] = True
    return checks


def _whole(text: str, field: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and FIRST <= int(text[:9]) <= LAST):
        raise BadForm(f"{field} is no number of days", field=field)
    return int(text)


def options_text(question: Question) -> str:
    """Write choices as they are typed."""
    return "\n".join(
        f"{one.code}{'*' if one.needs_photo else ''}={one.zh}/{one.en}" for one in question.options
    )
