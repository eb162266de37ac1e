"""Every refusal to somebody who is signed in goes into the audit log."""

from __future__ import annotations

from typing import Any

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
    """Note who was refused which view, and who sent fields that a form does not have (S14, S22).

    The answer stays as it is.
    """
    named = _object_of(request.view_args or {})
    if answer.status_code == 403 or (answer.status_code == 404 and named):
        _note("access_denied", {"method": request.method, **named})
    unknown = g.get("unknown_fields")
    if unknown:
        # Of a stranger there is this line only: nobody fills the audit log without an account.
        log.warning("field_refused", view=request.endpoint, fields=unknown)
        _note("field_refused", {"method": request.method, "fields": unknown, **named})
    return answer


def _note(action: str, detail: dict[str, Any]) -> None:
    """Write an act of somebody who is signed in.

    The session of the request may stand in a transaction that failed: this has its own.
    """
    actor = g.get("actor")
    if actor is None or request.endpoint is None:
        return
    make = current_app.extensions.get("make_session")
    try:
        with (
            make() if make else Session(current_app.extensions["engine"]) as session,
            session.begin(),
        ):
            audit.record(
                session,
                action,
                actor_id=actor.account_id,
                subject=f"view:{request.endpoint}",
                is_success=False,
                source_ip=request.remote_addr or "",
                detail=detail,
            )
    except (SQLAlchemyError, audit.AuditStopped) as error:
        log.warning("denial_not_noted", kind=type(error).__name__, view=request.endpoint)


def _object_of(arguments: dict[str, object]) -> dict[str, str]:
    """Return what the address named, as it stands in the log."""
    return {name: str(arguments[name])[:64] for name in OBJECTS if name in arguments}
