"""What a reporter is asked and told about a category, and whether the answers are among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from grids.codes.carried import Option, Question, Versioned, of, of_code
from grids.errors import Invalid

#: A form's field of a question: this and the question's name.
FIELD_PREFIX = "q_"


class UnknownAnswer(Invalid):
    """An answer that the question does not offer, or to a question that nobody asks."""

    code = "codes.unknown_answer"


class AnswerNeeded(Invalid):
    """A question that has to be answered was left open."""

    code = "codes.answer_needed"


@dataclass(frozen=True)
class Asked:
    """The questions and notices of one category on one day; nothing for an unknown one."""

    category: str
    kind: str
    questions: tuple[Question, ...] = ()
    notices: tuple[Versioned, ...] = ()


def questions_of(session: Session, category: str, on: date, *, kind: str = "matter") -> Asked:
    """Return what is asked and told when somebody chooses a category on a day."""
    carried = of_code(session, category, kind, on) if category else None
    if carried is None:
        return Asked(category, kind)
    return Asked(category, kind, carried.questions, carried.notices)


def check_answers(session: Session, category_id: int, on: date, answers: Mapping[str, str]) -> None:
    """Check the answers of a report, from whatever channel. Raises `UnknownAnswer`.

    A question left open is no reason to refuse it: the forms ask, the desk can ask again.
    """
    if answers:
        check_known(of(session, category_id, on).questions, answers)


def require_answers(asked: Asked, answers: Mapping[str, str]) -> None:
    """Check the answers of a form: known ones, and none missing that has to be there.

    Raises `UnknownAnswer` and `AnswerNeeded`, which name the field of the form.
    """
    given = {name: code for name, code in answers.items() if code}
    check_known(asked.questions, given)
    for question in asked.questions:
        if question.is_required and question.name not in given:
            raise AnswerNeeded(
                f"{question.name} has to be answered", field=FIELD_PREFIX + question.name
            )


def answered(
    session: Session, category_id: int, on: date, answers: Mapping[str, str]
) -> tuple[tuple[Question, Option], ...]:
    """Return questions with the answers that were given, to show them beside a case."""
    return of(session, category_id, on).answered(answers) if answers else ()


def check_known(questions: tuple[Question, ...], given: Mapping[str, str]) -> None:
    """Check that each answer is one that its question offers. Raises `UnknownAnswer`."""
    known = {question.name: question for question in questions}
    for name, code in given.items():
        if name not in known or known[name].option(code) is None:
            raise UnknownAnswer(f"{name} has no answer {code!r}", field=FIELD_PREFIX + name)
