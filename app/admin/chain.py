"""The chain over the audit log: how far it is sealed, what was signed, what checks found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import Blueprint, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.admin import frame
from app.admin.console import who
from app.auth import requires
from app.i18n import translated
from grids import audit
from grids.audit import AuditCheck, ChainState
from grids.audit.jobs import request_verification
from grids.signals import console

bp = Blueprint("chain", __name__)

#: A check that has not ended by then was lost with its worker.
GIVEN_UP: Final = timedelta(hours=1)


@bp.get("/admin/audit/chain")
@requires("admin:audit")
def page() -> ResponseReturnValue:
    """Show how far the log is sealed, the heads that were signed and what checks found."""
    with g.session.begin():
        state = audit.chain_state(g.session)
        heads = audit.heads(g.session, limit=14)
        checks = audit.checks(g.session)
        names = console.names_of(g.session, {c.asked_by for c in checks if c.asked_by is not None})
        return frame.page(
            "chain",
            figures=_chain_figures(state),
            facts=_chain_facts(state),
            heads=[
                {
                    "made_at": head.made_at,
                    "kind_name": translated(f"admin.head_{head.kind}", head.kind),
                    "events": head.events,
                }
                for head in heads
            ],
            checks=[_check(check, names) for check in checks],
            is_running=bool(checks) and checks[0].ended_at is None and _is_young(checks[0]),
        )


@bp.post("/admin/audit/chain/verify")
@requires("admin:audit")
def verify() -> ResponseReturnValue:
    """Ask for a verification of the whole log; the worker does it, the page shows the result."""
    with g.session.begin():
        number = request_verification(g.session, actor_id=g.actor.account_id, now=datetime.now(UTC))
        audit.record(
            g.session,
            "audit_verified",
            actor_id=g.actor.account_id,
            subject=f"audit_check:{number}",
            source_ip=frame.source_ip(),
        )
    return redirect(url_for(".page"), 303)


def _is_young(check: AuditCheck) -> bool:
    """Say whether a check may still run: one that a dead worker left is asked for again."""
    return datetime.now(UTC) - check.asked_at < GIVEN_UP


def _chain_figures(state: ChainState) -> list[dict[str, Any]]:
    last = state.last_check
    return [
        {"value": state.events, "label": _("admin.ch_events"), "is_good": True},
        {"value": state.links, "label": _("admin.ch_links"), "is_good": True},
        {"value": state.waiting, "label": _("admin.ch_waiting"), "is_good": state.is_alive},
        {
            "value": _("admin.ch_alive" if state.is_alive else "admin.ch_silent"),
            "label": _("admin.ch_sealer"),
            "is_good": state.is_alive,
        },
        {
            "value": _("admin.ch_never") if last is None or last.ended_at is None
            else _("admin.ch_broken" if last.problem else "admin.ch_whole"),
            "label": _("admin.ch_last_check"),
            "is_good": last is None or not last.problem,
        },
    ]  # fmt: skip


def _chain_facts(state: ChainState) -> list[tuple[str, str]]:
    head = state.last_head
    return [
        (_("admin.ch_sealed_at"), frame.exactly(state.sealed_at) if state.sealed_at else "–"),
        (_("admin.ch_seen_at"), frame.exactly(state.seen_at) if state.seen_at else "–"),
        (_("admin.ch_limit"), _("admin.pol_s", n=state.limit_s)),
        (_("admin.ch_head"), frame.exactly(head.made_at) if head else "–"),
        (
            _("admin.ch_head_no"),
            _("admin.ch_head_at", n=head.no, events=head.events) if head else "–",
        ),
    ]


def _check(check: AuditCheck, names: dict[int, tuple[str, str]]) -> dict[str, Any]:
    """Write a verification and what it found."""
    is_over = check.ended_at is not None
    tone = ("bad" if check.problem else "good") if is_over else ""
    text = _("admin.check_running" if _is_young(check) else "admin.check_lost")
    if is_over:
        text = (
            translated(f"audit_problem.{check.problem}", check.problem)
            if check.problem
            else _("admin.ch_whole")
        )
    more = ""
    if check.problem:
        more = _(
            "admin.check_row",
            id=check.row_id or "?",
            at=frame.exactly(check.row_at) if check.row_at else "?",
            position=check.position or "?",
        )
    return {
        "asked_at": check.asked_at,
        "by": who(check.asked_by, names) or _("admin.nobody"),
        "ended_at": check.ended_at,
        "events": check.events,
        "tone": tone,
        "text": text,
        "more": more,
    }
