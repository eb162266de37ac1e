"""From a kind of error to a status: the one table, and the answer as a problem document."""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus
from typing import Any

import msgspec
import psycopg
import structlog
from flask import Flask, Response, redirect, render_template, request, url_for
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app import body_errors
from app.auth import Forged, SignInNeeded, StepUpNeeded, TokenRefused
from app.budget import retry_after
from app.form_fields import note_unknown
from app.i18n import language, translated
from app.outgoing import OutgoingFailed
from app.render import referring_page, wants_html
from app.security import UnknownHost
from gis.errors import GisError
from grids import errors as kinds
from grids.audit import AuditStopped
from grids.limits import TooMany

log = structlog.get_logger("wangge.errors")

#: Kind -> status, the most special first.
STATUS: tuple[tuple[type[Exception], int], ...] = (
    (SignInNeeded, 401),
    (StepUpNeeded, 401),
    (TokenRefused, 401),
    (UnknownHost, 400),
    (OutgoingFailed, 502),
    (Forged, 403),
    (kinds.NotAllowed, 403),
    (kinds.NotFound, 404),
    (kinds.Conflict, 409),
    (kinds.Gone, 410),
    (TooMany, 429),
    (kinds.Invalid, 422),
    (AuditStopped, 503),
    (kinds.GridsError, 422),
    (GisError, 422),
)
#: The database said "not now": it restarts, is full of work, or the statement took too long.
TRY_AGAIN = 503


def status_of(error: Exception) -> int:
    """Return the status of a known kind."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def init_app(app: Flask) -> None:
    """Answer every error with a problem document, or a page for a person."""
    app.register_error_handler(kinds.GridsError, _known)
    app.register_error_handler(GisError, _known)
    app.register_error_handler(msgspec.ValidationError, _bad_body)
    app.register_error_handler(msgspec.DecodeError, _bad_body)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(psycopg.OperationalError, _database)
    app.register_error_handler(DataError, _bad_value)
    app.register_error_handler(psycopg.DataError, _bad_value)
    app.register_error_handler(UnicodeEncodeError, _bad_value)
    app.register_error_handler(RecursionError, _too_deep)
    app.register_error_handler(PoolTimeout, _database)
    # The server ended a transaction that waited too long for us, on a machine with too much to do.
    app.register_error_handler(psycopg.errors.IdleInTransactionSessionTimeout, _database)
    app.register_error_handler(Exception, _unknown)


def problem(
    status: int, code: str, detail: str, *, errors: list[dict[str, Any]] | None = None, **more: Any
) -> Response:
    """Write one problem document (RFC 9457), or the same as a page."""
    title = translated(f"problem.{status}", HTTPStatus(status).phrase)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "id": secrets.token_hex(6),
        **more,
    }
    if errors:
        body["errors"] = errors
    if wants_html():
        return Response(render_template("error.html", problem=body), status, mimetype="text/html")
    answer = Response(msgspec.json.encode(body), status, mimetype="application/problem+json")
    answer.headers["Content-Language"] = language()
    return answer


def _known(error: Any) -> Any:
    """Answer an error of the domain or of geometry in the caller's language."""
    status = status_of(error)
    if isinstance(error, StepUpNeeded) and wants_html():
        # A form that was sent is filled in again after the proof: it comes back to its page.
        here = request.full_path.rstrip("?") if request.method == "GET" else referring_page()
        return redirect(url_for("confirm.page", next=here), 303)
    if isinstance(error, SignInNeeded) and wants_html() and request.method == "GET":
        return redirect(url_for("auth.sign_in_page", next=request.full_path.rstrip("?")))
    fields = str(error.params.get("field") or "").split("|")  # "a|b": one of the two
    names = " / ".join(translated(f"field.{name}", name) for name in fields)
    params = {"field_name": names, **error.params}
    detail = translated(f"error.{error.code}", str(error), **params)
    errors = [{"field": name, "message": detail} for name in fields if name]
    copy = {"server": error.params["server"]} if "server" in error.params else {}
    answer = problem(status, error.code, detail, errors=errors, **copy)
    if status == 429:
        answer.headers["Retry-After"] = retry_after(error)
    return answer


def _bad_body(error: Exception) -> Response:
    """Answer a body that is not what the endpoint takes; msgspec names the place."""
    message, _, place = str(error).partition(" - at `")
    named = re.search(r"unknown field `([^`]*)`", message)
    if named:
        note_unknown([named[1]])
    field = place.rstrip("`").removeprefix("$").removeprefix(".")
    if named:
        field = f"{field}.{named[1]}".removeprefix(".")
    field, why = field or "$", body_errors.words_of(message)
    detail = translated("error.body.invalid", str(error), field=field, why=why)
    return problem(422, "body.invalid", detail, errors=[{"field": field, "message": why}])


def _http(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    detail = translated(f"problem.{error.code}.detail", error.description or error.name)
    return problem(error.code, f"http.{error.code}", detail)


def _database(error: Exception) -> Response:
    """Say that the same request may be sent again: every write carries its own id."""
    original = error.orig if isinstance(error, DBAPIError) else error
    log.warning("database_unavailable", kind=type(original).__name__, endpoint=request.endpoint)
    detail = translated("error.try_again", "the database does not answer now, try again")
    answer = problem(TRY_AGAIN, "try_again", detail)
    answer.headers["Retry-After"] = "2"
    return answer


def _bad_value(error: Exception) -> Response:
    """Refuse a text that no column holds: NUL, half a surrogate pair, a number out of range."""
    original = error.orig if isinstance(error, DBAPIError) else error
    log.warning("bad_value", kind=type(original).__name__, endpoint=request.endpoint)
    return problem(422, "bad_value", translated("error.bad_value", "a value cannot be stored"))


def _too_deep(_error: RecursionError) -> Response:
    """Refuse a body that nests deeper than its reader goes."""
    log.warning("too_deep", endpoint=request.endpoint)
    return problem(422, "gis.too_deep", translated("error.gis.too_deep", "nested too deep"))


def _unknown(error: Exception) -> Response:
    """Log the failure under an id and tell the caller only that id."""
    detail = translated("problem.500.detail", "something went wrong on the server")
    name = secrets.token_hex(6)
    answer = problem(500, "internal", detail, id=name)
    log.error(
        "request_failed",
        id=name,
        endpoint=request.endpoint,  # a path may name a code that opens a report
        method=request.method,
        kind=type(error).__name__,
        exc_info=error,
    )
    return answer
