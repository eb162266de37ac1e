"""Signing in with an OpenID provider: authorization code, PKCE, nonce and state.

The provider says who somebody is; what they may do here is said by our own grants alone. The
calls to it go through `app.outgoing`, so its address stands in the deployer's list too.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Flask, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.auth import (
    PUBLIC,
    ProviderFailed,
    form_page,
    next_page,
    policy,
    requires,
    set_session_cookie,
)
from app.config import Settings
from app.render import own_path
from grids import accounts
from grids.accounts import identities
from grids.accounts.models import Account, ProviderTry
from grids.accounts.sessions import confirm_by_provider, open_for_provider
from grids.errors import NotFound

if TYPE_CHECKING:
    from app.openid import Provider

bp = Blueprint("oidc", __name__)

#: A proof of identity by the provider is at most this old when it comes back.
PROVED_WITHIN = timedelta(minutes=2)
#: Ways of signing in there that are more than a password (RFC 8176).
SECOND_FACTORS: Final = frozenset(
    {"mfa", "otp", "hwk", "swk", "sms", "tel", "fpt", "face", "iris", "pop", "sc", "wia"}
)


def init_app(app: Flask, settings: Settings) -> None:
    """Tell templates whether there is a provider, and keep it."""
    app.context_processor(lambda: {"has_provider": "oidc" in app.extensions})
    use_provider(app, settings)


def use_provider(app: Flask, settings: Settings) -> None:
    """Keep the provider of the settings, where one is set."""
    if settings.oidc_issuer:
        from app.openid import Provider  # heavy, and most installations have none

        app.extensions["oidc"] = Provider(
            settings.oidc_issuer,
            settings.oidc_client_id,
            settings.oidc_client_secret,
            app.extensions["doors"],
        )


@bp.get("/sign-in/oidc")
@requires(PUBLIC)
def go() -> ResponseReturnValue:
    """Send the browser to the provider, to sign in or to prove anew who one is."""
    provider = _provider()
    is_proof = request.args.get("purpose") == "confirm" and g.actor is not None
    with g.session.begin():
        begun = identities.begin_try(
            g.session,
            target=own_path(request.args.get("next") or "") if request.args.get("next") else "",
            session_hash=g.session_hash if is_proof else None,
            now=datetime.now(UTC),
        )
    try:
        address = provider.address(begun, _back(), is_proof=is_proof)
    except ProviderFailed:
        return _refuse()
    answer = redirect(address)
    answer.set_cookie(
        _cookie(),
        begun.browser,
        max_age=int(identities.TRY_LASTS.total_seconds()),
        path="/",
        httponly=True,
        secure=_settings().https,
        samesite="Lax",
    )
    return answer


@bp.get("/sign-in/oidc/back")
@requires(PUBLIC)
def back() -> ResponseReturnValue:
    """Take the provider's answer; it counts once, in the browser that was sent there."""
    provider = _provider()
    now = datetime.now(UTC)
    with g.session.begin():
        tried = identities.take_try(
            g.session,
            state=request.args.get("state", ""),
            browser=request.cookies.get(_cookie(), ""),
            now=now,
        )
    code = request.args.get("code", "")
    # RFC 9207: an answer of another provider is not ours to take.
    is_ours = request.args.get("iss", provider.issuer) == provider.issuer
    if tried is None or not code or not is_ours:
        return _refuse()
    try:
        claims = provider.claims(code, tried, _back())
    except ProviderFailed:
        return _refuse()
    if tried.session_hash is not None:
        return _prove(tried, claims, now)
    return _sign_in(tried, claims, now)


def _sign_in(tried: ProviderTry, claims: dict[str, Any], now: datetime) -> ResponseReturnValue:
    with g.session.begin():
        account = _account(claims, now)
        token = found = None
        if account is not None:
            token = open_for_provider(
                g.session,
                account,
                has_mfa=has_second_factor(claims),
                now=now,
                source_ip=request.remote_addr or "",
                agent=request.user_agent.string,
            )
        if token is not None:
            found = accounts.signed_in(g.session, token, now, policy(), with_unfinished=True)
    if token is None or found is None:
        return _refuse()
    return _forget(set_session_cookie(redirect(next_page(found, tried.target)), token))


def _prove(tried: ProviderTry, claims: dict[str, Any], now: datetime) -> ResponseReturnValue:
    proved_at = datetime.fromtimestamp(int(claims.get("auth_time") or 0), UTC)
    token = None
    with g.session.begin():
        account = identities.linked_account(
            g.session, issuer=str(claims["iss"]), subject=str(claims["sub"])
        )
        if account is not None and now - proved_at <= PROVED_WITHIN and tried.session_hash:
            token = confirm_by_provider(
                g.session,
                tried.session_hash,
                account.id,
                now=now,
                source_ip=request.remote_addr or "",
            )
    if token is None:
        return _refuse()
    return _forget(set_session_cookie(redirect(own_path(tried.target)), token))


def _account(claims: dict[str, Any], now: datetime) -> Account | None:
    """Find the account that is linked, or link it by the claim that the installation trusts."""
    issuer, subject = str(claims["iss"]), str(claims["sub"])
    linked = identities.linked_account(g.session, issuer=issuer, subject=subject)
    login = trusted_login(claims, _settings().oidc_login_claim)
    if linked is not None or login is None:
        return linked
    return identities.link_by_login(
        g.session,
        login,
        issuer=issuer,
        subject=subject,
        now=now,
        source_ip=request.remote_addr or "",
    )


def trusted_login(claims: dict[str, Any], claim: str) -> str | None:
    """Return the login that a claim names; an e-mail address counts only when verified."""
    if not claim or (claim == "email" and claims.get("email_verified") is not True):
        return None
    value = claims.get(claim)
    return value if isinstance(value, str) and value else None


def has_second_factor(claims: dict[str, Any]) -> bool:
    """Say whether the provider says that it checked more than a password."""
    ways = claims.get("amr")
    return isinstance(ways, list) and bool(SECOND_FACTORS.intersection(map(str, ways)))


def _refuse() -> ResponseReturnValue:
    name = _settings().oidc_name or "OpenID Connect"
    return form_page("", error=_("sign_in.provider_refused", name=name)), 401


def _forget(answer: Response) -> Response:
    answer.delete_cookie(_cookie(), path="/", secure=_settings().https)
    return answer


def _provider() -> Provider:
    found: Provider | None = current_app.extensions.get("oidc")
    if found is None:
        raise NotFound("no provider is set")
    return found


def _back() -> str:
    return url_for("oidc.back", _external=True)


def _cookie() -> str:
    return "__Host-wangge-oidc" if _settings().https else "wangge-oidc"


def _settings() -> Settings:
    found: Settings = current_app.extensions["settings"]
    return found
