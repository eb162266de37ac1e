"""Pairs of entries that may be one thing, and merges with all that leads back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, identity

#: 待定, 同一, 不同, 已消失
STATES: Final = ("open", "same", "different", "gone")


class DuplicatePair(Base):
    """Two entries of a register that may be one thing (疑似重复), and what a person said of it."""

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        UniqueConstraint("register", "one", "other"),
        Index("duplicate_pair_state_idx", "register", "state", "score", "id"),
        Index("duplicate_pair_other_idx", "register", "other"),
        CheckConstraint("state IN (" + ", ".join(f"'{one}'" for one in STATES) + ")", name="state"),
        CheckConstraint("one < other", name="order"),
    )
    __level__ = "L2"

    id: Mapped[int] = identity()
    register: Mapped[str]
    one: Mapped[int] = mapped_column(BigInteger)
    other: Mapped[int] = mapped_column(BigInteger)
    score: Mapped[float]  #: 0 to 1
    evidence: Mapped[dict[str, str]] = mapped_column(JSONB)  #: comparison -> how far both agree
    reason: Mapped[str]  #: what speaks for the pair most: `linkage.REASONS`
    distance_m: Mapped[float]
    digest: Mapped[str]  #: of what was compared: another one asks a person again
    source: Mapped[str]  #: register, import:<batch>
    found_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="open")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    why: Mapped[str] = mapped_column(server_default="")
    merge_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("entry_merge.id"))


class EntryMerge(Base):
    """One entry given up for another (合并): what both said before and after, and what moved."""

    __tablename__ = "entry_merge"
    __table_args__ = (
        Index("entry_merge_survivor_idx", "register", "survivor"),
        Index("entry_merge_given_up_idx", "register", "given_up"),
    )
    __level__ = "L2"

    id: Mapped[int] = identity()
    register: Mapped[str]
    survivor: Mapped[int] = mapped_column(BigInteger)
    given_up: Mapped[int] = mapped_column(BigInteger)
    merged_at: Mapped[datetime]
    merged_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    why: Mapped[str]
    #: survivor, given_up -> column -> value; only of columns that the merge wrote.
    before: Mapped[dict[str, dict[str, Any]]] = mapped_column(JSONB)
    after: Mapped[dict[str, dict[str, Any]]] = mapped_column(JSONB)
    moved: Mapped[dict[str, list[Any]]] = mapped_column(JSONB)  #: table -> keys of its rows
    #: before, after -> survivor, given_up -> statements of sources (`grids.facts`)
    said: Mapped[dict[str, Any]] = mapped_column(JSONB)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    kept: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")  #: not put back
