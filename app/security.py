"""Headers of every answer, and the check that unsafe requests come from our own pages."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from app.auth import Forged
from app.config import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: What every answer carries, whatever it is.
FIXED_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
}
YEAR_S = 365 * 24 * 3600


def live_origin(settings: Settings) -> str:
    """Return the origin of the live stream as this caller reaches it.

    Behind a proxy it is the site itself; the embedded default serves it on its own port.
    """
    if settings.live_origin:
        return settings.live_origin
    host = urlsplit(request.host_url)
    return f"{host.scheme}://{host.hostname}:{settings.live_port}"


def content_policy(settings: Settings) -> str:
    """Write the content security policy: our own files only, nothing inline."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            "font-src 'self'",
            f"connect-src 'self' {live_origin(settings)}",
            "manifest-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def init_app(app: Flask, settings: Settings) -> None:
    """Check each unsafe request and dress each answer."""

    @app.before_request
    def refuse_forged() -> None:
        if request.method not in SAFE_METHODS:
            check_origin()
            check_csrf()

    @app.after_request
    def dress(answer: Response) -> Response:
        for name, value in FIXED_HEADERS.items():
            answer.headers.setdefault(name, value)
        answer.headers.setdefault("Content-Security-Policy", content_policy(settings))
        if settings.https:
            answer.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_S}")
        if "Cache-Control" not in answer.headers:
            answer.headers["Cache-Control"] = "no-store"
        return answer


def check_origin() -> None:
    """Refuse what another site's page sends. Raises `Forged`.

    Browsers send `Origin` with every unsafe request; a client that sends none and carries no
    cookie cannot be somebody's browser that was misled.
    """
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise Forged("the request comes from another site")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forged("the request comes from another site")


def check_csrf() -> None:
    """Compare the session's token with the header or the form field. Raises `Forged`."""
    if g.get("actor") is None or request.endpoint == "auth.sign_in":
        return
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not hmac.compare_digest(sent.encode(), g.csrf_token.encode()):
        raise Forged("the page is out of date: load it again", why="token")
