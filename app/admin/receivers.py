"""Who is told what happens to cases: receivers, other systems, and what needs a look."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.admin import frame
from app.auth import requires
from app.channel_pages import alarm_row, error_words
from grids.channels import alarms, letters, systems
from grids.errors import GridsError
from grids.outbox import state
from grids.outbox.models import HELD
from grids.outbox.state import ReceiverState
from grids.watch import reconcile

bp = Blueprint("receivers", __name__)

TONES: Final = {"good": "ok", "resting": "soon", "failing": "late", "held": "soon", "off": ""}
ACTS: Final = ("hold", "resume", "retry")


@bp.get("/admin/receivers")
@requires("admin:system")
def page() -> ResponseReturnValue:
    """Show every receiver, the other systems, the letter box, the last comparison and alarms."""
    return _page()


def _page(problem: str = "", about: int = 0) -> str:
    now = datetime.now(UTC)
    with g.session.begin():
        rows = [_row(one, now) for one in state.states(g.session)]
        report = reconcile.latest(g.session)
        return frame.page(
            "receivers",
            as_of=faces.seconds_words(now),
            rows=rows,
            figures=[
                {"value": sum(r["waiting"] for r in rows), "label": _("channels.fig_waiting"),
                 "tone": ""},
                {"value": sum(r["given_up"] for r in rows), "label": _("channels.fig_given_up"),
                 "tone": "late"},
                {"value": sum(r["state"] == "failing" for r in rows),
                 "label": _("channels.fig_failing"), "tone": "late"},
                {"value": alarms.count_open(g.session, g.actor, kinds=alarms.TECHNICAL),
                 "label": _("channels.fig_alarms"), "tone": "soon"},
            ],
            systems=systems.listed(g.session),
            receiver_names={row["code"]: row["name"] for row in rows},
            boxes=letters.boxes(g.session),
            report=report,
            checks=report.checks if report else (),
            alarms=[
                alarm_row(one)
                for one in alarms.open_alarms(g.session, g.actor, kinds=alarms.TECHNICAL)
            ],
            of_cases=alarms.count_open(g.session, g.actor)
            - alarms.count_open(g.session, g.actor, kinds=alarms.TECHNICAL),
            by_language=faces.by_language,
            problem=problem,
            about=about,
        )  # fmt: skip


@bp.post("/admin/receivers/<code>/<any(hold, resume, retry):act>")
@requires("admin:system")
def change(code: str, act: str) -> ResponseReturnValue:
    """Pause a receiver, resume it, or send at once what waits or was given up."""
    now = datetime.now(UTC)
    with g.session.begin():
        if act == "hold":
            state.hold(g.session, code, actor_id=g.actor.account_id)
        elif act == "resume":
            state.resume(g.session, code, actor_id=g.actor.account_id)
        else:
            state.retry(g.session, code, actor_id=g.actor.account_id, now=now)
    return redirect("/admin/receivers", 303)


@bp.post("/admin/receivers/alarms/<int:alarm_id>/close")
@requires("admin:system")
def close(alarm_id: int) -> ResponseReturnValue:
    """Close an alarm with what was done."""
    try:
        with g.session.begin():
            alarms.close_alarm(
                g.session, alarm_id, request.form.get("note", ""), actor=g.actor,
                now=datetime.now(UTC), source_ip=frame.source_ip(), kinds=alarms.TECHNICAL,
            )  # fmt: skip
    except alarms.NoDutyAlarm:
        raise
    except GridsError as refused:
        return _page(faces.message_of(refused), alarm_id), 422
    return redirect("/admin/receivers#alarms", 303)


def _row(one: ReceiverState, now: datetime) -> dict[str, Any]:
    receiver = one.receiver
    name = _state(one, now)
    return {
        "code": receiver.code,
        "name": faces.by_language(receiver.name_zh, receiver.name_en),
        "kind": receiver.kind,
        "state": name,
        "tone": TONES[name],
        "until": frame.moment(receiver.paused_until) if name in ("resting", "failing") else "",
        "waiting": one.counts.get("pending", 0),
        "given_up": one.counts.get("given_up", 0),
        "sent": one.counts.get("sent", 0),
        "oldest": frame.moment(one.oldest_at) if one.oldest_at else "",
        "sent_at": frame.moment(receiver.sent_at) if receiver.sent_at else "",
        "error": error_words(receiver.last_error),
        "failures": receiver.failures,
    }


def _state(one: ReceiverState, now: datetime) -> str:
    receiver = one.receiver
    if not receiver.is_active:
        return "off"
    if receiver.paused_until == HELD:
        return "held"
    if receiver.failures:
        return "failing"
    if receiver.paused_until is not None and receiver.paused_until > now:
        return "resting"
    return "good"
