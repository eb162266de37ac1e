"""Table of what was handed out, asked for and approved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, identity


class ExportRequest(Base):
    """One file that left, or was asked for: by whom, of what, why, and who approved it.

    `state`: direct (streamed at once), waiting, refused, approved (being made), ready,
    failed, expired.
    """

    __tablename__ = "export_request"
    __table_args__ = (
        CheckConstraint(
            "state IN ('direct', 'waiting', 'refused', 'approved', 'ready', 'failed', 'expired')",
            name="state",
        ),
        CheckConstraint("decided_by <> account_id", name="second_person"),
        CheckConstraint(
            "level <> 'L3' OR state IN ('waiting', 'refused') OR decided_by IS NOT NULL",
            name="sensitive",
        ),
        Index("export_request_account_id_idx", "account_id", "id"),
        Index("export_request_state_idx", "state", "id"),
    )
    __level__ = "L3"

    id: Mapped[int] = identity()
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    layer: Mapped[str]
    format: Mapped[str]
    level: Mapped[str]  #: the highest of the columns
    choice: Mapped[dict[str, Any]] = mapped_column(JSONB)  #: columns, area, bbox, crs, classes
    areas: Mapped[list[str]] = mapped_column(ARRAY(Text))  #: what it covers: who approves needs all
    reason: Mapped[str] = mapped_column(server_default="")  #: one of `levels.REASONS`
    note: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str]
    rows: Mapped[int | None] = mapped_column(BigInteger)
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str] = mapped_column(server_default="")
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    file_size: Mapped[int | None] = mapped_column(BigInteger)
    file_sha256: Mapped[str | None]
    taken_count: Mapped[int] = mapped_column(server_default="0")
    mark_key: Mapped[str] = mapped_column(server_default="")  #: keys the marks of its rows

    @property
    def number(self) -> str:
        """The number that stands in the file: day and running number."""
        return f"E{self.asked_at:%Y%m%d}-{self.id:06d}"

    @property
    def file_name(self) -> str:
        """The name of the file, for the person who takes it."""
        return f"{self.layer}-{self.number}.{self.format}"
