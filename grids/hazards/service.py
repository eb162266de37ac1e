"""The writes of hazards: reporting one, taking a step, and what the clock does. None commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.city import the_city
from grids.codes import Department
from grids.enterprises import Premises
from grids.flows import taking
from grids.flows.limits import deadline
from grids.flows.numbers import next_number
from grids.flows.once import Answer
from grids.flows.table import Step
from grids.flows.taking import Kind, Setting, StepRequest
from grids.hazards.checklists import item_of
from grids.hazards.errors import BadTerm, NoDepartment, NoPlace, NoPremises
from grids.hazards.lifecycle import FLOW, RECTIFY, TERMS, TERMS_OF
from grids.hazards.models import Hazard, HazardEvent, HazardPhoto
from grids.incidents.places import Place, place_of, require_inside

_LINKED: Final = text(
    "SELECT cell_id, grid_id, area_code FROM link_place(ST_SetSRID(ST_MakePoint(:lon, :lat), 4490))"
)
#: Competent for what no item of a check-list names: urban management enforcement (default).
DEFAULT_DEPARTMENT: Final = "D03"


def _own_limits(clock: str, at: Setting) -> datetime | None:
    """Let the time to put it right follow from the term that was ordered."""
    if clock != "rectify":
        return None
    return deadline(at.now, RECTIFY[str(at.columns["term"])], at.calendar)


KIND: Final = Kind(
    FLOW, Hazard, HazardEvent, HazardPhoto, "hazard_id", TERMS, own_limits=_own_limits
)


@dataclass(frozen=True)
class Found:
    """How an inspection came to a hazard."""

    inspection_id: UUID
    checklist: str
    item: str


def report(
    session: Session, wanted: StepRequest, actor: Actor, *, now: datetime,
    found: Found | None = None,
) -> Answer:  # fmt: skip
    """Report a hazard of premises or of a point. The answer has `id` and `number`.

    Raises `NoPlace`, `NoPremises`, geometry errors and what `grids.flows.taking.begin` raises.
    """
    premises, place = _where(session, wanted.values, actor)
    linked = session.execute(_LINKED, {"lon": place.lon, "lat": place.lat}).one()
    require_inside(session, place, linked.area_code)
    item = item_of(found.checklist, found.item) if found else None
    kept = {
        "origin": "inspection" if found else "report",
        "premises_id": premises.id if premises else None,
        "checklist": found.checklist if found else None,
        "item": found.item if found else None,
        "competent_code": item.department if item else DEFAULT_DEPARTMENT,
        "place": str(wanted.values.get("place") or "").strip()[:200]
        or ((premises.name or "") if premises else ""),
    }
    taken = taking.begin(
        session, KIND, wanted, actor, area_code=linked.area_code,
        number=lambda: next_number(session, "YH", now), more=kept,
        extra={
            "geom": place.element(), "cell_id": linked.cell_id, "grid_id": linked.grid_id,
            "coord_source": "survey" if premises else "map_click",
            "inspection_id": found.inspection_id if found else None,
        },
        now=now,
    )  # fmt: skip
    return taken.answer


def take(
    session: Session, hazard_id: UUID, wanted: StepRequest, actor: Actor, *, now: datetime
) -> Answer:
    """Take a hazard one step further; an order gets the number of its notice.

    Raises `BadTerm`, `NoDepartment` and what `grids.flows.taking.take` raises.
    """

    def check(row: Any, step: Step, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if "term" in values and values["term"] not in TERMS_OF[row.severity]:
            raise BadTerm(f"{values['term']} is no term of {row.severity}", field="term")
        if "department" in values:
            _require_department(session, values["department"])
        if ("ordered_at", "now") in step.sets:
            return {"notice_no": next_number(session, "ZG", now)}
        return {}

    return taking.take(session, KIND, hazard_id, wanted, actor, now=now, check=check).answer


def escalate_overdue(session: Session, now: datetime, *, most: int = 200) -> int:
    """Give what was not put right in time to the competent department; return how many.

    Each once: the step leads out of the states that are looked at, and a row that another
    worker holds is left to it.
    """
    rows = session.scalars(
        select(Hazard)
        .where(Hazard.status.in_(("ordered", "rectifying")), Hazard.due_at <= now)
        .order_by(Hazard.due_at, Hazard.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        values = {"reason": "overdue", "department": row.competent_code}
        taking.take_by_clock(session, KIND, row, "escalate", values, now)
    return len(rows)


def _where(
    session: Session, values: Mapping[str, Any], actor: Actor
) -> tuple[Premises | None, Place]:
    """Return premises and point of a report. Raises `NoPlace` and `NoPremises`."""
    if key := values.get("premises"):
        premises = premises_of(session, actor, str(key))
        lon, lat = session.execute(
            select(func.ST_X(Premises.geom), func.ST_Y(Premises.geom)).where(
                Premises.id == premises.id
            )
        ).one()
        return premises, Place(lon, lat)
    point = values.get("point")
    if not point:
        raise NoPlace("name the premises or the place on the map", field="premises")
    try:
        lon, lat = (float(part) for part in point)
    except (TypeError, ValueError):
        raise NoPlace("a place is a longitude and a latitude", field="premises") from None
    return None, place_of(the_city(session), lon, lat, "map_click")


def premises_of(session: Session, actor: Actor, key: str) -> Premises:
    """Return premises in the actor's area by their key. Raises `NoPremises`."""
    is_key = key.isascii() and key.isdecimal() and len(key) <= 18
    found: Premises | None = (
        session.scalar(
            scope.visible(select(Premises), actor, Premises).where(
                Premises.id == int(key), Premises.valid_to.is_(None)
            )
        )
        if is_key
        else None
    )
    if found is None:
        raise NoPremises("no such premises", field="premises")
    return found


def departments(session: Session) -> Sequence[Department]:
    """Return the departments that a hazard may be escalated to."""
    return session.scalars(select(Department).order_by(Department.sort)).all()


def lonlat(session: Session, row: Hazard) -> tuple[float, float]:
    """Return the place of a hazard that was read in scope."""
    found = session.execute(select(func.ST_X(row.geom), func.ST_Y(row.geom))).one()
    return found[0], found[1]


def _require_department(session: Session, code: str) -> None:
    if session.get(Department, code) is None:
        raise NoDepartment(f"no department {code[:20]!r}", field="department")
