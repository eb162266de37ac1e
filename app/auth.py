"""Sign-in, the permission of each view, and the signed-in caller."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app import form_fields
from app.config import Settings
from app.db import alone
from app.render import own_path
from app.sign_in_policy import policy_from
from grids import accounts, audit
from grids.accounts import Policy
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


class TokenRefused(GridsError):
    """The API token is unknown, over or revoked, or does not belong into this request."""

    code = "token.refused"


class ProviderFailed(GridsError):
    """The OpenID provider did not answer, or its answer does not hold."""

    code = "sign_in.provider"


class Forged(GridsError):
    """The request did not come from a page of this site."""

    code = "request.forged"


def requires(
    permission: str, *, step_up: bool = False, unfinished: bool = False
) -> Callable[[View], View]:
    """State what a view needs; `PUBLIC` for everybody.

    `unfinished` opens it to somebody who still has to choose a password or to enrol a second
    factor: the pages where that is done.

    Raises `SignInNeeded` where nobody is signed in, `NotAllowed` without the permission and,
    for a sensitive act (`step_up`), `StepUpNeeded` where the last proof of identity is old.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if permission != PUBLIC:
                _check(permission, unfinished=unfinished)
            if step_up:
                check_step_up()
            form_fields.check()
            return view(*args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]
        checked.step_up = step_up  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate


def _check(permission: str, *, unfinished: bool) -> None:
    if unfinished and g.get("unfinished") in ("password", "enrol"):
        g.actor = g.person.actor
    actor = g.get("actor")
    if actor is None:
        raise SignInNeeded("sign in first")
    if permission != SIGNED_IN and not actor.can(permission):
        raise NotAllowed(f"needs the permission {permission}", permission=permission)
    g.actor = actor.acting(permission)


def check_step_up() -> None:
    """Raise `StepUpNeeded` where the caller has not proved who they are a short time ago."""
    if g.confirmed_at is None or datetime.now(UTC) - g.confirmed_at > STEP_UP_LASTS:
        raise StepUpNeeded("this needs a fresh proof of who you are")


def cookie_name(settings: Settings) -> str:
    """Name the session cookie; under HTTPS the prefix ties it to this very host."""
    return "__Host-wangge" if settings.https else "wangge"


def policy() -> Policy:
    """Return the rules of signing in of this application."""
    found: Policy = current_app.extensions["policy"]
    return found


def init_app(app: Flask, settings: Settings) -> None:
    """Find the caller of each request before any view runs."""
    app.extensions["settings"] = settings
    app.extensions["policy"] = policy_from(settings)
    app.register_blueprint(bp)

    @app.before_request
    def find_caller() -> None:
        g.actor, g.csrf_token, g.session_hash, g.confirmed_at = None, "", None, None
        g.person, g.unfinished, g.token_id = None, None, None
        if request.endpoint == "static":
            return
        kind, _space, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            _find_by_token(token.strip())
            return
        cookie = request.cookies.get(cookie_name(settings))
        if cookie:
            _find_by_cookie(cookie)

    app.context_processor(lambda: {"me": g.get("actor"), "csrf_token": g.get("csrf_token", "")})


def _find_by_cookie(cookie: str) -> None:
    with alone() as conn:
        found = accounts.caller(conn, cookie, datetime.now(UTC), policy())
    if found:
        g.person, g.unfinished = found, found.unfinished
        g.csrf_token, g.session_hash = found.csrf_token, found.session_hash
    if found and not found.unfinished:
        g.actor, g.confirmed_at = found.actor, found.confirmed_at


def _find_by_token(token: str) -> None:
    """Take the caller from an API token; a cookie beside it counts for nothing.

    No proof of identity comes with a token, so what needs a fresh one stays closed to it.
    Raises `TokenRefused`.
    """
    source_ip = request.remote_addr or ""
    with g.session.begin():
        found = accounts.token_caller(g.session, token, datetime.now(UTC), source_ip=source_ip)
        if found is None:
            audit.record(
                g.session, "token_refused", actor_id=None, is_success=False, source_ip=source_ip
            )
    if found is None:
        raise TokenRefused("the token is unknown, over or revoked")
    g.actor, g.token_id = found.actor, found.token_id


def set_session_cookie(answer: Response, token: str) -> Response:
    """Give the browser the token of its session."""
    settings: Settings = current_app.extensions["settings"]
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


#: What an unfinished sign-in goes on with.
STEPS = {
    "second": "auth.second_page",
    "password": "account.password_page",
    "enrol": "account_factor.page",
}


def next_page(person: accounts.SignedIn, target: str) -> str:
    """Return where a sign-in goes: to the step it lacks, else to the page that was wanted."""
    if person.unfinished:
        return url_for(STEPS[person.unfinished], next=target or None)
    return own_path(target) if target else home_of(person.actor)


@bp.get("/sign-in")
@requires(PUBLIC)
def sign_in_page() -> ResponseReturnValue:
    """Show the sign-in form; who is signed in already goes on."""
    target = request.args.get("next", "")
    if g.person is not None:
        return redirect(next_page(g.person, target))
    return form_page(target)


@bp.post("/sign-in")
@requires(PUBLIC)
def sign_in() -> ResponseReturnValue:
    """Open a session and go to the page that was wanted, or show the form with the reason."""
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
            policy=policy(),
        )
        found = _found(token, now)
    if token is None or found is None:
        return form_page(target, login=login, error=_("sign_in.refused")), 401
    return set_session_cookie(redirect(next_page(found, target)), token)


@bp.get("/sign-in/second")
@requires(PUBLIC)
def second_page() -> ResponseReturnValue:
    """Ask for the code of the second factor."""
    target = request.args.get("next", "")
    if g.unfinished != "second":
        return redirect(url_for("auth.sign_in_page", next=target or None))
    return render_template("auth/second.html", next=target, error=None)


@bp.post("/sign-in/second")
@requires(PUBLIC)
def second_step() -> ResponseReturnValue:
    """Take the code, or a recovery code, and open the session."""
    target = request.form.get("next", "")
    if g.unfinished != "second":
        return redirect(url_for("auth.sign_in_page", next=target or None))
    now = datetime.now(UTC)
    with g.session.begin():
        token = accounts.second_step(
            g.session,
            g.session_hash,
            request.form.get("code", ""),
            vault=current_app.extensions["vault"],
            now=now,
            source_ip=request.remote_addr or "",
            policy=policy(),
        )
        found = _found(token, now)
    if token is None or found is None:
        page = render_template("auth/second.html", next=target, error=_("second.refused"))
        return page, 401
    return set_session_cookie(redirect(next_page(found, target)), token)


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
                actor_id=g.person.actor.account_id,
                source_ip=request.remote_addr or "",
            )
    answer = redirect(url_for("auth.sign_in_page"))
    answer.delete_cookie(cookie_name(settings), path="/", secure=settings.https)
    return answer


def _found(token: str | None, now: datetime) -> accounts.SignedIn | None:
    if token is None:
        return None
    return accounts.signed_in(g.session, token, now, policy(), with_unfinished=True)


def form_page(target: str, *, login: str = "", error: str | None = None) -> str:
    """Write the sign-in form, with the provider's button where one is set."""
    settings: Settings = current_app.extensions["settings"]
    return render_template(
        "auth/sign_in.html",
        next=target,
        login=login,
        error=error,
        provider=(settings.oidc_name or "OpenID Connect") if settings.oidc_issuer else None,
    )


#: The face that a role works with, first match wins.
HOMES = (
    ("command:view", "/command"),
    ("worker:view", "/worker/"),
    ("desk:view", "/desk"),
    ("dispute:view", "/disputes"),
    ("planner:view", "/planner"),
    ("person:find", "/people"),
    ("data:view", "/data"),
    ("admin:system", "/admin"),
    ("admin:security", "/admin"),
    ("admin:audit", "/admin"),
    ("key_population:view", "/counts"),
)


def home_of(actor: accounts.Actor) -> str:
    """Return the page that a person starts from."""
    return next((path for permission, path in HOMES if actor.can(permission)), "/")
