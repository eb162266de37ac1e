"""A step of a case: judged by the table, kept as one event, all or nothing; commits nothing.

It carries an id made by the client: the same id with the same body gets the same answer
again, however often it is sent and wherever the connection broke.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from geoalchemy2 import WKTElement
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.city import the_city
from grids.incidents import (
    checks,
    clockwork,
    held,
    intake,
    late,
    machine,
    merging,
    moratorium,
    records,
    rulings,
)
from grids.incidents.clocks import Limit
from grids.incidents.errors import ForbiddenMove, NotYourMove, Waiting
from grids.incidents.guards import YEAR
from grids.incidents.lifecycle import find_move
from grids.incidents.machine import Dossier, Setting
from grids.incidents.models import Incident
from grids.incidents.places import place_of
from grids.incidents.projection import Fact
from grids.incidents.requests import (
    Done,
    MoveRequest,
    Report,
    body_hash,
    earlier_answer,
    keep_answer,
)
from grids.secrets import Vault

__all__ = ["move", "submit", "submit_at_once", "take"]


def submit(
    session: Session, report: Report, actor: Actor | None, *, now: datetime, vault: Vault
) -> Done:
    """Take a report in, and what was made after it and came before it. See `intake.submit`."""
    done = intake.submit(session, report, actor, now=now, vault=vault)
    if actor is not None and done.is_new:
        held.release(session, report.id, actor, take, now=now)
    return done


def submit_at_once(
    session: Session,
    conn: psycopg.Connection[Any],
    report: Report,
    actor: Actor,
    *,
    now: datetime,
    vault: Vault,
) -> Done | None:
    """Take a good new report in with one statement; None where `submit` has to be asked.

    Commits: the report by itself, and the steps that waited for it by themselves.
    """
    taken = intake.submit_at_once(session, conn, report, actor, now=now, vault=vault)
    if taken is None:
        return None
    done, is_followed = taken
    if is_followed:
        with session.begin():
            held.release(session, report.id, actor, take, now=now)
    return done


def move(
    session: Session, incident_id: UUID, wanted: MoveRequest, actor: Actor, *, now: datetime
) -> Done:
    """Take a case one step through its lifecycle and keep the step as an event.

    A step that names one it was made after (`follows`) is held where that one has not arrived:
    the answer says so (`held`), and it is taken in its turn (see `held`). Otherwise as `take`.
    """
    waits = held.kept(session, incident_id, wanted, actor, now=now)
    if waits is not None:
        return waits
    done = take(session, incident_id, wanted, actor, now)
    if done.is_new:
        held.release(session, wanted.id, actor, take, now=now)
    return done


def take(
    session: Session, incident_id: UUID, wanted: MoveRequest, actor: Actor, now: datetime
) -> Done:
    """Judge a step now and keep it as an event.

    The row is locked first: of two people who act at once, the second judges what the first
    left. What a device recorded before the case went on without it is kept as late evidence:
    the answer says so (`late`). Raises `NoIncident` outside the actor's scope, `ForbiddenMove`
    and other `Conflict` kinds where the case has no such step now, `NotYourMove` and
    `HandlerMayNotJudge` where somebody else has to take it, and `Invalid` kinds for what is
    missing or wrong.
    """
    pair = merging.locked(session, incident_id, wanted, actor)
    row = pair.row
    digest = body_hash(wanted, actor.account_id)
    if earlier := earlier_answer(session, wanted.id, digest, actor_id=actor.account_id):
        return earlier
    now = max(now, row.stage_at)  # a server clock that was set back gives no negative duration
    line = find_move(wanted.action, row.status)
    with_log = wanted.action == "undo" or bool(line and line.not_by)
    dossier = records.load(session, row, with_log=with_log)
    setting = _setting(session, row, wanted, pair, now)
    told: dict[str, Any] = {}
    try:
        after, fact = _taken(session, row, dossier, wanted, actor, setting, now)
    except (ForbiddenMove, NotYourMove, Waiting) as refused:
        fact = late.kept(dossier, wanted, actor, setting, refused, now=now)
        after, told = machine.after(dossier, fact, setting.days), {"late": True}
    answer = {"incident": str(row.id), "seq": fact.seq, "status": after.case.status, **told}
    keep_answer(session, wanted.id, "move", digest, answer, now=now)
    kept = find_move(fact.action, fact.from_status)
    if kept is None:
        raise ForbiddenMove(f"the lifecycle has no {fact.action}")
    records.write(session, row, after, fact, kept, _point(session, wanted))
    merging.follow(session, pair, fact, setting.days, now=now)
    rulings.follow(session, row, fact, now=now)
    return Done(answer, is_new=True)


def _taken(
    session: Session, row: Incident, dossier: Dossier, wanted: MoveRequest, actor: Actor,
    setting: Setting, now: datetime,
) -> tuple[Dossier, Fact]:  # fmt: skip
    """Return the case after the step and the step as a fact."""
    if wanted.action != "undo":
        fact = machine.decide(dossier, wanted, actor, setting, now=now)
        return machine.after(dossier, fact, setting.days), fact
    before = machine.fold(records.log_of(session, row)[:-1], setting.days)
    fact = machine.undo_fact(dossier, before or dossier, wanted, actor, now=now)
    return machine.undone(before or dossier, fact), fact


def _setting(
    session: Session, row: Incident, wanted: MoveRequest, pair: merging.Pair, now: datetime
) -> Setting:
    """Give the machine what it asks of the tables, each only when it is asked."""
    zone = the_city(session).city_zone
    # A change of limits holds for the cases that come in from its day on.
    opened_on = clockwork.city_day(zone, row.received_at)

    def limit_of(category_id: int, urgency: str) -> Limit:
        days = (opened_on, clockwork.city_day(zone, now))
        return checks.limit_of_case(session, row, category_id, urgency, days)

    def stage_limit_of(stage: str, category_id: int, urgency: str) -> Limit | None:
        rules = clockwork.stage_rules(session, opened_on)
        case = clockwork.placed(session, rules, category_id, urgency, row.area_code)
        return clockwork.stage_limit(rules, stage, case)

    def resolve() -> dict[str, Any]:
        return {**_resolved(session, wanted, row, now), **merging.resolved(pair, wanted)}

    def until() -> datetime | None:
        return moratorium.until(session, row.category_id, row.area_code, now)

    # The days of the whole life: a suspended case may be a year old, an extension as long.
    days = clockwork.calendar_between(session, zone, row.received_at, now + YEAR)
    return Setting(
        days=days, limit_of=limit_of, resolve=resolve, moratorium=until,
        stage_limit_of=stage_limit_of,
    )  # fmt: skip


def _resolved(
    session: Session, wanted: MoveRequest, row: Incident, now: datetime
) -> dict[str, Any]:
    """Check what the request names and return what the event keeps of it."""
    data: dict[str, Any] = {}
    if wanted.category is not None:
        category = checks.category_of(session, wanted.category, wanted.kind, now.date())
        data |= {"category_id": category.id, "category": category.code}
    if wanted.urgency is not None:
        data["urgency"] = wanted.urgency
    departments = tuple(filter(None, (wanted.department, *wanted.assisting)))
    if departments:
        checks.require_departments(session, departments)
        data |= {"department": wanted.department, "assisting": list(wanted.assisting)}
    if wanted.worker is not None:
        checks.require_worker(session, wanted.worker, row.area_code, now.date())
        data["worker"] = wanted.worker
    if wanted.photos:
        scope.open_photos(session, wanted.photos)
        checks.require_photos(session, wanted.photos)
    return data


def _point(session: Session, wanted: MoveRequest) -> WKTElement | None:
    """Return where the step was taken, seen by the front door of coordinates."""
    if wanted.lon is None or wanted.lat is None:
        return None
    return place_of(the_city(session), wanted.lon, wanted.lat, "gnss").element()
