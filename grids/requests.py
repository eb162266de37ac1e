"""Idempotency: a client's id, the hash of what it sent, and the answer it was given."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base


class RequestKey(Base):
    """One accepted write. The same id with the same body gets the same answer again."""

    __tablename__ = "request_key"
    __table_args__ = (Index("request_key_created_at_idx", "created_at"),)
    __level__ = "L2"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]  #: incident, move, export, ...
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class NumberDay(Base):
    """Where the readable case numbers of a day begin in their sequence."""

    __tablename__ = "number_day"
    __level__ = "L2"

    day: Mapped[date] = mapped_column(primary_key=True)
    first: Mapped[int] = mapped_column(BigInteger)
