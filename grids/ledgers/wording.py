"""Questions by hand: a new one, or a new wording of one that forms ask already."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts import Actor
from grids.ledgers import forms
from grids.ledgers.errors import BadForm
from grids.ledgers.loading import add_question
from grids.ledgers.models import FormQuestion
from grids.ledgers.questions import Question


def newest(session: Session, key: str) -> Question | None:
    """Return the newest wording of a question."""
    row = session.scalar(
        select(FormQuestion)
        .where(FormQuestion.key == key)
        .order_by(FormQuestion.no.desc())
        .limit(1)
    )
    return forms.question_of(row) if row else None


def write(session: Session, wanted: Question, actor: Actor, *, source_ip: str = "") -> Question:
    """Keep a question under the next number of its key; the same wording again stays what it is.

    Subject and type of a key never change, for ledgers read its answers as one series; nor does
    the column of a register that it is written back to. A choice that is gone would make answers
    unreadable: old ones stay under the wording that they were given to. Raises `Forbidden` and
    `BadForm`.
    """
    before = newest(session, wanted.key)
    if before is None:
        made = replace(wanted, no=1, register=None)
    elif (before.subject, before.type) != (wanted.subject, wanted.type):
        raise BadForm(f"{wanted.key} is of another subject or type", field=wanted.key)
    else:
        made = replace(wanted, no=before.no, register=before.register)
        if made == before:
            return before
        made = replace(made, no=before.no + 1)
    add_question(session, made)
    session.flush()
    audit.record(
        session, "question_written", actor_id=actor.account_id,
        subject=f"question {made.key}.{made.no}", source_ip=source_ip,
        detail={"type": made.type, "level": made.level},
    )  # fmt: skip
    return made
