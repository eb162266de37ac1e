"""Transfers of 110, 119, 120 and 12345: acknowledged by a person in time, or sent back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from grids import audit, outbox, scope
from grids.accounts import Actor
from grids.cells import Grid
from grids.channels.alarms import clear, raise_alarm
from grids.channels.models import System, SystemCase
from grids.codes import Category
from grids.errors import Conflict, NotFound
from grids.incidents import service
from grids.incidents.lifecycle import REASONS, STATES
from grids.incidents.models import Incident
from grids.incidents.requests import MoveRequest
from grids.outbox.models import Message

LATE: Final = "ack"
MOST: Final = 200
WAITING, ACKNOWLEDGED = "waiting", "acknowledged"


class NoTransfer(NotFound):
    """There is no such transfer, or it lies outside what the caller may see."""

    code = "transfer.none"


class TransferMoved(Conflict):
    """Somebody has acknowledged this transfer or sent it back meanwhile."""

    code = "transfer.moved"


@dataclass(frozen=True)
class Transfer:
    """A transfer as the list shows it."""

    id: UUID
    incident_id: UUID
    number: str
    system_zh: str
    system_en: str
    sender_id: str
    category_zh: str
    category_en: str
    text: str
    address: str
    status: str
    state: str
    received_at: datetime
    due_at: datetime
    ack_at: datetime | None
    note: str

    @property
    def may_refuse(self) -> bool:
        """Say whether it can still go back: nobody has taken it in."""
        return self.status == "pending_accept"

    @property
    def public_state(self) -> str:
        """What the sender is told."""
        return STATES[self.status].public


def listed(
    session: Session, actor: Actor, *, is_waiting: bool = True, case: UUID | None = None
) -> list[Transfer]:
    """Return transfers of the caller's area: those that wait, the most pressing first, or others.

    With `case` those of one case, however far they are.
    """
    which: ColumnElement[bool] = SystemCase.state == WAITING
    order: tuple[Any, ...] = (SystemCase.ack_due_at, SystemCase.id)
    if case is not None:
        which = SystemCase.incident_id == case
    elif not is_waiting:
        which, order = SystemCase.state != WAITING, (SystemCase.received_at.desc(), SystemCase.id)
    rows = session.execute(
        select(SystemCase, System, Incident, Category, Grid.name)
        .join(System, System.code == SystemCase.system)
        .join(Incident, Incident.id == SystemCase.incident_id)
        .join(Category, Category.id == Incident.category_id)
        .outerjoin(Grid, Grid.id == Incident.grid_id)
        .where(_is_transfer(), which, scope.condition(actor, Incident))
        .order_by(*order)
        .limit(MOST)
    )
    return [_transfer(*row) for row in rows]


def count_waiting(session: Session, actor: Actor) -> int:
    """Count the transfers that nobody has acknowledged yet."""
    asked = (
        select(func.count())
        .select_from(SystemCase)
        .join(System, System.code == SystemCase.system)
        .join(Incident, Incident.id == SystemCase.incident_id)
        .where(_is_transfer(), SystemCase.state == WAITING, scope.condition(actor, Incident))
    )
    return session.scalar(asked) or 0


def acknowledge(
    session: Session, transfer_id: UUID, actor: Actor, *, now: datetime, source_ip: str = ""
) -> None:
    """Note who took a transfer over and tell its sender. Raises `NoTransfer`, `TransferMoved`."""
    kept, row, system = _locked(session, transfer_id, actor)
    kept.state, kept.ack_at, kept.ack_by = ACKNOWLEDGED, now, actor.account_id
    if system.receiver is not None:
        outbox.write(
            session, system.receiver, "acknowledged", key=f"ack:{kept.id}", now=now,
            incident_id=row.id, body={"sender_id": kept.sender_id, "system": kept.system,
                                      "receipt": str(kept.id), "at": now.isoformat()},
        )  # fmt: skip
    clear(session, LATE, now=now, subject=row.number)
    audit.record(
        session, "transfer_acknowledged", actor_id=actor.account_id,
        subject=f"incident:{row.id}", source_ip=source_ip,
        detail={"system": kept.system, "late": now > kept.ack_due_at},
    )  # fmt: skip


def refuse(
    session: Session, transfer_id: UUID, reason: str, note: str, actor: Actor, *, now: datetime,
    source_ip: str = "",
) -> None:  # fmt: skip
    """Send a transfer back with the reason, which rejects its case.

    Raises `NoTransfer`, `TransferMoved`, and what the step of the case raises.
    """
    kept, row, _system = _locked(session, transfer_id, actor, also=ACKNOWLEDGED)
    wanted = MoveRequest(
        id=uuid5(kept.id, "refuse"), action="reject", reason=reason or None, note=note.strip()
    )
    service.move(session, row.id, wanted, actor, now=now)
    session.refresh(kept)  # the event has set its state
    kept.ack_by, kept.note = actor.account_id, note.strip()[:500]
    session.execute(
        update(Message)
        .where(Message.incident_id == row.id, Message.kind == "returned")
        .values(body=Message.body.concat({"note": kept.note, "receipt": str(kept.id)}))
        .execution_options(synchronize_session=False)
    )
    clear(session, LATE, now=now, subject=row.number)
    audit.record(
        session, "transfer_refused", actor_id=actor.account_id, subject=f"incident:{row.id}",
        source_ip=source_ip, detail={"system": kept.system, "reason": reason},
    )  # fmt: skip


def watch(session: Session, now: datetime) -> int:
    """Tell the shift of transfers that nobody acknowledged in time; return how many wait late.

    The alarm of one that was acknowledged since then, by whatever step, ends.
    """
    late = session.execute(
        select(SystemCase.system, SystemCase.ack_due_at, Incident.number, Incident.id,
               Incident.area_code)
        .join(System, System.code == SystemCase.system)
        .join(Incident, Incident.id == SystemCase.incident_id)
        .where(_is_transfer(), SystemCase.state == WAITING, SystemCase.ack_due_at < now)
        .order_by(SystemCase.ack_due_at)
        .limit(MOST)
    ).all()  # fmt: skip
    # An alarm holds its case: whoever holds several takes them in one order, as reminders do.
    for row in sorted(late, key=lambda one: one.id):
        raise_alarm(
            session, LATE, row.number, now=now, area_code=row.area_code, incident_id=row.id,
            detail={"system": row.system, "due_at": row.ack_due_at.isoformat()},
        )  # fmt: skip
    clear(session, LATE, now=now, keep=[row.number for row in late])
    return len(late)


def reasons() -> Sequence[str]:
    """Return the reasons with which a transfer goes back."""
    return REASONS["reject"]


def _is_transfer() -> ColumnElement[bool]:
    return and_(System.kind == "transfer", SystemCase.direction == "in")


def _locked(
    session: Session, transfer_id: UUID, actor: Actor, *, also: str = WAITING
) -> tuple[SystemCase, Incident, System]:
    kept = session.scalar(select(SystemCase).where(SystemCase.id == transfer_id).with_for_update())
    found: Any = None
    if kept is not None:
        wanted = select(Incident).where(Incident.id == kept.incident_id)
        found = session.scalar(scope.visible(wanted, actor, Incident))
    if kept is None or found is None:
        raise NoTransfer(f"no transfer {transfer_id}")
    if kept.state not in (WAITING, also):
        raise TransferMoved(f"transfer {transfer_id} is {kept.state}")
    return kept, found, session.get_one(System, kept.system)


def _transfer(
    kept: SystemCase, system: System, row: Incident, category: Category, grid: str | None
) -> Transfer:
    return Transfer(
        id=kept.id, incident_id=row.id, number=row.number, system_zh=system.name_zh,
        system_en=system.name_en, sender_id=kept.sender_id, category_zh=category.name_zh,
        category_en=category.name_en, text=row.text, address=row.address or grid or "", status=row.status,
        state=kept.state, received_at=kept.received_at, due_at=kept.ack_due_at,
        ack_at=kept.ack_at, note=kept.note,
    )  # fmt: skip
