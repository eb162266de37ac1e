"""Write into the log, and refuse what is sensitive while nobody seals it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from grids.audit.catalogue import ACTIONS
from grids.audit.models import AuditEvent
from grids.audit.words import harmless, one_line
from grids.errors import GridsError

#: Acts of these kinds stop with the log; signing in and public reports go on (S25).
SENSITIVE: Final = frozenset({"read", "export", "grant"})
#: But who must find out why it stopped may read it.
NEVER_STOPPED: Final = frozenset({"audit_read"})

_ALIVE = text(
    "SELECT seen_at IS NULL OR limit_s <= 0"
    " OR seen_at > clock_timestamp() - make_interval(secs => limit_s), seen_at FROM audit_state"
)


class UnknownAction(GridsError):
    """The act stands in no catalogue: who reads the log would not know what it means."""

    code = "audit.unknown_action"


class AuditStopped(GridsError):
    """The log cannot be written, or nobody has sealed it for a while: sensitive acts wait."""

    code = "audit.stopped"


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

    Raises `UnknownAction` for one that the catalogue does not list, and `AuditStopped` where
    the row cannot be written or a sensitive act would go unsealed: the caller's transaction
    ends there and nothing is shown, handed out or granted.
    """
    known = ACTIONS.get(action)
    if known is None:
        raise UnknownAction(f"no action {action!r} in the catalogue", action=action)
    if known.kind in SENSITIVE and action not in NEVER_STOPPED and is_success:
        require_sealing(session)
    row = {
        "actor_id": actor_id,
        "action": action,
        "subject": one_line(subject),
        "is_success": is_success,
        "source_ip": one_line(source_ip, 60),
        "detail": harmless(detail or {}),
    }
    try:
        # Written at once: a failure is met here, where its name is known, not at the commit.
        with session.no_autoflush:
            session.execute(insert(AuditEvent).values(row))
    except SQLAlchemyError as error:
        raise AuditStopped("the audit log cannot be written") from error


def require_sealing(session: Session) -> None:
    """Raise `AuditStopped` where the sealer has been silent for longer than its limit.

    Before the sealer's first start there is no chain that could break, so nothing stops.
    """
    with session.no_autoflush:
        row = session.execute(_ALIVE).one_or_none()
    if row is None or not row[0]:
        seen: datetime | None = row[1] if row else None
        raise AuditStopped(f"nobody has sealed the audit log since {seen}", since=str(seen))
