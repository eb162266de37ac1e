"""Arbitration (推诿裁定): who has a case that departments pass on to each other (T5).

A clock runs from the moment it opens. Both sides state their case while there is time; the
arbiter decides and the decision binds; it becomes a precedent. Without a decision in time the
side with the stronger rule has the case, and the arbitration goes up to be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Account, Actor
from grids.city import the_city
from grids.codes import Department
from grids.incidents import records, service
from grids.incidents.clocks import Limit, add_limit
from grids.incidents.clockwork import calendar as calendar_at
from grids.incidents.lifecycle import find_move
from grids.incidents.models import Incident, IncidentEvent, IncidentTask
from grids.incidents.projection import Fact
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
    named: str | None = None, source_ip: str = "",
) -> Arbitration:  # fmt: skip
    """Open the arbitration of a case that the caller has read in scope.

    Whoever had the case first answers for it meanwhile (首接负责); `named` is the department
    that somebody says it belongs to. Raises `ArbitrationOpen`.
    """
    if binding_of(session, row.id, only_open=True) is not None:
        raise ArbitrationOpen(f"case {row.number} is under arbitration")
    parties = list(dict.fromkeys((*parties_of(session, row), *filter(None, (named,)))))
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
    record(session, "arbitration_opened", made, actor_id, source_ip, cause=cause)
    return made


def open_for(session: Session, row: Incident, fact: Fact, *, now: datetime) -> None:
    """Open the arbitration that a step asks for; one that is open goes on."""
    if binding_of(session, row.id, only_open=True) is None:
        cause = "dispute" if fact.actor_id else "returns"
        open_arbitration(
            session, row, cause=cause, actor_id=fact.actor_id, now=now,
            named=fact.data.get("department"),
        )  # fmt: skip


def end_for(session: Session, row: Incident, fact: Fact, *, now: datetime) -> None:
    """End the arbitration of a case that went on: ruled by the step itself, or dropped.

    A ruling without facts for later readers is no precedent. Raises `NotYourDecision` where
    somebody else was named to decide.
    """
    one = binding_of(session, row.id, only_open=True)
    if one is None:
        return
    if fact.action != "arbitrate":
        one.state, one.decided_at = "dropped", now
        session.flush()
        record(session, "arbitration_dropped", one, fact.actor_id, "", step=fact.action)
        return
    if one.arbiter_id not in (None, fact.actor_id):
        raise NotYourDecision("the arbiter that was named decides")
    one.state, one.decided_at, one.decided_by = "decided", now, fact.actor_id
    one.department_code, one.why = fact.data["department"], fact.note
    one.assisting = list(fact.data.get("assisting") or ())
    session.flush()
    record(session, "arbitration_decided", one, fact.actor_id, "", department=one.department_code)


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


def counted(session: Session, actor: Actor) -> dict[str, int]:
    """Count the arbitrations of cases that the actor may see, by state."""
    found = session.execute(
        select(Arbitration.state, func.count())
        .join(Incident, Incident.id == Arbitration.incident_id)
        .where(scope.condition(actor, Incident))
        .group_by(Arbitration.state)
    )
    return {row[0]: row[1] for row in found}


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
    record(session, "arbitration_stated", one, actor.account_id, source_ip,
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
    record(session, "arbitration_named", one, actor.account_id, source_ip, arbiter=account_id)


def decide(
    session: Session, arbitration_id: int, actor: Actor, decision: Decision, *, now: datetime,
    source_ip: str = "",
) -> Arbitration:  # fmt: skip
    """Decide: the department has the case, and it is an example from now on.

    The case moves on with it, in the same transaction. Raises `NotYourDecision`,
    `ArbitrationOver`, `BadStatement`, and what the case itself refuses.
    """
    # The case first, then the arbitration: the order in which a step of the case locks them.
    records.locked(session, arbitration(session, arbitration_id, actor).case.id, actor)
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
    record(session, "arbitration_decided", one, actor.account_id, source_ip,
            department=decision.department)  # fmt: skip
    rule(session, one, shown.case, actor, now)
    return one


def rule(session: Session, one: Arbitration, row: Incident, actor: Actor, now: datetime) -> None:
    """Give the case to whom the decision names; one that is not disputed stays where it is."""
    if find_move("arbitrate", row.status):
        wanted = MoveRequest(
            id=uuid4(), action="arbitrate", department=one.department_code,
            assisting=tuple(one.assisting), note=one.why,
        )  # fmt: skip
        service.move(session, row.id, wanted, actor, now=now)


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
    record(session, "arbitration_confirmed", one, actor.account_id, source_ip)


def returned_by(session: Session, row: Incident) -> list[IncidentEvent]:
    """Return who gave a case back, when and why, for a case that was read in scope."""
    return list(
        session.scalars(
            select(IncidentEvent)
            .where(
                IncidentEvent.incident_id == row.id,
                IncidentEvent.recorded_at >= row.received_at,
                IncidentEvent.action.in_(("return", "ask_return", "dispute")),
            )
            .order_by(IncidentEvent.seq)
        )
    )


def names_of(session: Session, events: Iterable[IncidentEvent]) -> dict[int, str]:
    """Return the names of who took these steps."""
    actors = {event.actor_id for event in events}
    found = session.execute(select(Account.id, Account.name).where(Account.id.in_(actors)))
    return {row.id: row.name for row in found}


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


def record(
    session: Session, action: str, one: Arbitration, actor_id: int | None, source_ip: str,
    **detail: object,
) -> None:  # fmt: skip
    """Write an act of an arbitration into the audit log."""
    audit.record(
        session, action, actor_id=actor_id, subject=f"arbitration:{one.id}", source_ip=source_ip,
        detail={"incident": str(one.incident_id), **detail},
    )  # fmt: skip
