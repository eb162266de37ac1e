"""Tables of the audit log: the events, the chain over them, the heads that were signed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from grids.db import Base, identity


class Xid8(UserDefinedType[int]):
    """A 64-bit transaction id of PostgreSQL: the order in which rows became visible."""

    cache_ok = True

    def get_col_spec(self, **_kw: Any) -> str:
        """Name the type for DDL."""
        return "xid8"


class AuditEvent(Base):
    """One act of one person on one thing; never changed, partitioned by month."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("audit_event_actor_id_idx", "actor_id", "at"),
        Index("audit_event_xid_idx", "xid", "id"),
        Index("audit_event_action_idx", "action", "at"),
        Index(
            "audit_event_subject_idx", "subject", "at",
            postgresql_ops={"subject": "text_pattern_ops"},
        ),
        {"postgresql_partition_by": "RANGE (at)"},
    )  # fmt: skip
    __level__ = "L3"

    at: Mapped[datetime] = mapped_column(primary_key=True, server_default=text("clock_timestamp()"))
    id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, server_default=text("nextval('audit_event_id_seq')")
    )
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    action: Mapped[str]  #: one of `grids.audit.catalogue.ACTIONS`
    subject: Mapped[str] = mapped_column(server_default="")  #: kind and id of the thing
    is_success: Mapped[bool] = mapped_column(server_default="true")
    source_ip: Mapped[str] = mapped_column(server_default="")
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))


class AuditLink(Base):
    """A link of the chain: up to a thousand events, each by its digest, and a hash over all.

    `entries` holds 56 bytes an event (`grids.audit.chain.ENTRY`), so that a row that was
    changed, removed or put in is named and not only its batch.
    """

    __tablename__ = "audit_link"
    __table_args__ = (Index("audit_link_sealed_at_idx", "sealed_at"),)
    __level__ = "L2"

    no: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  #: no gaps
    sealed_at: Mapped[datetime]
    events: Mapped[int] = mapped_column(BigInteger)  #: sealed up to and with this link
    form: Mapped[str]  #: how it is hashed: sha256/1, sm3/1
    entries: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)  #: over this link and the hash before it


class AuditState(Base):
    """How far the sealer has come and when it was last alive: one row."""

    __tablename__ = "audit_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    __level__ = "L2"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="1")
    no: Mapped[int] = mapped_column(BigInteger, server_default="0")
    events: Mapped[int] = mapped_column(BigInteger, server_default="0")
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("'0'"))
    event_id: Mapped[int] = mapped_column(BigInteger, server_default="0")
    hash: Mapped[bytes] = mapped_column(LargeBinary, server_default=text("''::bytea"))
    seen_at: Mapped[datetime | None]
    limit_s: Mapped[int] = mapped_column(server_default="60")  #: silent longer: sensitive acts stop


class AuditHead(Base):
    """A head of the chain that was signed and written outside the database."""

    __tablename__ = "audit_head"
    __level__ = "L2"

    id: Mapped[int] = identity()
    made_at: Mapped[datetime]
    kind: Mapped[str]  #: day, asked
    no: Mapped[int] = mapped_column(BigInteger)
    events: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str]  #: the file as it was written, with its signature


class AuditCheck(Base):
    """A verification that somebody asked for, and what it found."""

    __tablename__ = "audit_check"
    __level__ = "L2"

    id: Mapped[int] = identity()
    asked_at: Mapped[datetime]
    asked_by: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[datetime | None]
    events: Mapped[int] = mapped_column(BigInteger, server_default="0")
    links: Mapped[int] = mapped_column(BigInteger, server_default="0")
    heads: Mapped[int] = mapped_column(BigInteger, server_default="0")
    problem: Mapped[str] = mapped_column(server_default="")  #: empty: all is as it was sealed
    row_id: Mapped[int | None] = mapped_column(BigInteger)
    row_at: Mapped[datetime | None]
    position: Mapped[int | None] = mapped_column(BigInteger)
