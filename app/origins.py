"""Where a case comes from and where it went outside: a leader's note, news, a party's link."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import g, url_for
from flask_babel import format_date, format_datetime
from flask_babel import gettext as _

from grids.channels import letters, links, transfers
from grids.incidents.detail import CaseDetail
from grids.outbox import log

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


def link_json(found: CaseDetail) -> dict[str, str] | None:
    """Write where the link of a hand-over is made, for who answers for the case."""
    if not links.may_link(found):
        return None
    url = url_for("outside.staff_page", incident_id=found.row.id)
    return {"url": url, "name": str(_("handover.open_page"))}


def ways_json(found: CaseDetail) -> list[dict[str, str]]:
    """Write the pages of a case's channels: its letter, its transfer, what was sent about it."""
    ways = []
    case = found.row.id
    if g.actor.can("letter:view") and found.row.channel == "letter":
        letter = letters.of_case(g.session, g.actor, case)
        if letter:
            ways.append(_way("mail", f"/command/letters/{letter}", _("letter.of_case")))
    if g.actor.can("channel:answer"):
        if found.row.channel == "system" and transfers.listed(g.session, g.actor, case=case):
            ways.append(
                _way("package-export", f"/command/transfers?case={case}", _("channels.of_case"))
            )
        if sent := len(log.of_case(g.session, g.actor, case)):
            ways.append(_way("send", f"/command/sent?case={case}", _("sent.of_case_n", n=sent)))
    return ways


def _way(icon: str, url: str, name: object) -> dict[str, str]:
    return {"icon": icon, "url": url, "name": str(name)}


def _instant(text: str) -> str:
    return str(format_datetime(datetime.fromisoformat(text), "short"))
