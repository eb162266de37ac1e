"""The own second factor: enrolment with a picture to scan, recovery codes."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import segno
from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.auth import SIGNED_IN, TokenRefused, check_step_up, home_of, policy, requires
from app.render import own_path
from grids import accounts
from grids.accounts import factors
from grids.errors import NotFound
from grids.secrets import Vault

bp = Blueprint("account_factor", __name__)
#: How the authenticator lists us; Chinese letters would make the picture too dense to scan.
ISSUER = "Wangge"


@bp.before_request
def refuse_tokens() -> None:
    """Keep programs out."""
    if g.token_id is not None:
        raise TokenRefused("the own account is managed by signing in")


@bp.get("/account/second-factor")
@requires(SIGNED_IN, unfinished=True)
def page() -> ResponseReturnValue:
    """Show what there is, or how to enrol."""
    return _page()


@bp.post("/account/second-factor/begin")
@requires(SIGNED_IN, unfinished=True)
def begin() -> ResponseReturnValue:
    """Draw a secret and show it."""
    _need_proof()
    with g.session.begin():
        factors.begin(
            g.session,
            g.actor.account_id,
            vault=_vault(),
            now=datetime.now(UTC),
            policy=policy(),
        )
    target = request.form.get("next", "")
    return redirect(url_for("account_factor.page", next=target or None), 303)


@bp.get("/account/second-factor/picture.svg")
@requires(SIGNED_IN, unfinished=True)
def picture() -> ResponseReturnValue:
    """Return the picture that an authenticator scans, while the enrolment waits."""
    waiting = _enrolment()
    if waiting is None:
        raise NotFound("no enrolment waits")
    drawn = io.BytesIO()
    segno.make(waiting.address, error="m").save(
        drawn, kind="svg", scale=6, border=4, dark="#17222e", light="#ffffff", xmldecl=False
    )
    return Response(drawn.getvalue(), mimetype="image/svg+xml")


@bp.post("/account/second-factor/finish")
@requires(SIGNED_IN, unfinished=True)
def finish() -> ResponseReturnValue:
    """Take the first code; show the recovery codes, once."""
    try:
        with g.session.begin():
            codes = factors.finish(
                g.session,
                g.actor.account_id,
                request.form.get("code", ""),
                vault=_vault(),
                now=datetime.now(UTC),
                source_ip=request.remote_addr or "",
            )
    except factors.WrongCode:
        return _page(_("error.second_factor.wrong_code")), 422
    return _codes(codes)


@bp.post("/account/second-factor/remove")
@requires(SIGNED_IN, step_up=True)
def remove() -> ResponseReturnValue:
    """Take the own factor away, to enrol another phone."""
    with g.session.begin():
        factors.remove(g.session, g.actor.account_id, source_ip=request.remote_addr or "")
    return redirect(url_for("account_factor.page"), 303)


@bp.post("/account/second-factor/codes")
@requires(SIGNED_IN, step_up=True)
def renew_codes() -> ResponseReturnValue:
    """Replace the recovery codes and show the new ones, once."""
    with g.session.begin():
        codes = factors.renew_recovery_codes(
            g.session,
            g.actor.account_id,
            now=datetime.now(UTC),
            source_ip=request.remote_addr or "",
        )
    return _codes(codes)


def _need_proof() -> None:
    """Ask for a fresh proof, except in the middle of a sign-in, which is one."""
    if g.unfinished is None:
        check_step_up()


def _page(error: str | None = None) -> str:
    me = g.actor.account_id
    with g.session.begin():
        is_enrolled = factors.has_factor(g.session, me)
        left = factors.recovery_codes_left(g.session, me)
    return render_template(
        "account/factor.html",
        is_enrolled=is_enrolled,
        waiting=None if is_enrolled else _enrolment(),
        codes_left=left,
        is_forced=g.unfinished == "enrol",
        error=error,
        next=request.values.get("next", ""),
    )


def _codes(codes: list[str]) -> str:
    """Show recovery codes; the sign-in that waited for them goes on from there."""
    target = request.form.get("next", "")
    onward = own_path(target) if target else home_of(g.actor)
    return render_template(
        "account/codes.html",
        codes=codes,
        onward=onward if g.unfinished else url_for("account.page"),
    )


def _enrolment() -> factors.Enrolment | None:
    me = g.actor.account_id
    with g.session.begin():
        account = accounts.account_of(g.session, me, now=datetime.now(UTC))
        return factors.enrolment(g.session, me, vault=_vault(), login=account.login, issuer=ISSUER)


def _vault() -> Vault:
    found: Vault = current_app.extensions["vault"]
    return found
