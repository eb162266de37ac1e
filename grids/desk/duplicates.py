"""Cases that may be the same problem: proposed and possible, with photo, distance and age.

Proposed follows the rule of 4.7: the same sub-class within 30 m and 24 hours, or the same
component. Possible looks wider, 100 m, for the eye of the dispatcher. Nothing is merged by
itself, and nothing across classes is ever proposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, case, false, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.incidents.detail import Photo
from grids.incidents.errors import NoIncident
from grids.incidents.listing import CaseRow, is_open, rows_at
from grids.incidents.models import Attachment, Blob, Incident

PROPOSED_M: Final = 30.0
POSSIBLE_M: Final = 100.0
WINDOW: Final = timedelta(hours=24)
MOST: Final = 20
NEAREST: Final = 6  #: shown to an operator with a caller on the line


@dataclass(frozen=True)
class Duplicate:
    """An open case beside the one that was asked about."""

    row: CaseRow
    distance_m: float
    age_s: float  #: how much earlier it came; below zero: later
    same_component: bool
    is_proposed: bool
    photo: Photo | None


def duplicates_of(
    session: Session, actor: Actor, incident_id: UUID, *, now: datetime
) -> list[Duplicate]:
    """Return cases that may be the same, proposed ones and near ones first.

    Raises `NoIncident` outside the scope.
    """
    found = session.execute(
        select(
            func.ST_X(Incident.geom).label("lon"), func.ST_Y(Incident.geom).label("lat"),
            Incident.category_code, Incident.component_id,
            Incident.received_at,
        ).where(scope.condition(actor, Incident), Incident.id == incident_id)
    ).first()  # fmt: skip
    if found is None:
        raise NoIncident("no such case")
    point = func.ST_SetSRID(func.ST_MakePoint(found.lon, found.lat), 4490)
    distance = func.ST_Distance(func.geography(Incident.geom), func.geography(point))
    # degrees: a box that surely holds the circle up to 70 degrees north
    box = func.ST_Expand(point, POSSIBLE_M / 30_000)
    is_same_thing = Incident.component_id == found.component_id if found.component_id else false()
    is_near = and_(
        Incident.geom.op("&&")(box),
        distance <= POSSIBLE_M,
        Incident.category_code == found.category_code,
        Incident.received_at.between(found.received_at - WINDOW, found.received_at + WINDOW),
    )
    proposed = case((or_(is_same_thing, and_(is_near, distance <= PROPOSED_M)), 1), else_=0)
    return _filled(session, actor, found.received_at, (
        rows_at(now)
        .add_columns(distance.label("distance"), is_same_thing.label("same"),
                     proposed.label("proposed"))
        .where(
            scope.condition(actor, Incident), is_open(), Incident.id != incident_id,
            or_(is_same_thing, is_near),
        )
        .order_by(proposed.desc(), distance, Incident.id)
        .limit(MOST)
    ))  # fmt: skip


def near(
    session: Session, actor: Actor, *, lon: float, lat: float, category: str, now: datetime
) -> list[Duplicate]:
    """Return open cases around a place before a report of it is stored, as `duplicates_of` would.

    Without a category nothing is proposed: what lies near is shown for the eye.
    """
    point = func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4490)
    distance = func.ST_Distance(func.geography(Incident.geom), func.geography(point))
    box = func.ST_Expand(point, POSSIBLE_M / 30_000)
    is_same = Incident.category_code == category if category else false()
    is_fresh = Incident.received_at >= now - WINDOW
    proposed = case((and_(is_same, is_fresh, distance <= PROPOSED_M), 1), else_=0)
    return _filled(session, actor, now, (
        rows_at(now)
        .add_columns(distance.label("distance"), false().label("same"), proposed.label("proposed"))
        .where(
            scope.condition(actor, Incident), is_open(),
            Incident.geom.op("&&")(box), distance <= POSSIBLE_M,
        )
        .order_by(proposed.desc(), case((is_same, 1), else_=0).desc(), distance, Incident.id)
        .limit(NEAREST)
    ))  # fmt: skip


def _filled(
    session: Session, actor: Actor, received_at: datetime, statement: Any
) -> list[Duplicate]:
    found = []
    for line in session.execute(statement).mappings():
        values = dict(line)
        extra = values.pop("distance"), values.pop("same"), values.pop("proposed")
        found.append((CaseRow(**values), *extra))
    photos = first_photos(session, actor, [row.id for row, *_ in found])
    return [
        Duplicate(
            row=row,
            distance_m=distance,
            age_s=(received_at - row.received_at).total_seconds(),
            same_component=bool(same),
            is_proposed=bool(proposed),
            photo=photos.get(row.id),
        )
        for row, distance, same, proposed in found
    ]


def first_photos(session: Session, actor: Actor, ids: list[UUID]) -> dict[UUID, Photo]:
    """Return the first photo of each case in the actor's scope, by case."""
    rows = session.execute(
        select(
            Attachment.incident_id, Attachment.id, Attachment.part, Attachment.event_seq,
            Blob.public_sha256, Blob.thumb_sha256, Blob.width, Blob.height,
        )
        .join(Blob, Blob.sha256 == Attachment.sha256)
        .join(Incident, Incident.id == Attachment.incident_id)
        .where(scope.condition(actor, Incident), Attachment.incident_id.in_(ids))
        .order_by(Attachment.incident_id, Attachment.event_seq, Attachment.id)
        .ext(distinct_on(Attachment.incident_id))
    )  # fmt: skip
    return {row[0]: Photo(*row[1:]) for row in rows}
