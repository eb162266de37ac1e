"""What is asked and told when somebody chooses a category, for every form that takes a report.

A form includes `partials/questions.html` with `asked=questions.page(...)`; its script asks for
the same piece again whenever another category is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue

from app import faces
from app.auth import PUBLIC, requires
from grids import codes
from grids.errors import GridsError

bp = Blueprint("questions", __name__)

KINDS: Final = ("matter", "component", "social")
MOST_ANSWERS: Final = 20
LONGEST: Final = 40


@bp.get("/questions")
@requires(PUBLIC)
def fragment() -> ResponseReturnValue:
    """Give the questions and notices of a category as a piece of a form."""
    kind = request.args.get("kind", "")
    category = request.args.get("category", "").strip()[:LONGEST]
    with g.session.begin():
        asked = page(category, kind if kind in KINDS else KINDS[0])
    return render_template("partials/questions.html", asked=asked)


def page(
    category: str,
    kind: str = "matter",
    *,
    answers: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what `partials/questions.html` shows; nothing is asked about an unknown category."""
    asked = codes.questions_of(g.session, category, faces.today(), kind=kind)
    given, wrong = answers or {}, errors or {}
    return {
        "category": category,
        "notices": [faces.by_language(one.zh, one.en) for one in asked.notices],
        "questions": [
            {
                "field": codes.FIELD_PREFIX + one.name,
                "text": faces.by_language(one.zh, one.en),
                "is_required": one.is_required,
                "chosen": given.get(one.name, ""),
                "error": wrong.get(codes.FIELD_PREFIX + one.name, ""),
                "options": [
                    {"code": option.code, "name": _capital(faces.by_language(option.zh, option.en))}
                    for option in one.options
                ],
            }
            for one in asked.questions
        ],
    }


def sent() -> dict[str, str]:
    """Read the answers of a form or of a JSON body: fields `q_<question>`; open ones are left out."""
    body: Any = request.get_json(silent=True) if request.is_json else request.form
    if not isinstance(body, Mapping):
        return {}
    found = {
        str(name).removeprefix(codes.FIELD_PREFIX)[:LONGEST]: str(value).strip()[:LONGEST]
        for name, value in body.items()
        if str(name).startswith(codes.FIELD_PREFIX) and isinstance(value, str) and value.strip()
    }
    return dict(list(found.items())[:MOST_ANSWERS])


def problems(category: str, answers: Mapping[str, str], kind: str = "matter") -> dict[str, str]:
    """Say what is wrong with the answers of a form, by field; empty where nothing is."""
    asked = codes.questions_of(g.session, category, faces.today(), kind=kind)
    try:
        codes.require_answers(asked, answers)
    except GridsError as error:
        return faces.field_errors(error)
    return {}


def told(category_id: int, answers: Mapping[str, str]) -> list[dict[str, str]]:
    """Write the answers that stand with a case, in the reader's language."""
    pairs = codes.answered(g.session, category_id, faces.today(), answers)
    return [
        {
            "question": faces.by_language(question.zh, question.en),
            "answer": faces.by_language(option.zh, option.en),
        }
        for question, option in pairs
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
