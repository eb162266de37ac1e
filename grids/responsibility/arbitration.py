"""Arbitration (推诿裁定): who has a case that departments pass on to each other (T5).

A clock runs from the moment it opens. Both sides state their case while there is time; the
arbiter decides and the decision binds; it becomes a precedent. Without a decision in time the
side with the stronger rule has the case, and the arbitration goes up to be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.city import the_city
from grids.codes import Department
from grids.incidents import service
from grids.incidents.clocks import Limit, add_limit
from grids.incidents.clockwork import calendar as calendar_at
from grids.incidents.lifecycle import TERMINAL, find_move
from grids.incidents.models import Incident, IncidentEvent, IncidentTask
from grids.incidents.requests import MoveRequest
from grids.responsibility import precedents
from grids.responsibility.arbitration_models import Arbitration, ArbitrationStatement
from grids.responsibility.errors import (
    ArbitrationOpen,
    ArbitrationOver,
    BadStatement,
    NoArbitration,
    NoParty,
    NotYourDecision,
    StatementTooLate,
)
from grids.responsibility.ruling import explain

#: A case that came back this often is passed on, not returned.
RETURNS: Final = 2
#: Half a working day to speak, one working day to decide; an emergency waits for nobody.
SPEAK: Final = Limit(4, "work_hour")
DECIDE: Final = Limit(7, "work_hour")
SPEAK_URGENT: Final = Limit(0.5, "elapsed_hour")
DECIDE_URGENT: Final = Limit(1, "elapsed_hour")
LONGEST: Final = 1000
MOST: Final = 100


@dataclass(frozen=True)
class Decision:
    """What an arbiter decides: who has it, who helps, the facts for later readers, and why."""

    department: str
    why: str
    facts: str
    assisting: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """An arbitration with its case and what was said."""

    arbitration: Arbitration
    case: Incident
    statements: tuple[ArbitrationStatement, ...]


def open_arbitration(
    session: Session, row: Incident, *, cause: str, actor_id: int | None, now: datetime,
    source_ip: str = "",
) -> Arbitration:  # fmt: skip
    """Open the arbitration of a case that the caller has read in scope.

    Whoever had the case first answers for it meanwhile (首接负责). Raises `ArbitrationOpen`.
    """
    if binding_of(session, row.id, only_open=True) is not None:
        raise ArbitrationOpen(f"case {row.number} is under arbitration")
    parties = parties_of(session, row)
    asked = explain(
        session, category_id=row.category_id, area_code=row.area_code, at=row.received_at
    )
    calendar = calendar_at(session, the_city(session), now)
    is_urgent = row.urgency == "A"
    made = Arbitration(
        incident_id=row.id,
        area_code=row.area_code,
        category_id=row.category_id,
        cause=cause,
        returns=row.return_count,
        parties=parties,
        interim_code=parties[0] if parties else asked.ruling.department_code,
        opened_at=now,
        opened_by=actor_id,
        statements_due_at=add_limit(now, SPEAK_URGENT if is_urgent else SPEAK, calendar),
        due_at=add_limit(now, DECIDE_URGENT if is_urgent else DECIDE, calendar),
    )
    session.add(made)
    session.flush()
    _record(session, "arbitration_opened", made, actor_id, source_ip, cause=cause)
    return made


def parties_of(session: Session, row: Incident) -> list[str]:
    """Return the departments that had a case as lead, the first one first."""
    found = session.scalars(
        select(IncidentTask.department_code)
        .where(IncidentTask.incident_id == row.id, IncidentTask.part == "lead")
        .order_by(IncidentTask.id)
    )
    return list(dict.fromkeys(found))


def binding_of(
    session: Session, incident_id: UUID, *, only_open: bool = False
) -> Arbitration | None:
    """Return the arbitration that a case stands under: open, or whose decision binds."""
    states = ("open",) if only_open else ("open", "decided", "defaulted")
    found: Arbitration | None = session.scalar(
        select(Arbitration)
        .where(Arbitration.incident_id == incident_id, Arbitration.state.in_(states))
        .order_by(Arbitration.id.desc())
        .limit(1)
    )
    return found


def arbitrations(session: Session, actor: Actor, *, state: str = "open") -> list[Shown]:
    """List the arbitrations of cases that the actor may see, the most urgent first."""
    found = session.execute(
        select(Arbitration, Incident)
        .join(Incident, Incident.id == Arbitration.incident_id)
        .where(Arbitration.state == state, scope.condition(actor, Incident))
        .order_by(Arbitration.due_at if state == "open" else Arbitration.id.desc())
        .limit(MOST)
    ).all()
    return [Shown(row[0], row[1], _statements(session, row[0].id)) for row in found]


def arbitration(
    session: Session, arbitration_id: int, actor: Actor, *, lock: bool = False
) -> Shown:
    """Return one arbitration of a case that the actor may see. Raises `NoArbitration`."""
    statement = (
        select(Arbitration, Incident)
        .join(Incident, Incident.id == Arbitration.incident_id)
        .where(Arbitration.id == arbitration_id, scope.condition(actor, Incident))
    )
    if lock:
        statement = statement.with_for_update(of=Arbitration).execution_options(
            populate_existing=True
        )
    found = session.execute(statement).first()
    if found is None:
        raise NoArbitration(f"no arbitration {arbitration_id}")
    return Shown(found[0], found[1], _statements(session, arbitration_id))


def state_case(
    session: Session, arbitration_id: int, actor: Actor, *, text: str, basis: str = "",
    now: datetime, source_ip: str = "",
) -> ArbitrationStatement:  # fmt: skip
    """Keep what a department says for itself; until the limit it may say it better.

    Raises `NoParty`, `StatementTooLate`, `ArbitrationOver`, `BadStatement`.
    """
    one = _open(session, arbitration_id, actor)
    if actor.department is None or actor.department not in one.parties:
        raise NoParty("only a department that had the case speaks")
    if now > one.statements_due_at:
        raise StatementTooLate(f"statements were due {one.statements_due_at.isoformat()}")
    _need(text, "text")
    key = (arbitration_id, actor.department)
    made = session.get(ArbitrationStatement, key) or ArbitrationStatement(
        arbitration_id=arbitration_id, department_code=actor.department
    )
    made.text, made.basis = text.strip(), basis.strip()[:LONGEST]
    made.made_by, made.made_at = actor.account_id, now
    session.add(made)
    session.flush()
    _record(session, "arbitration_stated", one, actor.account_id, source_ip,
            department=actor.department)  # fmt: skip
    return made


def name_arbiter(
    session: Session, arbitration_id: int, actor: Actor, *, account_id: int, source_ip: str = ""
) -> None:
    """Name who decides; a commander of the area says so."""
    one = _open(session, arbitration_id, actor)
    if not actor.can("rules:manage"):
        raise NotYourDecision("a commander names the arbiter")
    one.arbiter_id = account_id
    session.flush()
    _record(session, "arbitration_named", one, actor.account_id, source_ip, arbiter=account_id)


def decide(
    session: Session, arbitration_id: int, actor: Actor, decision: Decision, *, now: datetime,
    source_ip: str = "",
) -> Arbitration:  # fmt: skip
    """Decide: the department has the case, and it is an example from now on.

    A case that waits for the decision moves on with it; one at the dispatcher's desk is
    dispatched there, where the decision stands first. Raises `NotYourDecision`,
    `ArbitrationOver`, `BadStatement`.
    """
    shown = arbitration(session, arbitration_id, actor, lock=True)
    one = _still_open(shown.arbitration)
    if not actor.can("rules:manage") or one.arbiter_id not in (None, actor.account_id):
        raise NotYourDecision("the arbiter that was named decides")
    _check(session, decision)
    one.state, one.decided_at, one.decided_by = "decided", now, actor.account_id
    one.department_code, one.assisting = decision.department, list(decision.assisting)
    one.why = decision.why.strip()
    session.flush()
    precedents.keep(session, one, shown.case, facts=decision.facts.strip(), now=now)
    _record(session, "arbitration_decided", one, actor.account_id, source_ip,
            department=decision.department)  # fmt: skip
    if find_move("arbitrate", shown.case.status):
        wanted = MoveRequest(
            id=uuid4(), action="arbitrate", department=decision.department,
            assisting=decision.assisting, note=decision.why.strip(),
        )  # fmt: skip
        service.move(session, shown.case.id, wanted, actor, now=now)
    return one


def default_overdue(session: Session, now: datetime) -> int:
    """Give cases whose arbiter did not decide in time to the stronger rule; return how many.

    Stronger is whose rule stands first among all that hold for the case; where no rule names
    a side, whom the matrix names. The case itself moves when its desk acts on it.
    """
    found = session.execute(
        select(Arbitration, Incident)
        .join(Incident, Incident.id == Arbitration.incident_id)
        .where(Arbitration.state == "open", Arbitration.due_at <= now)
        .order_by(Arbitration.due_at)
        .limit(MOST)
        .with_for_update(of=Arbitration, skip_locked=True)
    ).all()
    for one, row in found:
        told = explain(
            session, category_id=row.category_id, area_code=row.area_code, at=row.received_at
        )
        of_a_side = [rule for rule in told.rules if rule.department in one.parties]
        stronger = next(iter(of_a_side), None)
        one.state, one.decided_at, one.escalated_at = "defaulted", now, now
        one.department_code = stronger.department if stronger else told.ruling.department_code
        one.rule_id = stronger.id if stronger else told.ruling.rule_id
        one.why = stronger.why if stronger else told.ruling.why
        _record(session, "arbitration_defaulted", one, None, "", department=one.department_code)
    session.flush()
    return len(found)


def detect(session: Session, now: datetime) -> int:
    """Open an arbitration for every open case that is passed on; return how many.

    Twice returned, or disputed. A case that was argued about before is passed on again only
    with returns since.
    """
    opened = 0
    for row in session.scalars(
        select(Incident)
        .where(
            Incident.status.not_in(TERMINAL),
            (Incident.status == "disputed") | (Incident.return_count >= RETURNS),
        )
        .order_by(Incident.received_at)
    ).all():
        before = binding_of(session, row.id)
        if before is not None and before.state == "open":
            continue
        is_disputed = row.status == "disputed"
        since = before.returns if before is not None else 0
        if not is_disputed and row.return_count - since < (1 if before else RETURNS):
            continue
        cause = "dispute" if is_disputed else "returns"
        open_arbitration(session, row, cause=cause, actor_id=None, now=now)
        opened += 1
    return opened


def confirm_default(
    session: Session, arbitration_id: int, actor: Actor, *, now: datetime, source_ip: str = ""
) -> None:
    """Note that somebody above has looked at a decision that nobody made."""
    one = arbitration(session, arbitration_id, actor, lock=True).arbitration
    if not actor.can("rules:manage"):
        raise NotYourDecision("a commander looks at what nobody decided")
    if one.state != "defaulted" or one.confirmed_at is not None:
        raise ArbitrationOver(f"arbitration {arbitration_id} waits for nobody")
    one.confirmed_at = now
    session.flush()
    _record(session, "arbitration_confirmed", one, actor.account_id, source_ip)


def returned_by(session: Session, row: Incident) -> list[IncidentEvent]:
    """Return who gave a case back, when and why, for a case that was read in scope."""
    return list(
        session.scalars(
            select(IncidentEvent)
            .where(
                IncidentEvent.incident_id == row.id,
                IncidentEvent.recorded_at >= row.received_at,
                IncidentEvent.action.in_(("return", "dispute")),
            )
            .order_by(IncidentEvent.seq)
        )
    )


@dataclass(frozen=True)
class Share:
    """How a department returned cases that were decided: rightly where another one got it."""

    department: str
    returned: int
    rightly: int
    wrongly: int


def statistics(session: Session, actor: Actor) -> list[Share]:
    """Count for each side of the decided arbitrations in scope whether it refused rightly."""
    found = session.execute(
        select(Arbitration.parties, Arbitration.department_code)
        .join(Incident, Incident.id == Arbitration.incident_id)
        .where(Arbitration.state.in_(("decided", "defaulted")), scope.condition(actor, Incident))
    ).all()
    counts: dict[str, list[int]] = {}
    for parties, winner in found:
        for code in parties:
            counts.setdefault(code, [0, 0])[code == winner] += 1
    shares = [Share(code, sum(n), n[0], n[1]) for code, n in counts.items()]
    return sorted(shares, key=lambda share: (-share.wrongly, -share.returned, share.department))


def _open(session: Session, arbitration_id: int, actor: Actor) -> Arbitration:
    return _still_open(arbitration(session, arbitration_id, actor, lock=True).arbitration)


def _still_open(one: Arbitration) -> Arbitration:
    if one.state != "open":
        raise ArbitrationOver(f"arbitration {one.id} is {one.state}")
    return one


def _check(session: Session, decision: Decision) -> None:
    for name in ("department", "facts", "why"):
        _need(getattr(decision, name), name)
    wanted = {decision.department, *decision.assisting}
    known = set(session.scalars(select(Department.code).where(Department.code.in_(wanted))))
    if decision.department not in known or decision.department in decision.assisting:
        raise BadStatement("no such department", field="department", problem="unknown")
    if wanted - known:
        raise BadStatement("no such department", field="assisting", problem="unknown")


def _need(text: str, name: str) -> None:
    if not text.strip() or len(text) > LONGEST:
        problem = "too_long" if text.strip() else "empty"
        raise BadStatement(f"{name}: {problem}", field=name, problem=problem)


def _statements(session: Session, arbitration_id: int) -> tuple[ArbitrationStatement, ...]:
    return tuple(
        session.scalars(
            select(ArbitrationStatement)
            .where(ArbitrationStatement.arbitration_id == arbitration_id)
            .order_by(ArbitrationStatement.made_at)
        )
    )


def _record(
    session: Session, action: str, one: Arbitration, actor_id: int | None, source_ip: str,
    **detail: object,
) -> None:  # fmt: skip
    audit.record(
        session, action, actor_id=actor_id, subject=f"arbitration:{one.id}", source_ip=source_ip,
        detail={"incident": str(one.incident_id), **detail},
    )  # fmt: skip
