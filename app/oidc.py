"""Signing in with an OpenID provider: authorization code, PKCE, nonce and state.

The provider says who somebody is; what they may do here is said by our own grants alone. The
calls to it go through `app.outgoing`, so its address stands in the deployer's list too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from flask import Blueprint, Flask, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from werkzeug.wrappers import Response

from app.auth import PUBLIC, form_page, next_page, policy, requires, set_session_cookie
from app.config import Settings
from app.outgoing import DoorAdapter, Doors, OutgoingFailed, OutgoingRefused
from app.render import own_path
from grids import accounts
from grids.accounts import identities
from grids.accounts.models import Account, ProviderTry
from grids.accounts.sessions import confirm_by_provider, open_for_provider
from grids.errors import Invalid, NotFound

bp = Blueprint("oidc", __name__)

SCOPES: Final = "openid profile email"
#: Signatures with a key of the provider; `none` and shared secrets are not among them.
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
)
#: What the provider says of itself is read again after this long.
FRESH_S: Final = 3600
#: Clocks differ.
LEEWAY_S: Final = 60
#: A proof of identity by the provider is at most this old when it comes back.
PROVED_WITHIN = timedelta(minutes=2)
#: Ways of signing in there that are more than a password (RFC 8176).
SECOND_FACTORS: Final = frozenset(
    {"mfa", "otp", "hwk", "swk", "sms", "tel", "fpt", "face", "iris", "pop", "sc", "wia"}
)


class ProviderFailed(Invalid):
    """The OpenID provider did not answer, or its answer does not hold."""

    code = "sign_in.provider"


@dataclass
class Provider:
    """The provider of one application: what it says of itself, and its keys, kept for an hour."""

    issuer: str
    client_id: str
    client_secret: str
    doors: Doors
    _known: dict[str, Any] = field(default_factory=dict)
    _keys: KeySet | None = None
    _read_at: float = 0.0

    def address(self, begun: identities.Begun, back: str, *, is_proof: bool) -> str:
        """Return where the browser is sent; for a proof the provider asks anew."""
        more: dict[str, Any] = {"prompt": "login", "max_age": 0} if is_proof else {}
        with self._client(back) as client:
            url, _state = client.create_authorization_url(
                self._metadata()["authorization_endpoint"],
                state=begun.state,
                code_verifier=begun.verifier,
                nonce=begun.nonce,
                **more,
            )
        return str(url)

    def claims(self, code: str, tried: ProviderTry, back: str) -> dict[str, Any]:
        """Exchange the code and return the claims of a token that holds. Raises `ProviderFailed`."""
        try:
            with self._client(back) as client:
                answer = client.fetch_token(
                    self._metadata()["token_endpoint"], code=code, code_verifier=tried.verifier
                )
            return self._checked(str(answer.get("id_token") or ""), tried.nonce)
        except (OAuthError, JoseError, requests.RequestException, ValueError, KeyError) as error:
            raise ProviderFailed(f"{type(error).__name__} at the provider") from error
        except (OutgoingFailed, OutgoingRefused) as error:
            raise ProviderFailed("the provider cannot be called") from error

    def _checked(self, id_token: str, nonce: str) -> dict[str, Any]:
        try:
            token = jwt.decode(id_token, self._key_set(), algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            # Keys change: those of a moment ago may not know this one.
            token = jwt.decode(id_token, self._key_set(is_fresh=True), algorithms=list(ALGORITHMS))
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(token.claims)
        claims: dict[str, Any] = token.claims
        if claims.get("azp", self.client_id) != self.client_id:
            raise ValueError("the token was made for another client")
        return claims

    def _client(self, back: str) -> OAuth2Session:
        made = OAuth2Session(
            self.client_id,
            self.client_secret,
            scope=SCOPES,
            redirect_uri=back,
            code_challenge_method="S256",
        )
        made.trust_env = False
        made.max_redirects = 0
        made.mount("http://", DoorAdapter(self.doors))
        made.mount("https://", DoorAdapter(self.doors))
        return made

    def _metadata(self) -> dict[str, Any]:
        if not self._known or time.monotonic() - self._read_at > FRESH_S:
            found = self._read(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer:
                raise ProviderFailed("the provider calls itself by another name")
            self._known, self._keys, self._read_at = found, None, time.monotonic()
        return self._known

    def _key_set(self, *, is_fresh: bool = False) -> KeySet:
        if self._keys is None or is_fresh:
            self._keys = KeySet.import_key_set(self._read(self._metadata()["jwks_uri"]))
        return self._keys

    def _read(self, url: str) -> Any:
        try:
            with self._client("") as client:
                answer = client.request("GET", url, withhold_token=True)
            answer.raise_for_status()
            return answer.json()
        except (requests.RequestException, OutgoingFailed, OutgoingRefused, ValueError) as error:
            raise ProviderFailed("the provider cannot be read") from error


def init_app(app: Flask, settings: Settings) -> None:
    """Keep the provider of this application, where one is set."""
    if settings.oidc_issuer:
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
