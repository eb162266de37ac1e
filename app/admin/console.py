"""The security administrator's console: alarms and what they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.admin import frame
from app.auth import policy, requires
from app.render import json_answer
from grids import accounts, signals
from grids.errors import GridsError
from grids.signals import console
from grids.signals.console import Figure
from grids.signals.models import ACKNOWLEDGED, CLOSED, OPEN, Alarm
from grids.signals.rules import RULES, Rule

bp = Blueprint("console", __name__)

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
SOON: Final = timedelta(days=30)
CHART_HOURS: Final = 48
PRESSING: Final = 6
#: The watch looks every minute; older figures are told as old.
LATE: Final = timedelta(minutes=5)
STATUSES: Final = (OPEN, ACKNOWLEDGED, CLOSED)
TONES: Final = {"high": "late", "medium": "soon", "low": ""}


@bp.get("/admin/console")
@requires("admin:security")
def page() -> ResponseReturnValue:
    """Show what happened, what is weak and what asks for an answer."""
    now = datetime.now(UTC)
    lasts = policy().password.lasts
    with g.session.begin():
        looked_at = console.looked_at(g.session)
        lists = _lists(now)
        alarms = signals.pressing(g.session, most=PRESSING)
        grants = accounts.expiring_grants(g.session, now=now, within=SOON)
        names = console.names_of(
            g.session,
            console.account_ids(
                [*alarms, *grants, *(row for rows in lists.values() for row in rows)]
            ),
        )
        chart = console.by_hour(g.session, "failed", "source", now=now, hours=CHART_HOURS)
        return frame.page(
            "console",
            looked_at=frame.moment(looked_at),
            is_late=looked_at is None or now - looked_at > LATE,
            alarms=[alarm_row(alarm, names) for alarm in alarms],
            counts=signals.counts(g.session),
            chart_data=frame.bars(chart),
            lists={name: [_figure(row, names) for row in rows] for name, rows in lists.items()},
            weak=console.weak_counts(g.session, now=now, lasts=lasts),
            locked=console.locked_count(g.session, now),
            grants=[
                {
                    "account_id": grant.account_id,
                    "who": who(grant.account_id, names),
                    "role": role_text(grant.role),
                    "until": grant.valid_to,
                }
                for grant in grants
            ],
        )


def _lists(now: datetime) -> dict[str, list[Figure]]:
    """Read the tables of the console."""
    zone = faces.settings().city_zone
    return {
        "failed_account": console.figures(g.session, "failed", "account", since=now - DAY),
        "failed_source": console.figures(g.session, "failed", "source", since=now - DAY),
        "read": console.figures(g.session, "read", "account", since=now - DAY),
        "denied": console.figures(g.session, "denied", "account", since=now - DAY),
        "locked": console.figures(g.session, "locked", "account", since=now - WEEK),
        "night": console.night_exports(g.session, since=now - WEEK, zone=zone),
    }


@bp.get("/admin/alarms")
@requires("admin:security")
def alarms() -> ResponseReturnValue:
    """List the alarms of one status, newest first."""
    asked = frame.wanted("status")
    status = asked if asked in STATUSES else OPEN
    with g.session.begin():
        found = signals.list_alarms(g.session, status, after=frame.whole(frame.wanted("after")))
        names = console.names_of(g.session, console.account_ids(found.items))
        return frame.page(
            "alarms",
            rows=[alarm_row(alarm, names) for alarm in found.items],
            status=status,
            counts=signals.counts(g.session),
            next_url=url_for(".alarms", status=status, after=found.next) if found.next else "",
            rules=[_rule(rule) for rule in RULES.values()],
        )


@bp.get("/admin/alarms/<int:alarm_id>")
@requires("admin:security")
def alarm(alarm_id: int) -> ResponseReturnValue:
    """Show one alarm: what happened, and its answer."""
    return _alarm(alarm_id)


@bp.post("/admin/alarms/<int:alarm_id>/acknowledge")
@requires("admin:security")
def acknowledge(alarm_id: int) -> ResponseReturnValue:
    """Note that the caller looks into an alarm."""
    with g.session.begin():
        signals.acknowledge(g.session, alarm_id, **_caller())
    return redirect(url_for(".alarm", alarm_id=alarm_id), 303)


@bp.post("/admin/alarms/<int:alarm_id>/close")
@requires("admin:security")
def close(alarm_id: int) -> ResponseReturnValue:
    """Close an alarm with what was found, or say what is missing."""
    note = request.form.get("note", "")
    try:
        with g.session.begin():
            signals.close(g.session, alarm_id, note, **_caller())
    except signals.NoteNeeded as error:
        return _alarm(alarm_id, error=error), 422
    return redirect(url_for(".alarm", alarm_id=alarm_id), 303)


@bp.get("/admin/api/alarms")
@requires("admin:security")
def alarm_counts() -> ResponseReturnValue:
    """Give how many alarms wait, for the count in the head of the page."""
    with g.session.begin():
        return json_answer(signals.counts(g.session))


@bp.get("/admin/console/accounts")
@requires("admin:security")
def weak() -> ResponseReturnValue:
    """List accounts that are weak or stale, one kind at a time."""
    now = datetime.now(UTC)
    lasts = policy().password.lasts
    asked = frame.wanted("kind")
    kind = asked if asked in console.WEAKNESSES else console.WEAKNESSES[0]
    with g.session.begin():
        found = console.weak_accounts(
            g.session, kind, now=now, lasts=lasts, after=frame.wanted("after")
        )
        return frame.page(
            "weak",
            kind=kind,
            kinds=[name for name in console.WEAKNESSES if lasts or name != "old_password"],
            counts=console.weak_counts(g.session, now=now, lasts=lasts),
            rows=found.items,
            next_url=url_for(".weak", kind=kind, after=found.next) if found.next else "",
        )


def _alarm(alarm_id: int, error: GridsError | None = None) -> str:
    with g.session.begin():
        found = signals.one(g.session, alarm_id)
        ids = {found.account_id, found.acknowledged_by, found.closed_by} - {None}
        names = console.names_of(g.session, {one for one in ids if one is not None})
        return frame.page(
            "alarm",
            alarm=alarm_row(found, names),
            error=faces.message_of(error) if error else "",
            note=request.form.get("note", "") if error else "",
        )


def alarm_row(alarm: Alarm, names: dict[int, tuple[str, str]]) -> dict[str, Any]:
    """Write an alarm for a page."""
    rule = RULES.get(alarm.rule)
    weight = rule.weight if rule else "low"
    return {
        "id": alarm.id,
        "title": _(f"signal.{alarm.rule}"),
        "hint": _(f"signal.{alarm.rule}.hint", **_limits(rule)) if rule else "",
        "weight": weight,
        "tone": TONES[weight],
        "status": alarm.status,
        "subject": subject_text(alarm.subject, names),
        "account_id": alarm.account_id,
        "count": alarm.count,
        "unit": _(f"signal.unit_{rule.statement}", n=alarm.count) if rule else alarm.count,
        "detail": _detail(alarm.detail),
        "opened_at": frame.moment(alarm.opened_at),
        "first_at": frame.exactly(alarm.first_at),
        "last_at": frame.exactly(alarm.last_at),
        "last_short": faces.instant_words(alarm.last_at),
        "acknowledged_at": frame.moment(alarm.acknowledged_at),
        "acknowledged_by": who(alarm.acknowledged_by, names),
        "closed_at": frame.moment(alarm.closed_at),
        "closed_by": who(alarm.closed_by, names),
        "note": alarm.note,
    }


def subject_text(subject: str, names: dict[int, tuple[str, str]]) -> str:
    """Write whom or what a figure is about."""
    kind, _colon, value = subject.partition(":")
    if kind == "account" and value.isdecimal():
        return who(int(value), names)
    return str(_("admin.source", address=value)) if kind == "source" else subject


def who(account_id: int | None, names: dict[int, tuple[str, str]]) -> str:
    """Write an account with its name and login."""
    if account_id is None:
        return ""
    login, name = names.get(account_id, (f"#{account_id}", ""))
    return f"{name} ({login})" if name and name != login else login


def role_text(role: str) -> str:
    """Write a role in the reader's language."""
    return str(_(f"role.{role}"))


def _figure(row: Figure, names: dict[int, tuple[str, str]]) -> dict[str, Any]:
    return {
        "subject": subject_text(row.subject, names),
        "count": row.count,
        "last": faces.instant_words(row.last_hour),
    }


def _detail(detail: dict[str, Any]) -> Sequence[tuple[str, str]]:
    """Write what a rule noted besides the count."""
    return [
        (
            str(_(f"signal.detail_{name}")),
            ", ".join(map(str, value)) if isinstance(value, list) else str(value),
        )
        for name, value in sorted(detail.items())
    ]


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "title": _(f"signal.{rule.name}"),
        "hint": _(f"signal.{rule.name}.hint", **_limits(rule)),
        "tone": TONES[rule.weight],
        "weight": rule.weight,
    }


def _limits(rule: Rule | None) -> dict[str, int]:
    if rule is None:
        return {}
    return {"least": rule.least, "minutes": int(rule.window.total_seconds() // 60)}


def _caller() -> dict[str, Any]:
    return {
        "actor_id": g.actor.account_id,
        "now": datetime.now(UTC),
        "source_ip": frame.source_ip(),
    }
