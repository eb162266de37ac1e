"""Tables of the feed: what was sealed, and how far the sealer has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.audit.models import Xid8
from grids.db import Base, code_column


class FeedEntry(Base):
    """One committed event of a case, in feed order; what live clients and replicas follow."""

    __tablename__ = "feed"
    __table_args__ = (
        Index("feed_no_idx", "no"),
        {"postgresql_partition_by": "RANGE (sealed_at)"},
    )
    __level__ = "L2"

    sealed_at: Mapped[datetime] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    incident_id: Mapped[UUID]
    seq: Mapped[int]
    area_code: Mapped[str] = mapped_column(code_column())
    department_code: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    hash: Mapped[bytes] = mapped_column(LargeBinary)  #: over this entry and the hash before it


class FeedState(Base):
    """How far the sealer has come: one row."""

    __tablename__ = "feed_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    __level__ = "L2"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="1")
    no: Mapped[int] = mapped_column(BigInteger, server_default="0")
    xid: Mapped[int] = mapped_column(
        Xid8, server_default=text("'0'")
    )  #: every transaction before it is sealed
    hash: Mapped[bytes] = mapped_column(LargeBinary, server_default=text("''::bytea"))
    #: feed numbers and layer versions move together: a tile's ETag carries them
