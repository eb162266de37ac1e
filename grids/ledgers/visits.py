"""One visit, one set of observations: checked, kept, written back, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Account, Actor
from grids.db import Base
from grids.facts import statements
from grids.facts.statements import Speaker
from grids.facts.survivorship import GROUND
from grids.flows import once
from grids.flows.errors import NotYourStep
from grids.flows.once import Answer
from grids.flows.taking import StepRequest
from grids.hazards import service as hazards
from grids.hazards.checklists import lists
from grids.incidents.models import Blob
from grids.ledgers import forms
from grids.ledgers.asking import Asked, Known, asked_apart, needed, sheet
from grids.ledgers.errors import BadAnswer, BadForm, Missing, UnknownPhoto
from grids.ledgers.models import GRID_DIGITS, Observation, Visit, VisitPhoto
from grids.ledgers.questions import Form, checked
from grids.ledgers.subjects import Subject, subject_of

VISITORS: Final = ("worker", "grid_leader")
#: A phone that was without a network may send so much later.
LATEST: Final = timedelta(days=14)
MOST_S: Final = 4 * 3600
#: Columns of registers that an answer is written back to; `write_back` of the database knows them.
WRITTEN_BACK: Final = frozenset({
    "premises.floor_area_m2", "enterprise.status", "enterprise.staff", "building.levels",
    "component.state",
})  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """What a phone sends of a visit. `versions` are the forms that it served."""

    id: UUID
    subject: str
    subject_id: int
    versions: tuple[int, ...]
    answers: Mapping[str, Any]
    confirmed: frozenset[str] = frozenset()
    photos: Mapping[str, str] = field(default_factory=dict)
    done_at: datetime | None = None
    seconds: int | None = None
    taps: int | None = None
    timings: Mapping[str, float] = field(default_factory=dict)


def may_serve(actor: Actor, form: Form, area_code: str) -> bool:
    """Say whether an actor may ask a form there: service needs only in the own grid."""
    if not any(actor.holds(role, area_code) for role in VISITORS):
        return False
    is_sensitive = any(item.question.level >= "L3" for item in form.items)
    return not is_sensitive or area_code[:GRID_DIGITS] in actor.areas


def known_of(session: Session, actor: Actor, one: Subject) -> dict[str, Known]:
    """Return the latest answer to each question about a subject, as far as the actor may see."""
    found = session.execute(
        select(
            Observation.question, Observation.value, Observation.observed_at,
            Observation.worker_id, func.coalesce(Account.name, "").label("name"),
        )
        .outerjoin(Account, Account.id == Observation.worker_id)
        .where(
            scope.condition(actor, Observation), Observation.subject == one.subject,
            Observation.subject_id == one.id,
        )
        .ext(distinct_on(Observation.question))
        .order_by(Observation.question, Observation.observed_at.desc(), Observation.id.desc())
    )  # fmt: skip
    return {
        row.question: Known(row.value, row.observed_at, row.worker_id, row.name) for row in found
    }


def record(session: Session, sent: Sent, actor: Actor, *, now: datetime) -> Answer:
    """Keep a visit with its answers, and write back what registers know too.

    The answer has `id`, `asked`, `reused` and the `hazards` that failed items made. Raises
    `NoSubject`, `NotYourStep`, `BadForm`, `Missing`, `BadAnswer`, `PersonalText`, `UnknownPhoto`
    and `OtherContent`.
    """
    one = subject_of(session, actor, sent.subject, sent.subject_id)
    digest = once.digest_of(
        sent.subject, sent.subject_id, sorted(sent.versions), dict(sent.answers),
        sorted(sent.confirmed), dict(sent.photos), actor_id=actor.account_id,
    )  # fmt: skip
    if found := once.earlier(session, sent.id, digest):
        return found
    served = _served(session, sent, one, actor, now)
    done_at = _moment(sent.done_at, now)
    items = sheet(served, known_of(session, actor, one), done_at)
    values = _checked(items, sent)
    asked = needed(items, values)
    _require(asked, items, values, sent)
    _require_photos(session, _evidence(items, values, sent))
    failed = _failed(one, values, sent)
    keys = {key: uuid5(sent.id, key) for key in failed}
    reused = sum(item.known is not None and item.question.key not in values for item in items)
    body = {
        "id": str(sent.id), "asked": len(asked), "reused": reused,
        "hazards": [str(key) for key in keys.values()],
    }  # fmt: skip
    if before := once.keep(session, sent.id, "visit", digest, body, now):
        return before
    everything = {item.question.key: item.known.value for item in items if item.known} | values
    session.add(Visit(
        id=sent.id, subject=one.subject, subject_id=one.id, area_code=one.area_code,
        worker_id=actor.account_id, done_at=done_at, received_at=now,
        forms=[form.form for form in served], versions=[form.version_id for form in served],
        seconds=_within(sent.seconds), taps=_within(sent.taps), asked=len(asked), reused=reused,
        apart=asked_apart(served, everything),
        photos=len(_evidence(items, values, sent)),
    ))  # fmt: skip
    session.flush()
    _observe(session, sent, one, items, values, actor, done_at, now)
    for key, hazard in keys.items():
        _report(session, one, failed[key], sent.photos[key], hazard, actor, now)
    audit.record(
        session, "visit_recorded", actor_id=actor.account_id, subject=f"{one.subject} {one.id}",
        detail={"forms": [form.form for form in served], "answers": len(values)},
    )  # fmt: skip
    return Answer(body, is_new=True)


def _served(session: Session, sent: Sent, one: Subject, actor: Actor, now: datetime) -> list[Form]:
    """Read the forms of a visit: in force now, or in force when the page was opened."""
    rows = [forms.version(session, key) for key in sent.versions]
    # One that was put away since was in force when the page was opened.
    served = forms.read(session, [row for row in rows if row.approved_at or row.status == "live"])
    if not served or len(served) != len(rows) or len({form.form for form in served}) != len(rows):
        raise BadForm("a visit serves forms that are in force", field="forms")
    today = forms.day_of(session, now)
    for row, form in zip(rows, served, strict=True):
        early = row.live_from is not None and row.live_from > today + timedelta(days=1)
        if early or form.subject != one.subject or not form.fits(one.kind):
            raise BadForm(f"{form.form} is not for this", field=form.form)
        if not may_serve(actor, form, one.area_code):
            raise NotYourStep("a visit is for the worker of the grid", action="visit")
    order = {form.version_id: place for place, form in enumerate(forms.live(session, today))}
    return sorted(served, key=lambda form: order.get(form.version_id, len(order)))


def _moment(claimed: datetime | None, now: datetime) -> datetime:
    """Take the phone's clock where it can be true, else the server's."""
    return claimed if claimed is not None and now - LATEST <= claimed <= now else now


def _within(count: int | None) -> int | None:
    return count if count is not None and 0 < count <= MOST_S else None


def _checked(items: Sequence[Asked], sent: Sent) -> dict[str, Any]:
    by_key = {item.question.key: item for item in items}
    for key in (*sent.answers, *sent.confirmed, *sent.photos):
        if key not in by_key:
            raise BadAnswer(f"{key} is not asked here", field=key)
    for key in sent.confirmed:
        if by_key[key].last is None:
            raise BadAnswer(f"{key} has no answer to confirm", field=key)
    return {key: checked(by_key[key].question, raw) for key, raw in sent.answers.items()} | {
        key: last.value
        for key in sent.confirmed - sent.answers.keys()
        if (last := by_key[key].last)
    }


def _require(
    asked: Sequence[Asked], items: Sequence[Asked], values: Mapping[str, Any], sent: Sent
) -> None:
    for item in asked:
        if item.question.key not in values and not item.question.is_optional:
            raise Missing(f"{item.question.key} has no answer", field=item.question.key)
    for item in items:
        question = item.question
        given = (
            question.option(sent.answers.get(question.key)) if question.type == "choice" else None
        )
        if given and given.needs_photo and question.key not in sent.photos:
            raise Missing(f"{question.key} needs a photo", field=question.key)


def _evidence(items: Sequence[Asked], values: Mapping[str, Any], sent: Sent) -> dict[str, str]:
    """Return every photo of a visit by the question that it belongs to."""
    answers = {
        item.question.key: values[item.question.key] for item in items
        if item.question.type == "photo" and item.question.key in sent.answers
    }  # fmt: skip
    return {**sent.photos, **answers}


def _require_photos(session: Session, photos: Mapping[str, str]) -> None:
    hashes = sorted(set(photos.values()))
    if not hashes:
        return
    scope.open_photos(session, hashes)
    found = set(session.scalars(select(Blob.sha256).where(Blob.sha256.in_(hashes))))
    for key, sha256 in photos.items():
        if sha256 not in found:
            raise UnknownPhoto("send the photo first", field=key)


def _failed(one: Subject, values: Mapping[str, Any], sent: Sent) -> dict[str, Any]:
    """Return items of check-lists that failed at premises today, not those of an earlier visit."""
    if one.subject != "premises":
        return {}
    items = {f"{name}.{item.code}": item for name, listed in lists().items() for item in listed}
    return {
        key: items[key] for key in values
        if key in items and values[key] == "failed" and key in sent.photos
    }  # fmt: skip


def _report(
    session: Session, one: Subject, item: Any, photo: str, key: UUID, actor: Actor, now: datetime
) -> None:
    values = {"premises": str(one.id), "text": item.zh,
              "severity": "major" if item.is_major else "general"}  # fmt: skip
    hazards.report(session, StepRequest(key, "report", values, (photo,)), actor, now=now)


def _observe(
    session: Session, sent: Sent, one: Subject, items: Sequence[Asked], values: Mapping[str, Any],
    actor: Actor, done_at: datetime, now: datetime,
) -> None:  # fmt: skip
    evidence = _evidence(items, values, sent)
    for item in items:
        question = item.question
        if question.key not in values:
            continue
        value = values[question.key]
        seconds = sent.timings.get(question.key)
        session.add(Observation(
            recorded_at=now, visit_id=sent.id, subject=one.subject, subject_id=one.id,
            area_code=one.area_code, question=question.key, question_no=question.no,
            version_id=item.form.version_id, level=question.level, value=value,
            observed_at=done_at, worker_id=actor.account_id,
            source="visit" if question.key in sent.answers else "confirmed",
            seconds=seconds if seconds is not None and 0 < seconds <= MOST_S else None,
            photo=evidence.get(question.key),
            replaced=_write_back(session, question.register, one, value, sent.id, actor, now),
        ))  # fmt: skip
        if photo := evidence.get(question.key):
            session.add(VisitPhoto(visit_id=sent.id, question=question.key, sha256=photo))
    session.flush()


def _write_back(
    session: Session, register: str | None, one: Subject, value: Any, visit: UUID, actor: Actor,
    now: datetime,
) -> Any:  # fmt: skip
    """Write an answer into the register; return what stood there, None where it was the same.

    What was seen holds against every department for the columns that may be written so
    (`grids.facts.survivorship`), and is kept as said from the spot.
    """
    if register not in WRITTEN_BACK:
        return None
    table, column = str(register).split(".")
    model = Base.metadata.tables[table]
    statements.keep_before(session, model, one.id, (column,))
    stood = session.scalar(select(func.write_back(table, one.id, column, str(value))))
    speaker = Speaker(GROUND, actor.account_id, f"visit:{visit}")
    statements.note_shown(session, model, one.id, (column,), speaker, now=now)
    return stood
