"""Tables of base numbers: what stood at the begin of each month, and who signed what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, identity


class BaseNumber(Base):
    """How many entries of a register stood in an area when a month began. Never changed.

    An area of 6, 9 or 12 digits holds the sum of all under it.
    """

    __tablename__ = "base_number"
    __level__ = "L2"

    month: Mapped[date] = mapped_column(primary_key=True)
    area_code: Mapped[str] = mapped_column(code_column(), primary_key=True)
    register: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]


class BaseSignature(Base):
    """Who has signed the base numbers of an area, and what they were: append-only."""

    __tablename__ = "base_signature"
    __table_args__ = (Index("base_signature_area_idx", "area_code", "signed_at"),)
    __level__ = "L2"

    id: Mapped[int] = identity()
    area_code: Mapped[str] = mapped_column(code_column())
    signed_at: Mapped[datetime]
    signed_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[str]  #: SHA-256 of the figures as they were shown
    note: Mapped[str] = mapped_column(server_default="")
