"""Columns that every kind's tables have: the record, its events, its photos."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Text
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column


class FlowRow:
    """A record as lists show it: a projection of its events, rebuilt from them at any time."""

    id: Mapped[UUID] = mapped_column(primary_key=True)  #: made by the client
    number: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    opened_at: Mapped[datetime]  #: by the server; rules every clock
    stage_at: Mapped[datetime]  #: when the present state began
    due_at: Mapped[datetime | None]  #: end of the clock that runs
    ended_at: Mapped[datetime | None]  #: since when nothing is left to do
    limits: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=sql_text("'{}'"))
    flags: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=sql_text("'{}'"))
    event_count: Mapped[int] = mapped_column(server_default="0")

    @declared_attr
    @classmethod
    def registrar_id(cls) -> Mapped[int | None]:
        """Name who opened the record."""
        return mapped_column(BigInteger, ForeignKey("account.id"))

    @declared_attr
    @classmethod
    def holder_id(cls) -> Mapped[int | None]:
        """Name the person who has the record now, where one is named."""
        return mapped_column(BigInteger, ForeignKey("account.id"))

    @declared_attr
    @classmethod
    def department_code(cls) -> Mapped[str | None]:
        """Name the department that has it now."""
        return mapped_column(ForeignKey("department.code"))


class FlowEvent:
    """One thing that happened to a record; never changed. `seq` has no gaps within a record."""

    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)  #: of the request, made by the client
    recorded_at: Mapped[datetime]
    action: Mapped[str]
    from_status: Mapped[str]
    to_status: Mapped[str]
    role: Mapped[str]
    reason: Mapped[str | None]
    note: Mapped[str] = mapped_column(server_default="")
    photos: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql_text("'{}'"))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=sql_text("'{}'"))

    @declared_attr
    @classmethod
    def actor_id(cls) -> Mapped[int | None]:
        """Name who took the step; None for what the clock did."""
        return mapped_column(BigInteger, ForeignKey("account.id"))


class FlowPhoto:
    """A photo of a record, with the names of the copies that may be shown."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_seq: Mapped[int]
    part: Mapped[str]  #: before, after, evidence, signed
    public_sha256: Mapped[str]
    thumb_sha256: Mapped[str]

    @declared_attr
    @classmethod
    def sha256(cls) -> Mapped[str]:
        """Name the stored original."""
        return mapped_column(ForeignKey("blob.sha256"))
