"""The burden meter: what visits cost, from their own events, of at least five workers together.

No function here takes or returns a worker. Kilometres, log-ins and quotas are not measured at
all (docs/ledgers.md says why), so that nobody can be judged by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Float, cast, func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.ledgers import forms, subjects
from grids.ledgers.costs import Cost, Pace, forecast
from grids.ledgers.models import FormQuestion, FormVersion, Observation, Visit
from grids.ledgers.questions import Form

#: Below this many workers nothing is told: an average of four is nearly a person.
LEAST_WORKERS: Final = 5
#: A median of fewer answers is no measure.
LEAST_ANSWERS: Final = 30
MEASURED_OVER: Final = timedelta(days=90)


@dataclass(frozen=True)
class Meter:
    """What visits of an area cost in a span; None where too few workers stand behind it."""

    area: str
    visits: int | None
    taps: float | None  #: median a visit
    seconds: float | None  #: median a visit
    asked: float | None  #: mean a visit
    reused: float | None
    apart: float | None  #: what separate forms would have asked
    photos: float | None
    minutes_a_day: float | None  #: mean a worker and day of visits


def meter(
    session: Session, actor: Actor, *, since: datetime, until: datetime, digits: int = 9
) -> list[Meter]:
    """Measure the visits of a span, by town or smaller area, in the caller's scope."""
    area = func.left(Visit.area_code, digits)
    median = func.percentile_cont(0.5)
    worker_days = func.count(func.distinct(
        func.concat(Visit.worker_id, "/", func.date_trunc("day", Visit.done_at))
    ))  # fmt: skip
    found = session.execute(
        select(
            area.label("area"), func.count().label("visits"),
            func.count(func.distinct(Visit.worker_id)).label("workers"),
            median.within_group(Visit.taps).label("taps"),
            median.within_group(Visit.seconds).label("seconds"),
            cast(func.avg(Visit.asked), Float).label("asked"),
            cast(func.avg(Visit.reused), Float).label("reused"),
            cast(func.avg(Visit.apart), Float).label("apart"),
            cast(func.avg(Visit.photos), Float).label("photos"),
            (cast(func.sum(Visit.seconds), Float) / 60 / worker_days).label("minutes"),
        )
        .where(scope.condition(actor, Visit), Visit.done_at >= since, Visit.done_at < until)
        .group_by(area)
        .order_by(area)
    )  # fmt: skip
    return [
        Meter(row.area, row.visits, row.taps, row.seconds, row.asked, row.reused, row.apart,
              row.photos, row.minutes)
        if row.workers >= LEAST_WORKERS else Meter(row.area, *[None] * 8)
        for row in found
    ]  # fmt: skip


def pace(session: Session, actor: Actor, *, now: datetime) -> Pace:
    """Return measured medians of each type of question; types without enough stay at the default."""
    since = now - MEASURED_OVER
    workers = func.count(func.distinct(Observation.worker_id))
    rows = session.execute(
        select(FormQuestion.type, func.percentile_cont(0.5).within_group(Observation.seconds))
        .join(FormQuestion, (FormQuestion.key == Observation.question)
              & (FormQuestion.no == Observation.question_no))
        .where(
            scope.condition(actor, Observation), Observation.seconds.is_not(None),
            Observation.source == "visit", Observation.observed_at >= since,
        )
        .group_by(FormQuestion.type)
        .having((workers >= LEAST_WORKERS) & (func.count() >= LEAST_ANSWERS))
    )  # fmt: skip
    seconds: dict[str, float] = {kind: float(median) for kind, median in rows}
    visit_s = _visit_seconds(session, actor, since)
    kept = {"visit_s": visit_s} if visit_s is not None else {}
    return Pace(
        seconds, shares=_shares(session, actor, since),
        measured=frozenset(seconds) | ({"visit"} if kept else set()), **kept,
    )  # fmt: skip


def _visit_seconds(session: Session, actor: Actor, since: datetime) -> float | None:
    """Measure what a visit takes beside its questions."""
    spent = (
        select(Observation.visit_id, func.sum(Observation.seconds).label("s"))
        .where(scope.condition(actor, Observation), Observation.observed_at >= since)
        .group_by(Observation.visit_id)
        .subquery()
    )
    rest = func.percentile_cont(0.5).within_group(Visit.seconds - spent.c.s)
    row = session.execute(
        select(rest, func.count(func.distinct(Visit.worker_id)), func.count())
        .join(spent, spent.c.visit_id == Visit.id)
        .where(scope.condition(actor, Visit), Visit.seconds >= spent.c.s)
    ).one()
    return float(row[0]) if row[1] >= LEAST_WORKERS and row[2] >= LEAST_ANSWERS else None


def _shares(session: Session, actor: Actor, since: datetime) -> dict[str, float]:
    """Measure how often questions with a condition applied: answers to them, by answers before."""
    parents = {
        item["key"]: item["when"][0]
        for row in session.scalars(select(FormVersion).where(FormVersion.status == "live"))
        for item in row.items if item.get("when")
    }  # fmt: skip
    keys = {*parents, *parents.values()}
    counted: dict[str, int] = dict(session.execute(
        select(Observation.question, func.count())
        .where(scope.condition(actor, Observation), Observation.question.in_(keys),
               Observation.observed_at >= since)
        .group_by(Observation.question)
    ).all())  # fmt: skip
    return {
        key: min(1.0, counted.get(key, 0) / counted[parent])
        for key, parent in parents.items() if counted.get(parent, 0) >= LEAST_ANSWERS
    }  # fmt: skip


def counts(session: Session, actor: Actor, subject: str) -> dict[str, dict[str, int]]:
    """Count subjects by town and kind in the caller's area."""
    inner = subjects.rows(actor, subject).subquery()
    town = func.left(inner.c.area_code, 9)
    found: dict[str, dict[str, int]] = {}
    for code, kind, n in session.execute(
        select(town, inner.c.kind, func.count()).group_by(town, inner.c.kind)
    ):
        found.setdefault(code, {})[kind] = n
    return found


def cost_of(session: Session, actor: Actor, wanted: Form, *, now: datetime, on: date) -> Cost:
    """Compute what a version would cost from a day on, in the caller's area."""
    live = forms.live(session, on, wanted.subject)
    measured: Mapping[str, Any] = counts(session, actor, wanted.subject)
    return forecast(wanted, live, measured, pace(session, actor, now=now))
