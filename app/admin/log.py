"""The audit administrator's face: the log, its chain, and taking a copy away."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, g, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app import faces
from app.admin import frame
from app.admin.console import who
from app.auth import requires
from app.i18n import translated
from gis.formats import safe_cell
from grids import audit
from grids.audit import ACTIONS, Entries, Entry, Filters
from grids.errors import Invalid
from grids.scope import follow_caller
from grids.signals import console

bp = Blueprint("log", __name__)

PAGE: Final = 50
NONE: Final = Entries((), None)
PIECE: Final = 1_000
#: What one file holds at most; the next one starts where it ends.
MOST_EXPORTED: Final = 500_000
SHORTEST_REASON: Final = 4
LONGEST_REASON: Final = 200
COLUMNS: Final = (
    "at", "id", "actor_id", "login", "action", "action_text", "subject", "success", "source",
    "detail",
)  # fmt: skip


class ReasonNeeded(Invalid):
    """Whoever takes a copy of the audit log away says what for."""

    code = "audit.reason"


@bp.get("/admin/audit")
@requires("admin:audit")
def page() -> ResponseReturnValue:
    """Show the log, newest first; that somebody reads it is itself an act."""
    return _page()


def _page(error: str = "") -> str:
    with g.session.begin():
        filters, unknown = _filters()
        found = _read(g.session, filters, frame.wanted("after"), PAGE) if not unknown else NONE
        audit.record(
            g.session,
            "audit_read",
            actor_id=g.actor.account_id,
            source_ip=frame.source_ip(),
            detail={**_narrowed(filters), "rows": len(found.rows)},
        )
        names = console.names_of(g.session, _accounts_in(found.rows))
        kept: dict[str, Any] = {
            name: value for name, value in request.args.items() if name != "after" and value
        }
        next_url = url_for(".page", **kept, after=found.after) if found.after else ""
        return frame.page(
            "log",
            rows=[event_row(event, names) for event in found.rows],
            next_url=next_url,
            kept=kept,
            is_first=not request.args.get("after"),
            kinds=kinds(),
            unknown_actor=unknown,
            error=error,
        )


def _read(session: Session, filters: Filters, after: str, limit: int) -> Entries:
    return audit.entries(session, filters, after=after or None, limit=limit)


def _narrowed(filters: Filters) -> dict[str, Any]:
    """Write the filters that hold, as they are noted when the log is read."""
    found = {
        "actor": filters.actor_id,
        "actions": list(filters.actions),
        "kinds": list(filters.kinds),
        "subject": filters.subject,
        "from": filters.from_at.isoformat() if filters.from_at else None,
        "to": filters.to_at.isoformat() if filters.to_at else None,
        "is_success": filters.is_success,
    }
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def kinds() -> list[dict[str, Any]]:
    """Group the acts of the catalogue by kind, in both languages' words."""
    names = dict.fromkeys(action.kind for action in ACTIONS.values())
    return [
        {
            "id": kind,
            "name": _(f"audit_kind.{kind}"),
            "actions": [
                {"id": one.name, "name": action_text(one.name)}
                for one in ACTIONS.values()
                if one.kind == kind
            ],
        }
        for kind in names
    ]


def _filters() -> tuple[Filters, bool]:
    """Read the filters of the address; say also whether they name somebody unknown."""
    action, words = frame.wanted("action"), frame.wanted("who")
    kind = action.removeprefix("kind:") if action.startswith("kind:") else ""
    actor_id = console.account_named(g.session, words) if words else None
    filters = Filters(
        actions=(action,) if action in ACTIONS else (),
        kinds=(kind,) if kind else (),
        actor_id=actor_id,
        subject=frame.wanted("subject"),
        is_success={"yes": True, "no": False}.get(frame.wanted("success")),
        from_at=_day(frame.wanted("from")),
        to_at=_day(frame.wanted("to"), days=1),
    )
    return filters, bool(words) and actor_id is None


def _day(text: str, *, days: int = 0) -> datetime | None:
    """Read a day of the city's calendar as the instant at which it begins."""
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    zone = ZoneInfo(faces.settings().city_zone)
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def event_row(event: Entry, names: dict[int, tuple[str, str]]) -> dict[str, Any]:
    """Write one act for a reader."""
    return {
        "id": event.id,
        "at": frame.exactly(event.at),
        "at_iso": event.at.isoformat(),
        "who": who(event.actor_id, names) or _("admin.nobody"),
        "action": action_text(event.action),
        "kind": event.kind,
        "subject": subject_words(event.subject, names),
        "is_success": event.is_success,
        "source": event.source_ip or "–",
        "detail": [(translated(f"audit_detail.{key}", key), plain(value))
                   for key, value in sorted(event.detail.items())],
    }  # fmt: skip


def action_text(action: str) -> str:
    """Write an act in the reader's language."""
    return translated(f"audit.{action}", action)


def subject_words(subject: str, names: dict[int, tuple[str, str]]) -> str:
    """Write what an act was done to: its kind in words, its id as it stands."""
    kind, value = _parts(subject)
    if not value:
        return subject
    word = translated(f"audit_subject.{kind}", kind)
    if kind == "account" and value.isdecimal() and int(value) in names:
        return f"{word} {who(int(value), names)}"
    return f"{word} {value}"


def _parts(subject: str) -> tuple[str, str]:
    """Split a subject into what it is and which one."""
    kind, _mark, value = subject.replace(" ", ":", 1).partition(":")
    return kind, value


def plain(value: Any) -> str:
    """Write a value of an act's detail on one line."""
    if isinstance(value, bool):
        return str(_("admin.yes") if value else _("admin.no"))
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}={plain(one)}" for key, one in value.items())
    return "–" if value is None else str(value)


def _accounts_in(events: Iterable[Entry]) -> set[int]:
    found = {event.actor_id for event in events if event.actor_id is not None}
    for event in events:
        kind, value = _parts(event.subject)
        if kind == "account" and value.isdecimal():
            found.add(int(value))
    return found


@bp.post("/admin/audit/export")
@requires("admin:audit", step_up=True)
def export() -> ResponseReturnValue:
    """Give what the filters leave as CSV. The reason stands in the log before the first row."""
    reason = " ".join(request.form.get("reason", "").split())[:LONGEST_REASON]
    if len(reason) < SHORTEST_REASON:
        error = ReasonNeeded("say what the copy is for", field="reason", length=SHORTEST_REASON)
        return _page(faces.message_of(error)), 422
    with g.session.begin():
        filters, unknown = _filters()
        audit.record(
            g.session,
            "audit_exported",
            actor_id=g.actor.account_id,
            source_ip=frame.source_ip(),
            detail={**_narrowed(filters), "reason": reason, "format": "csv"},
        )
    rows = iter(()) if unknown else _events(filters)
    # Its language and caller stay while the file is read.
    answer = Response(stream_with_context(_csv(rows)), mimetype="text/csv")
    name = f"audit-{datetime.now(UTC):%Y%m%d-%H%M%S}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _events(filters: Filters) -> Iterator[tuple[Entry, str]]:
    """Read the acts with the login of who acted, a piece at a time, in one transaction.

    The session of the request ends before the file is read; this one is told who asks.
    """
    make, actor = current_app.extensions.get("make_session"), g.actor
    logins: dict[int, tuple[str, str]] = {}
    after, left = "", MOST_EXPORTED
    with make() if make else Session(current_app.extensions["engine"]) as session:
        follow_caller(session, lambda: actor)
        while left > 0:
            found = _read(session, filters, after, PIECE)
            fresh = _accounts_in(found.rows) - logins.keys()
            logins.update(console.names_of(session, fresh))
            for event in found.rows:
                yield event, logins.get(event.actor_id or 0, ("", ""))[0]
            left -= len(found.rows)
            if found.after is None:
                return
            after = found.after


def _csv(rows: Iterator[tuple[Entry, str]]) -> Iterator[str]:
    """Write the file piece by piece; cells that a spreadsheet would run are made harmless."""
    texts = {name: action_text(name) for name in ACTIONS}
    out = io.StringIO()
    writer = csv.writer(out)
    # The mark lets spreadsheets read the Chinese texts as UTF-8.
    out.write("\ufeff")
    writer.writerow(COLUMNS)

    for number, (event, login) in enumerate(rows, 1):
        writer.writerow(_cells(event, login, texts))
        if number % PIECE == 0:
            yield _taken(out)
    yield _taken(out)


def _cells(event: Entry, login: str, texts: dict[str, str]) -> list[str]:
    detail = "; ".join(f"{key}={plain(value)}" for key, value in sorted(event.detail.items()))
    cells = (
        event.at.astimezone(UTC).isoformat(), str(event.id), str(event.actor_id or ""), login,
        event.action, texts.get(event.action, event.action), event.subject,
        "yes" if event.is_success else "no", event.source_ip, detail,
    )  # fmt: skip
    return [safe_cell(cell) for cell in cells]


def _taken(out: io.StringIO) -> str:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text
