"""What a client wants to read, JSON answers, and addresses that stay on this site."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
from flask import Response, request

ENCODER = msgspec.json.Encoder()


def wants_html() -> bool:
    """Say whether the caller is a person with a page open rather than a program."""
    if request.path.startswith(("/api/", "/tiles/")) or "/api/" in request.path:
        return False
    if request.headers.get("Authorization", "").lower().startswith("bearer "):
        return False
    best = request.accept_mimetypes.best_match(["application/json", "text/html"], "text/html")
    return best == "text/html"


def json_answer(value: Any, status: int = 200) -> Response:
    """Answer with JSON; knows dates, UUIDs, dataclasses and msgspec structs."""
    return Response(ENCODER.encode(value), status, mimetype="application/json")


def referring_page() -> str:
    """Return the page of this site that the request came from, else the first one."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host:
        return "/"
    return own_path(parts.path + (f"?{parts.query}" if parts.query else ""))


def own_path(target: str) -> str:
    """Return a path of this site, never another host's."""
    parts = urlsplit(target.replace("\\", "/"))
    is_own = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    if not is_own or parts.path.startswith("//"):
        return "/"
    return parts.path + (f"?{parts.query}" if parts.query else "")
