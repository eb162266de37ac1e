"""What was sent about cases: to other systems, to reporters, and what of it failed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.auth import requires
from app.channel_pages import error_words, page, source_ip
from app.i18n import translated
from grids.outbox import log
from grids.outbox.models import Receiver

bp = Blueprint("sent", __name__)

TONES: Final = {"failed": "late", "retrying": "soon", "waiting": "", "sent": "ok", "cancelled": ""}
LONGEST_CODE: Final = 80


@bp.get("/command/sent")
@requires("channel:answer")
def listed() -> ResponseReturnValue:
    """List what was sent in one tray, or everything about one case."""
    return _page()


def _page(problem: str = "", about: UUID | None = None) -> str:
    case = faces.form_id(request.args.get("case", ""))
    tray = request.args.get("state", log.FAILED)
    tray = tray if tray in log.TRAYS else log.FAILED
    receiver = request.args.get("receiver", "")[:LONGEST_CODE]
    with g.session.begin():
        found = (
            log.Sent(log.of_case(g.session, g.actor, case), "")
            if case
            else log.listed(
                g.session, g.actor, tray, receiver=receiver,
                after=request.args.get("after", "")[:LONGEST_CODE],
            )
        )  # fmt: skip
        return page(
            "sent",
            rows=[_row(one) for one in found.rows],
            next=found.next,
            tray=tray,
            trays=log.TRAYS,
            counts=log.counts(g.session, g.actor),
            receiver=receiver,
            receivers=[(one.code, _name(one)) for one in log.receivers(g.session)],
            case=case,
            problem=problem,
            about=about,
        )


@bp.post("/command/sent/<uuid:message_id>/retry")
@requires("channel:answer")
def retry(message_id: UUID) -> ResponseReturnValue:
    """Send one message again at once."""
    try:
        with g.session.begin():
            log.resend(g.session, message_id, g.actor, now=datetime.now(UTC), source_ip=source_ip())
    except log.MessageOver as refused:
        return _page(faces.message_of(refused), message_id), 422
    case = faces.form_id(request.form.get("case", ""))
    place = f"case={case}" if case else "state=waiting"
    return redirect(f"/command/sent?{place}&done=resent", 303)


def _name(receiver: Receiver) -> str:
    return faces.by_language(receiver.name_zh, receiver.name_en)


def _row(one: log.Sending) -> dict[str, Any]:
    shown = _shown_state(one)
    return {
        "id": one.id,
        "case": one.incident_id,
        "number": one.number,
        "category": faces.by_language(one.category_zh, one.category_en),
        "receiver": faces.by_language(one.receiver_zh, one.receiver_en),
        "receiver_kind": str(_(f"channels.kind_{one.receiver_kind}")),
        "what": _what(one),
        "state": str(_(f"sent.state_{shown}")),
        "tone": TONES[shown],
        "why": _why(one),
        "tries": one.tries,
        "at": faces.instant_words(one.ended_at or one.created_at),
        "next": faces.instant_words(one.next_at) if shown == "retrying" else "",
        "receipt": one.receipt,
        "may_resend": one.may_resend,
    }


def _shown_state(one: log.Sending) -> str:
    if one.state == "given_up":
        return "failed"
    if one.state == "pending":
        return "retrying" if one.error else "waiting"
    return one.state


def _what(one: log.Sending) -> str:
    """Say what was told: a state of the case where it is one, else the occasion."""
    if one.kind == "status" and one.status:
        told = translated(f"status.{one.status}", one.status)
        return str(_("sent.kind_status_is", status=told))
    return translated(f"sent.kind_{one.kind}", str(_("sent.kind_other")))


def _why(one: log.Sending) -> str:
    """Say why it is not there: the receiver's answer as it came, or our own reason in words."""
    if one.error:
        return error_words(one.error)
    return translated(f"sent.reason_{one.reason}", one.reason) if one.reason else ""
