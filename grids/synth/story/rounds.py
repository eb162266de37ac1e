"""Visits of the last weeks: workers go round their own grids, each visit through the real service."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import update

from grids import scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.demo import busiest_grid
from grids.ledgers import rounds, visits
from grids.ledgers.asking import Asked, applies
from grids.ledgers.costs import DEFAULT_S, DEFAULT_VISIT_S
from grids.ledgers.models import FormVersion
from grids.ledgers.questions import Question
from grids.ledgers.rounds import Sheet
from grids.ledgers.subjects import Subject
from grids.ledgers.visits import Sent
from grids.synth.story.stage import Stage

#: Forms were in force before the first of these visits.
IN_FORCE: Final = timedelta(days=400)
WALKERS: Final = 16
NEIGHBOURS: Final = 10
TOWN: Final = 9  #: digits of a town's code
#: Which of the things that are due is visited, and how many days back: some twice.
PLAN: Final = ((0, 55), (1, 48), (2, 36), (0, 20), (3, 9), (1, 3))
FAILED_SHARE: Final = 0.012
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
    for worker in _walkers(stage):
        # The register takes an answer back only within the area of who gave it.
        scope.state(driver(session.connection()), worker)
        due = rounds.today(session, worker, now=now, most=len(PLAN))
        for place, days in PLAN:
            at = _working_hour(stage, days)
            if place < len(due):
                made += _visit(stage, worker, due[place].subject, at)
        made += _look_again(stage, worker)
    return made


def _walkers(stage: Stage) -> list[Actor]:
    """Choose who goes round: whom a demonstration shows, neighbours in the town, others."""
    busy = busiest_grid(stage.session) or ""
    ordered = sorted(
        stage.cast.everybody("worker"),
        key=lambda one: (busy not in one.areas, not one.areas[0].startswith(busy[:TOWN])),
    )
    near, far = ordered[:NEIGHBOURS], ordered[NEIGHBOURS:]
    return near + far[:: max(1, len(far) // (WALKERS - NEIGHBOURS))][: WALKERS - NEIGHBOURS]


def _working_hour(stage: Stage, days: int) -> datetime:
    """Draw a moment of a day back, between nine and four in the city."""
    morning = (stage.now - timedelta(days=days)).astimezone(stage.zone).replace(hour=9, minute=0)
    return morning + timedelta(minutes=float(stage.rng.integers(0, 420)))


def _look_again(stage: Stage, worker: Actor) -> bool:
    """Let the leader of the grid look at something again, and find one figure otherwise."""
    at = _working_hour(stage, 1)
    mine = rounds.made(stage.session, worker, now=at)
    if not mine:
        return False
    try:
        leader = stage.cast.find("grid_leader", worker.areas[0])
    except LookupError:
        return False
    scope.state(driver(stage.session.connection()), leader)
    visit = mine[0].visit
    sheet = rounds.open_sheet(
        stage.session, leader, visit.subject, visit.subject_id, now=at, is_all=True
    )
    sent = _sent(stage, sheet, at)
    figure = next((item for item in sheet.items if item.known and item.question.type == "number"),
                  None)  # fmt: skip
    if figure is not None and figure.known is not None:
        sent = replace(sent, answers={**sent.answers, figure.question.key: figure.known.value + 1})
    visits.record(stage.session, sent, leader, now=at)
    return True


def _visit(stage: Stage, worker: Actor, one: Subject, at: datetime) -> bool:
    """Visit one thing with what is due there then; False where nothing is."""
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
