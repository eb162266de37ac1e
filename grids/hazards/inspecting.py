"""A visit with a check-list: each failed item becomes a hazard, the visit a score and a colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.enterprises import Premises
from grids.flows import once
from grids.flows.errors import NotYourStep
from grids.flows.once import Answer
from grids.flows.taking import StepRequest
from grids.hazards import service
from grids.hazards.checklists import ANSWERS, Result, item_of, list_for, lists, result
from grids.hazards.errors import BadAnswers, PhotoNeeded
from grids.hazards.models import Inspection, InspectionAnswer
from grids.hazards.service import Found

INSPECTORS: Final = ("worker", "grid_leader", "town_seat")
MOST_FOUND: Final = 20
ADVICE: Final = 3


@dataclass(frozen=True)
class Visit:
    """What an inspector sends: one answer an item, a photo for each that failed."""

    id: UUID
    premises: str
    answers: Mapping[str, str]
    photos: Mapping[str, str]
    notes: Mapping[str, str]


def inspect(session: Session, visit: Visit, actor: Actor, *, now: datetime) -> Answer:
    """Keep a visit and open a hazard for each item that failed, all or nothing.

    The answer has `id`, `score`, `level` and the `hazards`. Raises `NoPremises`, `BadAnswers`,
    `PhotoNeeded`, `NotYourStep`, `OtherContent`.
    """
    premises = service.premises_of(session, actor, visit.premises)
    if not any(actor.holds(role, premises.area_code) for role in INSPECTORS):
        raise NotYourStep(f"an inspection is for {', '.join(INSPECTORS)}", action="inspect")
    digest = once.digest_of(
        visit.premises, dict(visit.answers), dict(visit.photos), dict(visit.notes),
        actor_id=actor.account_id,
    )  # fmt: skip
    if found := once.earlier(session, visit.id, digest):
        return found
    checklist = list_for(premises.kind)
    _require_answers(checklist, visit)
    outcome = result(checklist, visit.answers)
    keys = {item.code: uuid5(visit.id, item.code) for item in outcome.failed}
    body = {
        "id": str(visit.id), "score": outcome.score, "level": outcome.colour,
        "hazards": [str(key) for key in keys.values()],
    }  # fmt: skip
    if sent := once.keep(session, visit.id, "inspection", digest, body, now):
        return sent
    _store(session, visit, premises, checklist, outcome, actor, now)
    for item in outcome.failed:
        note = visit.notes.get(item.code, "").strip()
        values = {
            "premises": visit.premises,
            "severity": "major" if item.is_major else "general",
            "text": "：".join(filter(None, (item.zh, note))),
        }
        wanted = StepRequest(keys[item.code], "report", values, (visit.photos[item.code],))
        service.report(session, wanted, actor, now=now, found=Found(visit.id, checklist, item.code))
    return Answer(body, is_new=True)


def _require_answers(checklist: str, visit: Visit) -> None:
    codes = {item.code for item in lists()[checklist]}
    if set(visit.answers) != codes or set(visit.answers.values()) - set(ANSWERS):
        missing = min(codes - set(visit.answers), default="")
        raise BadAnswers("every item is met, failed or does not apply", field=missing)
    for code, answer in visit.answers.items():
        if answer == "failed" and not visit.photos.get(code):
            raise PhotoNeeded(f"{code} failed and has no photo", field=code)


def _store(
    session: Session, visit: Visit, premises: Premises, checklist: str, outcome: Result,
    actor: Actor, now: datetime,
) -> None:  # fmt: skip
    session.add(
        Inspection(
            id=visit.id, premises_id=premises.id, premises_kind=premises.kind,
            area_code=premises.area_code, checklist=checklist, inspector_id=actor.account_id,
            done_at=now, score=outcome.score, level=outcome.colour, failed=len(outcome.failed),
            major_failed=sum(item.is_major for item in outcome.failed),
        )
    )  # fmt: skip
    session.flush()
    session.add_all(
        InspectionAnswer(
            inspection_id=visit.id, item=item.code, answer=visit.answers[item.code],
            weight=item.weight, is_major=item.is_major,
        )
        for item in lists()[checklist]
    )  # fmt: skip
    session.flush()


def find_premises(session: Session, actor: Actor, words: str) -> Sequence[Premises]:
    """Return premises of the actor's area whose name holds the words; without words the first."""
    wanted = scope.visible(select(Premises), actor, Premises).where(Premises.valid_to.is_(None))
    if words:
        wanted = wanted.where(Premises.name.icontains(words, autoescape=True))
    return session.scalars(wanted.order_by(Premises.name, Premises.id).limit(MOST_FOUND)).all()


def last_visits(session: Session, actor: Actor, premises_id: int) -> Sequence[Inspection]:
    """Return the latest visits to premises in the actor's scope, the newest first."""
    return session.scalars(
        scope.visible(select(Inspection), actor, Inspection)
        .where(Inspection.premises_id == premises_id)
        .order_by(Inspection.done_at.desc())
        .limit(5)
    ).all()


def advice(session: Session, actor: Actor, premises_kind: str) -> list[str]:
    """Return the items that failed most at premises of this kind: where to look first (8.4)."""
    n = func.count().label("n")
    found = session.execute(
        select(InspectionAnswer.item, Inspection.checklist, n)
        .join(Inspection, Inspection.id == InspectionAnswer.inspection_id)
        .where(
            scope.condition(actor, Inspection),
            Inspection.premises_kind == premises_kind,
            InspectionAnswer.answer == "failed",
        )
        .group_by(InspectionAnswer.item, Inspection.checklist)
        .order_by(n.desc(), InspectionAnswer.item)
        .limit(ADVICE)
    )
    return [row.item for row in found if item_of(row.checklist, row.item)]
