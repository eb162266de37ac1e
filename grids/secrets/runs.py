"""Changing keys from a page: what stands on which key, and what was asked for and done.

Counting and sealing anew need every sealed column of every town, which no serving role sees: the
worker does both with the owner's rights (`grids.secrets.jobs`). Here are only their results.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, SmallInteger, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from grids import audit, jobs
from grids.db import Base, identity
from grids.errors import Conflict
from grids.secrets.ring import Kind
from grids.secrets.rotation import Usage

#: A run that has written nothing for so long was lost with its worker; the queue starts it again.
SILENT: Final = timedelta(minutes=10)
SHOWN: Final = 10


class KeyUse(Base):
    """How many values of a column stand on one key, when they were counted last."""

    __tablename__ = "key_use"
    __level__ = "L2"

    table_name: Mapped[str] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str]  #: data, index
    rows: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[datetime]


class KeyRun(Base):
    """One change of keys: what was asked for, how far it is, what came of it."""

    __tablename__ = "key_run"
    __table_args__ = (CheckConstraint("act IN ('rotate', 'retire')", name="act"),)
    __level__ = "L2"

    id: Mapped[int] = identity()
    act: Mapped[str]  #: rotate, retire
    kind: Mapped[str] = mapped_column(server_default="")  #: of the key that goes
    key_id: Mapped[int | None] = mapped_column(SmallInteger)
    asked_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    asked_at: Mapped[datetime]
    seen_at: Mapped[datetime]  #: the last sign of life
    rows_before: Mapped[int | None] = mapped_column(BigInteger)
    rows_done: Mapped[int] = mapped_column(BigInteger, server_default="0")
    ended_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(server_default="")  #: code of an error, or `broken`
    broken: Mapped[int] = mapped_column(server_default="0")  #: rows that do not open


class RunUnderWay(Conflict):
    """Keys are being changed; the next change waits for its end."""

    code = "secrets.run_under_way"


def ask(
    session: Session, act: str, *, actor_id: int, now: datetime, source_ip: str,
    kind: str = "", key_id: int | None = None, detail: dict[str, object] | None = None,
) -> KeyRun:  # fmt: skip
    """Ask for a run, which the worker begins after this commit. Raises `RunUnderWay`."""
    if is_busy(session, now):
        raise RunUnderWay("keys are being changed")
    made = KeyRun(
        act=act, kind=kind, key_id=key_id, asked_by=actor_id, asked_at=now, seen_at=now, rows_done=0
    )
    session.add(made)
    session.flush()
    jobs.defer(session, "change_keys", run_id=made.id)
    audit.record(
        session,
        "keys_rotated" if act == "rotate" else "key_retired",
        actor_id=actor_id,
        subject=f"key_run:{made.id}",
        source_ip=source_ip,
        detail={**(detail or {}), **({"kind": kind, "key": key_id} if kind else {})},
    )
    return made


def ask_count(session: Session) -> None:
    """Ask the worker to count what stands on which key."""
    jobs.defer(session, "count_keys")


def is_busy(session: Session, now: datetime) -> bool:
    """Say whether a run is under way; one that has been silent for long counts no more."""
    open_ones = select(KeyRun.id).where(KeyRun.ended_at.is_(None), KeyRun.seen_at > now - SILENT)
    return session.scalar(open_ones.limit(1)) is not None


def runs(session: Session) -> Sequence[KeyRun]:
    """Return the last runs, the newest first."""
    return session.scalars(select(KeyRun).order_by(KeyRun.id.desc()).limit(SHOWN)).all()


def uses(session: Session) -> Sequence[KeyUse]:
    """Return what was counted last."""
    order = (KeyUse.table_name, KeyUse.column_name, KeyUse.key_id)
    return session.scalars(select(KeyUse).order_by(*order)).all()


def keep_uses(session: Session, counted: Iterable[Usage], now: datetime) -> None:
    """Put a new count in the place of the last one."""
    session.execute(delete(KeyUse))
    session.add_all(
        KeyUse(
            table_name=one.table, column_name=one.column, kind=one.kind, provider=one.provider,
            key_id=one.key_id, rows=one.rows, counted_at=now,
        )
        for one in counted
    )  # fmt: skip


def rows_on(counted: Sequence[KeyUse], kind: Kind, key_id: int) -> int:
    """Sum what stands on one key."""
    return sum(one.rows for one in counted if one.kind == kind and one.key_id == key_id)
