"""Who saw or changed what; append only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from grids.audit.catalogue import ACTIONS
from grids.db import Base
from grids.errors import GridsError


class AuditEvent(Base):
    """One act of one person on one thing; never changed, partitioned by month."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("audit_event_actor_id_idx", "actor_id", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )
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


class UnknownAction(GridsError):
    """The act stands in no catalogue: who reads the log would not know what it means."""

    code = "audit.unknown_action"


def record(
    session: Session,
    action: str,
    *,
    actor_id: int | None,
    subject: str = "",
    is_success: bool = True,
    source_ip: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one act. `detail` holds ids and counts, never names, numbers or texts of persons.

    Raises `UnknownAction` for one that the catalogue does not list.
    """
    if action not in ACTIONS:
        raise UnknownAction(f"no action {action!r} in the catalogue", action=action)
    session.add(
        AuditEvent(
            actor_id=actor_id,
            action=action,
            subject=subject,
            is_success=is_success,
            source_ip=source_ip,
            detail=detail or {},
        )
    )
