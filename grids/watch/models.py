"""The table of what the nightly comparison found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, identity


class Reconciliation(Base):
    """One comparison: each check with how many rows were looked at, and which are bad."""

    __tablename__ = "reconciliation"
    __level__ = "L2"

    id: Mapped[int] = identity()
    made_at: Mapped[datetime]
    took_s: Mapped[float]
    is_clean: Mapped[bool]
    checks: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
