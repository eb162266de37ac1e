"""Names of built files: `asset_url("command.js")` gives the one with the hash in it."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from flask import Flask, url_for

DIST = Path(__file__).resolve().parent.parent / "static" / "dist"
YEAR_S = 365 * 24 * 3600


class NotBuilt(Exception):
    """The browser's files were not built, or this one is not among them."""


@lru_cache(maxsize=4)
def _manifest(_changed_ns: int) -> dict[str, str]:
    found: dict[str, str] = json.loads((DIST / "manifest.json").read_text(encoding="utf-8"))
    return found


def manifest() -> dict[str, str]:
    """Read which built file stands for which name; read again after a new build."""
    path = DIST / "manifest.json"
    if not path.exists():
        raise NotBuilt("static/dist is missing: run `./wangge assets`")
    return _manifest(path.stat().st_mtime_ns)


def asset_url(name: str) -> str:
    """Return the address of a built file. Raises `NotBuilt` for an unknown name."""
    built = manifest()
    if name not in built:
        raise NotBuilt(f"no asset {name!r}: run `./wangge assets`")
    return url_for("static", filename=built[name])


def init_app(app: Flask) -> None:
    """Offer `asset_url` to the templates."""
    app.jinja_env.globals["asset_url"] = asset_url
