"""Headers of every answer, the hosts that are ours, and the check of unsafe requests."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from app.auth import Forged
from app.config import Settings
from grids.errors import GridsError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: What every answer carries, whatever it is.
FIXED_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that know no frame-ancestors
    "X-Permitted-Cross-Domain-Policies": "none",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "geolocation=(self), camera=(self), microphone=(), payment=(), usb=(), serial=(),"
        " bluetooth=(), midi=(), display-capture=(), browsing-topics=()"
    ),
}
#: The policy of what is no page: a picture, an export or a stream that is opened as one.
FILE_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
PAGES: Final = frozenset(
    {"text/html", "text/javascript", "application/javascript", "application/json"}
)
YEAR_S = 365 * 24 * 3600
#: The browser forgets what it kept of the pages. Not `storage`: reports that wait in the outbox
#: of a phone are never thrown away. Not `cookies`: that would end the sign-ins of every other
#: system under the county's domain, and forget large text; our own cookie is deleted by name.
FORGET_ON_SIGN_OUT: Final = '"cache"'


class UnknownHost(GridsError):
    """The request names a host that this site does not have."""

    code = "request.unknown_host"


def live_origin(settings: Settings) -> str:
    """Return the origin of the live stream as this caller reaches it.

    Behind a proxy it is the site itself; the embedded default serves it on its own port.
    """
    if settings.live_origin:
        return settings.live_origin
    host = urlsplit(request.host_url)
    name = f"[{host.hostname}]" if ":" in (host.hostname or "") else host.hostname
    return f"{host.scheme}://{name}:{settings.live_port}"


def content_policy(settings: Settings) -> str:
    """Write the content security policy: our own files only, nothing inline."""
    live = live_origin(settings) if is_own_host(request.host, settings) else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            "font-src 'self'",
            f"connect-src 'self' {live}".rstrip(),
            "manifest-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def init_app(app: Flask, settings: Settings) -> None:
    """Check the host and each unsafe request, and dress each answer."""

    @lru_cache(maxsize=256)  # a site has few names; what is said of one is always the same
    def is_own(host: str) -> bool:
        return is_own_host(host, settings)

    @lru_cache(maxsize=256)
    def policy_of(_scheme: str, _host: str) -> str:
        return content_policy(settings)

    @app.before_request
    def refuse_forged() -> None:
        if not is_own(request.host):
            raise UnknownHost("no site of this name is served here")
        if request.method not in SAFE_METHODS:
            check_origin(settings)
            check_csrf()

    @app.after_request
    def dress(answer: Response) -> Response:
        # The worker's script takes its policy from its own answer, so scripts count as pages.
        is_file = answer.mimetype not in PAGES and request.endpoint != "static"
        policy = FILE_POLICY if is_file else policy_of(request.scheme, request.host)
        answer.headers.setdefault("Content-Security-Policy", policy)
        if (answer.mimetype or "").startswith("image/") and request.endpoint != "static":
            answer.headers.setdefault("Content-Disposition", 'inline; filename="photo.jpg"')
        if request.endpoint == "auth.sign_out" and answer.status_code < 400:
            answer.headers.setdefault("Clear-Site-Data", FORGET_ON_SIGN_OUT)
        return dress_all(answer, settings)


def dress_all(answer: Response, settings: Settings) -> Response:
    """Add what every answer of web and live carries."""
    for name, value in FIXED_HEADERS.items():
        answer.headers.setdefault(name, value)
    if settings.https:
        answer.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_S}")
    if "Cache-Control" not in answer.headers:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def dress_live(app: Flask, settings: Settings) -> None:
    """Check the host and dress each answer of the live process."""

    @app.before_request
    def refuse_host() -> tuple[dict[str, str], int] | None:
        is_ours = is_own_host(request.host, settings)
        return None if is_ours else ({"code": UnknownHost.code}, 400)

    @app.after_request
    def dress(answer: Response) -> Response:
        answer.headers.setdefault("Content-Security-Policy", FILE_POLICY)
        # A page of the site reads the stream from the site's other port.
        answer.headers.setdefault("Cross-Origin-Resource-Policy", "same-site")
        return dress_all(answer, settings)


def is_own_host(host: str, settings: Settings) -> bool:
    """Say whether the site is reached by this name.

    Without a list these are addresses in numbers, `localhost` and the machine's own names: a
    page of another site whose name was pointed here (DNS rebinding) is none of them.
    """
    try:
        parts = urlsplit(f"//{host}")
        name, _port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    if not name or parts.username is not None or parts.path:
        return False
    wanted = [one.strip().lower() for one in settings.trusted_hosts.split(",") if one.strip()]
    if wanted:
        return any(name == one or (one[0] == "." and name.endswith(one)) for one in wanted)
    if name in _own_names() or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1)
def _own_names() -> frozenset[str]:
    name = socket.gethostname().lower()
    return frozenset({"localhost", name, f"{name.partition('.')[0]}.local"})


def check_origin(settings: Settings) -> None:
    """Refuse what another site's page sends. Raises `Forged`.

    Browsers send `Origin` with every unsafe request; a client that sends none and carries no
    cookie cannot be somebody's browser that was misled.
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        asking = urlsplit(origin)
        is_plain = settings.https and asking.scheme != "https"
        if asking.netloc.lower() != request.host.lower() or is_plain:
            raise Forged("the request comes from another site")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forged("the request comes from another site")


def check_csrf() -> None:
    """Compare the session's token with the header or the form field. Raises `Forged`.

    Only a cookie is sent along by a browser that was misled: a caller who is known by an API
    token sent it on purpose.
    """
    if g.get("session_hash") is None or request.endpoint == "auth.sign_in":
        return
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not hmac.compare_digest(sent.encode(), g.csrf_token.encode()):
        raise Forged("the page is out of date: load it again", why="token")
