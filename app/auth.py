"""Sign-in, the permission of each view, and the signed-in caller."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.config import Settings
from app.render import own_path
from grids import accounts, audit
from grids.errors import GridsError, NotAllowed

#: Permission of a view that everybody may call.
PUBLIC: Final = "public"
#: Permission of a view for anybody who is signed in.
SIGNED_IN: Final = "signed_in"

#: A proof of identity serves sensitive acts for this long.
STEP_UP_LASTS = timedelta(minutes=10)

View = TypeVar("View", bound=Callable[..., Any])
bp = Blueprint("auth", __name__)


class SignInNeeded(GridsError):
    """Nobody is signed in, or the sign-in is over."""

    code = "sign_in.needed"


class StepUpNeeded(GridsError):
    """The act is sensitive and the last proof of identity is too old: give it again."""

    code = "sign_in.step_up"


class Forged(GridsError):
    """The request did not come from a page of this site."""

    code = "request.forged"


def requires(permission: str, *, step_up: bool = False) -> Callable[[View], View]:
    """State what a view needs; `PUBLIC` for everybody.

    Raises `SignInNeeded` where nobody is signed in, `NotAllowed` without the permission and,
    for a sensitive act (`step_up`), `StepUpNeeded` where the last proof of identity is old.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if permission != PUBLIC:
                _check(permission)
            if step_up:
                check_step_up()
            return view(*args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]
        checked.step_up = step_up  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate


def _check(permission: str) -> None:
    actor = g.get("actor")
    if actor is None:
        raise SignInNeeded("sign in first")
    if permission != SIGNED_IN and not actor.can(permission):
        raise NotAllowed(f"needs the permission {permission}", permission=permission)


def check_step_up() -> None:
    """Raise `StepUpNeeded` where the caller has not proved who they are a short time ago."""
    if g.confirmed_at is None or datetime.now(UTC) - g.confirmed_at > STEP_UP_LASTS:
        raise StepUpNeeded("this needs a fresh proof of who you are")


def cookie_name(settings: Settings) -> str:
    """Name the session cookie; under HTTPS the prefix ties it to this very host."""
    return "__Host-wangge" if settings.https else "wangge"


def init_app(app: Flask, settings: Settings) -> None:
    """Find the caller of each request before any view runs."""
    app.extensions["settings"] = settings
    app.register_blueprint(bp)

    @app.before_request
    def find_caller() -> None:
        g.actor, g.csrf_token, g.session_hash, g.confirmed_at = None, "", None, None
        token = request.cookies.get(cookie_name(settings))
        if not token or request.endpoint == "static":
            return
        with g.session.begin():
            found = accounts.signed_in(g.session, token, datetime.now(UTC))
        if found:
            g.actor, g.csrf_token = found.actor, found.csrf_token
            g.session_hash, g.confirmed_at = found.session_hash, found.confirmed_at

    app.context_processor(lambda: {"me": g.get("actor"), "csrf_token": g.get("csrf_token", "")})


@bp.get("/sign-in")
@requires(PUBLIC)
def sign_in_page() -> ResponseReturnValue:
    """Show the sign-in form; who is signed in already goes on."""
    target = request.args.get("next", "")
    if g.actor is not None:
        return redirect(own_path(target) if target else home_of(g.actor))
    return render_template("auth/sign_in.html", next=target, login="", error=None)


@bp.post("/sign-in")
@requires(PUBLIC)
def sign_in() -> ResponseReturnValue:
    """Open a session and go to the page that was wanted, or show the form with the reason."""
    settings: Settings = current_app.extensions["settings"]
    login = request.form.get("login", "").strip()
    target = request.form.get("next", "")
    now = datetime.now(UTC)
    with g.session.begin():
        token = accounts.sign_in(
            g.session,
            login,
            request.form.get("password", ""),
            now=now,
            source_ip=request.remote_addr or "",
            agent=request.user_agent.string,
        )
        found = accounts.signed_in(g.session, token, now) if token else None
    if token is None or found is None:
        page = render_template(
            "auth/sign_in.html", next=target, login=login, error=_("sign_in.refused")
        )
        return page, 401
    answer = redirect(own_path(target) if target else home_of(found.actor))
    answer.set_cookie(
        cookie_name(settings),
        token,
        max_age=int(accounts.LONGEST.total_seconds()),
        path="/",
        httponly=True,
        secure=settings.https,
        samesite="Lax",
    )
    return answer


@bp.post("/sign-out")
@requires(PUBLIC)
def sign_out() -> ResponseReturnValue:
    """End the session and forget the cookie."""
    settings: Settings = current_app.extensions["settings"]
    if g.session_hash is not None:
        with g.session.begin():
            accounts.sign_out(g.session, g.session_hash)
            audit.record(
                g.session,
                "sign_out",
                actor_id=g.actor.account_id,
                source_ip=request.remote_addr or "",
            )
    answer = redirect(url_for("auth.sign_in_page"))
    answer.delete_cookie(cookie_name(settings), path="/", secure=settings.https)
    return answer


#: The face that a role works with, first match wins.
HOMES = (
    ("command:view", "/command"),
    ("worker:view", "/worker/"),
    ("desk:view", "/desk"),
    ("planner:view", "/planner"),
)


def home_of(actor: accounts.Actor) -> str:
    """Return the page that a person starts from."""
    return next((path for permission, path in HOMES if actor.can(permission)), "/")
