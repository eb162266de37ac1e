"""The history of an entry: what it said before, since when not any more, by whom and why.

A trigger keeps the old values of every change (`register_change`), whoever made it: an
import, a correction by hand, a visit. So an entry can be shown as it was on any day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ForeignKey, Index, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column
from stdnum.cn import uscc

from grids import audit
from grids.accounts import Account, Actor
from grids.codes import Department
from grids.db import Base, identity
from grids.errors import Invalid
from grids.facts import statements
from grids.facts.statements import Speaker
from grids.facts.survivorship import DESK
from grids.registers.kinds import KINDS, Kind, Shown
from grids.sites import hours

#: What the form of a correction may carry.
FIELDS: Final = frozenset(
    {"reason"} | {fact.column for kind in KINDS.values() for fact in kind.facts if fact.is_editable}
)


class RegisterChange(Base):
    """The values that an entry of a register had before a change. Written by triggers alone."""

    __tablename__ = "register_change"
    __table_args__ = (Index("register_change_entry_idx", "register", "entry_id", "changed_at"),)
    __level__ = "L2"

    id: Mapped[int] = identity()
    register: Mapped[str]  #: table
    entry_id: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    reason: Mapped[str] = mapped_column(server_default="")  #: as stated in the transaction
    old: Mapped[dict[str, Any]] = mapped_column(JSONB)


class BadValue(Invalid):
    """A value does not fit its field."""

    code = "register.bad_value"


@dataclass(frozen=True)
class Change:
    """One change of an entry, newest first: field -> what stood before and after."""

    at: datetime
    by: str | None
    reason: str
    fields: tuple[tuple[str, Any, Any], ...]


def changes_of(session: Session, kind: Kind, entry: Any) -> tuple[Change, ...]:
    """Return the changes of an entry that the caller has read in scope, newest first."""
    rows = session.execute(
        select(RegisterChange, Account.name)
        .outerjoin(Account, Account.id == RegisterChange.changed_by)
        .where(RegisterChange.register == kind.table, RegisterChange.entry_id == entry.id)
        .order_by(RegisterChange.changed_at.desc(), RegisterChange.id.desc())
    ).all()
    present = values_of(kind, entry)
    told: list[Change] = []
    for row, name in rows:
        fields = tuple(
            (field, old, present.get(field)) for field, old in sorted(row.old.items())
            if field in kind.columns
        )  # fmt: skip
        told.append(Change(row.changed_at, name, row.reason, fields))
        present |= row.old
    return tuple(told)


def as_of(session: Session, kind: Kind, entry: Any, at: datetime) -> dict[str, Any]:
    """Return what an entry said at an instant; empty where it was not registered yet."""
    values = values_of(kind, entry)
    later = session.scalars(
        select(RegisterChange)
        .where(
            RegisterChange.register == kind.table,
            RegisterChange.entry_id == entry.id,
            RegisterChange.changed_at > at,
        )
        .order_by(RegisterChange.changed_at.desc(), RegisterChange.id.desc())
    )
    for change in later:
        values |= change.old
    began = values.get("valid_from")
    return values if began is None or str(began) <= at.date().isoformat() else {}


def values_of(kind: Kind, entry: Any) -> dict[str, Any]:
    """Return the facts of an entry as JSON has them."""
    out = {}
    for column in kind.columns:
        value = getattr(entry, column)
        out[column] = value.isoformat() if hasattr(value, "isoformat") else value
    return out


def correct(
    session: Session, kind: Kind, entry: Any, given: dict[str, str], reason: str, actor: Actor, *,
    source_ip: str, now: datetime,
) -> tuple[str, ...]:  # fmt: skip
    """Correct facts of an entry by hand; return the fields that changed.

    The old values stay in the history with the reason and the person; what was decided here
    holds against every source (`grids.facts.survivorship`). Raises `BadValue`,
    which names the field; nothing changes then.
    """
    if len(reason.strip()) < 2:
        raise BadValue("a correction says why", field="reason")
    before = values_of(kind, entry)
    read = {
        fact.column: read_value(kind, fact, given[fact.column])
        for fact in kind.facts
        if fact.is_editable
        and fact.column in given
        # What stands stays, though it may be no word of the list: a form sends all its fields.
        and given[fact.column] != str(before[fact.column])
    }
    _require_departments(session, kind, read)
    changed = tuple(name for name, value in read.items() if value != getattr(entry, name))
    if not changed:
        return ()
    statements.say_why(session, reason.strip()[:500])
    statements.keep_before(session, kind.model.__table__, entry.id, changed)
    for name in changed:
        setattr(entry, name, read[name])
    session.flush()
    statements.note_shown(
        session, kind.model.__table__, entry.id, changed, Speaker(DESK, actor.account_id), now=now
    )
    audit.record(
        session, "register_corrected", actor_id=actor.account_id, source_ip=source_ip,
        subject=f"{kind.table}:{entry.id}", detail={"fields": list(changed)},
    )  # fmt: skip
    return changed


def _require_departments(session: Session, kind: Kind, read: dict[str, Any]) -> None:
    for fact in kind.facts:
        code = read.get(fact.column) if fact.form == "department" else None
        if code is not None and session.get(Department, code) is None:
            raise BadValue(f"no department {code[:20]!r}", field=fact.column)


def read_value(kind: Kind, fact: Shown, given: str) -> Any:
    """Read what somebody typed for a fact; None where nothing. Raises `BadValue`."""
    column = kind.model.__table__.c[fact.column]
    value = given.strip()
    if not value:
        if not column.nullable:
            raise BadValue(f"{fact.column} must not be empty", field=fact.column)
        return None
    if fact.choices and value not in fact.choices:
        raise BadValue(f"{fact.column} has no value {value[:20]!r}", field=fact.column)
    if len(value) > 200:
        raise BadValue(f"{fact.column} is too long", field=fact.column)
    if fact.column == "uscc" and not uscc.is_valid(value):
        raise BadValue("the credit code fails its check digit", field=fact.column)
    if fact.form == "hours":
        _check_hours(fact, value)
    try:
        return column.type.python_type(value) if fact.form == "number" else _plain(fact, value)
    except ValueError:
        raise BadValue(f"{fact.column} is not a {fact.form}", field=fact.column) from None


def _check_hours(fact: Shown, value: str) -> None:
    try:
        hours.parse(value)
    except hours.BadHours:
        raise BadValue(f"{fact.column} are no opening hours", field=fact.column) from None


def _plain(fact: Shown, value: str) -> Any:
    return date.fromisoformat(value) if fact.form == "day" else value
