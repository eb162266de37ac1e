"""Which accounts of the OpenID provider open an account here: the system administrator's work."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.admin import frame
from app.auth import requires
from app.config import Settings
from app.errors import status_of
from app.i18n import translated
from grids import accounts
from grids.errors import GridsError, Invalid

bp = Blueprint("linking", __name__)
LONGEST = 255


@bp.get("/admin/accounts/<int:account_id>/identities")
@requires("admin:system")
def page(account_id: int) -> ResponseReturnValue:
    """Show what is linked to an account."""
    return _page(account_id)


@bp.post("/admin/accounts/<int:account_id>/identities")
@requires("admin:system", step_up=True)
def link(account_id: int) -> ResponseReturnValue:
    """Let an account of the provider open this one."""
    subject = request.form.get("subject", "").strip()
    try:
        if not subject or len(subject) > LONGEST:
            raise _no_subject()
        with g.session.begin():
            accounts.link_identity(
                g.session,
                account_id,
                issuer=_issuer(),
                subject=subject,
                by=g.actor.account_id,
                now=datetime.now(UTC),
                source_ip=frame.source_ip(),
            )
    except GridsError as error:
        words = translated(f"error.{error.code}", str(error), **error.params)
        return _page(account_id, words), status_of(error)
    return redirect(url_for("linking.page", account_id=account_id), 303)


@bp.post("/admin/accounts/<int:account_id>/identities/unlink")
@requires("admin:system", step_up=True)
def unlink(account_id: int) -> ResponseReturnValue:
    """Take a link away."""
    with g.session.begin():
        accounts.unlink_identity(
            g.session,
            account_id,
            issuer=request.form.get("issuer", ""),
            subject=request.form.get("subject", ""),
            by=g.actor.account_id,
            source_ip=frame.source_ip(),
        )
    return redirect(url_for("linking.page", account_id=account_id), 303)


def _no_subject() -> Invalid:
    return Invalid(f"a subject has 1 to {LONGEST} characters", field="subject")


def _issuer() -> str:
    settings: Settings = current_app.extensions["settings"]
    if not settings.oidc_issuer:
        raise Invalid("no provider is set", field="issuer")
    return settings.oidc_issuer


def _page(account_id: int, error: str = "") -> str:
    settings: Settings = current_app.extensions["settings"]
    with g.session.begin():
        return frame.page(
            "identities",
            account=accounts.account_of(g.session, account_id, now=datetime.now(UTC)),
            links=accounts.identities_of(g.session, account_id),
            issuer=settings.oidc_issuer,
            is_self=account_id == g.actor.account_id,
            error=error,
        )
