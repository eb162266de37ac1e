"""Tell whether the process is alive and can do its work."""

from __future__ import annotations

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from app.auth import PUBLIC, requires

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@requires(PUBLIC)
def alive() -> ResponseReturnValue:
    """Answer as long as the process serves at all."""
    return {"status": "alive"}


@bp.get("/readyz")
@requires(PUBLIC)
def ready() -> ResponseReturnValue:
    """Answer 200 when the database does; otherwise the error handler says 503."""
    g.session.execute(text("SELECT 1"))
    return {"status": "ready"}
