"""Conversion of codes on the data desk: how far each registrar has come, what waits, what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.auth import requires
from app.channel_pages import source_ip
from app.data.frame import page
from grids import conversion
from grids.layers.access import checked_area

bp = Blueprint("conversion", __name__)

LONGEST = 40


@bp.get("/data/conversion")
@requires("enterprise:view")
def home() -> ResponseReturnValue:
    """Show the shares of all registrars and the pairs that were asked for."""
    return _page()


@bp.post("/data/conversion/<int:pair_id>")
@requires("data:decide")
def convert(pair_id: int) -> ResponseReturnValue:
    """Enter or put right the credit code of one pair."""
    code = request.form.get("uscc", "")[:LONGEST]
    zone = ZoneInfo(faces.settings().city_zone)
    try:
        with g.session.begin():
            row = conversion.convert(
                g.session, g.actor, pair_id, code, on=datetime.now(zone).date(),
                source_ip=source_ip(),
            )  # fmt: skip
            number = row.old_number
    except (conversion.BadCode, conversion.OtherCode) as refused:
        status = 422 if isinstance(refused, conversion.BadCode) else 409
        return _page(refused=refused, pair_id=pair_id, typed=code), status
    return redirect(url_for("conversion.home", q=number, done="converted"), 303)


def _page(refused: Any = None, pair_id: int = 0, typed: str = "") -> str:
    asked = request.args
    area = checked_area(asked.get("area", ""))
    number = asked.get("q", "")[:LONGEST]
    chosen = {
        "registrar": asked.get("registrar", ""),
        "state": asked.get("state", "") if asked.get("state") in conversion.STATES else "",
    }
    with g.session.begin():
        pairs, after = conversion.listed(
            g.session, g.actor, area=area, number=number, **chosen,
            after=pair_id - 1 if pair_id else max(0, asked.get("after", 0, type=int)),
        )  # fmt: skip
        return page(
            "conversion", shares=conversion.shares(g.session, g.actor, area), pairs=pairs,
            after=after, area=area, q=number, **chosen, states=conversion.STATES,
            registrars=tuple(conversion.REGISTRARS), typed=typed, pair_id=pair_id,
            refused_words=str(_(f"error.{refused.code}")) if refused else "",
            done=asked.get("done") == "converted", now=datetime.now(UTC),
        )  # fmt: skip
