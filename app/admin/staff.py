"""The system administrator's work with accounts: made, closed, unlocked, their sessions ended.

What an account may do is none of it: roles are the security administrator's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app import faces
from app.account import device_of
from app.admin import frame
from app.auth import requires
from app.errors import status_of
from grids import accounts
from grids.errors import GridsError, NotFound
from grids.signals import staff

bp = Blueprint("staff", __name__)


@bp.get("/admin/accounts")
@requires("admin:system")
def accounts_list() -> ResponseReturnValue:
    """List accounts by login, narrowed and searched."""
    now = datetime.now(UTC)
    words, asked = frame.wanted("q"), frame.wanted("show")
    show = asked if asked in staff.SHOWN else staff.SHOWN[0]
    with g.session.begin():
        found = staff.people(
            g.session, now=now, words=words, show=show, after=frame.wanted("after")
        )
        return frame.page(
            "accounts",
            rows=found.items,
            show=show,
            q=words,
            counts=staff.counts(g.session, now=now, words=words),
            next_url=url_for(".accounts_list", show=show, q=words or None, after=found.next)
            if found.next
            else "",
        )


@bp.get("/admin/accounts/new")
@requires("admin:system")
def new() -> ResponseReturnValue:
    """Show the form of a new account."""
    with g.session.begin():
        return frame.page("account_new", form={}, errors={})


@bp.post("/admin/accounts")
@requires("admin:system", step_up=True)
def create() -> ResponseReturnValue:
    """Make an account and show its one-time password, this once."""
    form = {name: request.form.get(name, "").strip() for name in ("login", "name")}
    try:
        with g.session.begin():
            made, password = accounts.create(
                g.session,
                login=form["login"],
                name=form["name"],
                by=g.actor.account_id,
                now=datetime.now(UTC),
                source_ip=frame.source_ip(),
            )
            account_id = made.id
    except GridsError as error:
        with g.session.begin():
            errors = faces.field_errors(error)
            return frame.page("account_new", form=form, errors=errors), status_of(error)
    return _secret(account_id, password), 201


@bp.get("/admin/accounts/<int:account_id>")
@requires("admin:system")
def account(account_id: int) -> ResponseReturnValue:
    """Show one account: its state, its sessions and what can be done."""
    return _account(account_id)


def _account(account_id: int, error: str = "") -> str:
    now = datetime.now(UTC)
    with g.session.begin():
        found = accounts.account_of(g.session, account_id, now=now)
        done = frame.wanted("done")
        return frame.page(
            "account",
            account=found,
            roles=[_(f"role.{role}") for role in found.roles],
            sessions=[
                {**asdict(one), "device": device_of(one.agent)}
                for one in accounts.sessions_of(
                    g.session, account_id, now=now, current=g.session_hash
                )
            ],
            is_self=account_id == g.actor.account_id,
            done=_(f"admin.done_{done}") if done in DONE else "",
            error=error,
        )


DONE = frozenset({"unlock", "disable", "enable", "reset_factor", "ended"})


@bp.post("/admin/accounts/<int:account_id>/unlock")
@requires("admin:system")
def unlock(account_id: int) -> ResponseReturnValue:
    """End the wait after failed sign-ins."""
    return _act(account_id, "unlock", lambda s, **k: accounts.unlock(s, account_id, **k))


@bp.post("/admin/accounts/<int:account_id>/disable")
@requires("admin:system")
def disable(account_id: int) -> ResponseReturnValue:
    """Close an account at once, with its sessions and tokens. It must never have to wait."""
    return _act(account_id, "disable", lambda s, **k: accounts.disable(s, account_id, **k))


@bp.post("/admin/accounts/<int:account_id>/enable")
@requires("admin:system", step_up=True)
def enable(account_id: int) -> ResponseReturnValue:
    """Open an account again."""

    def run(session: Session, *, by: int, now: datetime, source_ip: str) -> None:  # noqa: ARG001 - one form of all acts
        accounts.enable(session, account_id, by=by, source_ip=source_ip)

    return _act(account_id, "enable", run)


@bp.post("/admin/accounts/<int:account_id>/reset-second-factor")
@requires("admin:system", step_up=True)
def reset_second_factor(account_id: int) -> ResponseReturnValue:
    """Take a lost authenticator away."""
    return _act(
        account_id,
        "reset_factor",
        lambda s, **k: accounts.reset_second_factor(s, account_id, **k),
    )


@bp.post("/admin/accounts/<int:account_id>/reset-password")
@requires("admin:system", step_up=True)
def reset_password(account_id: int) -> ResponseReturnValue:
    """Draw a one-time password and show it, this once."""
    try:
        with g.session.begin():
            password = accounts.reset_password(g.session, account_id, **_caller())
    except GridsError as error:
        return _refused(account_id, error)
    return _secret(account_id, password)


@bp.post("/admin/accounts/<int:account_id>/sessions/<int:session_id>/end")
@requires("admin:system")
def end_session(account_id: int, session_id: int) -> ResponseReturnValue:
    """End one session of an account."""

    def run(session: Session, *, by: int, now: datetime, source_ip: str) -> None:  # noqa: ARG001 - one form of all acts
        accounts.end_session(session, account_id, session_id, by=by, source_ip=source_ip)

    return _act(account_id, "ended", run)


@bp.post("/admin/accounts/<int:account_id>/sessions/end")
@requires("admin:system")
def end_sessions(account_id: int) -> ResponseReturnValue:
    """End every session of an account; the caller's own present one stays."""

    def run(session: Session, *, by: int, now: datetime, source_ip: str) -> None:
        for one in accounts.sessions_of(session, account_id, now=now, current=g.session_hash):
            if not one.is_current:
                accounts.end_session(session, account_id, one.id, by=by, source_ip=source_ip)

    return _act(account_id, "ended", run)


def _act(account_id: int, done: str, run: Callable[..., Any]) -> ResponseReturnValue:
    """Do one thing to an account and go back to its page, or say there why not."""
    try:
        with g.session.begin():
            run(g.session, **_caller())
    except GridsError as error:
        return _refused(account_id, error)
    return redirect(url_for(".account", account_id=account_id, done=done), 303)


def _refused(account_id: int, error: GridsError) -> ResponseReturnValue:
    if isinstance(error, NotFound):
        raise error
    return _account(account_id, faces.message_of(error)), status_of(error)


def _secret(account_id: int, password: str) -> str:
    now = datetime.now(UTC)
    with g.session.begin():
        found = accounts.account_of(g.session, account_id, now=now)
        return frame.page("secret", account=found, password=password)


def _caller() -> dict[str, Any]:
    return {
        "by": g.actor.account_id,
        "now": datetime.now(UTC),
        "source_ip": frame.source_ip(),
    }
