"""A fresh proof of who one is, for sensitive acts: a page, and an endpoint for scripts."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from flask import Blueprint, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.auth import SIGNED_IN, TokenRefused, policy, requires, set_session_cookie
from app.config import Settings
from app.render import json_answer, own_path
from grids import accounts
from grids.accounts.factors import has_factor
from grids.errors import Invalid

bp = Blueprint("confirm", __name__)


class NotConfirmed(Invalid):
    """The password or the code is not right, or too many tries failed."""

    code = "sign_in.not_confirmed"


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a script sends."""

    password: str = ""
    code: str = ""


@bp.before_request
def refuse_tokens() -> None:
    """Keep programs out: what needs a person is not opened by a token."""
    if g.token_id is not None:
        raise TokenRefused("a token proves nobody's presence")


@bp.get("/confirm")
@requires(SIGNED_IN)
def page() -> ResponseReturnValue:
    """Ask for the proof, then go on to the page that wanted it."""
    return _form(request.args.get("next", ""))


@bp.post("/confirm")
@requires(SIGNED_IN)
def confirm() -> ResponseReturnValue:
    """Check the proof and go on."""
    target = request.form.get("next", "")
    proof = Proof(request.form.get("password", ""), request.form.get("code", ""))
    token = _confirm(proof)
    if token is None:
        return _form(target, _("confirm.refused")), 422
    return set_session_cookie(redirect(own_path(target), 303), token)


@bp.get("/api/confirm")
@requires(SIGNED_IN)
def asked() -> ResponseReturnValue:
    """Return what a proof consists of for this person."""
    return json_answer(_asked())


@bp.post("/api/confirm")
@requires(SIGNED_IN)
def post_confirm() -> ResponseReturnValue:
    """Check the proof. Raises `NotConfirmed`."""
    token = _confirm(msgspec.json.decode(request.get_data(), type=Proof))
    if token is None:
        raise NotConfirmed("the proof is not right", field="password")
    return set_session_cookie(current_app.response_class(status=204), token)


def _confirm(proof: Proof) -> str | None:
    with g.session.begin():
        return accounts.confirm(
            g.session,
            g.session_hash,
            proof.password,
            proof.code,
            vault=current_app.extensions["vault"],
            now=datetime.now(UTC),
            source_ip=request.remote_addr or "",
            policy=policy(),
        )


def _asked() -> dict[str, bool]:
    settings: Settings = current_app.extensions["settings"]
    me = g.actor.account_id
    with g.session.begin():
        account = accounts.account_of(g.session, me, now=datetime.now(UTC))
        is_linked = bool(settings.oidc_issuer) and any(
            one.issuer == settings.oidc_issuer for one in accounts.identities_of(g.session, me)
        )
        needs_code = has_factor(g.session, me)
    return {"password": account.has_password, "code": needs_code, "provider": is_linked}


def _form(target: str, error: str | None = None) -> str:
    settings: Settings = current_app.extensions["settings"]
    return render_template(
        "auth/confirm.html",
        next=target,
        error=error,
        asked=_asked(),
        provider=settings.oidc_name or "OpenID Connect",
    )
