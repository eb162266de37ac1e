"""Sources, batches, their staged rows, and which entry a source calls by which id."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from geoalchemy2 import WKBElement
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    func,
)
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, geometry, identity, personal

#: 已上传, 已读取, 核对中, 已核对, 入库中, 已入库, 撤销中, 已撤销, 未接收
STATES: Final = (
    "uploaded", "looked", "checking", "checked", "committing", "committed", "undoing", "undone",
    "refused",
)  # fmt: skip
#: 新增, 变更, 不变, 退回, 待定
VERDICTS: Final = ("new", "change", "same", "rejected", "held")
#: What became of a staged row: waits, taken over, taken back, left as others changed it since.
ROW_STATES: Final = ("staged", "done", "undone", "kept")


def _in(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN (" + ", ".join(f"'{value}'" for value in values) + ")"


class ImportSource(Base):
    """A feed of a department (来源): what its files are and how they were read last."""

    __tablename__ = "import_source"
    __level__ = "L2"

    id: Mapped[int] = identity()
    code: Mapped[str] = mapped_column(unique=True)  #: of the city, small letters
    name: Mapped[str]
    target: Mapped[str]  #: register
    department_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    area_code: Mapped[str] = mapped_column(code_column())  #: of whoever set it up
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)  #: `settings.Settings`
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))


class ImportBatch(Base):
    """One file of a source on its way into a register (批次)."""

    __tablename__ = "import_batch"
    __table_args__ = (
        Index("import_batch_created_at_idx", "created_at"),
        Index("import_batch_source_id_idx", "source_id"),
        CheckConstraint(_in("state", STATES), name="state"),
    )
    __level__ = "L2"

    id: Mapped[int] = identity()
    source_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("import_source.id"))
    account_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    area_code: Mapped[str] = mapped_column(code_column())  #: holds all areas of whoever sent it
    areas: Mapped[list[str]] = mapped_column(ARRAY(Text))  #: rows outside of them are not taken
    file_sha256: Mapped[str]
    file_name: Mapped[str]
    file_size: Mapped[int] = mapped_column(BigInteger)
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    look: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")  #: `looking.look`
    state: Mapped[str] = mapped_column(server_default="uploaded")
    refusal: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    grids_seen: Mapped[str] = mapped_column(server_default="")  #: as of the check
    rows_total: Mapped[int] = mapped_column(Integer, server_default="0")
    rows_new: Mapped[int] = mapped_column(Integer, server_default="0")
    rows_changed: Mapped[int] = mapped_column(Integer, server_default="0")
    rows_same: Mapped[int] = mapped_column(Integer, server_default="0")
    rows_rejected: Mapped[int] = mapped_column(Integer, server_default="0")
    rows_held: Mapped[int] = mapped_column(Integer, server_default="0")
    #: of those taken, say something else than what holds; see `grids.facts`
    rows_stated: Mapped[int] = mapped_column(Integer, server_default="0")
    rows_done: Mapped[int] = mapped_column(Integer, server_default="0")
    rows_undone: Mapped[int] = mapped_column(Integer, server_default="0")
    rows_kept: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    checked_at: Mapped[datetime | None]
    committed_at: Mapped[datetime | None]
    committed_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    cleared_at: Mapped[datetime | None]  #: file and staged rows are gone since


class ImportRow(Base):
    """A staged row: what it says, what is wrong with it, which entry it means, what stood there."""

    __tablename__ = "import_row"
    __table_args__ = (
        Index("import_row_own_id_idx", "batch_id", "own_id"),
        Index("import_row_code_idx", "batch_id", "code"),
        Index("import_row_verdict_idx", "batch_id", "verdict", "number"),
        Index(
            "import_row_waiting_idx", "batch_id", "number",
            postgresql_where=sql_text("state = 'staged'"),
        ),
        Index(
            "import_row_match_idx", "batch_id", "number",
            postgresql_where=sql_text("match IS NOT NULL"),
        ),
        CheckConstraint(_in("verdict", VERDICTS), name="verdict"),
        CheckConstraint(_in("state", ROW_STATES), name="state"),
    )  # fmt: skip
    __level__ = "L2"

    batch_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("import_batch.id"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    own_id: Mapped[str]  #: what the source calls it; of a row without an id the hash of its values
    code: Mapped[str | None]
    data: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  #: column of the register -> value
    raw: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  #: of rows that somebody must look at
    errors: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    geom: Mapped[WKBElement | None] = mapped_column(geometry("GEOMETRY"))
    cell_id: Mapped[int | None] = mapped_column(BigInteger)
    grid_id: Mapped[int | None] = mapped_column(BigInteger)
    area_code: Mapped[str | None] = mapped_column(code_column())
    coord_source: Mapped[str | None]
    verdict: Mapped[str] = mapped_column(server_default="new")
    state: Mapped[str] = mapped_column(server_default="staged")
    entry_id: Mapped[int | None] = mapped_column(BigInteger)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  #: what a change replaced
    #: The entry that it was taken for by its likeness, or the pairs that it opens: `likely`.
    match: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class ImportMend(Base):
    """A cell of a file that somebody put right by hand (更正): what it said, and says now."""

    __tablename__ = "import_mend"
    __table_args__ = (Index("import_mend_row_idx", "batch_id", "number"),)
    __level__ = "L2"

    id: Mapped[int] = identity()
    batch_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("import_batch.id"))
    number: Mapped[int] = mapped_column(Integer)  #: row of the file
    heading: Mapped[str]  #: column of the file
    was: Mapped[str]
    became: Mapped[str]
    mended_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    mended_at: Mapped[datetime]


class ImportConnection(Base):
    """A sign-in to a database of somebody else, from which tables are taken (数据库连接)."""

    __tablename__ = "import_connection"
    __level__ = "L2"

    id: Mapped[int] = identity()
    server: Mapped[str]  #: its word in WANGGE_IMPORT_HOSTS
    user_name: Mapped[str]
    password_sealed: Mapped[bytes] = mapped_column(LargeBinary, info=personal("L3"))
    area_code: Mapped[str] = mapped_column(code_column())  #: of whoever set it up
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    used_at: Mapped[datetime | None]


class ImportKey(Base):
    """Which entry of a register a source calls by which id, and the batch that said so last."""

    __tablename__ = "import_key"
    __table_args__ = (Index("import_key_entry_idx", "target", "entry_id"),)
    __level__ = "L2"

    source_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("import_source.id"), primary_key=True, autoincrement=False
    )
    own_id: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str]
    entry_id: Mapped[int] = mapped_column(BigInteger)
    batch_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("import_batch.id"))
