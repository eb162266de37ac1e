"""What is passed on, and what nobody decided in time: found by the clock, not by a person (T5)."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.errors import GridsError
from grids.incidents import records, service
from grids.incidents.models import Incident
from grids.incidents.requests import MoveRequest
from grids.incidents.roles import SYSTEM
from grids.responsibility import arbitration
from grids.responsibility.arbitration_models import Arbitration
from grids.responsibility.ruling import explain

#: A case that came back this often is passed on, not returned.
RETURNS: Final = 2
#: What the history says where the platform itself asks for a decision.
PASSED_ON: Final = "多次退回，转权属裁定"


def default_overdue(session: Session, now: datetime) -> int:
    """Give cases whose arbiter did not decide in time to the stronger rule; return how many.

    Stronger is whose rule stands first among all that hold for the case; where no rule names
    a side, whom the matrix names. The case goes there in the same transaction.
    """
    overdue = session.execute(
        select(Arbitration.id, Arbitration.incident_id)
        .where(Arbitration.state == "open", Arbitration.due_at <= now)
        .order_by(Arbitration.due_at)
        .limit(arbitration.MOST)
    ).all()
    done = 0
    for arbitration_id, incident_id in sorted(overdue, key=lambda one: one.incident_id):
        row = records.locked(session, incident_id, SYSTEM)  # before the arbitration, as steps do
        one = arbitration.arbitration(session, arbitration_id, SYSTEM, lock=True).arbitration
        if one.state == "open":
            _default(session, one, row, now)
            done += 1
    return done


def _default(session: Session, one: Arbitration, row: Incident, now: datetime) -> None:
    told = explain(
        session, category_id=row.category_id, area_code=row.area_code, at=row.received_at
    )
    of_a_side = [rule for rule in told.rules if rule.department in one.parties]
    stronger = next(iter(of_a_side), None)
    one.state, one.decided_at, one.escalated_at = "defaulted", now, now
    one.department_code = stronger.department if stronger else told.ruling.department_code
    one.rule_id = stronger.id if stronger else told.ruling.rule_id
    one.why = stronger.why if stronger else told.ruling.why
    session.flush()
    arbitration.record(
        session, "arbitration_defaulted", one, None, "", department=one.department_code
    )
    arbitration.rule(session, one, row, SYSTEM, now)


def detect(session: Session, now: datetime) -> int:
    """Open an arbitration for every case that is passed on; return how many.

    One that came back twice is taken out of its desk by the platform: it is disputed from
    then on. A case that was argued about before is passed on again only with returns since.
    """
    opened = 0
    for row in session.scalars(
        select(Incident)
        .where(
            (Incident.status == "disputed")
            | ((Incident.status == "pending_dispatch") & (Incident.return_count >= RETURNS))
        )
        .order_by(Incident.id)  # whoever locks several cases takes them in this order
    ).all():
        before = arbitration.binding_of(session, row.id)
        if before is not None and before.state == "open":
            continue
        if row.status == "disputed":
            arbitration.open_arbitration(session, row, cause="dispute", actor_id=None, now=now)
            opened += 1
            continue
        since = before.returns if before is not None else 0
        if row.return_count - since >= (1 if before else RETURNS):
            opened += _dispute(session, row, now)
    return opened


def _dispute(session: Session, row: Incident, now: datetime) -> bool:
    """Take a case that is passed on out of its desk; False where it may not move just now."""
    wanted = MoveRequest(id=uuid4(), action="dispute", note=PASSED_ON)
    try:
        with session.begin_nested():
            service.move(session, row.id, wanted, SYSTEM, now=now)
    except GridsError:  # the reporter is being asked: the next look finds it again
        return False
    return True
