"""A report becomes a case: the row, its first event and its first clock, all or nothing.

The report carries an id made by the client: the same id with the same body gets the same
answer again, however often it is sent and wherever the connection broke. Commits nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.codes import check_answers
from grids.codes import of as code_rules
from grids.incidents import checks, clockwork, projection, records, roles, tracking
from grids.incidents.clocks import stage_due
from grids.incidents.errors import ForbiddenMove, NotSelfHandled, NotYourMove
from grids.incidents.lifecycle import STATES, Move, find_move
from grids.incidents.models import (
    Incident,
    IncidentClock,
    IncidentEvent,
    IncidentReporter,
)
from grids.incidents.places import Place, place_of, require_inside
from grids.incidents.requests import (
    Contact,
    Done,
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
    known = checks.known_of(session, report, now)
    if known.key is not None:
        return answer_of(session, known.key, digest, actor_id=actor_id)
    line = find_move("self_close" if report.after else "submit", "draft")
    if line is None:
        raise ForbiddenMove("the lifecycle has no submit")
    role = roles.reporting_role(actor, report.channel, line)
    checks.require_fields(line, report)
    place = place_of(known.city, report.lon, report.lat, report.coord_source)
    category = checks.known_category(known.category, report.category, report.kind)
    checks.require_photos(session, (*report.photos, *report.after))
    check_answers(session, category.id, now.date(), report.answers)
    found = session.execute(PLACE, {"now": now, "lon": place.lon, "lat": place.lat}).one()
    require_inside(session, place, found.area_code)
    if report.after:
        _require_self_handling(session, category.id, actor, role, found.area_code, now)
    answer = {"id": str(report.id), "number": found.number}
    if not keep_answer(session, report.id, "incident", digest, answer, now=now):
        sent_before = earlier_answer(session, report.id, digest, actor_id=actor_id)
        return sent_before or Done(answer, is_new=False)
    event = _opening(report, known, place, line, actor_id=actor_id, role=role, now=now)
    event.area_code = found.area_code
    event.data["number"] = found.number
    stage = STATES[line.target].stage
    if stage is not None:
        clock = _first_clock(session, event, known, stage, now)
    session.add(_first_row(event, report, place, found, vault))
    session.flush()
    if stage is not None:
        session.add(clock)
    session.add(event)
    records.attach(session, report.id, 1, report.photos, line.photos)
    records.attach(session, report.id, 1, report.after, "after")
    if report.contact is not None:
        _keep_contact(session, report.id, report.contact, vault)
    session.flush()
    return Done(answer, is_new=True)


def _first_clock(
    session: Session, event: IncidentEvent, known: checks.Known, stage: str, now: datetime
) -> IncidentClock:
    """Start the first clock and keep in the event what it is measured by."""
    limit = clockwork.opening_limit(
        session, known.limits, stage, event.data["category_id"], known.urgency, event.area_code
    )
    days = clockwork.opening_calendar(session, known.city, limit, now)
    due = stage_due(stage, now, days, urgency=known.urgency, limit=limit)
    event.data["due"] = due.isoformat()
    event.data["stage_limit"] = [limit.value, limit.unit]
    if days.no:
        event.data["calendar"] = days.no
    return IncidentClock(
        incident_id=event.incident_id, stage=stage, started_at=now, due_at=due,
        limit_value=limit.value, limit_unit=limit.unit,
    )  # fmt: skip


def _require_self_handling(
    session: Session, category_id: int, actor: Actor | None, role: str, area_code: str,
    now: datetime,
) -> None:  # fmt: skip
    """Check that a worker closes on the spot only what is listed for it, in the own grid."""
    if actor is None or not actor.holds(role, area_code):
        raise NotYourMove("the place lies in another grid", action="self_close")
    if code_rules(session, category_id, now.date()).self_handling is None:
        raise NotSelfHandled("this category is not closed on the spot", field="category")


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
        photos=[*report.photos, *report.after],
        data={
            "category_id": category.id,
            "category": category.code,
            "urgency": known.urgency,
            "text": report.text,
            "address": report.address,
            "channel": report.channel,
            **({"raw": place.raw} if place.raw else {}),
            **_told(report),
        },
    )


def _told(report: Report) -> dict[str, Any]:
    """Return what only some channels know of a report; what is empty is not written."""
    parts = {"answers": report.answers, "origin": report.origin, "flags": report.flags}
    return {name: dict(told) for name, told in parts.items() if told}


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
        track_hash=(
            tracking.stored(vault, report.id) if report.channel in tracking.TRACKED else None
        ),
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
