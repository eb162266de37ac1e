"""A report becomes a case: the row, its first event and its first clock, all or nothing.

The report carries an id made by the client: the same id with the same body gets the same
answer again, however often it is sent and wherever the connection broke. Commits nothing.

It is judged here, by lists in memory, and written by one call of the database (`take_report`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import psycopg
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from gis.errors import GisError
from grids import scope
from grids.accounts import Actor
from grids.codes import check_known
from grids.errors import GridsError
from grids.incidents import checks, projection, roles, standing, tracking
from grids.incidents.errors import ForbiddenMove, NotSelfHandled, NotYourMove, UnknownPhoto
from grids.incidents.lifecycle import STATES, Move, find_move
from grids.incidents.models import IncidentReporter
from grids.incidents.places import Place, place_of, require_inside
from grids.incidents.projection import Fact
from grids.incidents.requests import Contact, Done, Report, body_hash, earlier_answer
from grids.incidents.standing import First, Listed, Standing
from grids.secrets import Vault, normal_phone

TAKE: Final = (
    "SELECT outcome, made_number, made_area, is_followed FROM take_report(%(judged)s, %(digest)s, %(lon)s,"
    " %(lat)s, %(is_edge_checked)s, %(report)s, %(told)s, %(stage)s, %(day)s)"
)
#: Lists that change between judging and writing: nobody loads them five times in a row.
TRIES: Final = 5
#: What the database fills in, or what a case does not have on its first day.
_OF_A_CASE: Final = tuple(
    name for name in projection.FIELDS if name not in ("number", "area_code", "event_count")
)
_JSON: Final = msgspec.json.Encoder()


_OF_AN_EVENT: Final = (
    "action", "from_status", "to_status", "actor_id", "role", "device_at", "device", "photos",
    "data",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opening:
    """A report that was found good, as the database takes it."""

    place: Place
    values: dict[str, Any]


def submit(
    session: Session, report: Report, actor: Actor | None, *, now: datetime, vault: Vault
) -> Done:
    """Take a report in: the case, its first event and its first clock, all or nothing.

    The answer has `id` and `number`. Raises `OtherBody` and `Withdrawn` for an id that was
    used, `Invalid` kinds and `GisError` for what was sent.
    """
    session.flush()  # the call goes past the session
    actor_id = actor.account_id if actor else None
    digest = body_hash(report, actor_id)
    known = standing.of(session)
    for _ in range(TRIES):
        try:
            opening = _judged(session, report, actor, known, now=now, vault=vault)
            found = _taken(session, opening, digest)
        except (GridsError, GisError):
            # The answer of before outlives a rule of today, and only today's rules refuse.
            scope.open_case(session, report.id)
            if earlier := earlier_answer(session, report.id, digest, actor_id=actor_id):
                return earlier
            if standing.is_current(session, known):
                raise
            found = None
        if found is not None and found.outcome == "taken":
            if report.contact is not None:
                _keep_contact(session, report.id, report.contact, vault)
            return Done({"id": str(report.id), "number": found.made_number}, is_new=True)
        if found is not None and found.outcome == "known":
            earlier = earlier_answer(session, report.id, digest, actor_id=actor_id)
            if earlier is not None:
                return earlier
        known = standing.read(session)
    raise RuntimeError("the code lists change faster than they are read")


def submit_at_once(
    session: Session,
    conn: psycopg.Connection[Any],
    report: Report,
    actor: Actor,
    *,
    now: datetime,
    vault: Vault,
) -> tuple[Done, bool] | None:
    """Take a good new report in by one statement, which is a transaction of its own.

    Says beside the answer whether steps of the reporter wait for it (see `held`).

    None, and nothing written, where anything stands in the way: `submit` says what, or answers
    as it did before. The session is not used: it only says which database this is.
    """
    known = standing.kept(session)
    if known is None or report.contact is not None:
        return None
    try:
        opening = _judged(None, report, actor, known, now=now, vault=vault)
    except (standing.NotInMemory, GridsError, GisError):
        return None
    values = {**opening.values, "digest": body_hash(report, actor.account_id)}
    row = conn.execute(TAKE, values).fetchone()
    if row is None or row[0] != "taken":
        return None
    return Done({"id": str(report.id), "number": row[1]}, is_new=True), bool(row[3])


def _taken(session: Session, opening: Opening, digest: bytes) -> Row[Any]:
    """Write it; a place that no town covers is written only after the county was asked.

    Raises `UnknownPhoto` and what `require_inside` raises.
    """
    place, values = opening.place, {**opening.values, "digest": digest}
    call = session.connection().exec_driver_sql
    found = call(TAKE, values).one()
    if found.outcome == "edge":
        require_inside(session, place, found.made_area)
        found = call(TAKE, {**values, "is_edge_checked": True}).one()
    if found.outcome == "photo":
        raise UnknownPhoto(f"photo {found.made_number[:12]} was not sent", field="photos")
    return found


def _judged(
    session: Session | None,
    report: Report,
    actor: Actor | None,
    known: Standing,
    *,
    now: datetime,
    vault: Vault,
) -> Opening:
    """Check a report and write down the case that it opens.

    Raises `NotInMemory` where the database would have to be asked and there is no session.
    """
    line = find_move("self_close" if report.after else "submit", "draft")
    if line is None:
        raise ForbiddenMove("the lifecycle has no submit")
    role = roles.reporting_role(actor, report.channel, line)
    checks.require_fields(line, report)
    place = place_of(known.city, report.lon, report.lat, report.coord_source)
    category = known.category(report.category, report.kind, now.date())
    checks.require_count(report.photos, report.after)
    if report.answers:
        check_known(known.rules(session, category.id, now.date()).questions, report.answers)
    if report.after:
        _require_self_handling(session, known, category.id, actor, role=role, place=place, now=now)
    urgency = report.urgency or category.urgency or "C"
    stage = STATES[line.target].stage
    clock = None
    if stage is not None:
        first = First(category.id, urgency, place.lon, place.lat)
        clock = known.first_clock(session, stage, first, now)
    fact = _first_fact(report, place, line, category, actor, role=role, urgency=urgency, now=now)
    if clock is not None:
        fact.data["due"] = clock.due.isoformat()
        fact.data["stage_limit"] = [clock.limit.value, clock.limit.unit]
        if clock.calendar_no:
            fact.data["calendar"] = clock.calendar_no
    case = projection.apply(None, fact)
    of_a_case = {name: getattr(case, name) for name in _OF_A_CASE}
    values = {
        "is_edge_checked": False,
        "judged": known.version,
        "lon": place.lon,
        "lat": place.lat,
        "report": _json({**of_a_case, **_beside(report, vault)}),
        "told": _json({**_said(fact), "part": line.photos, "after": report.after}),
        "stage": stage,
        "day": now.astimezone(ZoneInfo(known.city.city_zone)).date(),
    }
    return Opening(place, values)


def _require_self_handling(
    session: Session | None, known: Standing, category_id: int, actor: Actor | None, *, role: str,
    place: Place, now: datetime,
) -> None:  # fmt: skip
    """Check that a worker closes on the spot only what is listed for it, in the own grid."""
    if session is None:
        raise standing.NotInMemory
    area_code = session.scalar(standing.AREA, {"lon": place.lon, "lat": place.lat})
    if actor is None or not actor.holds(role, area_code):
        raise NotYourMove("the place lies in another grid", action="self_close")
    if not known.rules(session, category_id, now.date()).is_self_handled:
        raise NotSelfHandled("this category is not closed on the spot", field="category")


def _first_fact(
    report: Report,
    place: Place,
    line: Move,
    category: Listed,
    actor: Actor | None,
    *,
    role: str,
    urgency: str,
    now: datetime,
) -> Fact:
    """Write down the report as the first event of its case; the database numbers and places it."""
    return Fact(
        id=report.id,
        incident_id=report.id,
        seq=1,
        recorded_at=now,
        action=line.action,
        from_status="draft",
        to_status=line.target,
        actor_id=actor.account_id if actor else None,
        role=role,
        department_code=None,
        area_code="",
        device_at=report.device_at,
        device=report.device,
        photos=[*report.photos, *report.after],
        data={
            "number": "",
            "category_id": category.id,
            "category": category.code,
            "urgency": urgency,
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


def _said(fact: Fact) -> dict[str, Any]:
    """Return what the call needs of the event beside the case."""
    return {name: getattr(fact, name) for name in _OF_AN_EVENT}


def _beside(report: Report, vault: Vault) -> dict[str, Any]:
    """Return what the row of a case has that no event tells."""
    is_tracked = report.channel in tracking.TRACKED
    return {
        "coord_source": report.coord_source,
        "accuracy_m": report.accuracy_m,
        "source": report.channel,
        "track_hash": f"\\x{tracking.stored(vault, report.id).hex()}" if is_tracked else None,
    }


def _json(value: dict[str, Any]) -> str:
    return _JSON.encode(value).decode()


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
    session.flush()
