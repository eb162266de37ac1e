"""Every refusal to somebody who is signed in goes into the audit log."""

from __future__ import annotations

import structlog
from flask import Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from grids import audit

log = structlog.get_logger("wangge.denied")

#: Arguments of views that name a person, a case, a photo or a file. "There is none" and "it is
#: not yours" are one answer, so both are noted: who tries the numbers of others is seen.
OBJECTS = ("incident_id", "person_id", "sha256", "request_id", "subject_id")


def note_denied(answer: Response) -> Response:
    """Note who was refused which view (S22); the answer stays as it is.

    The session of the request may stand in a transaction that failed: this has its own.
    """
    actor = g.get("actor")
    named = _object_of(request.view_args or {})
    is_denied = answer.status_code == 403 or (answer.status_code == 404 and named)
    if not is_denied or actor is None or request.endpoint is None:
        return answer
    make = current_app.extensions.get("make_session")
    try:
        with (
            make() if make else Session(current_app.extensions["engine"]) as session,
            session.begin(),
        ):
            audit.record(
                session,
                "access_denied",
                actor_id=actor.account_id,
                subject=f"view:{request.endpoint}",
                is_success=False,
                source_ip=request.remote_addr or "",
                detail={"method": request.method, **named},
            )
    except (SQLAlchemyError, audit.AuditStopped) as error:
        log.warning("denial_not_noted", kind=type(error).__name__, view=request.endpoint)
    return answer


def _object_of(arguments: dict[str, object]) -> dict[str, str]:
    """Return what the address named, as it stands in the log."""
    return {name: str(arguments[name])[:64] for name in OBJECTS if name in arguments}
