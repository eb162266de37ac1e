"""The three base libraries on the data desk: what they hold, how complete, as of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.auth import requires
from app.channel_pages import source_ip
from app.data.frame import own_area, page
from app.errors import status_of
from app.i18n import translated
from grids.area_tree import area_names
from grids.city import the_city
from grids.errors import GridsError, NotFound
from grids.libraries import contents, macro
from grids.libraries.indicators import INDICATORS, Indicator

bp = Blueprint("libraries", __name__)


@bp.get("/data/libraries")
@requires("data:view")
def home() -> ResponseReturnValue:
    """Show the three libraries with how complete they are."""
    with g.session.begin():
        area = own_area("")
        found = contents.libraries(g.session, g.actor, area, today=faces.today())
        return page("libraries", libraries=found)


@bp.get("/data/libraries/<name>")
@requires("data:view")
def library(name: str) -> ResponseReturnValue:
    """Show the dictionary of a library."""
    if name not in contents.LIBRARIES:
        raise NotFound(f"no library {name[:40]!r}")
    with g.session.begin():
        return page("library", name=name, tables=contents.dictionary(name))


@bp.get("/data/macro")
@requires("data:view")
def figures() -> ResponseReturnValue:
    """Show the last periods of an indicator by area, as known on a day."""
    return _figures(macro.indicator(request.args.get("indicator", INDICATORS[0].code)))


@bp.post("/data/macro")
@requires("data:decide")
def record() -> ResponseReturnValue:
    """Record the figures of one period."""
    form = request.form
    one = macro.indicator(form.get("indicator", ""))
    given = {name[2:]: text for name, text in form.items() if name.startswith("v.")}
    try:
        with g.session.begin():
            changed = macro.record(
                g.session, g.actor, one, _day(form.get("period", "")) or date.min, given,
                today=faces.today(), now=datetime.now(UTC), source_ip=source_ip(),
            )  # fmt: skip
    except GridsError as refused:
        told = {**refused.params}
        if "area" in told:
            told["area"] = _name_of(str(told["area"]))
        error = translated(f"error.{refused.code}", str(refused), **told)
        return _figures(one, error=error, given=given), status_of(refused)
    return redirect(url_for("libraries.figures", indicator=one.code, done=str(changed)), 303)


def _figures(one: Indicator, *, error: str = "", given: dict[str, str] | None = None) -> str:
    on = _day(request.args.get("on", ""))
    with g.session.begin():
        zone = ZoneInfo(the_city(g.session).city_zone)
        # What was known on a day is what had been recorded when it ended.
        as_of = datetime.combine(on + timedelta(days=1), time(), zone) if on else None
        found = macro.known(g.session, g.actor, one, today=faces.today(), as_of=as_of)
        done = request.args.get("done", "")
        return page(
            "macro", known=found, areas=macro.areas(g.session, g.actor), on=on,
            indicators=INDICATORS, period_words=period_words, error=error, given=given or {},
            may_record=g.actor.can("data:decide") and on is None,
            done=int(done) if done.isascii() and done.isdecimal() and len(done) < 6 else None,
        )  # fmt: skip


def period_words(one: Indicator, begin: date) -> str:
    """Name a period: 2026年9月, 2026年第3季度, 2026年."""
    return str(
        _(f"macro.period.{one.every}", year=begin.year, month=begin.month,
          quarter=(begin.month + 2) // 3)
    )  # fmt: skip


def _name_of(code: str) -> str:
    with g.session.begin():
        return faces.by_language(*area_names(g.session, code)) or code[:20]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
