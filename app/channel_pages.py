"""Transfers and the shift's alarms at the command center, and the frame they share with letters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces, workplaces
from app.auth import requires
from app.i18n import translated
from app.incident_answers import holder
from grids.channels import alarms, transfers
from grids.channels.models import DutyAlarm
from grids.errors import GridsError
from grids.incidents.listing import CaseRow, cases_of
from grids.watch import stuck

bp = Blueprint("channel_pages", __name__)

#: What an alarm is about -> its kinds.
GROUPS: Final = {
    "transfers": (transfers.LATE,),
    "stuck": tuple(f"{stuck.KIND}{cause}" for cause in stuck.CAUSES),
    "sending": ("receiver", "given_up", "letter_box"),
    "tables": ("reconcile",),
}
#: What the page says after an act that led back to it.
DONE: Final = ("acknowledged", "returned", "closed", "resent")


def page(template: str, **values: Any) -> str:
    """Render a page inside the frame that letters, transfers and alarms share."""
    menu = workplaces.group_of("channels.title", g.actor)
    return render_template(
        f"letters/{template}.html",
        menu=menu,
        waiting=workplaces.waiting_on(menu, g.session, g.actor),
        done=done if (done := request.args.get("done", "")) in DONE else "",
        by_language=faces.by_language,
        moment=faces.instant_words,
        now=datetime.now(UTC),
        left=_left,
        page_data={"city": {"zone": faces.settings().city_zone}},
        **values,
    )


def source_ip() -> str:
    """Return where the request comes from."""
    return request.remote_addr or ""


def _left(due_at: datetime) -> str:
    """Say how long is left, or how late it is."""
    seconds = (due_at - datetime.now(UTC)).total_seconds()
    span = _span(abs(seconds))
    return str(_("channels.late_by", span=span) if seconds < 0 else _("channels.left", span=span))


def error_words(error: str) -> str:
    """Say in the reader's language why a receiver did not take a message."""
    if not error:
        return ""
    if error.startswith("HTTP "):
        return str(_("sent.why_answer", answer=error))
    kind = error.partition(":")[0]
    name = {"OutgoingRefused": "unlisted", "OutgoingFailed": "down"}.get(kind, "other")
    return str(_(f"sent.why_{name}", error=error))


def _span(seconds: float) -> str:
    if seconds < 60:
        return str(_("channels.seconds", n=int(seconds)))
    return faces.span_words(seconds)


@bp.get("/command/transfers")
@requires("channel:answer")
def transfer_list() -> ResponseReturnValue:
    """List transfers: those that nobody has acknowledged, or those before."""
    return _transfers()


def _transfers(problem: str = "", about: str = "") -> str:
    is_waiting = request.args.get("state", "waiting") != "done"
    case = faces.form_id(request.args.get("case", ""))
    with g.session.begin():
        rows = transfers.listed(g.session, g.actor, is_waiting=is_waiting, case=case)
        return page(
            "transfers", rows=rows, is_waiting=is_waiting, case=case, reasons=transfers.reasons(),
            problem=problem, about=about,
        )  # fmt: skip


@bp.post("/command/transfers/<uuid:transfer_id>/acknowledge")
@requires("channel:answer")
def acknowledge(transfer_id: UUID) -> ResponseReturnValue:
    """Acknowledge a transfer; its sender is told."""
    return _answer(
        transfer_id,
        "acknowledged",
        lambda now: transfers.acknowledge(
            g.session, transfer_id, g.actor, now=now, source_ip=source_ip()
        ),
    )


@bp.post("/command/transfers/<uuid:transfer_id>/refuse")
@requires("channel:answer")
def refuse(transfer_id: UUID) -> ResponseReturnValue:
    """Send a transfer back with the reason."""
    form = request.form
    return _answer(
        transfer_id,
        "returned",
        lambda now: transfers.refuse(
            g.session, transfer_id, form.get("reason", ""), form.get("note", ""), g.actor,
            now=now, source_ip=source_ip(),
        ),
    )  # fmt: skip


def _answer(transfer_id: UUID, done: str, act: Any) -> ResponseReturnValue:
    try:
        with g.session.begin():
            act(datetime.now(UTC))
    except transfers.NoTransfer:
        raise
    except GridsError as refused:
        words = translated(f"error.{refused.code}", str(refused), **_named(refused))
        return _transfers(words, str(transfer_id)), 422
    return redirect(f"/command/transfers?done={done}", 303)


def _named(error: GridsError) -> dict[str, Any]:
    name = str(error.params.get("field") or "")
    return {"field_name": translated(f"field.{name}", name), **error.params}


@bp.get("/command/alarms")
@requires("watch:view")
def alarm_list() -> ResponseReturnValue:
    """List what the shift has to look at."""
    return _alarms()


def _alarms(problem: str = "", about: int = 0) -> str:
    with g.session.begin():
        found = alarms.open_alarms(g.session, g.actor)
        counts = {
            name: sum(alarm.kind in kinds for alarm in found) for name, kinds in GROUPS.items()
        }
        asked = request.args.get("about", "")
        shown = [one for one in found if asked not in GROUPS or one.kind in GROUPS[asked]]
        return page(
            "alarms", rows=_alarm_rows(shown), counts=counts, asked=asked,
            total=alarms.count_open(g.session, g.actor), problem=problem, about=about,
        )  # fmt: skip


@bp.post("/command/alarms/<int:alarm_id>/close")
@requires("watch:view")
def close(alarm_id: int) -> ResponseReturnValue:
    """Close an alarm with what was done."""
    try:
        with g.session.begin():
            alarms.close_alarm(
                g.session, alarm_id, request.form.get("note", ""), actor=g.actor,
                now=datetime.now(UTC), source_ip=source_ip(),
            )  # fmt: skip
    except alarms.NoDutyAlarm:
        raise
    except GridsError as refused:
        return _alarms(faces.message_of(refused), alarm_id), 422
    return redirect("/command/alarms?done=closed", 303)


def _alarm_rows(shown: Sequence[DutyAlarm]) -> list[dict[str, Any]]:
    """Write alarms with the case that each is about: what, where, who has it, how late."""
    now = datetime.now(UTC)
    ids = [one.incident_id for one in shown if one.incident_id]
    cases = {row.id: row for row in cases_of(g.session, g.actor, ids, now=now)}
    return [
        alarm_row(one, cases.get(one.incident_id) if one.incident_id else None) for one in shown
    ]


def _fact(name: str, value: Any) -> str:
    return error_words(str(value)) if name == "error" else str(value)


def _case_words(row: CaseRow) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "name": faces.by_language(row.category_zh, row.category_en),
        "place": row.address or row.grid_name or "",
        "status": str(_(f"status.{row.status}")),
        "holder": holder(row) or "",
        "left": faces.left_words(row.due_at, row.risk, now),
        "risk": row.risk,
    }


def alarm_row(alarm: DutyAlarm, case: CaseRow | None = None) -> dict[str, Any]:
    """Write an alarm for a page: what it is, whom it is about, since when, and the facts."""
    detail = dict(alarm.detail)
    facts = [
        (str(_(f"channels.fact_{name}")), _fact(name, detail[name]))
        for name in ("system", "error", "failures", "bad")
        if name in detail
    ]
    if first := detail.get("first"):
        facts.append((str(_("channels.fact_first")), ", ".join(map(str, first))))
    since = detail.get("since") or detail.get("due_at")
    subject = alarm.subject
    if alarm.kind == "reconcile":
        subject = str(_(f"channels.check_{alarm.subject}"))
    return {
        "id": alarm.id,
        "kind": alarm.kind,
        "title": str(_(f"channels.alarm_{alarm.kind}")),
        "subject": subject,
        "case": _case_words(case) if case else None,
        "incident_id": alarm.incident_id,
        "facts": facts,
        "since": faces.instant_words(datetime.fromisoformat(since)) if since else "",
        "opened": faces.instant_words(alarm.opened_at),
        "last": faces.instant_words(alarm.last_at),
        "count": alarm.count,
        "tone": "late" if alarm.kind in ("ack", "reconcile", "given_up") else "soon",
    }
