"""The OpenID provider as a client sees it: discovery, the address to go to, tokens that hold.

Loaded only where a provider is set: the libraries take a third of a second.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.auth import ProviderFailed
from app.outgoing import DoorAdapter, Doors, OutgoingFailed, OutgoingRefused
from grids.accounts.identities import Begun
from grids.accounts.models import ProviderTry

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

    def address(self, begun: Begun, back: str, *, is_proof: bool) -> str:
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
