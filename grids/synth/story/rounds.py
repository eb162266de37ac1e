"""Visits of the last weeks: workers go round their own grids, each visit through the real service."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import update

from grids import scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.ledgers import rounds, visits
from grids.ledgers.asking import Asked, applies
from grids.ledgers.costs import DEFAULT_S, DEFAULT_VISIT_S
from grids.ledgers.models import FormVersion
from grids.ledgers.questions import Question
from grids.ledgers.rounds import Sheet
from grids.ledgers.visits import Sent
from grids.synth.story.stage import Stage

#: Forms were in force before the first of these visits.
IN_FORCE: Final = timedelta(days=400)
WALKERS: Final = 24
VISITS_EACH: Final = 6
#: The rounds lie so many days back, the first and the last.
FIRST_DAYS, LAST_DAYS = 55, 2
FAILED_SHARE: Final = 0.03
USUAL_SHARE: Final = 0.85
SPREAD: Final = 0.4


def walk(stage: Stage) -> int:
    """Let the workers visit what was due; return the number of visits."""
    session, now = stage.session, stage.now
    session.execute(
        update(FormVersion)
        .where(FormVersion.status == "live")
        .values(live_from=(now - IN_FORCE).date())
    )
    made = 0
    for worker in stage.cast.everybody("worker")[:WALKERS]:
        # The register takes an answer back only within the area of who gave it.
        scope.state(driver(session.connection()), worker)
        for step in range(VISITS_EACH):
            days = FIRST_DAYS - (FIRST_DAYS - LAST_DAYS) * step / (VISITS_EACH - 1)
            at = now - timedelta(days=days, minutes=float(stage.rng.integers(0, 300)))
            made += _visit(stage, worker, at, step)
    return made


def _visit(stage: Stage, worker: Actor, at: datetime, step: int) -> bool:
    """Visit one of what is due then; False where nothing is."""
    due = rounds.today(stage.session, worker, now=at, most=VISITS_EACH)
    if not due:
        return False
    one = due[step % min(3, len(due))].subject
    sheet = rounds.open_sheet(stage.session, worker, one.subject, one.id, now=at)
    if not sheet.forms:
        return False
    visits.record(stage.session, _sent(stage, sheet, at), worker, now=at)
    return True


def _sent(stage: Stage, sheet: Sheet, at: datetime) -> Sent:
    values = {item.question.key: item.known.value for item in sheet.items if item.known}
    answers: dict[str, Any] = {}
    photos: dict[str, str] = {}
    confirmed: set[str] = set()
    timings: dict[str, float] = {}
    for item in sheet.items:
        question = item.question
        if item.known or not applies(item.conditions, values | answers):
            continue
        if item.last is not None and stage.rng.random() < USUAL_SHARE:
            confirmed.add(question.key)
            values[question.key] = item.last.value
            continue
        said = _said(stage, sheet, item, photos)
        if said is not None:
            answers[question.key] = said
            timings[question.key] = _drawn(stage, DEFAULT_S[question.type])
    seconds = int(sum(timings.values()) + _drawn(stage, DEFAULT_VISIT_S))
    taps = len(answers) + len(confirmed) + len(sheet.forms) + 2
    return Sent(
        stage.uuid(), sheet.one.subject, sheet.one.id,
        tuple(form.version_id for form in sheet.forms), answers, frozenset(confirmed), photos,
        at, seconds, taps, timings,
    )  # fmt: skip


def _said(stage: Stage, sheet: Sheet, item: Asked, photos: dict[str, str]) -> Any:
    question = item.question
    if question.type == "choice":
        return _chosen(stage, question, photos)
    if question.type == "many":
        return [question.options[int(stage.rng.integers(len(question.options)))].code]
    if question.type == "number":
        low, high = question.checks.get("min", 1), min(question.checks.get("max", 120), 120)
        return int(stage.rng.integers(max(1, int(low)), max(2, int(high))))
    if question.type == "photo":
        return stage.album.photo("shop", int(stage.rng.integers(2)), is_after=True)
    if question.type == "place":
        return [sheet.one.lon, sheet.one.lat]
    if question.type == "date":
        return stage.day(stage.now)
    return question.example or None


def _chosen(stage: Stage, question: Question, photos: dict[str, str]) -> str:
    """Choose the usual answer; a few of those that need a photo come with one."""
    plain = [one for one in question.options if not one.needs_photo]
    bad = [one for one in question.options if one.needs_photo]
    if bad and stage.rng.random() < FAILED_SHARE:
        photos[question.key] = stage.album.photo("hazard", 0, is_after=False)
        return bad[0].code
    is_usual = len(plain) == 1 or stage.rng.random() < USUAL_SHARE
    return plain[0 if is_usual else int(stage.rng.integers(1, len(plain)))].code


def _drawn(stage: Stage, median_s: float) -> float:
    return float(median_s * stage.rng.lognormal(0.0, SPREAD))
