"""The latest statement of each source on each field of an entry, and questions to the spot."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import REAL, BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.buildings import in_list
from grids.db import Base, code_column, identity


class Fact(Base):
    """What a source says of a field of an entry (事实): enterprises, things and places, no person.

    The key begins with the entry: the statements on one entry lie side by side, and those of a
    chunk of new entries are appended at the end of the index. There are millions, so nothing
    else is indexed and nothing refers to a batch or an account by a checked key.
    """

    __tablename__ = "fact"
    __level__ = "L2"

    register: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    field: Mapped[str] = mapped_column(primary_key=True)  #: a column of the register, or `place`
    #: `import:<source>`, `ground`, `desk`, else what the register named before statements were kept
    source: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]  #: as the database writes the column; of a place its EWKB
    how: Mapped[str | None]  #: of a place its `coord_source`
    observed_at: Mapped[datetime]  #: since when the source says so
    confidence: Mapped[float] = mapped_column(REAL)  #: 0 to 1
    batch_id: Mapped[int | None] = mapped_column(BigInteger)
    said_by: Mapped[int | None] = mapped_column(BigInteger)  #: account, of ground and desk
    evidence: Mapped[str | None]  #: `visit:<id>`, `check:<id>`


#: 排队, 待核实, 已核实, 已撤
CHECK_STATES: Final = ("waiting", "open", "answered", "dropped")
#: 来源不一致, 质量规则, 人工提出
WHYS: Final = ("conflict", "finding", "asked")
#: 采用其一, 其他, 无法判断, 已不存在
ANSWERS: Final = ("value", "other", "unknown", "gone")


class FactCheck(Base):
    """One question to whoever is on the spot (核实): which of these is true of an entry."""

    __tablename__ = "fact_check"
    __table_args__ = (
        CheckConstraint(in_list("state", CHECK_STATES), name="state"),
        CheckConstraint(in_list("why", WHYS), name="why"),
        Index("fact_check_area_code_idx", "area_code", "state"),
        Index("fact_check_entry_key", "register", "entry_id", "field", unique=True,
              postgresql_where=text("state IN ('waiting', 'open')")),
        Index("fact_check_waiting_idx", "grid_id", "weight",
              postgresql_where=text("state IN ('waiting', 'open')")),
    )  # fmt: skip
    __level__ = "L2"

    id: Mapped[int] = identity()
    register: Mapped[str]
    entry_id: Mapped[int] = mapped_column(BigInteger)
    field: Mapped[str]
    #: `value`, `sources`, `since` of each; kept as they stood when it was asked
    candidates: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    weight: Mapped[float] = mapped_column(REAL)  #: the heaviest are asked first
    why: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="waiting")
    area_code: Mapped[str] = mapped_column(code_column())
    grid_id: Mapped[int] = mapped_column(BigInteger)
    asked_at: Mapped[datetime]
    asked_by: Mapped[int | None] = mapped_column(BigInteger)
    answer: Mapped[str | None]
    value: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(BigInteger)


#: 待反馈, 已采纳, 不采纳, 已更正, 已撤回
CORRECTION_STATES: Final = ("open", "taken", "refused", "closed", "withdrawn")


class CorrectionFile(Base):
    """What a source was told at once (更正文件): lines, who made it for what, its receipt (回执)."""

    __tablename__ = "correction_file"
    __table_args__ = (Index("correction_file_source_id_idx", "source_id"),)
    __level__ = "L2"

    id: Mapped[int] = identity()
    source_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("import_source.id"))
    area_code: Mapped[str] = mapped_column(code_column())
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str]  #: of the list of exports
    note: Mapped[str]
    lines: Mapped[int]
    received_at: Mapped[datetime | None]
    received_from: Mapped[str | None]  #: the office that confirmed, as it calls itself
    received_by: Mapped[int | None] = mapped_column(BigInteger)  #: who noted the receipt


class Correction(Base):
    """One value that a source should put right: what it says, what holds, and who says that."""

    __tablename__ = "correction"
    __table_args__ = (
        CheckConstraint(in_list("state", CORRECTION_STATES), name="state"),
        Index("correction_file_id_idx", "file_id"),
        Index("correction_told_key", "source_id", "register", "entry_id", "field", "said", "holds",
              unique=True, postgresql_where=text("state NOT IN ('closed', 'withdrawn')")),
        Index("correction_area_code_idx", "area_code"),
    )  # fmt: skip
    __level__ = "L2"

    id: Mapped[int] = identity()
    file_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("correction_file.id"))
    source_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("import_source.id"))
    register: Mapped[str]
    entry_id: Mapped[int] = mapped_column(BigInteger)
    area_code: Mapped[str] = mapped_column(code_column())
    field: Mapped[str]
    own_id: Mapped[str]  #: what the source calls the entry
    said: Mapped[str]
    holds: Mapped[str]
    because: Mapped[str]  #: the source whose word holds
    evidence: Mapped[str | None]
    known_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="open")
    reason: Mapped[str] = mapped_column(server_default="")  #: why it is refused or withdrawn
    closed_at: Mapped[datetime | None]
