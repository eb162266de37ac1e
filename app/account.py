"""A person's own page: who one is here, password, sessions, tokens."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime
from flask_babel import gettext as _

from app.auth import (
    SIGNED_IN,
    TokenRefused,
    home_of,
    next_page,
    policy,
    requires,
    set_session_cookie,
)
from app.i18n import language, translated
from app.render import json_answer
from grids import accounts
from grids.accounts.factors import recovery_codes_left
from grids.divisions import Area
from grids.errors import GridsError

bp = Blueprint("account", __name__)
#: What the page offers for the life of a token, in days.
TOKEN_DAYS = (30, 90, 180, 365)


@bp.before_request
def refuse_tokens() -> None:
    """Keep programs out: a token that makes or ends tokens would outlive its own end."""
    if g.token_id is not None:
        raise TokenRefused("the own account is managed by signing in")


@bp.get("/account")
@requires(SIGNED_IN)
def page() -> ResponseReturnValue:
    """Show the own account."""
    return _page()


@bp.get("/account/password")
@requires(SIGNED_IN, unfinished=True)
def password_page() -> ResponseReturnValue:
    """Show the form for a new password."""
    return _password_form()


@bp.post("/account/password")
@requires(SIGNED_IN, unfinished=True)
def change_password() -> ResponseReturnValue:
    """Change the own password; every other session and every token ends."""
    form = request.form
    if form.get("new", "") != form.get("again", ""):
        return _password_form({"again": _("account.password.differ")}), 422
    try:
        with g.session.begin():
            token = accounts.change_password(
                g.session,
                g.actor.account_id,
                g.session_hash,
                present=form.get("present", ""),
                new=form.get("new", ""),
                now=datetime.now(UTC),
                source_ip=request.remote_addr or "",
                policy=policy(),
            )
    except (accounts.WeakPassword, accounts.KnownPassword, accounts.UsedPassword) as error:
        return _password_form({"new": _words(error)}), 422
    if token is None:
        return _password_form({"present": _("error.account.wrong_password")}), 422
    return set_session_cookie(redirect(_after(token)), token)


@bp.get("/api/account/sessions")
@requires(SIGNED_IN)
def list_sessions() -> ResponseReturnValue:
    """Return the own sessions."""
    return json_answer({"sessions": [asdict(one) for one in _sessions()]})


@bp.delete("/api/account/sessions/<int:session_id>")
@requires(SIGNED_IN)
def delete_session(session_id: int) -> ResponseReturnValue:
    """End one of the own sessions."""
    _end(session_id)
    return "", 204


@bp.post("/account/sessions/<int:session_id>/end")
@requires(SIGNED_IN)
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of the own sessions and show the page again."""
    _end(session_id)
    return redirect(url_for("account.page", done="session") + "#sessions")


@bp.post("/account/sessions/end-others")
@requires(SIGNED_IN)
def end_others() -> ResponseReturnValue:
    """End every own session but this one."""
    with g.session.begin():
        accounts.end_other_sessions(
            g.session,
            g.actor.account_id,
            g.session_hash,
            source_ip=request.remote_addr or "",
        )
    return redirect(url_for("account.page", done="sessions") + "#sessions")


@bp.get("/account/tokens/new")
@requires(SIGNED_IN, step_up=True)
def token_page() -> ResponseReturnValue:
    """Show the form for a new token."""
    return _token_form()


@bp.post("/account/tokens")
@requires(SIGNED_IN, step_up=True)
def make_token() -> ResponseReturnValue:
    """Make a token and show it, once."""
    form = request.form
    now = datetime.now(UTC)
    days = int(form.get("days", "")) if form.get("days", "").isdecimal() else 0
    try:
        with g.session.begin():
            token = accounts.create_token(
                g.session,
                g.actor,
                name=form.get("name", ""),
                scopes=form.getlist("scope"),
                expires_at=now + timedelta(days=min(days, 10_000)),
                now=now,
                source_ip=request.remote_addr or "",
            )
    except GridsError as error:
        return _token_form(_words(error)), 422
    return render_template("account/token_made.html", token=token), 201


@bp.post("/account/tokens/<int:token_id>/revoke")
@requires(SIGNED_IN)
def revoke_token(token_id: int) -> ResponseReturnValue:
    """End one of the own tokens at once."""
    with g.session.begin():
        accounts.revoke_token(
            g.session,
            g.actor.account_id,
            token_id,
            by=g.actor.account_id,
            now=datetime.now(UTC),
            source_ip=request.remote_addr or "",
        )
    return redirect(url_for("account.page", done="token") + "#tokens")


def _end(session_id: int) -> None:
    with g.session.begin():
        accounts.end_session(
            g.session,
            g.actor.account_id,
            session_id,
            by=g.actor.account_id,
            source_ip=request.remote_addr or "",
        )


def _sessions() -> list[accounts.SessionRow]:
    now = datetime.now(UTC)
    with g.session.begin():
        return accounts.sessions_of(g.session, g.actor.account_id, now=now, current=g.session_hash)


def _token_form(error: str | None = None) -> str:
    return render_template(
        "account/token.html",
        scopes=sorted(g.actor.permissions),
        days=TOKEN_DAYS,
        error=error,
        form=request.form,
        chosen=request.form.getlist("scope"),
        permission_name=permission_name,
    )


def _page() -> str:
    now = datetime.now(UTC)
    me = g.actor.account_id
    with g.session.begin():
        account = accounts.account_of(g.session, me, now=now)
        grants = [row for row in accounts.grants_of(g.session, me, now=now) if row.is_held]
        found = {
            "account": account,
            "grants": [_grant(row) for row in grants],
            "sessions": [
                {**asdict(one), "device": device_of(one.agent), "way": _way(one.method)}
                for one in accounts.sessions_of(g.session, me, now=now, current=g.session_hash)
            ],
            "tokens": accounts.tokens_of(g.session, me, now=now),
            "codes_left": recovery_codes_left(g.session, me),
            "links": accounts.identities_of(g.session, me),
        }
    return render_template(
        "account/index.html",
        **found,
        home=home_of(g.actor),
        password_ends=_password_ends(account),
        done=request.args.get("done", ""),
        when=when,
        permission_name=permission_name,
    )


def _password_ends(account: accounts.AccountRow) -> datetime | None:
    lasts = policy().password.lasts
    return account.password_at + lasts if lasts and account.has_password else None


def _grant(row: accounts.GrantRow) -> dict[str, Any]:
    area = g.session.get(Area, row.area_code)
    name = area and (area.name_en if language() == "en" else area.name_zh)
    return {**asdict(row), "place": name or row.area_code}


def _password_form(errors: dict[str, str] | None = None) -> str:
    return render_template(
        "account/password.html",
        errors=errors or {},
        profile=policy().password,
        is_forced=g.unfinished == "password",
        next=request.values.get("next", ""),
    )


def _after(token: str) -> str:
    """Return where to go on after a step of an unfinished sign-in, else the own page."""
    if g.unfinished is None:
        return url_for("account.page", done="password")
    with g.session.begin():
        found = accounts.signed_in(
            g.session, token, datetime.now(UTC), policy(), with_unfinished=True
        )
    target = request.form.get("next", "")
    return next_page(found, target) if found else url_for("auth.sign_in_page")


def _words(error: GridsError) -> str:
    return translated(f"error.{error.code}", str(error), **error.params)


def when(at: datetime | None) -> str:
    """Write a moment in the city's time."""
    if at is None:
        return "–"
    written: str = format_datetime(at, "yyyy-MM-dd HH:mm")
    return written


def permission_name(permission: str) -> str:
    """Name a permission in the reader's language."""
    return translated(f"permission.{permission}", permission)


def _way(method: str) -> str:
    return translated(f"account.way.{method.replace('+', '_')}", method)


#: Part of a browser's name -> what people call it, the most special first.
BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("DingTalk", "DingTalk"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device_of(agent: str) -> str:
    """Name the browser and the system of a user agent, as far as they are known."""
    found = [
        next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS)
    ]
    return " · ".join(filter(None, found)) or agent[:40] or "–"
