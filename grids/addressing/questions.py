"""Uncertain addresses become questions to those who know the grid; the answer is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.addressing.library import alias_digest, names_of
from grids.addressing.match import Match
from grids.addressing.models import AddressAlias, AddressQuestion
from grids.addressing.normal import LONGEST
from grids.addressing.parser import normal_form
from grids.errors import Conflict, Invalid, NotFound

#: A person chooses between so many; more would be read by nobody.
OFFERED: Final = 5
LISTED: Final = 50


class QuestionAnswered(Conflict):
    """Somebody else was faster."""

    code = "address.answered"


class NotOffered(Invalid):
    """The answer is none of the candidates."""

    code = "address.not_offered"


@dataclass(frozen=True)
class Asked:
    """What became of the texts of a batch that were uncertain."""

    asked: int
    waiting: int  #: the same text is an open question already


def is_askable(match: Match) -> bool:
    """Say whether somebody can be asked: uncertain, with a standard address to choose."""
    return match.verdict == "uncertain" and any(
        one.address_id is not None for one in match.candidates
    )


def ask(
    session: Session, matches: Sequence[Match], source: str, *, now: datetime, actor: Actor | None
) -> Asked:
    """Make open questions of uncertain matches, each text once, bound to the best one's grid.

    `actor` is None for the platform's own work; a person asks in the own area only.
    """
    vocabulary = names_of(session).vocabulary
    rows: dict[str, dict[str, Any]] = {}
    for match in matches:
        offered = [one for one in match.candidates if one.address_id is not None][:OFFERED]
        if not is_askable(match) or (actor and not scope.may_see(actor, offered[0].area_code)):
            continue
        text = match.parsed.text[:LONGEST]
        normal = normal_form(text, vocabulary)
        rows.setdefault(normal, {
            "text": text, "normal": normal, "source": source, "asked_at": now,
            "area_code": offered[0].area_code, "state": "open",
            "candidates": [_offered(one) for one in offered],
        })  # fmt: skip
    if not rows:
        return Asked(0, 0)
    made = session.execute(
        insert(AddressQuestion)
        .values(list(rows.values()))
        .on_conflict_do_nothing()
        .returning(AddressQuestion.id)
    ).all()
    return Asked(len(made), len(rows) - len(made))


def _offered(one: Any) -> dict[str, Any]:
    return {
        "id": one.address_id, "code": one.code, "text": one.text, "score": one.score,
        "kind": one.kind, "lon": one.lon, "lat": one.lat,
        "reasons": [[reason.level.value, reason.how] for reason in one.reasons],
    }  # fmt: skip


def open_questions(session: Session, actor: Actor, *, most: int = LISTED) -> list[AddressQuestion]:
    """List the open questions of the actor's areas, the oldest first."""
    statement = (
        select(AddressQuestion)
        .where(AddressQuestion.state == "open")
        .order_by(AddressQuestion.asked_at, AddressQuestion.id)
        .limit(most)
    )
    return list(session.scalars(scope.visible(statement, actor, AddressQuestion)))


def count_open(session: Session, actor: Actor) -> int:
    """Count the open questions of the actor's areas."""
    statement = select(func.count()).select_from(AddressQuestion)
    statement = scope.visible(statement, actor, AddressQuestion)
    return int(session.scalar(statement.where(AddressQuestion.state == "open")) or 0)


def answer(
    session: Session, actor: Actor, question_id: int, address_id: int | None, *, now: datetime
) -> AddressQuestion:
    """Take an answer: one of the candidates, or None for none of these; learn it for the text.

    Raises `NotFound` outside of the actor's areas, `QuestionAnswered` for a second answer and
    `NotOffered` for an address that was not among the candidates.
    """
    statement = select(AddressQuestion).where(AddressQuestion.id == question_id).with_for_update()
    question: AddressQuestion | None = session.scalar(
        scope.visible(statement, actor, AddressQuestion)
    )
    if question is None:
        raise NotFound("no such question")
    if question.state != "open":
        raise QuestionAnswered("the question was answered")
    if address_id is not None and address_id not in {one["id"] for one in question.candidates}:
        raise NotOffered("not among the candidates", field="answer")
    question.state, question.answered_at = "answered", now
    question.answered_by, question.answer_id = actor.account_id, address_id
    learned = {
        "address_id": address_id, "learned_at": now, "learned_by": actor.account_id,
    }  # fmt: skip
    session.execute(
        insert(AddressAlias)
        .values(digest=alias_digest(question.normal), **learned)
        .on_conflict_do_update(index_elements=["digest"], set_=learned)
    )
    audit.record(
        session, "address_confirmed", actor_id=actor.account_id, subject=str(question.id),
        detail={"address": address_id, "area": question.area_code},
    )  # fmt: skip
    session.flush()
    return question
