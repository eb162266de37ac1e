"""The faces of the three administrators (三员分立): accounts, rights and watch, the record of it.

Each view asks for exactly one of the three permissions, and no role has two of them.
"""

from __future__ import annotations

from flask import Blueprint, g, redirect
from flask.typing import ResponseReturnValue

from app.admin import (
    calendar,
    chain,
    codes,
    codes_upload,
    console,
    denied,
    grants,
    keys,
    log,
    receivers,
    rules,
    staff,
    state,
)
from app.admin.frame import home_path
from app.auth import SIGNED_IN, requires
from grids.errors import NotAllowed

bp = Blueprint("admin", __name__)
for part in (
    staff,
    state,
    codes,
    codes_upload,
    calendar,
    receivers,
    console,
    grants,
    rules,
    keys,
    log,
    chain,
):
    bp.register_blueprint(part.bp)
bp.after_app_request(denied.note_denied)


@bp.get("/admin")
@requires(SIGNED_IN)
def home() -> ResponseReturnValue:
    """Lead an administrator to the own face; everybody else is refused."""
    path = home_path(g.actor)
    if path is None:
        raise NotAllowed("only the three administrators work here", permission="admin")
    return redirect(path)
