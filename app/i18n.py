"""Language of the request and the message catalogues, one folder per area."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, g, has_request_context, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel, gettext

from app.auth import PUBLIC, requires
from app.render import own_path

LANGUAGES = ("zh", "en")
COOKIE = "wangge_lang"
YEAR_S = 365 * 24 * 3600
FOLDER = Path(__file__).parent / "translations"

bp = Blueprint("i18n", __name__)


def language() -> str:
    """Choose zh or en: the cookie, else what the browser prefers, else Chinese."""
    if not has_request_context():
        return LANGUAGES[0]
    if "lang" not in g:
        chosen = request.cookies.get(COOKIE)
        g.lang = chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES)
    return g.lang or LANGUAGES[0]


def init_app(app: Flask, city_zone: str) -> None:
    """Load every area's catalogue; Chinese is the language that is complete first."""
    areas = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join(str(FOLDER / area) for area in areas)
    app.config["BABEL_DEFAULT_LOCALE"] = LANGUAGES[0]
    Babel(
        app,
        locale_selector=language,
        timezone_selector=lambda: city_zone,
    )
    app.context_processor(lambda: {"lang": language()})
    app.register_blueprint(bp)


def translated(key: str, fallback: str, **params: object) -> str:
    """Translate a key, or give the fallback where no catalogue has it."""
    found: str = gettext(key)
    if found == key:
        return fallback
    try:
        filled: str = found % params if params else found
        return filled
    except (KeyError, TypeError, ValueError):
        return fallback


@bp.get("/lang/<any(zh, en):code>")
@requires(PUBLIC)
def choose(code: str) -> ResponseReturnValue:
    """Keep the language in a cookie and go back to the page it was chosen on."""
    answer = redirect(own_path(request.args.get("next", "/")))
    answer.set_cookie(COOKIE, code, max_age=YEAR_S, samesite="Lax", secure=request.is_secure)
    return answer
