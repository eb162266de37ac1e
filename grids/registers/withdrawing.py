"""Taking back a correction that was made by hand: what the sources say holds again.

What was decided and that it was taken back both stay in the history of the entry. Who was told
of the value by a file of corrections finds the line withdrawn, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts import Account, Actor
from grids.errors import Conflict
from grids.facts import corrections, statements
from grids.facts.models import Fact
from grids.facts.survivorship import DESK
from grids.registers.changes import BadValue, changes_of
from grids.registers.kinds import Kind


class NothingToWithdraw(Conflict):
    """Nobody has corrected the field by hand, or somebody has taken it back already."""

    code = "register.nothing_to_withdraw"


def by_hand(session: Session, kind: Kind, entry: Any) -> Sequence[Row[Fact, str]]:
    """Return what was corrected by hand of an entry that was read in scope, and by whom.

    What was chosen when two entries became one is undone with the merge, and not told here.
    """
    return session.execute(
        select(Fact, Account.name)
        .outerjoin(Account, Account.id == Fact.said_by)
        .where(
            Fact.register == kind.table, Fact.entry_id == entry.id, Fact.source == DESK,
            Fact.evidence.is_(None), Fact.field.in_(kind.columns),
        )
        .order_by(Fact.field)
    ).all()  # fmt: skip


def withdraw(
    session: Session, kind: Kind, entry: Any, field: str, reason: str, actor: Actor, *,
    source_ip: str, now: datetime,
) -> int:  # fmt: skip
    """Take a correction by hand back; return how many lines of files that went out are withdrawn.

    Raises `BadValue` without a reason and `NothingToWithdraw`; nothing changes then.
    """
    if len(reason.strip()) < 2:
        raise BadValue("who withdraws a correction says why", field="reason")
    reason = reason.strip()[:500]
    if field not in {row.Fact.field for row in by_hand(session, kind, entry)}:
        raise NothingToWithdraw(f"{field} was not corrected by hand", field=field)
    table = kind.model.__table__
    value = statements.unsay(session, table, entry.id, field, DESK, reason=reason)
    if value is None:
        raise NothingToWithdraw(f"{field} was not corrected by hand", field=field)
    if not statements.of_entry(session, kind.table, entry.id, (field,)):
        _restore(session, kind, entry, field, reason)
    told = corrections.withdraw(
        session, kind.table, entry.id, field, value, because=DESK, reason=reason, now=now
    )
    audit.record(
        session, "register_withdrawn", actor_id=actor.account_id, source_ip=source_ip,
        subject=f"{kind.table}:{entry.id}", detail={"fields": [field], "lines": told},
    )  # fmt: skip
    return told


def _restore(session: Session, kind: Kind, entry: Any, field: str, reason: str) -> None:
    """Show what stood in a field before anybody spoke of it: only the desk has changed it since."""
    told = [old for change in changes_of(session, kind, entry)
            for name, old, _new in change.fields if name == field]  # fmt: skip
    if not told:
        return
    column = kind.model.__table__.c[field]
    is_day = column.type.python_type is date and told[-1] is not None
    statements.say_why(session, reason)
    setattr(entry, field, date.fromisoformat(told[-1]) if is_day else told[-1])
    session.flush()
