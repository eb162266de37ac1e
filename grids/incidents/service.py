"""The two writes of a case: a report and a move. Neither commits; the caller's transaction does.

Both carry an id made by the client: the same id with the same body gets the same answer
again, however often it is sent and wherever the connection broke.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.city import the_city
from grids.incidents import checks, clockwork, projection, roles, tracking
from grids.incidents.errors import ForbiddenMove, NoIncident
from grids.incidents.lifecycle import STATES, Move, find_move
from grids.incidents.models import (
    Attachment,
    Incident,
    IncidentClock,
    IncidentEvent,
    IncidentReporter,
    IncidentTask,
)
from grids.incidents.places import Place, place_of, require_inside
from grids.incidents.requests import (
    Contact,
    Done,
    MoveRequest,
    Report,
    answer_of,
    body_hash,
    earlier_answer,
    keep_answer,
)
from grids.secrets import Vault, normal_phone

#: One round trip: where the point lies and the next number of the city's day.
PLACE = sql_text(
    "SELECT l.cell_id, l.grid_id, l.area_code, l.grid_version_id,"
    " next_incident_number((CAST(:now AS timestamptz) AT TIME ZONE c.city_zone)::date) AS number"
    " FROM city AS c, link_place(ST_SetSRID(ST_MakePoint(:lon, :lat), 4490)) AS l"
)


def submit(
    session: Session, report: Report, actor: Actor | None, *, now: datetime, vault: Vault
) -> Done:
    """Take a report in: the case, its first event and its first clock, all or nothing.

    The answer has `id` and `number`. Raises `OtherBody` and `Withdrawn` for an id that was
    used, `Invalid` kinds and `GisError` for what was sent.
    """
    actor_id = actor.account_id if actor else None
    digest = body_hash(report, actor_id)
    known = checks.known_of(session, report, now.date())
    if known.key is not None:
        return answer_of(session, known.key, digest, actor_id=actor_id)
    line = find_move("submit", "draft")
    if line is None:
        raise ForbiddenMove("the lifecycle has no submit")
    role = roles.reporting_role(actor, report.channel, line)
    checks.require_fields(line, report)
    place = place_of(known.city, report.lon, report.lat, report.coord_source)
    checks.known_category(known.category, report.category, report.kind)
    checks.require_photos(session, report.photos)
    found = session.execute(PLACE, {"now": now, "lon": place.lon, "lat": place.lat}).one()
    require_inside(session, place, found.area_code)
    answer = {"id": str(report.id), "number": found.number}
    if not keep_answer(session, report.id, "incident", digest, answer, now=now):
        sent_before = earlier_answer(session, report.id, digest, actor_id=actor_id)
        return sent_before or Done(answer, is_new=False)
    event = _opening(report, known, place, line, actor_id=actor_id, role=role, now=now)
    event.area_code = found.area_code
    event.data["number"] = found.number
    due = clockwork.first_due(session, known.city, line.target, known.urgency, now)
    event.data["due"] = due.isoformat()
    session.add(_first_row(event, report, place, found, vault))
    session.flush()
    stage = STATES[line.target].stage or ""
    session.add(IncidentClock(incident_id=report.id, stage=stage, started_at=now, due_at=due))
    session.add(event)
    _attach(session, event, line)
    if report.contact is not None:
        _keep_contact(session, report.id, report.contact, vault)
    session.flush()
    return Done(answer, is_new=True)


def _opening(
    report: Report,
    known: checks.Known,
    place: Place,
    line: Move,
    *,
    actor_id: int | None,
    role: str,
    now: datetime,
) -> IncidentEvent:
    """Write down the report as the first event of its case."""
    category = checks.known_category(known.category, report.category, report.kind)
    return IncidentEvent(
        id=report.id,
        incident_id=report.id,
        seq=1,
        recorded_at=now,
        action=line.action,
        from_status="draft",
        to_status=line.target,
        actor_id=actor_id,
        role=role,
        device_at=report.device_at,
        device=report.device,
        note="",
        geom=place.element(),
        photos=list(report.photos),
        data={
            "category_id": category.id,
            "category": category.code,
            "urgency": known.urgency,
            "text": report.text,
            "address": report.address,
            "channel": report.channel,
            **({"raw": place.raw} if place.raw else {}),
        },
    )


def _first_row(
    event: IncidentEvent, report: Report, place: Place, found: Row[Any], vault: Vault
) -> Incident:
    """Make the row that the first event adds up to, with its cell and its grid."""
    case = projection.apply(None, event)
    return Incident(
        **{name: getattr(case, name) for name in projection.FIELDS},
        geom=place.element(),
        cell_id=found.cell_id,
        grid_id=found.grid_id,
        grid_version_id=found.grid_version_id,
        coord_source=report.coord_source,
        accuracy_m=report.accuracy_m,
        source=report.channel,
        track_hash=tracking.stored(vault, report.id) if report.channel == "public" else None,
    )


def move(
    session: Session, incident_id: UUID, wanted: MoveRequest, actor: Actor, *, now: datetime
) -> Done:
    """Take a case one step through its lifecycle and keep the step as an event.

    The row is locked first: of two people who act at once, the second judges what the first
    left. Raises `NoIncident` outside the actor's scope, `ForbiddenMove` where the table has
    no such step, `NotYourMove` and `HandlerMayNotJudge` where somebody else has to take it,
    and `Invalid` kinds for what is missing.
    """
    row = _locked(session, incident_id, actor)
    digest = body_hash(wanted, actor.account_id)
    if earlier := earlier_answer(session, wanted.id, digest, actor_id=actor.account_id):
        return earlier
    now = max(now, row.stage_at)  # a server clock that was set back gives no negative duration
    line = find_move(wanted.action, row.status)
    flag = line.needs_flag if line else None
    if line is None or (flag and not row.flags.get(flag)):
        raise ForbiddenMove(
            f"{wanted.action} is not possible from {row.status}",
            action=wanted.action,
            server={"id": str(row.id), "number": row.number, "status": row.status},
        )
    role = roles.acting_role(session, line, row, actor)
    checks.require_fields(line, wanted)
    data = _resolved(session, wanted, row, now)
    before = projection.of_row(row)
    target = line.to(row.status, row.channel)
    event = _event(session, row, line, wanted, actor, role=role, target=target, now=now)
    changed = replace(
        before,
        category_id=data.get("category_id", before.category_id),
        urgency=data.get("urgency", before.urgency),
    )
    handling = checks.handling_limit(session, changed.category_id, changed.urgency, now.date())
    turned = clockwork.turn(
        session, before, line, target, urgency=changed.urgency, handling=handling, now=now
    )
    event.data = {**data, **turned.as_data()}
    answer = {"incident": str(row.id), "seq": event.seq, "status": target}
    keep_answer(session, wanted.id, "move", digest, answer, now=now)
    projection.store(row, projection.apply(before, event))
    session.add(event)
    _follow_tasks(session, event, wanted)
    _attach(session, event, line)
    session.flush()
    return Done(answer, is_new=True)


def _locked(session: Session, incident_id: UUID, actor: Actor) -> Incident:
    """Lock a case that the actor may see. Raises `NoIncident`."""
    found: Incident | None = session.scalar(
        scope.visible(select(Incident), actor, Incident)
        .where(Incident.id == incident_id)
        .with_for_update(of=Incident)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NoIncident("no such case")
    return found


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
        checks.require_worker(session, wanted.worker, row, now.date())
        data["worker"] = wanted.worker
    if wanted.photos:
        scope.open_photos(session, wanted.photos)
        checks.require_photos(session, wanted.photos)
    return data


def _event(
    session: Session,
    row: Incident,
    line: Move,
    wanted: MoveRequest,
    actor: Actor,
    *,
    role: str,
    target: str,
    now: datetime,
) -> IncidentEvent:
    """Write down who takes which step, from where, when by both clocks, and why."""
    point = None
    if wanted.lon is not None and wanted.lat is not None:
        point = place_of(the_city(session), wanted.lon, wanted.lat, "gnss").element()
    return IncidentEvent(
        id=wanted.id,
        incident_id=row.id,
        seq=row.event_count + 1,
        recorded_at=now,
        action=line.action,
        from_status=row.status,
        to_status=target,
        actor_id=actor.account_id,
        role=role,
        department_code=wanted.department or row.department_code,
        area_code=row.area_code,
        device_at=wanted.device_at,
        device=wanted.device,
        reason=wanted.reason,
        note=wanted.note,
        geom=point,
        photos=list(wanted.photos),
        data={},
    )


def _follow_tasks(session: Session, event: IncidentEvent, wanted: MoveRequest) -> None:
    """Keep the departments' tasks in step with the case."""
    if event.action == "dispatch":
        parts = dict.fromkeys(wanted.assisting, "assist")
        if wanted.department:
            parts[wanted.department] = "lead"
        session.add_all(
            IncidentTask(
                incident_id=event.incident_id,
                department_code=code,
                part=part,
                dispatched_at=event.recorded_at,
            )
            for code, part in parts.items()
        )
        return
    column = {"sign": "signed_at", "reply": "replied_at", "return": "returned_at"}.get(event.action)
    if column is None or event.department_code is None:
        return
    task = session.scalar(
        select(IncidentTask)
        .where(
            IncidentTask.incident_id == event.incident_id,
            IncidentTask.department_code == event.department_code,
            IncidentTask.part == "lead",
        )
        .order_by(IncidentTask.id.desc())
        .limit(1)
    )
    if task is not None:
        setattr(task, column, event.recorded_at)


def _attach(session: Session, event: IncidentEvent, line: Move) -> None:
    """Tie photos to the case; the same photo twice is two attachments of one blob."""
    session.add_all(
        Attachment(
            incident_id=event.incident_id, event_seq=event.seq, sha256=sha256, part=line.photos
        )
        for sha256 in event.photos
    )


def _keep_contact(session: Session, incident_id: UUID, contact: Contact, vault: Vault) -> None:
    """Seal how to reach the reporter; nothing of it is readable in the table."""
    if not contact.name and not contact.phone:
        return
    key = session.scalar(select(func.gen_random_uuid()))
    phone = normal_phone(contact.phone)
    seal = {name: vault.seal("incident_reporter", key, f"{name}_sealed", text)
            for name, text in (("name", contact.name), ("phone", phone)) if text}  # fmt: skip
    session.add(
        IncidentReporter(
            id=key,
            incident_id=incident_id,
            name_sealed=seal.get("name"),
            phone_sealed=seal.get("phone"),
            phone_index=(vault.blind_index("incident_reporter", "phone", phone) if phone else None),
        )
    )
