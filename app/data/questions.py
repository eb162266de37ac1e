"""Questions of forms by hand: all of a kind of subject, a new one, another wording."""

from __future__ import annotations

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import faces
from app.auth import requires
from app.channel_pages import source_ip
from app.data import form_reading
from app.data.forms import asked_subject, today, words_of
from app.data.frame import page
from grids.errors import GridsError
from grids.ledgers import forms, wording
from grids.ledgers.questions import LEVELS, SUBJECTS, TYPES, Question

bp = Blueprint("data_questions", __name__)


@bp.get("/data/questions")
@requires("ledger:view")
def listed() -> ResponseReturnValue:
    """List the questions of a kind of subject, with the forms that ask each."""
    subject = asked_subject()
    with g.session.begin():
        asked: dict[str, list[str]] = {}
        for form in forms.live(g.session, today(), subject):
            for item in form.items:
                asked.setdefault(item.question.key, []).append(
                    faces.by_language(form.zh, form.en)
                )  # fmt: skip
        return page(
            "questions", subject=subject, subjects=SUBJECTS, asked=asked,
            rows=forms.questions(g.session, subject),
        )  # fmt: skip


@bp.get("/data/questions/edit")
@requires("forms:write")
def edit() -> ResponseReturnValue:
    """Write a new question, or another wording of one."""
    with g.session.begin():
        return _page(wording.newest(g.session, request.args.get("key", "")), {})


@bp.post("/data/questions/edit")
@requires("forms:write")
def write() -> ResponseReturnValue:
    """Keep a question; one that asks for what must not be collected is refused with the reason."""
    key = request.form.get("key", "").strip()
    try:
        with g.session.begin():
            before = wording.newest(g.session, key)
            wanted = form_reading.question_of(request.form, before, request.form.get("subject", ""))
            made = wording.write(g.session, wanted, g.actor, source_ip=source_ip())
            subject = made.subject
    except GridsError as refused:
        with g.session.begin():
            before = wording.newest(g.session, key)
            return _page(before, {"": words_of(refused)}), 422
    return redirect(url_for("data_questions.listed", subject=subject, done=key), 303)


def _page(before: Question | None, errors: dict[str, str]) -> str:
    subject = before.subject if before else asked_subject()
    return page(
        "question_edit", before=before, subject=subject, types=TYPES, levels=LEVELS,
        errors=errors, typed=request.form,
        options=form_reading.options_text(before) if before else "",
    )  # fmt: skip
