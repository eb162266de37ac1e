"""What a visit asks: the questions of all lines once, without those that still have an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from grids.ledgers.questions import Form, Item, Question


@dataclass(frozen=True)
class Known:
    """The latest answer about a subject: since when, by whom."""

    value: Any
    observed_at: datetime
    worker_id: int
    by: str = ""

    def holds(self, question: Question, at: datetime) -> bool:
        """Say whether the answer is inside the question's validity."""
        return at < self.observed_at + timedelta(days=question.valid_days)


#: Visits of the same walk: what falls due within these days is asked along.
ALONG: Final = timedelta(days=7)


def is_due(form: Form, last: datetime | None, at: datetime, *, is_along: bool = False) -> bool:
    """Say whether a form is due, by when it was served last.

    `is_along` asks it early where somebody is there anyway: by a week, but never by more than a
    quarter of its round. A form on occasion is never due.
    """
    if not form.visit_days:
        return False
    round_ = timedelta(days=form.visit_days)
    early = min(ALONG, round_ / 4) if is_along else timedelta()
    return last is None or last + round_ <= at + early


@dataclass(frozen=True)
class Asked:
    """One question of a visit, with the forms that want it and what is known already."""

    question: Question
    forms: tuple[Form, ...]
    conditions: tuple[tuple[str, tuple[str, ...]], ...]  #: any of them; empty: always
    known: Known | None  #: only inside the validity: then it is shown and not asked
    last: Known | None  #: whenever it was given

    @property
    def form(self) -> Form:
        """The form that an answer is given to: the first that asks."""
        return self.forms[0]


def sheet(forms: Iterable[Form], answers: Mapping[str, Known], at: datetime) -> tuple[Asked, ...]:
    """Put the forms of a visit together: each question once, in the order of the forms."""
    wanted: dict[str, list[tuple[Form, Item]]] = {}
    for form in forms:
        for item in form.items:
            wanted.setdefault(item.question.key, []).append((form, item))
    return tuple(_asked(given, answers, at) for given in wanted.values())


def _asked(given: Sequence[tuple[Form, Item]], answers: Mapping[str, Known], at: datetime) -> Asked:
    question = max((item.question for _form, item in given), key=lambda one: one.no)
    conditions = tuple(item.when for _form, item in given if item.when)
    is_always = len(conditions) < len(given)
    last = answers.get(question.key)
    return Asked(
        question, tuple(form for form, _item in given), () if is_always else conditions,
        last if last and last.holds(question, at) else None, last,
    )  # fmt: skip


def applies(conditions: Iterable[tuple[str, tuple[str, ...]]], values: Mapping[str, Any]) -> bool:
    """Say whether a question is to be asked, given the answers so far."""
    conditions = tuple(conditions)
    return not conditions or any(_meets(values.get(key), codes) for key, codes in conditions)


def _meets(value: Any, codes: tuple[str, ...]) -> bool:
    return bool(set(value) & set(codes)) if isinstance(value, list) else value in codes


def needed(items: Sequence[Asked], given: Mapping[str, Any]) -> tuple[Asked, ...]:
    """Return what a visit with these answers has to have asked: it applies and nothing is known."""
    values = {one.question.key: one.known.value for one in items if one.known} | dict(given)
    return tuple(one for one in items if not one.known and applies(one.conditions, values))


def asked_apart(forms: Iterable[Form], values: Mapping[str, Any]) -> int:
    """Count what the same forms would ask one by one, each its own questions, nothing reused."""
    return sum(
        applies((item.when,) if item.when else (), values) for form in forms for item in form.items
    )
