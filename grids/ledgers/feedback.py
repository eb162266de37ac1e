"""What became of one's own answers: those that a later visit found otherwise, for the worker alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from grids import scope
from grids.accounts import Actor
from grids.ledgers.models import FormQuestion, Observation

LOOKS_BACK: Final = timedelta(days=90)
MOST: Final = 30


@dataclass(frozen=True)
class Correction:
    """An own answer and the later one, given while the first should still have held."""

    subject: str
    subject_id: int
    question: str
    question_no: int
    given: Any
    given_at: datetime
    found: Any
    found_at: datetime


@dataclass(frozen=True)
class Quality:
    """How many own answers were looked at again, and how many of them stood."""

    looked_at: int
    corrections: Sequence[Correction]

    @property
    def stood(self) -> int:
        """Answers that a later visit confirmed."""
        return self.looked_at - len(self.corrections)


def own(session: Session, actor: Actor, *, now: datetime) -> Quality:
    """Return what later visits say of the actor's own answers, within their validity."""
    first, later = aliased(Observation), aliased(Observation)
    held = func.make_interval(0, 0, 0, FormQuestion.valid_days)
    pairs = (
        select(first, later.value.label("found"), later.observed_at.label("found_at"))
        .join(FormQuestion, (FormQuestion.key == first.question)
              & (FormQuestion.no == first.question_no))
        .join(later, (later.subject == first.subject) & (later.subject_id == first.subject_id)
              & (later.question == first.question) & (later.observed_at > first.observed_at)
              & (later.observed_at <= first.observed_at + held))
        .where(
            scope.condition(actor, first), scope.condition(actor, later),
            first.worker_id == actor.account_id, first.observed_at >= now - LOOKS_BACK,
        )
        .ext(distinct_on(first.id))
        .order_by(first.id, later.observed_at)
    )  # fmt: skip
    rows = session.execute(pairs).all()
    wrong = [
        Correction(one.subject, one.subject_id, one.question, one.question_no, one.value,
                   one.observed_at, found, found_at)
        for one, found, found_at in rows if found != one.value
    ]  # fmt: skip
    wrong.sort(key=lambda each: each.found_at, reverse=True)
    return Quality(len(rows), wrong[:MOST])
