"""Where a case comes from: a leader's note or news of the media."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import g
from flask_babel import format_date, format_datetime
from flask_babel import gettext as _

from grids.incidents.detail import CaseDetail

#: Who reads what a leader wrote: the seats of the command center and the department's desk.
READERS = ("command:view", "desk:view")


def origin_json(found: CaseDetail) -> dict[str, Any] | None:
    """Write the note or the news that a case began with, for those who may read it."""
    told = found.steps[0].event.data.get("origin") if found.steps else None
    if not told or not any(g.actor.can(permission) for permission in READERS):
        return None
    until, grade = told.get("until"), told.get("grade")
    return {
        "kind": told["kind"],
        "name": str(_(f"intake.origin_{told['kind']}")),
        "by": told.get("office") or told.get("medium") or "",
        "on": str(format_date(date.fromisoformat(told["on"]), "short")),
        "text": told.get("text") or told.get("title") or "",
        "link": told.get("link", ""),
        "grade": str(_(f"grade.{grade}")) if grade else "",
        "until": str(_("intake.origin_until", at=_instant(until))) if until else "",
    }


def _instant(text: str) -> str:
    return str(format_datetime(datetime.fromisoformat(text), "short"))
