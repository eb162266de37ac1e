"""What every printed page of staff carries across its whole sheet: who printed it, and when.

A mark that is seen keeps a sheet from going astray; nobody is stopped by it. Exports carry marks
of their own (`grids.exports.marks`).
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask, g
from flask_babel import format_datetime


def text() -> str:
    """Name the caller with the number of the account and the city's time; empty for strangers."""
    actor = g.get("actor")
    if actor is None:
        return ""
    at = format_datetime(datetime.now(UTC), "yyyy-MM-dd HH:mm")
    return f"{actor.name} #{actor.account_id} · {at}"


def init_app(app: Flask) -> None:
    """Offer the mark to the frame of all pages."""
    app.jinja_env.globals["print_mark"] = text
